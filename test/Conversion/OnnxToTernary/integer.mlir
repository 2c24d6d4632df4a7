// RUN: tern-opt %s --convert-onnx-to-ternary --split-input-file --verify-diagnostics | FileCheck %s

// int8 activations: the product itself, tokens merged and restored.
// CHECK-LABEL: func.func @int8(
// CHECK: %[[X:.*]] = tensor.collapse_shape %arg0 {{\[\[}}0, 1], [2]] : tensor<?x3x2xi8> into tensor<?x2xi8>
// CHECK: %[[P:.*]] = ternary.matmul %[[X]], %{{.*}} {form = "integer"} : (tensor<?x2xi8>, !ternary.matrix<2x2>) -> tensor<?x2xi32>
// CHECK: %[[Y:.*]] = tensor.expand_shape %[[P]] {{\[\[}}0, 1], [2]] output_shape [%{{.*}}, 3, 2]
// CHECK: return %[[Y]]
func.func @int8(%x: tensor<?x3x2xi8>) -> tensor<?x3x2xi32> {
  %w = onnx.constant dense<[[1, -1], [0, 1]]> : tensor<2x2xi8>
  %z = onnx.constant dense<0> : tensor<i8>
  %y = onnx.node "MatMulInteger"(%x, %w, %z) : (tensor<?x3x2xi8>, tensor<2x2xi8>, tensor<i8>) -> tensor<?x3x2xi32>
  return %y : tensor<?x3x2xi32>
}

// -----

// A zero point of its own: sum (x - z) t = sum x t + (0 - z) sum t.
// CHECK-LABEL: func.func @int8_zero(
// CHECK: %[[P:.*]] = ternary.matmul %arg0
// CHECK: %[[Z:.*]] = onnx.node "Cast"(%arg1) {to = 6 : i64}
// CHECK: %[[O:.*]] = onnx.constant dense<0> : tensor<i32>
// CHECK: %[[S:.*]] = onnx.node "Sub"(%[[O]], %[[Z]])
// CHECK: %[[SUMS:.*]] = onnx.constant dense<[1, 0]> : tensor<2xi32>
// CHECK: %[[C:.*]] = onnx.node "Mul"(%[[SUMS]], %[[S]])
// CHECK: %[[Y:.*]] = onnx.node "Add"(%[[P]], %[[C]])
// CHECK: return %[[Y]]
func.func @int8_zero(%x: tensor<?x2xi8>, %z: tensor<i8>) -> tensor<?x2xi32> {
  %w = onnx.constant dense<[[1, -1], [0, 1]]> : tensor<2x2xi8>
  %y = onnx.node "MatMulInteger"(%x, %w, %z) : (tensor<?x2xi8>, tensor<2x2xi8>, tensor<i8>) -> tensor<?x2xi32>
  return %y : tensor<?x2xi32>
}

// -----

// uint8 moves by 128 into the range of int8, and the sums back.
// CHECK-LABEL: func.func @uint8(
// CHECK: %[[WIDE:.*]] = onnx.node "Cast"(%arg0) {to = 6 : i64} : (tensor<?x2xui8>) -> tensor<?x2xi32>
// CHECK: %[[O:.*]] = onnx.constant dense<128> : tensor<i32>
// CHECK: %[[MOVED:.*]] = onnx.node "Sub"(%[[WIDE]], %[[O]])
// CHECK: %[[X:.*]] = onnx.node "Cast"(%[[MOVED]]) {to = 3 : i64}
// CHECK: %[[P:.*]] = ternary.matmul %[[X]]
// CHECK: %[[O2:.*]] = onnx.constant dense<128> : tensor<i32>
// CHECK: %[[C:.*]] = onnx.node "Mul"(%{{.*}}, %[[O2]])
// CHECK: onnx.node "Add"(%[[P]], %[[C]])
func.func @uint8(%x: tensor<?x2xui8>) -> tensor<?x2xi32> {
  %w = onnx.constant dense<[[1, -1], [0, 1]]> : tensor<2x2xi8>
  %y = onnx.node "MatMulInteger"(%x, %w) : (tensor<?x2xui8>, tensor<2x2xi8>) -> tensor<?x2xi32>
  return %y : tensor<?x2xi32>
}

// -----

// Unsigned weights around a zero point, one for each column.
// CHECK-LABEL: func.func @weight_zero(
// CHECK: ternary.constant dense<[86, 88]> : tensor<2xui8>
func.func @weight_zero(%x: tensor<?x2xi8>) -> tensor<?x2xi32> {
  %z = onnx.constant dense<[7, 3]> : tensor<2xui8>
  %none = onnx.none
  %w = onnx.constant dense<[[8, 2], [7, 4]]> : tensor<2x2xui8>
  %y = onnx.node "MatMulInteger"(%x, %w, %none, %z) : (tensor<?x2xi8>, tensor<2x2xui8>, none, tensor<2xui8>) -> tensor<?x2xi32>
  return %y : tensor<?x2xi32>
}

// -----

// Other integers, and other zero points, stay.
// CHECK-LABEL: func.func @stays(
// CHECK-COUNT-3: onnx.node "MatMulInteger"
func.func @stays(%x: tensor<?x2xi8>, %z: tensor<2xi8>) -> (tensor<?x2xi32>, tensor<?x2xi32>, tensor<?x2xi32>) {
  %twos = onnx.constant dense<[[2, -2], [0, 2]]> : tensor<2x2xi8>
  %many = onnx.constant dense<[[5, -7], [1, 2]]> : tensor<2x2xi8>
  %w = onnx.constant dense<[[1, -1], [0, 1]]> : tensor<2x2xi8>
  %0 = onnx.node "MatMulInteger"(%x, %twos) : (tensor<?x2xi8>, tensor<2x2xi8>) -> tensor<?x2xi32>
  %1 = onnx.node "MatMulInteger"(%x, %many) : (tensor<?x2xi8>, tensor<2x2xi8>) -> tensor<?x2xi32>
  %2 = onnx.node "MatMulInteger"(%x, %w, %z) : (tensor<?x2xi8>, tensor<2x2xi8>, tensor<2xi8>) -> tensor<?x2xi32>
  return %0, %1, %2 : tensor<?x2xi32>, tensor<?x2xi32>, tensor<?x2xi32>
}

// -----

// CHECK-LABEL: func.func @qlinear(
// CHECK: %[[AB:.*]] = onnx.node "Mul"(%arg1, %{{.*}}) : (tensor<f32>, tensor<2xf32>) -> tensor<2xf32>
// CHECK: %[[F:.*]] = onnx.node "Div"(%[[AB]], %arg2)
// CHECK: %[[P:.*]] = ternary.matmul %arg0, %{{.*}} {form = "qlinear"}
// CHECK: %[[S:.*]] = onnx.node "Cast"(%[[P]]) {to = 1 : i64}
// CHECK: %[[V:.*]] = onnx.node "Mul"(%[[S]], %[[F]])
// CHECK: %[[ONE:.*]] = onnx.constant dense<1.000000e+00> : tensor<f32>
// CHECK: %[[Y:.*]] = onnx.node "QuantizeLinear"(%[[V]], %[[ONE]], %{{.*}}) : (tensor<?x2xf32>, tensor<f32>, tensor<ui8>) -> tensor<?x2xui8>
// CHECK: return %[[Y]]
func.func @qlinear(%x: tensor<?x2xi8>, %a: tensor<f32>, %c: tensor<f32>) -> tensor<?x2xui8> {
  %w = onnx.constant dense<[[1, -1], [0, 1]]> : tensor<2x2xi8>
  %b = onnx.constant dense<[0.5, 0.25]> : tensor<2xf32>
  %zero = onnx.constant dense<0> : tensor<i8>
  %yz = onnx.constant dense<7> : tensor<ui8>
  %y = onnx.node "QLinearMatMul"(%x, %a, %zero, %w, %b, %zero, %c, %yz) : (tensor<?x2xi8>, tensor<f32>, tensor<i8>, tensor<2x2xi8>, tensor<2xf32>, tensor<i8>, tensor<f32>, tensor<ui8>) -> tensor<?x2xui8>
  return %y : tensor<?x2xui8>
}

// -----

// A factor a row moves behind the exact product; one that would repeat the
// codes does not, and the layer stays float.
// CHECK-LABEL: func.func @factors(
// CHECK: %[[P:.*]] = ternary.matmul %arg0
// CHECK: %[[F:.*]] = onnx.node "Cast"(%[[P]]) {to = 1 : i64}
// CHECK: %[[Y:.*]] = onnx.node "Mul"(%[[F]], %arg1) : (tensor<1x2xf32>, tensor<1x1xf32>) -> tensor<1x2xf32>
// CHECK: %[[Z:.*]] = ternary.bit_linear %{{.*}}, {{.*}} -> tensor<3x2xf32>
// CHECK: return %[[Y]], %[[Z]]
func.func @factors(%x: tensor<1x2xi8>, %a: tensor<1x1xf32>, %b: tensor<3x1xf32>) -> (tensor<1x2xf32>, tensor<3x2xf32>) {
  %w = onnx.constant dense<[[1.0, -1.0], [0.0, 1.0]]> : tensor<2x2xf32>
  %c = onnx.node "Cast"(%x) {to = 1} : (tensor<1x2xi8>) -> tensor<1x2xf32>
  %f = onnx.node "Mul"(%c, %a) : (tensor<1x2xf32>, tensor<1x1xf32>) -> tensor<1x2xf32>
  %g = onnx.node "Mul"(%c, %b) : (tensor<1x2xf32>, tensor<3x1xf32>) -> tensor<3x2xf32>
  %y = onnx.node "MatMul"(%f, %w) : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %z = onnx.node "MatMul"(%g, %w) : (tensor<3x2xf32>, tensor<2x2xf32>) -> tensor<3x2xf32>
  return %y, %z : tensor<1x2xf32>, tensor<3x2xf32>
}

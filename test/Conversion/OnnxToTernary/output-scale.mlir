// RUN: tern-opt %s --convert-onnx-to-ternary --split-input-file | FileCheck %s

// What rescales a product becomes the layer's scale, as far as it is constant.

// CHECK-LABEL: func.func @factor(
// CHECK: arith.constant dense<2.500000e-01> : tensor<1xf32>
// CHECK: %[[Y:.*]] = ternary.bit_linear
// CHECK-NOT: scale_divides
// CHECK: return %[[Y]]
func.func @factor(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %w = onnx.constant dense<[[1.0, -1.0], [0.0, 1.0]]> : tensor<2x2xf32>
  %s = onnx.constant dense<0.25> : tensor<1xf32>
  %y = onnx.node "MatMul"(%x, %w) : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %z = onnx.node "Mul"(%s, %y) : (tensor<1xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  return %z : tensor<?x2xf32>
}

// -----

// A divisor of trits stays a divisor.
// CHECK-LABEL: func.func @divisor(
// CHECK: arith.constant dense<3.000000e+00> : tensor<1xf32>
// CHECK: %[[Y:.*]] = ternary.bit_linear {{.*}}scale_divides
// CHECK: return %[[Y]]
func.func @divisor(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %w = onnx.constant dense<[[1.0, -1.0], [0.0, 1.0]]> : tensor<2x2xf32>
  %s = onnx.constant dense<3.0> : tensor<f32>
  %y = onnx.node "MatMul"(%x, %w) : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %z = onnx.node "Div"(%y, %s) : (tensor<?x2xf32>, tensor<f32>) -> tensor<?x2xf32>
  return %z : tensor<?x2xf32>
}

// -----

// Weights with a scale of their own, a factor a row and a divisor: 0.5 * 4 / 2
// and 0.5 * 8 / 2.
// CHECK-LABEL: func.func @mixed(
// CHECK: arith.constant dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>
// CHECK: ternary.bit_linear
// CHECK-NOT: scale_divides
// CHECK-NOT: onnx.node
func.func @mixed(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %w = onnx.constant dense<[[0.5, -0.5], [0.0, 0.5]]> : tensor<2x2xf32>
  %row = onnx.constant dense<[4.0, 8.0]> : tensor<2xf32>
  %two = onnx.constant dense<2.0> : tensor<f32>
  %f = onnx.node "Div"(%row, %two) : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %y = onnx.node "MatMul"(%x, %w) : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %z = onnx.node "Mul"(%y, %f) : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  return %z : tensor<?x2xf32>
}

// -----

// Not past a value that somebody else reads, nor through a factor that is no
// constant, that divides by the product, or that adds a dimension.
// CHECK-LABEL: func.func @stops(
// CHECK: %[[A:.*]] = ternary.bit_linear
// CHECK: %[[AZ:.*]] = onnx.node "Mul"(%[[A]],
// CHECK: %[[B:.*]] = ternary.bit_linear
// CHECK: %[[BZ:.*]] = onnx.node "Mul"(%[[B]], %arg0)
// CHECK: %[[C:.*]] = ternary.bit_linear
// CHECK: %[[CZ:.*]] = onnx.node "Div"(%{{.*}}, %[[C]])
// CHECK: %[[D:.*]] = ternary.bit_linear
// CHECK: %[[DZ:.*]] = onnx.node "Mul"(%[[D]],
// CHECK: return %[[A]], %[[AZ]], %[[BZ]], %[[CZ]], %[[DZ]]
func.func @stops(%x: tensor<?x2xf32>) -> (tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<1x?x2xf32>) {
  %w = onnx.constant dense<[[1.0, -1.0], [0.0, 1.0]]> : tensor<2x2xf32>
  %s = onnx.constant dense<0.25> : tensor<1xf32>
  %t = onnx.constant dense<0.25> : tensor<1x1x1xf32>
  %a = onnx.node "MatMul"(%x, %w) : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %az = onnx.node "Mul"(%a, %s) : (tensor<?x2xf32>, tensor<1xf32>) -> tensor<?x2xf32>
  %b = onnx.node "MatMul"(%x, %w) : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %bz = onnx.node "Mul"(%b, %x) : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  %c = onnx.node "MatMul"(%x, %w) : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %cz = onnx.node "Div"(%s, %c) : (tensor<1xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  %d = onnx.node "MatMul"(%x, %w) : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %dz = onnx.node "Mul"(%d, %t) : (tensor<?x2xf32>, tensor<1x1x1xf32>) -> tensor<1x?x2xf32>
  return %a, %az, %bz, %cz, %dz : tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<1x?x2xf32>
}

// -----

// Gemm: alpha belongs to the scale; the bias is added, and what follows it is
// not the layer's.
// CHECK-LABEL: func.func @gemm(
// CHECK: arith.constant dense<3.000000e+00> : tensor<1xf32>
// CHECK: %[[Y:.*]] = ternary.bit_linear
// CHECK: %[[B:.*]] = onnx.node "Add"(%[[Y]], %{{.*}}) : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
// CHECK: %[[Z:.*]] = onnx.node "Mul"(%[[B]],
// CHECK: return %[[Z]]
func.func @gemm(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %w = onnx.constant dense<[[1.0, -1.0], [0.0, 1.0]]> : tensor<2x2xf32>
  %c = onnx.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %s = onnx.constant dense<0.25> : tensor<1xf32>
  %y = onnx.node "Gemm"(%x, %w, %c) {alpha = 3.0 : f32} : (tensor<?x2xf32>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  %z = onnx.node "Mul"(%y, %s) : (tensor<?x2xf32>, tensor<1xf32>) -> tensor<?x2xf32>
  return %z : tensor<?x2xf32>
}

// -----

// A transposed activation and a scaled bias are left alone.
// CHECK-LABEL: func.func @other_gemm(
// CHECK-COUNT-2: onnx.node "Gemm"
func.func @other_gemm(%x: tensor<2x2xf32>) -> (tensor<2x2xf32>, tensor<2x2xf32>) {
  %w = onnx.constant dense<[[1.0, -1.0], [0.0, 1.0]]> : tensor<2x2xf32>
  %c = onnx.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %y = onnx.node "Gemm"(%x, %w) {transA = 1} : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %z = onnx.node "Gemm"(%x, %w, %c) {beta = 2.0 : f32} : (tensor<2x2xf32>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<2x2xf32>
  return %y, %z : tensor<2x2xf32>, tensor<2x2xf32>
}

// -----

// 16-bit products are rounded before they are scaled, so the scale stays.
// CHECK-LABEL: func.func @half(
// CHECK: ternary.bit_linear
// CHECK: onnx.node "Mul"
func.func @half(%x: tensor<?x2xf16>) -> tensor<?x2xf16> {
  %w = onnx.constant dense<[[1.0, -1.0], [0.0, 1.0]]> : tensor<2x2xf16>
  %s = onnx.constant dense<0.25> : tensor<1xf16>
  %y = onnx.node "MatMul"(%x, %w) : (tensor<?x2xf16>, tensor<2x2xf16>) -> tensor<?x2xf16>
  %z = onnx.node "Mul"(%y, %s) : (tensor<?x2xf16>, tensor<1xf16>) -> tensor<?x2xf16>
  return %z : tensor<?x2xf16>
}

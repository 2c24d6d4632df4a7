// RUN: tern-opt %s --convert-onnx-to-linalg --canonicalize | FileCheck %s

// CHECK-LABEL: func.func @square
// CHECK-NOT: math.powf
// CHECK: %[[SQUARE:.*]] = arith.mulf %[[X:.*]], %[[X]] : f32
// CHECK-NEXT: linalg.yield %[[SQUARE]]
func.func @square(%x: tensor<?xf32>) -> tensor<?xf32> {
  %two = onnx.constant dense<2.0> : tensor<f32>
  %0 = onnx.node "Pow"(%x, %two) : (tensor<?xf32>, tensor<f32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// Signedness comes from ONNX's type; the function is signless.
// CHECK-LABEL: func.func @unsigned
// CHECK-SAME: %{{.*}}: tensor<?xi8> {{.*}}, %{{.*}}: tensor<?xi8>
// CHECK: arith.cmpi ult
func.func @unsigned(%a: tensor<?xui8> {onnx.dims = ["n"]}, %b: tensor<?xui8> {onnx.dims = ["n"]}) -> tensor<?xi1> {
  %0 = onnx.node "Less"(%a, %b) : (tensor<?xui8>, tensor<?xui8>) -> tensor<?xi1>
  return %0 : tensor<?xi1>
}

// Rounding is half to even; a reciprocal stays one.
// CHECK-LABEL: func.func @quantise
// CHECK: arith.divf %{{.*}}, %{{.*}}
// CHECK: math.roundeven
func.func @quantise(%x: tensor<?xf32>) -> tensor<?xf32> {
  %0 = onnx.node "Reciprocal"(%x) : (tensor<?xf32>) -> tensor<?xf32>
  %1 = onnx.node "Round"(%0) : (tensor<?xf32>) -> tensor<?xf32>
  return %1 : tensor<?xf32>
}

// bf16 becomes f64 by way of f32, and back: there is no other conversion.
// CHECK-LABEL: func.func @wide(
// CHECK:         %[[F:.*]] = arith.extf %{{.*}} : bf16 to f32
// CHECK:         arith.extf %[[F]] : f32 to f64
// CHECK:       func.func @narrow(
// CHECK:         %[[N:.*]] = arith.truncf %{{.*}} : f64 to f32
// CHECK:         arith.truncf %[[N]] : f32 to bf16
func.func @wide(%x: tensor<?xbf16>) -> tensor<?xf64> {
  %y = onnx.node "Cast"(%x) {to = 11 : i64} : (tensor<?xbf16>) -> tensor<?xf64>
  return %y : tensor<?xf64>
}
func.func @narrow(%x: tensor<?xf64>) -> tensor<?xbf16> {
  %y = onnx.node "Cast"(%x) {to = 16 : i64} : (tensor<?xf64>) -> tensor<?xbf16>
  return %y : tensor<?xbf16>
}

// The quotient of a range's length and its step is one in double.
// CHECK-LABEL: func.func @range(
// CHECK-NOT:     arith.extf %{{.*}} : bf16 to f64
// CHECK:         arith.divf %{{.*}} : f64
// CHECK-NOT:     arith.extf %{{.*}} : bf16 to f64
func.func @range(%from: tensor<bf16>, %to: tensor<bf16>, %by: tensor<bf16>) -> tensor<?xbf16> {
  %y = onnx.node "Range"(%from, %to, %by) : (tensor<bf16>, tensor<bf16>, tensor<bf16>) -> tensor<?xbf16>
  return %y : tensor<?xbf16>
}

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

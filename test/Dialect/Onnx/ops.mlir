// RUN: tern-opt %s | tern-opt | FileCheck %s
// RUN: tern-opt %s --mlir-print-op-generic | tern-opt | FileCheck %s
// RUN: tern-opt %s --emit-bytecode | tern-opt | FileCheck %s

// CHECK: module attributes {onnx.metadata = {key = "value"}, onnx.name = "g", onnx.opsets = {ai.onnx = 20 : i64, com.foo = 1 : i64}, onnx.producer = "p 1"}
module attributes {onnx.metadata = {key = "value"}, onnx.name = "g",
                   onnx.opsets = {ai.onnx = 20 : i64, com.foo = 1 : i64},
                   onnx.producer = "p 1"} {

// CHECK-LABEL: func.func @nodes(
// CHECK-SAME: %[[X:.*]]: tensor<?x4xf32> {onnx.dims = ["batch", ""], onnx.name = "x"}
// CHECK-SAME: -> (tensor<*xf32> {onnx.name = "y"})
func.func @nodes(%x: tensor<?x4xf32> {onnx.name = "x", onnx.dims = ["batch", ""]})
    -> (tensor<*xf32> {onnx.name = "y"}) {
  // CHECK: %[[NONE:.*]] = onnx.none
  %none = onnx.none
  // CHECK: %[[W:.*]] = onnx.constant dense<[1.000000e+00, 2.000000e+00, 3.000000e+00, 4.000000e+00]> : tensor<4xf32>
  %w = onnx.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  // CHECK: %[[A:.*]] = onnx.node "Abs"(%[[X]]) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %a = onnx.node "Abs"(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  // CHECK: %[[N:.*]]:3 = onnx.node "LayerNormalization"(%[[A]], %[[W]], %[[NONE]]) {axis = -1 : i64, epsilon = 1.000000e-03 : f32} : (tensor<?x4xf32>, tensor<4xf32>, none) -> (tensor<?x4xf32>, none, none)
  %n:3 = onnx.node "LayerNormalization"(%a, %w, %none) {axis = -1, epsilon = 0.001 : f32}
      : (tensor<?x4xf32>, tensor<4xf32>, none) -> (tensor<?x4xf32>, none, none)
  // CHECK: onnx.node "com.foo::Bar"(%[[N]]#0) {f = array<f32: 1.000000e+00>, i = array<i64: 1, 2>, s = ["a", "b"], t = dense<1> : tensor<2xi8>, ts = [dense<1> : tensor<i8>]} attributes {note}
  %y = onnx.node "com.foo::Bar"(%n#0) {f = array<f32: 1.0>, i = array<i64: 1, 2>,
      s = ["a", "b"], t = dense<1> : tensor<2xi8>, ts = [dense<1> : tensor<i8>]} attributes {note}
      : (tensor<?x4xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// Resources: packed below a byte, but for i1.
// CHECK-LABEL: func.func @constants
func.func @constants() -> (tensor<5xi2>, tensor<3xi1>, tensor<0x4xf32>) {
  // CHECK: onnx.constant dense_resource<packed> : tensor<5xi2>
  %0 = onnx.constant dense_resource<packed> : tensor<5xi2>
  // CHECK: onnx.constant dense_resource<bools> : tensor<3xi1>
  %1 = onnx.constant dense_resource<bools> : tensor<3xi1>
  // CHECK: onnx.constant dense<> : tensor<0x4xf32>
  %2 = onnx.constant dense<> : tensor<0x4xf32>
  return %0, %1, %2 : tensor<5xi2>, tensor<3xi1>, tensor<0x4xf32>
}
}

{-#
  dialect_resources: {
    builtin: {
      packed: "0x010000004E03",
      bools: "0x01000000010001"
    }
  }
#-}

// RUN: tern-opt %s --canonicalize | FileCheck %s
// RUN: tern-opt %s --cse | FileCheck %s --check-prefix=CSE

// Nodes have no effects: without uses they go, with the same inputs they are one.
// CHECK-LABEL: func.func @unused(
// CHECK-NEXT: return
// CSE-LABEL: func.func @unused(
// CSE-NOT: onnx.node
// CSE: return
func.func @unused(%x: tensor<4xf32>) {
  %none = onnx.none
  %w = onnx.constant dense<1.0> : tensor<4xf32>
  %y = onnx.node "Clip"(%x, %none, %w) : (tensor<4xf32>, none, tensor<4xf32>) -> tensor<4xf32>
  return
}

// CSE-LABEL: func.func @same(
// CSE: %[[W:.*]] = onnx.constant
// CSE-NEXT: %[[Y:.*]] = onnx.node "Add"(%{{.*}}, %[[W]])
// CSE-NEXT: %[[Z:.*]] = onnx.node "Sub"(%{{.*}}, %[[W]])
// CSE-NEXT: return %[[Y]], %[[Y]], %[[Z]]
// CHECK-LABEL: func.func @same(
// CHECK: %[[W:.*]] = onnx.constant
// CHECK-NOT: onnx.constant
// CHECK: return
func.func @same(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %w = onnx.constant dense<1.0> : tensor<4xf32>
  %v = onnx.constant dense<1.0> : tensor<4xf32>
  %y = onnx.node "Add"(%x, %w) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %u = onnx.node "Add"(%x, %v) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %z = onnx.node "Sub"(%x, %v) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %y, %u, %z : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// Omitted inputs of one function are one value, at its top.
// CHECK-LABEL: func.func @none(
// CHECK-NEXT: %[[NONE:.*]] = onnx.none
// CHECK-NEXT: %[[A:.*]] = onnx.node "Clip"(%{{.*}}, %[[NONE]], %{{.*}})
// CHECK-NEXT: onnx.node "Clip"(%[[A]], %{{.*}}, %[[NONE]])
func.func @none(%x: tensor<4xf32>, %c: tensor<f32>) -> tensor<4xf32> {
  %0 = onnx.none
  %a = onnx.node "Clip"(%x, %0, %c) : (tensor<4xf32>, none, tensor<f32>) -> tensor<4xf32>
  %1 = onnx.none
  %y = onnx.node "Clip"(%a, %c, %1) : (tensor<4xf32>, tensor<f32>, none) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

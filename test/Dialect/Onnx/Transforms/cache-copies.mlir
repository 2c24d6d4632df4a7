// RUN: tern-opt %s --split-input-file --tern-raise-pipeline=context=40 --tern-optimize-pipeline --tern-pack-pipeline --tern-bufferize-pipeline | FileCheck %s --implicit-check-not='memref.copy{{.*}} : memref<{{[?1]}}x2x'

// Once bufferised, the loop that computes new rows of keys or values in a step
// writes them into the buffer; what both need is copied there from the other.

// CHECK-LABEL: func.func @main(
// CHECK:         memref.copy %arg1, %{{.*}} : memref<?x2x?x4xf32> to
// CHECK-LABEL: func.func private @step(
// CHECK-SAME:    %[[IDS:.*]]: memref<1x?xi64>, %[[PAST:.*]]: index, %{{.*}}: index, %[[KB:.*]]: memref<1x2x40x4xf32>)
// CHECK:         %[[COUNT:.*]] = memref.dim %[[IDS]]
// CHECK:         %[[ROWS:.*]] = memref.subview %[[KB]][0, 0, %[[PAST]], 0] [1, 2, %[[COUNT]], 4]
// CHECK:         linalg.generic {{.*}} outs(%[[ROWS]] :
// CHECK:         memref.copy %{{.*}} : memref<1x?x16xf32{{.*}} to memref<1x?x16xf32>
func.func @main(%ids: tensor<?x?xi64>, %k: tensor<?x2x?x4xf32>) -> (tensor<?x?x16xf32>, tensor<?x2x?x4xf32>) {
  %axes = onnx.constant dense<[1, 2]> : tensor<2xi64>
  %split = onnx.constant dense<[0, 0, 2, 4]> : tensor<4xi64>
  %table = onnx.constant dense<1.0> : tensor<16x8xf32>
  %head = onnx.constant dense<1.0> : tensor<4x16xf32>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<16x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %rows = onnx.node "Reshape"(%x, %split) : (tensor<?x?x8xf32>, tensor<4xi64>) -> tensor<?x?x2x4xf32>
  %new = onnx.node "Transpose"(%rows) {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x4xf32>) -> tensor<?x2x?x4xf32>
  %p = onnx.node "Concat"(%k, %new) {axis = 2} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  %sum = onnx.node "ReduceSum"(%p, %axes) {keepdims = 1} : (tensor<?x2x?x4xf32>, tensor<2xi64>) -> tensor<?x1x1x4xf32>
  %s = onnx.node "Add"(%rows, %sum) : (tensor<?x?x2x4xf32>, tensor<?x1x1x4xf32>) -> tensor<?x?x2x4xf32>
  %two = onnx.constant dense<2> : tensor<1xi64>
  %y = onnx.node "ReduceSum"(%s, %two) {keepdims = 0} : (tensor<?x?x2x4xf32>, tensor<1xi64>) -> tensor<?x?x4xf32>
  %l = onnx.node "MatMul"(%y, %head) : (tensor<?x?x4xf32>, tensor<4x16xf32>) -> tensor<?x?x16xf32>
  return %l, %p : tensor<?x?x16xf32>, tensor<?x2x?x4xf32>
}

// -----

// CHECK-LABEL: func.func @main(
// CHECK-COUNT-3: memref.copy
// CHECK-LABEL: func.func private @step(
// CHECK-SAME:    %[[IDS:.*]]: memref<1x?xi64>, %[[PAST:.*]]: index, %{{.*}}: index, %[[KB:.*]]: memref<1x2x40x4xf32>, %[[VB:.*]]: memref<1x2x40x4xf32>)
// CHECK:         %[[COUNT:.*]] = memref.dim %[[IDS]]
// CHECK:         %[[ROWSK:.*]] = memref.subview %[[KB]][0, 0, %[[PAST]], 0] [1, 2, %[[COUNT]], 4]
// CHECK:         linalg.generic {{.*}} outs(%[[ROWSK]] :
// CHECK:         %[[ROWSV:.*]] = memref.subview %[[VB]][0, 0, %[[PAST]], 0] [1, 2, %[[COUNT]], 4]
// CHECK:         memref.copy %[[ROWSK]], %[[ROWSV]] : memref<1x2x?x4xf32, {{.*}}> to
// CHECK:         memref.copy %{{.*}} : memref<1x?x16xf32{{.*}} to memref<1x?x16xf32>
func.func @main(%ids: tensor<?x?xi64>, %pk: tensor<?x2x?x4xf32>, %pv: tensor<?x2x?x4xf32>)
    -> (tensor<?x?x16xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) {
  %none = onnx.none
  %table = onnx.constant dense<1.0> : tensor<16x8xf32>
  %head = onnx.constant dense<1.0> : tensor<8x16xf32>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<16x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %y, %nk, %nv = onnx.node "Attention"(%x, %x, %x, %none, %pk, %pv) {is_causal = 1, q_num_heads = 2, kv_num_heads = 2}
      : (tensor<?x?x8xf32>, tensor<?x?x8xf32>, tensor<?x?x8xf32>, none, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> (tensor<?x?x8xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>)
  %l = onnx.node "MatMul"(%y, %head) : (tensor<?x?x8xf32>, tensor<8x16xf32>) -> tensor<?x?x16xf32>
  return %l, %nk, %nv : tensor<?x?x16xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>
}

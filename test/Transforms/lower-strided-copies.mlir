// RUN: tern-opt %s --pass-pipeline="builtin.module(func.func(tern-lower-strided-copies))" | FileCheck %s

// CHECK-LABEL: func.func @contiguous(
// CHECK:         memref.copy
// CHECK-NOT:     linalg.generic
func.func @contiguous(%a: memref<?x4xf32>, %b: memref<?x4xf32>) {
  memref.copy %a, %b : memref<?x4xf32> to memref<?x4xf32>
  return
}

// What has no rank has no loops.
// CHECK-LABEL: func.func @unranked(
// CHECK:         memref.copy
func.func @unranked(%a: memref<*xf32>, %b: memref<*xf32>) {
  memref.copy %a, %b : memref<*xf32> to memref<*xf32>
  return
}

// Either side is enough, and the direction stays.
// CHECK-LABEL: func.func @strided_source(
// CHECK-SAME:    %[[A:.*]]: memref<?x4xf32, strided<[8, 1], offset: ?>>, %[[B:.*]]: memref<?x4xf32>)
// CHECK-NOT:     memref.copy
// CHECK:         linalg.generic
// CHECK-SAME:      iterator_types = ["parallel", "parallel"]
// CHECK-SAME:      ins(%[[A]] : {{.*}}) outs(%[[B]] :
// CHECK-NEXT:    ^bb0(%[[IN:.*]]: f32, %{{.*}}: f32):
// CHECK-NEXT:      linalg.yield %[[IN]]
func.func @strided_source(%a: memref<?x4xf32, strided<[8, 1], offset: ?>>, %b: memref<?x4xf32>) {
  memref.copy %a, %b : memref<?x4xf32, strided<[8, 1], offset: ?>> to memref<?x4xf32>
  return
}

// CHECK-LABEL: func.func @strided_target(
// CHECK-SAME:    %[[A:.*]]: memref<?x4xf32>, %[[B:.*]]: memref<?x4xf32, strided<[8, 1], offset: ?>>)
// CHECK-NOT:     memref.copy
// CHECK:         linalg.generic
// CHECK-SAME:      ins(%[[A]] : {{.*}}) outs(%[[B]] :
func.func @strided_target(%a: memref<?x4xf32>, %b: memref<?x4xf32, strided<[8, 1], offset: ?>>) {
  memref.copy %a, %b : memref<?x4xf32> to memref<?x4xf32, strided<[8, 1], offset: ?>>
  return
}

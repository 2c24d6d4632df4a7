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

// Either side is enough, and the direction stays. Rows that are contiguous in both
// are copied each in one piece.
// CHECK-LABEL: func.func @strided_source(
// CHECK-SAME:    %[[A:.*]]: memref<2x?x4xf32, strided<[?, 8, 1], offset: ?>>, %[[B:.*]]: memref<2x?x4xf32>)
// CHECK:         %[[N:.*]] = memref.dim %[[A]], %c1
// CHECK:         scf.parallel (%[[I:.*]], %[[J:.*]]) = (%c0{{.*}}, %c0{{.*}}) to (%c2, %[[N]]) step (%c1{{.*}}, %c1{{.*}}) {
// CHECK-NEXT:      %[[FROM:.*]] = memref.subview %[[A]][%[[I]], %[[J]], 0] [1, 1, 4] [1, 1, 1] : memref<2x?x4xf32, strided<[?, 8, 1], offset: ?>> to memref<4xf32, strided<[1], offset: ?>>
// CHECK-NEXT:      %[[TO:.*]] = memref.subview %[[B]][%[[I]], %[[J]], 0] [1, 1, 4] [1, 1, 1] : memref<2x?x4xf32> to memref<4xf32, strided<[1], offset: ?>>
// CHECK-NEXT:      memref.copy %[[FROM]], %[[TO]]
// CHECK-NEXT:      scf.reduce
// CHECK-NEXT:    }
// CHECK-NEXT:    return
func.func @strided_source(%a: memref<2x?x4xf32, strided<[?, 8, 1], offset: ?>>, %b: memref<2x?x4xf32>) {
  memref.copy %a, %b : memref<2x?x4xf32, strided<[?, 8, 1], offset: ?>> to memref<2x?x4xf32>
  return
}

// CHECK-LABEL: func.func @strided_target(
// CHECK-SAME:    %[[A:.*]]: memref<?x4xf32>, %[[B:.*]]: memref<?x4xf32, strided<[8, 1], offset: ?>>)
// CHECK:         scf.parallel
// CHECK-NEXT:      %[[FROM:.*]] = memref.subview %[[A]]
// CHECK-NEXT:      %[[TO:.*]] = memref.subview %[[B]]
// CHECK-NEXT:      memref.copy %[[FROM]], %[[TO]]
func.func @strided_target(%a: memref<?x4xf32>, %b: memref<?x4xf32, strided<[8, 1], offset: ?>>) {
  memref.copy %a, %b : memref<?x4xf32> to memref<?x4xf32, strided<[8, 1], offset: ?>>
  return
}

// 64 KiB are a row; one element more is cut up.
// CHECK-LABEL: func.func @large_rows(
// CHECK:         scf.parallel
// CHECK-NEXT:      memref.subview
// CHECK-NOT:     scf.parallel
// CHECK:         linalg.generic
// CHECK:         return
func.func @large_rows(%a: memref<?x16384xf32>, %b: memref<?x16384xf32, strided<[20000, 1]>>, %c: memref<?x16385xf32>, %d: memref<?x16385xf32, strided<[20000, 1]>>) {
  memref.copy %a, %b : memref<?x16384xf32> to memref<?x16384xf32, strided<[20000, 1]>>
  memref.copy %c, %d : memref<?x16385xf32> to memref<?x16385xf32, strided<[20000, 1]>>
  return
}

// No elements, no rows.
// CHECK-LABEL: func.func @no_elements(
// CHECK-NOT:     scf.parallel
// CHECK:         linalg.generic
func.func @no_elements(%a: memref<?x0xf32>, %b: memref<?x0xf32, strided<[8, 1]>>) {
  memref.copy %a, %b : memref<?x0xf32> to memref<?x0xf32, strided<[8, 1]>>
  return
}

// Rows of a size that only a run knows, and elements that are apart on one side, or
// without rows, go one by one.
// CHECK-LABEL: func.func @dynamic_rows(
// CHECK-SAME:    %[[A:.*]]: memref<5x?xf32>, %[[B:.*]]: memref<5x?xf32, strided<[8, 1], offset: ?>>)
// CHECK-NOT:     memref.copy
// CHECK-NOT:     scf.parallel
// CHECK:         linalg.generic
// CHECK-SAME:      iterator_types = ["parallel", "parallel"]
// CHECK-SAME:      ins(%[[A]] : {{.*}}) outs(%[[B]] :
// CHECK-NEXT:    ^bb0(%[[IN:.*]]: f32, %{{.*}}: f32):
// CHECK-NEXT:      linalg.yield %[[IN]]
func.func @dynamic_rows(%a: memref<5x?xf32>, %b: memref<5x?xf32, strided<[8, 1], offset: ?>>) {
  memref.copy %a, %b : memref<5x?xf32> to memref<5x?xf32, strided<[8, 1], offset: ?>>
  return
}

// CHECK-LABEL: func.func @columns(
// CHECK-NOT:     memref.copy
// CHECK-NOT:     scf.parallel
// CHECK-COUNT-3: linalg.generic
// CHECK-NOT:     linalg.generic
// CHECK:         return
func.func @columns(%a: memref<?x4xf32>, %b: memref<?x4xf32, strided<[1, ?]>>, %c: memref<4xf32>, %d: memref<4xf32, strided<[2]>>) {
  memref.copy %a, %b : memref<?x4xf32> to memref<?x4xf32, strided<[1, ?]>>
  memref.copy %b, %a : memref<?x4xf32, strided<[1, ?]>> to memref<?x4xf32>
  memref.copy %c, %d : memref<4xf32> to memref<4xf32, strided<[2]>>
  return
}

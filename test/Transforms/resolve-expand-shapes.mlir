// RUN: tern-opt %s --pass-pipeline="builtin.module(func.func(tern-resolve-expand-shapes))" | FileCheck %s

// One dynamic size a group is upstream's affair.
// CHECK-LABEL: func.func @one_dynamic(
// CHECK:         memref.expand_shape
func.func @one_dynamic(%x: memref<?x6xf32>, %n: index) -> memref<?x4x2x3xf32> {
  %0 = memref.expand_shape %x [[0, 1], [2, 3]] output_shape [%n, 4, 2, 3] : memref<?x6xf32> into memref<?x4x2x3xf32>
  return %0 : memref<?x4x2x3xf32>
}

// The strides of a group are products of the sizes after, times the source's.
// CHECK-LABEL: func.func @several_dynamic(
// CHECK-SAME:    %[[X:.*]]: memref<?x3xf32>, %[[N:.*]]: index, %[[M:.*]]: index)
// CHECK:         %[[BASE:.*]], %[[O:.*]], %{{.*}}:2, %{{.*}}:2 = memref.extract_strided_metadata %[[X]]
// CHECK:         %[[STRIDE:.*]] = arith.muli %{{.*}}#0, %[[M]]
// CHECK:         %[[Y:.*]] = memref.reinterpret_cast %[[BASE]] to offset: [0], sizes: [%[[N]], %[[M]], 3], strides: [%[[STRIDE]], 3, 1]
// CHECK-NOT:     memref.expand_shape
// CHECK:         return %[[Y]]
func.func @several_dynamic(%x: memref<?x3xf32>, %n: index, %m: index) -> memref<?x?x3xf32> {
  %0 = memref.expand_shape %x [[0, 1], [2]] output_shape [%n, %m, 3] : memref<?x3xf32> into memref<?x?x3xf32>
  return %0 : memref<?x?x3xf32>
}

// The source's offset and dynamic strides are carried over.
// CHECK-LABEL: func.func @strided(
// CHECK-SAME:    %[[X:.*]]: memref<?x4xf32, strided<[?, 2], offset: ?>>, %[[N:.*]]: index, %[[M:.*]]: index)
// CHECK:         %[[BASE:.*]], %[[O:.*]], %{{.*}}:2, %[[S:.*]]:2 = memref.extract_strided_metadata %[[X]]
// CHECK:         %[[OUTER:.*]] = arith.muli %[[S]]#0, %[[M]]
// CHECK:         memref.reinterpret_cast %[[BASE]] to offset: [%[[O]]], sizes: [%[[N]], %[[M]], 4], strides: [%[[OUTER]], %[[S]]#0, 2]
func.func @strided(%x: memref<?x4xf32, strided<[?, 2], offset: ?>>, %n: index, %m: index)
    -> memref<?x?x4xf32, strided<[?, ?, 2], offset: ?>> {
  %0 = memref.expand_shape %x [[0, 1], [2]] output_shape [%n, %m, 4]
      : memref<?x4xf32, strided<[?, 2], offset: ?>> into memref<?x?x4xf32, strided<[?, ?, 2], offset: ?>>
  return %0 : memref<?x?x4xf32, strided<[?, ?, 2], offset: ?>>
}

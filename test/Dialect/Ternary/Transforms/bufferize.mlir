// RUN: tern-opt %s --one-shot-bufferize="bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map" | FileCheck %s

// The init is overwritten: its old contents need no copy.
// CHECK-LABEL: func.func @in_place(
// CHECK-SAME:  %[[X:.*]]: memref<?x64xi8>, %[[B:.*]]: memref<1536xi8>, %[[Y:.*]]: memref<?x96xi32>)
// CHECK-NOT:   memref.alloc
// CHECK-NOT:   memref.copy
// CHECK:       ternary.packed_matmul !ternary.matrix<90x60, #ternary.layout<i2, tile = 16>> ins(%[[X]], %[[B]] : memref<?x64xi8>, memref<1536xi8>) outs(%[[Y]] : memref<?x96xi32>)
// CHECK-NEXT:  return %[[Y]]
func.func @in_place(%x: tensor<?x64xi8>, %b: tensor<1536xi8>, %init: tensor<?x96xi32> {bufferization.writable = true}) -> tensor<?x96xi32> {
  %y = ternary.packed_matmul !ternary.matrix<90x60, #ternary.layout<i2, tile = 16>>
      ins(%x, %b : tensor<?x64xi8>, tensor<1536xi8>) outs(%init : tensor<?x96xi32>) -> tensor<?x96xi32>
  return %y : tensor<?x96xi32>
}

// The init is read later: the product goes to a new buffer, and because it does
// not read the init, nothing is copied there.
// CHECK-LABEL: func.func @init_is_used(
// CHECK:       %[[NEW:.*]] = memref.alloc
// CHECK-NOT:   memref.copy
// CHECK:       ternary.packed_matmul {{.*}} outs(%[[NEW]] :
func.func @init_is_used(%x: tensor<?x64xi8>, %b: tensor<1536xi8>, %init: tensor<?x96xi32>) -> (tensor<?x96xi32>, tensor<?x96xi32>) {
  %y = ternary.packed_matmul !ternary.matrix<90x60, #ternary.layout<i2, tile = 16>>
      ins(%x, %b : tensor<?x64xi8>, tensor<1536xi8>) outs(%init : tensor<?x96xi32>) -> tensor<?x96xi32>
  return %y, %init : tensor<?x96xi32>, tensor<?x96xi32>
}

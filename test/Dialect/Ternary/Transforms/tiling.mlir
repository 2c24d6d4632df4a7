// RUN: tern-opt %s --transform-interpreter --split-input-file --verify-diagnostics | FileCheck %s

// Tokens may be cut anywhere, rows at tiles; a part of the matrix is a matrix
// of its own, whose bytes are contiguous: 32 rows of 64 columns take 512.
// CHECK-DAG:   #[[BYTES:.*]] = affine_map<(d0) -> (d0 * 16)>
// CHECK-LABEL: func.func @tile(
// CHECK-SAME:  %[[X:.*]]: tensor<?x64xi8>, %[[B:.*]]: tensor<1536xi8>, %[[INIT:.*]]: tensor<?x96xi32>)
// CHECK:       scf.for %[[M:[a-z0-9]+]] =
// CHECK:         scf.for %[[N:[a-z0-9]+]] = %{{.*}} to %{{.*}} step %c32{{.*}} iter_args(%[[Y:.*]] = %{{.*}})
// CHECK:           %[[TOKENS:.*]] = affine.min
// CHECK:           %[[OFFSET:.*]] = affine.apply #[[BYTES]](%[[N]])
// CHECK:           %[[XS:.*]] = tensor.extract_slice %[[X]][%[[M]], 0] [%[[TOKENS]], 64] [1, 1]
// CHECK:           %[[BS:.*]] = tensor.extract_slice %[[B]][%[[OFFSET]]] [512] [1]
// CHECK:           %[[YS:.*]] = tensor.extract_slice %[[Y]][%[[M]], %[[N]]] [%[[TOKENS]], 32] [1, 1]
// CHECK:           ternary.packed_matmul !ternary.matrix<32x60, #ternary.layout<i2, tile = 16>> ins(%[[XS]], %[[BS]] : {{.*}}) outs(%[[YS]] :
// CHECK:           tensor.insert_slice
func.func @tile(%x: tensor<?x64xi8>, %b: tensor<1536xi8>, %init: tensor<?x96xi32>) -> tensor<?x96xi32> {
  %y = ternary.packed_matmul !ternary.matrix<90x60, #ternary.layout<i2, tile = 16>>
      ins(%x, %b : tensor<?x64xi8>, tensor<1536xi8>) outs(%init : tensor<?x96xi32>) -> tensor<?x96xi32>
  return %y : tensor<?x96xi32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["ternary.packed_matmul"]} in %root : (!transform.any_op) -> !transform.any_op
    %tiled, %loops:2 = transform.structured.tile_using_for %op tile_sizes [8, 32] : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

func.func @part_of_a_tile(%x: tensor<?x64xi8>, %b: tensor<1536xi8>, %init: tensor<?x96xi32>) -> tensor<?x96xi32> {
  // expected-error @+3 {{cannot be tiled by 24 rows; expected a multiple of 16, the rows of a tile, that divides 96}}
  // expected-error @+2 {{op faild to tile operation}}
  // expected-error @+1 {{op failed to generate tiling loops}}
  %y = ternary.packed_matmul !ternary.matrix<90x60, #ternary.layout<i2, tile = 16>>
      ins(%x, %b : tensor<?x64xi8>, tensor<1536xi8>) outs(%init : tensor<?x96xi32>) -> tensor<?x96xi32>
  return %y : tensor<?x96xi32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["ternary.packed_matmul"]} in %root : (!transform.any_op) -> !transform.any_op
    %tiled, %loops:2 = transform.structured.tile_using_for %op tile_sizes [8, 24] : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }
}

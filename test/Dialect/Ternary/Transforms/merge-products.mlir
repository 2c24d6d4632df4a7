// RUN: tern-opt %s --ternary-merge-products --split-input-file | FileCheck %s
// RUN: tern-opt %s --ternary-merge-products --split-input-file --mlir-print-debuginfo | FileCheck %s --check-prefix=NAMES
// RUN: tern-opt %s --ternary-merge-products --ternary-pack-weights --canonicalize --split-input-file | FileCheck %s --check-prefix=PACKED

// In the order of the block; a result is used as often as it was, and has the
// type it had.
// CHECK-LABEL: func.func @siblings(
// CHECK-SAME:  %[[X:.*]]: tensor<?x4xi8>)
// CHECK-DAG:   %[[V:.*]] = ternary.constant dense<[70, 160]> : tensor<2xui8> as !ternary.matrix<2x4>
// CHECK-DAG:   %[[W:.*]] = ternary.constant dense<100> : tensor<1xui8> as !ternary.matrix<1x4>
// CHECK:       %[[S:.*]] = ternary.stack %[[V]], %[[W]] : !ternary.matrix<2x4>, !ternary.matrix<1x4> to !ternary.matrix<3x4>
// CHECK:       %[[Y:.*]] = ternary.matmul %[[X]], %[[S]] : (tensor<?x4xi8>, !ternary.matrix<3x4>) -> tensor<?x3xi32>
// CHECK:       %[[M:.*]] = tensor.dim %[[Y]], %c0
// CHECK:       %[[A:.*]] = tensor.extract_slice %[[Y]][0, 0] [%[[M]], 2] [1, 1] : tensor<?x3xi32> to tensor<?x2xi32>
// CHECK:       %[[B:.*]] = tensor.extract_slice %[[Y]][0, 2] [%[[M]], 1] [1, 1] : tensor<?x3xi32> to tensor<?x1xi32>
// CHECK:       %[[C:.*]] = tensor.cast %[[B]] : tensor<?x1xi32> to tensor<2x1xi32>
// CHECK-NOT:   ternary.
// CHECK:       return %[[A]], %[[C]], %[[A]]
// NAMES-LABEL: func.func @siblings(
// NAMES:       ternary.matmul {{.*}} loc(#[[MERGED:.*]])
// NAMES:       #[[K:.*]] = loc("k")
// NAMES:       #[[V:.*]] = loc("v")
// NAMES:       #[[MERGED]] = loc(fused<"ternary.merged_products">[#[[K]], #[[V]]])
func.func @siblings(%x: tensor<?x4xi8>) -> (tensor<?x2xi32>, tensor<2x1xi32>, tensor<?x2xi32>) {
  %v = ternary.constant dense<[70, 160]> : tensor<2xui8> as !ternary.matrix<2x4>
  %0 = ternary.matmul %x, %v : (tensor<?x4xi8>, !ternary.matrix<2x4>) -> tensor<?x2xi32> loc("k")
  %w = ternary.constant dense<100> : tensor<1xui8> as !ternary.matrix<1x4>
  %1 = ternary.matmul %x, %w : (tensor<?x4xi8>, !ternary.matrix<1x4>) -> tensor<2x1xi32> loc("v")
  return %0, %1, %0 : tensor<?x2xi32>, tensor<2x1xi32>, tensor<?x2xi32>
}

// Packed, rows follow each other within a tile: nothing is padded in between.
// The codes are 2 1 0 1, 0 0 2 2 and 0 1 2 1, in the lowest bits of four bytes a row;
// the padding makes 84 of the others, and 85 of whole bytes.
// PACKED-LABEL: func.func @siblings(
// PACKED:       %[[B:.*]] = arith.constant dense<[86, 85, 84, 85, 84, 84, 86, 86, 84, 85, 86, 85, 85, {{[85, ]+}}]> : tensor<64xi8>
// PACKED:       %[[Y:.*]] = ternary.packed_matmul !ternary.matrix<3x4, #ternary.layout<i2, tile = 16>> ins(%{{.*}}, %[[B]] :
// PACKED:       %[[R:.*]] = tensor.extract_slice %[[Y]][0, 0] [%{{.*}}, 3] [1, 1] : tensor<?x16xi32> to tensor<?x3xi32>
// PACKED-NEXT:  tensor.extract_slice %[[R]][0, 0] [%{{.*}}, 2] [1, 1]
// PACKED-NEXT:  tensor.extract_slice %[[R]][0, 2] [2, 1] [1, 1]

// -----

// Floats have sums of floats.
// CHECK-LABEL: func.func @floats(
// CHECK-SAME:  %[[X:.*]]: tensor<?x4xf32>)
// CHECK:       %[[S:.*]] = ternary.stack %{{.*}}, %{{.*}} : !ternary.matrix<2x4>, !ternary.matrix<1x4> to !ternary.matrix<3x4>
// CHECK:       %[[Y:.*]] = ternary.matmul %[[X]], %[[S]] : (tensor<?x4xf32>, !ternary.matrix<3x4>) -> tensor<?x3xf32>
// CHECK:       %[[M:.*]] = tensor.dim %[[Y]], %c0
// CHECK:       %[[A:.*]] = tensor.extract_slice %[[Y]][0, 0] [%[[M]], 2] [1, 1] : tensor<?x3xf32> to tensor<?x2xf32>
// CHECK:       %[[B:.*]] = tensor.extract_slice %[[Y]][0, 2] [%[[M]], 1] [1, 1] : tensor<?x3xf32> to tensor<?x1xf32>
// CHECK-NOT:   ternary.
// CHECK:       return %[[A]], %[[B]]
// PACKED-LABEL: func.func @floats(
// PACKED:       %[[Y:.*]] = ternary.packed_matmul !ternary.matrix<3x4, #ternary.layout<i2, tile = 16>> {{.*}} outs(%{{.*}} : tensor<?x16xf32>)
// PACKED-NOT:   ternary.
// PACKED:       return
func.func @floats(%x: tensor<?x4xf32>) -> (tensor<?x2xf32>, tensor<?x1xf32>) {
  %v = ternary.constant dense<[70, 160]> : tensor<2xui8> as !ternary.matrix<2x4>
  %w = ternary.constant dense<100> : tensor<1xui8> as !ternary.matrix<1x4>
  %0 = ternary.matmul %x, %v : (tensor<?x4xf32>, !ternary.matrix<2x4>) -> tensor<?x2xf32>
  %1 = ternary.matmul %x, %w : (tensor<?x4xf32>, !ternary.matrix<1x4>) -> tensor<?x1xf32>
  return %0, %1 : tensor<?x2xf32>, tensor<?x1xf32>
}

// -----

// Other activations (which may have other columns, or be floats), groups, weights that
// are not known or tiled, another block; one product is left of each.
// CHECK-LABEL: func.func @strangers(
// CHECK-NOT:   ternary.stack
// CHECK-COUNT-10: ternary.matmul
// CHECK-NOT:   ternary.stack
func.func @strangers(%c: i1, %x: tensor<1x4xi8>, %z: tensor<1x4xi8>, %l: tensor<1x8xi8>, %f: tensor<1x4xf32>, %u: !ternary.matrix<2x4>)
    -> (tensor<1x2xi32>, tensor<1x2xi32>, tensor<1x1xi32>, tensor<1x2xf32>, tensor<1x2x2xi32>, tensor<1x2xi32>, tensor<1x2xi32>, tensor<1x2xi32>, tensor<1x2xi32>, tensor<1x2x2xf32>) {
  %w = ternary.constant dense<[70, 160]> : tensor<2xui8> as !ternary.matrix<2x4>
  %k = ternary.constant dense<[70, 160]> : tensor<2xui8> as !ternary.matrix<1x8>
  %t = ternary.constant dense<[86, 85, 84, 85, 84, 84, 86, 86]> : tensor<8xui8> as !ternary.matrix<2x4, #ternary.layout<i2, tile = 2>>
  %v = ternary.constant dense<[1, 1]> : tensor<2xui8> as !ternary.matrix<2x4, #ternary.layout<t5>>
  %0 = ternary.matmul %x, %w : (tensor<1x4xi8>, !ternary.matrix<2x4>) -> tensor<1x2xi32>
  %1 = ternary.matmul %z, %w : (tensor<1x4xi8>, !ternary.matrix<2x4>) -> tensor<1x2xi32>
  %2 = ternary.matmul %l, %k : (tensor<1x8xi8>, !ternary.matrix<1x8>) -> tensor<1x1xi32>
  %3 = ternary.matmul %f, %w : (tensor<1x4xf32>, !ternary.matrix<2x4>) -> tensor<1x2xf32>
  %4 = ternary.matmul %x, %w : (tensor<1x4xi8>, !ternary.matrix<2x4>) -> tensor<1x2x2xi32>
  %5 = ternary.matmul %x, %u : (tensor<1x4xi8>, !ternary.matrix<2x4>) -> tensor<1x2xi32>
  %6 = ternary.matmul %x, %t : (tensor<1x4xi8>, !ternary.matrix<2x4, #ternary.layout<i2, tile = 2>>) -> tensor<1x2xi32>
  %7 = scf.if %c -> tensor<1x2xi32> {
    %8 = ternary.matmul %x, %w : (tensor<1x4xi8>, !ternary.matrix<2x4>) -> tensor<1x2xi32>
    scf.yield %8 : tensor<1x2xi32>
  } else {
    scf.yield %5 : tensor<1x2xi32>
  }
  %9 = ternary.matmul %x, %v : (tensor<1x4xi8>, !ternary.matrix<2x4, #ternary.layout<t5>>) -> tensor<1x2xi32>
  %10 = ternary.matmul %f, %w : (tensor<1x4xf32>, !ternary.matrix<2x4>) -> tensor<1x2x2xf32>
  return %0, %1, %2, %3, %4, %5, %6, %7, %9, %10 : tensor<1x2xi32>, tensor<1x2xi32>, tensor<1x1xi32>, tensor<1x2xf32>, tensor<1x2x2xi32>, tensor<1x2xi32>, tensor<1x2xi32>, tensor<1x2xi32>, tensor<1x2xi32>, tensor<1x2x2xf32>
}

// -----

// Functions that have the products in another order share the packed bytes.
// CHECK-LABEL: func.func @main(
// CHECK:         ternary.matmul %{{.*}} : (tensor<1x4xi8>, !ternary.matrix<3x4>) -> tensor<1x3xi32>
// CHECK:         tensor.extract_slice %{{.*}}[0, 0] [1, 2] [1, 1]
// CHECK:         tensor.extract_slice %{{.*}}[0, 2] [1, 1] [1, 1]
// CHECK-LABEL: func.func @step(
// CHECK:         ternary.matmul %{{.*}} : (tensor<1x4xi8>, !ternary.matrix<3x4>) -> tensor<1x3xi32>
// CHECK:         %[[A:.*]] = tensor.extract_slice %{{.*}}[0, 0] [1, 2] [1, 1]
// CHECK:         %[[B:.*]] = tensor.extract_slice %{{.*}}[0, 2] [1, 1] [1, 1]
// CHECK:         return %[[B]], %[[A]]
func.func @main(%x: tensor<1x4xi8>) -> (tensor<1x2xi32>, tensor<1x1xi32>) {
  %v = ternary.constant dense<[70, 160]> : tensor<2xui8> as !ternary.matrix<2x4>
  %w = ternary.constant dense<100> : tensor<1xui8> as !ternary.matrix<1x4>
  %0 = ternary.matmul %x, %v : (tensor<1x4xi8>, !ternary.matrix<2x4>) -> tensor<1x2xi32>
  %1 = ternary.matmul %x, %w : (tensor<1x4xi8>, !ternary.matrix<1x4>) -> tensor<1x1xi32>
  return %0, %1 : tensor<1x2xi32>, tensor<1x1xi32>
}
func.func @step(%x: tensor<1x4xi8>) -> (tensor<1x1xi32>, tensor<1x2xi32>) {
  %v = ternary.constant dense<[70, 160]> : tensor<2xui8> as !ternary.matrix<2x4>
  %w = ternary.constant dense<100> : tensor<1xui8> as !ternary.matrix<1x4>
  %1 = ternary.matmul %x, %w : (tensor<1x4xi8>, !ternary.matrix<1x4>) -> tensor<1x1xi32>
  %0 = ternary.matmul %x, %v : (tensor<1x4xi8>, !ternary.matrix<2x4>) -> tensor<1x2xi32>
  return %1, %0 : tensor<1x1xi32>, tensor<1x2xi32>
}

// -----

// Weights that stand alone elsewhere would be stored twice if they were merged.
// CHECK-LABEL: func.func @main(
// CHECK-NOT:     ternary.stack
// CHECK-COUNT-2: ternary.matmul
// CHECK-LABEL: func.func @step(
// CHECK:         ternary.matmul
func.func @main(%x: tensor<1x4xi8>) -> (tensor<1x2xi32>, tensor<1x1xi32>) {
  %v = ternary.constant dense_resource<v> : tensor<2xui8> as !ternary.matrix<2x4>
  %w = ternary.constant dense<100> : tensor<1xui8> as !ternary.matrix<1x4>
  %0 = ternary.matmul %x, %v : (tensor<1x4xi8>, !ternary.matrix<2x4>) -> tensor<1x2xi32>
  %1 = ternary.matmul %x, %w : (tensor<1x4xi8>, !ternary.matrix<1x4>) -> tensor<1x1xi32>
  return %0, %1 : tensor<1x2xi32>, tensor<1x1xi32>
}
func.func @step(%x: tensor<1x4xi8>) -> tensor<1x2xi32> {
  %v = ternary.constant dense_resource<v> : tensor<2xui8> as !ternary.matrix<2x4>
  %0 = ternary.matmul %x, %v : (tensor<1x4xi8>, !ternary.matrix<2x4>) -> tensor<1x2xi32>
  return %0 : tensor<1x2xi32>
}

{-#
  dialect_resources: {
    builtin: { v: "0x0100000046A0" }
  }
#-}

// -----

// A few bytes may be there twice: two layers, say, whose weights are all 0.
// CHECK-LABEL: func.func @layer0(
// CHECK:         ternary.matmul %{{.*}} : (tensor<1x4xi8>, !ternary.matrix<3x4>)
// CHECK-LABEL: func.func @layer1(
// CHECK:         ternary.matmul %{{.*}} : (tensor<1x4xi8>, !ternary.matrix<3x4>)
func.func @layer0(%x: tensor<1x4xi8>) -> (tensor<1x2xi32>, tensor<1x1xi32>) {
  %v = ternary.constant dense<85> : tensor<2xui8> as !ternary.matrix<2x4>
  %w = ternary.constant dense<100> : tensor<1xui8> as !ternary.matrix<1x4>
  %0 = ternary.matmul %x, %v : (tensor<1x4xi8>, !ternary.matrix<2x4>) -> tensor<1x2xi32>
  %1 = ternary.matmul %x, %w : (tensor<1x4xi8>, !ternary.matrix<1x4>) -> tensor<1x1xi32>
  return %0, %1 : tensor<1x2xi32>, tensor<1x1xi32>
}
func.func @layer1(%x: tensor<1x4xi8>) -> (tensor<1x2xi32>, tensor<1x1xi32>) {
  %v = ternary.constant dense<85> : tensor<2xui8> as !ternary.matrix<2x4>
  %w = ternary.constant dense<101> : tensor<1xui8> as !ternary.matrix<1x4>
  %0 = ternary.matmul %x, %v : (tensor<1x4xi8>, !ternary.matrix<2x4>) -> tensor<1x2xi32>
  %1 = ternary.matmul %x, %w : (tensor<1x4xi8>, !ternary.matrix<1x4>) -> tensor<1x1xi32>
  return %0, %1 : tensor<1x2xi32>, tensor<1x1xi32>
}

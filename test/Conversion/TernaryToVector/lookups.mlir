// RUN: tern-opt %s --convert-ternary-to-vector=target=avx512vbmi --canonicalize --cse | FileCheck %s

// One token by bytes of five codes: two lookups, by indices as they are and by
// what bytes are above 192, and no shift. Both come first: after the first plane
// the bytes are not needed any more, and need no copy. Codes stay at their bits, and
// those that are at the same share an accumulator: the first plane and the last,
// which needs no correction.
// CHECK-LABEL: func.func private @ternary_packed_matmul_t5_16x40_avx512vbmi(
// CHECK:       %[[SUMS:.*]]:4 = scf.for {{.*}} iter_args(%[[A:.*]] = %{{.*}}, %[[B:.*]] = %{{.*}}, %[[C:.*]] = %{{.*}}, %[[D:.*]] = %{{.*}}) -> (vector<16xi32>,
// CHECK-NOT:     arith.shrui
// CHECK:         %[[BYTES:.*]] = vector.load {{.*}} vector<64xi8>
// CHECK-NOT:     arith.shrui
// CHECK:         %[[ABOVE:.*]] = llvm.intr.usub.sat(%[[BYTES]], %{{.*}})
// CHECK:         %[[OTHER:.*]] = llvm.call_intrinsic "llvm.x86.avx512.permvar.qi.512"(%{{.*}}, %[[ABOVE]])
// CHECK:         %[[COMMON:.*]] = llvm.call_intrinsic "llvm.x86.avx512.permvar.qi.512"(%{{.*}}, %[[BYTES]])
// CHECK-NOT:     permvar
// CHECK:         %[[FIRST:.*]] = arith.xori %[[BYTES]], %[[OTHER]]
// CHECK:         %[[CODES:.*]] = arith.andi %[[FIRST]], %{{.*}}
// CHECK:         llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%[[A]], %[[CODES]],
// CHECK:         %[[MIDDLE:.*]] = arith.xori %[[COMMON]], %[[OTHER]]
// CHECK-COUNT-3: arith.andi %[[MIDDLE]],
// CHECK:         arith.andi %[[COMMON]],
// CHECK-NOT:     arith.andi
// CHECK-NOT:     arith.shrui
// CHECK:         scf.yield
// CHECK-COUNT-3: arith.shrsi %[[SUMS]]#
func.func @product(%x: memref<1x40xi8>, %b: memref<128xi8>, %y: memref<1x16xi32>) {
  ternary.packed_matmul !ternary.matrix<16x40, #ternary.layout<t5, tile = 16>> ins(%x, %b : memref<1x40xi8>, memref<128xi8>) outs(%y : memref<1x16xi32>)
  return
}

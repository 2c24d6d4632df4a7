// RUN: tern-opt %s --convert-ternary-to-vector=target=avx512vnni --canonicalize --cse | FileCheck %s

#i2 = #ternary.layout<i2, tile = 16>

// 96 steps of columns, 32 of which are decoded at a time; pieces of three tiles, of
// 6144 bytes each, by up to 128 tokens, 8 at a time.
func.func @product(%x: memref<?x1536xi8>, %b: memref<36864xi8>, %y: memref<?x96xi32>) {
  ternary.packed_matmul !ternary.matrix<96x1536, #i2> ins(%x, %b : memref<?x1536xi8>, memref<36864xi8>) outs(%y : memref<?x96xi32>)
  return
}

// CHECK-LABEL: func.func private @ternary_packed_matmul_i2_96x1536_avx512vnni(
// CHECK-SAME:    %{{.*}}, %[[BYTES:.*]]: memref<36864xi8>, %[[OUT:.*]]: memref<?x96xi32>)
// CHECK:       } else {
// CHECK:         scf.parallel
// CHECK:           %[[FIRST_TOKEN:.*]] = arith.muli %{{.*}}, %c128
// CHECK:           scf.for %[[STRIP:.*]] = %{{.*}} to %{{.*}} step %c3 {
// CHECK:             scf.for %[[STEP:.*]] = %c0 to %c96 step %c32
// CHECK:               %[[LEFT:.*]] = arith.subi %c96, %[[STEP]]
// CHECK:               %[[ARE_LAST:.*]] = arith.cmpi ule, %[[LEFT]], %c32
// CHECK:               %[[TILE:.*]] = arith.muli %[[STRIP]], %c6144

// Eight tokens fetch two of the steps, of 64 bytes, that are decoded two turns
// later; what would be behind the tile is so in the next piece, two tiles further.
// CHECK:               scf.for %[[TOKEN:.*]] = %c0 to %{{.*}} step %c8
// CHECK:                 %[[THEN:.*]] = arith.addi %[[STEP]], %c64
// CHECK:                 %[[IS_HERE:.*]] = arith.cmpi ult, %[[THEN]], %c96
// CHECK:                 %[[FURTHER:.*]] = arith.select %[[IS_HERE]], %c0, %c12288
// CHECK:                 %[[BLOCK:.*]] = arith.divui %[[TOKEN]], %c8
// CHECK:                 %[[SHARE:.*]] = arith.muli %[[BLOCK]], %c2
// CHECK:                 %[[FETCHED:.*]] = arith.addi %[[THEN]], %[[SHARE]]
// CHECK:                 %[[INSIDE:.*]] = arith.muli %[[FETCHED]], %c64
// CHECK:                 %[[OFFSET:.*]] = arith.addi %[[FURTHER]], %[[INSIDE]]
// CHECK:                 %[[LINE:.*]] = arith.addi %[[TILE]], %[[OFFSET]]
// CHECK:                 memref.prefetch %[[BYTES]][%[[LINE]]], read
// CHECK:                 %[[LINE1:.*]] = arith.addi %[[LINE]], %c64
// CHECK:                 memref.prefetch %[[BYTES]][%[[LINE1]]], read
// CHECK-COUNT-4:         memref.prefetch %[[BYTES]]

// Where the sums go is fetched before the last products, and so are no others.
// CHECK-NOT:             memref.prefetch
// CHECK:                 scf.if %[[ARE_LAST]] {
// CHECK:                   %[[COLUMN:.*]] = arith.muli %[[STRIP]], %c16
// CHECK:                   memref.prefetch %[[OUT]][%{{.*}}, %[[COLUMN]]], write
// CHECK-COUNT-23:          memref.prefetch %[[OUT]][%{{.*}}, %{{.*}}], write
// CHECK-NOT:               memref.prefetch
// CHECK:                 }
// CHECK:                 %{{.*}}:24 = scf.for
// CHECK:                 scf.if %[[ARE_LAST]] {
// CHECK-COUNT-24:          vector.store %{{.*}}, %[[OUT]]
// CHECK-NOT:               vector.store
// CHECK:                 } else {
// CHECK-COUNT-24:          vector.store %{{.*}} : memref<6144xi32>

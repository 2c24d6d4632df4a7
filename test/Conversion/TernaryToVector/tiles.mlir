// RUN: tern-opt %s --convert-ternary-to-vector=target=amx --canonicalize --cse | FileCheck %s
// RUN: tern-opt %s --convert-ternary-to-vector=target=avx512vnni | FileCheck %s --check-prefix=VECTORS --implicit-check-not=llvm.x86.t

// VECTORS-COUNT-4: func.func private @ternary_packed_matmul_

#i2 = #ternary.layout<i2, tile = 16>
#t5 = #ternary.layout<t5, tile = 16>

func.func @products(%x: memref<?x128xi8>, %b: memref<1024xi8>, %y: memref<?x32xi32>,
                    %x5: memref<?x80xi8>, %b5: memref<768xi8>, %y5: memref<?x48xi32>,
                    %xl: memref<?x800xi8>, %bl: memref<2560xi8>, %yl: memref<?x16xi32>,
                    %xs: memref<?x48xi8>, %bs: memref<192xi8>, %ys: memref<?x16xi32>) {
  ternary.packed_matmul !ternary.matrix<32x128, #i2> ins(%x, %b : memref<?x128xi8>, memref<1024xi8>) outs(%y : memref<?x32xi32>)
  ternary.packed_matmul !ternary.matrix<40x70, #t5> ins(%x5, %b5 : memref<?x80xi8>, memref<768xi8>) outs(%y5 : memref<?x48xi32>)
  ternary.packed_matmul !ternary.matrix<16x800, #t5> ins(%xl, %bl : memref<?x800xi8>, memref<2560xi8>) outs(%yl : memref<?x16xi32>)
  ternary.packed_matmul !ternary.matrix<16x48, #i2> ins(%xs, %bs : memref<?x48xi8>, memref<192xi8>) outs(%ys : memref<?x16xi32>)
  return
}

// Tiles from 16 tokens on; one token, and the few between, take vectors.
// CHECK-LABEL: func.func private @ternary_packed_matmul_i2_32x128_amx(
// CHECK-SAME:    %[[X:.*]]: memref<?x128xi8>, %[[BYTES:.*]]: memref<1024xi8>, %[[Y:.*]]: memref<?x32xi32>)
// CHECK:       %[[M:.*]] = memref.dim %[[X]]
// CHECK:       vpdpbusd.512
// CHECK:       } else {
// CHECK:         %[[ENOUGH:.*]] = arith.cmpi uge, %[[M]], %c16
// CHECK:         scf.if %[[ENOUGH]]

// A group of strips is one iteration for the threads. Its trits get a buffer of their
// own: two strips of two tiles.
// CHECK:           %[[TRITS:.*]] = memref.alloc() {alignment = 64 : i64} : memref<4096xi8>
// CHECK:           %[[LAST:.*]] = arith.subi %[[M]], %c16
// CHECK:           %[[TILES:.*]] = arith.ceildivui %[[M]], %c16
// CHECK:           %[[IS_ONE:.*]] = arith.cmpi eq, %[[TILES]], %c1
// CHECK:           %[[ODD:.*]] = arith.remui %[[TILES]], %c2
// CHECK:           %[[SEVERAL:.*]] = arith.addi %[[ODD]], %c2
// CHECK:           %[[FIRST:.*]] = arith.select %[[IS_ONE]], %c1, %[[SEVERAL]]
// CHECK:           scf.index_switch %[[FIRST]]

// One tile of tokens: two accumulators. Both strips are decoded to trits, a step after
// the other, and then read; the same places of the next two are fetched meanwhile.
// CHECK:           case 1 {
// CHECK-COUNT-2:     llvm.call_intrinsic "llvm.x86.tilezero.internal"(%c16_i16, %c64_i16)
// CHECK:             scf.for {{.*}} to %c8 step %c1
// CHECK:               %[[NEXT:.*]] = arith.addi %[[AT:.*]], %c1024
// CHECK:               memref.prefetch %[[BYTES]][%[[NEXT]]], read, locality<2>
// CHECK:               vector.load %[[BYTES]][%[[AT]]]
// CHECK:               %[[CODES:.*]] = arith.andi
// CHECK:               %[[TRIT:.*]] = arith.subi %[[CODES]], %{{.*}} : vector<64xi8>
// CHECK-NOT:           arith.select
// CHECK-COUNT-4:       vector.store {{.*}}, %[[TRITS]][
// CHECK:               vector.load %[[BYTES]]
// CHECK-COUNT-4:       vector.store {{.*}}, %[[TRITS]][
// CHECK:             %[[TWO:.*]]:2 = scf.for {{.*}} to %c2 step %c1
// CHECK-COUNT-2:     llvm.call_intrinsic "llvm.x86.tilestored64.internal"({{.*}}, %c128_i64, %[[TWO]]#

// Two tiles, of which the second may be the last 16 tokens. Four accumulators, of
// signed by signed products; rows of activations are 128 bytes apart, those of trits
// 64, those of results 32 elements.
// CHECK:           case 2 {
// CHECK:             arith.minui %{{.*}}, %{{.*}}
// CHECK-COUNT-4:     llvm.call_intrinsic "llvm.x86.tilezero.internal"(%c16_i16, %c64_i16)
// CHECK:             scf.for {{.*}} to %c8 step %c1
// CHECK:             %[[SUMS:.*]]:4 = scf.for {{.*}} to %c2 step %c1
// CHECK:               %[[A0:.*]] = llvm.call_intrinsic "llvm.x86.tileloadd64.internal"(%c16_i16, %c64_i16, %{{.*}}, %c128_i64)
// CHECK:               %[[B0:.*]] = llvm.call_intrinsic "llvm.x86.tileloadd64.internal"(%c16_i16, %c64_i16, %{{.*}}, %c64_i64)
// CHECK:               llvm.call_intrinsic "llvm.x86.tdpbssd.internal"(%c16_i16, %c64_i16, %c64_i16, %{{.*}}, %[[A0]], %[[B0]])
// CHECK:               %[[B1:.*]] = llvm.call_intrinsic "llvm.x86.tileloadd64.internal"(
// CHECK:               llvm.call_intrinsic "llvm.x86.tdpbssd.internal"({{.*}}, %[[A0]], %[[B1]])
// CHECK:               %[[A1:.*]] = llvm.call_intrinsic "llvm.x86.tileloadd64.internal"({{.*}}, %c128_i64)
// CHECK:               llvm.call_intrinsic "llvm.x86.tdpbssd.internal"({{.*}}, %[[A1]], %[[B0]])
// CHECK:               llvm.call_intrinsic "llvm.x86.tdpbssd.internal"({{.*}}, %[[A1]], %[[B1]])
// CHECK-COUNT-4:     llvm.call_intrinsic "llvm.x86.tilestored64.internal"({{.*}}, %c128_i64, %[[SUMS]]#

// Three: six accumulators, so each product loads its weights.
// CHECK:           default {
// CHECK-COUNT-6:     llvm.call_intrinsic "llvm.x86.tilezero.internal"
// CHECK:             scf.for {{.*}} to %c8 step %c1
// CHECK:             %[[SIX:.*]]:6 = scf.for {{.*}} to %c2 step %c1
// CHECK-COUNT-3:       llvm.call_intrinsic "llvm.x86.tileloadd64.internal"({{.*}}, %c128_i64)
// CHECK:               %[[B:.*]] = llvm.call_intrinsic "llvm.x86.tileloadd64.internal"({{.*}}, %c64_i64)
// CHECK-NEXT:          llvm.call_intrinsic "llvm.x86.tdpbssd.internal"({{.*}}, %[[B]])
// CHECK:               %[[C:.*]] = llvm.call_intrinsic "llvm.x86.tileloadd64.internal"({{.*}}, %c64_i64)
// CHECK-NEXT:          llvm.call_intrinsic "llvm.x86.tdpbssd.internal"({{.*}}, %[[C]])
// CHECK-COUNT-6:     llvm.call_intrinsic "llvm.x86.tilestored64.internal"({{.*}}, %c128_i64, %[[SIX]]#

// All others are pairs, by what was decoded.
// CHECK:           %[[DONE:.*]] = arith.muli %[[FIRST]], %c16
// CHECK:           scf.for %[[TOKEN:.*]] = %[[DONE]] to %[[M]] step %c32
// CHECK:             %[[AFTER:.*]] = arith.addi %[[TOKEN]], %c16
// CHECK:             %[[SECOND:.*]] = arith.minui %[[AFTER]], %[[LAST]]
// CHECK-NOT:         vector.store
// CHECK:             %[[REST:.*]]:4 = scf.for {{.*}} to %c2 step %c1
// CHECK-COUNT-4:     llvm.call_intrinsic "llvm.x86.tilestored64.internal"({{.*}}, %c128_i64, %[[REST]]#
// CHECK:           memref.dealloc %[[TRITS]]
// CHECK:         } else {
// CHECK:           vpdpbusd.512

// 80 columns are the tiles of columns 0 to 63 and 16 to 79. Trits of the columns
// from 64 on lie 12 rows further, behind those of zeros, which are there before the
// accumulators. Three strips are a pair and one.
// CHECK-LABEL: func.func private @ternary_packed_matmul_t5_40x70_amx(
// CHECK:       llvm.x86.avx512.permvar.qi.512
// CHECK:           memref.alloc() {alignment = 64 : i64} : memref<6144xi8>
// CHECK:             scf.for {{.*}} = %c16 to %c28 step %c1
// CHECK-COUNT-2:       vector.store %cst{{[_0-9]*}}, %{{.*}} : memref<6144xi8>
// CHECK-COUNT-2:     llvm.x86.tilezero
// CHECK:             scf.for {{.*}} to %c4 step %c1
// CHECK:               %[[IN_LAST:.*]] = arith.cmpi uge, %[[ROW:.*]], %c16
// CHECK:               %[[MOVED:.*]] = arith.addi %[[ROW]], %c12
// CHECK:               arith.select %[[IN_LAST]], %[[MOVED]], %[[ROW]]
// CHECK:             -> (!llvm.x86_amx, !llvm.x86_amx)
// CHECK:               arith.minui %{{.*}}, %c16
// CHECK:             llvm.x86.tilezero
// CHECK-NOT:         llvm.x86.tilezero
// CHECK:             -> (!llvm.x86_amx)

// 40 steps of 5 * 4 columns are two chunks of 16, of 5 tiles each, and 8 steps of 2.5.
// CHECK-LABEL: func.func private @ternary_packed_matmul_t5_16x800_amx(
// CHECK:             %[[CHUNKS:.*]] = scf.for %[[CHUNK:.*]] = %c0 to %c2 step %c1 iter_args(
// CHECK:               %[[BEGIN:.*]] = arith.muli %[[CHUNK]], %c16
// CHECK:               %[[END:.*]] = arith.addi %[[BEGIN]], %c16
// CHECK:               scf.for {{.*}} = %[[BEGIN]] to %[[END]] step %c1
// CHECK-NOT:             arith.cmpi uge, %{{.*}} : index
// CHECK:               %[[TILE:.*]] = arith.muli %[[CHUNK]], %c5
// CHECK:               %[[TILE_END:.*]] = arith.addi %[[TILE]], %c5
// CHECK:               scf.for {{.*}} = %[[TILE]] to %[[TILE_END]] step %c1
// CHECK:             scf.for {{.*}} = %c32 to %c40 step %c1
// CHECK:             scf.for {{.*}} = %c10 to %c13 step %c1 iter_args(%{{.*}} = %[[CHUNKS]])

// Too few columns for a tile:
// CHECK-LABEL: func.func private @ternary_packed_matmul_i2_16x48_amx(
// CHECK-NOT:   x86_amx

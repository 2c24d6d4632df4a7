// RUN: tern-opt %s --convert-ternary-to-vector=target=amx --canonicalize --cse | FileCheck %s
// RUN: tern-opt %s --convert-ternary-to-vector=target=avx512vnni | FileCheck %s --check-prefix=VECTORS --implicit-check-not=llvm.x86.t

// VECTORS-COUNT-3: func.func private @ternary_packed_matmul_

#i2 = #ternary.layout<i2, tile = 16>
#t5 = #ternary.layout<t5, tile = 16>

func.func @products(%x: memref<?x128xi8>, %b: memref<1024xi8>, %y: memref<?x32xi32>,
                    %x5: memref<?x80xi8>, %b5: memref<768xi8>, %y5: memref<?x48xi32>,
                    %xs: memref<?x48xi8>, %bs: memref<192xi8>, %ys: memref<?x16xi32>) {
  ternary.packed_matmul !ternary.matrix<32x128, #i2> ins(%x, %b : memref<?x128xi8>, memref<1024xi8>) outs(%y : memref<?x32xi32>)
  ternary.packed_matmul !ternary.matrix<40x70, #t5> ins(%x5, %b5 : memref<?x80xi8>, memref<768xi8>) outs(%y5 : memref<?x48xi32>)
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

// A group of strips is one iteration for the threads. It decodes to trits, in a
// buffer of its own: two strips of two tiles.
// CHECK:           %[[TRITS:.*]] = memref.alloc() {alignment = 64 : i64} : memref<4096xi8>
// CHECK:           scf.for
// CHECK:             %[[OFFSET:.*]] = arith.muli %{{.*}}, %c2048
// CHECK:             scf.for {{.*}} to %c8 step %c1
// CHECK:               vector.load %[[BYTES]]
// CHECK:               %[[CODES:.*]] = arith.andi
// CHECK:               %[[TRIT:.*]] = arith.subi %[[CODES]], %{{.*}} : vector<64xi8>
// CHECK-NOT:           arith.select
// CHECK-COUNT-4:       vector.store {{.*}}, %[[TRITS]][

// Two tiles of tokens at a time, as long as there are more than 16 tokens; the
// last tile is the last 16.
// CHECK:           %[[LAST:.*]] = arith.subi %[[M]], %c16
// CHECK:           %[[REST:.*]] = arith.remui %[[M]], %c32
// CHECK:           %[[IS_PAIR:.*]] = arith.cmpi ugt, %[[REST]], %c16
// CHECK:           %[[PAIRS:.*]] = arith.subi %[[M]], %[[REST]]
// CHECK:           %[[END:.*]] = arith.select %[[IS_PAIR]], %[[M]], %[[PAIRS]]
// CHECK:           scf.for %[[TOKEN:.*]] = %c0 to %[[END]] step %c32
// CHECK:             %[[NEXT:.*]] = arith.addi %[[TOKEN]], %c16
// CHECK:             %[[SECOND:.*]] = arith.minui %[[NEXT]], %[[LAST]]

// Four accumulators, of signed by signed products; rows of activations are 128
// bytes apart, those of trits 64, those of results 32 elements.
// CHECK-COUNT-4:     llvm.call_intrinsic "llvm.x86.tilezero.internal"(%c16_i16, %c64_i16)
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

// Up to 16 tokens that are left are one tile.
// CHECK:           %[[SOME:.*]] = arith.cmpi ugt, %[[REST]], %c0
// CHECK:           %[[FEW:.*]] = arith.cmpi ule, %[[REST]], %c16
// CHECK:           %[[IS_ONE:.*]] = arith.andi %[[SOME]], %[[FEW]]
// CHECK:           scf.if %[[IS_ONE]]
// CHECK-COUNT-2:     llvm.call_intrinsic "llvm.x86.tilezero.internal"
// CHECK:             %[[TWO:.*]]:2 = scf.for {{.*}} to %c2 step %c1
// CHECK-COUNT-2:     llvm.call_intrinsic "llvm.x86.tilestored64.internal"({{.*}}, %c128_i64, %[[TWO]]#
// CHECK:           memref.dealloc %[[TRITS]]
// CHECK:         } else {
// CHECK:           vpdpbusd.512

// 80 columns are the tiles of columns 0 to 63 and 16 to 79. Trits of the columns
// from 64 on lie 12 rows further, behind those of zeros. Three strips are a pair
// and one.
// CHECK-LABEL: func.func private @ternary_packed_matmul_t5_40x70_amx(
// CHECK:       llvm.x86.avx512.permvar.qi.512
// CHECK:           memref.alloc() {alignment = 64 : i64} : memref<6144xi8>
// CHECK:             %[[IN_LAST:.*]] = arith.cmpi uge, %[[ROW:.*]], %c16
// CHECK:             %[[MOVED:.*]] = arith.addi %[[ROW]], %c12
// CHECK:             arith.select %[[IN_LAST]], %[[MOVED]], %[[ROW]]
// CHECK:             scf.for {{.*}} = %c16 to %c28 step %c1
// CHECK:               vector.store %cst{{[_0-9]*}}, %{{.*}} : memref<6144xi8>
// CHECK:             -> (!llvm.x86_amx, !llvm.x86_amx, !llvm.x86_amx, !llvm.x86_amx)
// CHECK:               arith.minui %{{.*}}, %c16
// CHECK:             -> (!llvm.x86_amx, !llvm.x86_amx)

// Too few columns for a tile:
// CHECK-LABEL: func.func private @ternary_packed_matmul_i2_16x48_amx(
// CHECK-NOT:   x86_amx

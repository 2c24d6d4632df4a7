// RUN: tern-opt %s --convert-ternary-to-vector=target=amx --canonicalize --cse | FileCheck %s
// RUN: tern-opt %s --convert-ternary-to-vector=target=avx512vnni | FileCheck %s --check-prefix=VECTORS --implicit-check-not=llvm.x86.t

// VECTORS-COUNT-5: func.func private @ternary_packed_matmul_

#i2 = #ternary.layout<i2, tile = 16>
#t5 = #ternary.layout<t5, tile = 16>

func.func @products(%x: memref<?x128xi8>, %b: memref<1024xi8>, %y: memref<?x32xi32>,
                    %x5: memref<?x80xi8>, %b5: memref<768xi8>, %y5: memref<?x48xi32>,
                    %xl: memref<?x800xi8>, %bl: memref<2560xi8>, %yl: memref<?x16xi32>,
                    %xw: memref<?x1280xi8>, %bw: memref<5120xi8>, %yw: memref<?x16xi32>,
                    %xs: memref<?x48xi8>, %bs: memref<192xi8>, %ys: memref<?x16xi32>) {
  ternary.packed_matmul !ternary.matrix<32x128, #i2> ins(%x, %b : memref<?x128xi8>, memref<1024xi8>) outs(%y : memref<?x32xi32>)
  ternary.packed_matmul !ternary.matrix<40x70, #t5> ins(%x5, %b5 : memref<?x80xi8>, memref<768xi8>) outs(%y5 : memref<?x48xi32>)
  ternary.packed_matmul !ternary.matrix<16x800, #t5> ins(%xl, %bl : memref<?x800xi8>, memref<2560xi8>) outs(%yl : memref<?x16xi32>)
  ternary.packed_matmul !ternary.matrix<16x1280, #i2> ins(%xw, %bw : memref<?x1280xi8>, memref<5120xi8>) outs(%yw : memref<?x16xi32>)
  ternary.packed_matmul !ternary.matrix<16x48, #i2> ins(%xs, %bs : memref<?x48xi8>, memref<192xi8>) outs(%ys : memref<?x16xi32>)
  return
}

// One token takes vectors, several take tiles; none, nothing.
// CHECK-LABEL: func.func private @ternary_packed_matmul_i2_32x128_amx(
// CHECK-SAME:    %[[X:.*]]: memref<?x128xi8>, %[[BYTES:.*]]: memref<1024xi8>, %[[Y:.*]]: memref<?x32xi32>)
// Registers 0 to 3, of sums, and 6 and 7, of activations, get the height that all tiles
// of tokens have; 4 and 5, of weights, 16 rows. Each has rows of 64 bytes.
// CHECK-DAG:   %[[OF_TOKENS:.*]] = arith.constant dense<[{{(false, ){48}(true, ){4}(false, ){2}(true, ){2}(false, ){7}false}}]>
// CHECK-DAG:   %[[OTHERS:.*]] = arith.constant dense<[1, {{(0, ){15}(64, 0, ){8}(0, ){16}(16, ){8}(0, ){7}0}}]>
// A trit's highest seven bits are those of its code, inverted and both, its lowest the
// code's lowest; the instruction takes the matrix of a plane from the last row on.
// CHECK-DAG:   %[[PLANE0:.*]] = arith.constant dense<[{{((3, ){7}1, ){7}(3, ){7}1}}]> : vector<64xi8>
// CHECK-DAG:   %[[PLANE1:.*]] = arith.constant dense<[{{((12, ){7}4, ){7}(12, ){7}4}}]> : vector<64xi8>
// CHECK:       %[[M:.*]] = memref.dim %[[X]]
// CHECK:       arith.cmpi eq, %[[M]], %c1
// CHECK:       vpdpbusd.512
// CHECK:       } else {
// CHECK:         %[[SOME:.*]] = arith.cmpi ne, %[[M]], %c0
// CHECK:         scf.if %[[SOME]] {

// A group of strips is one iteration for the threads. Its memory is for the trits of two
// strips and ten tiles, the configuration, and 32 sums of each strip.
// CHECK:           %[[MEMORY:.*]] = memref.alloc() {alignment = 64 : i64} : memref<86080xi8>
// CHECK:           %[[TILES:.*]] = arith.ceildivui %[[M]], %c16
// CHECK:           %[[HEIGHT:.*]] = arith.ceildivui %[[M]], %[[TILES]]
// CHECK:           %[[LAST:.*]] = arith.subi %[[M]], %[[HEIGHT]]
// CHECK:           %[[BYTE:.*]] = arith.index_cast %[[HEIGHT]] : index to i8
// CHECK:           %[[HEIGHTS:.*]] = vector.broadcast %[[BYTE]]
// CHECK:           %[[ALL:.*]] = arith.select %[[OF_TOKENS]], %[[HEIGHTS]], %[[OTHERS]]
// CHECK:           vector.store %[[ALL]], %[[MEMORY]][%c20480]
// CHECK:           llvm.call_intrinsic "llvm.x86.ldtilecfg"(
// CHECK:           scf.for %[[PIECE:.*]] = %c0 to %[[TILES]] step %c32 {
// CHECK:             %[[LEFT:.*]] = arith.subi %[[TILES]], %[[PIECE]]
// CHECK:             %[[OF_PIECE:.*]] = arith.minui %[[LEFT]], %c32

// Both strips are decoded to trits, a step after the other; the same places of the next
// two are fetched meanwhile.
// CHECK:             scf.for {{.*}} to %c8 step %c1
// CHECK:               %[[NEXT:.*]] = arith.addi %[[AT:.*]], %c1024
// CHECK:               memref.prefetch %[[BYTES]][%[[NEXT]]], read, locality<2>
// CHECK:               %[[LOADED:.*]] = vector.load %[[BYTES]][%[[AT]]]
// CHECK-NOT:           arith.andi
// CHECK:               %[[TRIT0:.*]] = llvm.call_intrinsic "llvm.x86.vgf2p8affineqb.512"(%[[LOADED]], %[[PLANE0]], %c-1_i8)
// CHECK:               vector.store %[[TRIT0]], %[[MEMORY]][
// CHECK:               llvm.call_intrinsic "llvm.x86.vgf2p8affineqb.512"(%[[LOADED]], %[[PLANE1]], %c-1_i8)
// CHECK-NOT:           arith.select
// CHECK-COUNT-3:       vector.store {{.*}}, %[[MEMORY]][
// CHECK:               vector.load %[[BYTES]]
// CHECK-COUNT-4:       vector.store {{.*}}, %[[MEMORY]][

// Two tiles of tokens, of which the second may be the last tokens. Four sums, of signed by
// signed products; rows of activations are 128 bytes apart, those of trits 64, those of
// results 32 elements.
// CHECK:             %[[ODD:.*]] = arith.remui %[[OF_PIECE]], %c2
// CHECK:             %[[PAIRS:.*]] = arith.subi %[[OF_PIECE]], %[[ODD]]
// CHECK:             scf.for %{{.*}} = %c0 to %[[PAIRS]] step %c2 {
// CHECK:               %[[TOKEN:.*]] = arith.muli %{{.*}}, %[[HEIGHT]]
// CHECK:               arith.minui %[[TOKEN]], %[[LAST]]
// CHECK:               %[[AFTER:.*]] = arith.muli %{{.*}}, %[[HEIGHT]]
// CHECK:               arith.minui %[[AFTER]], %[[LAST]]
// CHECK:               llvm.call_intrinsic "llvm.x86.tilezero"(%c0_i8)
// CHECK-NEXT:          llvm.call_intrinsic "llvm.x86.tilezero"(%c1_i8)
// CHECK-NEXT:          llvm.call_intrinsic "llvm.x86.tilezero"(%c2_i8)
// CHECK-NEXT:          llvm.call_intrinsic "llvm.x86.tilezero"(%c3_i8)
// CHECK:               scf.for {{.*}} to %c2 step %c1
// CHECK:                 llvm.call_intrinsic "llvm.x86.tileloadd64"(%c6_i8, %{{.*}}, %c128_i64)
// CHECK:                 llvm.call_intrinsic "llvm.x86.tileloadd64"(%c4_i8, %{{.*}}, %c64_i64)
// CHECK:                 llvm.call_intrinsic "llvm.x86.tdpbssd"(%c0_i8, %c6_i8, %c4_i8)
// CHECK:                 llvm.call_intrinsic "llvm.x86.tileloadd64"(%c5_i8, %{{.*}}, %c64_i64)
// CHECK:                 llvm.call_intrinsic "llvm.x86.tdpbssd"(%c1_i8, %c6_i8, %c5_i8)
// CHECK:                 llvm.call_intrinsic "llvm.x86.tileloadd64"(%c7_i8, %{{.*}}, %c128_i64)
// CHECK:                 llvm.call_intrinsic "llvm.x86.tdpbssd"(%c2_i8, %c7_i8, %c4_i8)
// CHECK:                 llvm.call_intrinsic "llvm.x86.tdpbssd"(%c3_i8, %c7_i8, %c5_i8)
// CHECK:               llvm.call_intrinsic "llvm.x86.tilestored64"(%c0_i8, %{{.*}}, %c128_i64)
// CHECK:               llvm.call_intrinsic "llvm.x86.tilestored64"(%c1_i8, %{{.*}}, %c128_i64)
// CHECK:               llvm.call_intrinsic "llvm.x86.tilestored64"(%c2_i8, %{{.*}}, %c128_i64)
// CHECK:               llvm.call_intrinsic "llvm.x86.tilestored64"(%c3_i8, %{{.*}}, %c128_i64)

// One more, where they are an odd number.
// CHECK:             scf.for %{{.*}} = %[[PAIRS]] to %[[OF_PIECE]] step %c1 {
// CHECK-COUNT-2:       llvm.x86.tilezero
// CHECK:               llvm.call_intrinsic "llvm.x86.tdpbssd"(%c0_i8, %c6_i8, %c4_i8)
// CHECK:               llvm.call_intrinsic "llvm.x86.tdpbssd"(%c1_i8, %c6_i8, %c5_i8)
// CHECK-NOT:           llvm.x86.tdpbssd
// CHECK-COUNT-2:       llvm.x86.tilestored64
// CHECK:           llvm.call_intrinsic "llvm.x86.tilerelease"()
// CHECK:           memref.dealloc %[[MEMORY]]
// CHECK-NOT:       vpdpbusd.512

// 80 columns are the tiles of columns 0 to 63 and 16 to 79. Trits of the columns
// from 64 on lie 12 rows further, behind those of zeros. Three strips are a pair and one.
// CHECK-LABEL: func.func private @ternary_packed_matmul_t5_40x70_amx(
// CHECK:       llvm.x86.avx512.permvar.qi.512
// CHECK:           memref.alloc() {alignment = 64 : i64} : memref<118848xi8>
// CHECK:             scf.for {{.*}} = %c16 to %c28 step %c1
// CHECK-COUNT-2:       vector.store %cst{{[_0-9]*}}, %{{.*}} : memref<118848xi8>
// CHECK:             scf.for {{.*}} to %c4 step %c1
// CHECK:               %[[IN_LAST:.*]] = arith.cmpi uge, %[[ROW:.*]], %c16
// CHECK:               %[[MOVED:.*]] = arith.addi %[[ROW]], %c12
// CHECK:               arith.select %[[IN_LAST]], %[[MOVED]], %[[ROW]]
// CHECK-COUNT-4:     llvm.x86.tilezero
// CHECK:               arith.minui %{{.*}}, %c16
// CHECK-COUNT-4:     llvm.x86.tilestored64
// CHECK-COUNT-2:     llvm.x86.tilezero
// CHECK-COUNT-2:     llvm.x86.tilestored64
// CHECK:             scf.for {{.*}} = %c16 to %c28 step %c1
// CHECK-COUNT-1:       vector.store %cst{{[_0-9]*}}, %{{.*}} : memref<118848xi8>
// CHECK-NOT:           vector.store %cst
// CHECK:             llvm.call_intrinsic "llvm.x86.tilezero"(%c0_i8)
// CHECK-NEXT:        llvm.call_intrinsic "llvm.x86.tilezero"(%c2_i8)

// 40 steps of 5 * 4 columns are a block of 32, of ten tiles, whose sums wait, and one of 8,
// of two tiles and a half, which begins with them.
// CHECK-LABEL: func.func private @ternary_packed_matmul_t5_16x800_amx(
// CHECK:             scf.for {{.*}} = %c0 to %c32 step %c1
// CHECK-NOT:           arith.cmpi uge, %{{.*}} : index
// CHECK:             llvm.call_intrinsic "llvm.x86.tilezero"(%c0_i8)
// CHECK-NEXT:        llvm.call_intrinsic "llvm.x86.tilezero"(%c2_i8)
// CHECK:             scf.for {{.*}} = %c0 to %c10 step %c1
// CHECK:               %[[COLUMN:.*]] = arith.muli %{{.*}}, %c64 : index
// CHECK-NOT:           arith.minui
// CHECK:             %[[AT:.*]] = arith.addi %{{.*}}, %c20544
// CHECK:             llvm.call_intrinsic "llvm.x86.tilestored64"(%c0_i8, %{{.*}}, %c64_i64)
// CHECK:             llvm.call_intrinsic "llvm.x86.tilestored64"(%c2_i8, %{{.*}}, %c64_i64)
// CHECK:             scf.for {{.*}} = %c32 to %c40 step %c1
// CHECK:             scf.for %[[STEP:.*]] = %c0 to %c8 step %c1
// CHECK:               arith.addi %[[STEP]], %c32
// CHECK:             llvm.call_intrinsic "llvm.x86.tileloadd64"(%c0_i8, %{{.*}}, %c64_i64)
// CHECK:             llvm.call_intrinsic "llvm.x86.tileloadd64"(%c2_i8, %{{.*}}, %c64_i64)
// CHECK:             scf.for {{.*}} = %c0 to %c3 step %c1
// CHECK:               arith.minui %{{.*}}, %c736
// CHECK:             llvm.call_intrinsic "llvm.x86.tilestored64"(%c0_i8, %{{.*}}, %c64_i64)
// CHECK:             llvm.call_intrinsic "llvm.x86.tilestored64"(%c2_i8, %{{.*}}, %c64_i64)

// Two whole blocks are one loop: sums begin in its first turn, and are stored in its last.
// CHECK-LABEL: func.func private @ternary_packed_matmul_i2_16x1280_amx(
// CHECK:             scf.for %[[BLOCK:.*]] = %c0 to %c2 step %c1 {
// CHECK-DAG:           %[[FIRST:.*]] = arith.cmpi eq, %[[BLOCK]], %c0
// CHECK-DAG:           %[[LAST:.*]] = arith.cmpi eq, %[[BLOCK]], %c1
// CHECK:               scf.for {{.*}} = %c0 to %c40 step %c1
// CHECK:               scf.if %[[FIRST]] {
// CHECK-COUNT-2:         llvm.x86.tilezero
// CHECK:               } else {
// CHECK-COUNT-2:         "llvm.x86.tileloadd64"({{.*}}, %c64_i64)
// CHECK:               }
// CHECK:               scf.for {{.*}} = %c0 to %c10 step %c1
// CHECK:               scf.if %[[LAST]] {
// CHECK-COUNT-2:         arith.muli %{{.*}}, %c64 : index
// CHECK:                 llvm.x86.tilestored64
// CHECK:               } else {
// CHECK:                 arith.addi %{{.*}}, %c20544
// CHECK:                 llvm.x86.tilestored64

// Too few columns for a tile:
// CHECK-LABEL: func.func private @ternary_packed_matmul_i2_16x48_amx(
// CHECK-NOT:   llvm.x86.t

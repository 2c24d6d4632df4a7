// RUN: tern-opt %s --convert-ternary-to-vector=target=zen4 --canonicalize --cse --split-input-file | FileCheck %s
// RUN: tern-opt %s --convert-ternary-to-vector=target=avx512vbmi --split-input-file | FileCheck %s --check-prefix=DOTS --implicit-check-not=permvar.hi

#t5 = #ternary.layout<t5, tile = 16>

// DOTS: vpdpbusd
func.func @product(%x: memref<?x260xi8>, %b: memref<53248xi8>, %y: memref<?x1024xi32>) {
  ternary.packed_matmul !ternary.matrix<1024x260, #t5> ins(%x, %b : memref<?x260xi8>, memref<53248xi8>) outs(%y : memref<?x1024xi32>)
  return
}

// From 16 tokens on, lookups work beside dot products.
// CHECK-LABEL: func.func private @ternary_packed_matmul_t5_1024x260_zen4(
// CHECK-SAME:    %[[X:.*]]: memref<?x260xi8>, %[[B:.*]]: memref<53248xi8>, %[[Y:.*]]: memref<?x1024xi32>)
// CHECK:       %[[TOKENS:.*]] = memref.dim %[[X]], %c0
// CHECK:       %[[ARE_MANY:.*]] = arith.cmpi uge, %[[TOKENS]], %c16
// CHECK:       scf.if %[[ARE_MANY]]

// Equal parts of up to 66 tokens, in blocks of three, by two times 512 rows.
// Neighbours share tokens.
// CHECK:         %[[PARTS:.*]] = arith.ceildivui %[[TOKENS]], %c66
// CHECK:         %[[SHARE:.*]] = arith.ceildivui %[[TOKENS]], %[[PARTS]]
// CHECK:         %[[BLOCKS:.*]] = arith.ceildivui %[[SHARE]], %c3
// CHECK:         %[[PART:.*]] = arith.muli %[[BLOCKS]], %c3
// CHECK:         %[[PIECES:.*]] = arith.muli %[[PARTS]], %c2
// CHECK:         scf.parallel (%[[PIECE:.*]]) = (%c0) to (%[[PIECES]])
// CHECK:           %[[OF_TOKENS:.*]] = arith.divui %[[PIECE]], %c2
// CHECK:           %[[OF_ROWS:.*]] = arith.remui %[[PIECE]], %c2
// CHECK:           arith.muli %[[OF_TOKENS]], %[[PART]]
// CHECK:           %[[FIRST_STRIP:.*]] = arith.muli %[[OF_ROWS]], %c32

// 13 steps are cut into blocks of 7, not of 12; the first adds to nothing.
// CHECK:           %[[TABLES:.*]] = memref.alloc() {alignment = 64 : i64} : memref<59136xi16>
// CHECK:           %[[CODES:.*]] = memref.alloc() {alignment = 64 : i64} : memref<7168xi8>
// CHECK:           scf.for %[[FIRST:.*]] = %c0 to %c13 step %c7
// CHECK:             %[[IS_LATER:.*]] = arith.cmpi ne, %[[FIRST]], %c0
// CHECK:             %[[ARE_LATER:.*]] = vector.broadcast %[[IS_LATER]] : i1 to vector<16xi1>

// What planes 0 and 4 add too much comes off each row's entry of table 0.
// CHECK:             scf.for
// CHECK:               scf.for
// CHECK:                 %[[PLANE0:.*]] = llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(
// CHECK:                 %[[EXCESS:.*]] = llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%[[PLANE0]],
// CHECK:                 vector.load %[[X]]{{.*}} vector<16xi8>
// CHECK:                 vector.shuffle {{.*}} [4, 8, 12, 0, 5, 9, 13, 0, 6, 10, 14, 0, 7, 11, 15, 0]
// CHECK:                 arith.subi %[[BIAS:.*]], %[[EXCESS]]
// CHECK:                 %[[TABLE0:.*]] = llvm.call_intrinsic "llvm.x86.avx512.packssdw.512"
// CHECK:                 llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%[[BIAS]],
// CHECK:                 %[[TABLE1:.*]] = llvm.call_intrinsic "llvm.x86.avx512.packssdw.512"
// CHECK:                 vector.store %[[TABLE0]], %[[TABLES]]
// CHECK:                 vector.store %[[TABLE1]], %[[TABLES]]

// Weights of the next four strips are fetched while those of these are decoded;
// of the first four, the next columns', behind the last.
// CHECK:             scf.for %[[STRIP:.*]] = {{.*}} step %c4
// CHECK:               %[[NEXT:.*]] = arith.addi %[[STRIP]], %c4
// CHECK:               %[[NEXT_STEP:.*]] = arith.addi %[[FIRST]],
// CHECK:               %[[IS_LAST:.*]] = arith.cmpi uge, %[[NEXT]],
// CHECK:               arith.select %[[IS_LAST]], %[[FIRST_STRIP]], %[[NEXT]]
// CHECK:               arith.select %[[IS_LAST]], %[[NEXT_STEP]], %[[FIRST]]
// CHECK:               scf.for
// CHECK-COUNT-4:         memref.prefetch %[[B]]{{.*}} locality<2>
// CHECK-COUNT-16:        vector.store {{.*}}, %[[CODES]]

// Twelve sums of dot products and six of lookups, of three tokens by four
// strips; a lookup has two strips' rows in turns. Dot products come between.
// CHECK:               scf.for {{.*}} step %c3
// CHECK-COUNT-12:        memref.prefetch %[[Y]]{{.*}}, write
// CHECK:                 %[[SUMS:.*]]:18 = scf.for
// CHECK:                   vector.load %[[CODES]]
// CHECK:                   vpdpbusd
// CHECK-NOT:               vpdpbusd
// CHECK:                   %[[LOOKED_UP:.*]] = llvm.call_intrinsic "llvm.x86.avx512.permvar.hi.512"
// CHECK:                   arith.addi %{{.*}}, %[[LOOKED_UP]] : vector<32xi16>
// CHECK-NOT:               permvar.hi
// CHECK:                   vpdpbusd
// CHECK-NOT:               vpdpbusd
// CHECK:                   permvar.hi
// CHECK:                 vector.maskedload %[[Y]]{{.*}}, %[[ARE_LATER]],
// CHECK:                 llvm.call_intrinsic "llvm.x86.avx512.vpdpwssd.512"(%[[SUMS]]#0, %[[SUMS]]#12,
// CHECK:                 llvm.call_intrinsic "llvm.x86.avx512.vpdpwssd.512"(%[[SUMS]]#1, %[[SUMS]]#12,
// CHECK:                 llvm.call_intrinsic "llvm.x86.avx512.vpdpwssd.512"(%[[SUMS]]#2, %[[SUMS]]#13,

// The one or two tokens that are left, by themselves.
// CHECK:               scf.for {{.*}} step %c1
// CHECK:                 %{{.*}}:6 = scf.for
// CHECK:           memref.dealloc %[[TABLES]]
// CHECK:           memref.dealloc %[[CODES]]

// Fewer tokens are multiplied, eight by three strips.
// CHECK:       } else {
// CHECK:         scf.parallel
// CHECK-NOT:     permvar.hi
// CHECK:         %{{.*}}:24 = scf.for

// -----

#i2 = #ternary.layout<i2, tile = 16>

// Two bits a weight: plane 0 is multiplied, one table's part of it for each
// strip. Planes 1 to 3 are the bits above it.
// CHECK-LABEL: func.func private @ternary_packed_matmul_i2_1072x64_zen4(
// CHECK:         arith.cmpi uge
// CHECK:         %[[TABLES:.*]] = memref.alloc() {{.*}} : memref<33792xi16>
// CHECK:         %[[CODES:.*]] = memref.alloc() {{.*}} : memref<3072xi8>
// CHECK:         scf.for {{.*}} step %c4
// CHECK:           scf.for
// CHECK-COUNT-12:    vector.store {{.*}}, %[[CODES]]
// CHECK:             %{{.*}}:18 = scf.for

// Three strips are left, of which one is paired with itself.
// CHECK:         scf.for %{{.*}} = %[[WHOLE:.*]] to %[[END:.*]] step %c3
// CHECK:           scf.for
// CHECK-COUNT-11:    vector.store {{.*}}, %[[CODES]]
// CHECK-NOT:         vector.store {{.*}}, %[[CODES]]
// CHECK:             %{{.*}}:15 = scf.for
func.func @rest(%x: memref<?x64xi8>, %b: memref<17152xi8>, %y: memref<?x1072xi32>) {
  ternary.packed_matmul !ternary.matrix<1072x64, #i2> ins(%x, %b : memref<?x64xi8>, memref<17152xi8>) outs(%y : memref<?x1072xi32>)
  return
}

// -----

#t5 = #ternary.layout<t5, tile = 16>

// A table costs more than so few rows gain by it.
// CHECK-LABEL: func.func private @ternary_packed_matmul_t5_1008x20_zen4(
// CHECK-NOT:     permvar.hi
func.func @few_rows(%x: memref<?x20xi8>, %b: memref<4032xi8>, %y: memref<?x1008xi32>) {
  ternary.packed_matmul !ternary.matrix<1008x20, #t5> ins(%x, %b : memref<?x20xi8>, memref<4032xi8>) outs(%y : memref<?x1008xi32>)
  return
}

// -----

#t5 = #ternary.layout<t5, tile = 16>

// Four pieces of 640 rows for one part, two of 1,280 for several; 24 steps in two
// blocks.
// CHECK-LABEL: func.func private @ternary_packed_matmul_t5_2560x480_zen4(
// CHECK:         arith.cmpi uge
// CHECK:         %[[IS_ONE:.*]] = arith.cmpi eq, %[[PARTS:.*]], %c1
// CHECK:         %[[STRIPS:.*]] = arith.select %[[IS_ONE]], %c40, %c80
// CHECK:         %[[PIECES:.*]] = arith.select %[[IS_ONE]], %c4, %c2
// CHECK:         arith.muli %[[PARTS]], %[[PIECES]]
// CHECK:         scf.parallel
// CHECK:           arith.muli %{{.*}}, %[[STRIPS]]
// CHECK:           scf.for %{{.*}} = %c0 to %c24 step %c12
func.func @pieces(%x: memref<?x480xi8>, %b: memref<245760xi8>, %y: memref<?x2560xi32>) {
  ternary.packed_matmul !ternary.matrix<2560x480, #t5> ins(%x, %b : memref<?x480xi8>, memref<245760xi8>) outs(%y : memref<?x2560xi32>)
  return
}

// -----

#t5 = #ternary.layout<t5, tile = 16>

// Pieces have 1,280 rows at most.
// CHECK-LABEL: func.func private @ternary_packed_matmul_t5_6400x20_zen4(
// CHECK:         arith.cmpi uge
// CHECK:         arith.muli %{{.*}}, %c5 :
// CHECK:         scf.parallel
// CHECK:           arith.muli %{{.*}}, %c80 :
func.func @long(%x: memref<?x20xi8>, %b: memref<25600xi8>, %y: memref<?x6400xi32>) {
  ternary.packed_matmul !ternary.matrix<6400x20, #t5> ins(%x, %b : memref<?x20xi8>, memref<25600xi8>) outs(%y : memref<?x6400xi32>)
  return
}

// -----

#t5 = #ternary.layout<t5, tile = 16>

// Nothing to look up.
// CHECK-LABEL: func.func private @ternary_packed_matmul_t5_1024x0_zen4(
// CHECK-NOT:     permvar.hi
func.func @no_columns(%x: memref<?x0xi8>, %b: memref<0xi8>, %y: memref<?x1024xi32>) {
  ternary.packed_matmul !ternary.matrix<1024x0, #t5> ins(%x, %b : memref<?x0xi8>, memref<0xi8>) outs(%y : memref<?x1024xi32>)
  return
}

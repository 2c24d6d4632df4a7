// RUN: tern-opt %s --convert-ternary-head-to-vector=target=avx512vnni | FileCheck %s --check-prefixes=CHECK,ENDS,AVX512 --implicit-check-not=ternary.head --implicit-check-not=fastmath
// RUN: tern-opt %s --convert-ternary-head-to-vector=target=avx512vbmi | FileCheck %s --check-prefixes=CHECK,VBMI,AVX512
// RUN: tern-opt %s --convert-ternary-head-to-vector=target=avxvnni | FileCheck %s --check-prefixes=CHECK,ENDS,AVXVNNI --implicit-check-not=ternary.head
// RUN: tern-opt %s --convert-ternary-head-to-vector=target=avx2 | FileCheck %s --check-prefixes=CHECK,ENDS,AVX2 --implicit-check-not=ternary.head
// RUN: tern-opt %s --convert-ternary-head-to-vector | FileCheck %s --check-prefixes=CHECK,GENERIC --implicit-check-not=ternary.head --implicit-check-not=llvm.

// CHECK-LABEL: func.func @screened(
// CHECK-SAME:    %[[X:.*]]: memref<80xf32>, %[[W:.*]]: memref<90x80xbf16>, %[[BEST:.*]]: index, %[[C:.*]]: memref<5760xi8>, %[[B:.*]]: memref<6x33xbf16>, %[[Y:.*]]: memref<90xf32>)
// CHECK:         call @[[SCREENED:ternary_head_90x80_[a-z0-9]*]](%[[X]], %[[W]], %[[BEST]], %[[C]], %[[B]], %[[Y]])
func.func @screened(%x: memref<80xf32>, %w: memref<90x80xbf16>, %best: index, %c: memref<5760xi8>, %b: memref<6x33xbf16>, %y: memref<90xf32>) {
  ternary.head ins(%x, %w, %best : memref<80xf32>, memref<90x80xbf16>) screen(%c, %b : memref<5760xi8>, memref<6x33xbf16>) outs(%y : memref<90xf32>)
  return
}

// CHECK-LABEL: func.func @exact(
// CHECK:         call @[[EXACT:ternary_head_90x80_[a-z0-9_]*]](%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}})
func.func @exact(%x: memref<80xf32>, %w: memref<90x80xf32>, %best: index, %y: memref<90xf32>) {
  ternary.head ins(%x, %w, %best : memref<80xf32>, memref<90x80xf32>) outs(%y : memref<90xf32>)
  return
}

// Six tiles are scored, then the rows computed that give the threshold and those
// that reach it, each from a copy, or else all.
// CHECK:       func.func private @[[SCREENED]](
// The level of code c is c + min(c, 12) + 2 min(c, 5) and, from its other end, what
// is above 52 and twice what is above 59: 54 for the code of zero, 32.
// GENERIC:       %[[LOW:.*]] = arith.constant dense<63> : vector<64xi8>
// GENERIC-NEXT:  %[[CODES:.*]] = arith.andi %{{.*}}, %[[LOW]]
// GENERIC:       %[[BELOW:.*]] = arith.minui %[[CODES]], %[[C12:.*]] :
// GENERIC:       %[[MOST:.*]] = arith.maxui %[[CODES]], %[[C52:.*]] :
// GENERIC:       %[[ABOVE:.*]] = arith.subi %[[MOST]], %{{.*}} :
// GENERIC:       %[[TWOS:.*]] = arith.addi %[[BELOW]], %[[ABOVE]]
// GENERIC:       %[[C5:.*]] = arith.constant dense<5>
// GENERIC:       %[[FARBELOW:.*]] = arith.minui %[[CODES]], %[[C5]] :
// GENERIC:       %[[C59:.*]] = arith.constant dense<59>
// GENERIC:       %[[FARMOST:.*]] = arith.maxui %[[CODES]], %[[C59]] :
// GENERIC:       %[[FARABOVE:.*]] = arith.subi %[[FARMOST]], %[[C59]] :
// GENERIC:       %[[FOURS:.*]] = arith.addi %[[FARBELOW]], %[[FARABOVE]]
// GENERIC-NEXT:  %[[SUM:.*]] = arith.addi %[[CODES]], %[[TWOS]]
// GENERIC-NEXT:  %[[TWICE:.*]] = arith.addi %[[FOURS]], %[[FOURS]]
// GENERIC-NEXT:  arith.addi %[[SUM]], %[[TWICE]]

// Looked up by codes up to 15, and by what is above 48.
// ENDS:          %[[MASK:.*]] = arith.constant dense<63> : vector<{{.*}}xi8>
// ENDS-NEXT:     %[[CODES:.*]] = arith.andi %{{.*}}, %[[MASK]]
// ENDS:          %[[BELOW:.*]] = arith.minui %[[CODES]], %{{.*}}
// ENDS:          %[[LOWS:.*]] = arith.constant dense<{{.*}}0, 3, 6, 9, 12, 15, 16, 17, 18, 19, 20, 21, 22, 22, 22, 22{{[],]}}
// ENDS-NEXT:     %[[LOW:.*]] = llvm.call_intrinsic "llvm.x86.{{.*}}pshuf.b{{.*}}"(%[[LOWS]], %[[BELOW]])
// ENDS:          %[[ABOVE:.*]] = arith.subi
// ENDS:          %[[HIGHS:.*]] = arith.constant dense<{{.*}}0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 10, 13, 16, 19{{[],]}}
// ENDS-NEXT:     %[[HIGH:.*]] = llvm.call_intrinsic "llvm.x86.{{.*}}pshuf.b{{.*}}"(%[[HIGHS]], %[[ABOVE]])
// ENDS-NEXT:     %[[SUM:.*]] = arith.addi %[[CODES]], %[[LOW]]
// ENDS-NEXT:     arith.addi %[[SUM]], %[[HIGH]]

// Looked up as they are, the two bits above a code included.
// VBMI:          %[[BYTES:.*]] = vector.load {{.*}} : memref<5760xi8>, vector<64xi8>
// VBMI:          %[[LEVELS:.*]] = arith.constant dense<[0, 4, 8, 12, 16, 20, 22, 24, 26, 28, 30, 32, 34, 35, 36, 37, {{.*}}, 54, {{.*}}, 71, 72, 73, 74, 76, 78, 80, 82, 84, 86, 88, 92, 96, 100, 104]>
// VBMI-NEXT:     llvm.call_intrinsic "llvm.x86.avx512.permvar.qi.512"(%[[LEVELS]], %[[BYTES]])
// AVX512-COUNT-8:  "llvm.x86.avx512.vpdpbusd.512"
// AVX512-NOT:      "llvm.x86.avx512.vpdpbusd.512"
// The rows' bounds are their tile's: scales from 0 on, errors from 16 on, a norm.
// AVX512:          arith.addf {{.*}} : vector<16xf64>
// AVX512:          arith.muli %[[TILE:.*]], %c16{{.*}} : index
// AVX512:          %[[NORM:.*]] = memref.load %[[BOUNDS:.*]][%[[TILE]], %c32{{.*}}] : memref<6x33xbf16>
// AVX512:          arith.extf %[[NORM]] : bf16 to f64
// AVX512:          vector.load %[[BOUNDS]][%[[TILE]], %c0{{.*}}] : memref<6x33xbf16>, vector<16xbf16>
// AVX512:          vector.load %[[BOUNDS]][%[[TILE]], %c16{{.*}}] : memref<6x33xbf16>, vector<16xbf16>
// AVX512:          memref.store %{{.*}}, %{{.*}}[%[[TILE]]] : memref<6xi32>
// AVXVNNI:         "llvm.x86.avx512.vpdpbusd.256"
// AVX2:            "llvm.x86.avx2.pmadd.ub.sw"
// GENERIC:         arith.muli {{.*}} : vector<32xi16>
// CHECK:         scf.parallel
// CHECK:           %[[COPY:.*]] = memref.alloc() {{.*}} : memref<80xbf16>
// CHECK:           ternary.fetch %{{.*}}[%[[ROW:.*]]], %[[COPY]] : memref<90x80xbf16>, memref<80xbf16>
// CHECK:           vector.load %[[COPY]]
// CHECK:           arith.mulf %{{.*}} : vector<16xf32>
// CHECK:           memref.store %{{.*}}, %{{.*}}[%[[ROW]]] : memref<90xf32>
// CHECK:         scf.parallel
// CHECK:           ternary.fetch
// CHECK:           arith.mulf %{{.*}} : vector<16xf32>
// CHECK:         scf.parallel
// CHECK-NOT:       ternary.fetch
// CHECK:           arith.mulf %{{.*}} : vector<16xf32>

// Without a screen, all rows: 64 columns with four sums of 16, then 16 one by one.
// CHECK:       func.func private @[[EXACT]](
// CHECK-NOT:     memref.alloc
// CHECK:         scf.parallel
// CHECK:           scf.for {{.*}} -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
// CHECK:           scf.for {{.*}} -> (f32)
// CHECK:           memref.store %{{.*}} : memref<90xf32>

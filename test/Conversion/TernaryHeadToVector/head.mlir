// RUN: tern-opt %s --convert-ternary-head-to-vector=target=avx512vnni | FileCheck %s --check-prefixes=CHECK,AVX512 --implicit-check-not=ternary.head --implicit-check-not=fastmath
// RUN: tern-opt %s --convert-ternary-head-to-vector=target=avx512vbmi | FileCheck %s --check-prefixes=CHECK,AVX512
// RUN: tern-opt %s --convert-ternary-head-to-vector=target=avxvnni | FileCheck %s --check-prefixes=CHECK,AVXVNNI --implicit-check-not=ternary.head
// RUN: tern-opt %s --convert-ternary-head-to-vector=target=avx2 | FileCheck %s --check-prefixes=CHECK,AVX2 --implicit-check-not=ternary.head
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
// Levels are codes, with those up to 12 and what is above 52 counted twice.
// CHECK:         %[[LOW:.*]] = arith.constant dense<63> : vector<{{.*}}xi8>
// CHECK-NEXT:    %[[CODES:.*]] = arith.andi %{{.*}}, %[[LOW]]
// CHECK-NEXT:    %[[C12:.*]] = arith.constant dense<12>
// CHECK-NEXT:    %[[BELOW:.*]] = arith.minui %[[CODES]], %[[C12]]
// CHECK-NEXT:    %[[C52:.*]] = arith.constant dense<52>
// CHECK-NEXT:    %[[MOST:.*]] = arith.maxui %[[CODES]], %[[C52]]
// CHECK-NEXT:    %[[C52:.*]] = arith.constant dense<52>
// CHECK-NEXT:    %[[ABOVE:.*]] = arith.subi %[[MOST]], %[[C52]]
// CHECK-NEXT:    %[[SUM:.*]] = arith.addi %[[CODES]], %[[BELOW]]
// CHECK-NEXT:    arith.addi %[[SUM]], %[[ABOVE]]
// AVX512-COUNT-8:  "llvm.x86.avx512.vpdpbusd.512"
// AVX512-NOT:      "llvm.x86.avx512.vpdpbusd.512"
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

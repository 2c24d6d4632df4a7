// RUN: tern-opt %s --convert-ternary-head-to-vector=target=avx512vnni --canonicalize --cse | FileCheck %s
// RUN: tern-opt %s --convert-ternary-head-to-vector=target=avx2 --canonicalize --cse | FileCheck %s --check-prefix=ONE

func.func @head(%x: memref<16xf32>, %w: memref<1050x16xbf16>, %best: index, %c: memref<12672xi8>, %b: memref<3x1056xf32>, %y: memref<1050xf32>) {
  ternary.head ins(%x, %w, %best : memref<16xf32>, memref<1050x16xbf16>) screen(%c, %b : memref<12672xi8>, memref<3x1056xf32>) outs(%y : memref<1050xf32>)
  return
}

// Of 66 tiles, four are read at once, 16 tiles apart, and two are left; each has
// one sum for the high half of the hidden state and one for the low. A step is
// three lines of each, which are fetched from different distances.
// CHECK-LABEL: func.func private @ternary_head_1050x16
// CHECK:       scf.parallel (%[[TILE:.*]]) = (%c0) to (%c16) step (%c1)
// CHECK-DAG:     arith.addi %[[TILE]], %c16
// CHECK-DAG:     arith.addi %[[TILE]], %c32
// CHECK-DAG:     arith.addi %[[TILE]], %c48
// CHECK:         arith.addi %[[AT:.*]], %c1024
// CHECK-NEXT:    memref.prefetch
// CHECK-NEXT:    arith.addi %[[AT]], %c1088
// CHECK-NEXT:    memref.prefetch
// CHECK-NEXT:    arith.addi %[[AT]], %c1152
// CHECK-NEXT:    memref.prefetch
// CHECK-NEXT:    arith.addi %[[AT1:.*]], %c1536
// CHECK-COUNT-3: memref.prefetch
// CHECK-NEXT:    arith.addi %[[AT2:.*]], %c2048
// CHECK-COUNT-3: memref.prefetch
// CHECK-NEXT:    arith.addi %[[AT3:.*]], %c2560
// CHECK-COUNT-3: memref.prefetch
// CHECK-COUNT-32: "llvm.x86.avx512.vpdpbusd.512"
// CHECK:         scf.reduce
// CHECK-COUNT-6: memref.prefetch
// CHECK-COUNT-16: "llvm.x86.avx512.vpdpbusd.512"
// CHECK-NOT:   "llvm.x86.avx512.vpdpbusd.512"

// Where registers are few, a tile at a time.
// ONE-LABEL: func.func private @ternary_head_1050x16
// ONE:       scf.parallel (%{{.*}}) = (%c0) to (%c66) step (%c1)

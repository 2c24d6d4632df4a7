// RUN: tern-opt %s --convert-ternary-head-to-vector=target=avx512vnni --canonicalize --cse | FileCheck %s
// RUN: tern-opt %s --convert-ternary-head-to-vector=target=avx2 --canonicalize --cse | FileCheck %s --check-prefix=ONE

func.func @head(%x: memref<16xf32>, %w: memref<1050x16xbf16>, %best: index, %c: memref<12672xi8>, %b: memref<66x33xbf16>, %y: memref<1050xf32>) {
  ternary.head ins(%x, %w, %best : memref<16xf32>, memref<1050x16xbf16>) screen(%c, %b : memref<12672xi8>, memref<66x33xbf16>) outs(%y : memref<1050xf32>)
  return
}

// Of 66 tiles, two are read at once, 33 tiles apart; each has one sum for the high
// half of the hidden state and one for the low. A step is three lines of each,
// which are fetched one by one, between products, from different distances.
// CHECK-LABEL: func.func private @ternary_head_1050x16
// CHECK:       scf.parallel (%[[TILE:.*]]) = (%c0) to (%c33) step (%c1)
// CHECK-NEXT:    %[[TILE1:.*]] = arith.addi %[[TILE]], %c33
// CHECK-DAG:     %[[AT:.*]] = arith.muli %[[TILE]], %c192
// CHECK-DAG:     %[[AT1:.*]] = arith.muli %[[TILE1]], %c192
// CHECK:         %[[F0:.*]] = arith.addi %[[AT]], %c2048
// CHECK-NEXT:    memref.prefetch %{{.*}}[%[[F0]]], read, locality<3>, data
// CHECK:         %[[F1:.*]] = arith.addi %[[AT1]], %c2560
// CHECK-NEXT:    memref.prefetch %{{.*}}[%[[F1]]]
// CHECK-COUNT-4: "llvm.x86.avx512.vpdpbusd.512"
// CHECK:         %[[F2:.*]] = arith.addi %[[AT]], %c2112
// CHECK-NEXT:    memref.prefetch %{{.*}}[%[[F2]]]
// CHECK:         %[[F3:.*]] = arith.addi %[[AT1]], %c2624
// CHECK-NEXT:    memref.prefetch %{{.*}}[%[[F3]]]
// CHECK-COUNT-4: "llvm.x86.avx512.vpdpbusd.512"
// CHECK:         %[[F4:.*]] = arith.addi %[[AT]], %c2176
// CHECK-NEXT:    memref.prefetch %{{.*}}[%[[F4]]]
// CHECK:         %[[F5:.*]] = arith.addi %[[AT1]], %c2688
// CHECK-NEXT:    memref.prefetch %{{.*}}[%[[F5]]]
// CHECK-NOT:     memref.prefetch
// CHECK-COUNT-8: "llvm.x86.avx512.vpdpbusd.512"
// CHECK:         scf.reduce
// CHECK-NOT:   "llvm.x86.avx512.vpdpbusd.512"

// Where registers are few, a tile at a time.
// ONE-LABEL: func.func private @ternary_head_1050x16
// ONE:       scf.parallel (%{{.*}}) = (%c0) to (%c66) step (%c1)

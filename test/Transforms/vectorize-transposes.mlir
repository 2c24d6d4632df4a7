// RUN: tern-opt %s --pass-pipeline="builtin.module(func.func(tern-vectorize-transposes{lanes=4},canonicalize,cse))" --split-input-file | FileCheck %s
// RUN: not tern-opt %s --pass-pipeline="builtin.module(func.func(tern-vectorize-transposes{lanes=2}))" --split-input-file 2>&1 | FileCheck %s --check-prefix=LANES

// LANES: error: found 2 lanes; expected a power of two from 4 to 64

#in = affine_map<(k, g, q) -> (g, q, k)>
#out = affine_map<(k, g, q) -> (k, g, q)>

// Squares of four queries and four elements; then the queries that are left, of which each
// has its elements in order.
// CHECK-LABEL: func.func @queries(
// CHECK-SAME:      %[[X:.*]]: memref<2x?x8xf32>, %[[Y:.*]]: memref<8x2x?xf32>
// CHECK:         scf.for %[[G:.*]] = %c0 to %c2 step %c1 {
// CHECK:           %[[REST:.*]] = arith.remui %[[N:.*]], %c4
// CHECK:           %[[WHOLE:.*]] = arith.subi %[[N]], %[[REST]]
// CHECK:           scf.for %[[K:.*]] = %c0 to %c8 step %c4 {
// CHECK:             scf.for %[[Q:.*]] = %c0 to %[[WHOLE]] step %c4 {
// CHECK:               %[[ROW0:.*]] = vector.load %[[X]][%[[G]], %[[Q]], %[[K]]] : memref<2x?x8xf32>, vector<4xf32>
// CHECK:               %[[Q1:.*]] = arith.addi %[[Q]], %c1
// CHECK:               %[[ROW1:.*]] = vector.load %[[X]][%[[G]], %[[Q1]], %[[K]]]
// CHECK:               %[[ROW2:.*]] = vector.load
// CHECK:               %[[ROW3:.*]] = vector.load
// CHECK-DAG:           %[[LOW02:.*]] = vector.shuffle %[[ROW0]], %[[ROW2]] [0, 4, 1, 5]
// CHECK-DAG:           %[[LOW13:.*]] = vector.shuffle %[[ROW1]], %[[ROW3]] [0, 4, 1, 5]
// CHECK:               %[[COLUMN0:.*]] = vector.shuffle %[[LOW02]], %[[LOW13]] [0, 4, 1, 5]
// CHECK:               %[[COLUMN1:.*]] = vector.shuffle %[[LOW02]], %[[LOW13]] [2, 6, 3, 7]
// CHECK:               vector.store %[[COLUMN0]], %[[Y]][%[[K]], %[[G]], %[[Q]]] : memref<8x2x?xf32>, vector<4xf32>
// CHECK:               %[[K1:.*]] = arith.addi %[[K]], %c1
// CHECK:               vector.store %[[COLUMN1]], %[[Y]][%[[K1]], %[[G]], %[[Q]]]
// CHECK:           scf.for %[[Q:.*]] = %[[WHOLE]] to %[[N]] step %c1 {
// CHECK:             scf.for %[[K:.*]] = %c0 to %c8 step %c1 {
// CHECK:               %[[ONE:.*]] = memref.load %[[X]][%[[G]], %[[Q]], %[[K]]]
// CHECK:               memref.store %[[ONE]], %[[Y]][%[[K]], %[[G]], %[[Q]]]
func.func @queries(%x: memref<2x?x8xf32>, %y: memref<8x2x?xf32>, %n: index) {
  scf.forall (%i) in (%n) {
    linalg.generic {indexing_maps = [#in, #out], iterator_types = ["parallel", "parallel", "parallel"]}
        ins(%x : memref<2x?x8xf32>) outs(%y : memref<8x2x?xf32>) {
    ^bb0(%p: f32, %o: f32):
      linalg.yield %p : f32
    }
  }
  return
}

// -----

#same = affine_map<(m, n) -> (m, n)>
#swap = affine_map<(m, n) -> (n, m)>

// What stays as it is: a copy in order, one that computes, one of bytes, one of indices, one in
// place, one that repeats what it reads, one of every second element, and one whose rows threads
// should share.
// CHECK-LABEL: func.func @others(
// CHECK-NOT:     vector
// CHECK-COUNT-8: linalg.generic
func.func @others(%x: memref<8x8xf32>, %y: memref<8x8xf32>, %bytes: memref<8x8xi8>, %more: memref<8x8xi8>,
                  %places: memref<8x8xindex>, %others: memref<8x8xindex>, %line: memref<8xf32>,
                  %apart: memref<8x8xf32, strided<[16, 2]>>, %count: index) {
  scf.forall (%i) in (%count) {
    linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel"]}
        ins(%x : memref<8x8xf32>) outs(%y : memref<8x8xf32>) {
    ^bb0(%p: f32, %o: f32):
      linalg.yield %p : f32
    }
    linalg.generic {indexing_maps = [#swap, #same], iterator_types = ["parallel", "parallel"]}
        ins(%x : memref<8x8xf32>) outs(%y : memref<8x8xf32>) {
    ^bb0(%p: f32, %o: f32):
      %twice = arith.addf %p, %p : f32
      linalg.yield %twice : f32
    }
    linalg.generic {indexing_maps = [#swap, #same], iterator_types = ["parallel", "parallel"]}
        ins(%bytes : memref<8x8xi8>) outs(%more : memref<8x8xi8>) {
    ^bb0(%p: i8, %o: i8):
      linalg.yield %p : i8
    }
    linalg.generic {indexing_maps = [#swap, #same], iterator_types = ["parallel", "parallel"]}
        ins(%places : memref<8x8xindex>) outs(%others : memref<8x8xindex>) {
    ^bb0(%p: index, %o: index):
      linalg.yield %p : index
    }
    linalg.generic {indexing_maps = [#swap, #same], iterator_types = ["parallel", "parallel"]}
        ins(%x : memref<8x8xf32>) outs(%x : memref<8x8xf32>) {
    ^bb0(%p: f32, %o: f32):
      linalg.yield %p : f32
    }
    linalg.generic {indexing_maps = [affine_map<(m, n) -> (m)>, #same], iterator_types = ["parallel", "parallel"]}
        ins(%line : memref<8xf32>) outs(%y : memref<8x8xf32>) {
    ^bb0(%p: f32, %o: f32):
      linalg.yield %p : f32
    }
    linalg.generic {indexing_maps = [#swap, #same], iterator_types = ["parallel", "parallel"]}
        ins(%apart : memref<8x8xf32, strided<[16, 2]>>) outs(%y : memref<8x8xf32>) {
    ^bb0(%p: f32, %o: f32):
      linalg.yield %p : f32
    }
  }
  linalg.generic {indexing_maps = [#swap, #same], iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<8x8xf32>) outs(%y : memref<8x8xf32>) {
  ^bb0(%p: f32, %o: f32):
    linalg.yield %p : f32
  }
  return
}

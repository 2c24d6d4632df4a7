// RUN: tern-opt %s --pass-pipeline="builtin.module(func.func(tern-vectorize-short-rows{lanes=4},canonicalize,cse))" --split-input-file | FileCheck %s
// RUN: not tern-opt %s --pass-pipeline="builtin.module(func.func(tern-vectorize-short-rows{lanes=2}))" --split-input-file 2>&1 | FileCheck %s --check-prefix=LANES

// LANES: error: found 2 lanes; expected a power of two from 4 to 64

#row = affine_map<(m, n) -> (m, n)>
#of_n = affine_map<(m, n) -> (n)>

// Maxima of columns: for each row two vectors, which the maxima so far are read and written for.
// CHECK-LABEL: func.func @maxima(
// CHECK-SAME:      %[[X:.*]]: memref<?x8xf32>, %[[Y:.*]]: memref<8xf32>
// CHECK:         scf.forall
// CHECK:           scf.for %[[M:.*]] = %c0 to
// CHECK-NEXT:        %[[X0:.*]] = vector.load %[[X]][%[[M]], %c0] : memref<?x8xf32>, vector<4xf32>
// CHECK-NEXT:        %[[Y0:.*]] = vector.load %[[Y]][%c0]
// CHECK-NEXT:        %[[MAX0:.*]] = arith.maximumf %[[Y0]], %[[X0]] : vector<4xf32>
// CHECK-NEXT:        vector.store %[[MAX0]], %[[Y]][%c0]
// CHECK-NEXT:        %[[X1:.*]] = vector.load %[[X]][%[[M]], %c4]
// CHECK:             vector.store %{{.*}}, %[[Y]][%c4]
func.func @maxima(%x: memref<?x8xf32>, %y: memref<8xf32>, %count: index) {
  scf.forall (%i) in (%count) {
    linalg.generic {indexing_maps = [#row, #of_n], iterator_types = ["reduction", "parallel"]}
        ins(%x : memref<?x8xf32>) outs(%y : memref<8xf32>) {
    ^bb0(%p: f32, %o: f32):
      %m = arith.maximumf %o, %p : f32
      linalg.yield %m : f32
    }
  }
  return
}

// -----

#row = affine_map<(m, n) -> (m, n)>
#of_m = affine_map<(m, n) -> (m)>

// Codes are widened; a scale is read once a row, what the row was is not read; and
// exponentials stay for later.
// CHECK-LABEL: func.func @bodies(
// CHECK-SAME:      %[[X:.*]]: memref<?x4xi8>, %[[S:.*]]: memref<?xf32>, %[[Y:.*]]: memref<?x4xf32>
// CHECK:         scf.for %[[M:.*]] = %c0
// CHECK-NEXT:      %[[CODES:.*]] = vector.load %[[X]][%[[M]], %c0] : memref<?x4xi8>, vector<4xi8>
// CHECK-NEXT:      %[[SCALE:.*]] = memref.load %[[S]][%[[M]]]
// CHECK-NEXT:      %[[SCALES:.*]] = vector.broadcast %[[SCALE]] : f32 to vector<4xf32>
// CHECK-NEXT:      %[[WIDE:.*]] = arith.sitofp %[[CODES]] : vector<4xi8> to vector<4xf32>
// CHECK-NEXT:      %[[PRODUCT:.*]] = arith.mulf %[[WIDE]], %[[SCALES]] : vector<4xf32>
// CHECK-NEXT:      %[[EXP:.*]] = math.exp %[[PRODUCT]] : vector<4xf32>
// CHECK-NEXT:      vector.store %[[EXP]], %[[Y]][%[[M]], %c0]
func.func @bodies(%x: memref<?x4xi8>, %s: memref<?xf32>, %y: memref<?x4xf32>, %count: index) {
  scf.forall (%i) in (%count) {
    linalg.generic {indexing_maps = [#row, #of_m, #row], iterator_types = ["parallel", "parallel"]}
        ins(%x, %s : memref<?x4xi8>, memref<?xf32>) outs(%y : memref<?x4xf32>) {
    ^bb0(%p: i8, %q: f32, %o: f32):
      %f = arith.sitofp %p : i8 to f32
      %r = arith.mulf %f, %q : f32
      %e = math.exp %r : f32
      linalg.yield %e : f32
    }
  }
  return
}

// -----

// Of nine vectors and more as many are written out as eight and their number have in common;
// scf.parallel is a parallel loop too.
// CHECK-LABEL: func.func @many(
// CHECK:         scf.parallel
// CHECK-NOT:       scf.for
// CHECK-COUNT-8:   vector.store
// CHECK:           scf.for %{{.*}} = %c0 to %c48 step %c16 {
// CHECK-COUNT-4:     vector.store
// CHECK-NOT:         vector.store
// CHECK:           scf.for %{{.*}} = %c0 to %c256 step %c32 {
// CHECK-COUNT-8:     vector.store
// CHECK-NOT:         vector.store
func.func @many(%eight: memref<32xf32>, %twelve: memref<48xf32>, %most: memref<256xf32>, %f: f32, %count: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.parallel (%i) = (%c0) to (%count) step (%c1) {
    linalg.fill ins(%f : f32) outs(%eight : memref<32xf32>)
    linalg.fill ins(%f : f32) outs(%twelve : memref<48xf32>)
    linalg.fill ins(%f : f32) outs(%most : memref<256xf32>)
  }
  return
}

// -----

// The last loop's index counts the lanes, another's is the same in all of them; and a
// fill is a row too.
// CHECK-LABEL: func.func @indices(
// CHECK-SAME:      %{{.*}}: memref<?x8xf32>, %[[F:[^:]*]]: f32
// CHECK-DAG:     %[[FOURS:.*]] = arith.constant dense<4> : vector<4xindex>
// CHECK:         scf.for %[[M:.*]] = %c0
// CHECK:           %[[VECTOR:.*]] = vector.broadcast %[[F]] : f32 to vector<4xf32>
// CHECK:           vector.store %[[VECTOR]], %{{.*}}[%[[M]], %c0]
// CHECK:           vector.store %{{.*}}, %{{.*}}[%[[M]], %c4]
// CHECK:         scf.for %[[M:.*]] = %c0
// CHECK:           %[[MS:.*]] = vector.broadcast %[[M]] : index to vector<4xindex>
// CHECK:           %[[STEP:.*]] = vector.step : vector<4xindex>
// CHECK:           arith.cmpi sle, %[[MS]], %[[STEP]] : vector<4xindex>
// CHECK:           %[[NEXT:.*]] = arith.addi %[[STEP]], %[[FOURS]]
// CHECK:           arith.cmpi sle, %[[MS]], %[[NEXT]]
func.func @indices(%y: memref<?x8xf32>, %f: f32, %count: index) {
  scf.forall (%i) in (%count) {
    linalg.fill ins(%f : f32) outs(%y : memref<?x8xf32>)
    linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>], iterator_types = ["parallel", "parallel"]}
        outs(%y : memref<?x8xf32>) {
    ^bb0(%o: f32):
      %m = linalg.index 0 : index
      %n = linalg.index 1 : index
      %c = arith.cmpi sle, %m, %n : index
      %s = arith.select %c, %o, %f : f32
      linalg.yield %s : f32
    }
  }
  return
}

// -----

#row = affine_map<(m, n) -> (m, n)>
#of_m = affine_map<(m, n) -> (m)>

// What stays: rows of no whole vectors, of more than 256 elements, of a length that is not known,
// with functions of the C library, in f64, of bits, of indices, sums along rows, rows that are apart,
// what reads an element that another iteration has written, and loops that threads should share.
// CHECK-LABEL: func.func @others(
// CHECK-NOT:     vector
// CHECK-COUNT-11: linalg.generic
func.func @others(%six: memref<4x6xf32>, %long: memref<4x260xf32>, %bits: memref<4x8xi1>, %places: memref<4x8xindex>, %any: memref<4x?xf32>, %x: memref<4x8xf32>,
                  %wide: memref<4x8xf64>, %sums: memref<4xf32>, %apart: memref<4x8xf32, strided<[16, 2]>>, %count: index) {
  scf.forall (%i) in (%count) {
    linalg.generic {indexing_maps = [#row], iterator_types = ["parallel", "parallel"]} outs(%six : memref<4x6xf32>) {
    ^bb0(%o: f32):
      %t = arith.addf %o, %o : f32
      linalg.yield %t : f32
    }
    linalg.generic {indexing_maps = [#row], iterator_types = ["parallel", "parallel"]} outs(%long : memref<4x260xf32>) {
    ^bb0(%o: f32):
      %t = arith.addf %o, %o : f32
      linalg.yield %t : f32
    }
    linalg.generic {indexing_maps = [#row], iterator_types = ["parallel", "parallel"]} outs(%any : memref<4x?xf32>) {
    ^bb0(%o: f32):
      %t = arith.addf %o, %o : f32
      linalg.yield %t : f32
    }
    linalg.generic {indexing_maps = [#row], iterator_types = ["parallel", "parallel"]} outs(%x : memref<4x8xf32>) {
    ^bb0(%o: f32):
      %t = math.tanh %o : f32
      linalg.yield %t : f32
    }
    linalg.generic {indexing_maps = [#row], iterator_types = ["parallel", "parallel"]} outs(%wide : memref<4x8xf64>) {
    ^bb0(%o: f64):
      %t = arith.addf %o, %o : f64
      linalg.yield %t : f64
    }
    linalg.generic {indexing_maps = [#row], iterator_types = ["parallel", "parallel"]} outs(%bits : memref<4x8xi1>) {
    ^bb0(%o: i1):
      %t = arith.xori %o, %o : i1
      linalg.yield %t : i1
    }
    linalg.generic {indexing_maps = [#row], iterator_types = ["parallel", "parallel"]} outs(%places : memref<4x8xindex>) {
    ^bb0(%o: index):
      %t = arith.addi %o, %o : index
      linalg.yield %t : index
    }
    linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, 0)>, #row], iterator_types = ["parallel", "parallel"]}
        ins(%x : memref<4x8xf32>) outs(%x : memref<4x8xf32>) {
    ^bb0(%p: f32, %o: f32):
      %t = arith.addf %p, %o : f32
      linalg.yield %t : f32
    }
    linalg.generic {indexing_maps = [#row, #of_m], iterator_types = ["parallel", "reduction"]}
        ins(%x : memref<4x8xf32>) outs(%sums : memref<4xf32>) {
    ^bb0(%p: f32, %o: f32):
      %t = arith.addf %p, %o : f32
      linalg.yield %t : f32
    }
    linalg.generic {indexing_maps = [#row], iterator_types = ["parallel", "parallel"]}
        outs(%apart : memref<4x8xf32, strided<[16, 2]>>) {
    ^bb0(%o: f32):
      %t = arith.addf %o, %o : f32
      linalg.yield %t : f32
    }
  }
  linalg.generic {indexing_maps = [#row], iterator_types = ["parallel", "parallel"]} outs(%x : memref<4x8xf32>) {
  ^bb0(%o: f32):
    %t = arith.addf %o, %o : f32
    linalg.yield %t : f32
  }
  return
}

// RUN: tern-opt %s --pass-pipeline="builtin.module(func.func(tern-vectorize-reductions{lanes=16},canonicalize,cse))" | FileCheck %s
// RUN: not tern-opt %s --pass-pipeline="builtin.module(func.func(tern-vectorize-reductions{lanes=2}))" 2>&1 | FileCheck %s --check-prefix=LANES

// LANES: error: found 2 lanes; expected a power of two from 4 to 64

#in = affine_map<(m, k) -> (m, k)>
#out = affine_map<(m, k) -> (m)>

// Four vectors at a time, then one, then what is left, where the mask is off, as minus
// infinity.
// CHECK-LABEL: func.func @maxima(
// CHECK:         %[[NEUTRAL:.*]] = arith.constant dense<0xFF800000> : vector<16xf32>
// CHECK:         scf.parallel
// CHECK:           %[[FOUR:.*]]:4 = scf.for {{.*}} step %c64
// CHECK-COUNT-4:     vector.load
// CHECK-COUNT-3:   arith.maximumf
// CHECK:           scf.for {{.*}} step %c16
// CHECK:           %[[MASK:.*]] = vector.create_mask
// CHECK:           %[[LAST:.*]] = vector.maskedload
// CHECK:           arith.select %[[MASK]], %[[LAST]], %[[NEUTRAL]]
// CHECK:           vector.reduction <maximumf>
// CHECK:           memref.store
func.func @maxima(%x: memref<?x?xf32>, %y: memref<?xf32>) {
  linalg.generic {indexing_maps = [#in, #out], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<?x?xf32>) outs(%y : memref<?xf32>) {
  ^bb0(%p: f32, %o: f32):
    %m = arith.maximumf %p, %o : f32
    linalg.yield %m : f32
  }
  return
}

// The greatest magnitude, by its bits: what the body computes becomes vectors, and
// constants too. 384 is a multiple of 64: nothing is left.
// CHECK-LABEL: func.func @magnitudes(
// CHECK-DAG:     %[[BITS:.*]] = arith.constant dense<2147483647> : vector<16xi32>
// CHECK:         arith.bitcast %{{.*}} : vector<16xf32> to vector<16xi32>
// CHECK:         arith.andi %{{.*}}, %[[BITS]] : vector<16xi32>
// CHECK:         arith.maxsi {{.*}} : vector<16xi32>
// CHECK-NOT:     vector.maskedload
// CHECK:         vector.reduction <maxsi>
// CHECK:         return
func.func @magnitudes(%x: memref<?x384xf32>, %y: memref<?xi32>) {
  %bits = arith.constant 2147483647 : i32
  linalg.generic {indexing_maps = [#in, #out], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<?x384xf32>) outs(%y : memref<?xi32>) {
  ^bb0(%p: f32, %o: i32):
    %b = arith.bitcast %p : f32 to i32
    %a = arith.andi %b, %bits : i32
    %m = arith.maxsi %o, %a : i32
    linalg.yield %m : i32
  }
  return
}

// Sums of floats in their order, of columns, and of what asks for its index stay.
// CHECK-LABEL: func.func @others(
// CHECK-COUNT-3: linalg.generic
// CHECK-NOT:     vector.
// CHECK:         return
func.func @others(%x: memref<4x8xf32>, %y: memref<4xf32>, %z: memref<8xf32>) {
  linalg.generic {indexing_maps = [#in, #out], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<4x8xf32>) outs(%y : memref<4xf32>) {
  ^bb0(%p: f32, %o: f32):
    %s = arith.addf %p, %o : f32
    linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [affine_map<(n, k) -> (k, n)>, #out], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<4x8xf32>) outs(%z : memref<8xf32>) {
  ^bb0(%p: f32, %o: f32):
    %s = arith.maximumf %p, %o : f32
    linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [#in, #out], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<4x8xf32>) outs(%y : memref<4xf32>) {
  ^bb0(%p: f32, %o: f32):
    %i = linalg.index 1 : index
    %c = arith.index_cast %i : index to i32
    %f = arith.sitofp %c : i32 to f32
    %a = arith.mulf %f, %p : f32
    %s = arith.maximumf %a, %o : f32
    linalg.yield %s : f32
  }
  return
}

// A byte of memory holds an i1, a bit of a vector another: how many are set is left
// as it is.
// CHECK-LABEL: func.func @bools(
// CHECK-NOT:     vector.
// CHECK:         linalg.generic
// CHECK:         return
func.func @bools(%x: memref<?x?xi1>, %y: memref<?xi32>) {
  linalg.generic {indexing_maps = [#in, #out], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<?x?xi1>) outs(%y : memref<?xi32>) {
  ^bb0(%p: i1, %o: i32):
    %w = arith.extui %p : i1 to i32
    %s = arith.addi %w, %o : i32
    linalg.yield %s : i32
  }
  return
}

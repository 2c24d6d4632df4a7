// RUN: tern-opt %s --pass-pipeline="builtin.module(func.func(tern-schedule-contractions))" | FileCheck %s

#a = affine_map<(i, j, k) -> (i, k)>
#bt = affine_map<(i, j, k) -> (j, k)>
#b = affine_map<(i, j, k) -> (k, j)>
#c = affine_map<(i, j, k) -> (i, j)>

// CHECK-DAG: #[[A:.*]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-DAG: #[[BT:.*]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-DAG: #[[C:.*]] = affine_map<(d0, d1, d2) -> (d0, d1)>

// Two operands are contiguous in k, and the result, which counts twice, in j, where
// one jumps: the present order stays.
// CHECK-LABEL: func.func @tie_stays(
// CHECK:         linalg.generic {indexing_maps = [#[[A]], #[[BT]], #[[C]]], iterator_types = ["parallel", "parallel", "reduction"]}
// CHECK:           arith.mulf %{{.*}}, %{{.*}} fastmath<contract>
// CHECK-NEXT:      arith.addf %{{.*}}, %{{.*}} fastmath<reassoc,contract>
func.func @tie_stays(%x: tensor<4x8xf32>, %w: tensor<16x8xf32>, %acc: tensor<4x16xf32>) -> tensor<4x16xf32> {
  %0 = linalg.generic {indexing_maps = [#a, #bt, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<4x8xf32>, tensor<16x8xf32>) outs(%acc : tensor<4x16xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %o, %m : f32
    linalg.yield %s : f32
  } -> tensor<4x16xf32>
  return %0 : tensor<4x16xf32>
}

// With W[k, j], three accesses are contiguous in j and one in k: (i, k, j).
// CHECK-LABEL: func.func @columns_innermost(
// CHECK:         linalg.generic {indexing_maps = [#[[C]], #[[BT]], #[[A]]], iterator_types = ["parallel", "reduction", "parallel"]}
func.func @columns_innermost(%x: tensor<4x8xf32>, %w: tensor<8x16xf32>, %acc: tensor<4x16xf32>) -> tensor<4x16xf32> {
  %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<4x8xf32>, tensor<8x16xf32>) outs(%acc : tensor<4x16xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %o, %m : f32
    linalg.yield %s : f32
  } -> tensor<4x16xf32>
  return %0 : tensor<4x16xf32>
}

// A sum over rows is contiguous in k. The result is in i, but jumping from row to
// row for it would not pay.
// CHECK-LABEL: func.func @rows_stay(
// CHECK:         iterator_types = ["parallel", "reduction"]
func.func @rows_stay(%x: tensor<4x8xf32>, %acc: tensor<4xf32>) -> tensor<4xf32> {
  %0 = linalg.generic {indexing_maps = [affine_map<(i, k) -> (i, k)>, affine_map<(i, k) -> (i)>], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<4x8xf32>) outs(%acc : tensor<4xf32>) {
  ^bb0(%p: f32, %o: f32):
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// The body asks for k by its number: the loops stay, the sum is relaxed.
// CHECK-LABEL: func.func @index_stays(
// CHECK:         iterator_types = ["parallel", "parallel", "reduction"]
// CHECK:           linalg.index 2
// CHECK:           arith.addf %{{.*}}, %{{.*}} fastmath<reassoc,contract>
func.func @index_stays(%w: tensor<8x16xf32>, %x: tensor<4x8xf32>, %acc: tensor<4x16xf32>) -> tensor<4x16xf32> {
  %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<4x8xf32>, tensor<8x16xf32>) outs(%acc : tensor<4x16xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %k = linalg.index 2 : index
    %ki = arith.index_cast %k : index to i32
    %f = arith.sitofp %ki : i32 to f32
    %s = arith.addf %o, %f : f32
    linalg.yield %s : f32
  } -> tensor<4x16xf32>
  return %0 : tensor<4x16xf32>
}

// What is quantised on its way into an integer sum keeps its rounding: an fma
// would round x * s + z once, not twice.
// CHECK-LABEL: func.func @integers(
// CHECK:           arith.mulf %{{.*}}, %{{.*}} : f32
// CHECK-NEXT:      arith.addf %{{.*}}, %{{.*}} : f32
// CHECK:           arith.addi %{{.*}}, %{{.*}} : i32
func.func @integers(%x: tensor<4x8xf32>, %s: f32, %z: f32, %acc: tensor<4xi32>) -> tensor<4xi32> {
  %0 = linalg.generic {indexing_maps = [affine_map<(i, k) -> (i, k)>, affine_map<(i, k) -> (i)>], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<4x8xf32>) outs(%acc : tensor<4xi32>) {
  ^bb0(%p: f32, %o: i32):
    %m = arith.mulf %p, %s : f32
    %t = arith.addf %m, %z : f32
    %r = math.roundeven %t : f32
    %q = arith.fptosi %r : f32 to i32
    %n = arith.addi %o, %q : i32
    linalg.yield %n : i32
  } -> tensor<4xi32>
  return %0 : tensor<4xi32>
}

// Nor may what is rounded before a float sum change; a maximum is no sum.
// CHECK-LABEL: func.func @rounded_before(
// CHECK:           arith.mulf %{{.*}}, %{{.*}} : f32
// CHECK-NEXT:      arith.addf %{{.*}}, %{{.*}} : f32
// CHECK-NEXT:      math.roundeven
// CHECK-NEXT:      arith.addf %{{.*}}, %{{.*}} fastmath<reassoc,contract>
// CHECK-NEXT:      arith.maximumf %{{.*}}, %{{.*}} : f32
func.func @rounded_before(%x: tensor<4x8xf32>, %s: f32, %z: f32, %acc: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %0:2 = linalg.generic {indexing_maps = [affine_map<(i, k) -> (i, k)>, affine_map<(i, k) -> (i)>, affine_map<(i, k) -> (i)>], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<4x8xf32>) outs(%acc, %acc : tensor<4xf32>, tensor<4xf32>) {
  ^bb0(%p: f32, %o: f32, %top: f32):
    %m = arith.mulf %p, %s : f32
    %t = arith.addf %m, %z : f32
    %r = math.roundeven %t : f32
    %n = arith.addf %r, %o : f32
    %u = arith.maximumf %top, %r : f32
    linalg.yield %n, %u : f32, f32
  } -> (tensor<4xf32>, tensor<4xf32>)
  return %0#0, %0#1 : tensor<4xf32>, tensor<4xf32>
}

// Without a reduction nothing moves.
// CHECK-LABEL: func.func @elementwise(
// CHECK:         linalg.generic
// CHECK:           arith.addf %{{.*}}, %{{.*}} : f32
func.func @elementwise(%x: tensor<4x8xf32>, %e: tensor<8x4xf32>) -> tensor<8x4xf32> {
  %0 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j, i)>], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x8xf32>) outs(%e : tensor<8x4xf32>) {
  ^bb0(%p: f32, %o: f32):
    %s = arith.addf %p, %o : f32
    linalg.yield %s : f32
  } -> tensor<8x4xf32>
  return %0 : tensor<8x4xf32>
}

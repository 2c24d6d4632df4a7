// RUN: tern-opt %s --tern-outline-repeated-layers=min-operations=4 --tern-bufferize-pipeline | FileCheck %s

// A layer function updates its caller's cache in place: its result disappears,
// and nothing the size of a cache is allocated or copied. Its other result is
// allocated by the caller.

// CHECK-LABEL: func.func private @step_layer(
// CHECK-SAME:      %[[CACHE:arg[0-9]+]]: memref<8x4xf32>
// CHECK-SAME:      %{{arg[0-9]+}}: memref<1x4xf32>) {
// CHECK-NOT:     memref<8x4xf32>
// CHECK:         memref.subview %[[CACHE]]
// CHECK-NOT:     {{memref\.(alloc|copy).*}}memref<8x4xf32>
// CHECK-LABEL: func.func private @step(
// CHECK-SAME:      %{{.*}}: memref<1x4xf32>, %{{.*}}: index, %[[C0:.*]]: memref<8x4xf32>, %[[C1:.*]]: memref<8x4xf32>, %[[C2:.*]]: memref<8x4xf32>) -> memref<1x4xf32> {
// CHECK-NOT:     {{memref\.(alloc|copy).*}}memref<8x4xf32>
// CHECK:         call @step_layer({{.*}}%[[C0]]
// CHECK:         call @step_layer({{.*}}%[[C1]]
// CHECK:         call @step_layer({{.*}}%[[C2]]
// CHECK-NOT:     {{memref\.(alloc|copy).*}}memref<8x4xf32>

#row = affine_map<(d0, d1) -> (d0, d1)>
#all = affine_map<(d0, d1) -> (d0, d1)>
#sum = affine_map<(d0, d1) -> (0, d1)>
func.func private @step(%x: tensor<1x4xf32>, %past: index, %c0: tensor<8x4xf32> {bufferization.writable = true}, %c1: tensor<8x4xf32> {bufferization.writable = true}, %c2: tensor<8x4xf32> {bufferization.writable = true}) -> (tensor<1x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>) {
  %zero = arith.constant 0.0 : f32
  %w0 = arith.constant 1.0 : f32
  %w1 = arith.constant 10.0 : f32
  %w2 = arith.constant 100.0 : f32
  %e0 = tensor.empty() : tensor<1x4xf32>
  %s0 = linalg.generic {indexing_maps = [#row, #row], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<1x4xf32>) outs(%e0 : tensor<1x4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.addf %in, %w0 : f32
    linalg.yield %0 : f32
  } -> tensor<1x4xf32>
  %n0 = tensor.insert_slice %s0 into %c0[%past, 0] [1, 4] [1, 1] : tensor<1x4xf32> into tensor<8x4xf32>
  %f0 = linalg.fill ins(%zero : f32) outs(%e0 : tensor<1x4xf32>) -> tensor<1x4xf32>
  %y0 = linalg.generic {indexing_maps = [#all, #sum], iterator_types = ["reduction", "parallel"]}
      ins(%n0 : tensor<8x4xf32>) outs(%f0 : tensor<1x4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.addf %in, %out : f32
    linalg.yield %0 : f32
  } -> tensor<1x4xf32>
  %e1 = tensor.empty() : tensor<1x4xf32>
  %s1 = linalg.generic {indexing_maps = [#row, #row], iterator_types = ["parallel", "parallel"]}
      ins(%y0 : tensor<1x4xf32>) outs(%e1 : tensor<1x4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.addf %in, %w1 : f32
    linalg.yield %0 : f32
  } -> tensor<1x4xf32>
  %n1 = tensor.insert_slice %s1 into %c1[%past, 0] [1, 4] [1, 1] : tensor<1x4xf32> into tensor<8x4xf32>
  %f1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<1x4xf32>) -> tensor<1x4xf32>
  %y1 = linalg.generic {indexing_maps = [#all, #sum], iterator_types = ["reduction", "parallel"]}
      ins(%n1 : tensor<8x4xf32>) outs(%f1 : tensor<1x4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.addf %in, %out : f32
    linalg.yield %0 : f32
  } -> tensor<1x4xf32>
  %e2 = tensor.empty() : tensor<1x4xf32>
  %s2 = linalg.generic {indexing_maps = [#row, #row], iterator_types = ["parallel", "parallel"]}
      ins(%y1 : tensor<1x4xf32>) outs(%e2 : tensor<1x4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.addf %in, %w2 : f32
    linalg.yield %0 : f32
  } -> tensor<1x4xf32>
  %n2 = tensor.insert_slice %s2 into %c2[%past, 0] [1, 4] [1, 1] : tensor<1x4xf32> into tensor<8x4xf32>
  %f2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<1x4xf32>) -> tensor<1x4xf32>
  %y2 = linalg.generic {indexing_maps = [#all, #sum], iterator_types = ["reduction", "parallel"]}
      ins(%n2 : tensor<8x4xf32>) outs(%f2 : tensor<1x4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.addf %in, %out : f32
    linalg.yield %0 : f32
  } -> tensor<1x4xf32>
  return %y2, %n0, %n1, %n2 : tensor<1x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>
}

// RUN: tern-opt %s --pass-pipeline="builtin.module(func.func(tern-align-loops))" | FileCheck %s

#vector = affine_map<(i) -> (i)>
#id2 = affine_map<(i, j) -> (i, j)>
#row2 = affine_map<(i, j) -> (i)>
#id3 = affine_map<(b, i, j) -> (b, i, j)>
#row3 = affine_map<(b, i, j) -> (b, i)>
#unit3 = affine_map<(b, i, j) -> (b, i, 0)>
#id4 = affine_map<(b, h, i, j) -> (b, h, i, j)>
#heads = affine_map<(b, h, i, j) -> (b, i, h, j)>

// A producer gets the loops of its reader: the reshape is of what it reads.
// CHECK-LABEL: func.func @expanded_producer(
// CHECK-SAME:      %[[X:.*]]: tensor<?x640xi32>, %[[S:.*]]: tensor<?xf32>,
// CHECK-DAG:     %[[X4:.*]] = tensor.expand_shape %[[X]] {{\[}}[0, 1], [2, 3]] {{.*}} : tensor<?x640xi32> into tensor<1x?x5x128xi32>
// CHECK-DAG:     %[[S2:.*]] = tensor.expand_shape %[[S]] {{\[}}[0, 1]] {{.*}} : tensor<?xf32> into tensor<1x?xf32>
// CHECK:         %[[Y:.*]] = linalg.generic {{.*}} ins(%[[X4]], %[[S2]] : tensor<1x?x5x128xi32>, tensor<1x?xf32>)
// CHECK:         linalg.generic {{.*}} ins(%[[Y]] : tensor<1x?x5x128xf32>)
func.func @expanded_producer(%x: tensor<?x640xi32>, %s: tensor<?xf32>, %n: index) -> tensor<1x5x?x128xf32> {
  %e = tensor.empty(%n) : tensor<?x640xf32>
  %y = linalg.generic {indexing_maps = [#id2, #row2, #id2], iterator_types = ["parallel", "parallel"]}
      ins(%x, %s : tensor<?x640xi32>, tensor<?xf32>) outs(%e : tensor<?x640xf32>) {
  ^bb0(%a: i32, %b: f32, %o: f32):
    %f = arith.sitofp %a : i32 to f32
    %m = arith.mulf %f, %b : f32
    linalg.yield %m : f32
  } -> tensor<?x640xf32>
  %h = tensor.expand_shape %y [[0, 1], [2, 3]] output_shape [1, %n, 5, 128] : tensor<?x640xf32> into tensor<1x?x5x128xf32>
  %t = tensor.empty(%n) : tensor<1x5x?x128xf32>
  %z = linalg.generic {indexing_maps = [#heads, #id4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%h : tensor<1x?x5x128xf32>) outs(%t : tensor<1x5x?x128xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  } -> tensor<1x5x?x128xf32>
  return %z : tensor<1x5x?x128xf32>
}

// A reader gets the loops of its producer, and a reduction too, as long as a row
// is one loop; results that others want in the old shape are reshaped.
// CHECK-LABEL: func.func @expanded_readers(
// CHECK:         %[[Y:.*]] = linalg.generic {{.*}} ins(%arg0 : tensor<?x?x8xf32>)
// CHECK:         linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "reduction"]} ins(%[[Y]] : tensor<?x?x8xf32>)
// CHECK:         tensor.collapse_shape %{{.*}} {{\[}}[0, 1]] : tensor<?x?xf32> into tensor<?xf32>
func.func @expanded_readers(%x: tensor<?x?x8xf32>, %init: tensor<?xf32>, %b: index, %n: index) -> tensor<?xf32> {
  %e = tensor.empty(%b, %n) : tensor<?x?x8xf32>
  %y = linalg.generic {indexing_maps = [#id3, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x : tensor<?x?x8xf32>) outs(%e : tensor<?x?x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = arith.negf %a : f32
    linalg.yield %m : f32
  } -> tensor<?x?x8xf32>
  %c = tensor.collapse_shape %y [[0, 1], [2]] : tensor<?x?x8xf32> into tensor<?x8xf32>
  %z = linalg.generic {indexing_maps = [#id2, #row2], iterator_types = ["parallel", "reduction"]}
      ins(%c : tensor<?x8xf32>) outs(%init : tensor<?xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = arith.maximumf %a, %o : f32
    linalg.yield %m : f32
  } -> tensor<?xf32>
  return %z : tensor<?xf32>
}

// A sum over heads and columns would be one of two loops.
// CHECK-LABEL: func.func @row_stays_whole(
// CHECK:         tensor.collapse_shape %{{.*}} {{\[}}[0], [1, 2]] : tensor<4x5x8xf32> into tensor<4x40xf32>
// CHECK:         linalg.generic {{.*}}iterator_types = ["parallel", "reduction"]}
func.func @row_stays_whole(%x: tensor<4x5x8xf32>, %init: tensor<4xf32>) -> tensor<4xf32> {
  %e = tensor.empty() : tensor<4x5x8xf32>
  %y = linalg.generic {indexing_maps = [#id3, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x : tensor<4x5x8xf32>) outs(%e : tensor<4x5x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = arith.negf %a : f32
    linalg.yield %m : f32
  } -> tensor<4x5x8xf32>
  %c = tensor.collapse_shape %y [[0], [1, 2]] : tensor<4x5x8xf32> into tensor<4x40xf32>
  %z = linalg.generic {indexing_maps = [#id2, #row2], iterator_types = ["parallel", "reduction"]}
      ins(%c : tensor<4x40xf32>) outs(%init : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = arith.maximumf %a, %o : f32
    linalg.yield %m : f32
  } -> tensor<4xf32>
  return %z : tensor<4xf32>
}

// A mean that is kept as [b, n, 1] is computed as [b, n]; the batch of 1 stays.
// CHECK-LABEL: func.func @kept_dimension(
// CHECK-NOT:     tensor.expand_shape
// CHECK:         %[[M:.*]] = linalg.generic {{.*}} ins(%{{.*}} : tensor<1x?xf32>)
// CHECK:         %[[R:.*]] = linalg.generic {{.*}} ins(%[[M]] : tensor<1x?xf32>)
// CHECK:         linalg.generic {{.*}} ins(%{{.*}}, %[[R]] : tensor<1x?x8xf32>, tensor<1x?xf32>)
func.func @kept_dimension(%x: tensor<1x?x8xf32>, %sum: tensor<1x?xf32>, %n: index) -> tensor<1x?x8xf32> {
  %e0 = tensor.empty(%n) : tensor<1x?xf32>
  %mean = linalg.generic {indexing_maps = [#id2, #id2], iterator_types = ["parallel", "parallel"]}
      ins(%sum : tensor<1x?xf32>) outs(%e0 : tensor<1x?xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = arith.negf %a : f32
    linalg.yield %m : f32
  } -> tensor<1x?xf32>
  %k = tensor.expand_shape %mean [[0], [1, 2]] output_shape [1, %n, 1] : tensor<1x?xf32> into tensor<1x?x1xf32>
  %e1 = tensor.empty(%n) : tensor<1x?x1xf32>
  %r = linalg.generic {indexing_maps = [#id3, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%k : tensor<1x?x1xf32>) outs(%e1 : tensor<1x?x1xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = math.sqrt %a : f32
    linalg.yield %m : f32
  } -> tensor<1x?x1xf32>
  %e = tensor.empty(%n) : tensor<1x?x8xf32>
  %y = linalg.generic {indexing_maps = [#id3, #unit3, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x, %r : tensor<1x?x8xf32>, tensor<1x?x1xf32>) outs(%e : tensor<1x?x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.divf %a, %b : f32
    linalg.yield %m : f32
  } -> tensor<1x?x8xf32>
  return %y : tensor<1x?x8xf32>
}

// A product keeps the loops that the pass for products knows.
// CHECK-LABEL: func.func @product(
// CHECK:         tensor.collapse_shape
// CHECK:         linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "reduction"]}
func.func @product(%x: tensor<?x?x8xf32>, %w: tensor<16x8xf32>, %init: tensor<?x16xf32>, %b: index, %n: index) -> tensor<?x16xf32> {
  %e = tensor.empty(%b, %n) : tensor<?x?x8xf32>
  %y = linalg.generic {indexing_maps = [#id3, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x : tensor<?x?x8xf32>) outs(%e : tensor<?x?x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = arith.negf %a : f32
    linalg.yield %m : f32
  } -> tensor<?x?x8xf32>
  %c = tensor.collapse_shape %y [[0, 1], [2]] : tensor<?x?x8xf32> into tensor<?x8xf32>
  %z = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%c, %w : tensor<?x8xf32>, tensor<16x8xf32>) outs(%init : tensor<?x16xf32>) {
  ^bb0(%a: f32, %v: f32, %o: f32):
    %p = arith.mulf %a, %v : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<?x16xf32>
  return %z : tensor<?x16xf32>
}

func.func private @declaration(tensor<4xf32>)

// A sum over what was two dimensions stays one loop.
// CHECK-LABEL: func.func @column_sums(
// CHECK:         tensor.collapse_shape
// CHECK:         iterator_types = ["parallel", "reduction"]
func.func @column_sums(%x: tensor<?x?x8xf32>, %init: tensor<8xf32>, %b: index, %n: index) -> tensor<8xf32> {
  %e = tensor.empty(%b, %n) : tensor<?x?x8xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(b, i, j) -> (b, i, j)>, affine_map<(b, i, j) -> (b, i, j)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x : tensor<?x?x8xf32>) outs(%e : tensor<?x?x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = arith.negf %a : f32
    linalg.yield %m : f32
  } -> tensor<?x?x8xf32>
  %c = tensor.collapse_shape %y [[0, 1], [2]] : tensor<?x?x8xf32> into tensor<?x8xf32>
  %z = linalg.generic {indexing_maps = [affine_map<(j,i) -> (i,j)>, affine_map<(j,i)->(j)>], iterator_types = ["parallel", "reduction"]}
      ins(%c : tensor<?x8xf32>) outs(%init : tensor<8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = arith.addf %a, %o : f32
    linalg.yield %m : f32
  } -> tensor<8xf32>
  return %z : tensor<8xf32>
}

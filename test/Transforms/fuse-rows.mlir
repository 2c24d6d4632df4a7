// RUN: tern-opt %s --pass-pipeline="builtin.module(func.func(tern-fuse-rows))" | FileCheck %s

#id1 = affine_map<(i) -> (i)>
#id2 = affine_map<(i, j) -> (i, j)>
#row2 = affine_map<(i, j) -> (i)>
#col2 = affine_map<(i, j) -> (j)>
#swap2 = affine_map<(i, j) -> (j, i)>
#id3 = affine_map<(b, i, j) -> (b, i, j)>
#swap3 = affine_map<(b, i, j) -> (i, b, j)>

// A row goes through all of it; what is used later is computed where it goes,
// and what is not has the size of a row.
// CHECK-LABEL: func.func @norm(
// CHECK-SAME:      %[[X:.*]]: tensor<?x8xf32>, %[[W:.*]]: tensor<8xf32>, %{{.*}}: index)
// CHECK:         %[[Y:.*]] = scf.forall (%[[I:.*]]) in (%{{.*}}) shared_outs(%[[OUT:.*]] = %{{.*}}) -> (tensor<?x8xf32>)
// CHECK:           %[[ROW:.*]] = tensor.extract_slice %[[X]][%[[I]], 0] [1, 8] [1, 1] : tensor<?x8xf32> to tensor<1x8xf32>
// CHECK:           %[[EMPTY:.*]] = tensor.empty() : tensor<1xf32>
// CHECK:           %[[ZERO:.*]] = linalg.generic {{.*}} outs(%[[EMPTY]] : tensor<1xf32>)
// CHECK:           %[[SUM:.*]] = linalg.generic {{.*}} ins(%[[ROW]] : tensor<1x8xf32>) outs(%[[ZERO]] : tensor<1xf32>)
// CHECK:           %[[ROOT:.*]] = linalg.generic {{.*}} ins(%[[SUM]] : tensor<1xf32>) outs(%{{.*}} : tensor<1xf32>)
// CHECK:           %[[WHOLE:.*]] = tensor.extract_slice %[[W]][0] [8] [1]
// CHECK:           %[[PLACE:.*]] = tensor.extract_slice %[[OUT]][%[[I]], 0] [1, 8] [1, 1]
// CHECK:           %[[RESULT:.*]] = linalg.generic {{.*}} ins(%{{.*}}, %[[ROOT]], %[[WHOLE]] : tensor<1x8xf32>, tensor<1xf32>, tensor<8xf32>) outs(%[[PLACE]] : tensor<1x8xf32>)
// CHECK:           scf.forall.in_parallel
// CHECK-NEXT:        tensor.parallel_insert_slice %[[RESULT]] into %[[OUT]][%[[I]], 0] [1, 8] [1, 1]
// CHECK:         return %[[Y]]
func.func @norm(%x: tensor<?x8xf32>, %w: tensor<8xf32>, %n: index) -> tensor<?x8xf32> {
  %zero = arith.constant 0.0 : f32
  %e1 = tensor.empty(%n) : tensor<?xf32>
  %e2 = tensor.empty(%n) : tensor<?x8xf32>
  %fill = linalg.generic {indexing_maps = [#id1], iterator_types = ["parallel"]} outs(%e1 : tensor<?xf32>) {
  ^bb0(%o: f32):
    linalg.yield %zero : f32
  } -> tensor<?xf32>
  %sum = linalg.generic {indexing_maps = [#id2, #row2], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<?x8xf32>) outs(%fill : tensor<?xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = arith.mulf %a, %a : f32
    %s = arith.addf %o, %m : f32
    linalg.yield %s : f32
  } -> tensor<?xf32>
  %root = linalg.generic {indexing_maps = [#id1, #id1], iterator_types = ["parallel"]}
      ins(%sum : tensor<?xf32>) outs(%e1 : tensor<?xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = math.sqrt %a : f32
    linalg.yield %m : f32
  } -> tensor<?xf32>
  %y = linalg.generic {indexing_maps = [#id2, #row2, #col2, #id2], iterator_types = ["parallel", "parallel"]}
      ins(%x, %root, %w : tensor<?x8xf32>, tensor<?xf32>, tensor<8xf32>) outs(%e2 : tensor<?x8xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32, %o: f32):
    %q = arith.divf %a, %b : f32
    %m = arith.mulf %q, %c : f32
    linalg.yield %m : f32
  } -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// A transposition needs all rows: what depends on it is not in the loop. It stood
// in front of the last member, and comes after the loop.
// CHECK-LABEL: func.func @between(
// CHECK-NOT:     linalg.generic
// CHECK:         %[[L:.*]]:3 = scf.forall
// CHECK:         %[[T:.*]] = linalg.generic {{.*}} ins(%[[L]]#1 : tensor<8x8xf32>)
// CHECK:         %[[Z:.*]] = linalg.generic {{.*}} ins(%[[T]], %[[L]]#0 : tensor<8x8xf32>, tensor<8xf32>)
// CHECK:         return %[[L]]#2, %[[Z]]
func.func @between(%x: tensor<8x8xf32>, %init: tensor<8xf32>) -> (tensor<8x8xf32>, tensor<8x8xf32>) {
  %e2 = tensor.empty() : tensor<8x8xf32>
  %max = linalg.generic {indexing_maps = [#id2, #row2], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<8x8xf32>) outs(%init : tensor<8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = arith.maximumf %a, %o : f32
    linalg.yield %m : f32
  } -> tensor<8xf32>
  %sub = linalg.generic {indexing_maps = [#id2, #row2, #id2], iterator_types = ["parallel", "parallel"]}
      ins(%x, %max : tensor<8x8xf32>, tensor<8xf32>) outs(%e2 : tensor<8x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.subf %a, %b : f32
    linalg.yield %m : f32
  } -> tensor<8x8xf32>
  %t = linalg.generic {indexing_maps = [#swap2, #id2], iterator_types = ["parallel", "parallel"]}
      ins(%sub : tensor<8x8xf32>) outs(%e2 : tensor<8x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = math.absf %a : f32
    linalg.yield %m : f32
  } -> tensor<8x8xf32>
  %y = linalg.generic {indexing_maps = [#id2, #id2], iterator_types = ["parallel", "parallel"]}
      ins(%sub : tensor<8x8xf32>) outs(%e2 : tensor<8x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = arith.negf %a : f32
    linalg.yield %m : f32
  } -> tensor<8x8xf32>
  %z = linalg.generic {indexing_maps = [#id2, #row2, #id2], iterator_types = ["parallel", "parallel"]}
      ins(%t, %max : tensor<8x8xf32>, tensor<8xf32>) outs(%e2 : tensor<8x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.divf %a, %b : f32
    linalg.yield %m : f32
  } -> tensor<8x8xf32>
  return %y, %z : tensor<8x8xf32>, tensor<8x8xf32>
}

// Rows may be counted by any dimension of what is read; a reshape that leaves
// them alone is one of a row, and an index is that of the row.
// CHECK-LABEL: func.func @heads(
// CHECK:         scf.forall (%[[I:.*]]) in (6)
// CHECK:           tensor.extract_slice %{{.*}}[0, %[[I]], 0] [2, 1, 4] [1, 1, 1] : tensor<2x6x4xf32> to tensor<2x1x4xf32>
// CHECK:           %[[H:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<1x2x4xf32>)
// CHECK:             arith.index_cast %[[I]]
// CHECK:           %[[C:.*]] = tensor.collapse_shape %[[H]] {{\[}}[0], [1, 2]] : tensor<1x2x4xf32> into tensor<1x8xf32>
// CHECK:           tensor.extract_slice %{{.*}}[%[[I]]] [1] [1]
// CHECK:           linalg.generic {{.*}} ins(%[[C]] : tensor<1x8xf32>) outs(%{{.*}} : tensor<1xf32>)
func.func @heads(%x: tensor<2x6x4xf32>, %init: tensor<6xf32>) -> tensor<6xf32> {
  %e = tensor.empty() : tensor<6x2x4xf32>
  %h = linalg.generic {indexing_maps = [#swap3, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x : tensor<2x6x4xf32>) outs(%e : tensor<6x2x4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %i = linalg.index 0 : index
    %k = arith.index_cast %i : index to i32
    %f = arith.sitofp %k : i32 to f32
    %m = arith.addf %a, %f : f32
    linalg.yield %m : f32
  } -> tensor<6x2x4xf32>
  %c = tensor.collapse_shape %h [[0], [1, 2]] : tensor<6x2x4xf32> into tensor<6x8xf32>
  %max = linalg.generic {indexing_maps = [#id2, #row2], iterator_types = ["parallel", "reduction"]}
      ins(%c : tensor<6x8xf32>) outs(%init : tensor<6xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = arith.maximumf %a, %o : f32
    linalg.yield %m : f32
  } -> tensor<6xf32>
  return %max : tensor<6xf32>
}

// The row of a batch of one is its token's; two dimensions make two loops.
// CHECK-LABEL: func.func @batches(
// CHECK:         scf.forall (%[[I:.*]]) in (6)
// CHECK:           tensor.extract_slice %{{.*}}[0, %[[I]], 0] [1, 1, 4]
// CHECK:         scf.forall (%[[B:.*]], %[[J:.*]]) in (3, 6)
// CHECK:           tensor.extract_slice %{{.*}}[%[[B]], %[[J]], 0] [1, 1, 4]
func.func @batches(%x: tensor<1x6x4xf32>, %y: tensor<3x6x4xf32>, %ix: tensor<1x6xf32>, %iy: tensor<3x6xf32>)
    -> (tensor<1x6xf32>, tensor<3x6xf32>) {
  %ex = tensor.empty() : tensor<1x6x4xf32>
  %ey = tensor.empty() : tensor<3x6x4xf32>
  %0 = linalg.generic {indexing_maps = [#id3, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x : tensor<1x6x4xf32>) outs(%ex : tensor<1x6x4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = arith.negf %a : f32
    linalg.yield %m : f32
  } -> tensor<1x6x4xf32>
  %1 = linalg.generic {indexing_maps = [#id3, affine_map<(b, i, j) -> (b, i)>], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%0 : tensor<1x6x4xf32>) outs(%ix : tensor<1x6xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = arith.maximumf %a, %o : f32
    linalg.yield %m : f32
  } -> tensor<1x6xf32>
  %2 = linalg.generic {indexing_maps = [#id3, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%y : tensor<3x6x4xf32>) outs(%ey : tensor<3x6x4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = arith.negf %a : f32
    linalg.yield %m : f32
  } -> tensor<3x6x4xf32>
  %3 = linalg.generic {indexing_maps = [#id3, affine_map<(b, i, j) -> (b, i)>], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%2 : tensor<3x6x4xf32>) outs(%iy : tensor<3x6xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = arith.maximumf %a, %o : f32
    linalg.yield %m : f32
  } -> tensor<3x6xf32>
  return %1, %3 : tensor<1x6xf32>, tensor<3x6xf32>
}

// Alone, a reduction is a loop already. A product of matrices has two operands,
// and a gather is no arithmetic.
// CHECK-LABEL: func.func @left_alone(
// CHECK-NOT:     scf.forall
// CHECK:         return
func.func @left_alone(%x: tensor<4x8xf32>, %w: tensor<4x8xf32>, %i: tensor<4x8xindex>, %init: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %e = tensor.empty() : tensor<4x8xf32>
  %0 = linalg.generic {indexing_maps = [#id2, #row2], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<4x8xf32>) outs(%init : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = arith.maximumf %a, %o : f32
    linalg.yield %m : f32
  } -> tensor<4xf32>
  %neg = linalg.generic {indexing_maps = [#id2, #id2], iterator_types = ["parallel", "parallel"]}
      ins(%w : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = arith.negf %a : f32
    linalg.yield %m : f32
  } -> tensor<4x8xf32>
  %1 = linalg.generic {indexing_maps = [#id2, #id2, #row2], iterator_types = ["parallel", "reduction"]}
      ins(%x, %neg : tensor<4x8xf32>, tensor<4x8xf32>) outs(%init : tensor<4xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %p = arith.mulf %a, %b : f32
    %m = arith.addf %p, %o : f32
    linalg.yield %m : f32
  } -> tensor<4xf32>
  %gather = linalg.generic {indexing_maps = [#id2, #id2], iterator_types = ["parallel", "parallel"]}
      ins(%i : tensor<4x8xindex>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%a: index, %o: f32):
    %m = tensor.extract %x[%a, %a] : tensor<4x8xf32>
    linalg.yield %m : f32
  } -> tensor<4x8xf32>
  %2 = linalg.generic {indexing_maps = [#id2, #row2], iterator_types = ["parallel", "reduction"]}
      ins(%gather : tensor<4x8xf32>) outs(%init : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = arith.maximumf %a, %o : f32
    linalg.yield %m : f32
  } -> tensor<4xf32>
  return %0, %1, %2 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// An assertion on a member's result would have to wait for the whole loop.
// CHECK-LABEL: func.func @asserted(
// CHECK-NOT:     scf.forall
// CHECK:         return
func.func @asserted(%x: tensor<4x8xf32>, %init: tensor<4xf32>) -> tensor<4x8xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x8xf32>
  %0 = linalg.generic {indexing_maps = [#id2, #row2], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<4x8xf32>) outs(%init : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = arith.maximumf %a, %o : f32
    linalg.yield %m : f32
  } -> tensor<4xf32>
  %first = tensor.extract %0[%c0] : tensor<4xf32>
  %positive = arith.cmpf ogt, %first, %zero : f32
  cf.assert %positive, "not positive"
  %1 = linalg.generic {indexing_maps = [#id2, #row2, #id2], iterator_types = ["parallel", "parallel"]}
      ins(%x, %0 : tensor<4x8xf32>, tensor<4xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.divf %a, %b : f32
    linalg.yield %m : f32
  } -> tensor<4x8xf32>
  return %1 : tensor<4x8xf32>
}

func.func private @declaration(tensor<4xf32>)

// A reshape whose result one member reads in its row, and another in a row of its
// own, stays outside.
// CHECK-LABEL: func.func @reads_of_two_rows(
// CHECK:         %[[E:.*]] = tensor.expand_shape
// CHECK:         scf.forall
// CHECK-NOT:       tensor.expand_shape
// CHECK:           tensor.extract_slice %[[E]][%{{.*}}, 0, 0] [1, 1, 2]
// CHECK:           tensor.extract_slice %[[E]][0, 0, 0] [%{{.*}}, 1, 2]
func.func @reads_of_two_rows(%x: tensor<?x4xf32>, %q: tensor<?x2xf32>, %n: index) -> tensor<?x?x1x2xf32> {
  %z = arith.constant 0.0 : f32
  %e1 = tensor.empty(%n) : tensor<?xf32>
  %fz = linalg.generic {indexing_maps=[affine_map<(d0)->(d0)>], iterator_types=["parallel"]} outs(%e1: tensor<?xf32>) {^bb0(%o: f32): linalg.yield %z : f32} -> tensor<?xf32>
  %e22 = tensor.empty(%n) : tensor<?x2xf32>
  %p = linalg.generic {indexing_maps=[affine_map<(d0,d1)->(d0,d1)>,affine_map<(d0,d1)->(d0,d1)>], iterator_types=["parallel","parallel"]} ins(%q: tensor<?x2xf32>) outs(%e22: tensor<?x2xf32>) {^bb0(%a: f32,%o: f32): %m = arith.mulf %a, %a : f32 
 linalg.yield %m : f32} -> tensor<?x2xf32>
  %p3 = tensor.expand_shape %p [[0],[1,2]] output_shape [%n,1,2] : tensor<?x2xf32> into tensor<?x1x2xf32>
  %s = linalg.generic {indexing_maps=[affine_map<(d0,d1)->(d0,d1)>,affine_map<(d0,d1)->(d0)>], iterator_types=["parallel","reduction"]} ins(%x: tensor<?x4xf32>) outs(%fz: tensor<?xf32>) {^bb0(%a: f32,%o: f32): %m = arith.addf %a, %o : f32 
 linalg.yield %m : f32} -> tensor<?xf32>
  %e2 = tensor.empty(%n) : tensor<?x1x2xf32>
  %a = linalg.generic {indexing_maps=[affine_map<(d0,d1,d2)->(d0)>,affine_map<(d0,d1,d2)->(d0,d1,d2)>,affine_map<(d0,d1,d2)->(d0,d1,d2)>], iterator_types=["parallel","parallel","parallel"]} ins(%s, %p3: tensor<?xf32>, tensor<?x1x2xf32>) outs(%e2: tensor<?x1x2xf32>) {^bb0(%a: f32,%b: f32,%o: f32): %m = arith.mulf %a, %b : f32 
 linalg.yield %m : f32} -> tensor<?x1x2xf32>
  %e3 = tensor.empty(%n,%n) : tensor<?x?x1x2xf32>
  %b = linalg.generic {indexing_maps=[affine_map<(d0,d1,d2,d3)->(d0,d2,d3)>,affine_map<(d0,d1,d2,d3)->(d1,d2,d3)>,affine_map<(d0,d1,d2,d3)->(d0,d1,d2,d3)>], iterator_types=["parallel","parallel","parallel","parallel"]} ins(%a, %p3: tensor<?x1x2xf32>, tensor<?x1x2xf32>) outs(%e3: tensor<?x?x1x2xf32>) {^bb0(%a1: f32,%b1: f32,%o: f32): %m = arith.mulf %a1, %b1 : f32 
 linalg.yield %m : f32} -> tensor<?x?x1x2xf32>
  %ee = tensor.empty(%n) : tensor<?x4xf32>
  return %b : tensor<?x?x1x2xf32>
}

// So does one that a member's results start from.
// CHECK-LABEL: func.func @starts_from_reshape(
// CHECK:         %[[E:.*]] = tensor.expand_shape
// CHECK:         scf.forall
// CHECK-NOT:       tensor.expand_shape
// CHECK:         return
func.func @starts_from_reshape(%x: tensor<4x8xf32>, %z: tensor<4xf32>, %q: tensor<4x2xf32>, %e22: tensor<4x2xf32>, %e2: tensor<4x1x2xf32>) -> (tensor<4x1x2xf32>, tensor<4x1x2xf32>) {
  %p = linalg.generic {indexing_maps=[affine_map<(d0,d1)->(d0,d1)>,affine_map<(d0,d1)->(d0,d1)>], iterator_types=["parallel","parallel"]} ins(%q: tensor<4x2xf32>) outs(%e22: tensor<4x2xf32>) {
  ^bb0(%a: f32,%o: f32):
    %m = arith.mulf %a, %a : f32 
    linalg.yield %m : f32
  } -> tensor<4x2xf32>
  %p3 = tensor.expand_shape %p [[0],[1,2]] output_shape [4,1,2] : tensor<4x2xf32> into tensor<4x1x2xf32>
  %s = linalg.generic {indexing_maps=[affine_map<(d0,d1)->(d0,d1)>,affine_map<(d0,d1)->(d0)>], iterator_types=["parallel","reduction"]} ins(%x: tensor<4x8xf32>) outs(%z: tensor<4xf32>) {
  ^bb0(%a: f32,%o: f32):
    %m = arith.addf %a, %o : f32 
    linalg.yield %m : f32
  } -> tensor<4xf32>
  %a = linalg.generic {indexing_maps=[affine_map<(d0,d1,d2)->(d0)>,affine_map<(d0,d1,d2)->(d0,d1,d2)>,affine_map<(d0,d1,d2)->(d0,d1,d2)>], iterator_types=["parallel","parallel","parallel"]} ins(%s, %p3: tensor<4xf32>, tensor<4x1x2xf32>) outs(%e2: tensor<4x1x2xf32>) {
  ^bb0(%a: f32,%b: f32,%o: f32):
    %m = arith.mulf %a, %b : f32 
    linalg.yield %m : f32
  } -> tensor<4x1x2xf32>
  %b = linalg.generic {indexing_maps=[affine_map<(d0,d1,d2)->(d0,d1,d2)>,affine_map<(d0,d1,d2)->(d0,d1,d2)>], iterator_types=["parallel","parallel","parallel"]} ins(%a: tensor<4x1x2xf32>) outs(%p3: tensor<4x1x2xf32>) {
  ^bb0(%a1: f32,%o: f32):
    %m = arith.addf %a1, %o : f32 
    linalg.yield %m : f32
  } -> tensor<4x1x2xf32>
  return %a, %b : tensor<4x1x2xf32>, tensor<4x1x2xf32>
}

// A size that is known says more than one that is not.
// CHECK-LABEL: func.func @one_row(
// CHECK:         scf.forall (%{{.*}}) in (1)
// CHECK:           tensor.extract_slice %{{.*}}[0, 0] [1, 8]
// CHECK:         return
func.func @one_row(%x: tensor<?x8xf32>, %y: tensor<1x8xf32>, %z: tensor<?xf32>, %e: tensor<1x8xf32>) -> (tensor<1x8xf32>) {
  %s = linalg.generic {indexing_maps=[affine_map<(d0,d1)->(d0,d1)>,affine_map<(d0,d1)->(d0)>], iterator_types=["parallel","reduction"]} ins(%x: tensor<?x8xf32>) outs(%z: tensor<?xf32>) {
  ^bb0(%a: f32,%o: f32):
    %m = arith.addf %a, %o : f32 
    linalg.yield %m : f32
  } -> tensor<?xf32>
  %b = linalg.generic {indexing_maps=[affine_map<(d0,d1)->(d0)>,affine_map<(d0,d1)->(d0,d1)>,affine_map<(d0,d1)->(d0,d1)>], iterator_types=["parallel","parallel"]} ins(%s, %y: tensor<?xf32>, tensor<1x8xf32>) outs(%e: tensor<1x8xf32>) {
  ^bb0(%a: f32,%b1: f32, %o: f32):
    %m = arith.addf %a, %b1 : f32 
    linalg.yield %m : f32
  } -> tensor<1x8xf32>
  return %b : tensor<1x8xf32>
}

// What yields what it starts from is no fill, to be done again from nothing.
// CHECK-LABEL: func.func @starts_from_own(
// CHECK-SAME:    tensor<4x8xf32>, %[[Z:[^:]*]]: tensor<4xf32>
// CHECK:         %[[F:.*]] = linalg.generic {{.*}} outs(%[[Z]] :
// CHECK:         scf.forall
// CHECK:           tensor.extract_slice %[[F]]
func.func @starts_from_own(%x: tensor<4x8xf32>, %z: tensor<4xf32>, %e: tensor<4x8xf32>) -> (tensor<4x8xf32>) {
  %f = linalg.generic {indexing_maps=[affine_map<(d0)->(d0)>], iterator_types=["parallel"]} outs(%z: tensor<4xf32>) {
  ^bb0(%o: f32):
    linalg.yield %o : f32
  } -> tensor<4xf32>
  %s = linalg.generic {indexing_maps=[affine_map<(d0,d1)->(d0,d1)>,affine_map<(d0,d1)->(d0)>], iterator_types=["parallel","reduction"]} ins(%x: tensor<4x8xf32>) outs(%f: tensor<4xf32>) {
  ^bb0(%a: f32,%o: f32):
    %m = arith.addf %a, %o : f32 
    linalg.yield %m : f32
  } -> tensor<4xf32>
  %b = linalg.generic {indexing_maps=[affine_map<(d0,d1)->(d0)>,affine_map<(d0,d1)->(d0,d1)>,affine_map<(d0,d1)->(d0,d1)>], iterator_types=["parallel","parallel"]} ins(%s, %x: tensor<4xf32>, tensor<4x8xf32>) outs(%e: tensor<4x8xf32>) {
  ^bb0(%a: f32,%b1: f32, %o: f32):
    %m = arith.addf %a, %b1 : f32 
    linalg.yield %m : f32
  } -> tensor<4x8xf32>
  return %b : tensor<4x8xf32>
}

// Rows without elements: a slice of one would begin beyond its end.
// CHECK-LABEL: func.func @empty_rows(
// CHECK-NOT:     scf.forall
// CHECK-COUNT-2: linalg.generic
// CHECK:         return
func.func @empty_rows(%x: tensor<2x0xf32>, %max: tensor<2xf32>) -> tensor<2x0xf32> {
  %m = linalg.generic {indexing_maps = [#id2, #row2], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<2x0xf32>) outs(%max : tensor<2xf32>) {
  ^bb0(%in: f32, %out: f32):
    %larger = arith.maximumf %out, %in : f32
    linalg.yield %larger : f32
  } -> tensor<2xf32>
  %empty = tensor.empty() : tensor<2x0xf32>
  %y = linalg.generic {indexing_maps = [#id2, #row2, #id2], iterator_types = ["parallel", "parallel"]}
      ins(%x, %m : tensor<2x0xf32>, tensor<2xf32>) outs(%empty : tensor<2x0xf32>) {
  ^bb0(%in: f32, %most: f32, %out: f32):
    %less = arith.subf %in, %most : f32
    linalg.yield %less : f32
  } -> tensor<2x0xf32>
  return %y : tensor<2x0xf32>
}

// RUN: tern-opt %s --pass-pipeline="builtin.module(func.func(tern-split-concats))" | FileCheck %s

#id = affine_map<(d0, d1) -> (d0, d1)>
#swap = affine_map<(d0, d1) -> (d1, d0)>
#row = affine_map<(d0, d1) -> (d1)>

// Halves of heads, rotated: the product that gives them is computed in both loops,
// of the codes where they lie; so is the negation in the one that needs it.
// CHECK-LABEL: func.func @rotary(
// CHECK-SAME:      %[[SUMS:.*]]: tensor<128x?xi32>, %[[COS:.*]]: tensor<128xf32>, %[[SIN:.*]]: tensor<?x128xf32>, %[[N:.*]]: index)
// CHECK-NOT:     linalg.generic
// CHECK:         %[[Y:.*]] = tensor.empty(%[[N]]) : tensor<?x128xf32>
// CHECK-DAG:     %[[XL:.*]] = tensor.extract_slice %[[SUMS]][0, 0] [64, %{{.*}}] [1, 1]
// CHECK-DAG:     %[[CL:.*]] = tensor.extract_slice %[[COS]][0] [64] [1]
// CHECK-DAG:     %[[XH:.*]] = tensor.extract_slice %[[SUMS]][64, 0] [64, %{{.*}}] [1, 1]
// CHECK-DAG:     %[[SL:.*]] = tensor.extract_slice %[[SIN]][0, 0] [%{{.*}}, 64] [1, 1]
// CHECK-DAG:     %[[OUT:.*]] = tensor.extract_slice %[[Y]][0, 0] [%[[N]], 64] [1, 1]
// CHECK:         %[[L:.*]] = linalg.generic
// CHECK-SAME:      ins(%[[XL]], %[[CL]], %[[XH]], %[[SL]] : tensor<64x?xi32>, tensor<64xf32>, tensor<64x?xi32>, tensor<?x64xf32>) outs(%[[OUT]] :
// CHECK-NEXT:    ^bb0(%[[I:.*]]: i32, %[[C:.*]]: f32, %[[J:.*]]: i32, %[[S:.*]]: f32, %{{.*}}: f32):
// CHECK-NEXT:      %[[F:.*]] = arith.sitofp %[[I]]
// CHECK-NEXT:      %[[G:.*]] = arith.sitofp %[[J]]
// CHECK-NEXT:      %[[H:.*]] = arith.negf %[[G]]
// CHECK-NEXT:      %[[A:.*]] = arith.mulf %[[F]], %[[C]]
// CHECK-NEXT:      %[[B:.*]] = arith.mulf %[[H]], %[[S]]
// CHECK-NEXT:      arith.addf %[[A]], %[[B]]
// CHECK:         %[[YL:.*]] = tensor.insert_slice %[[L]] into %[[Y]][0, 0] [%[[N]], 64] [1, 1]
// CHECK:         %[[OUT2:.*]] = tensor.extract_slice %[[YL]][0, 64] [%[[N]], 64] [1, 1]
// CHECK:         %[[U:.*]] = linalg.generic
// CHECK-SAME:      outs(%[[OUT2]] :
// CHECK-NEXT:    ^bb0(%[[I:.*]]: i32, %[[C:.*]]: f32, %[[J:.*]]: i32, %[[S:.*]]: f32, %{{.*}}: f32):
// CHECK-NEXT:      %[[F:.*]] = arith.sitofp %[[I]]
// CHECK-NEXT:      %[[G:.*]] = arith.sitofp %[[J]]
// CHECK-NEXT:      %[[A:.*]] = arith.mulf %[[F]], %[[C]]
// CHECK-NEXT:      %[[B:.*]] = arith.mulf %[[G]], %[[S]]
// CHECK-NEXT:      arith.addf %[[A]], %[[B]]
// CHECK:         %[[R:.*]] = tensor.insert_slice %[[U]] into %[[YL]][0, 64] [%[[N]], 64] [1, 1]
// CHECK:         return %[[R]]
func.func @rotary(%sums: tensor<128x?xi32>, %cos: tensor<128xf32>, %sin: tensor<?x128xf32>, %n: index) -> tensor<?x128xf32> {
  %e = tensor.empty(%n) : tensor<?x128xf32>
  %x = linalg.generic {indexing_maps = [#swap, #id], iterator_types = ["parallel", "parallel"]} ins(%sums : tensor<128x?xi32>) outs(%e : tensor<?x128xf32>) {
  ^bb0(%in: i32, %out: f32):
    %0 = arith.sitofp %in : i32 to f32
    linalg.yield %0 : f32
  } -> tensor<?x128xf32>
  %low = tensor.extract_slice %x[0, 0] [%n, 64] [1, 1] : tensor<?x128xf32> to tensor<?x64xf32>
  %high = tensor.extract_slice %x[0, 64] [%n, 64] [1, 1] : tensor<?x128xf32> to tensor<?x64xf32>
  %h = tensor.empty(%n) : tensor<?x64xf32>
  %negated = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%high : tensor<?x64xf32>) outs(%h : tensor<?x64xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.negf %in : f32
    linalg.yield %0 : f32
  } -> tensor<?x64xf32>
  %first = tensor.insert_slice %negated into %e[0, 0] [%n, 64] [1, 1] : tensor<?x64xf32> into tensor<?x128xf32>
  %rotated = tensor.insert_slice %low into %first[0, 64] [%n, 64] [1, 1] : tensor<?x64xf32> into tensor<?x128xf32>
  %y = linalg.generic {indexing_maps = [#id, #row, #id, #id, #id], iterator_types = ["parallel", "parallel"]} ins(%x, %cos, %rotated, %sin : tensor<?x128xf32>, tensor<128xf32>, tensor<?x128xf32>, tensor<?x128xf32>) outs(%e : tensor<?x128xf32>) {
  ^bb0(%a: f32, %c: f32, %b: f32, %s: f32, %out: f32):
    %0 = arith.mulf %a, %c : f32
    %1 = arith.mulf %b, %s : f32
    %2 = arith.addf %0, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<?x128xf32>
  return %y : tensor<?x128xf32>
}

// What is returned too is computed once, and read; an exponential is not short.
// CHECK-LABEL: func.func @kept(
// CHECK:         %[[X:.*]] = linalg.generic {{.*}} ins(%arg0
// CHECK:         %[[P:.*]] = linalg.generic {{.*}} ins(%arg1
// CHECK:           math.exp
// CHECK-DAG:     %[[XL:.*]] = tensor.extract_slice %[[X]][0, 0]
// CHECK:         linalg.generic {{.*}} ins(%[[P]], %[[XL]] :
// CHECK-DAG:     %[[XH:.*]] = tensor.extract_slice %[[X]][0, 4]
// CHECK:         linalg.generic {{.*}} ins(%arg1, %[[XH]] :
// CHECK:         return %{{.*}}, %[[X]]
func.func @kept(%a: tensor<2x8xf32>, %b: tensor<2x4xf32>) -> (tensor<2x8xf32>, tensor<2x8xf32>) {
  %e = tensor.empty() : tensor<2x8xf32>
  %x = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%a : tensor<2x8xf32>) outs(%e : tensor<2x8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.negf %in : f32
    linalg.yield %0 : f32
  } -> tensor<2x8xf32>
  %h = tensor.empty() : tensor<2x4xf32>
  %p = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%b : tensor<2x4xf32>) outs(%h : tensor<2x4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = math.exp %in : f32
    linalg.yield %0 : f32
  } -> tensor<2x4xf32>
  %1 = tensor.insert_slice %b into %e[0, 4] [2, 4] [1, 1] : tensor<2x4xf32> into tensor<2x8xf32>
  %c = tensor.insert_slice %p into %1[0, 0] [2, 4] [1, 1] : tensor<2x4xf32> into tensor<2x8xf32>
  %y = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]} ins(%c, %x : tensor<2x8xf32>, tensor<2x8xf32>) outs(%e : tensor<2x8xf32>) {
  ^bb0(%l: f32, %r: f32, %out: f32):
    %0 = arith.addf %l, %r : f32
    linalg.yield %0 : f32
  } -> tensor<2x8xf32>
  return %y, %x : tensor<2x8xf32>, tensor<2x8xf32>
}

// Unequal parts, three, a part missing, contents below, rows that are not all, and
// a concatenation that others read: they stay.
// CHECK-LABEL: func.func @others(
// CHECK-COUNT-6: linalg.generic {{.*}} ins(%{{.*}} : tensor<2x12xf32>)
// CHECK-NOT:     linalg.generic
func.func @others(%a: tensor<2x6xf32>, %b: tensor<2x4xf32>, %t: tensor<2x12xf32>, %u: tensor<1x6xf32>)
    -> (tensor<2x12xf32>, tensor<2x12xf32>, tensor<2x12xf32>, tensor<2x12xf32>, tensor<2x12xf32>, tensor<2x12xf32>, tensor<2x12xf32>) {
  %e = tensor.empty() : tensor<2x12xf32>
  %a1 = tensor.insert_slice %t into %e[0, 0] [2, 12] [1, 1] : tensor<2x12xf32> into tensor<2x12xf32>
  %a0 = tensor.insert_slice %b into %a1[0, 0] [2, 4] [1, 1] : tensor<2x4xf32> into tensor<2x12xf32>
  %y0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%a0 : tensor<2x12xf32>) outs(%e : tensor<2x12xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.negf %in : f32
    linalg.yield %0 : f32
  } -> tensor<2x12xf32>
  %b0 = tensor.insert_slice %b into %e[0, 0] [2, 4] [1, 1] : tensor<2x4xf32> into tensor<2x12xf32>
  %b1 = tensor.insert_slice %b into %b0[0, 4] [2, 4] [1, 1] : tensor<2x4xf32> into tensor<2x12xf32>
  %b2 = tensor.insert_slice %b into %b1[0, 8] [2, 4] [1, 1] : tensor<2x4xf32> into tensor<2x12xf32>
  %y1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%b2 : tensor<2x12xf32>) outs(%e : tensor<2x12xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.negf %in : f32
    linalg.yield %0 : f32
  } -> tensor<2x12xf32>
  %c0 = tensor.insert_slice %a into %e[0, 6] [2, 6] [1, 1] : tensor<2x6xf32> into tensor<2x12xf32>
  %y2 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%c0 : tensor<2x12xf32>) outs(%e : tensor<2x12xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.negf %in : f32
    linalg.yield %0 : f32
  } -> tensor<2x12xf32>
  %d0 = tensor.insert_slice %a into %t[0, 0] [2, 6] [1, 1] : tensor<2x6xf32> into tensor<2x12xf32>
  %d1 = tensor.insert_slice %a into %d0[0, 6] [2, 6] [1, 1] : tensor<2x6xf32> into tensor<2x12xf32>
  %y3 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%d1 : tensor<2x12xf32>) outs(%e : tensor<2x12xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.negf %in : f32
    linalg.yield %0 : f32
  } -> tensor<2x12xf32>
  %f0 = tensor.insert_slice %u into %e[0, 0] [1, 6] [1, 1] : tensor<1x6xf32> into tensor<2x12xf32>
  %f1 = tensor.insert_slice %a into %f0[0, 6] [2, 6] [1, 1] : tensor<2x6xf32> into tensor<2x12xf32>
  %y4 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%f1 : tensor<2x12xf32>) outs(%e : tensor<2x12xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.negf %in : f32
    linalg.yield %0 : f32
  } -> tensor<2x12xf32>
  %g0 = tensor.insert_slice %a into %e[0, 0] [2, 6] [1, 1] : tensor<2x6xf32> into tensor<2x12xf32>
  %g1 = tensor.insert_slice %a into %g0[0, 6] [2, 6] [1, 1] : tensor<2x6xf32> into tensor<2x12xf32>
  %y5 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%g1 : tensor<2x12xf32>) outs(%e : tensor<2x12xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.negf %in : f32
    linalg.yield %0 : f32
  } -> tensor<2x12xf32>
  return %y0, %y1, %y2, %y3, %y4, %y5, %g1 : tensor<2x12xf32>, tensor<2x12xf32>, tensor<2x12xf32>, tensor<2x12xf32>, tensor<2x12xf32>, tensor<2x12xf32>, tensor<2x12xf32>
}

// A slice that is read along the columns, which are cut, and in a column of its
// own, which is not: that one is still the slice's.
// CHECK-LABEL: func.func @two_maps(
// CHECK-SAME:      %[[Z:.*]]: tensor<4x2xf32>)
// CHECK:         %[[SLICE:.*]] = tensor.extract_slice %[[Z]][0, 1] [4, 1] [1, 1]
// CHECK:         %[[CUT:.*]] = tensor.extract_slice %[[Z]][0, 1] [4, 1] [1, 1]
// CHECK:         linalg.generic {{.*}} ins(%[[CUT]], %[[SLICE]], %{{.*}} : tensor<4x1xf32>, tensor<4x1xf32>, tensor<4x1xf32>)
// CHECK:           arith.subf
#col = affine_map<(d0, d1) -> (d0, 0)>
func.func @two_maps(%z: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %s = tensor.extract_slice %z[0, 1] [4, 1] [1, 1] : tensor<4x2xf32> to tensor<4x1xf32>
  %l = tensor.extract_slice %z[0, 0] [4, 1] [1, 1] : tensor<4x2xf32> to tensor<4x1xf32>
  %e1 = tensor.empty() : tensor<4x1xf32>
  %n = linalg.generic {indexing_maps = [#id, #col, #id], iterator_types = ["parallel", "parallel"]}
    ins(%s, %s : tensor<4x1xf32>, tensor<4x1xf32>) outs(%e1 : tensor<4x1xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %r = arith.subf %a, %b : f32
    linalg.yield %r : f32
  } -> tensor<4x1xf32>
  %e = tensor.empty() : tensor<4x2xf32>
  %i = tensor.insert_slice %n into %e[0, 0] [4, 1] [1, 1] : tensor<4x1xf32> into tensor<4x2xf32>
  %c = tensor.insert_slice %l into %i[0, 1] [4, 1] [1, 1] : tensor<4x1xf32> into tensor<4x2xf32>
  %y = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
    ins(%c, %z : tensor<4x2xf32>, tensor<4x2xf32>) outs(%e : tensor<4x2xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %r = arith.addf %a, %b : f32
    linalg.yield %r : f32
  } -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// One part of more than there is memory for places of.
// CHECK-LABEL: func.func @places(
// CHECK:         linalg.generic {{.*}} outs(%{{.*}} : tensor<1099511627777xf32>)
func.func @places(%x: tensor<1xf32>) -> tensor<1099511627777xf32> {
  %e = tensor.empty() : tensor<1099511627777xf32>
  %c = tensor.insert_slice %x into %e[0] [1] [1] : tensor<1xf32> into tensor<1099511627777xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
    ins(%c : tensor<1099511627777xf32>) outs(%e : tensor<1099511627777xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.addf %a, %a : f32
    linalg.yield %r : f32
  } -> tensor<1099511627777xf32>
  return %y : tensor<1099511627777xf32>
}

// The same, read in rows as well.
// CHECK-LABEL: func.func @transposed_too(
// CHECK-SAME:      %[[X:.*]]: tensor<4x8xf32>)
// CHECK:         %[[SLICE:.*]] = tensor.extract_slice %[[X]][0, 4] [4, 4] [1, 1]
// CHECK:         %[[CUT:.*]] = tensor.extract_slice %[[X]][0, 4] [4, 4] [1, 1]
// CHECK:         linalg.generic {{.*}} ins(%[[CUT]], %[[SLICE]], %{{.*}} : tensor<4x4xf32>
func.func @transposed_too(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %s = tensor.extract_slice %x[0, 4] [4, 4] [1, 1] : tensor<4x8xf32> to tensor<4x4xf32>
  %l = tensor.extract_slice %x[0, 0] [4, 4] [1, 1] : tensor<4x8xf32> to tensor<4x4xf32>
  %e4 = tensor.empty() : tensor<4x4xf32>
  %n = linalg.generic {indexing_maps = [#id, #swap, #id], iterator_types = ["parallel", "parallel"]}
    ins(%s, %s : tensor<4x4xf32>, tensor<4x4xf32>) outs(%e4 : tensor<4x4xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %r = arith.subf %a, %b : f32
    linalg.yield %r : f32
  } -> tensor<4x4xf32>
  %e = tensor.empty() : tensor<4x8xf32>
  %i = tensor.insert_slice %n into %e[0, 0] [4, 4] [1, 1] : tensor<4x4xf32> into tensor<4x8xf32>
  %c = tensor.insert_slice %l into %i[0, 4] [4, 4] [1, 1] : tensor<4x4xf32> into tensor<4x8xf32>
  %y = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
    ins(%c, %x : tensor<4x8xf32>, tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %r = arith.addf %a, %b : f32
    linalg.yield %r : f32
  } -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}

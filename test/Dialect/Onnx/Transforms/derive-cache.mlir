// RUN: tern-opt %s --onnx-derive-step=context=8 --split-input-file --verify-diagnostics | FileCheck %s

// A graph without a cache gets one for each attention. Positions, wherever they
// come from, start behind the past; tables are cut there; the rest stays.
// CHECK-LABEL: func.func @main(
// CHECK:         onnx.node "Range"
// CHECK-LABEL: func.func private @step(
// CHECK-SAME:    %[[IDS:.*]]: tensor<1x?xi64>, %[[PAST:.*]]: index, %[[N:.*]]: index, %[[KB:.*]]: tensor<1x2x8x4xf32> {bufferization.writable = true}, %[[VB:.*]]: tensor<1x2x8x4xf32>
// CHECK:         %[[COUNT:.*]] = tensor.dim %[[IDS]]
// CHECK:         %[[TOTAL:.*]] = arith.addi %[[PAST]], %[[COUNT]]
// CHECK:         linalg.generic {{.*}} outs(%{{.*}} : tensor<?xi64>)
// CHECK:           %[[I:.*]] = linalg.index 0
// CHECK-NEXT:      arith.addi %[[I]], %[[PAST]]
// CHECK-NOT:     "Range"
// CHECK:         %[[FROM:.*]] = tensor.from_elements
// CHECK:         %[[TO:.*]] = tensor.from_elements
// CHECK:         onnx.node "Slice"(%{{.*}}, %[[FROM]], %[[TO]],
// CHECK:         %[[KEYS:.*]] = tensor.insert_slice %{{.*}} into %[[KB]][0, 0, %[[PAST]], 0] [1, 2, %[[COUNT]], 4]
// CHECK:         %[[VALIDK:.*]] = tensor.extract_slice %[[KEYS]][0, 0, 0, 0] [1, 2, %[[TOTAL]], 4]
// CHECK:         %[[VALUES:.*]] = tensor.insert_slice %{{.*}} into %[[VB]]
// CHECK:         onnx.node "Attention"(%{{.*}}, %[[VALIDK]],
// CHECK:         return %{{.*}}, %[[KEYS]], %[[VALUES]]
module attributes {onnx.opsets = {ai.onnx = 23 : i64}} {
func.func @main(%ids: tensor<?x?xi64> {onnx.dims = ["batch", "sequence"], onnx.name = "ids"}, %mask: tensor<?x?xi64> {onnx.dims = ["batch", "sequence"], onnx.name = "attention_mask"}) -> tensor<?x?x16xf32> {
  %table = onnx.constant dense<1.0> : tensor<16x8xf32>
  %places = onnx.constant dense<1.0> : tensor<32x8xf32>
  %angles = onnx.constant dense<1.0> : tensor<32x8xf32>
  %head = onnx.constant dense<1.0> : tensor<8x16xf32>
  %zero = onnx.constant dense<0> : tensor<i64>
  %one = onnx.constant dense<1> : tensor<i64>
  %first = onnx.constant dense<0> : tensor<1xi64>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<16x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %shape = onnx.node "Shape"(%mask) {start = 1} : (tensor<?x?xi64>) -> tensor<1xi64>
  %length = onnx.node "Squeeze"(%shape) : (tensor<1xi64>) -> tensor<i64>
  %range = onnx.node "Range"(%zero, %length, %one) : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %p = onnx.node "Gather"(%places, %range) : (tensor<32x8xf32>, tensor<?xi64>) -> tensor<?x8xf32>
  %cos = onnx.node "Slice"(%angles, %first, %shape, %first) : (tensor<32x8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<?x8xf32>
  %e = onnx.node "Add"(%x, %p) : (tensor<?x?x8xf32>, tensor<?x8xf32>) -> tensor<?x?x8xf32>
  %r = onnx.node "Mul"(%e, %cos) : (tensor<?x?x8xf32>, tensor<?x8xf32>) -> tensor<?x?x8xf32>
  %y = onnx.node "Attention"(%r, %r, %e) {is_causal = 1, q_num_heads = 2, kv_num_heads = 2} : (tensor<?x?x8xf32>, tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  %l = onnx.node "MatMul"(%y, %head) : (tensor<?x?x8xf32>, tensor<8x16xf32>) -> tensor<?x?x16xf32>
  return %l : tensor<?x?x16xf32>
}
}

// -----

// Positions may be a running sum of the mask, less 1, also where a padded token
// would get another.
// CHECK-LABEL: func.func private @step(
// CHECK:         linalg.generic {{.*}} outs(%{{.*}} : tensor<1x?xi64>)
// CHECK:           %[[I:.*]] = linalg.index 1
// CHECK-NEXT:      %[[P:.*]] = arith.addi %[[I]], %arg1
// CHECK-NEXT:      %[[J:.*]] = arith.index_cast %[[P]]
// CHECK-NEXT:      %[[ONE:.*]] = arith.constant 1
// CHECK-NEXT:      arith.addi %[[J]], %[[ONE]]
// CHECK-NOT:     "CumSum"
// CHECK:         onnx.node "Sub"
// CHECK:         onnx.node "Where"
func.func @main(%ids: tensor<?x?xi64> {onnx.dims = ["batch", "sequence"], onnx.name = "ids"}, %mask: tensor<?x?xi64> {onnx.dims = ["batch", "sequence"], onnx.name = "attention_mask"}) -> tensor<?x?x16xf32> {
  %table = onnx.constant dense<1.0> : tensor<16x16xf32>
  %places = onnx.constant dense<1.0> : tensor<32x16xf32>
  %one = onnx.constant dense<1> : tensor<i64>
  %zero = onnx.constant dense<0> : tensor<i64>
  %sum = onnx.node "CumSum"(%mask, %one) : (tensor<?x?xi64>, tensor<i64>) -> tensor<?x?xi64>
  %p = onnx.node "Sub"(%sum, %one) : (tensor<?x?xi64>, tensor<i64>) -> tensor<?x?xi64>
  %padded = onnx.node "Equal"(%mask, %zero) : (tensor<?x?xi64>, tensor<i64>) -> tensor<?x?xi1>
  %q = onnx.node "Where"(%padded, %one, %p) : (tensor<?x?xi1>, tensor<i64>, tensor<?x?xi64>) -> tensor<?x?xi64>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<16x16xf32>, tensor<?x?xi64>) -> tensor<?x?x16xf32>
  %y = onnx.node "Gather"(%places, %q) : (tensor<32x16xf32>, tensor<?x?xi64>) -> tensor<?x?x16xf32>
  %l = onnx.node "Add"(%x, %y) : (tensor<?x?x16xf32>, tensor<?x?x16xf32>) -> tensor<?x?x16xf32>
  return %l : tensor<?x?x16xf32>
}

// -----

// Rows of a cut table that positions pick are rows of the table.
// CHECK-LABEL: func.func private @step(
// CHECK:         %[[PLACES:.*]] = onnx.constant dense<2.0
// CHECK-NOT:     "Slice"
// CHECK:         onnx.node "Gather"(%[[PLACES]],
func.func @main(%ids: tensor<?x?xi64> {onnx.dims = ["batch", "sequence"], onnx.name = "ids"}, %positions: tensor<?x?xi64> {onnx.dims = ["batch", "sequence"], onnx.name = "position_ids"}) -> tensor<?x?x16xf32> {
  %table = onnx.constant dense<1.0> : tensor<16x16xf32>
  %places = onnx.constant dense<2.0> : tensor<32x16xf32>
  %first = onnx.constant dense<0> : tensor<1xi64>
  %shape = onnx.node "Shape"(%ids) {start = 1} : (tensor<?x?xi64>) -> tensor<1xi64>
  %cut = onnx.node "Slice"(%places, %first, %shape) : (tensor<32x16xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<?x16xf32>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<16x16xf32>, tensor<?x?xi64>) -> tensor<?x?x16xf32>
  %y = onnx.node "Gather"(%cut, %positions) : (tensor<?x16xf32>, tensor<?x?xi64>) -> tensor<?x?x16xf32>
  %l = onnx.node "Add"(%x, %y) : (tensor<?x?x16xf32>, tensor<?x?x16xf32>) -> tensor<?x?x16xf32>
  return %l : tensor<?x?x16xf32>
}

// -----

// Refused: every token sees every other.
// CHECK-NOT: @step
func.func @main(%ids: tensor<?x?xi64> {onnx.name = "ids"}) -> tensor<?x?x16xf32> {
  %table = onnx.constant dense<1.0> : tensor<16x16xf32>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<16x16xf32>, tensor<?x?xi64>) -> tensor<?x?x16xf32>
  // expected-warning @below {{generation recomputes the whole sequence for each token: Attention: it reads later tokens}}
  %y = onnx.node "Attention"(%x, %x, %x) {q_num_heads = 2, kv_num_heads = 2} : (tensor<?x?x16xf32>, tensor<?x?x16xf32>, tensor<?x?x16xf32>) -> tensor<?x?x16xf32>
  return %y : tensor<?x?x16xf32>
}

// -----

// Refused: a mask of which nothing is known.
// CHECK-NOT: @step
func.func @main(%ids: tensor<?x?xi64> {onnx.name = "ids"}) -> tensor<?x?x16xf32> {
  %table = onnx.constant dense<1.0> : tensor<16x16xf32>
  %back = onnx.constant dense<[0, 0, -1]> : tensor<3xi64>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<16x16xf32>, tensor<?x?xi64>) -> tensor<?x?x16xf32>
  %t = onnx.node "Transpose"(%x) {perm = array<i64: 0, 2, 1>} : (tensor<?x?x16xf32>) -> tensor<?x16x?xf32>
  %m = onnx.node "MatMul"(%x, %t) : (tensor<?x?x16xf32>, tensor<?x16x?xf32>) -> tensor<?x?x?xf32>
  %axis = onnx.constant dense<1> : tensor<1xi64>
  %mask = onnx.node "Unsqueeze"(%m, %axis) : (tensor<?x?x?xf32>, tensor<1xi64>) -> tensor<?x1x?x?xf32>
  // expected-warning @below {{generation recomputes the whole sequence for each token: Attention: its mask is not proven to be causal}}
  %y = onnx.node "Attention"(%x, %x, %x, %mask) {is_causal = 1, q_num_heads = 2, kv_num_heads = 2} : (tensor<?x?x16xf32>, tensor<?x?x16xf32>, tensor<?x?x16xf32>, tensor<?x1x?x?xf32>) -> tensor<?x?x16xf32>
  return %y : tensor<?x?x16xf32>
}

// -----

// Refused: one scale for all tokens.
// CHECK-NOT: @step
func.func @main(%ids: tensor<?x?xi64> {onnx.name = "ids"}) -> tensor<?x?x16xf32> {
  %table = onnx.constant dense<1.0> : tensor<16x16xf32>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<16x16xf32>, tensor<?x?xi64>) -> tensor<?x?x16xf32>
  // expected-warning @below {{generation recomputes the whole sequence for each token: DynamicQuantizeLinear: it takes one scale for all tokens}}
  %q, %s, %z = onnx.node "DynamicQuantizeLinear"(%x) : (tensor<?x?x16xf32>) -> (tensor<?x?x16xui8>, tensor<f32>, tensor<ui8>)
  %y = onnx.node "DequantizeLinear"(%q, %s, %z) : (tensor<?x?x16xui8>, tensor<f32>, tensor<ui8>) -> tensor<?x?x16xf32>
  return %y : tensor<?x?x16xf32>
}

// -----

// Refused: the length of the sequence is a number of the computation.
// CHECK-NOT: @step
func.func @main(%ids: tensor<?x?xi64> {onnx.name = "ids"}) -> tensor<?x?x16xf32> {
  %table = onnx.constant dense<1.0> : tensor<16x16xf32>
  %shape = onnx.node "Shape"(%ids) {start = 1} : (tensor<?x?xi64>) -> tensor<1xi64>
  %n = onnx.node "Cast"(%shape) {to = 1} : (tensor<1xi64>) -> tensor<1xf32>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<16x16xf32>, tensor<?x?xi64>) -> tensor<?x?x16xf32>
  // expected-warning @below {{generation recomputes the whole sequence for each token: Div: it computes with the length of the sequence}}
  %y = onnx.node "Div"(%x, %n) : (tensor<?x?x16xf32>, tensor<1xf32>) -> tensor<?x?x16xf32>
  return %y : tensor<?x?x16xf32>
}

// -----

// Refused: tokens that are cut, joined along the sequence, or picked.
// CHECK-NOT: @step
func.func @main(%ids: tensor<?x?xi64> {onnx.name = "ids"}) -> tensor<?x?x16xf32> {
  %table = onnx.constant dense<1.0> : tensor<16x16xf32>
  %one = onnx.constant dense<1> : tensor<1xi64>
  %zero = onnx.constant dense<0> : tensor<1xi64>
  %end = onnx.constant dense<9223372036854775807> : tensor<1xi64>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<16x16xf32>, tensor<?x?xi64>) -> tensor<?x?x16xf32>
  // expected-warning @below {{generation recomputes the whole sequence for each token: Slice: it cuts the sequence}}
  %late = onnx.node "Slice"(%x, %one, %end, %one) : (tensor<?x?x16xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<?x?x16xf32>
  %first = onnx.node "Slice"(%x, %zero, %one, %one) : (tensor<?x?x16xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<?x1x16xf32>
  %y = onnx.node "Concat"(%late, %first) {axis = 1} : (tensor<?x?x16xf32>, tensor<?x1x16xf32>) -> tensor<?x?x16xf32>
  return %y : tensor<?x?x16xf32>
}

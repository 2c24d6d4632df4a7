// RUN: tern-opt %s --onnx-derive-step=context=8 --split-input-file --verify-diagnostics | FileCheck %s

// Attention appends its keys and values and reads what is valid; how many keys
// there are says where the queries stand. Keys come as one row a token.
// CHECK-LABEL: func.func private @step(
// CHECK-SAME:    %[[IDS:.*]]: tensor<1x?xi64>, %[[PAST:.*]]: index, %{{.*}}: index,
// CHECK-SAME:    %[[VB:.*]]: tensor<1x2x8x4xf32> {bufferization.writable = true}, %[[KB:.*]]: tensor<1x2x8x4xf32>
// CHECK:         %[[TOTAL:.*]] = arith.addi %[[PAST]],
// CHECK:         %[[COUNT:.*]] = arith.index_cast %[[TOTAL]] : index to i64
// CHECK:         %[[COUNTS:.*]] = tensor.from_elements %[[COUNT]] : tensor<1xi64>
// CHECK:         %[[X:.*]] = onnx.node "Gather"
// CHECK:         %[[P:.*]]:3 = onnx.node "Project"
// CHECK:         %[[SPLIT:.*]] = onnx.node "Reshape"(%[[P]]#1,
// CHECK:         %[[HEADS:.*]] = onnx.node "Transpose"(%[[SPLIT]]) {perm = array<i64: 0, 2, 1, 3>}
// CHECK:         %[[ROWS:.*]] = tensor.cast %[[HEADS]]
// CHECK:         %[[KEYS:.*]] = tensor.insert_slice %[[ROWS]] into %[[KB]][0, 0, %[[PAST]], 0]
// CHECK:         %[[VALIDK:.*]] = tensor.extract_slice %[[KEYS]][0, 0, 0, 0] [1, 2, %[[TOTAL]], 4]
// CHECK:         %[[VALUES:.*]] = tensor.insert_slice %{{.*}} into %[[VB]][0, 0, %[[PAST]], 0]
// CHECK:         %[[VALIDV:.*]] = tensor.extract_slice %[[VALUES]][0, 0, 0, 0] [1, 2, %[[TOTAL]], 4]
// CHECK:         %[[NONE:.*]] = onnx.none
// CHECK:         onnx.node "Attention"(%[[P]]#0, %[[VALIDK]], %[[VALIDV]], %[[NONE]], %[[NONE]], %[[NONE]], %[[COUNTS]])
// CHECK-SAME:      {is_causal = 1 : i64, kv_num_heads = 2 : i64, q_num_heads = 2 : i64}
// CHECK:         return %{{.*}}, %[[VALUES]], %[[KEYS]]
func.func @main(%ids: tensor<?x?xi64>, %pv: tensor<?x2x?x4xf32>, %pk: tensor<?x2x?x4xf32>)
    -> (tensor<?x?x16xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) {
  %none = onnx.none
  %table = onnx.constant dense<1.0> : tensor<16x8xf32>
  %head = onnx.constant dense<1.0> : tensor<8x16xf32>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<16x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %q, %k, %v = onnx.node "Project"(%x) : (tensor<?x?x8xf32>) -> (tensor<?x?x8xf32>, tensor<?x?x8xf32>, tensor<?x?x8xf32>)
  %y, %nk, %nv = onnx.node "Attention"(%q, %k, %v, %none, %pk, %pv) {is_causal = 1, q_num_heads = 2, kv_num_heads = 2}
      : (tensor<?x?x8xf32>, tensor<?x?x8xf32>, tensor<?x?x8xf32>, none, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> (tensor<?x?x8xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>)
  %l = onnx.node "MatMul"(%y, %head) : (tensor<?x?x8xf32>, tensor<8x16xf32>) -> tensor<?x?x16xf32>
  return %l, %nv, %nk : tensor<?x?x16xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>
}

// -----

// GroupQueryAttention's lengths follow from the mask. Packed projections are
// split, queries and keys rotated at the positions of the tokens; the head size
// is known from the projection only.
// CHECK-LABEL: func.func private @step(
// CHECK-SAME:    %{{.*}}: tensor<1x?xi64>, %[[PAST:.*]]: index, %{{.*}}: index, %{{.*}}: tensor<1x2x8x4xf32> {{.*}}, %{{.*}}: tensor<1x2x8x4xf32>
// CHECK:         %[[POSITIONS:.*]] = linalg.generic
// CHECK:           arith.addi %{{.*}}, %[[PAST]]
// CHECK-NOT:     GroupQueryAttention
// CHECK:         %[[PARTS:.*]] = onnx.constant dense<[16, 8, 8]>
// CHECK:         %[[P:.*]]:3 = onnx.node "Split"(%{{.*}}, %[[PARTS]]) {axis = -1 : i64}
// CHECK:         %[[Q:.*]] = onnx.node "com.microsoft::RotaryEmbedding"(%[[P]]#0, %[[POSITIONS]],
// CHECK-SAME:      {interleaved = 1 : i64, num_heads = 4 : i64}
// CHECK:         %[[K:.*]] = onnx.node "com.microsoft::RotaryEmbedding"(%[[P]]#1, %[[POSITIONS]],
// CHECK-SAME:      {interleaved = 1 : i64, num_heads = 2 : i64}
// CHECK:         onnx.node "Reshape"(%[[K]],
// CHECK:         onnx.node "Reshape"(%[[P]]#2,
// CHECK:         onnx.node "Attention"(%[[Q]],
// CHECK-SAME:      {is_causal = 1 : i64, kv_num_heads = 2 : i64, left_window_size = 4 : i64, q_num_heads = 4 : i64, scale = 5.000000e-01 : f32, softcap = 3.000000e+00 : f32}
func.func @main(%ids: tensor<?x?xi64>, %mask: tensor<?x?xi64> {onnx.name = "attention_mask"}, %pk: tensor<?x2x?x?xf32>, %pv: tensor<?x2x?x?xf32>)
    -> (tensor<?x?x16xf32>, tensor<?x2x?x?xf32>, tensor<?x2x?x?xf32>) {
  %none = onnx.none
  %one = onnx.constant dense<1> : tensor<1xi64>
  %index = onnx.constant dense<1> : tensor<i64>
  %table = onnx.constant dense<1.0> : tensor<16x32xf32>
  %head = onnx.constant dense<1.0> : tensor<16x16xf32>
  %angles = onnx.constant dense<1.0> : tensor<8x2xf32>
  %sum = onnx.node "ReduceSum"(%mask, %one) {keepdims = 0} : (tensor<?x?xi64>, tensor<1xi64>) -> tensor<?xi64>
  %less = onnx.node "Sub"(%sum, %one) : (tensor<?xi64>, tensor<1xi64>) -> tensor<?xi64>
  %last = onnx.node "Cast"(%less) {to = 6} : (tensor<?xi64>) -> tensor<?xi32>
  %shape = onnx.node "Shape"(%mask) : (tensor<?x?xi64>) -> tensor<2xi64>
  %length = onnx.node "Gather"(%shape, %index) {axis = 0} : (tensor<2xi64>, tensor<i64>) -> tensor<i64>
  %total = onnx.node "Cast"(%length) {to = 6} : (tensor<i64>) -> tensor<i32>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<16x32xf32>, tensor<?x?xi64>) -> tensor<?x?x32xf32>
  %y, %nk, %nv = onnx.node "com.microsoft::GroupQueryAttention"(%x, %none, %none, %pk, %pv, %last, %total, %angles, %angles)
      {num_heads = 4, kv_num_heads = 2, do_rotary = 1, rotary_interleaved = 1, local_window_size = 5, softcap = 3.0 : f32, scale = 0.5 : f32}
      : (tensor<?x?x32xf32>, none, none, tensor<?x2x?x?xf32>, tensor<?x2x?x?xf32>, tensor<?xi32>, tensor<i32>, tensor<8x2xf32>, tensor<8x2xf32>) -> (tensor<?x?x16xf32>, tensor<?x2x?x?xf32>, tensor<?x2x?x?xf32>)
  %l = onnx.node "MatMul"(%y, %head) : (tensor<?x?x16xf32>, tensor<16x16xf32>) -> tensor<?x?x16xf32>
  return %l, %nk, %nv : tensor<?x?x16xf32>, tensor<?x2x?x?xf32>, tensor<?x2x?x?xf32>
}

// -----

// A length that is not understood: the window of the cache may be another.
// CHECK-NOT: @step
func.func @main(%ids: tensor<?x?xi64>, %pk: tensor<?x2x?x8xf32> {onnx.name = "past"}, %pv: tensor<?x2x?x8xf32>)
    -> (tensor<?x?x16xf32>, tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>) {
  %none = onnx.none
  %last = onnx.constant dense<7> : tensor<1xi32>
  %total = onnx.constant dense<8> : tensor<i32>
  %table = onnx.constant dense<1.0> : tensor<16x32xf32>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<16x32xf32>, tensor<?x?xi64>) -> tensor<?x?x32xf32>
  // expected-warning @below {{generation passes its KV cache through every call: seqlens_k of com.microsoft::GroupQueryAttention is not understood; expected it to follow from the lengths of past and tokens}}
  %y, %nk, %nv = onnx.node "com.microsoft::GroupQueryAttention"(%x, %none, %none, %pk, %pv, %last, %total) {num_heads = 2, kv_num_heads = 1}
      : (tensor<?x?x32xf32>, none, none, tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>, tensor<1xi32>, tensor<i32>) -> (tensor<?x?x16xf32>, tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>)
  return %y, %nk, %nv : tensor<?x?x16xf32>, tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>
}

// -----

// TensorScatter's cache has a length of its own, which its readers see all of.
// CHECK-LABEL: func.func private @step(
// CHECK-SAME:    %{{.*}}: tensor<1x?xi64>, %[[PAST:.*]]: index, %{{.*}}: index, %[[KB:.*]]: tensor<1x2x6x4xf32>
// CHECK:         %[[COUNT:.*]] = tensor.dim
// CHECK:         %[[KEYS:.*]] = tensor.insert_slice %{{.*}} into %[[KB]][0, 0, %[[PAST]], 0] [1, 2, %[[COUNT]], 4]
// CHECK:         onnx.node "Read"(%[[KEYS]])
// CHECK:         return %{{.*}}, %[[KEYS]]
func.func @main(%ids: tensor<?x?xi64>, %k: tensor<?x2x6x4xf32>, %at: tensor<?xi64>) -> (tensor<?x?x16xf32>, tensor<?x2x6x4xf32>) {
  %table = onnx.constant dense<1.0> : tensor<16x8xf32>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<16x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %new = onnx.node "Key"(%x) : (tensor<?x?x8xf32>) -> tensor<?x2x?x4xf32>
  %p = onnx.node "TensorScatter"(%k, %new, %at) {axis = 2} : (tensor<?x2x6x4xf32>, tensor<?x2x?x4xf32>, tensor<?xi64>) -> tensor<?x2x6x4xf32>
  %l = onnx.node "Read"(%p) : (tensor<?x2x6x4xf32>) -> tensor<?x?x16xf32>
  return %l, %p : tensor<?x?x16xf32>, tensor<?x2x6x4xf32>
}

// -----

// Refused: written from the start in every call.
// CHECK-NOT: @step
func.func @main(%ids: tensor<?x?xi64>, %k: tensor<?x2x6x4xf32>) -> (tensor<?x?x16xf32>, tensor<?x2x6x4xf32>) {
  %table = onnx.constant dense<1.0> : tensor<16x8xf32>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<16x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %new = onnx.node "Key"(%x) : (tensor<?x?x8xf32>) -> tensor<?x2x?x4xf32>
  // expected-warning @below {{the model does not generate text by itself: write_indices of TensorScatter is missing; expected it to follow from the lengths of past and tokens}}
  %p = onnx.node "TensorScatter"(%k, %new) {axis = 2} : (tensor<?x2x6x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x6x4xf32>
  %l = onnx.node "Read"(%p) : (tensor<?x2x6x4xf32>) -> tensor<?x?x16xf32>
  return %l, %p : tensor<?x?x16xf32>, tensor<?x2x6x4xf32>
}

// -----

// Refused: the values' past is no cache.
// CHECK-NOT: @step
func.func @main(%ids: tensor<?x?xi64>, %pk: tensor<?x2x?x4xf32>) -> (tensor<?x?x16xf32>, tensor<?x2x?x4xf32>) {
  %none = onnx.none
  %pv = onnx.constant dense<1.0> : tensor<1x2x1x4xf32>
  %table = onnx.constant dense<1.0> : tensor<16x8xf32>
  %head = onnx.constant dense<1.0> : tensor<8x16xf32>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<16x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  // expected-warning @below {{generation passes its KV cache through every call: only one of past_key and past_value is a cache that is returned; expected both}}
  %y, %nk, %nv = onnx.node "Attention"(%x, %x, %x, %none, %pk, %pv) {is_causal = 1, q_num_heads = 2, kv_num_heads = 2}
      : (tensor<?x?x8xf32>, tensor<?x?x8xf32>, tensor<?x?x8xf32>, none, tensor<?x2x?x4xf32>, tensor<1x2x1x4xf32>) -> (tensor<?x?x8xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>)
  %l = onnx.node "MatMul"(%y, %head) : (tensor<?x?x8xf32>, tensor<8x16xf32>) -> tensor<?x?x16xf32>
  return %l, %nk : tensor<?x?x16xf32>, tensor<?x2x?x4xf32>
}

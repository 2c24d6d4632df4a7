// RUN: tern-opt %s --split-input-file --onnx-derive-step | FileCheck %s
// RUN: tern-opt %s --split-input-file --onnx-derive-step=context=29 | FileCheck %s --check-prefix=LEAST
// RUN: tern-opt %s --split-input-file --onnx-derive-step=context=41 --verify-diagnostics

// The context is no longer than the shortest table that positions are looked up
// in: learned positions, here behind two rows for something else,
// CHECK:       module attributes {{{.*}}onnx.context = 30 : i64
// CHECK:       func.func private @step({{.*}}tensor<1x2x30x4xf32>
// LEAST:       module attributes {{{.*}}onnx.context = 29 : i64
// LEAST:       func.func private @step({{.*}}tensor<1x2x29x4xf32>
module attributes {onnx.opsets = {ai.onnx = 23 : i64}} {
func.func @main(%ids: tensor<?x?xi64> {onnx.dims = ["batch", "sequence"], onnx.name = "ids"}, %mask: tensor<?x?xi64> {onnx.dims = ["batch", "sequence"], onnx.name = "attention_mask"}) -> tensor<?x?x8xf32> {
  %table = onnx.constant dense<1.0> : tensor<8x8xf32>
  %places = onnx.constant dense<1.0> : tensor<32x8xf32>
  %one = onnx.constant dense<1> : tensor<i64>
  %sum = onnx.node "CumSum"(%mask, %one) : (tensor<?x?xi64>, tensor<i64>) -> tensor<?x?xi64>
  %rows = onnx.node "Add"(%sum, %one) : (tensor<?x?xi64>, tensor<i64>) -> tensor<?x?xi64>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<8x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  // expected-error @below {{Gather: found a context of 41; expected at most 30, the positions in its table}}
  %p = onnx.node "Gather"(%places, %rows) : (tensor<32x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %e = onnx.node "Add"(%x, %p) : (tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  %y = onnx.node "Attention"(%e, %e, %e) {is_causal = 1, q_num_heads = 2, kv_num_heads = 2} : (tensor<?x?x8xf32>, tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  return %y : tensor<?x?x8xf32>
}
}

// -----

// tables that are cut to the sequence's length,
// CHECK:       module attributes {{{.*}}onnx.context = 40 : i64
module attributes {onnx.opsets = {ai.onnx = 23 : i64}} {
func.func @main(%ids: tensor<?x?xi64> {onnx.dims = ["batch", "sequence"], onnx.name = "ids"}) -> tensor<?x?x8xf32> {
  %table = onnx.constant dense<1.0> : tensor<8x8xf32>
  %angles = onnx.constant dense<1.0> : tensor<40x8xf32>
  %first = onnx.constant dense<0> : tensor<1xi64>
  %shape = onnx.node "Shape"(%ids) {start = 1} : (tensor<?x?xi64>) -> tensor<1xi64>
  // expected-error @below {{Slice: found a context of 41; expected at most 40}}
  %cos = onnx.node "Slice"(%angles, %first, %shape, %first) : (tensor<40x8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<?x8xf32>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<8x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %y = onnx.node "Mul"(%x, %cos) : (tensor<?x?x8xf32>, tensor<?x8xf32>) -> tensor<?x?x8xf32>
  return %y : tensor<?x?x8xf32>
}
}

// -----

// and the cosines of rotations, also with a cache of the graph's own,
// CHECK:       module attributes {{{.*}}onnx.context = 36 : i64
module attributes {onnx.opsets = {ai.onnx = 23 : i64}} {
func.func @main(%ids: tensor<?x?xi64> {onnx.dims = ["batch", "sequence"], onnx.name = "ids"}, %positions: tensor<?x?xi64> {onnx.dims = ["batch", "sequence"], onnx.name = "position_ids"}, %past: tensor<?x2x?x4xf32> {onnx.dims = ["batch", "", "past", ""], onnx.name = "past"}) -> (tensor<?x?x8xf32>, tensor<?x2x?x4xf32>) {
  %table = onnx.constant dense<1.0> : tensor<8x8xf32>
  %cos = onnx.constant dense<1.0> : tensor<36x2xf32>
  %sizes = onnx.constant dense<[0, 0, 2, 4]> : tensor<4xi64>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<8x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  // expected-error @below {{RotaryEmbedding: found a context of 41; expected at most 36}}
  %r = onnx.node "RotaryEmbedding"(%x, %cos, %cos, %positions) {num_heads = 2} : (tensor<?x?x8xf32>, tensor<36x2xf32>, tensor<36x2xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %h = onnx.node "Reshape"(%r, %sizes) : (tensor<?x?x8xf32>, tensor<4xi64>) -> tensor<?x?x2x4xf32>
  %t = onnx.node "Transpose"(%h) {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x4xf32>) -> tensor<?x2x?x4xf32>
  %present = onnx.node "Concat"(%past, %t) {axis = 2} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  return %r, %present : tensor<?x?x8xf32>, tensor<?x2x?x4xf32>
}
}

// -----

// but not of a table that something else is looked up in.
// CHECK:       module attributes {{{.*}}onnx.context = 2048 : i64
module attributes {onnx.opsets = {ai.onnx = 23 : i64}} {
func.func @main(%ids: tensor<?x?xi64> {onnx.dims = ["batch", "sequence"], onnx.name = "ids"}) -> tensor<?x?x8xf32> {
  %table = onnx.constant dense<1.0> : tensor<8x8xf32>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<8x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  return %x : tensor<?x?x8xf32>
}
}

// -----

// A graph that recomputes the sequence, here as a token sees later ones, has a
// context as well,
// CHECK:       module attributes {{{.*}}onnx.context = 30 : i64
// CHECK-NOT:   @step
module attributes {onnx.opsets = {ai.onnx = 23 : i64}} {
func.func @main(%ids: tensor<?x?xi64> {onnx.dims = ["batch", "sequence"], onnx.name = "ids"}, %positions: tensor<?x?xi64> {onnx.dims = ["batch", "sequence"], onnx.name = "position_ids"}) -> tensor<?x?x8xf32> {
  %table = onnx.constant dense<1.0> : tensor<8x8xf32>
  %places = onnx.constant dense<1.0> : tensor<30x8xf32>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<8x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  // expected-error @below {{Gather: found a context of 41; expected at most 30, the positions in its table}}
  %p = onnx.node "Gather"(%places, %positions) : (tensor<30x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %e = onnx.node "Add"(%x, %p) : (tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  %y = onnx.node "Attention"(%e, %e, %e) {is_causal = 0, q_num_heads = 2, kv_num_heads = 2} : (tensor<?x?x8xf32>, tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  return %y : tensor<?x?x8xf32>
}
}

// -----

// but not one that generates no text: it takes arrays of any length.
// CHECK:       module attributes {{{.*}}onnx.generation = "the model does not generate text by itself: {{.*}}style
module attributes {onnx.opsets = {ai.onnx = 23 : i64}} {
// expected-warning @below {{the model does not generate text by itself: input 'style' has no role}}
func.func @main(%ids: tensor<?x?xi64> {onnx.dims = ["batch", "sequence"], onnx.name = "ids"}, %positions: tensor<?x?xi64> {onnx.dims = ["batch", "sequence"], onnx.name = "position_ids"}, %style: tensor<8xf32> {onnx.name = "style"}) -> tensor<?x?x8xf32> {
  %table = onnx.constant dense<1.0> : tensor<8x8xf32>
  %places = onnx.constant dense<1.0> : tensor<30x8xf32>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<8x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %p = onnx.node "Gather"(%places, %positions) : (tensor<30x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %e = onnx.node "Add"(%x, %p) : (tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  %y = onnx.node "Mul"(%e, %style) : (tensor<?x?x8xf32>, tensor<8xf32>) -> tensor<?x?x8xf32>
  return %y : tensor<?x?x8xf32>
}
}

// RUN: tern-opt /dev/null --tern-raise-pipeline --dump-pass-pipeline 2>&1 >/dev/null | FileCheck %s --check-prefix=PASSES
// RUN: tern-opt %s --tern-raise-pipeline=context=32 | FileCheck %s --implicit-check-not=onnx.node --implicit-check-not=onnx.constant

// PASSES:      builtin.module(
// PASSES:      convert-onnx-to-ternary
// PASSES:      onnx-fold-constants
// PASSES:      onnx-raise-attention
// PASSES:      onnx-derive-step
// PASSES:      convert-onnx-to-linalg
// PASSES:      canonicalize
// PASSES:      cse

// A layer that quantises its activations is one operation; what is constant is
// computed. The step has its caches.
// CHECK-LABEL: func.func @main(
// CHECK:         ternary.bit_linear
// CHECK-LABEL: func.func private @step(
// CHECK-SAME:    tensor<1x2x32x4xf32> {bufferization.writable = true}
// CHECK:         ternary.bit_linear
module attributes {onnx.opsets = {ai.onnx = 18 : i64}} {
func.func @main(%ids: tensor<1x?xi64> {onnx.name = "input_ids"}, %k: tensor<1x2x?x4xf32> {onnx.name = "past"})
    -> (tensor<1x?x16xf32> {onnx.name = "logits"}, tensor<1x2x?x4xf32> {onnx.name = "present"}) {
  %table = onnx.constant dense<0.5> : tensor<16x8xf32>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<16x8xf32>, tensor<1x?xi64>) -> tensor<1x?x8xf32>
  %w = onnx.constant dense<[[1, -1, 0, 1, 0, 0, 1, -1], [0, 1, 1, -1, 0, 1, -1, -1], [1, 1, 0, 0, -1, 0, 1, 0], [0, 0, 0, 1, 1, 0, 0, 1],
                            [1, -1, 0, 1, 0, 0, 1, -1], [0, 1, 1, -1, 0, 1, -1, -1], [1, 1, 0, 0, -1, 0, 1, 0], [0, 0, 0, 1, 1, 0, 0, 1]]> : tensor<8x8xi8>
  %wf = onnx.node "Cast"(%w) {to = 1} : (tensor<8x8xi8>) -> tensor<8x8xf32>
  %floor = onnx.constant dense<1.0e-05> : tensor<f32>
  %top = onnx.constant dense<127.0> : tensor<f32>
  %lo = onnx.constant dense<-128.0> : tensor<f32>
  %axes = onnx.constant dense<-1> : tensor<1xi64>
  %abs = onnx.node "Abs"(%x) : (tensor<1x?x8xf32>) -> tensor<1x?x8xf32>
  %max = onnx.node "ReduceMax"(%abs, %axes) {keepdims = 1} : (tensor<1x?x8xf32>, tensor<1xi64>) -> tensor<1x?x1xf32>
  %least = onnx.node "Max"(%max, %floor) : (tensor<1x?x1xf32>, tensor<f32>) -> tensor<1x?x1xf32>
  %s = onnx.node "Div"(%top, %least) : (tensor<f32>, tensor<1x?x1xf32>) -> tensor<1x?x1xf32>
  %xs = onnx.node "Mul"(%x, %s) : (tensor<1x?x8xf32>, tensor<1x?x1xf32>) -> tensor<1x?x8xf32>
  %r = onnx.node "Round"(%xs) : (tensor<1x?x8xf32>) -> tensor<1x?x8xf32>
  %c = onnx.node "Clip"(%r, %lo, %top) : (tensor<1x?x8xf32>, tensor<f32>, tensor<f32>) -> tensor<1x?x8xf32>
  %q = onnx.node "Div"(%c, %s) : (tensor<1x?x8xf32>, tensor<1x?x1xf32>) -> tensor<1x?x8xf32>
  %y = onnx.node "MatMul"(%q, %wf) : (tensor<1x?x8xf32>, tensor<8x8xf32>) -> tensor<1x?x8xf32>
  %shape = onnx.constant dense<[1, -1, 2, 4]> : tensor<4xi64>
  %heads = onnx.node "Reshape"(%y, %shape) : (tensor<1x?x8xf32>, tensor<4xi64>) -> tensor<1x?x2x4xf32>
  %new = onnx.node "Transpose"(%heads) {perm = array<i64: 0, 2, 1, 3>} : (tensor<1x?x2x4xf32>) -> tensor<1x2x?x4xf32>
  %p = onnx.node "Concat"(%k, %new) {axis = 2} : (tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32>
  %past = onnx.node "ReduceSum"(%p) {keepdims = 0} : (tensor<1x2x?x4xf32>) -> tensor<f32>
  %sum = onnx.node "Add"(%y, %past) : (tensor<1x?x8xf32>, tensor<f32>) -> tensor<1x?x8xf32>
  %head = onnx.constant dense<0.25> : tensor<8x16xf32>
  %l = onnx.node "MatMul"(%sum, %head) : (tensor<1x?x8xf32>, tensor<8x16xf32>) -> tensor<1x?x16xf32>
  return %l, %p : tensor<1x?x16xf32>, tensor<1x2x?x4xf32>
}
}

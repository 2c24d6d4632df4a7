// RUN: tern-opt %s --convert-onnx-to-ternary --remarks-filter="tern.*" --remark-format=emitRemark 2>&1 | FileCheck %s

// One remark for each layer with constant weights, at the node's location.
// CHECK: remark: loc("q_proj"): [Passed] raised | Category:tern-raise | Remark=ternary.bit_linear, form=baked
// CHECK: remark: loc("lm_head"): [Missed] kept | Category:tern-raise | Reason="MatMul: weights are not ternary"
// CHECK-NOT: remark: loc("scores")
func.func @layers(%x: tensor<2x2xf32>) -> (tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>) {
  %w = onnx.constant dense<[[1.0, -1.0], [0.0, 1.0]]> : tensor<2x2xf32>
  %h = onnx.constant dense<[[1.0, -1.5], [0.3, 1.0]]> : tensor<2x2xf32>
  %0 = onnx.node "MatMul"(%x, %w) : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32> loc("q_proj")
  %1 = onnx.node "MatMul"(%x, %h) : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32> loc("lm_head")
  %2 = onnx.node "MatMul"(%x, %x) : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32> loc("scores")
  return %0, %1, %2 : tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>
}

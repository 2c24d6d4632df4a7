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

// Constant weights where a layer has none stay, and are said to: a stack of
// matrices, a vector, the first factor, and Gemm with a transpose of activations.
// A column of frequencies, which nothing is summed over, is no layer.
// CHECK: remark: loc("stack"): [Missed] kept | Category:tern-raise | Reason="MatMul: weights are no matrix", weights=3x2x2xf32
// CHECK: remark: loc("vector"): [Missed] kept | Category:tern-raise | Reason="MatMul: weights are no matrix", weights=2xf32
// CHECK: remark: loc("first"): [Missed] kept | Category:tern-raise | Reason="MatMul: weights are the first factor", weights=2x2xf32
// CHECK: remark: loc("transposed"): [Missed] kept | Category:tern-raise | Reason="Gemm: activations are transposed", weights=2x2xf32
// CHECK: remark: loc("gemm"): [Missed] kept | Category:tern-raise | Reason="Gemm: weights are the first factor", weights=3x2xf32
// CHECK-NOT: remark: loc("frequencies")
// One matrix behind dimensions that the product has anyway is a layer.
// CHECK: remark: loc("one"): [Passed] raised
// CHECK: remark: loc("rank"): [Missed] kept | {{.*}}weights are no matrix", weights=1x2x2xf32
func.func @products(%x: tensor<2x2xf32>, %xs: tensor<3x2x2xf32>, %p: tensor<3x1x4xf32>) -> (tensor<3x2x2xf32>, tensor<2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<3x2xf32>, tensor<3x2x4xf32>, tensor<3x2x2xf32>, tensor<1x2x2xf32>) {
  %s = onnx.constant dense<1.0> : tensor<3x2x2xf32>
  %v = onnx.constant dense<1.0> : tensor<2xf32>
  %w = onnx.constant dense<[[1.0, -1.0], [0.0, 1.0]]> : tensor<2x2xf32>
  %g = onnx.constant dense<1.0> : tensor<3x2xf32>
  %f = onnx.constant dense<1.0> : tensor<1x2x1xf32>
  %o = onnx.constant dense<[[[1.0, -1.0], [0.0, 1.0]]]> : tensor<1x2x2xf32>
  %0 = onnx.node "MatMul"(%xs, %s) : (tensor<3x2x2xf32>, tensor<3x2x2xf32>) -> tensor<3x2x2xf32> loc("stack")
  %1 = onnx.node "MatMul"(%x, %v) : (tensor<2x2xf32>, tensor<2xf32>) -> tensor<2xf32> loc("vector")
  %2 = onnx.node "MatMul"(%w, %x) : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32> loc("first")
  %3 = onnx.node "Gemm"(%x, %w) {transA = 1} : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32> loc("transposed")
  %4 = onnx.node "Gemm"(%g, %x) {transB = 1} : (tensor<3x2xf32>, tensor<2x2xf32>) -> tensor<3x2xf32> loc("gemm")
  %5 = onnx.node "MatMul"(%f, %p) : (tensor<1x2x1xf32>, tensor<3x1x4xf32>) -> tensor<3x2x4xf32> loc("frequencies")
  %6 = onnx.node "MatMul"(%xs, %o) : (tensor<3x2x2xf32>, tensor<1x2x2xf32>) -> tensor<3x2x2xf32> loc("one")
  %7 = onnx.node "MatMul"(%x, %o) : (tensor<2x2xf32>, tensor<1x2x2xf32>) -> tensor<1x2x2xf32> loc("rank")
  return %0, %1, %2, %3, %4, %5, %6, %7 : tensor<3x2x2xf32>, tensor<2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<3x2xf32>, tensor<3x2x4xf32>, tensor<3x2x2xf32>, tensor<1x2x2xf32>
}

// Weights by an operator that is not evaluated are weights all the same.
// CHECK: remark: loc("padded"): [Missed] kept | Category:tern-raise | Reason="MatMul: constant weights cannot be evaluated", weights=2x2xf32
func.func @padded(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %w = onnx.constant dense<[[1.0], [-1.0]]> : tensor<2x1xf32>
  %p = onnx.constant dense<[0, 0, 0, 1]> : tensor<4xi64>
  %v = onnx.node "Pad"(%w, %p) : (tensor<2x1xf32>, tensor<4xi64>) -> tensor<2x2xf32>
  %y = onnx.node "MatMul"(%x, %v) : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32> loc("padded")
  return %y : tensor<2x2xf32>
}

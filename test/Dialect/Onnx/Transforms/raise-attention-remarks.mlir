// RUN: tern-opt %s --split-input-file --onnx-raise-attention --remarks-filter="tern.*" --remark-format=emitRemark 2>&1 >/dev/null | FileCheck %s

// Each mask is one step from being causal, for some size.
// CHECK:      remark: loc("causal"): [Passed] raised | Category:tern-raise | Remark=onnx.Attention, mask=causal
// CHECK-NOT:  remark
// CHECK:      remark: loc("strictly"): [Passed] raised | Category:tern-raise | Remark=onnx.Attention, mask=kept
// CHECK:      remark: loc("strictly"): [Missed] attention | Category:tern-raise | Reason="Attention: its mask is not proven to be causal"
// CHECK:      remark: loc("off_by_one"): {{.*}} mask=kept
// CHECK:      remark: loc("off_by_one"): [Missed] attention
// CHECK:      remark: loc("swapped"): {{.*}} mask=kept
// CHECK:      remark: loc("swapped"): [Missed] attention
// CHECK:      remark: loc("soft"): {{.*}} mask=kept
// CHECK:      remark: loc("soft"): [Missed] attention
// CHECK:      remark: loc("upside_down"): {{.*}} mask=kept
// CHECK:      remark: loc("upside_down"): [Missed] attention
// CHECK:      remark: loc("everything"): [Passed] raised | Category:tern-raise | Remark=onnx.Attention, mask=none
// CHECK-NOT:  remark
func.func @masks(%q: tensor<1x2x?x4xf32> {onnx.dims = ["", "", "s", ""]}, %kt: tensor<1x2x4x?xf32> {onnx.dims = ["", "", "", "s"]}, %v: tensor<1x2x?x4xf32> {onnx.dims = ["", "", "s", ""]})
    -> (tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>) {
  %zero = onnx.constant dense<0> : tensor<i64>
  %one = onnx.constant dense<1> : tensor<i64>
  %axis0 = onnx.constant dense<0> : tensor<1xi64>
  %axis1 = onnx.constant dense<1> : tensor<1xi64>
  %keep = onnx.constant dense<0.0> : tensor<f32>
  %drop = onnx.constant dense<0xFF800000> : tensor<f32>
  %little = onnx.constant dense<-10000.0> : tensor<f32>
  %k = onnx.node "Transpose"(%kt) {perm = array<i64: 0, 1, 3, 2>} : (tensor<1x2x4x?xf32>) -> tensor<1x2x?x4xf32>
  %size = onnx.node "Shape"(%q) {start = 2, end = 3} : (tensor<1x2x?x4xf32>) -> tensor<1xi64>
  %count = onnx.node "Squeeze"(%size) : (tensor<1xi64>) -> tensor<i64>
  %range = onnx.node "Range"(%zero, %count, %one) : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %row = onnx.node "Unsqueeze"(%range, %axis1) : (tensor<?xi64>, tensor<1xi64>) -> tensor<?x1xi64>
  %col = onnx.node "Unsqueeze"(%range, %axis0) : (tensor<?xi64>, tensor<1xi64>) -> tensor<1x?xi64>
  %next = onnx.node "Add"(%row, %one) : (tensor<?x1xi64>, tensor<i64>) -> tensor<?x1xi64>
  %le = onnx.node "LessOrEqual"(%col, %row) : (tensor<1x?xi64>, tensor<?x1xi64>) -> tensor<?x?xi1>
  %lt = onnx.node "Less"(%col, %row) : (tensor<1x?xi64>, tensor<?x1xi64>) -> tensor<?x?xi1>
  %le1 = onnx.node "LessOrEqual"(%col, %next) : (tensor<1x?xi64>, tensor<?x1xi64>) -> tensor<?x?xi1>
  %ge = onnx.node "GreaterOrEqual"(%col, %row) : (tensor<1x?xi64>, tensor<?x1xi64>) -> tensor<?x?xi1>
  %all = onnx.node "Less"(%col, %count) : (tensor<1x?xi64>, tensor<i64>) -> tensor<1x?xi1>
  %m0 = onnx.node "Where"(%le, %keep, %drop) : (tensor<?x?xi1>, tensor<f32>, tensor<f32>) -> tensor<?x?xf32>
  %m1 = onnx.node "Where"(%lt, %keep, %drop) : (tensor<?x?xi1>, tensor<f32>, tensor<f32>) -> tensor<?x?xf32>
  %m2 = onnx.node "Where"(%le1, %keep, %drop) : (tensor<?x?xi1>, tensor<f32>, tensor<f32>) -> tensor<?x?xf32>
  %m3 = onnx.node "Where"(%ge, %keep, %drop) : (tensor<?x?xi1>, tensor<f32>, tensor<f32>) -> tensor<?x?xf32>
  %m4 = onnx.node "Where"(%le, %keep, %little) : (tensor<?x?xi1>, tensor<f32>, tensor<f32>) -> tensor<?x?xf32>
  %m5 = onnx.node "Where"(%le, %drop, %keep) : (tensor<?x?xi1>, tensor<f32>, tensor<f32>) -> tensor<?x?xf32>
  %m6 = onnx.node "Where"(%all, %keep, %drop) : (tensor<1x?xi1>, tensor<f32>, tensor<f32>) -> tensor<1x?xf32>
  %qk = onnx.node "MatMul"(%q, %kt) : (tensor<1x2x?x4xf32>, tensor<1x2x4x?xf32>) -> tensor<1x2x?x?xf32>
  %s0 = onnx.node "Add"(%qk, %m0) : (tensor<1x2x?x?xf32>, tensor<?x?xf32>) -> tensor<1x2x?x?xf32>
  %s1 = onnx.node "Add"(%m1, %qk) : (tensor<?x?xf32>, tensor<1x2x?x?xf32>) -> tensor<1x2x?x?xf32>
  %s2 = onnx.node "Add"(%qk, %m2) : (tensor<1x2x?x?xf32>, tensor<?x?xf32>) -> tensor<1x2x?x?xf32>
  %s3 = onnx.node "Add"(%qk, %m3) : (tensor<1x2x?x?xf32>, tensor<?x?xf32>) -> tensor<1x2x?x?xf32>
  %s4 = onnx.node "Add"(%qk, %m4) : (tensor<1x2x?x?xf32>, tensor<?x?xf32>) -> tensor<1x2x?x?xf32>
  %s5 = onnx.node "Add"(%qk, %m5) : (tensor<1x2x?x?xf32>, tensor<?x?xf32>) -> tensor<1x2x?x?xf32>
  %s6 = onnx.node "Add"(%qk, %m6) : (tensor<1x2x?x?xf32>, tensor<1x?xf32>) -> tensor<1x2x?x?xf32>
  %p0 = onnx.node "Softmax"(%s0) {axis = -1} : (tensor<1x2x?x?xf32>) -> tensor<1x2x?x?xf32>
  %p1 = onnx.node "Softmax"(%s1) {axis = -1} : (tensor<1x2x?x?xf32>) -> tensor<1x2x?x?xf32>
  %p2 = onnx.node "Softmax"(%s2) {axis = -1} : (tensor<1x2x?x?xf32>) -> tensor<1x2x?x?xf32>
  %p3 = onnx.node "Softmax"(%s3) {axis = -1} : (tensor<1x2x?x?xf32>) -> tensor<1x2x?x?xf32>
  %p4 = onnx.node "Softmax"(%s4) {axis = -1} : (tensor<1x2x?x?xf32>) -> tensor<1x2x?x?xf32>
  %p5 = onnx.node "Softmax"(%s5) {axis = -1} : (tensor<1x2x?x?xf32>) -> tensor<1x2x?x?xf32>
  %p6 = onnx.node "Softmax"(%s6) {axis = -1} : (tensor<1x2x?x?xf32>) -> tensor<1x2x?x?xf32>
  %y0 = onnx.node "MatMul"(%p0, %k) : (tensor<1x2x?x?xf32>, tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32> loc("causal")
  %y1 = onnx.node "MatMul"(%p1, %k) : (tensor<1x2x?x?xf32>, tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32> loc("strictly")
  %y2 = onnx.node "MatMul"(%p2, %k) : (tensor<1x2x?x?xf32>, tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32> loc("off_by_one")
  %y3 = onnx.node "MatMul"(%p3, %k) : (tensor<1x2x?x?xf32>, tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32> loc("swapped")
  %y4 = onnx.node "MatMul"(%p4, %k) : (tensor<1x2x?x?xf32>, tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32> loc("soft")
  %y5 = onnx.node "MatMul"(%p5, %k) : (tensor<1x2x?x?xf32>, tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32> loc("upside_down")
  %y6 = onnx.node "MatMul"(%p6, %k) : (tensor<1x2x?x?xf32>, tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32> loc("everything")
  return %y0, %y1, %y2, %y3, %y4, %y5, %y6 : tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>
}

// -----

// What is no attention: a softmax over the queries, a scale for each head, a
// mask that is scaled, scores that are no product.
// CHECK: remark: loc("over_queries"): [Missed] attention | Category:tern-raise | Reason="Softmax: the softmax runs over axis 2, not over the keys"
// CHECK: remark: loc("scale_of_heads"): [Missed] attention | Category:tern-raise | Reason="Softmax: its scores are not a scaled and masked product"
// CHECK: remark: loc("scaled_mask"): [Missed] attention | Category:tern-raise | Reason="Softmax: its scores are not a scaled and masked product"
// CHECK: remark: loc("batches"): [Missed] attention | Category:tern-raise | Reason="Softmax: queries, keys and values may differ in the batch"
// A softmax that weighs nothing is not worth a remark.
// CHECK-NOT: remark
module attributes {onnx.opsets = {ai.onnx = 18 : i64}} {
func.func @others(%q: tensor<?x2x3x4xf32>, %k: tensor<1x2x3x4xf32>, %bias: tensor<3x3xf32>)
    -> (tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<?x2x3x4xf32>, tensor<3x3xf32>) {
  %kt = onnx.node "Transpose"(%k) {perm = array<i64: 0, 1, 3, 2>} : (tensor<1x2x3x4xf32>) -> tensor<1x2x4x3xf32>
  %each = onnx.constant dense<[[[0.5]], [[0.25]]]> : tensor<2x1x1xf32>
  %half = onnx.constant dense<0.5> : tensor<f32>
  %qk = onnx.node "MatMul"(%k, %kt) : (tensor<1x2x3x4xf32>, tensor<1x2x4x3xf32>) -> tensor<1x2x3x3xf32>
  %p0 = onnx.node "Softmax"(%qk) {axis = 2} : (tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32> loc("over_queries")
  %y0 = onnx.node "MatMul"(%p0, %k) : (tensor<1x2x3x3xf32>, tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32>
  %s1 = onnx.node "Mul"(%qk, %each) : (tensor<1x2x3x3xf32>, tensor<2x1x1xf32>) -> tensor<1x2x3x3xf32>
  %p1 = onnx.node "Softmax"(%s1) : (tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32> loc("scale_of_heads")
  %y1 = onnx.node "MatMul"(%p1, %k) : (tensor<1x2x3x3xf32>, tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32>
  %m2 = onnx.node "Add"(%qk, %bias) : (tensor<1x2x3x3xf32>, tensor<3x3xf32>) -> tensor<1x2x3x3xf32>
  %s2 = onnx.node "Mul"(%m2, %half) : (tensor<1x2x3x3xf32>, tensor<f32>) -> tensor<1x2x3x3xf32>
  %p2 = onnx.node "Softmax"(%s2) : (tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32> loc("scaled_mask")
  %y2 = onnx.node "MatMul"(%p2, %k) : (tensor<1x2x3x3xf32>, tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32>
  %s3 = onnx.node "MatMul"(%q, %kt) : (tensor<?x2x3x4xf32>, tensor<1x2x4x3xf32>) -> tensor<?x2x3x3xf32>
  %p3 = onnx.node "Softmax"(%s3) : (tensor<?x2x3x3xf32>) -> tensor<?x2x3x3xf32> loc("batches")
  %y3 = onnx.node "MatMul"(%p3, %k) : (tensor<?x2x3x3xf32>, tensor<1x2x3x4xf32>) -> tensor<?x2x3x4xf32>
  %p4 = onnx.node "Softmax"(%bias) : (tensor<3x3xf32>) -> tensor<3x3xf32>
  return %y0, %y1, %y2, %y3, %p4 : tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<?x2x3x4xf32>, tensor<3x3xf32>
}
}

// -----

// CHECK: remark: loc("brain"): [Missed] attention | Category:tern-raise | Reason="{{.*}}bf16 rounds scores and probabilities, which Attention does not"
func.func @bf16(%q: tensor<1x2x3x4xbf16>, %kt: tensor<1x2x4x3xbf16>, %v: tensor<1x2x3x4xbf16>) -> tensor<1x2x3x4xbf16> {
  %qk = onnx.node "MatMul"(%q, %kt) : (tensor<1x2x3x4xbf16>, tensor<1x2x4x3xbf16>) -> tensor<1x2x3x3xbf16>
  %p = onnx.node "Softmax"(%qk) {axis = -1 : i64} : (tensor<1x2x3x3xbf16>) -> tensor<1x2x3x3xbf16> loc("brain")
  %y = onnx.node "MatMul"(%p, %v) : (tensor<1x2x3x3xbf16>, tensor<1x2x3x4xbf16>) -> tensor<1x2x3x4xbf16>
  return %y : tensor<1x2x3x4xbf16>
}

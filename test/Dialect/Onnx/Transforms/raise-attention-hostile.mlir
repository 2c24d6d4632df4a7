// RUN: tern-opt %s --split-input-file --onnx-raise-attention | FileCheck %s

// Masks that look like others. Attention takes keys for which its mask has no
// column to be masked, so a short one says something.
// CHECK-LABEL: func.func @short(
// CHECK:         %[[MASK:.*]] = onnx.constant dense<true>
// CHECK:         onnx.node "Attention"({{.*}}, %[[MASK]])
module attributes {onnx.opsets = {ai.onnx = 23 : i64}} {
func.func @short(%q: tensor<?x2x?x8xf32> {onnx.dims = ["batch", "", "seq", ""]}) -> tensor<?x2x?x8xf32> {
  %mask = onnx.constant dense<true> : tensor<1x1x1x5xi1>
  %y = onnx.node "Attention"(%q, %q, %q, %mask) {is_causal = 1} : (tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>, tensor<1x1x1x5xi1>) -> tensor<?x2x?x8xf32>
  return %y : tensor<?x2x?x8xf32>
}
}

// -----

// For the same reason one column for all keys is repeated.
// CHECK-LABEL: func.func @column(
// CHECK-SAME:    %[[Q:.*]]: tensor<?x2x?x8xf32> {{{.*}}}, %[[M:.*]]: tensor<?x1x?x1xi1>
// CHECK:         %[[KEYS:.*]] = onnx.node "Shape"(%[[Q]]) {end = 3 : i64, start = 2 : i64}
// CHECK:         %[[WIDE:.*]] = onnx.node "Expand"(%[[M]], %[[KEYS]])
// CHECK:         onnx.node "Attention"(%[[Q]], %[[Q]], %[[Q]], %[[WIDE]])
module attributes {onnx.opsets = {ai.onnx = 23 : i64}} {
func.func @column(%q: tensor<?x2x?x8xf32> {onnx.dims = ["batch", "", "seq", ""]}, %m: tensor<?x1x?x1xi1> {onnx.dims = ["batch", "", "seq", ""]}) -> tensor<?x2x?x8xf32> {
  %t = onnx.node "Transpose"(%q) {perm = array<i64: 0, 1, 3, 2>} : (tensor<?x2x?x8xf32>) -> tensor<?x2x8x?xf32>
  %p = onnx.node "MatMul"(%q, %t) : (tensor<?x2x?x8xf32>, tensor<?x2x8x?xf32>) -> tensor<?x2x?x?xf32>
  %drop = onnx.constant dense<0xFF800000> : tensor<f32>
  %w = onnx.node "Where"(%m, %p, %drop) : (tensor<?x1x?x1xi1>, tensor<?x2x?x?xf32>, tensor<f32>) -> tensor<?x2x?x?xf32>
  %a = onnx.node "Softmax"(%w) {axis = -1} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %y = onnx.node "MatMul"(%a, %q) : (tensor<?x2x?x?xf32>, tensor<?x2x?x8xf32>) -> tensor<?x2x?x8xf32>
  return %y : tensor<?x2x?x8xf32>
}
}

// -----

// Heads that only the mask has are not the queries'.
// CHECK-LABEL: func.func @heads(
// CHECK:         onnx.node "Softmax"
// CHECK-NOT:     "Attention"
// CHECK:         return
module attributes {onnx.opsets = {ai.onnx = 23 : i64}} {
func.func @heads(%q: tensor<?x1x?x8xf32> {onnx.dims = ["batch", "", "seq", ""]}) -> tensor<?x2x?x8xf32> {
  %m = onnx.constant dense<true> : tensor<2x1x1xi1>
  %t = onnx.node "Transpose"(%q) {perm = array<i64: 0, 1, 3, 2>} : (tensor<?x1x?x8xf32>) -> tensor<?x1x8x?xf32>
  %p = onnx.node "MatMul"(%q, %t) : (tensor<?x1x?x8xf32>, tensor<?x1x8x?xf32>) -> tensor<?x1x?x?xf32>
  %drop = onnx.constant dense<0xFF800000> : tensor<f32>
  %w = onnx.node "Where"(%m, %p, %drop) : (tensor<2x1x1xi1>, tensor<?x1x?x?xf32>, tensor<f32>) -> tensor<?x2x?x?xf32>
  %a = onnx.node "Softmax"(%w) {axis = -1} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %y = onnx.node "MatMul"(%a, %q) : (tensor<?x2x?x?xf32>, tensor<?x1x?x8xf32>) -> tensor<?x2x?x8xf32>
  return %y : tensor<?x2x?x8xf32>
}
}

// -----

// A difference without a sign is never negative.
// CHECK-LABEL: func.func @unsigned(
// CHECK:         "Attention"{{.*}} {is_causal = 0
module attributes {onnx.opsets = {ai.onnx = 23 : i64}} {
func.func @unsigned(%q: tensor<?x2x?x8xf32> {onnx.dims = ["batch", "", "seq", ""]}) -> tensor<?x2x?x8xf32> {
  %zero = onnx.constant dense<0> : tensor<i64>
  %one = onnx.constant dense<1> : tensor<i64>
  %rows = onnx.constant dense<1> : tensor<1xi64>
  %cols = onnx.constant dense<0> : tensor<1xi64>
  %s = onnx.node "Shape"(%q) {start = 2, end = 3} : (tensor<?x2x?x8xf32>) -> tensor<1xi64>
  %n = onnx.node "Squeeze"(%s) : (tensor<1xi64>) -> tensor<i64>
  %range = onnx.node "Range"(%zero, %n, %one) : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %i = onnx.node "Unsqueeze"(%range, %rows) : (tensor<?xi64>, tensor<1xi64>) -> tensor<?x1xi64>
  %j = onnx.node "Unsqueeze"(%range, %cols) : (tensor<?xi64>, tensor<1xi64>) -> tensor<1x?xi64>
  %iu = onnx.node "Cast"(%i) {to = 13} : (tensor<?x1xi64>) -> tensor<?x1xui64>
  %ju = onnx.node "Cast"(%j) {to = 13} : (tensor<1x?xi64>) -> tensor<1x?xui64>
  %none = onnx.constant dense<0> : tensor<ui64>
  %d = onnx.node "Sub"(%iu, %ju) : (tensor<?x1xui64>, tensor<1x?xui64>) -> tensor<?x?xui64>
  %m = onnx.node "GreaterOrEqual"(%d, %none) : (tensor<?x?xui64>, tensor<ui64>) -> tensor<?x?xi1>
  %t = onnx.node "Transpose"(%q) {perm = array<i64: 0, 1, 3, 2>} : (tensor<?x2x?x8xf32>) -> tensor<?x2x8x?xf32>
  %p = onnx.node "MatMul"(%q, %t) : (tensor<?x2x?x8xf32>, tensor<?x2x8x?xf32>) -> tensor<?x2x?x?xf32>
  %drop = onnx.constant dense<0xFF800000> : tensor<f32>
  %w = onnx.node "Where"(%m, %p, %drop) : (tensor<?x?xi1>, tensor<?x2x?x?xf32>, tensor<f32>) -> tensor<?x2x?x?xf32>
  %a = onnx.node "Softmax"(%w) {axis = -1} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %y = onnx.node "MatMul"(%a, %q) : (tensor<?x2x?x?xf32>, tensor<?x2x?x8xf32>) -> tensor<?x2x?x8xf32>
  return %y : tensor<?x2x?x8xf32>
}
}

// -----

// Neither is one that loses its sign afterwards.
// CHECK-LABEL: func.func @cast(
// CHECK:         "Attention"{{.*}} {is_causal = 0
module attributes {onnx.opsets = {ai.onnx = 23 : i64}} {
func.func @cast(%q: tensor<?x2x?x8xf32> {onnx.dims = ["batch", "", "seq", ""]}) -> tensor<?x2x?x8xf32> {
  %zero = onnx.constant dense<0> : tensor<i64>
  %one = onnx.constant dense<1> : tensor<i64>
  %rows = onnx.constant dense<1> : tensor<1xi64>
  %cols = onnx.constant dense<0> : tensor<1xi64>
  %s = onnx.node "Shape"(%q) {start = 2, end = 3} : (tensor<?x2x?x8xf32>) -> tensor<1xi64>
  %n = onnx.node "Squeeze"(%s) : (tensor<1xi64>) -> tensor<i64>
  %range = onnx.node "Range"(%zero, %n, %one) : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %i = onnx.node "Unsqueeze"(%range, %rows) : (tensor<?xi64>, tensor<1xi64>) -> tensor<?x1xi64>
  %j = onnx.node "Unsqueeze"(%range, %cols) : (tensor<?xi64>, tensor<1xi64>) -> tensor<1x?xi64>
  %none = onnx.constant dense<0> : tensor<ui64>
  %d = onnx.node "Sub"(%i, %j) : (tensor<?x1xi64>, tensor<1x?xi64>) -> tensor<?x?xi64>
  %u = onnx.node "Cast"(%d) {to = 13} : (tensor<?x?xi64>) -> tensor<?x?xui64>
  %m = onnx.node "GreaterOrEqual"(%u, %none) : (tensor<?x?xui64>, tensor<ui64>) -> tensor<?x?xi1>
  %t = onnx.node "Transpose"(%q) {perm = array<i64: 0, 1, 3, 2>} : (tensor<?x2x?x8xf32>) -> tensor<?x2x8x?xf32>
  %p = onnx.node "MatMul"(%q, %t) : (tensor<?x2x?x8xf32>, tensor<?x2x8x?xf32>) -> tensor<?x2x?x?xf32>
  %drop = onnx.constant dense<0xFF800000> : tensor<f32>
  %w = onnx.node "Where"(%m, %p, %drop) : (tensor<?x?xi1>, tensor<?x2x?x?xf32>, tensor<f32>) -> tensor<?x2x?x?xf32>
  %a = onnx.node "Softmax"(%w) {axis = -1} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %y = onnx.node "MatMul"(%a, %q) : (tensor<?x2x?x?xf32>, tensor<?x2x?x8xf32>) -> tensor<?x2x?x8xf32>
  return %y : tensor<?x2x?x8xf32>
}
}

// -----

// Positions of 8 bits begin anew after 128.
// CHECK-LABEL: func.func @narrow(
// CHECK:         "Attention"{{.*}} {is_causal = 0
module attributes {onnx.opsets = {ai.onnx = 23 : i64}} {
func.func @narrow(%q: tensor<?x2x?x8xf32> {onnx.dims = ["batch", "", "seq", ""]}) -> tensor<?x2x?x8xf32> {
  %zero = onnx.constant dense<0> : tensor<i64>
  %one = onnx.constant dense<1> : tensor<i64>
  %rows = onnx.constant dense<1> : tensor<1xi64>
  %cols = onnx.constant dense<0> : tensor<1xi64>
  %s = onnx.node "Shape"(%q) {start = 2, end = 3} : (tensor<?x2x?x8xf32>) -> tensor<1xi64>
  %n = onnx.node "Squeeze"(%s) : (tensor<1xi64>) -> tensor<i64>
  %range = onnx.node "Range"(%zero, %n, %one) : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %i = onnx.node "Unsqueeze"(%range, %rows) : (tensor<?xi64>, tensor<1xi64>) -> tensor<?x1xi64>
  %j = onnx.node "Unsqueeze"(%range, %cols) : (tensor<?xi64>, tensor<1xi64>) -> tensor<1x?xi64>
  %in = onnx.node "Cast"(%i) {to = 3} : (tensor<?x1xi64>) -> tensor<?x1xi8>
  %jn = onnx.node "Cast"(%j) {to = 3} : (tensor<1x?xi64>) -> tensor<1x?xi8>
  %m = onnx.node "LessOrEqual"(%jn, %in) : (tensor<1x?xi8>, tensor<?x1xi8>) -> tensor<?x?xi1>
  %t = onnx.node "Transpose"(%q) {perm = array<i64: 0, 1, 3, 2>} : (tensor<?x2x?x8xf32>) -> tensor<?x2x8x?xf32>
  %p = onnx.node "MatMul"(%q, %t) : (tensor<?x2x?x8xf32>, tensor<?x2x8x?xf32>) -> tensor<?x2x?x?xf32>
  %drop = onnx.constant dense<0xFF800000> : tensor<f32>
  %w = onnx.node "Where"(%m, %p, %drop) : (tensor<?x?xi1>, tensor<?x2x?x?xf32>, tensor<f32>) -> tensor<?x2x?x?xf32>
  %a = onnx.node "Softmax"(%w) {axis = -1} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %y = onnx.node "MatMul"(%a, %q) : (tensor<?x2x?x?xf32>, tensor<?x2x?x8xf32>) -> tensor<?x2x?x8xf32>
  return %y : tensor<?x2x?x8xf32>
}
}

// -----

// A product of 32 bits wraps around, and one of floats is rounded.
// CHECK-LABEL: func.func @product(
// CHECK:         "Attention"{{.*}} {is_causal = 0
module attributes {onnx.opsets = {ai.onnx = 23 : i64}} {
func.func @product(%q: tensor<?x2x?x8xf32> {onnx.dims = ["batch", "", "seq", ""]}) -> tensor<?x2x?x8xf32> {
  %zero = onnx.constant dense<0> : tensor<i64>
  %one = onnx.constant dense<1> : tensor<i64>
  %rows = onnx.constant dense<1> : tensor<1xi64>
  %cols = onnx.constant dense<0> : tensor<1xi64>
  %s = onnx.node "Shape"(%q) {start = 2, end = 3} : (tensor<?x2x?x8xf32>) -> tensor<1xi64>
  %n = onnx.node "Squeeze"(%s) : (tensor<1xi64>) -> tensor<i64>
  %range = onnx.node "Range"(%zero, %n, %one) : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %i = onnx.node "Unsqueeze"(%range, %rows) : (tensor<?xi64>, tensor<1xi64>) -> tensor<?x1xi64>
  %j = onnx.node "Unsqueeze"(%range, %cols) : (tensor<?xi64>, tensor<1xi64>) -> tensor<1x?xi64>
  %far = onnx.constant dense<65536> : tensor<i32>
  %none = onnx.constant dense<0> : tensor<i32>
  %d = onnx.node "Sub"(%i, %j) : (tensor<?x1xi64>, tensor<1x?xi64>) -> tensor<?x?xi64>
  %d32 = onnx.node "Cast"(%d) {to = 6} : (tensor<?x?xi64>) -> tensor<?x?xi32>
  %once = onnx.node "Mul"(%d32, %far) : (tensor<?x?xi32>, tensor<i32>) -> tensor<?x?xi32>
  %twice = onnx.node "Mul"(%once, %far) : (tensor<?x?xi32>, tensor<i32>) -> tensor<?x?xi32>
  %m = onnx.node "GreaterOrEqual"(%twice, %none) : (tensor<?x?xi32>, tensor<i32>) -> tensor<?x?xi1>
  %t = onnx.node "Transpose"(%q) {perm = array<i64: 0, 1, 3, 2>} : (tensor<?x2x?x8xf32>) -> tensor<?x2x8x?xf32>
  %p = onnx.node "MatMul"(%q, %t) : (tensor<?x2x?x8xf32>, tensor<?x2x8x?xf32>) -> tensor<?x2x?x?xf32>
  %drop = onnx.constant dense<0xFF800000> : tensor<f32>
  %w = onnx.node "Where"(%m, %p, %drop) : (tensor<?x?xi1>, tensor<?x2x?x?xf32>, tensor<f32>) -> tensor<?x2x?x?xf32>
  %a = onnx.node "Softmax"(%w) {axis = -1} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %y = onnx.node "MatMul"(%a, %q) : (tensor<?x2x?x?xf32>, tensor<?x2x?x8xf32>) -> tensor<?x2x?x8xf32>
  return %y : tensor<?x2x?x8xf32>
}
}

// -----

// Positions of 32 bits, integers or floats, are what they are.
// CHECK-LABEL: func.func @wide(
// CHECK:         "Attention"{{.*}} {is_causal = 1
module attributes {onnx.opsets = {ai.onnx = 23 : i64}} {
func.func @wide(%q: tensor<?x2x?x8xf32> {onnx.dims = ["batch", "", "seq", ""]}) -> tensor<?x2x?x8xf32> {
  %zero = onnx.constant dense<0> : tensor<i64>
  %one = onnx.constant dense<1> : tensor<i64>
  %rows = onnx.constant dense<1> : tensor<1xi64>
  %cols = onnx.constant dense<0> : tensor<1xi64>
  %s = onnx.node "Shape"(%q) {start = 2, end = 3} : (tensor<?x2x?x8xf32>) -> tensor<1xi64>
  %n = onnx.node "Squeeze"(%s) : (tensor<1xi64>) -> tensor<i64>
  %range = onnx.node "Range"(%zero, %n, %one) : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %i = onnx.node "Unsqueeze"(%range, %rows) : (tensor<?xi64>, tensor<1xi64>) -> tensor<?x1xi64>
  %j = onnx.node "Unsqueeze"(%range, %cols) : (tensor<?xi64>, tensor<1xi64>) -> tensor<1x?xi64>
  %iw = onnx.node "Cast"(%i) {to = 6} : (tensor<?x1xi64>) -> tensor<?x1xi32>
  %if = onnx.node "Cast"(%iw) {to = 1} : (tensor<?x1xi32>) -> tensor<?x1xf32>
  %jf = onnx.node "Cast"(%j) {to = 1} : (tensor<1x?xi64>) -> tensor<1x?xf32>
  %m = onnx.node "LessOrEqual"(%jf, %if) : (tensor<1x?xf32>, tensor<?x1xf32>) -> tensor<?x?xi1>
  %t = onnx.node "Transpose"(%q) {perm = array<i64: 0, 1, 3, 2>} : (tensor<?x2x?x8xf32>) -> tensor<?x2x8x?xf32>
  %p = onnx.node "MatMul"(%q, %t) : (tensor<?x2x?x8xf32>, tensor<?x2x8x?xf32>) -> tensor<?x2x?x?xf32>
  %drop = onnx.constant dense<0xFF800000> : tensor<f32>
  %w = onnx.node "Where"(%m, %p, %drop) : (tensor<?x?xi1>, tensor<?x2x?x?xf32>, tensor<f32>) -> tensor<?x2x?x?xf32>
  %a = onnx.node "Softmax"(%w) {axis = -1} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %y = onnx.node "MatMul"(%a, %q) : (tensor<?x2x?x?xf32>, tensor<?x2x?x8xf32>) -> tensor<?x2x?x8xf32>
  return %y : tensor<?x2x?x8xf32>
}
}

// RUN: tern-opt %s --split-input-file --onnx-raise-attention | FileCheck %s

// Grouped-query attention as exporters write it: heads repeated by Expand, the
// keys transposed, a causal mask made of ranges. Nothing of it is left.
// CHECK-LABEL: func.func @expand(
// CHECK-SAME:    %[[Q:.*]]: tensor<?x4x?x8xf32> {{{.*}}}, %[[K:.*]]: tensor<?x2x?x8xf32> {{{.*}}}, %[[V:.*]]: tensor<?x2x?x8xf32>
// CHECK-NEXT:    %[[Y:.*]] = onnx.node "Attention"(%[[Q]], %[[K]], %[[V]]) {is_causal = 1 : i64, scale = 2.500000e-01 : f32}
// CHECK-NEXT:    return %[[Y]]
func.func @expand(%q: tensor<?x4x?x8xf32> {onnx.dims = ["batch", "", "seq", ""]}, %k: tensor<?x2x?x8xf32> {onnx.dims = ["batch", "", "seq", ""]},
                  %v: tensor<?x2x?x8xf32> {onnx.dims = ["batch", "", "seq", ""]}) -> tensor<?x4x?x8xf32> {
  %zero = onnx.constant dense<0> : tensor<i64>
  %one = onnx.constant dense<1> : tensor<i64>
  %two = onnx.constant dense<2> : tensor<1xi64>
  %four = onnx.constant dense<4> : tensor<1xi64>
  %eight = onnx.constant dense<8> : tensor<1xi64>
  %rows = onnx.constant dense<[0, 1, 3]> : tensor<3xi64>
  %cols = onnx.constant dense<[0, 1, 2]> : tensor<3xi64>
  %b = onnx.node "Shape"(%q) {start = 0, end = 1} : (tensor<?x4x?x8xf32>) -> tensor<1xi64>
  %s = onnx.node "Shape"(%q) {start = 2, end = 3} : (tensor<?x4x?x8xf32>) -> tensor<1xi64>
  %n = onnx.node "Squeeze"(%s) : (tensor<1xi64>) -> tensor<i64>
  %range = onnx.node "Range"(%zero, %n, %one) : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %i = onnx.node "Unsqueeze"(%range, %rows) : (tensor<?xi64>, tensor<3xi64>) -> tensor<1x1x?x1xi64>
  %j = onnx.node "Unsqueeze"(%range, %cols) : (tensor<?xi64>, tensor<3xi64>) -> tensor<1x1x1x?xi64>
  %le = onnx.node "LessOrEqual"(%j, %i) : (tensor<1x1x1x?xi64>, tensor<1x1x?x1xi64>) -> tensor<1x1x?x?xi1>
  %keep = onnx.constant dense<0.0> : tensor<f32>
  %drop = onnx.constant dense<-3.40282347E+38> : tensor<f32>
  %mask = onnx.node "Where"(%le, %keep, %drop) : (tensor<1x1x?x?xi1>, tensor<f32>, tensor<f32>) -> tensor<1x1x?x?xf32>
  %to5 = onnx.node "Concat"(%b, %two, %two, %s, %eight) {axis = 0} : (tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<5xi64>
  %to4 = onnx.node "Concat"(%b, %four, %s, %eight) {axis = 0} : (tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<4xi64>
  %k5 = onnx.node "Unsqueeze"(%k, %two) : (tensor<?x2x?x8xf32>, tensor<1xi64>) -> tensor<?x2x1x?x8xf32>
  %ke = onnx.node "Expand"(%k5, %to5) : (tensor<?x2x1x?x8xf32>, tensor<5xi64>) -> tensor<?x2x2x?x8xf32>
  %kr = onnx.node "Reshape"(%ke, %to4) {allowzero = 1} : (tensor<?x2x2x?x8xf32>, tensor<4xi64>) -> tensor<?x4x?x8xf32>
  %v5 = onnx.node "Unsqueeze"(%v, %two) : (tensor<?x2x?x8xf32>, tensor<1xi64>) -> tensor<?x2x1x?x8xf32>
  %ve = onnx.node "Expand"(%v5, %to5) : (tensor<?x2x1x?x8xf32>, tensor<5xi64>) -> tensor<?x2x2x?x8xf32>
  %vr = onnx.node "Reshape"(%ve, %to4) {allowzero = 1} : (tensor<?x2x2x?x8xf32>, tensor<4xi64>) -> tensor<?x4x?x8xf32>
  %kt = onnx.node "Transpose"(%kr) {perm = array<i64: 0, 1, 3, 2>} : (tensor<?x4x?x8xf32>) -> tensor<?x4x8x?xf32>
  %quarter = onnx.constant dense<0.25> : tensor<f32>
  %qk = onnx.node "MatMul"(%q, %kt) : (tensor<?x4x?x8xf32>, tensor<?x4x8x?xf32>) -> tensor<?x4x?x?xf32>
  %scaled = onnx.node "Mul"(%qk, %quarter) : (tensor<?x4x?x?xf32>, tensor<f32>) -> tensor<?x4x?x?xf32>
  %masked = onnx.node "Add"(%scaled, %mask) : (tensor<?x4x?x?xf32>, tensor<1x1x?x?xf32>) -> tensor<?x4x?x?xf32>
  %p = onnx.node "Softmax"(%masked) {axis = -1} : (tensor<?x4x?x?xf32>) -> tensor<?x4x?x?xf32>
  %y = onnx.node "MatMul"(%p, %vr) : (tensor<?x4x?x?xf32>, tensor<?x4x?x8xf32>) -> tensor<?x4x?x8xf32>
  return %y : tensor<?x4x?x8xf32>
}

// -----

// Heads repeated by Gather (keys) and by Tile behind the heads (values).
// CHECK-LABEL: func.func @repeat_interleave(
// CHECK-SAME:    %[[Q:.*]]: tensor<1x6x3x8xf32>, %[[K:.*]]: tensor<1x2x3x8xf32>, %[[V:.*]]: tensor<1x2x3x8xf32>
// CHECK-NEXT:    onnx.node "Attention"(%[[Q]], %[[K]], %[[V]]) {is_causal = 0 : i64, scale = 1.000000e+00 : f32}
func.func @repeat_interleave(%q: tensor<1x6x3x8xf32>, %k: tensor<1x2x3x8xf32>, %v: tensor<1x2x3x8xf32>) -> tensor<1x6x3x8xf32> {
  %heads = onnx.constant dense<[0, 0, 0, 1, 1, 1]> : tensor<6xi64>
  %two = onnx.constant dense<2> : tensor<1xi64>
  %times = onnx.constant dense<[1, 1, 3, 1, 1]> : tensor<5xi64>
  %shape = onnx.constant dense<[1, 6, 3, 8]> : tensor<4xi64>
  %kr = onnx.node "Gather"(%k, %heads) {axis = 1} : (tensor<1x2x3x8xf32>, tensor<6xi64>) -> tensor<1x6x3x8xf32>
  %kt = onnx.node "Transpose"(%kr) {perm = array<i64: 0, 1, 3, 2>} : (tensor<1x6x3x8xf32>) -> tensor<1x6x8x3xf32>
  %v5 = onnx.node "Unsqueeze"(%v, %two) : (tensor<1x2x3x8xf32>, tensor<1xi64>) -> tensor<1x2x1x3x8xf32>
  %vt = onnx.node "Tile"(%v5, %times) : (tensor<1x2x1x3x8xf32>, tensor<5xi64>) -> tensor<1x2x3x3x8xf32>
  %vr = onnx.node "Reshape"(%vt, %shape) : (tensor<1x2x3x3x8xf32>, tensor<4xi64>) -> tensor<1x6x3x8xf32>
  %qk = onnx.node "MatMul"(%q, %kt) : (tensor<1x6x3x8xf32>, tensor<1x6x8x3xf32>) -> tensor<1x6x3x3xf32>
  %p = onnx.node "Softmax"(%qk) {axis = 3} : (tensor<1x6x3x3xf32>) -> tensor<1x6x3x3xf32>
  %y = onnx.node "MatMul"(%p, %vr) : (tensor<1x6x3x3xf32>, tensor<1x6x3x8xf32>) -> tensor<1x6x3x8xf32>
  return %y : tensor<1x6x3x8xf32>
}

// -----

// Heads repeated by Concat (keys). A tile of all heads (values) puts them into
// another order: it stays, and with it the repeated keys.
// CHECK-LABEL: func.func @tile(
// CHECK-SAME:    %[[Q:.*]]: tensor<1x4x3x8xf32>, %[[K:.*]]: tensor<1x2x3x8xf32>, %[[V:.*]]: tensor<1x2x3x8xf32>
// CHECK:         %[[KR:.*]] = onnx.node "Reshape"
// CHECK:         %[[VR:.*]] = onnx.node "Tile"(%[[V]]
// CHECK:         onnx.node "Attention"(%[[Q]], %[[KR]], %[[VR]])
func.func @tile(%q: tensor<1x4x3x8xf32>, %k: tensor<1x2x3x8xf32>, %v: tensor<1x2x3x8xf32>) -> tensor<1x4x3x8xf32> {
  %two = onnx.constant dense<2> : tensor<1xi64>
  %times = onnx.constant dense<[1, 2, 1, 1]> : tensor<4xi64>
  %shape = onnx.constant dense<[1, 4, 3, 8]> : tensor<4xi64>
  %k5 = onnx.node "Unsqueeze"(%k, %two) : (tensor<1x2x3x8xf32>, tensor<1xi64>) -> tensor<1x2x1x3x8xf32>
  %kc = onnx.node "Concat"(%k5, %k5) {axis = 2} : (tensor<1x2x1x3x8xf32>, tensor<1x2x1x3x8xf32>) -> tensor<1x2x2x3x8xf32>
  %kr = onnx.node "Reshape"(%kc, %shape) : (tensor<1x2x2x3x8xf32>, tensor<4xi64>) -> tensor<1x4x3x8xf32>
  %kt = onnx.node "Transpose"(%kr) {perm = array<i64: 0, 1, 3, 2>} : (tensor<1x4x3x8xf32>) -> tensor<1x4x8x3xf32>
  %vr = onnx.node "Tile"(%v, %times) : (tensor<1x2x3x8xf32>, tensor<4xi64>) -> tensor<1x4x3x8xf32>
  %qk = onnx.node "MatMul"(%q, %kt) : (tensor<1x4x3x8xf32>, tensor<1x4x8x3xf32>) -> tensor<1x4x3x3xf32>
  %p = onnx.node "Softmax"(%qk) {axis = -1} : (tensor<1x4x3x3xf32>) -> tensor<1x4x3x3xf32>
  %y = onnx.node "MatMul"(%p, %vr) : (tensor<1x4x3x3xf32>, tensor<1x4x3x8xf32>) -> tensor<1x4x3x8xf32>
  return %y : tensor<1x4x3x8xf32>
}

// -----

// The root of the scale on both sides, computed from the size of a head; keys
// transposed by way of rank 3; a guard against rows without weights.
// CHECK-LABEL: func.func @scale_on_both_sides(
// CHECK-SAME:    %[[Q:.*]]: tensor<?x2x?x16xf32> {{{.*}}}, %[[K:.*]]: tensor<?x2x?x16xf32> {{{.*}}}, %[[V:.*]]: tensor<?x2x?x16xf32>
// CHECK-NEXT:    onnx.node "Attention"(%[[Q]], %[[K]], %[[V]]) {is_causal = 0 : i64, scale = 2.500000e-01 : f32}
func.func @scale_on_both_sides(%q: tensor<?x2x?x16xf32> {onnx.dims = ["b", "", "s", ""]}, %k: tensor<?x2x?x16xf32> {onnx.dims = ["b", "", "t", ""]},
                               %v: tensor<?x2x?x16xf32> {onnx.dims = ["b", "", "t", ""]}) -> tensor<?x2x?x16xf32> {
  %minus = onnx.constant dense<-1> : tensor<1xi64>
  %minus2 = onnx.constant dense<-2> : tensor<1xi64>
  %zero = onnx.constant dense<0> : tensor<1xi64>
  %end = onnx.constant dense<9223372036854775807> : tensor<1xi64>
  %one = onnx.constant dense<1.0> : tensor<f32>
  %nothing = onnx.constant dense<0.0> : tensor<f32>
  %shape = onnx.node "Shape"(%k) : (tensor<?x2x?x16xf32>) -> tensor<4xi64>
  %d = onnx.node "Slice"(%shape, %minus, %end) : (tensor<4xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  %t = onnx.node "Slice"(%shape, %minus2, %minus) : (tensor<4xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  %bh = onnx.node "Slice"(%shape, %zero, %minus2) : (tensor<4xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  %flat = onnx.node "Concat"(%minus, %t, %d) {axis = 0} : (tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<3xi64>
  %full = onnx.node "Concat"(%bh, %d, %t) {axis = 0} : (tensor<2xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<4xi64>
  %k3 = onnx.node "Reshape"(%k, %flat) : (tensor<?x2x?x16xf32>, tensor<3xi64>) -> tensor<?x?x16xf32>
  %kt3 = onnx.node "Transpose"(%k3) {perm = array<i64: 0, 2, 1>} : (tensor<?x?x16xf32>) -> tensor<?x16x?xf32>
  %kt = onnx.node "Reshape"(%kt3, %full) : (tensor<?x16x?xf32>, tensor<4xi64>) -> tensor<?x2x16x?xf32>
  %df = onnx.node "Cast"(%d) {to = 1} : (tensor<1xi64>) -> tensor<1xf32>
  %root = onnx.node "Sqrt"(%df) : (tensor<1xf32>) -> tensor<1xf32>
  %scale = onnx.node "Div"(%one, %root) : (tensor<f32>, tensor<1xf32>) -> tensor<1xf32>
  %half = onnx.node "Sqrt"(%scale) : (tensor<1xf32>) -> tensor<1xf32>
  %qs = onnx.node "Mul"(%q, %half) : (tensor<?x2x?x16xf32>, tensor<1xf32>) -> tensor<?x2x?x16xf32>
  %ks = onnx.node "Mul"(%kt, %half) : (tensor<?x2x16x?xf32>, tensor<1xf32>) -> tensor<?x2x16x?xf32>
  %qk = onnx.node "MatMul"(%qs, %ks) : (tensor<?x2x?x16xf32>, tensor<?x2x16x?xf32>) -> tensor<?x2x?x?xf32>
  %p = onnx.node "Softmax"(%qk) {axis = -1} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %isnan = onnx.node "IsNaN"(%p) : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xi1>
  %safe = onnx.node "Where"(%isnan, %nothing, %p) : (tensor<?x2x?x?xi1>, tensor<f32>, tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %y = onnx.node "MatMul"(%safe, %v) : (tensor<?x2x?x?xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  return %y : tensor<?x2x?x16xf32>
}

// -----

// A quotient, a cap, and a softmax in f32 between layers of f16. The queries'
// own factor is the scale as well.
// CHECK-LABEL: func.func @capped_f16(
// CHECK-SAME:    %[[Q:.*]]: tensor<1x2x3x4xf16>, %[[K:.*]]: tensor<1x2x3x4xf16>, %[[V:.*]]: tensor<1x2x3x4xf16>
// CHECK-NEXT:    onnx.node "Attention"(%[[Q]], %[[K]], %[[V]]) {is_causal = 0 : i64, scale = 1.000000e+00 : f32, softcap = 3.000000e+01 : f32}
func.func @capped_f16(%q: tensor<1x2x3x4xf16>, %k: tensor<1x2x3x4xf16>, %v: tensor<1x2x3x4xf16>) -> tensor<1x2x3x4xf16> {
  %two = onnx.constant dense<2.0> : tensor<f16>
  %cap = onnx.constant dense<30.0> : tensor<f32>
  %qs = onnx.node "Mul"(%two, %q) : (tensor<f16>, tensor<1x2x3x4xf16>) -> tensor<1x2x3x4xf16>
  %kt = onnx.node "Transpose"(%k) {perm = array<i64: 0, 1, 3, 2>} : (tensor<1x2x3x4xf16>) -> tensor<1x2x4x3xf16>
  %qk = onnx.node "MatMul"(%qs, %kt) : (tensor<1x2x3x4xf16>, tensor<1x2x4x3xf16>) -> tensor<1x2x3x3xf16>
  %s = onnx.node "Div"(%qk, %two) : (tensor<1x2x3x3xf16>, tensor<f16>) -> tensor<1x2x3x3xf16>
  %wide = onnx.node "Cast"(%s) {to = 1} : (tensor<1x2x3x3xf16>) -> tensor<1x2x3x3xf32>
  %small = onnx.node "Div"(%wide, %cap) : (tensor<1x2x3x3xf32>, tensor<f32>) -> tensor<1x2x3x3xf32>
  %tanh = onnx.node "Tanh"(%small) : (tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  %capped = onnx.node "Mul"(%cap, %tanh) : (tensor<f32>, tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  %p = onnx.node "Softmax"(%capped) {axis = -1} : (tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  %narrow = onnx.node "Cast"(%p) {to = 10} : (tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf16>
  %same = onnx.node "Identity"(%narrow) : (tensor<1x2x3x3xf16>) -> tensor<1x2x3x3xf16>
  %y = onnx.node "MatMul"(%same, %v) : (tensor<1x2x3x3xf16>, tensor<1x2x3x4xf16>) -> tensor<1x2x3x4xf16>
  return %y : tensor<1x2x3x4xf16>
}

// -----

// Caches that grow: what Concat joined are the past and the present of the
// node, for everybody; their order in the graph does not matter. The shape of
// the present comes from its parts, or the mask would need its own result.
// Padding stays, as a row for each sequence, cut to the number of keys.
// CHECK-LABEL: func.func @past(
// CHECK-SAME:    %[[Q:.*]]: tensor<?x2x?x8xf32> {{{.*}}}, %[[K:.*]]: tensor<?x2x?x8xf32> {{{.*}}}, %[[V:.*]]: tensor<?x2x?x8xf32> {{{.*}}}, %[[PK:.*]]: tensor<?x2x?x8xf32> {{{.*}}}, %[[PV:.*]]: tensor<?x2x?x8xf32> {{{.*}}}, %[[PADDING:.*]]: tensor<?x?xi64>
// CHECK-DAG:     %[[BOOL:.*]] = onnx.node "Cast"(%[[PADDING]]) {to = 9 : i64}
// CHECK-DAG:     %[[ROW:.*]] = onnx.node "Unsqueeze"(%[[BOOL]], %{{.*}}) : (tensor<?x?xi1>, tensor<2xi64>) -> tensor<?x1x1x?xi1>
// CHECK-DAG:     %[[NEW:.*]] = onnx.node "Shape"(%[[K]]) {end = 3 : i64, start = 2 : i64}
// CHECK-DAG:     %[[OLD:.*]] = onnx.node "Shape"(%[[PK]]) {end = 3 : i64, start = 2 : i64}
// CHECK-DAG:     %[[ALL:.*]] = onnx.node "Add"(%[[OLD]], %[[NEW]])
// CHECK-DAG:     %[[MASK:.*]] = onnx.node "Slice"(%[[ROW]], %{{.*}}, %[[ALL]], %{{.*}})
// CHECK:         %[[Y:.*]]:3 = onnx.node "Attention"(%[[Q]], %[[K]], %[[V]], %[[MASK]], %[[PK]], %[[PV]]) {is_causal = 1 : i64, scale = 1.000000e+00 : f32}
// CHECK-NEXT:    return %[[Y]]#0, %[[Y]]#1, %[[Y]]#2
func.func @past(%q: tensor<?x2x?x8xf32> {onnx.dims = ["b", "", "s", ""]}, %k: tensor<?x2x?x8xf32> {onnx.dims = ["b", "", "s", ""]}, %v: tensor<?x2x?x8xf32> {onnx.dims = ["b", "", "s", ""]},
                %pk: tensor<?x2x?x8xf32> {onnx.dims = ["b", "", "past", ""]}, %pv: tensor<?x2x?x8xf32> {onnx.dims = ["b", "", "past", ""]}, %padding: tensor<?x?xi64> {onnx.dims = ["b", "total"]})
    -> (tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>) {
  %zero = onnx.constant dense<0> : tensor<i64>
  %one = onnx.constant dense<1> : tensor<i64>
  %minus = onnx.constant dense<-1> : tensor<1xi64>
  %rows = onnx.constant dense<[0, 1, 3]> : tensor<3xi64>
  %cols = onnx.constant dense<[0, 1, 2]> : tensor<3xi64>
  %whole = onnx.constant dense<[1, 2, 3]> : tensor<3xi64>
  %first = onnx.node "Concat"(%pk) {axis = -2} : (tensor<?x2x?x8xf32>) -> tensor<?x2x?x8xf32>
  %keys = onnx.node "Concat"(%first, %k) {axis = -2} : (tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>) -> tensor<?x2x?x8xf32>
  %values = onnx.node "Concat"(%pv, %v) {axis = 2} : (tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>) -> tensor<?x2x?x8xf32>
  %p1 = onnx.node "Shape"(%pk) {start = 2, end = 3} : (tensor<?x2x?x8xf32>) -> tensor<1xi64>
  %p0 = onnx.node "Squeeze"(%p1) : (tensor<1xi64>) -> tensor<i64>
  %s1 = onnx.node "Shape"(%q) {start = 2, end = 3} : (tensor<?x2x?x8xf32>) -> tensor<1xi64>
  %s0 = onnx.node "Squeeze"(%s1) : (tensor<1xi64>) -> tensor<i64>
  %t1 = onnx.node "Shape"(%keys) {start = -2, end = -1} : (tensor<?x2x?x8xf32>) -> tensor<1xi64>
  %t0 = onnx.node "Squeeze"(%t1) : (tensor<1xi64>) -> tensor<i64>
  %b1 = onnx.node "Shape"(%q) {start = 0, end = 1} : (tensor<?x2x?x8xf32>) -> tensor<1xi64>
  %b0 = onnx.node "Squeeze"(%b1) : (tensor<1xi64>) -> tensor<i64>
  %si = onnx.node "Range"(%zero, %s0, %one) : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %qi = onnx.node "Add"(%si, %p0) : (tensor<?xi64>, tensor<i64>) -> tensor<?xi64>
  %ki = onnx.node "Range"(%zero, %t0, %one) : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %bi = onnx.node "Range"(%zero, %b0, %one) : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %row = onnx.node "Unsqueeze"(%qi, %rows) : (tensor<?xi64>, tensor<3xi64>) -> tensor<1x1x?x1xi64>
  %col = onnx.node "Unsqueeze"(%ki, %cols) : (tensor<?xi64>, tensor<3xi64>) -> tensor<1x1x1x?xi64>
  %seq = onnx.node "Unsqueeze"(%bi, %whole) : (tensor<?xi64>, tensor<3xi64>) -> tensor<?x1x1x1xi64>
  %causal = onnx.node "GreaterOrEqual"(%row, %col) : (tensor<1x1x?x1xi64>, tensor<1x1x1x?xi64>) -> tensor<1x1x?x?xi1>
  // attention_mask[batch, key], gathered.
  %most = onnx.node "Max"(%seq, %col) : (tensor<?x1x1x1xi64>, tensor<1x1x1x?xi64>) -> tensor<?x1x1x?xi64>
  %shape = onnx.node "Shape"(%most) : (tensor<?x1x1x?xi64>) -> tensor<4xi64>
  %be = onnx.node "Expand"(%seq, %shape) : (tensor<?x1x1x1xi64>, tensor<4xi64>) -> tensor<?x1x1x?xi64>
  %te = onnx.node "Expand"(%col, %shape) : (tensor<1x1x1x?xi64>, tensor<4xi64>) -> tensor<?x1x1x?xi64>
  %b5 = onnx.node "Unsqueeze"(%be, %minus) : (tensor<?x1x1x?xi64>, tensor<1xi64>) -> tensor<?x1x1x?x1xi64>
  %t5 = onnx.node "Unsqueeze"(%te, %minus) : (tensor<?x1x1x?xi64>, tensor<1xi64>) -> tensor<?x1x1x?x1xi64>
  %where = onnx.node "Concat"(%b5, %t5) {axis = -1} : (tensor<?x1x1x?x1xi64>, tensor<?x1x1x?x1xi64>) -> tensor<?x1x1x?x2xi64>
  %token = onnx.node "Cast"(%padding) {to = 9} : (tensor<?x?xi64>) -> tensor<?x?xi1>
  %real = onnx.node "GatherND"(%token, %where) : (tensor<?x?xi1>, tensor<?x1x1x?x2xi64>) -> tensor<?x1x1x?xi1>
  %mask = onnx.node "And"(%causal, %real) : (tensor<1x1x?x?xi1>, tensor<?x1x1x?xi1>) -> tensor<?x1x?x?xi1>
  %y = onnx.node "Attention"(%q, %keys, %values, %mask) {scale = 1.0 : f32} : (tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>, tensor<?x1x?x?xi1>) -> tensor<?x2x?x8xf32>
  return %y, %keys, %values : tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>
}

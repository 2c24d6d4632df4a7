// RUN: tern-opt %s --convert-onnx-to-linalg --canonicalize --cse --split-input-file | FileCheck %s

// Sizes travel as scalars: a target that is read off shapes leaves no tensor of
// integers behind, and the inner sizes come out static.

// CHECK-LABEL: func.func @split_heads(
// CHECK-SAME:      %[[X:[^:]*]]: tensor<?x?x64xf32>
// CHECK-NOT:     from_elements
// CHECK-DAG:     %[[B:.*]] = tensor.dim %[[X]], %c0
// CHECK-DAG:     %[[S:.*]] = tensor.dim %[[X]], %c1
// CHECK:         tensor.expand_shape %[[X]] {{\[\[0\], \[1\], \[2, 3\]\]}}
// CHECK-SAME:        output_shape [%[[B]], %[[S]], 4, 16] : tensor<?x?x64xf32> into tensor<?x?x4x16xf32>
// CHECK-NOT:     assert
func.func @split_heads(%x: tensor<?x?x64xf32> {onnx.dims = ["batch", "seq", ""]},
                       %past: tensor<?x2x?x16xf32> {onnx.dims = ["batch", "", "past", ""]})
    -> tensor<?x?x?x16xf32> {
  %b = onnx.node "Shape"(%past) {start = 0 : i64, end = 1 : i64} : (tensor<?x2x?x16xf32>) -> tensor<1xi64>
  %shape = onnx.node "Shape"(%x) : (tensor<?x?x64xf32>) -> tensor<3xi64>
  %one = onnx.constant dense<1> : tensor<i64>
  %zero = onnx.constant dense<0> : tensor<1xi64>
  %s = onnx.node "Gather"(%shape, %one) {axis = 0 : i64} : (tensor<3xi64>, tensor<i64>) -> tensor<i64>
  %s1 = onnx.node "Unsqueeze"(%s, %zero) : (tensor<i64>, tensor<1xi64>) -> tensor<1xi64>
  %rest = onnx.constant dense<[-1, 16]> : tensor<2xi64>
  %target = onnx.node "Concat"(%b, %s1, %rest) {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>, tensor<2xi64>) -> tensor<4xi64>
  %y = onnx.node "Reshape"(%x, %target) {allowzero = 1 : i64} : (tensor<?x?x64xf32>, tensor<4xi64>) -> tensor<?x?x?x16xf32>
  return %y : tensor<?x?x?x16xf32>
}

// -----

// The other way round, after attention.

// CHECK-LABEL: func.func @join_heads(
// CHECK:         tensor.collapse_shape %{{.*}} {{\[\[0\], \[1\], \[2, 3\]\]}} : tensor<?x?x4x16xf32> into tensor<?x?x64xf32>
// CHECK-NOT:     assert
func.func @join_heads(%x: tensor<?x4x?x16xf32>) -> tensor<?x?x?xf32> {
  %t = onnx.node "Transpose"(%x) {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x4x?x16xf32>) -> tensor<?x?x4x16xf32>
  %target = onnx.constant dense<[0, 0, -1]> : tensor<3xi64>
  %y = onnx.node "Reshape"(%t, %target) : (tensor<?x?x4x16xf32>, tensor<3xi64>) -> tensor<?x?x?xf32>
  return %y : tensor<?x?x?xf32>
}

// -----

// The keys that query heads share, repeated: T is the sum of two sizes however
// it is computed, so only the new dimension is broadcast.

// CHECK-LABEL: func.func @repeat_heads(
// CHECK-NOT:     assert
// CHECK-NOT:     tensor.extract
// CHECK:         tensor.collapse_shape %{{.*}} {{\[\[0\], \[1, 2\], \[3\], \[4\]\]}} : tensor<?x2x2x?x16xf32> into tensor<?x4x?x16xf32>
func.func @repeat_heads(%past: tensor<?x2x?x16xf32> {onnx.dims = ["batch", "", "past", ""]},
                        %new: tensor<?x2x?x16xf32> {onnx.dims = ["batch", "", "seq", ""]})
    -> tensor<?x?x?x?xf32> {
  %k = onnx.node "Concat"(%past, %new) {axis = -2 : i64} : (tensor<?x2x?x16xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  %b = onnx.node "Shape"(%new) {end = 1 : i64} : (tensor<?x2x?x16xf32>) -> tensor<1xi64>
  %p = onnx.node "Shape"(%past) {start = 2 : i64, end = 3 : i64} : (tensor<?x2x?x16xf32>) -> tensor<1xi64>
  %s = onnx.node "Shape"(%new) {start = 2 : i64, end = 3 : i64} : (tensor<?x2x?x16xf32>) -> tensor<1xi64>
  %t = onnx.node "Add"(%s, %p) : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  %two = onnx.constant dense<2> : tensor<1xi64>
  %four = onnx.constant dense<4> : tensor<1xi64>
  %size = onnx.constant dense<16> : tensor<1xi64>
  %axes = onnx.constant dense<2> : tensor<1xi64>
  %k5 = onnx.node "Unsqueeze"(%k, %axes) : (tensor<?x2x?x16xf32>, tensor<1xi64>) -> tensor<?x2x1x?x16xf32>
  %wide = onnx.node "Concat"(%b, %two, %two, %t, %size) {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<5xi64>
  %e = onnx.node "Expand"(%k5, %wide) : (tensor<?x2x1x?x16xf32>, tensor<5xi64>) -> tensor<?x2x2x?x16xf32>
  %flat = onnx.node "Concat"(%b, %four, %t, %size) {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<4xi64>
  %y = onnx.node "Reshape"(%e, %flat) {allowzero = 1 : i64} : (tensor<?x2x2x?x16xf32>, tensor<4xi64>) -> tensor<?x?x?x?xf32>
  return %y : tensor<?x?x?x?xf32>
}

// -----

// A range that counts to a size has that size, with no clamp.

// CHECK-LABEL: func.func @positions(
// CHECK-NOT:     arith.max
// CHECK:         %[[S:.*]] = tensor.dim
// CHECK:         tensor.empty(%[[S]]) : tensor<?xi64>
func.func @positions(%x: tensor<1x?xf32>) -> tensor<?xi64> {
  %shape = onnx.node "Shape"(%x) : (tensor<1x?xf32>) -> tensor<2xi64>
  %one = onnx.constant dense<1> : tensor<i64>
  %zero = onnx.constant dense<0> : tensor<i64>
  %s = onnx.node "Gather"(%shape, %one) : (tensor<2xi64>, tensor<i64>) -> tensor<i64>
  %y = onnx.node "Range"(%zero, %s, %one) : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  return %y : tensor<?xi64>
}

// -----

// CHECK-LABEL: func.func @slice_halves(
// CHECK:         tensor.extract_slice %{{.*}}[0, 0, 8] [%{{.*}}, %{{.*}}, 8] [1, 1, 1] : tensor<?x?x16xf32> to tensor<?x?x8xf32>
func.func @slice_halves(%x: tensor<?x?x16xf32>) -> tensor<?x?x?xf32> {
  %start = onnx.constant dense<8> : tensor<1xi64>
  %end = onnx.constant dense<9223372036854775807> : tensor<1xi64>
  %axis = onnx.constant dense<-1> : tensor<1xi64>
  %y = onnx.node "Slice"(%x, %start, %end, %axis) : (tensor<?x?x16xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<?x?x?xf32>
  return %y : tensor<?x?x?xf32>
}

// -----

// What follows no size is checked, by name.

// CHECK-LABEL: func.func @unproven(
// CHECK:         cf.assert %{{.*}}, "node 'view' (Reshape{{.*}}): the new shape holds another number of elements"
func.func @unproven(%x: tensor<?x?xf32>, %target: tensor<2xi64>) -> tensor<?x?xf32> {
  %y = onnx.node "Reshape"(%x, %target) : (tensor<?x?xf32>, tensor<2xi64>) -> tensor<?x?xf32> loc("view")
  return %y : tensor<?x?xf32>
}

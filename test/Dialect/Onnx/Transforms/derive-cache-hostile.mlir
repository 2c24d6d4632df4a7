// RUN: tern-opt %s --onnx-derive-step=context=8 --split-input-file --verify-diagnostics | FileCheck %s

// Graphs that look as if tokens could be read one by one, and cannot.
// CHECK-NOT: @step

// Rows of a table that are counted from its end: that of the slice is where the
// sequence ends.
func.func @main(%ids: tensor<?x?xi64> {onnx.dims = ["batch", "sequence"], onnx.name = "ids"}) -> tensor<?x?x16xf32> {
  %table = onnx.constant dense<1.0> : tensor<16x16xf32>
  %places = onnx.constant dense<[[1.0], [2.0], [3.0], [4.0], [5.0], [6.0], [7.0], [9.0]]> : tensor<8x1xf32>
  %start = onnx.constant dense<0> : tensor<i64>
  %one = onnx.constant dense<1> : tensor<i64>
  %minus = onnx.constant dense<-1> : tensor<i64>
  %first = onnx.constant dense<0> : tensor<1xi64>
  %shape = onnx.node "Shape"(%ids) {start = 1} : (tensor<?x?xi64>) -> tensor<1xi64>
  %length = onnx.node "Squeeze"(%shape) : (tensor<1xi64>) -> tensor<i64>
  %range = onnx.node "Range"(%start, %length, %one) : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %back = onnx.node "Sub"(%minus, %range) : (tensor<i64>, tensor<?xi64>) -> tensor<?xi64>
  %cut = onnx.node "Slice"(%places, %first, %shape) : (tensor<8x1xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<?x1xf32>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<16x16xf32>, tensor<?x?xi64>) -> tensor<?x?x16xf32>
  // expected-warning @below {{Gather: it picks tokens}}
  %y = onnx.node "Gather"(%cut, %back) : (tensor<?x1xf32>, tensor<?xi64>) -> tensor<?x1xf32>
  %l = onnx.node "Add"(%x, %y) : (tensor<?x?x16xf32>, tensor<?x1xf32>) -> tensor<?x?x16xf32>
  return %l : tensor<?x?x16xf32>
}

// -----

// A size that is not understood, of a constant that is expanded: here the
// length, so that the sum is too.
func.func @main(%ids: tensor<?x?xi64> {onnx.dims = ["batch", "sequence"], onnx.name = "ids"}) -> tensor<?x?x16xf32> {
  %table = onnx.constant dense<1.0> : tensor<16x16xf32>
  %unit = onnx.constant dense<1.0> : tensor<1x1x16xf32>
  %one = onnx.constant dense<1> : tensor<1xi64>
  %width = onnx.constant dense<16> : tensor<1xi64>
  %shape = onnx.node "Shape"(%ids) {start = 1} : (tensor<?x?xi64>) -> tensor<1xi64>
  %least = onnx.node "Max"(%shape, %one) : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  %sizes = onnx.node "Concat"(%one, %least, %width) {axis = 0} : (tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<3xi64>
  // expected-warning @below {{Expand: its shape pairs tokens with each other}}
  %ones = onnx.node "Expand"(%unit, %sizes) : (tensor<1x1x16xf32>, tensor<3xi64>) -> tensor<1x?x16xf32>
  %n = onnx.node "ReduceSum"(%ones, %one) : (tensor<1x?x16xf32>, tensor<1xi64>) -> tensor<1x1x16xf32>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<16x16xf32>, tensor<?x?xi64>) -> tensor<?x?x16xf32>
  %l = onnx.node "Add"(%x, %n) : (tensor<?x?x16xf32>, tensor<1x1x16xf32>) -> tensor<?x?x16xf32>
  return %l : tensor<?x?x16xf32>
}

// -----

// The same of a constant of that shape.
func.func @main(%ids: tensor<?x?xi64> {onnx.dims = ["batch", "sequence"], onnx.name = "ids"}) -> tensor<?x?x16xf32> {
  %table = onnx.constant dense<1.0> : tensor<16x16xf32>
  %one = onnx.constant dense<1> : tensor<1xi64>
  %shape = onnx.node "Shape"(%ids) {start = 1} : (tensor<?x?xi64>) -> tensor<1xi64>
  %least = onnx.node "Max"(%shape, %one) : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  %sizes = onnx.node "Concat"(%least, %one) {axis = 0} : (tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  // expected-warning @below {{ConstantOfShape: its shape pairs tokens with each other}}
  %units = onnx.node "ConstantOfShape"(%sizes) {value = dense<1.0> : tensor<1xf32>} : (tensor<2xi64>) -> tensor<?x1xf32>
  %axes = onnx.constant dense<0> : tensor<1xi64>
  %n = onnx.node "ReduceSum"(%units, %axes) : (tensor<?x1xf32>, tensor<1xi64>) -> tensor<1x1xf32>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<16x16xf32>, tensor<?x?xi64>) -> tensor<?x?x16xf32>
  %l = onnx.node "Add"(%x, %n) : (tensor<?x?x16xf32>, tensor<1x1xf32>) -> tensor<?x?x16xf32>
  return %l : tensor<?x?x16xf32>
}

// -----

// A table of one row is broadcast, not too short.
func.func @main(%ids: tensor<?x?xi64> {onnx.dims = ["batch", "sequence"], onnx.name = "ids"}) -> tensor<?x?x16xf32> {
  %table = onnx.constant dense<1.0> : tensor<16x16xf32>
  %places = onnx.constant dense<2.0> : tensor<1x16xf32>
  %first = onnx.constant dense<0> : tensor<1xi64>
  %shape = onnx.node "Shape"(%ids) {start = 1} : (tensor<?x?xi64>) -> tensor<1xi64>
  // expected-warning @below {{Slice: it cuts a table at the length of the sequence}}
  %cut = onnx.node "Slice"(%places, %first, %shape) : (tensor<1x16xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<?x16xf32>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<16x16xf32>, tensor<?x?xi64>) -> tensor<?x?x16xf32>
  %l = onnx.node "Add"(%x, %cut) : (tensor<?x?x16xf32>, tensor<?x16xf32>) -> tensor<?x?x16xf32>
  return %l : tensor<?x?x16xf32>
}

// -----

// A vector times matrices of one token each leaves tokens where they were.
func.func @main(%ids: tensor<?x?xi64> {onnx.dims = ["batch", "sequence"], onnx.name = "ids"}) -> tensor<?x?x16xf32> {
  %table = onnx.constant dense<1.0> : tensor<16x16xf32>
  %vector = onnx.constant dense<2.0> : tensor<16xf32>
  %axis = onnx.constant dense<3> : tensor<1xi64>
  %zero = onnx.constant dense<0> : tensor<1xi64>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<16x16xf32>, tensor<?x?xi64>) -> tensor<?x?x16xf32>
  %u = onnx.node "Unsqueeze"(%x, %axis) : (tensor<?x?x16xf32>, tensor<1xi64>) -> tensor<?x?x16x1xf32>
  %m = onnx.node "MatMul"(%vector, %u) : (tensor<16xf32>, tensor<?x?x16x1xf32>) -> tensor<?x?x1xf32>
  %t = onnx.node "Transpose"(%m) {perm = array<i64: 1, 0, 2>} : (tensor<?x?x1xf32>) -> tensor<?x?x1xf32>
  // expected-warning @below {{ReduceSum: it reduces over tokens}}
  %s = onnx.node "ReduceSum"(%t, %zero) : (tensor<?x?x1xf32>, tensor<1xi64>) -> tensor<1x?x1xf32>
  %l = onnx.node "Add"(%x, %s) : (tensor<?x?x16xf32>, tensor<1x?x1xf32>) -> tensor<?x?x16xf32>
  return %l : tensor<?x?x16xf32>
}

// -----

// A length that the caller says is a number like any other.
func.func @main(%ids: tensor<?x?xi64> {onnx.dims = ["batch", "sequence"], onnx.name = "ids"}, %total: tensor<1xi64> {onnx.name = "total_length"}) -> tensor<?x?x16xf32> {
  %table = onnx.constant dense<1.0> : tensor<16x16xf32>
  %n = onnx.node "Cast"(%total) {to = 1} : (tensor<1xi64>) -> tensor<1xf32>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<16x16xf32>, tensor<?x?xi64>) -> tensor<?x?x16xf32>
  // expected-warning @below {{Div: it computes with the length of the sequence}}
  %l = onnx.node "Div"(%x, %n) : (tensor<?x?x16xf32>, tensor<1xf32>) -> tensor<?x?x16xf32>
  return %l : tensor<?x?x16xf32>
}

// -----

// Each row with a zero point of its own.
func.func @main(%ids: tensor<?x?xi64> {onnx.dims = ["batch", "sequence"], onnx.name = "ids"}) -> tensor<?x?x16xf32> {
  %table = onnx.constant dense<1> : tensor<16x16xi8>
  %weights = onnx.constant dense<1> : tensor<16x16xi8>
  %rows = onnx.constant dense<[1, 2, 3]> : tensor<3xi8>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<16x16xi8>, tensor<?x?xi64>) -> tensor<?x?x16xi8>
  // expected-warning @below {{MatMulInteger: it has a scale or zero point for each token}}
  %m = onnx.node "MatMulInteger"(%x, %weights, %rows) : (tensor<?x?x16xi8>, tensor<16x16xi8>, tensor<3xi8>) -> tensor<?x?x16xi32>
  %l = onnx.node "Cast"(%m) {to = 1} : (tensor<?x?x16xi32>) -> tensor<?x?x16xf32>
  return %l : tensor<?x?x16xf32>
}

// -----

// Attention of onnxruntime's whose lengths are not the sequence's.
func.func @main(%ids: tensor<?x?xi64> {onnx.dims = ["batch", "sequence"], onnx.name = "ids"}) -> tensor<?x?x16xf32> {
  %table = onnx.constant dense<1.0> : tensor<16x16xf32>
  %shape = onnx.node "Shape"(%ids) {start = 1} : (tensor<?x?xi64>) -> tensor<1xi64>
  %length = onnx.node "Cast"(%shape) {to = 6} : (tensor<1xi64>) -> tensor<1xi32>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<16x16xf32>, tensor<?x?xi64>) -> tensor<?x?x16xf32>
  %none = onnx.none
  // expected-warning @below {{seqlens_k or total_sequence_length is not understood; expected the length of the sequence}}
  %l = onnx.node "com.microsoft::GroupQueryAttention"(%x, %x, %x, %none, %none, %length, %length) {num_heads = 2, kv_num_heads = 2} : (tensor<?x?x16xf32>, tensor<?x?x16xf32>, tensor<?x?x16xf32>, none, none, tensor<1xi32>, tensor<1xi32>) -> tensor<?x?x16xf32>
  return %l : tensor<?x?x16xf32>
}

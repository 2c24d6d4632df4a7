// RUN: tern-opt %s --convert-onnx-to-linalg --split-input-file --verify-diagnostics

func.func @element_count(%x: tensor<2x3xf32>) -> tensor<5xf32> {
  %shape = onnx.constant dense<5> : tensor<1xi64>
  // expected-error @below {{(Reshape): found 6 elements; expected 5, which the new shape holds}}
  %y = onnx.node "Reshape"(%x, %shape) : (tensor<2x3xf32>, tensor<1xi64>) -> tensor<5xf32>
  return %y : tensor<5xf32>
}

// -----

func.func @two_inferred(%x: tensor<2x3xf32>) -> tensor<?x?xf32> {
  %shape = onnx.constant dense<-1> : tensor<2xi64>
  // expected-error @below {{found -1 for dimension 1 of the new shape; expected sizes, and -1 at most once}}
  %y = onnx.node "Reshape"(%x, %shape) : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  return %y : tensor<?x?xf32>
}

// -----

func.func @copied_size(%x: tensor<6xf32>) -> tensor<?x?xf32> {
  %shape = onnx.constant dense<[6, 0]> : tensor<2xi64>
  // expected-error @below {{found 0 for dimension 1 of the new shape; the input has rank 1}}
  %y = onnx.node "Reshape"(%x, %shape) : (tensor<6xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  return %y : tensor<?x?xf32>
}

// -----

func.func @axis(%x: tensor<2x3xf32>) -> tensor<2x6xf32> {
  // expected-error @below {{(Concat): found axis 2; expected one in [-2, 2)}}
  %y = onnx.node "Concat"(%x, %x) {axis = 2 : i64} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x6xf32>
  return %y : tensor<2x6xf32>
}

// -----

func.func @index(%x: tensor<3xf32>) -> tensor<1xf32> {
  %i = onnx.constant dense<3> : tensor<1xi64>
  // expected-error @below {{(Gather): found the index 3; expected one in [-3, 3)}}
  %y = onnx.node "Gather"(%x, %i) : (tensor<3xf32>, tensor<1xi64>) -> tensor<1xf32>
  return %y : tensor<1xf32>
}

// -----

func.func @step(%x: tensor<3xf32>) -> tensor<?xf32> {
  %i = onnx.constant dense<0> : tensor<1xi64>
  // expected-error @below {{(Slice): found the step 0}}
  %y = onnx.node "Slice"(%x, %i, %i, %i, %i) : (tensor<3xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<?xf32>
  return %y : tensor<?xf32>
}

// -----

func.func @pad_mode(%x: tensor<3xf32>) -> tensor<?xf32> {
  %p = onnx.constant dense<1> : tensor<2xi64>
  // expected-error @below {{(Pad): found mode 'reflect'; expected 'constant'}}
  %y = onnx.node "Pad"(%x, %p) {mode = "reflect"} : (tensor<3xf32>, tensor<2xi64>) -> tensor<?xf32>
  return %y : tensor<?xf32>
}

// -----

func.func @groups(%q: tensor<1x3x4x8xf32>, %k: tensor<1x2x5x8xf32>) -> tensor<1x3x4x8xf32> {
  // expected-error @below {{expected static numbers of heads above 0, the first a multiple of the second}}
  %y = onnx.node "Attention"(%q, %k, %k) : (tensor<1x3x4x8xf32>, tensor<1x2x5x8xf32>, tensor<1x2x5x8xf32>) -> tensor<1x3x4x8xf32>
  return %y : tensor<1x3x4x8xf32>
}

// -----

// A block's rows are divided by the groups, of which there would be none.
func.func @no_heads(%q: tensor<1x0x4x8xf32>, %k: tensor<1x2x5x8xf32>) -> tensor<1x0x4x8xf32> {
  // expected-error @below {{expected static numbers of heads above 0, the first a multiple of the second}}
  %y = onnx.node "Attention"(%q, %k, %k) : (tensor<1x0x4x8xf32>, tensor<1x2x5x8xf32>, tensor<1x2x5x8xf32>) -> tensor<1x0x4x8xf32>
  return %y : tensor<1x0x4x8xf32>
}

// -----

func.func @integers(%q: tensor<1x2x4x8xi32>) -> tensor<1x2x4x8xi32> {
  // expected-error @below {{(Attention): found queries of type 'tensor<1x2x4x8xi32>', keys of type 'tensor<1x2x4x8xi32>' and values of type 'tensor<1x2x4x8xi32>'; expected floats}}
  %y = onnx.node "Attention"(%q, %q, %q) : (tensor<1x2x4x8xi32>, tensor<1x2x4x8xi32>, tensor<1x2x4x8xi32>) -> tensor<1x2x4x8xi32>
  return %y : tensor<1x2x4x8xi32>
}

// -----

func.func @values(%q: tensor<1x2x4x8xf32>, %v: tensor<1x2x4x8xi32>) -> tensor<1x2x4x8xf32> {
  // expected-error @below {{values of type 'tensor<1x2x4x8xi32>'; expected floats}}
  %y = onnx.node "Attention"(%q, %q, %v) : (tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xi32>) -> tensor<1x2x4x8xf32>
  return %y : tensor<1x2x4x8xf32>
}

// -----

func.func @keys(%q: tensor<1x2x4x8xf32>, %k: tensor<1x2x4x8xi32>) -> tensor<1x2x4x8xf32> {
  // expected-error @below {{keys of type 'tensor<1x2x4x8xi32>' and}}
  %y = onnx.node "Attention"(%q, %k, %q) : (tensor<1x2x4x8xf32>, tensor<1x2x4x8xi32>, tensor<1x2x4x8xf32>) -> tensor<1x2x4x8xf32>
  return %y : tensor<1x2x4x8xf32>
}

// -----

func.func @updates(%x: tensor<4x3xf32>, %i: tensor<2x1xi64>, %u: tensor<2x2xf32>) -> tensor<4x3xf32> {
  // expected-error @below {{(ScatterND): the updates do not fit the indices: found 2 and 3}}
  %y = onnx.node "ScatterND"(%x, %i, %u) : (tensor<4x3xf32>, tensor<2x1xi64>, tensor<2x2xf32>) -> tensor<4x3xf32>
  return %y : tensor<4x3xf32>
}

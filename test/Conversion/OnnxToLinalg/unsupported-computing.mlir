// RUN: tern-opt %s --convert-onnx-to-linalg --split-input-file --verify-diagnostics

module attributes {onnx.opsets = {ai.onnx = 20 : i64}} {
  func.func @unknown(%x: tensor<2xf32>) -> tensor<2xf32> {
    // expected-error @below {{node (NoSuchOperator, opset 20): the operator is not supported}}
    %0 = onnx.node "NoSuchOperator"(%x) : (tensor<2xf32>) -> tensor<2xf32>
    return %0 : tensor<2xf32>
  }
}

// -----

func.func @sizes(%a: tensor<3xf32>, %b: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{node (Add): found sizes 3 and 4 in one dimension; expected equal sizes or 1}}
  %0 = onnx.node "Add"(%a, %b) : (tensor<3xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @inner(%a: tensor<2x3xf32>, %b: tensor<4x5xf32>) -> tensor<2x5xf32> {
  // expected-error @below {{node (MatMul): found 3 elements to sum over in the left factor and 4 in the right one; expected as many in both}}
  %0 = onnx.node "MatMul"(%a, %b) : (tensor<2x3xf32>, tensor<4x5xf32>) -> tensor<2x5xf32>
  return %0 : tensor<2x5xf32>
}

// -----

func.func @axis(%a: tensor<2x3xf32>) -> tensor<2x3xf32> {
  // expected-error @below {{node (Softmax): found axis 2; expected one in [-2, 2)}}
  %0 = onnx.node "Softmax"(%a) {axis = 2 : i64} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

func.func @mod(%a: tensor<2xf32>) -> tensor<2xf32> {
  // expected-error @below {{node (Mod): found fmod = 0 on floats; expected fmod = 1}}
  %0 = onnx.node "Mod"(%a, %a) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

func.func @norm_of_integers(%x: tensor<2x4xi32>) -> tensor<2x4xi32> {
  // expected-error @below {{(RMSNormalization): input 0 has type 'tensor<2x4xi32>'; expected floats}}
  %0 = onnx.node "RMSNormalization"(%x, %x) : (tensor<2x4xi32>, tensor<2x4xi32>) -> tensor<2x4xi32>
  return %0 : tensor<2x4xi32>
}

// -----

func.func @integer_scale(%a: tensor<2x2xi8>, %s: tensor<i32>, %f: tensor<f32>, %z: tensor<i8>) -> tensor<2x2xi8> {
  // expected-error @below {{(QLinearMatMul): input 4 has type 'tensor<i32>'; expected floats}}
  %0 = onnx.node "QLinearMatMul"(%a, %f, %z, %a, %s, %z, %f, %z) : (tensor<2x2xi8>, tensor<f32>, tensor<i8>, tensor<2x2xi8>, tensor<i32>, tensor<i8>, tensor<f32>, tensor<i8>) -> tensor<2x2xi8>
  return %0 : tensor<2x2xi8>
}

// -----

func.func @missing(%x: tensor<3xui32>) -> tensor<3xui32> {
  %none = onnx.none
  // expected-error @below {{(Min): input 1 is missing}}
  %0 = onnx.node "Min"(%x, %none) : (tensor<3xui32>, none) -> tensor<3xui32>
  return %0 : tensor<3xui32>
}

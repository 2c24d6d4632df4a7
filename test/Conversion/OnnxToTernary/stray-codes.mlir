// RUN: tern-opt %s --convert-onnx-to-ternary --split-input-file --verify-diagnostics

// Codes of two bits that are no trits. INT2 holds -2.
func.func @int2(%x: tensor<?x4xf32>) -> tensor<?x2xf32> {
  %q = onnx.constant dense<[[1, 0], [-1, 1], [1, -2], [-2, 1]]> : tensor<4x2xi2>
  %s = onnx.constant dense<0.25> : tensor<f32>
  %w = onnx.node "DequantizeLinear"(%q, %s) : (tensor<4x2xi2>, tensor<f32>) -> tensor<4x2xf32>
  // expected-error @below {{weights of MatMul hold codes that are no trits: found -2 times the scale 0.25 at [0, 3], expected -1, 0 or 1 times, and 1 more such elements}}
  %y = onnx.node "MatMul"(%x, %w) : (tensor<?x4xf32>, tensor<4x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// A scale for each row: no one scale explains all.
func.func @rows(%x: tensor<?x4xf32>) -> tensor<?x2xf32> {
  %q = onnx.constant dense<[[1, 0, -1, 1], [0, 1, -2, -1]]> : tensor<2x4xi2>
  %s = onnx.constant dense<[3.0, 1.0]> : tensor<2xf32>
  %w = onnx.node "DequantizeLinear"(%q, %s) {axis = 0 : i64} : (tensor<2x4xi2>, tensor<2xf32>) -> tensor<2x4xf32>
  // expected-error @below {{found -2 times the scale 1 at [1, 2], expected -1, 0 or 1 times}}
  %y = onnx.node "Gemm"(%x, %w) {transB = 1 : i64} : (tensor<?x4xf32>, tensor<2x4xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// A scale for each group of 8 columns; the position counts from the row's start.
func.func @groups(%x: tensor<?x16xf32>) -> tensor<?x1xf32> {
  %q = onnx.constant dense<[[1, 0, -1, 1, 0, 0, 1, 1, 1, 0, -1, -2, 0, 0, 1, 1]]> : tensor<1x16xi2>
  %s = onnx.constant dense<[[3.0, 0.5]]> : tensor<1x2xf32>
  %w = onnx.node "DequantizeLinear"(%q, %s) {axis = 1 : i64, block_size = 8 : i64} : (tensor<1x16xi2>, tensor<1x2xf32>) -> tensor<1x16xf32>
  // expected-error @below {{found -2 times the scale 0.5 at [0, 11], expected -1, 0 or 1 times}}
  %y = onnx.node "Gemm"(%x, %w) {transB = 1 : i64} : (tensor<?x16xf32>, tensor<1x16xf32>) -> tensor<?x1xf32>
  return %y : tensor<?x1xf32>
}

// -----

// Code 3 of a byte taken apart by shifts, less 1: the byte's codes are 0, 1, 2, 3.
func.func @packed(%x: tensor<?x4xf32>) -> tensor<?x1xf32> {
  %b = onnx.constant dense<[[228], [228], [228], [228]]> : tensor<4x1xui8>
  %n = onnx.constant dense<[[0], [2], [4], [6]]> : tensor<4x1xui8>
  %three = onnx.constant dense<3> : tensor<ui8>
  %one = onnx.constant dense<1.0> : tensor<f32>
  %h = onnx.node "BitShift"(%b, %n) {direction = "RIGHT"} : (tensor<4x1xui8>, tensor<4x1xui8>) -> tensor<4x1xui8>
  %c = onnx.node "BitwiseAnd"(%h, %three) : (tensor<4x1xui8>, tensor<ui8>) -> tensor<4x1xui8>
  %f = onnx.node "Cast"(%c) {to = 1 : i64} : (tensor<4x1xui8>) -> tensor<4x1xf32>
  %w = onnx.node "Sub"(%f, %one) : (tensor<4x1xf32>, tensor<f32>) -> tensor<4x1xf32>
  // expected-error @below {{found 2 times the scale 1 at [0, 3], expected -1, 0 or 1 times}}
  %y = onnx.node "MatMul"(%x, %w) : (tensor<?x4xf32>, tensor<4x1xf32>) -> tensor<?x1xf32>
  return %y : tensor<?x1xf32>
}

// -----

// The default zero point of 2 makes code 0 a -2. Every such layer is reported.
func.func @nbits(%x: tensor<?x16xf32>) -> (tensor<?x1xf32>, tensor<?x1xf32>) {
  %b = onnx.constant dense<[[[228, 170, 170, 187]]]> : tensor<1x1x4xui8>
  %s = onnx.constant dense<[[0.5]]> : tensor<1x1xf32>
  // expected-error @below {{weights of com.microsoft::MatMulNBits hold codes that are no trits: found -2 times the scale 0.5 at [0, 0], expected -1, 0 or 1 times}}
  %y = onnx.node "com.microsoft::MatMulNBits"(%x, %b, %s) {K = 16, N = 1, bits = 2, block_size = 16} : (tensor<?x16xf32>, tensor<1x1x4xui8>, tensor<1x1xf32>) -> tensor<?x1xf32>
  // expected-error @below {{found -2 times the scale 0.5 at [0, 0]}}
  %z = onnx.node "com.microsoft::MatMulNBits"(%x, %b, %s) {K = 16, N = 1, bits = 2, block_size = 16} : (tensor<?x16xf32>, tensor<1x1x4xui8>, tensor<1x1xf32>) -> tensor<?x1xf32>
  return %y, %z : tensor<?x1xf32>, tensor<?x1xf32>
}

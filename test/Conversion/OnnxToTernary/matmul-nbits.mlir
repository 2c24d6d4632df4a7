// RUN: tern-opt %s --convert-onnx-to-ternary --split-input-file --verify-diagnostics | FileCheck %s

// Two rows of 16, codes 0, 1 and 2 around 1: rows 1 0 -1 -1 ... and 1 1 1 1 ...
// A bias is added behind the layer.
// CHECK-LABEL: func.func @zero_point_1(
// CHECK: ternary.constant dense<[6, 85, 85, 85, 170, 170, 170, 170]>
// CHECK: arith.constant dense<[5.000000e-01, 2.500000e-01]> : tensor<2xf32>
// CHECK: %[[Y:.*]] = ternary.bit_linear %arg0, {{.*}}form = "matmul_nbits"
// CHECK: onnx.node "Add"(%[[Y]],
func.func @zero_point_1(%x: tensor<?x16xf32>) -> tensor<?x2xf32> {
  %b = onnx.constant dense<[[[6, 85, 85, 85]], [[170, 170, 170, 170]]]> : tensor<2x1x4xui8>
  %s = onnx.constant dense<[0.5, 0.25]> : tensor<2xf32>
  %z = onnx.constant dense<[1, 1]> : tensor<2xui8>
  %none = onnx.none
  %bias = onnx.constant dense<1.0> : tensor<2xf32>
  %y = onnx.node "com.microsoft::MatMulNBits"(%x, %b, %s, %z, %none, %bias) {K = 16, N = 2, bits = 2, block_size = 16} : (tensor<?x16xf32>, tensor<2x1x4xui8>, tensor<2xf32>, tensor<2xui8>, none, tensor<2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// 4 bits, K = 24 in blocks of 16: the last block is half used, and groups of 8
// columns hold one scale each.
// CHECK-LABEL: func.func @partial_block(
// CHECK: arith.constant dense<{{\[\[}}5.000000e-01, 5.000000e-01, 2.500000e-01]]> : tensor<1x3xf32>
// CHECK: ternary.bit_linear
func.func @partial_block(%x: tensor<?x24xf32>) -> tensor<?x1xf32> {
  %b = onnx.constant dense<[[[137, 119, 137, 119, 137, 119, 137, 119], [137, 137, 137, 137, 0, 0, 0, 0]]]> : tensor<1x2x8xui8>
  %s = onnx.constant dense<[[0.5, 0.25]]> : tensor<1x2xf32>
  %y = onnx.node "com.microsoft::MatMulNBits"(%x, %b, %s) {K = 24, N = 1, bits = 4, block_size = 16} : (tensor<?x24xf32>, tensor<1x2x8xui8>, tensor<1x2xf32>) -> tensor<?x1xf32>
  return %y : tensor<?x1xf32>
}

// -----

// General quantisation to 2 bits, with a scale for each block: all four codes
// are meant.
// CHECK-LABEL: func.func @general(
// CHECK: onnx.node "com.microsoft::MatMulNBits"
func.func @general(%x: tensor<?x32xf32>) -> tensor<?x1xf32> {
  %b = onnx.constant dense<[[[228, 170, 170, 187], [228, 170, 170, 187]]]> : tensor<1x2x4xui8>
  %s = onnx.constant dense<[[0.5, 0.4]]> : tensor<1x2xf32>
  %y = onnx.node "com.microsoft::MatMulNBits"(%x, %b, %s) {K = 32, N = 1, bits = 2, block_size = 16} : (tensor<?x32xf32>, tensor<1x2x4xui8>, tensor<1x2xf32>) -> tensor<?x1xf32>
  return %y : tensor<?x1xf32>
}

// -----

// Reordered columns, sizes that contradict the attributes, odd attributes.
// CHECK-LABEL: func.func @stays(
// CHECK-COUNT-4: onnx.node "com.microsoft::MatMulNBits"
func.func @stays(%x: tensor<?x16xf32>) -> (tensor<?x1xf32>, tensor<?x2xf32>, tensor<?x1xf32>, tensor<?x1xf32>) {
  %b = onnx.constant dense<85> : tensor<1x1x4xui8>
  %s = onnx.constant dense<[[0.5]]> : tensor<1x1xf32>
  %none = onnx.none
  %g = onnx.constant dense<0> : tensor<16xi32>
  %0 = onnx.node "com.microsoft::MatMulNBits"(%x, %b, %s, %none, %g) {K = 16, N = 1, bits = 2, block_size = 16} : (tensor<?x16xf32>, tensor<1x1x4xui8>, tensor<1x1xf32>, none, tensor<16xi32>) -> tensor<?x1xf32>
  %1 = onnx.node "com.microsoft::MatMulNBits"(%x, %b, %s) {K = 16, N = 2, bits = 2, block_size = 16} : (tensor<?x16xf32>, tensor<1x1x4xui8>, tensor<1x1xf32>) -> tensor<?x2xf32>
  %2 = onnx.node "com.microsoft::MatMulNBits"(%x, %b, %s) {K = 16, N = 1, bits = 3, block_size = 16} : (tensor<?x16xf32>, tensor<1x1x4xui8>, tensor<1x1xf32>) -> tensor<?x1xf32>
  %3 = onnx.node "com.microsoft::MatMulNBits"(%x, %b, %s) {K = 16, N = 1, bits = 2} : (tensor<?x16xf32>, tensor<1x1x4xui8>, tensor<1x1xf32>) -> tensor<?x1xf32>
  return %0, %1, %2, %3 : tensor<?x1xf32>, tensor<?x2xf32>, tensor<?x1xf32>, tensor<?x1xf32>
}

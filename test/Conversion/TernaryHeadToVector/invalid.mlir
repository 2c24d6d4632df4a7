// RUN: tern-opt %s --split-input-file --verify-diagnostics --convert-ternary-head-to-vector
// RUN: not tern-opt --convert-ternary-head-to-vector=target=sse %s 2>&1 | FileCheck %s
// CHECK: error: unknown target 'sse'; expected generic, avx2, avxvnni, avx512vnni, avx512vbmi, zen4 or amx

func.func @tensors(%x: tensor<60xf32>, %w: tensor<90x60xf32>, %best: index, %init: tensor<90xf32>) -> tensor<90xf32> {
  // expected-error @below {{is on tensors; expected memrefs: bufferise first}}
  %y = ternary.head ins(%x, %w, %best : tensor<60xf32>, tensor<90x60xf32>) outs(%init : tensor<90xf32>) -> tensor<90xf32>
  return %y : tensor<90xf32>
}

// -----

func.func @layout(%x: memref<60xf32, strided<[2]>>, %w: memref<90x60xf32>, %best: index, %y: memref<90xf32>) {
  // expected-error @below {{has an operand of type 'memref<60xf32, strided<[2]>>'; expected a last dimension of stride 1}}
  ternary.head ins(%x, %w, %best : memref<60xf32, strided<[2]>>, memref<90x60xf32>) outs(%y : memref<90xf32>)
  return
}

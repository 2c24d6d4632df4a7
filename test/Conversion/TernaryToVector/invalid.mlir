// RUN: tern-opt %s --split-input-file --verify-diagnostics --convert-ternary-to-vector
// RUN: not tern-opt --convert-ternary-to-vector=target=sse %s 2>&1 | FileCheck %s
// CHECK: error: unknown target 'sse'; expected generic, avx2, avxvnni, avx512vnni, avx512vbmi, zen4 or amx

func.func @tile(%x: memref<?x64xi8>, %b: memref<1536xi8>, %y: memref<?x96xi32>) {
  // expected-error @below {{has tiles of 8 rows; the vector lowering expects 16}}
  ternary.packed_matmul !ternary.matrix<96x64, #ternary.layout<i2, tile = 8>> ins(%x, %b : memref<?x64xi8>, memref<1536xi8>) outs(%y : memref<?x96xi32>)
  return
}

// -----

func.func @stride(%x: memref<?x64xi8, strided<[?, ?]>>, %b: memref<1536xi8>, %y: memref<?x96xi32>) {
  // expected-error @below {{has an operand of type 'memref<?x64xi8, strided<[?, ?]>>'; expected a last dimension of stride 1}}
  ternary.packed_matmul !ternary.matrix<96x64, #ternary.layout<i2, tile = 16>> ins(%x, %b : memref<?x64xi8, strided<[?, ?]>>, memref<1536xi8>) outs(%y : memref<?x96xi32>)
  return
}

// -----

func.func @tensors(%x: tensor<?x64xi8>, %b: tensor<1536xi8>, %y: tensor<?x96xi32>) -> tensor<?x96xi32> {
  // expected-error @below {{is on tensors; expected memrefs: bufferise first}}
  %0 = ternary.packed_matmul !ternary.matrix<96x64, #ternary.layout<i2, tile = 16>> ins(%x, %b : tensor<?x64xi8>, tensor<1536xi8>) outs(%y : tensor<?x96xi32>) -> tensor<?x96xi32>
  return %0 : tensor<?x96xi32>
}

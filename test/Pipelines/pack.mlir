// RUN: tern-opt /dev/null --tern-pack-pipeline=encoding=t5 --dump-pass-pipeline 2>&1 >/dev/null | FileCheck %s --check-prefix=PASSES
// RUN: tern-opt %s --tern-optimize-pipeline --tern-pack-pipeline | FileCheck %s --check-prefixes=CHECK,I2 --implicit-check-not=ternary.matmul
// RUN: tern-opt %s --tern-optimize-pipeline --tern-pack-pipeline=encoding=t5 | FileCheck %s --check-prefixes=CHECK,T5 --implicit-check-not=ternary.matmul

// PASSES:      ternary-merge-products
// PASSES-NEXT: ternary-pack-weights{cache-bytes={{[0-9]+}} encoding=t5 targets={generic}
// PASSES:      canonicalize
// PASSES:      cse
// PASSES:      tern-outline-repeated-layers

// The layout of the bytes is said by an attribute: 32 * 64 / 4 of them, or, each
// row padded to 80, 32 * 80 / 5.
// CHECK-LABEL: func.func @main(
// I2:            ternary.packed_matmul !ternary.matrix<32x64, #ternary.layout<i2, tile = 16>>
// I2-SAME:         tensor<512xi8>
// T5:            ternary.packed_matmul !ternary.matrix<32x64, #ternary.layout<t5, tile = 16>>
// T5-SAME:         tensor<512xi8>
func.func @main(%x: tensor<?x64xf32>) -> tensor<?x32xf32> {
  %w = ternary.constant dense<100> : tensor<512xui8> as !ternary.matrix<32x64>
  %s = arith.constant dense<0.5> : tensor<1xf32>
  %0 = ternary.bit_linear %x, %w, %s {form = "baked", quantization = #ternary.quantization<quotient, half_even, eps = 1.0E-5, qmin = -128>} : (tensor<?x64xf32>, !ternary.matrix<32x64>, tensor<1xf32>) -> tensor<?x32xf32>
  return %0 : tensor<?x32xf32>
}

// RUN: tern-opt %s --ternary-pack-weights="encoding=auto targets=avx512vbmi cache-bytes=0" --split-input-file | FileCheck %s

// Weights that a product of floats reads as i2, and one of bytes of memory as t5: each
// has the bytes of its own layout, whichever of them comes first.
// CHECK-LABEL: func.func @both(
// CHECK-DAG:   %[[I2:.*]] = arith.constant dense<{{.*}}> : tensor<320xi8>
// CHECK-DAG:   %[[T5:.*]] = arith.constant dense<{{.*}}> : tensor<256xi8>
// CHECK-DAG:   ternary.packed_matmul !ternary.matrix<16x80, #ternary.layout<i2, tile = 16>> ins(%{{.*}}, %[[I2]] : tensor<1x80xf32>,
// CHECK-DAG:   ternary.packed_matmul !ternary.matrix<16x80, #ternary.layout<t5, tile = 16>> ins(%{{.*}}, %[[T5]] : tensor<1x80xi8>,
func.func @both(%f: tensor<1x80xf32>, %x: tensor<1x80xi8>) -> (tensor<1x16xf32>, tensor<1x16xi32>) {
  %w = ternary.constant dense<100> : tensor<320xui8> as !ternary.matrix<16x80>
  %0 = ternary.matmul %f, %w : (tensor<1x80xf32>, !ternary.matrix<16x80>) -> tensor<1x16xf32>
  %1 = ternary.matmul %x, %w : (tensor<1x80xi8>, !ternary.matrix<16x80>) -> tensor<1x16xi32>
  return %0, %1 : tensor<1x16xf32>, tensor<1x16xi32>
}

// -----

// CHECK-LABEL: func.func @bytes(
// CHECK:       ternary.packed_matmul !ternary.matrix<16x80, #ternary.layout<t5, tile = 16>> ins(%{{.*}}, %{{.*}} : tensor<1x80xi8>, tensor<256xi8>)
// CHECK-LABEL: func.func @floats(
// CHECK:       ternary.packed_matmul !ternary.matrix<16x80, #ternary.layout<i2, tile = 16>> ins(%{{.*}}, %{{.*}} : tensor<1x80xf32>, tensor<320xi8>)
func.func @bytes(%x: tensor<1x80xi8>) -> tensor<1x16xi32> {
  %w = ternary.constant dense<100> : tensor<320xui8> as !ternary.matrix<16x80>
  %y = ternary.matmul %x, %w : (tensor<1x80xi8>, !ternary.matrix<16x80>) -> tensor<1x16xi32>
  return %y : tensor<1x16xi32>
}
func.func @floats(%x: tensor<1x80xf32>) -> tensor<1x16xf32> {
  %w = ternary.constant dense<100> : tensor<320xui8> as !ternary.matrix<16x80>
  %y = ternary.matmul %x, %w : (tensor<1x80xf32>, !ternary.matrix<16x80>) -> tensor<1x16xf32>
  return %y : tensor<1x16xf32>
}

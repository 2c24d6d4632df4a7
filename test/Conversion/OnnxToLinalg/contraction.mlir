// RUN: tern-opt %s --convert-onnx-to-linalg --canonicalize --split-input-file | FileCheck %s

// A transposed factor is a map, and f16 sums in f32.

// CHECK-DAG: #[[A:.*]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-DAG: #[[B:.*]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-DAG: #[[C:.*]] = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-LABEL: func.func @transposed
// CHECK: linalg.generic {indexing_maps = [#[[A]], #[[B]], #[[C]]], iterator_types = ["parallel", "parallel", "reduction"]}
// CHECK-SAME: outs(%{{.*}} : tensor<2x8xf32>)
// CHECK: arith.extf
// CHECK: arith.truncf
func.func @transposed(%a: tensor<2x4xf16>, %b: tensor<8x4xf16>) -> tensor<2x8xf16> {
  %0 = onnx.node "Gemm"(%a, %b) {transB = 1 : i64} : (tensor<2x4xf16>, tensor<8x4xf16>) -> tensor<2x8xf16>
  return %0 : tensor<2x8xf16>
}

// -----

// Codes without zero points are not widened in memory.

// CHECK-LABEL: func.func @codes
// CHECK-NOT: arith.subi
// CHECK: ins(%{{.*}}, %{{.*}} : tensor<2x4xi8>, tensor<4x8xi8>) outs(%{{.*}} : tensor<2x8xi32>)
// CHECK: arith.extui
// CHECK: arith.extsi
func.func @codes(%a: tensor<2x4xui8>, %b: tensor<4x8xi8>) -> tensor<2x8xi32> {
  %0 = onnx.node "MatMulInteger"(%a, %b) : (tensor<2x4xui8>, tensor<4x8xi8>) -> tensor<2x8xi32>
  return %0 : tensor<2x8xi32>
}

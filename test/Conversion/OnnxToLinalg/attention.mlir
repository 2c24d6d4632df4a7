// RUN: tern-opt %s --convert-onnx-to-linalg --canonicalize --cse --split-input-file | FileCheck %s

// Query heads are split into the groups that share keys and values; those are
// read where they are. The joined heads need no transposition either.

// CHECK-DAG:   #[[QUERY:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d3, d1, d2, d5)>
// CHECK-DAG:   #[[KEY:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d4, d1, d5)>
// CHECK-LABEL: func.func @shared_heads(
// CHECK-SAME:      %[[Q:[^:]*]]: tensor<?x?x64xf32> {{[^%]*}}%[[K:[^:]*]]: tensor<?x?x32xf32>
// CHECK-NOT:     linalg.transpose
// CHECK-NOT:     linalg.broadcast
// CHECK-DAG:     %[[QUERY5:.*]] = tensor.expand_shape %[[Q]] {{.*}} into tensor<?x?x2x2x16xf32>
// CHECK-DAG:     %[[KEY4:.*]] = tensor.expand_shape %[[K]] {{.*}} into tensor<?x?x2x16xf32>
// CHECK:         linalg.generic {indexing_maps = [#[[QUERY]], #[[KEY]],
// CHECK-SAME:        ins(%[[QUERY5]], %[[KEY4]] :
// CHECK-SAME:        outs(%{{.*}} : tensor<?x2x2x?x?xf32>)
// CHECK-NOT:     linalg.transpose
// CHECK:         tensor.collapse_shape {{.*}} : tensor<?x?x2x2x16xf32> into tensor<?x?x64xf32>
func.func @shared_heads(%q: tensor<?x?x64xf32> {onnx.dims = ["b", "s", ""]},
                        %k: tensor<?x?x32xf32> {onnx.dims = ["b", "t", ""]},
                        %v: tensor<?x?x32xf32> {onnx.dims = ["b", "t", ""]}) -> tensor<?x?x64xf32> {
  %y = onnx.node "Attention"(%q, %k, %v) {q_num_heads = 4 : i64, kv_num_heads = 2 : i64, is_causal = 1 : i64}
    : (tensor<?x?x64xf32>, tensor<?x?x32xf32>, tensor<?x?x32xf32>) -> tensor<?x?x64xf32>
  return %y : tensor<?x?x64xf32>
}

// -----

// f16 is multiplied and normalised in f32.

// CHECK-LABEL: func.func @half_precision(
// CHECK:         arith.mulf %{{.*}} : f32
// CHECK:         math.exp %{{.*}} : f32
// CHECK:         arith.truncf %{{.*}} : f32 to f16
// CHECK-NOT:     math.exp
func.func @half_precision(%q: tensor<1x2x3x8xf16>, %k: tensor<1x2x5x8xf16>, %v: tensor<1x2x5x8xf16>)
    -> tensor<1x2x3x8xf16> {
  %y = onnx.node "Attention"(%q, %k, %v)
    : (tensor<1x2x3x8xf16>, tensor<1x2x5x8xf16>, tensor<1x2x5x8xf16>) -> tensor<1x2x3x8xf16>
  return %y : tensor<1x2x3x8xf16>
}

// RUN: tern-opt %s --ternary-decompose-bit-linear | FileCheck %s --implicit-check-not=ternary.bit_linear

#rule = #ternary.quantization<reciprocal, half_even, eps = 1.0e-05, qmin = -128>
#step = #ternary.quantization<step, half_even, eps = 1.0e-05, qmin = -128>

// CHECK-LABEL: func.func @tokens(
// CHECK-SAME:  %[[X:.*]]: tensor<?x64xf32>, %[[W:.*]]: !ternary.matrix<96x64>, %[[S:.*]]: tensor<1xf32>)
// CHECK-NEXT:  %[[Q:.*]], %[[QS:.*]] = ternary.quantize %[[X]], <reciprocal, half_even
// CHECK-NEXT:  %[[ACC:.*]] = ternary.matmul %[[Q]], %[[W]]
// CHECK-NEXT:  %[[Y:.*]] = ternary.rescale %[[ACC]], %[[S]] by %[[QS]] : (
// CHECK-NEXT:  return %[[Y]]
func.func @tokens(%x: tensor<?x64xf32>, %w: !ternary.matrix<96x64>, %s: tensor<1xf32>) -> tensor<?x96xf32> {
  %y = ternary.bit_linear %x, %w, %s {quantization = #rule}
      : (tensor<?x64xf32>, !ternary.matrix<96x64>, tensor<1xf32>) -> tensor<?x96xf32>
  return %y : tensor<?x96xf32>
}

// The layers stand in different blocks, but the activations are quantised once
// for each rule.
// CHECK-LABEL: func.func @shared(
// CHECK-DAG:   %[[Q:.*]], %[[QS:.*]] = ternary.quantize %{{.*}}, <reciprocal
// CHECK-DAG:   %[[R:.*]], %[[RS:.*]] = ternary.quantize %{{.*}}, <step
// CHECK-NOT:   ternary.quantize
// CHECK:       ternary.matmul %[[Q]], %arg2
// CHECK:       ternary.rescale %{{.*}}, %{{.*}} by %[[QS]] {scale_divides} :
// CHECK:       scf.if
// CHECK:       ternary.matmul %[[Q]], %arg3
// CHECK:       ternary.matmul %[[R]], %arg3
// CHECK:       ternary.rescale %{{.*}}, %{{.*}} by %[[RS]] {step} :
func.func @shared(%c: i1, %x: tensor<3x64xf32>, %q: !ternary.matrix<96x64>, %k: !ternary.matrix<32x64>, %s: tensor<1xf32>)
    -> (tensor<3x96xf32>, tensor<3x32xf32>) {
  %0 = ternary.bit_linear %x, %q, %s {quantization = #rule, scale_divides}
      : (tensor<3x64xf32>, !ternary.matrix<96x64>, tensor<1xf32>) -> tensor<3x96xf32>
  %1 = scf.if %c -> tensor<3x32xf32> {
    %2 = ternary.bit_linear %x, %k, %s {quantization = #rule}
        : (tensor<3x64xf32>, !ternary.matrix<32x64>, tensor<1xf32>) -> tensor<3x32xf32>
    scf.yield %2 : tensor<3x32xf32>
  } else {
    %2 = ternary.bit_linear %x, %k, %s {quantization = #step}
        : (tensor<3x64xf32>, !ternary.matrix<32x64>, tensor<1xf32>) -> tensor<3x32xf32>
    scf.yield %2 : tensor<3x32xf32>
  }
  return %0, %1 : tensor<3x96xf32>, tensor<3x32xf32>
}

// CHECK-LABEL: func.func @groups_without_codes(
// CHECK-NEXT:  %[[ACC:.*]] = ternary.matmul %arg0, %arg1 : (tensor<?x64xf32>, !ternary.matrix<96x64>) -> tensor<?x4x96xf32>
// CHECK-NEXT:  ternary.rescale %[[ACC]], %arg2 : (
func.func @groups_without_codes(%x: tensor<?x64xf32>, %w: !ternary.matrix<96x64>, %s: tensor<96x4xf32>) -> tensor<?x96xf32> {
  %y = ternary.bit_linear %x, %w, %s
      : (tensor<?x64xf32>, !ternary.matrix<96x64>, tensor<96x4xf32>) -> tensor<?x96xf32>
  return %y : tensor<?x96xf32>
}

// A half float is quantised in f32.
// CHECK-LABEL: func.func @leading_dimensions(
// CHECK:       %[[F:.*]] = arith.extf %arg0 : tensor<?x?x64xbf16> to tensor<?x?x64xf32>
// CHECK:       %[[X:.*]] = tensor.collapse_shape %[[F]] {{\[\[}}0, 1], [2]] : tensor<?x?x64xf32> into tensor<?x64xf32>
// CHECK:       ternary.quantize %[[X]]
// CHECK:       %[[Y:.*]] = ternary.rescale
// CHECK-DAG:   %[[D0:.*]] = tensor.dim %arg0, %c0
// CHECK-DAG:   %[[D1:.*]] = tensor.dim %arg0, %c1
// CHECK:       %[[E:.*]] = tensor.expand_shape %[[Y]] {{\[\[}}0, 1], [2]] output_shape [%[[D0]], %[[D1]], 96] : tensor<?x96xf32> into tensor<?x?x96xf32>
// CHECK:       arith.truncf %[[E]] : tensor<?x?x96xf32> to tensor<?x?x96xbf16>
func.func @leading_dimensions(%x: tensor<?x?x64xbf16>, %w: !ternary.matrix<96x64>, %s: tensor<1xf32>) -> tensor<?x?x96xbf16> {
  %y = ternary.bit_linear %x, %w, %s {quantization = #rule}
      : (tensor<?x?x64xbf16>, !ternary.matrix<96x64>, tensor<1xf32>) -> tensor<?x?x96xbf16>
  return %y : tensor<?x?x96xbf16>
}

// CHECK-LABEL: func.func @one_vector(
// CHECK:       tensor.expand_shape %arg0 {{\[\[}}0, 1]] output_shape [1, 64] : tensor<64xf32> into tensor<1x64xf32>
// CHECK:       tensor.collapse_shape %{{.*}} {{\[\[}}0, 1]] : tensor<1x96xf32> into tensor<96xf32>
func.func @one_vector(%x: tensor<64xf32>, %w: !ternary.matrix<96x64>, %s: tensor<96xf32>) -> tensor<96xf32> {
  %y = ternary.bit_linear %x, %w, %s {quantization = #rule}
      : (tensor<64xf32>, !ternary.matrix<96x64>, tensor<96xf32>) -> tensor<96xf32>
  return %y : tensor<96xf32>
}

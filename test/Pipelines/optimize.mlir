// RUN: tern-opt /dev/null --tern-optimize-pipeline --dump-pass-pipeline 2>&1 >/dev/null | FileCheck %s --check-prefix=PASSES
// RUN: tern-opt %s --tern-optimize-pipeline | FileCheck %s --implicit-check-not=ternary.bit_linear

// PASSES:      ternary-decompose-bit-linear
// PASSES:      canonicalize
// PASSES:      cse
// PASSES:      convert-elementwise-to-linalg
// PASSES:      linalg-generalize-named-ops
// PASSES:      tern-fuse-elementwise
// PASSES:      canonicalize
// PASSES:      cse

// A layer is its three steps.
// CHECK-LABEL: func.func @main(
// CHECK:         %[[CODES:.*]], %[[SCALES:.*]] = ternary.quantize %{{.*}} : tensor<?x64xf32> -> tensor<?x64xi8>, tensor<?xf32>
// CHECK:         %[[SUM:.*]] = ternary.matmul %[[CODES]], %{{.*}} : (tensor<?x64xi8>, !ternary.matrix<32x64>) -> tensor<?x32xi32>
// CHECK:         %[[Y:.*]] = ternary.rescale %[[SUM]], %{{.*}} by %[[SCALES]]
// CHECK:         return %[[Y]]
func.func @main(%x: tensor<?x64xf32>) -> tensor<?x32xf32> {
  %w = ternary.constant dense<100> : tensor<512xui8> as !ternary.matrix<32x64>
  %s = arith.constant dense<0.5> : tensor<1xf32>
  %0 = ternary.bit_linear %x, %w, %s {form = "baked", quantization = #ternary.quantization<quotient, half_even, eps = 1.0E-5, qmin = -128>} : (tensor<?x64xf32>, !ternary.matrix<32x64>, tensor<1xf32>) -> tensor<?x32xf32>
  return %0 : tensor<?x32xf32>
}

// Layers of short floats widen and narrow by loops, not on whole tensors, which
// would never become buffers.
// CHECK-LABEL: func.func @short(
// CHECK-NOT:     arith.extf {{.*}} tensor
// CHECK:         linalg.generic
// CHECK:           arith.extf %{{.*}} : bf16 to f32
// CHECK:         ternary.matmul
// CHECK:         linalg.generic
// CHECK:           arith.truncf %{{.*}} : f32 to bf16
// CHECK-NOT:     arith.truncf {{.*}} tensor
func.func @short(%x: tensor<?x64xbf16>) -> tensor<?x32xbf16> {
  %w = ternary.constant dense<100> : tensor<512xui8> as !ternary.matrix<32x64>
  %s = arith.constant dense<0.5> : tensor<1xf32>
  %0 = ternary.bit_linear %x, %w, %s {form = "baked"} : (tensor<?x64xbf16>, !ternary.matrix<32x64>, tensor<1xf32>) -> tensor<?x32xbf16>
  return %0 : tensor<?x32xbf16>
}

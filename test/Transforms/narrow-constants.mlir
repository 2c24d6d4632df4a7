// RUN: tern-opt %s --tern-narrow-constants=max-bytes=8 | FileCheck %s
// RUN: tern-opt %s --tern-narrow-constants | FileCheck %s --check-prefix=DEFAULT
// RUN: tern-opt %s --pass-pipeline='builtin.module(tern-narrow-constants{max-bytes=8},func.func(convert-elementwise-to-linalg,linalg-generalize-named-ops,tern-fuse-elementwise))' | FileCheck %s --check-prefix=FUSED

// More than eight bytes, and a bf16 has as many bits: 0x40490000 is 3.140625.
// CHECK-LABEL: func.func @exact(
// CHECK:         %[[N:.*]] = arith.constant dense<[1.000000e+00, -5.000000e-01, 3.140630e+00]> : tensor<3xbf16>
// CHECK:         %[[C:.*]] = arith.extf %[[N]] : tensor<3xbf16> to tensor<3xf32>
// CHECK:         return %[[C]]
// DEFAULT-LABEL: func.func @exact(
// DEFAULT:         arith.constant dense<[1.000000e+00, -5.000000e-01, 3.140625]> : tensor<3xf32>
func.func @exact() -> tensor<3xf32> {
  %c = arith.constant dense<[1.0, -0.5, 3.140625]> : tensor<3xf32>
  return %c : tensor<3xf32>
}

// One element with a bit more; eight bytes; one value; a matrix; another type.
// CHECK-LABEL: func.func @others(
// CHECK-NOT:     bf16
// CHECK:         return
func.func @others() -> (tensor<3xf32>, tensor<2xf32>, tensor<9xf32>, tensor<2x2xf32>, tensor<2xf64>) {
  %0 = arith.constant dense<[1.0, 1.00390625, 2.0]> : tensor<3xf32>
  %1 = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %2 = arith.constant dense<1.0> : tensor<9xf32>
  %3 = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %4 = arith.constant dense<[1.0, 2.0]> : tensor<2xf64>
  return %0, %1, %2, %3, %4 : tensor<3xf32>, tensor<2xf32>, tensor<9xf32>, tensor<2x2xf32>, tensor<2xf64>
}

// Functions that share a resource share the narrow one; one that is not at hand
// stays.
// CHECK-LABEL: func.func @shared(
// CHECK:         arith.constant dense_resource<gain_bf16> : tensor<3xbf16>
// CHECK:         arith.constant dense_resource<elided> : tensor<3xf32>
func.func @shared() -> (tensor<3xf32>, tensor<3xf32>) {
  %0 = arith.constant dense_resource<gain> : tensor<3xf32>
  %1 = arith.constant dense_resource<elided> : tensor<3xf32>
  return %0, %1 : tensor<3xf32>, tensor<3xf32>
}

// CHECK-LABEL: func.func @too(
// CHECK:         arith.constant dense_resource<gain_bf16> : tensor<3xbf16>
func.func @too() -> tensor<3xf32> {
  %0 = arith.constant dense_resource<gain> : tensor<3xf32>
  return %0 : tensor<3xf32>
}

// The loop that multiplies by it reads it as it is.
// FUSED-LABEL: func.func @fused(
// FUSED:         %[[N:.*]] = arith.constant dense_resource<gain_bf16> : tensor<3xbf16>
// FUSED:         linalg.generic {{.*}} ins(%{{.*}}, %[[N]] : tensor<3xf32>, tensor<3xbf16>)
// FUSED-NEXT:    ^bb0(%[[X:.*]]: f32, %[[G:.*]]: bf16, %{{.*}}: f32):
// FUSED-NEXT:      %[[WIDE:.*]] = arith.extf %[[G]] : bf16 to f32
// FUSED-NEXT:      arith.mulf %[[X]], %[[WIDE]] : f32
func.func @fused(%x: tensor<3xf32>) -> tensor<3xf32> {
  %0 = arith.constant dense_resource<gain> : tensor<3xf32>
  %1 = tensor.empty() : tensor<3xf32>
  %2 = linalg.mul ins(%x, %0 : tensor<3xf32>, tensor<3xf32>) outs(%1 : tensor<3xf32>) -> tensor<3xf32>
  return %2 : tensor<3xf32>
}

// 1, 2 and -2: the upper halves of 0x3f800000, 0x40000000 and 0xc0000000, behind
// four bytes that say the alignment.
// CHECK:       gain_bf16: "0x40000000803F004000C0"
{-#
  dialect_resources: {
    builtin: {
      gain: "0x040000000000803F00000040000000C0"
    }
  }
#-}

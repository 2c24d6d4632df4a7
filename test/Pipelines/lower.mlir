// RUN: tern-opt /dev/null --tern-bufferize-pipeline --tern-lower-pipeline=target=avx2 --dump-pass-pipeline 2>&1 >/dev/null | FileCheck %s --check-prefix=PASSES
// RUN: tern-opt /dev/null --tern-lower-pipeline=target=zen4 --dump-pass-pipeline 2>&1 >/dev/null | FileCheck %s --check-prefix=ZEN4
// DEFINE: %{packed} = tern-opt %s --tern-optimize-pipeline --tern-pack-pipeline
// DEFINE: %{any} = --implicit-check-not=ternary. --implicit-check-not=linalg. --implicit-check-not=tensor.
// RUN: %{packed} --tern-bufferize-pipeline=portable --tern-lower-pipeline=portable | FileCheck %s --check-prefix=PORTABLE %{any} --implicit-check-not=arith.mul --implicit-check-not=math.fma --implicit-check-not=vector
// RUN: %{packed} --tern-bufferize-pipeline --tern-lower-pipeline | FileCheck %s --check-prefix=GENERIC %{any} --implicit-check-not=llvm.call_intrinsic
// RUN: %{packed} --tern-bufferize-pipeline --tern-lower-pipeline=target=avx2 | FileCheck %s --check-prefix=AVX2 %{any} --implicit-check-not=vpdpbusd
// RUN: %{packed} --tern-bufferize-pipeline --tern-lower-pipeline=target=avxvnni | FileCheck %s --check-prefix=AVXVNNI %{any} --implicit-check-not=vpdpbusd.512
// RUN: %{packed} --tern-bufferize-pipeline --tern-lower-pipeline=target=avx512vnni | FileCheck %s --check-prefix=AVX512VNNI %{any}

// Floats take the vectors that the target has.
// ZEN4: tern-vectorize-contractions{lanes=16 registers=32}
// ZEN4: tern-vectorize-reductions{lanes=16}

// Buffers first: inputs are protected, and constants leave before buffers are
// freed.
// PASSES:      convert-ternary-to-linalg
// PASSES:      linalg-generalize-named-ops
// PASSES:      tern-align-loops
// PASSES:      tern-fuse-elementwise
// PASSES:      tern-fuse-rows
// PASSES:      tern-fill-padding
// PASSES:      tern-schedule-contractions
// PASSES:      tern-fill-splats
// PASSES:      tern-split-concats
// PASSES:      tern-protect-arguments
// PASSES:      eliminate-empty-tensors
// PASSES:      empty-tensor-to-alloc-tensor
// PASSES:      one-shot-bufferize
// PASSES:      drop-equivalent-buffer-results
// PASSES:      tern-hoist-results
// PASSES:      tern-fetch-rows
// PASSES:      tern-narrow-constants
// PASSES:      tern-externalize-constants
// PASSES:      ownership-based-buffer-deallocation
// PASSES:      optimize-allocation-liveness
// PASSES:      convert-bufferization-to-memref
// PASSES:      convert-ternary-to-vector{target=avx2}
// PASSES:      tern-lower-strided-copies
// PASSES:      tern-vectorize-contractions{lanes=8 registers=16}
// PASSES:      tern-vectorize-reductions{lanes=8}
// PASSES:      tern-vectorize-transposes{lanes=8}
// PASSES:      tern-vectorize-short-rows{lanes=8}
// PASSES:      convert-linalg-to-parallel-loops

// The portable form: one multiplication quantises, one rescales the sum, and
// between them nothing is multiplied, an index neither.
// PORTABLE-LABEL: func.func @main(
// PORTABLE:         scf.parallel
// PORTABLE:         arith.mulf
// PORTABLE:         arith.select
// PORTABLE:         arith.select
// PORTABLE:         arith.addi
// PORTABLE:         arith.mulf
// PORTABLE:         return

// A buffer goes after its last use: the codes before the result has memory.
// GENERIC-LABEL:    func.func @main(
// GENERIC:            call @ternary_packed_matmul_i2_32x64_generic(%[[CODES:[^,]*]],
// GENERIC-NEXT:       memref.dealloc %[[CODES]] : memref<?x64xi8>
// GENERIC:            memref.alloc({{.*}} : memref<?x32xf32>
// GENERIC:          func.func private @ternary_packed_matmul_i2_32x64_generic(

// AVX2:             func.func private @ternary_packed_matmul_i2_32x64_avx2(
// AVX2:               llvm.call_intrinsic "llvm.x86.avx2.pmadd
// AVXVNNI:          func.func private @ternary_packed_matmul_i2_32x64_avxvnni(
// AVXVNNI:            vpdpbusd.256
// AVX512VNNI:       func.func private @ternary_packed_matmul_i2_32x64_avx512vnni(
// AVX512VNNI:         llvm.x86.avx512.vpdpbusd.512
func.func @main(%x: tensor<?x64xf32>) -> tensor<?x32xf32> {
  %w = ternary.constant dense<100> : tensor<512xui8> as !ternary.matrix<32x64>
  %s = arith.constant dense<0.5> : tensor<1xf32>
  %0 = ternary.bit_linear %x, %w, %s {form = "baked", quantization = #ternary.quantization<quotient, half_even, eps = 1.0E-5, qmin = -128>} : (tensor<?x64xf32>, !ternary.matrix<32x64>, tensor<1xf32>) -> tensor<?x32xf32>
  return %0 : tensor<?x32xf32>
}

// RUN: tern-opt /dev/null --tern-llvm-pipeline --dump-pass-pipeline 2>&1 >/dev/null | FileCheck %s --check-prefix=PASSES
// DEFINE: %{lowered} = tern-opt %s --tern-optimize-pipeline --tern-pack-pipeline --tern-bufferize-pipeline --tern-lower-pipeline
// RUN: %{lowered} --tern-llvm-pipeline | FileCheck %s --implicit-check-not='{{(= |^ +)(arith|math|scf|cf|memref|vector|func|affine|index|builtin)\.}}'
// RUN: %{lowered} --tern-llvm-pipeline | mlir-translate --mlir-to-llvmir | FileCheck %s --check-prefix=IR

// PASSES:      tern-emit-model-entries
// PASSES:      tern-mark-temporaries
// PASSES:      tern-stack-small-buffers
// PASSES:      tern-check-allocations
// PASSES:      tern-outline-parallel-loops{min-work=131072}
// PASSES:      tern-split-stream-loops{group=16}
// PASSES:      convert-scf-to-cf
// PASSES:      tern-resolve-expand-shapes
// PASSES:      expand-strided-metadata
// PASSES:      finalize-memref-to-llvm{{.*}}use-aligned-alloc=true
// PASSES:      convert-func-to-llvm
// PASSES:      reconcile-unrealized-casts
// PASSES:      tern-emit-kernel-table{{.*}}variant=generic

// CHECK-DAG: llvm.mlir.global external constant @tern_weights()
// CHECK-DAG: llvm.func internal @main(
// CHECK-DAG: llvm.func @tern_run_generic(%{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr)

// What a linker sees: the entry; all else is the object's own.
// IR-NOT: define {{(dso_local )?}}void @main
// IR-DAG: define internal {{.*}} @main(
// IR-DAG: define internal void @main_parallel_0({{.*}}) #[[NOINLINE:[0-9]+]]
// IR-DAG: define {{(dso_local )?}}void @tern_run_generic(ptr {{.*}}, ptr {{.*}}, ptr {{.*}})
// IR-DAG: attributes #[[NOINLINE]] = { noinline }
func.func @main(%x: tensor<?x64xf32>) -> tensor<?x32xf32> {
  %w = ternary.constant dense<100> : tensor<512xui8> as !ternary.matrix<32x64>
  %s = arith.constant dense<0.5> : tensor<1xf32>
  %0 = ternary.bit_linear %x, %w, %s {form = "baked", quantization = #ternary.quantization<quotient, half_even, eps = 1.0E-5, qmin = -128>} : (tensor<?x64xf32>, !ternary.matrix<32x64>, tensor<1xf32>) -> tensor<?x32xf32>
  return %0 : tensor<?x32xf32>
}

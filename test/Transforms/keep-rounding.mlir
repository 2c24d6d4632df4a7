// RUN: tern-opt %s --tern-keep-rounding --canonicalize | FileCheck %s
// RUN: tern-opt %s --canonicalize | FileCheck %s --check-prefix=FOLDED
// RUN: tern-opt %s --tern-llvm-pipeline | FileCheck %s --check-prefix=LLVM

// With the flags that emulation sets, the result in the middle is not rounded.
// CHECK-LABEL:  func.func @flags(
// CHECK:          %[[H:.*]] = arith.truncf %{{.*}} : f32 to bf16
// CHECK:          arith.extf %[[H]] : bf16 to f32
// FOLDED-LABEL: func.func @flags(
// FOLDED-NOT:     arith.truncf
// FOLDED:         return
func.func @flags(%x: f32) -> f32 {
  %h = arith.truncf %x fastmath<contract> : f32 to bf16
  %w = arith.extf %h fastmath<contract> : bf16 to f32
  return %w : f32
}

// Each of two operations on bf16 is rounded, by adding to the bits of its f32.
// LLVM-LABEL: llvm.func {{.*}}@chain(
// LLVM:         llvm.fdiv %{{.*}} : f32
// LLVM:         llvm.trunc %{{.*}} : i32 to i16
// LLVM:         llvm.fsub %{{.*}} : f32
// LLVM:         llvm.trunc %{{.*}} : i32 to i16
func.func @chain(%a: bf16, %b: bf16, %c: bf16) -> bf16 {
  %0 = arith.divf %a, %b : bf16
  %1 = arith.subf %0, %c : bf16
  return %1 : bf16
}

// bisect-pass.sh names the pass after which a check fails first.

// RUN: %src_root/tools/dev/bisect-pass.sh %S/Inputs/no-multiplication.sh %t tern-opt %s \
// RUN:   --canonicalize --convert-arith-to-llvm --convert-func-to-llvm | FileCheck %s
// CHECK:      Broken by ArithToLLVMConversionPass (convert-arith-to-llvm)
// CHECK-NEXT:   before: {{.*}}0001.mlir
// CHECK-NEXT:   after:  {{.*}}0002.mlir

// RUN: not %src_root/tools/dev/bisect-pass.sh %S/Inputs/no-multiplication.sh %t tern-opt %s \
// RUN:   --canonicalize | FileCheck %s --check-prefix=GOOD
// GOOD: All 1 modules pass the check.

// RUN: not %src_root/tools/dev/bisect-pass.sh %S/Inputs/no-multiplication.sh %t tern-opt %s \
// RUN:   2>&1 | FileCheck %s --check-prefix=NONE
// NONE: no pass changed the module

func.func @square(%x: f32) -> f32 {
  %unused = arith.addf %x, %x : f32
  %y = arith.mulf %x, %x : f32
  return %y : f32
}

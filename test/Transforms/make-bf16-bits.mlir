// RUN: tern-opt %s --tern-make-bf16-bits | FileCheck %s --implicit-check-not=bf16
// RUN: tern-opt %s --tern-make-bf16-bits --mlir-print-elementsattrs-with-hex-if-larger=-1 \
// RUN:   | mlir-translate --mlir-to-llvmir | llc -mtriple=x86_64 -o - | FileCheck %s --check-prefix=ASM
// RUN: mlir-translate --mlir-to-llvmir %s | llc -mtriple=x86_64 -o - | FileCheck %s --check-prefix=CALL

// The element that is stored again and again crosses a block: LLVM would keep
// it as an f32.
// ASM-NOT: call{{.*}}__truncsfbf2
// CALL:    call{{.*}}__truncsfbf2

// 0x3FC0 is 1.5 and 0xC000 -2.0.
// CHECK: llvm.mlir.global private constant @table(dense<[16320, -16384]> : tensor<2xi16>) {{.*}} : !llvm.array<2 x i16>
llvm.mlir.global private constant @table(dense<[1.5, -2.0]> : tensor<2xbf16>) : !llvm.array<2 x bf16>

// CHECK-LABEL: llvm.func @repeat(
// CHECK-SAME:    %arg{{[0-9]}}: !llvm.ptr, %{{.*}}: i64, %[[FIRST:.*]]: i16) -> i16
// CHECK:         %[[X:.*]] = llvm.load %{{.*}} -> i16
// CHECK:         llvm.getelementptr %{{.*}} -> !llvm.ptr, i16
// CHECK:         llvm.store volatile %[[X]], %{{.*}} : i16, !llvm.ptr
// CHECK:         %[[HALF:.*]] = llvm.mlir.constant(16128 : i16) : i16
// CHECK-NOT:     llvm.bitcast
// CHECK:         llvm.xor %[[FIRST]], %[[HALF]] : i16
llvm.func @repeat(%p: !llvm.ptr, %n: i64, %first: bf16) -> bf16 {
  %zero = llvm.mlir.constant(0 : i64) : i64
  %one = llvm.mlir.constant(1 : i64) : i64
  %x = llvm.load %p : !llvm.ptr -> bf16
  llvm.br ^loop(%zero : i64)
^loop(%i: i64):
  %q = llvm.getelementptr %p[%i] : (!llvm.ptr, i64) -> !llvm.ptr, bf16
  llvm.store volatile %x, %q : bf16, !llvm.ptr
  %next = llvm.add %i, %one : i64
  %more = llvm.icmp "slt" %next, %n : i64
  llvm.cond_br %more, ^loop(%next : i64), ^done
^done:
  %half = llvm.mlir.constant(0.5 : bf16) : bf16
  %a = llvm.bitcast %first : bf16 to i16
  %b = llvm.bitcast %half : bf16 to i16
  %c = llvm.xor %a, %b : i16
  %d = llvm.bitcast %c : i16 to bf16
  llvm.return %d : bf16
}

// RUN: tern-opt %s --tern-emit-kernel-table=variant=avx2 --split-input-file | FileCheck %s --implicit-check-not=tern.kernel
// RUN: tern-opt %s --tern-emit-kernel-table=variant=avx2 --split-input-file | mlir-translate --mlir-to-llvmir --split-input-file | FileCheck %s --check-prefix=IR

// A body whose address is taken is listed, with what is known; one that is only
// called directly is not. What is unknown is 0.

// CHECK-LABEL: llvm.func internal @step(
// CHECK-DAG:   llvm.func internal @step_parallel_0(
// CHECK:       llvm.mlir.global private unnamed_addr constant @tern_kernel_name_0("a.* 2x4 i2\00")
// CHECK:       llvm.mlir.global private unnamed_addr constant @tern_kernel_name_1("b\00")
// CHECK:       llvm.mlir.global external constant @tern_kernels_avx2() {{.*}} : !llvm.array<3 x struct<(ptr, ptr, i64, i64, i64)>>

// IR: @tern_kernels_avx2 = constant [3 x { ptr, ptr, i64, i64, i64 }] [{ ptr, ptr, i64, i64, i64 } { ptr @step_parallel_0, ptr @tern_kernel_name_0, i64 5, i64 6, i64 7 }, { ptr, ptr, i64, i64, i64 } { ptr @shared_parallel_2, ptr @tern_kernel_name_1, i64 0, i64 0, i64 0 }, { ptr, ptr, i64, i64, i64 } zeroinitializer]
// IR: define internal void @step(
module {
  llvm.func internal @step(%host: !llvm.ptr) {
    %0 = llvm.mlir.addressof @step_parallel_0 : !llvm.ptr
    %1 = llvm.mlir.addressof @shared_parallel_2 : !llvm.ptr
    %2 = llvm.mlir.addressof @main_parallel_3 : !llvm.ptr
    llvm.call @step_parallel_1(%host) : (!llvm.ptr) -> ()
    llvm.return
  }
  llvm.func internal @step_parallel_0(%context: !llvm.ptr) attributes {tern.kernel = {bytes = 5 : i64, macs = 6 : i64, macs_per_token = 7 : i64, name = "a.* 2x4 i2"}} {
    llvm.return
  }
  llvm.func internal @step_parallel_1(%context: !llvm.ptr) attributes {tern.kernel = {name = "direct"}} {
    llvm.return
  }
  llvm.func internal @shared_parallel_2(%context: !llvm.ptr) attributes {tern.kernel = {name = "b"}} {
    llvm.return
  }
  // Beside a step, the loops of main alone are measured by nobody.
  llvm.func internal @main_parallel_3(%context: !llvm.ptr) attributes {tern.kernel = {name = "c"}} {
    llvm.return
  }
}

// -----

// Without a step, main's loops are the model's.
// IR: @tern_kernel_name_0 = private unnamed_addr constant [2 x i8] c"c\00"
// IR: @tern_kernels_avx2 = constant [2 x {{.*}} @main_parallel_3, ptr @tern_kernel_name_0, i64 0, i64 0, i64 0 }, {{.*}} zeroinitializer]
module {
  llvm.func internal @main(%host: !llvm.ptr) {
    %0 = llvm.mlir.addressof @main_parallel_3 : !llvm.ptr
    llvm.return
  }
  llvm.func internal @main_parallel_3(%context: !llvm.ptr) attributes {tern.kernel = {name = "c"}} {
    llvm.return
  }
}

// -----

// Nothing but the end.
// IR: @tern_kernels_avx2 = constant [1 x {{.*}} zeroinitializer
module {
}

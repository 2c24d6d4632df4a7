// RUN: tern-opt %s --allow-unregistered-dialect --pass-pipeline="builtin.module(func.func(tern-mark-temporaries))" --split-input-file | FileCheck %s
// RUN: tern-opt %s --allow-unregistered-dialect --pass-pipeline="builtin.module(func.func(tern-mark-temporaries,tern-stack-small-buffers{bytes=1024 total=4096}))" --split-input-file | FileCheck %s --check-prefix=STACK
// RUN: tern-opt %s --allow-unregistered-dialect --pass-pipeline="builtin.module(func.func(tern-mark-temporaries),tern-outline-parallel-loops)" --split-input-file | FileCheck %s --check-prefix=HOST

// What is freed where it is allocated. What is large keeps its mark beside what
// is put on the stack.
// CHECK-LABEL: func.func @temporaries(
// CHECK:         %[[A:.*]] = memref.alloc() {alignment = 64 : i64, tern.temporary} : memref<1025xi8>
// CHECK:         %[[B:.*]] = memref.alloc(%{{.*}}, %{{.*}}) {tern.temporary} : memref<?x3x?xf16>
// CHECK:         memref.dealloc %[[A]] {tern.temporary}
// CHECK:         memref.dealloc %[[B]] {tern.temporary}

// STACK-LABEL: func.func @temporaries(
// STACK:         memref.alloc() {alignment = 64 : i64, tern.temporary} : memref<1025xi8>
// STACK:         scf.if
// STACK-NEXT:      memref.alloca(
// STACK:         } else {
// STACK-NEXT:      memref.alloc(%{{.*}}, %{{.*}}) {tern.temporary} : memref<?x3x?xf16>
// STACK:         scf.if
// STACK-NEXT:      memref.dealloc %{{.*}} {tern.temporary}

// The host gets the same number of bytes both times: 6 for each of m * n.
// HOST-LABEL: func.func @temporaries(
// HOST-SAME:    %[[HOST:.*]]: !llvm.ptr, %[[M:.*]]: index, %[[N:.*]]: index)
// HOST:         %[[SMALL:.*]] = llvm.mlir.constant(1025 : i64)
// HOST:         llvm.call @tern_allocate(%[[HOST]], %[[SMALL]]) : (!llvm.ptr, i64) -> !llvm.ptr
// HOST:         %[[M64:.*]] = arith.index_cast %[[M]] : index to i64
// HOST:         %[[N64:.*]] = arith.index_cast %[[N]] : index to i64
// HOST:         %[[SIX:.*]] = llvm.mlir.constant(6 : i64)
// HOST:         %[[ROWS:.*]] = llvm.mul %[[SIX]], %[[M64]]
// HOST:         %[[BYTES:.*]] = llvm.mul %[[ROWS]], %[[N64]]
// HOST:         %[[ADDRESS:.*]] = llvm.call @tern_allocate(%[[HOST]], %[[BYTES]])
// HOST:         llvm.insertvalue %[[ADDRESS]], %{{.*}}[1]
// HOST:         %[[B:.*]] = builtin.unrealized_conversion_cast %{{.*}} to memref<?x3x?xf16>
// HOST:         llvm.call @tern_release(%[[HOST]], %{{.*}}, %{{.*}}) : (!llvm.ptr, !llvm.ptr, i64) -> ()
// HOST:         memref.dim %[[B]], %c0
// HOST:         memref.dim %[[B]], %c2
// HOST:         memref.extract_aligned_pointer_as_index %[[B]]
// HOST:         llvm.mlir.constant(6 : i64)
// HOST:         llvm.call @tern_release(%[[HOST]]
// HOST-NOT:     memref.alloc
// HOST-NOT:     memref.dealloc
// HOST:       llvm.func internal @tern_allocate(%[[H:.*]]: !llvm.ptr, %[[SIZE:.*]]: i64) -> (!llvm.ptr {llvm.noalias}) attributes {passthrough = ["noinline"]}
// HOST:         %[[SELF:.*]] = llvm.load %[[H]]
// HOST:         %[[SLOT:.*]] = llvm.getelementptr %[[H]][4] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
// HOST:         %[[CALLEE:.*]] = llvm.load %[[SLOT]]
// HOST:         llvm.call %[[CALLEE]](%[[SELF]], %[[SIZE]])
// HOST:       llvm.func internal @tern_release(
// HOST:         llvm.getelementptr %{{.*}}[5]
func.func @temporaries(%m: index, %n: index) {
  %a = memref.alloc() {alignment = 64 : i64} : memref<1025xi8>
  %b = memref.alloc(%m, %n) : memref<?x3x?xf16>
  "test.use"(%a, %b) : (memref<1025xi8>, memref<?x3x?xf16>) -> ()
  memref.dealloc %a : memref<1025xi8>
  memref.dealloc %b : memref<?x3x?xf16>
  return
}

// -----

// Buffers that are returned, freed elsewhere or never; more than 64 bytes of
// alignment; a layout of its own. All of them are malloc's.
// CHECK-LABEL: func.func @others(
// CHECK-NOT:     tern.temporary
// HOST-LABEL:  func.func @others(
// HOST-COUNT-5:  memref.alloc(
// HOST-NOT:      @tern_allocate
func.func @others(%p: i1) -> memref<4xf32> {
  %a = memref.alloc() : memref<4xf32>
  %b = memref.alloc() : memref<4xf32>
  %c = memref.alloc() : memref<4xf32>
  %d = memref.alloc() {alignment = 128 : i64} : memref<4xf32>
  %e = memref.alloc() : memref<4x4xf32, strided<[8, 1]>>
  "test.use"(%a, %b, %c, %d, %e) : (memref<4xf32>, memref<4xf32>, memref<4xf32>, memref<4xf32>, memref<4x4xf32, strided<[8, 1]>>) -> ()
  scf.if %p {
    memref.dealloc %a : memref<4xf32>
  }
  memref.dealloc %d : memref<4xf32>
  memref.dealloc %e : memref<4x4xf32, strided<[8, 1]>>
  return %c : memref<4xf32>
}

// -----

// In a loop's body the host travels with what the body uses. To ask it is not
// the work that a row of a file is: 16 iterations stay with their thread.
// CHECK-LABEL: func.func @loop(
// HOST-LABEL:  func.func private @loop_parallel_0(
// HOST:          llvm.call @tern_allocate(
// HOST:          llvm.call @tern_release(
// HOST-LABEL:  func.func @loop(
// HOST:          arith.cmpi sge, %c1{{.*}}, %c{{[1-9][0-9]+}}
func.func @loop() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  scf.parallel (%i) = (%c0) to (%c16) step (%c1) {
    %a = memref.alloc() : memref<100000xi8>
    "test.use"(%a) : (memref<100000xi8>) -> ()
    memref.dealloc %a : memref<100000xi8>
  }
  return
}

// -----

// All that is said by then is said to the host.
// HOST-LABEL: func.func @trim(
// HOST-SAME:    %[[HOST:.*]]: !llvm.ptr)
// HOST:         llvm.call @tern_release(
// HOST:         %[[SELF:.*]] = llvm.load %[[HOST]]
// HOST:         %[[SLOT:.*]] = llvm.getelementptr %[[HOST]][6] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
// HOST:         %[[TRIM:.*]] = llvm.load %[[SLOT]]
// HOST:         llvm.call %[[TRIM]](%[[SELF]]) : !llvm.ptr, (!llvm.ptr) -> ()
// HOST-NOT:     ternary.trim
func.func @trim() {
  %a = memref.alloc() : memref<100000xi8>
  "test.use"(%a) : (memref<100000xi8>) -> ()
  memref.dealloc %a : memref<100000xi8>
  ternary.trim
  return
}

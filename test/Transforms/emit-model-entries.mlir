// RUN: tern-opt %s --tern-emit-model-entries=variant=avx2 --split-input-file --verify-diagnostics | FileCheck %s

// A TernTensor is 80 bytes: data at 0, dims from 8 on. Names are the
// descriptor's to say.
// CHECK-LABEL: func.func private @main(
// CHECK-SAME:    %{{.*}}: memref<?x3xf32>, %{{.*}}: memref<4xi64>) -> (memref<4xi64>, memref<?x3xf32>) {
func.func @main(%x: memref<?x3xf32> {onnx.name = "x"}, %i: memref<4xi64>)
    -> (memref<4xi64>, memref<?x3xf32> {onnx.name = "y"}) {
  return %i, %x : memref<4xi64>, memref<?x3xf32>
}
// CHECK-LABEL: func.func @tern_run_avx2(
// CHECK-SAME:    %[[HOST:.*]]: !llvm.ptr, %[[IN:.*]]: !llvm.ptr, %[[OUT:.*]]: !llvm.ptr) attributes {tern.entry}
// CHECK:         %[[A:.*]] = llvm.getelementptr %[[IN]][8] : (!llvm.ptr) -> !llvm.ptr, i8
// CHECK-NEXT:    %[[ROWS:.*]] = llvm.load %[[A]] : !llvm.ptr -> i64
// CHECK-NEXT:    %[[B:.*]] = llvm.getelementptr %[[IN]][0] : (!llvm.ptr) -> !llvm.ptr, i8
// CHECK-NEXT:    %[[DATA:.*]] = llvm.load %[[B]] : !llvm.ptr -> !llvm.ptr
// CHECK:         llvm.insertvalue %[[ROWS]], %{{.*}}[3, 0]
// CHECK:         %[[X:.*]] = builtin.unrealized_conversion_cast %{{.*}} to memref<?x3xf32>
// CHECK:         %[[C:.*]] = llvm.getelementptr %[[IN]][80] : (!llvm.ptr) -> !llvm.ptr, i8
// CHECK:         %[[I:.*]] = builtin.unrealized_conversion_cast %{{.*}} to memref<4xi64>
// CHECK:         %[[R:.*]]:2 = call @main(%[[X]], %[[I]])
// CHECK:         %[[P0:.*]] = llvm.extractvalue %{{.*}}[1]
// CHECK:         %[[O0:.*]] = llvm.getelementptr %[[OUT]][0]
// CHECK-NEXT:    llvm.store %[[P0]], %[[O0]]
// CHECK:         llvm.getelementptr %[[OUT]][8]
// The second leaves as a copy if it is the first's buffer.
// CHECK:         %[[SHARED:.*]] = llvm.icmp "eq" %{{.*}}, %[[P0]] : !llvm.ptr
// CHECK-NEXT:    %[[R1:.*]] = scf.if %[[SHARED]] -> (memref<?x3xf32>) {
// CHECK:           %[[SIZE:.*]] = memref.dim %[[R]]#1
// CHECK-NEXT:      %[[COPY:.*]] = memref.alloc(%[[SIZE]])
// CHECK-NEXT:      memref.copy %[[R]]#1, %[[COPY]]
// CHECK-NEXT:      scf.yield %[[COPY]]
// CHECK-NEXT:    } else {
// CHECK-NEXT:      scf.yield %[[R]]#1
// CHECK:         llvm.getelementptr %[[OUT]][80]
// CHECK:         llvm.getelementptr %[[OUT]][88]
// CHECK:         llvm.getelementptr %[[OUT]][96]
// CHECK-NEXT:    llvm.store
// CHECK-NEXT:    return

// -----

// step(tokens, past, num_logits, caches…): the C order is host, tokens, count,
// past, caches, num_logits, num_best, logits. This one gives all logits. What it
// allocates for them is the caller's memory instead.
// CHECK-LABEL: func.func private @step(
// CHECK-SAME:    %{{[^ ,]*}}: memref<1x2x16x4xf16>, %[[OWN:[^ ,]*]]: memref<1x?x32xf32>) {
// CHECK-NOT:     memref.alloc
// CHECK:         memref.store %{{.*}}, %[[OWN]]
// CHECK-NEXT:    return{{$}}
func.func private @step(%t: memref<1x?xi64>, %past: index, %n: index, %k: memref<1x2x16x4xf32>, %v: memref<1x2x16x4xf16>) -> memref<1x?x32xf32> {
  %zero = arith.constant 0.0 : f32
  %l = memref.alloc(%n) : memref<1x?x32xf32>
  memref.store %zero, %l[%past, %past, %past] : memref<1x?x32xf32>
  return %l : memref<1x?x32xf32>
}
// CHECK-LABEL: func.func @tern_step_avx2(
// CHECK-SAME:    %{{.*}}: !llvm.ptr, %[[TOKENS:.*]]: !llvm.ptr, %[[COUNT:.*]]: i64, %[[PAST:.*]]: i64, %[[CACHES:.*]]: !llvm.ptr, %[[NUM:.*]]: i64, %{{.*}}: i64, %[[LOGITS:.*]]: !llvm.ptr)
// CHECK:         llvm.insertvalue %[[TOKENS]], %{{.*}}[1]
// CHECK:         llvm.insertvalue %[[COUNT]], %{{.*}}[3, 1]
// CHECK:         %[[T:.*]] = builtin.unrealized_conversion_cast %{{.*}} to memref<1x?xi64>
// CHECK:         %[[P:.*]] = arith.index_cast %[[PAST]]
// CHECK:         %[[N:.*]] = arith.index_cast %[[NUM]]
// CHECK:         llvm.getelementptr %[[CACHES]][0]
// CHECK:         %[[K:.*]] = builtin.unrealized_conversion_cast %{{.*}} to memref<1x2x16x4xf32>
// CHECK:         llvm.getelementptr %[[CACHES]][8]
// CHECK:         %[[V:.*]] = builtin.unrealized_conversion_cast %{{.*}} to memref<1x2x16x4xf16>
// CHECK:         llvm.insertvalue %[[LOGITS]], %{{.*}}[1]
// CHECK:         llvm.insertvalue %[[NUM]], %{{.*}}[3, 1]
// CHECK:         %[[TARGET:.*]] = builtin.unrealized_conversion_cast %{{.*}} to memref<1x?x32xf32>
// CHECK-NEXT:    call @step(%[[T]], %[[P]], %[[N]], %[[K]], %[[V]], %[[TARGET]])
// CHECK-NEXT:    return
// CHECK-NOT:   @tern_run

// -----

// Logits that are one of two buffers, and those of other sizes, are copied.
func.func private @step(%t: memref<1x?xi64>, %past: index, %n: index, %k: memref<4xf32>) -> memref<1x?x32xf32> {
  %is = arith.cmpi eq, %n, %past : index
  %l = scf.if %is -> memref<1x?x32xf32> {
    %a = memref.alloc(%n) : memref<1x?x32xf32>
    scf.yield %a : memref<1x?x32xf32>
  } else {
    %b = memref.alloc(%past) : memref<1x?x32xf32>
    scf.yield %b : memref<1x?x32xf32>
  }
  return %l : memref<1x?x32xf32>
}
// CHECK-LABEL: func.func @tern_step_avx2(
// CHECK:         %[[TARGET:.*]] = builtin.unrealized_conversion_cast %{{.*}} to memref<1x?x32xf32>
// CHECK-NEXT:    %[[L:.*]] = call @step(%{{[^,]*}}, %{{[^,]*}}, %{{[^,]*}}, %{{[^,]*}})
// CHECK-NEXT:    memref.copy %[[L]], %[[TARGET]]
// CHECK-NEXT:    memref.dealloc %[[L]]

// -----

// CHECK-LABEL: func.func private @step(
// CHECK:         memref.alloc
func.func private @step(%t: memref<1x?xi64>, %past: index, %n: index, %k: memref<4xf32>) -> memref<1x?x32xf32> {
  %l = memref.alloc(%past) : memref<1x?x32xf32>
  return %l : memref<1x?x32xf32>
}
// CHECK-LABEL: func.func @tern_step_avx2(
// CHECK:         memref.copy

// -----

// A step with a screened head is told how many of the best logits are wanted.
func.func private @step(%t: memref<1x?xi64>, %past: index, %n: index, %best: index, %k: memref<4xf32>) -> memref<1x?x32xf32> {
  %l = memref.alloc(%n) : memref<1x?x32xf32>
  return %l : memref<1x?x32xf32>
}
// CHECK-LABEL: func.func @tern_step_avx2(
// CHECK-SAME:    %[[NUM:[^ ,]*]]: i64, %[[BEST:[^ ,]*]]: i64, %{{[^ ,]*}}: !llvm.ptr)
// CHECK-DAG:     %[[N:.*]] = arith.index_cast %[[NUM]]
// CHECK-DAG:     %[[B:.*]] = arith.index_cast %[[BEST]]
// CHECK:         llvm.getelementptr %{{.*}}[0]
// CHECK:         %[[K:.*]] = builtin.unrealized_conversion_cast %{{.*}} to memref<4xf32>
// CHECK:         call @step(%{{[^,]*}}, %{{[^,]*}}, %[[N]], %[[B]], %[[K]], %{{[^,]*}})

// -----

// expected-error @below {{'func.func' op has 'memref<4xf32, strided<[2]>>' in its signature; expected memrefs with the identity layout}}
func.func @main(%x: memref<4xf32, strided<[2]>>) {
  return
}

// -----

// expected-error @below {{'func.func' op has 'index' in its signature; expected memrefs with the identity layout}}
func.func @main(%x: index) {
  return
}

// -----

// expected-error @below {{'func.func' op returns 2 values; expected the logits alone, its caches being updated in place}}
func.func @step(%t: memref<1x?xi64>, %past: index, %n: index) -> (memref<1x?x8xf32>, memref<4xf32>) {
  %l = memref.alloc(%n) : memref<1x?x8xf32>
  %k = memref.alloc() : memref<4xf32>
  return %l, %k : memref<1x?x8xf32>, memref<4xf32>
}

// -----

// expected-error @below {{expected (tokens, index, index, perhaps another index, static caches...) to f32 logits}}
func.func @step(%t: memref<1x?xi64>, %past: index, %n: index) -> memref<1x?x8xf16> {
  %l = memref.alloc(%n) : memref<1x?x8xf16>
  return %l : memref<1x?x8xf16>
}

// -----

// expected-error @below {{expected (tokens, index, index, perhaps another index, static caches...) to f32 logits}}
func.func @step(%t: memref<1x?xi64>, %past: index, %n: index, %k: memref<?xf32>) -> memref<1x?x8xf32> {
  %l = memref.alloc(%n) : memref<1x?x8xf32>
  return %l : memref<1x?x8xf32>
}

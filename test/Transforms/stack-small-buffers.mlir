// RUN: tern-opt %s --allow-unregistered-dialect --pass-pipeline="builtin.module(func.func(tern-stack-small-buffers{bytes=1024 total=4096},canonicalize))" --split-input-file | FileCheck %s

// What is known to be small needs no malloc; the largest that fits does not
// either, a byte more does. A buffer that is returned, or freed elsewhere, stays.
// CHECK-LABEL: func.func @static(
// CHECK:         %[[A:.*]] = memref.alloca() {alignment = 64 : i64} : memref<256xf32>
// CHECK:         %[[B:.*]] = memref.alloc() : memref<1025xi8>
// CHECK:         %[[C:.*]] = memref.alloc() : memref<4xf32>
// CHECK:         %[[D:.*]] = memref.alloc() : memref<4xf32>
// CHECK:         "test.use"(%[[A]], %[[B]], %[[C]], %[[D]])
// CHECK-NOT:     memref.dealloc %[[A]]
// CHECK:         memref.dealloc %[[B]]
// CHECK:         scf.if
// CHECK-NEXT:      memref.dealloc %[[C]]
// CHECK:         return %[[D]]
func.func @static(%p: i1) -> memref<4xf32> {
  %a = memref.alloc() {alignment = 64 : i64} : memref<256xf32>
  %b = memref.alloc() : memref<1025xi8>
  %c = memref.alloc() : memref<4xf32>
  %d = memref.alloc() : memref<4xf32>
  "test.use"(%a, %b, %c, %d) : (memref<256xf32>, memref<1025xi8>, memref<4xf32>, memref<4xf32>) -> ()
  memref.dealloc %a : memref<256xf32>
  memref.dealloc %b : memref<1025xi8>
  scf.if %p {
    memref.dealloc %c : memref<4xf32>
  }
  return %d : memref<4xf32>
}

// -----

// Dynamic sizes decide. Neither product can overflow: 12 * 1025 * 1025 at most.
// CHECK-LABEL: func.func @dynamic(
// CHECK-SAME:    %[[M:.*]]: index, %[[N:.*]]: index
// CHECK:         %[[M1:.*]] = arith.minui %[[M]], %c1025
// CHECK:         %[[BYTES:.*]] = arith.muli %[[M1]], %c12
// CHECK:         %[[PART:.*]] = arith.minui %[[BYTES]], %c1025
// CHECK:         %[[N1:.*]] = arith.minui %[[N]], %c1025
// CHECK:         %[[ALL:.*]] = arith.muli %[[PART]], %[[N1]]
// CHECK:         %[[BOUNDED:.*]] = arith.minui %[[ALL]], %c1025
// CHECK:         %[[SMALL:.*]] = arith.cmpi ule, %[[BOUNDED]], %c1024
// CHECK:         %[[A:.*]] = scf.if %[[SMALL]] -> (memref<?x3x?xf32>) {
// CHECK-NEXT:      %[[S:.*]] = memref.alloca(%[[M]], %[[N]]) {alignment = 64 : i64}
// CHECK-NEXT:      scf.yield %[[S]]
// CHECK-NEXT:    } else {
// CHECK-NEXT:      %[[H:.*]] = memref.alloc(%[[M]], %[[N]]) {alignment = 64 : i64}
// CHECK-NEXT:      scf.yield %[[H]]
// CHECK:         "test.use"(%[[A]])
// CHECK:         %[[LARGE:.*]] = arith.cmpi ugt, %[[BOUNDED]], %c1024
// CHECK-NEXT:    scf.if %[[LARGE]] {
// CHECK-NEXT:      memref.dealloc %[[A]]
// CHECK-NEXT:    }
// CHECK-NEXT:    return
func.func @dynamic(%m: index, %n: index) {
  %a = memref.alloc(%m, %n) {alignment = 64 : i64} : memref<?x3x?xf32>
  "test.use"(%a) : (memref<?x3x?xf32>) -> ()
  memref.dealloc %a : memref<?x3x?xf32>
  return
}

// -----

// An iteration of a parallel loop restores the stack; the buffers of other loops
// would pile up.
// CHECK-LABEL: func.func @loops(
// CHECK:         scf.parallel
// CHECK-NEXT:      %[[TOP:.*]] = llvm.intr.stacksave : !llvm.ptr
// CHECK-NEXT:      memref.alloca() : memref<4xf32>
// CHECK:           scf.for
// CHECK:             memref.alloc() : memref<8xf32>
// CHECK:             memref.dealloc
// CHECK:           llvm.intr.stackrestore %[[TOP]] : !llvm.ptr
// CHECK-NEXT:      scf.reduce
// CHECK:         scf.parallel
// CHECK-NOT:       stacksave
// CHECK:           memref.alloc() : memref<2048xi8>
// CHECK:         return
func.func @loops(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    %a = memref.alloc() : memref<4xf32>
    scf.for %j = %c0 to %n step %c1 {
      %b = memref.alloc() : memref<8xf32>
      "test.use"(%a, %b) : (memref<4xf32>, memref<8xf32>) -> ()
      memref.dealloc %b : memref<8xf32>
    }
    memref.dealloc %a : memref<4xf32>
    scf.reduce
  }
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    %a = memref.alloc() : memref<2048xi8>
    "test.use"(%a) : (memref<2048xi8>) -> ()
    memref.dealloc %a : memref<2048xi8>
    scf.reduce
  }
  return
}

// -----

// Eight buffers share 4,096 bytes: 512 each.
// CHECK-LABEL: func.func @budget(
// CHECK-COUNT-7: memref.alloca() : memref<512xi8>
// CHECK:         memref.alloc() : memref<513xi8>
// CHECK:         return
func.func @budget() {
  %0 = memref.alloc() : memref<512xi8>
  %1 = memref.alloc() : memref<512xi8>
  %2 = memref.alloc() : memref<512xi8>
  %3 = memref.alloc() : memref<512xi8>
  %4 = memref.alloc() : memref<512xi8>
  %5 = memref.alloc() : memref<512xi8>
  %6 = memref.alloc() : memref<512xi8>
  %7 = memref.alloc() : memref<513xi8>
  "test.use"(%0, %1, %2, %3, %4, %5, %6, %7) : (memref<512xi8>, memref<512xi8>, memref<512xi8>, memref<512xi8>, memref<512xi8>, memref<512xi8>, memref<512xi8>, memref<513xi8>) -> ()
  memref.dealloc %0 : memref<512xi8>
  memref.dealloc %1 : memref<512xi8>
  memref.dealloc %2 : memref<512xi8>
  memref.dealloc %3 : memref<512xi8>
  memref.dealloc %4 : memref<512xi8>
  memref.dealloc %5 : memref<512xi8>
  memref.dealloc %6 : memref<512xi8>
  memref.dealloc %7 : memref<513xi8>
  return
}

// -----

// Between elements, and before the first, there may lie more: 1,024 bytes are 256
// of them, of which the last has the index 255.
// CHECK-LABEL: func.func @layout(
// CHECK:         memref.alloca() : memref<4xf32, strided<[85]>>
// CHECK:         memref.alloc() : memref<4xf32, strided<[86]>>
// CHECK:         memref.alloca() : memref<4xf32, strided<[84], offset: 3>>
// CHECK:         memref.alloc() : memref<4xf32, strided<[84], offset: 4>>
func.func @layout() {
  %0 = memref.alloc() : memref<4xf32, strided<[85]>>
  %1 = memref.alloc() : memref<4xf32, strided<[86]>>
  %2 = memref.alloc() : memref<4xf32, strided<[84], offset: 3>>
  %3 = memref.alloc() : memref<4xf32, strided<[84], offset: 4>>
  "test.use"(%0, %1, %2, %3) : (memref<4xf32, strided<[85]>>, memref<4xf32, strided<[86]>>, memref<4xf32, strided<[84], offset: 3>>, memref<4xf32, strided<[84], offset: 4>>) -> ()
  memref.dealloc %0 : memref<4xf32, strided<[85]>>
  memref.dealloc %1 : memref<4xf32, strided<[86]>>
  memref.dealloc %2 : memref<4xf32, strided<[84], offset: 3>>
  memref.dealloc %3 : memref<4xf32, strided<[84], offset: 4>>
  return
}

// -----

// No element takes less than a byte ...
// CHECK-LABEL: func.func @bits(
// CHECK:         memref.alloca() : memref<1024xi1>
// CHECK:         memref.alloc() : memref<1025xi4>
func.func @bits() {
  %0 = memref.alloc() : memref<1024xi1>
  %1 = memref.alloc() : memref<1025xi4>
  "test.use"(%0, %1) : (memref<1024xi1>, memref<1025xi4>) -> ()
  memref.dealloc %0 : memref<1024xi1>
  memref.dealloc %1 : memref<1025xi4>
  return
}

// -----

// ... and each as many as its alignment: 2, 4, 8.
// CHECK-LABEL: func.func @halves(
// CHECK:         memref.alloca() : memref<512xbf16>
// CHECK:         memref.alloc() : memref<513xf16>
// CHECK:         memref.alloca() : memref<256xi24>
// CHECK:         memref.alloc() : memref<257xi24>
func.func @halves() {
  %0 = memref.alloc() : memref<512xbf16>
  %1 = memref.alloc() : memref<513xf16>
  %2 = memref.alloc() : memref<256xi24>
  %3 = memref.alloc() : memref<257xi24>
  "test.use"(%0, %1, %2, %3) : (memref<512xbf16>, memref<513xf16>, memref<256xi24>, memref<257xi24>) -> ()
  memref.dealloc %0 : memref<512xbf16>
  memref.dealloc %1 : memref<513xf16>
  memref.dealloc %2 : memref<256xi24>
  memref.dealloc %3 : memref<257xi24>
  return
}

// -----

// CHECK-LABEL: func.func @indices(
// CHECK:         memref.alloca() : memref<128xindex>
// CHECK:         memref.alloc() : memref<129xindex>
func.func @indices() {
  %0 = memref.alloc() : memref<128xindex>
  %1 = memref.alloc() : memref<129xindex>
  "test.use"(%0, %1) : (memref<128xindex>, memref<129xindex>) -> ()
  memref.dealloc %0 : memref<128xindex>
  memref.dealloc %1 : memref<129xindex>
  return
}

// -----

// So does a vector; one of two dimensions is an array of vectors.
// CHECK-LABEL: func.func @vectors(
// CHECK:         memref.alloca() : memref<64xvector<3xf32>>
// CHECK:         memref.alloc() : memref<65xvector<3xf32>>
// CHECK:         memref.alloca() : memref<512xvector<2x3xi1>>
// CHECK:         memref.alloc() : memref<513xvector<2x3xi1>>
func.func @vectors() {
  %0 = memref.alloc() : memref<64xvector<3xf32>>
  %1 = memref.alloc() : memref<65xvector<3xf32>>
  %2 = memref.alloc() : memref<512xvector<2x3xi1>>
  %3 = memref.alloc() : memref<513xvector<2x3xi1>>
  "test.use"(%0, %1, %2, %3) : (memref<64xvector<3xf32>>, memref<65xvector<3xf32>>, memref<512xvector<2x3xi1>>, memref<513xvector<2x3xi1>>) -> ()
  memref.dealloc %0 : memref<64xvector<3xf32>>
  memref.dealloc %1 : memref<65xvector<3xf32>>
  memref.dealloc %2 : memref<512xvector<2x3xi1>>
  memref.dealloc %3 : memref<513xvector<2x3xi1>>
  return
}

// -----

// What a type does not tell stays, and what does not fit 64 bits.
// CHECK-LABEL: func.func @unknown(
// CHECK:         memref.alloc() : memref<4xmemref<4xf32>>
// CHECK:         memref.alloc(%{{.*}}) : memref<?x4xf32, strided<[64, 1]>>
// CHECK:         memref.alloc() : memref<4611686018427387904x4xf32>
// CHECK:         memref.alloc() : memref<3x4xf32, strided<[4611686018427387904, 1]>>
func.func @unknown(%n: index) {
  %0 = memref.alloc() : memref<4xmemref<4xf32>>
  %1 = memref.alloc(%n) : memref<?x4xf32, strided<[64, 1]>>
  %2 = memref.alloc() : memref<4611686018427387904x4xf32>
  %3 = memref.alloc() : memref<3x4xf32, strided<[4611686018427387904, 1]>>
  "test.use"(%0, %1, %2, %3) : (memref<4xmemref<4xf32>>, memref<?x4xf32, strided<[64, 1]>>, memref<4611686018427387904x4xf32>, memref<3x4xf32, strided<[4611686018427387904, 1]>>) -> ()
  memref.dealloc %0 : memref<4xmemref<4xf32>>
  memref.dealloc %1 : memref<?x4xf32, strided<[64, 1]>>
  memref.dealloc %2 : memref<4611686018427387904x4xf32>
  memref.dealloc %3 : memref<3x4xf32, strided<[4611686018427387904, 1]>>
  return
}

// RUN: tern-opt %s --allow-unregistered-dialect --tern-hoist-results --split-input-file | FileCheck %s

// Sizes come from an argument, from an argument's dimension, and from both; what
// is no result stays, and so do results that no caller could allocate.
// CHECK-LABEL: func.func private @sizes(
// CHECK-SAME:    %[[N:.*]]: index, %[[X:.*]]: memref<?x4xf32>, %[[R0:.*]]: memref<?x4xf32>, %[[R1:.*]]: memref<?x?xi8>, %[[R2:.*]]: memref<3xi32>) -> memref<?xf32> {
// CHECK:         %[[LOCAL:.*]] = memref.alloc(%[[N]]) : memref<?xf32>
// CHECK:         memref.copy %[[X]], %[[R0]]
// CHECK:         "test.use"(%[[LOCAL]], %[[R1]], %[[R2]])
// CHECK:         return %{{.*}} : memref<?xf32>
func.func private @sizes(%n: index, %x: memref<?x4xf32>) -> (memref<?x4xf32>, memref<?xf32>, memref<?x?xi8>, memref<3xi32>) {
  %c0 = arith.constant 0 : index
  %rows = memref.dim %x, %c0 : memref<?x4xf32>
  %both = arith.addi %rows, %n : index
  %local = memref.alloc(%n) : memref<?xf32>
  %r0 = memref.alloc(%rows) {alignment = 64 : i64} : memref<?x4xf32>
  memref.copy %x, %r0 : memref<?x4xf32> to memref<?x4xf32>
  %f = memref.load %x[%c0, %c0] : memref<?x4xf32>
  %i = arith.fptosi %f : f32 to i64
  %loaded = arith.index_cast %i : i64 to index
  %unknown = memref.alloc(%loaded) : memref<?xf32>
  %r1 = memref.alloc(%both, %n) : memref<?x?xi8>
  %r2 = memref.alloc() : memref<3xi32>
  "test.use"(%local, %r1, %r2) : (memref<?xf32>, memref<?x?xi8>, memref<3xi32>) -> ()
  return %r0, %unknown, %r1, %r2 : memref<?x4xf32>, memref<?xf32>, memref<?x?xi8>, memref<3xi32>
}

// CHECK-LABEL: func.func @caller(
// CHECK-SAME:    %[[M:.*]]: index, %[[Y:.*]]: memref<?x4xf32>)
// CHECK:         %[[ROWS:.*]] = memref.dim %[[Y]], %{{.*}}
// CHECK:         %[[R0:.*]] = memref.alloc(%[[ROWS]]) {alignment = 64 : i64} : memref<?x4xf32>
// CHECK:         %[[BOTH:.*]] = arith.addi %[[ROWS]], %[[M]]
// CHECK:         %[[R1:.*]] = memref.alloc(%[[BOTH]], %[[M]]) : memref<?x?xi8>
// CHECK:         %[[R2:.*]] = memref.alloc() : memref<3xi32>
// CHECK:         %[[R:.*]] = call @sizes(%[[M]], %[[Y]], %[[R0]], %[[R1]], %[[R2]]) {note}
// CHECK:         "test.use"(%[[R0]], %[[R]], %[[R1]], %[[R2]])
func.func @caller(%m: index, %y: memref<?x4xf32>) {
  %r:4 = call @sizes(%m, %y) {note} : (index, memref<?x4xf32>) -> (memref<?x4xf32>, memref<?xf32>, memref<?x?xi8>, memref<3xi32>)
  "test.use"(%r#0, %r#1, %r#2, %r#3) : (memref<?x4xf32>, memref<?xf32>, memref<?x?xi8>, memref<3xi32>) -> ()
  return
}

// -----

// A result that leaves twice, one that is an argument, and one that is freed by
// whoever calls from elsewhere.
// CHECK-LABEL: func.func private @twice() -> (memref<4xf32>, memref<4xf32>)
func.func private @twice() -> (memref<4xf32>, memref<4xf32>) {
  %r = memref.alloc() : memref<4xf32>
  return %r, %r : memref<4xf32>, memref<4xf32>
}

// CHECK-LABEL: func.func private @passed(%{{.*}}: memref<4xf32>) -> memref<4xf32>
func.func private @passed(%x: memref<4xf32>) -> memref<4xf32> {
  return %x : memref<4xf32>
}

// CHECK-LABEL: func.func @public() -> memref<4xf32>
func.func @public() -> memref<4xf32> {
  %r = memref.alloc() : memref<4xf32>
  return %r : memref<4xf32>
}

// CHECK-LABEL: func.func private @address() -> memref<4xf32>
func.func private @address() -> memref<4xf32> {
  %r = memref.alloc() : memref<4xf32>
  return %r : memref<4xf32>
}

// The model's step, say, which nothing calls yet.
// CHECK-LABEL: func.func private @uncalled() -> memref<4xf32>
func.func private @uncalled() -> memref<4xf32> {
  %r = memref.alloc() : memref<4xf32>
  return %r : memref<4xf32>
}

// CHECK-LABEL: func.func private @external() -> memref<4xf32>
func.func private @external() -> memref<4xf32>

func.func @callers(%x: memref<4xf32>) {
  %0:2 = call @twice() : () -> (memref<4xf32>, memref<4xf32>)
  %1 = call @passed(%x) : (memref<4xf32>) -> memref<4xf32>
  %2 = call @public() : () -> memref<4xf32>
  %3 = call @address() : () -> memref<4xf32>
  %4 = func.constant @address : () -> memref<4xf32>
  %5 = call @external() : () -> memref<4xf32>
  "test.use"(%0#0, %0#1, %1, %2, %3, %4, %5) : (memref<4xf32>, memref<4xf32>, memref<4xf32>, memref<4xf32>, memref<4xf32>, () -> memref<4xf32>, memref<4xf32>) -> ()
  return
}

// -----

// A function that passes on what it is given back allocates it in its turn.
// CHECK-LABEL: func.func private @outer(
// CHECK-SAME:    %[[N:.*]]: index, %[[R:.*]]: memref<?xf32>)
// CHECK-NOT:     memref.alloc
// CHECK:         call @inner(%[[N]], %[[R]]) {no_inline}
// CHECK-LABEL: func.func private @inner(%{{.*}}: index, %{{.*}}: memref<?xf32>)
// CHECK-LABEL: func.func @top(
// CHECK-SAME:    %[[N:.*]]: index)
// CHECK:         %[[R:.*]] = memref.alloc(%[[N]])
// CHECK:         call @outer(%[[N]], %[[R]])
func.func private @outer(%n: index) -> memref<?xf32> {
  %r = call @inner(%n) {no_inline} : (index) -> memref<?xf32>
  return %r : memref<?xf32>
}

func.func private @inner(%n: index) -> memref<?xf32> {
  %r = memref.alloc(%n) : memref<?xf32>
  return %r : memref<?xf32>
}

func.func @top(%n: index) {
  %r = call @outer(%n) : (index) -> memref<?xf32>
  "test.use"(%r) : (memref<?xf32>) -> ()
  return
}

// -----

// Either result may be the other's buffer.
// CHECK-LABEL: func.func private @aliases(%{{.*}}: i1, %{{.*}}: memref<4xf32>) -> (memref<4xf32>, memref<4xf32>)
func.func private @aliases(%c: i1, %z: memref<4xf32>) -> (memref<4xf32>, memref<4xf32>) {
  %a = memref.alloc() : memref<4xf32>
  %b = arith.select %c, %a, %z : memref<4xf32>
  return %a, %b : memref<4xf32>, memref<4xf32>
}

// CHECK-LABEL: func.func private @blocks(%{{.*}}: i1) -> memref<4xf32>
func.func private @blocks(%c: i1) -> memref<4xf32> {
  %a = memref.alloc() : memref<4xf32>
  cf.cond_br %c, ^bb1, ^bb2
^bb1:
  return %a : memref<4xf32>
^bb2:
  return %a : memref<4xf32>
}

// CHECK-LABEL: func.func private @endless(%{{.*}}: i1)
func.func private @endless(%c: i1) -> memref<4xf32> {
  llvm.unreachable
}

// CHECK-LABEL: func.func private @annotated() -> memref<4xf32>
func.func private @annotated() -> memref<4xf32> {
  %a = memref.alloc() : memref<4xf32>
  return %a : memref<4xf32>
}

// A function may call itself, and calls may be within loops.
// CHECK-LABEL: func.func private @recursive(
// CHECK-SAME:    %{{.*}}: i1, %[[R:.*]]: memref<4xf32>)
// CHECK:         scf.if
// CHECK:           %[[INNER:.*]] = memref.alloc() : memref<4xf32>
// CHECK:           func.call @recursive(%{{.*}}, %[[INNER]])
// CHECK:           "test.use"(%[[INNER]], %[[R]])
func.func private @recursive(%c: i1) -> memref<4xf32> {
  %a = memref.alloc() : memref<4xf32>
  scf.if %c {
    %no = arith.constant false
    %b = func.call @recursive(%no) : (i1) -> memref<4xf32>
    "test.use"(%b, %a) : (memref<4xf32>, memref<4xf32>) -> ()
  }
  return %a : memref<4xf32>
}

func.func @callers(%c: i1, %z: memref<4xf32>) {
  %0:2 = call @aliases(%c, %z) : (i1, memref<4xf32>) -> (memref<4xf32>, memref<4xf32>)
  %1 = call @blocks(%c) : (i1) -> memref<4xf32>
  %2 = call @endless(%c) : (i1) -> memref<4xf32>
  %3 = call @annotated() {res_attrs = [{test.note}]} : () -> memref<4xf32>
  "test.use"(%0#0, %0#1, %1, %2, %3) : (memref<4xf32>, memref<4xf32>, memref<4xf32>, memref<4xf32>, memref<4xf32>) -> ()
  return
}

// -----

// What a function asserts of its arguments before it allocates, its callers
// assert before they do, in that order. What it asserts of what it has read or
// after the allocation, it asserts itself.
// CHECK-LABEL: func.func private @asserting(
// CHECK-SAME:    %{{.*}}: memref<?xf32>, %{{.*}}: memref<?xf32>, %[[R:.*]]: memref<?xf32>)
// CHECK-NOT:     assert
// CHECK:         %[[F:.*]] = memref.load
// CHECK:         %[[POSITIVE:.*]] = arith.cmpf ogt, %[[F]]
// CHECK-NEXT:    cf.assert %[[POSITIVE]], "read"
// CHECK-NOT:     assert
// CHECK:         "test.use"(%[[R]])
// CHECK:         cf.assert %{{.*}}, "behind"
// CHECK-NEXT:    return
func.func private @asserting(%x: memref<?xf32>, %y: memref<?xf32>) -> memref<?xf32> {
  %c0 = arith.constant 0 : index
  %n = memref.dim %x, %c0 : memref<?xf32>
  %m = memref.dim %y, %c0 : memref<?xf32>
  %agree = arith.cmpi eq, %n, %m : index
  cf.assert %agree, "sizes disagree"
  %f = memref.load %x[%c0] : memref<?xf32>
  %zero = arith.constant 0.0 : f32
  %positive = arith.cmpf ogt, %f, %zero : f32
  cf.assert %positive, "read"
  %few = arith.cmpi ult, %n, %m : index
  ternary.assert %few, ["found ", ""], %n
  %r = memref.alloc(%n) : memref<?xf32>
  "test.use"(%r) : (memref<?xf32>) -> ()
  %none = arith.cmpi eq, %n, %c0 : index
  cf.assert %none, "behind"
  return %r : memref<?xf32>
}

// CHECK-LABEL: func.func @asserted(
// CHECK-SAME:    %[[A:.*]]: memref<?xf32>, %[[B:.*]]: memref<?xf32>)
// CHECK:         %[[N:.*]] = memref.dim %[[A]]
// CHECK:         %[[M:.*]] = memref.dim %[[B]]
// CHECK:         %[[AGREE:.*]] = arith.cmpi eq, %[[N]], %[[M]]
// CHECK:         cf.assert %[[AGREE]], "sizes disagree"
// CHECK:         %[[FEW:.*]] = arith.cmpi ult, %[[N]], %[[M]]
// CHECK:         ternary.assert %[[FEW]], ["found ", ""], %[[N]]
// CHECK-NOT:     assert
// CHECK:         %[[R:.*]] = memref.alloc(%[[N]]) : memref<?xf32>
// CHECK:         call @asserting(%[[A]], %[[B]], %[[R]])
func.func @asserted(%a: memref<?xf32>, %b: memref<?xf32>) {
  %r = call @asserting(%a, %b) : (memref<?xf32>, memref<?xf32>) -> memref<?xf32>
  "test.use"(%r) : (memref<?xf32>) -> ()
  return
}

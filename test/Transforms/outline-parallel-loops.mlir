// RUN: tern-opt %s --tern-outline-parallel-loops=min-work=16384 --split-input-file --verify-diagnostics | FileCheck %s
// RUN: tern-opt %s --tern-outline-parallel-loops=min-work=16384 --mlir-elide-elementsattrs-if-larger=1 --split-input-file --verify-diagnostics | FileCheck %s --check-prefix=ELIDED

// A one-dimensional loop with little work an iteration is cut into chunks of 64,
// the last of which may be shorter.
// CHECK-LABEL: func.func private @chunks_parallel_0(
// CHECK-SAME:    %[[CTX:.*]]: !llvm.ptr, %[[B64:.*]]: i64, %[[E64:.*]]: i64)
// CHECK-SAME:    llvm.linkage = #llvm.linkage<internal>
// CHECK-SAME:    passthrough = ["noinline"]
// The context: the pointer of %x, its dynamic size, then %n and %v, in the order
// of their use.
// CHECK:         %[[A0:.*]] = llvm.getelementptr %[[CTX]][0, 0] : (!llvm.ptr) -> !llvm.ptr, !llvm.struct<(f32, ptr, i64, i64)>
// CHECK-NEXT:    %[[V:.*]] = llvm.load %[[A0]] : !llvm.ptr -> f32
// CHECK-NEXT:    llvm.getelementptr %[[CTX]][0, 1]
// CHECK-NEXT:    %[[DATA:.*]] = llvm.load
// CHECK-NEXT:    llvm.getelementptr %[[CTX]][0, 2]
// CHECK-NEXT:    %[[SIZE:.*]] = llvm.load
// CHECK:         llvm.insertvalue %[[DATA]], %{{.*}}[0]
// CHECK:         llvm.insertvalue %[[DATA]], %{{.*}}[1]
// CHECK:         llvm.insertvalue %[[SIZE]], %{{.*}}[3, 0]
// CHECK:         %[[X:.*]] = builtin.unrealized_conversion_cast %{{.*}} to memref<?xf32>
// CHECK:         llvm.getelementptr %[[CTX]][0, 3]
// CHECK-NEXT:    %[[N64:.*]] = llvm.load
// CHECK:         %[[N:.*]] = builtin.unrealized_conversion_cast %[[N64]] : i64 to index
// CHECK:         %[[B:.*]] = arith.index_cast %[[B64]]
// CHECK:         %[[E:.*]] = arith.index_cast %[[E64]]
// CHECK:         scf.for %[[T:.*]] = %[[B]] to %[[E]] step
// CHECK:           %[[POSITION:.*]] = arith.remui %[[T]], %{{.*}}
// CHECK:           %[[FIRST:.*]] = arith.muli %[[POSITION]], %[[C64:.*]] :
// CHECK:           %[[PAST:.*]] = arith.addi %[[FIRST]], %[[C64]]
// CHECK:           %[[LAST:.*]] = arith.minsi %[[PAST]], %[[COUNT:.*]] :
// CHECK:           scf.for %[[I:.*]] = %[[FIRST]] to %[[LAST]] step
// CHECK:             memref.store %[[V]], %[[X]][%{{.*}}]

// CHECK-LABEL: func.func @chunks(
// CHECK-SAME:    %[[HOST:.*]]: !llvm.ptr, %[[ARG:.*]]: memref<?xf32>
// CHECK-SAME:    attributes {llvm.linkage = #llvm.linkage<internal>}
// CHECK:         %[[FRAME:.*]] = llvm.alloca %{{.*}} x !llvm.struct<(f32, ptr, i64, i64)>
// 16384 operations are worth handing out: the store and the end of the body make
// 2 an iteration and 128 a chunk, so from 128 chunks on.
// CHECK:         %[[PARALLEL:.*]] = arith.cmpi sge, %[[CHUNKS:.*]], %c128
// CHECK:         %[[CHUNKS64:.*]] = arith.index_cast %[[CHUNKS]]
// CHECK:         scf.if %[[PARALLEL]] {
// CHECK-NEXT:      %[[SELF:.*]] = llvm.load %[[HOST]] : !llvm.ptr -> !llvm.ptr
// CHECK-NEXT:      %[[SLOT:.*]] = llvm.getelementptr %[[HOST]][1] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
// CHECK-NEXT:      %[[FOR:.*]] = llvm.load %[[SLOT]]
// CHECK-NEXT:      %[[BODY:.*]] = {{.*}}constant @chunks_parallel_0
// CHECK-NEXT:      %[[ADDRESS:.*]] = builtin.unrealized_conversion_cast %[[BODY]]
// CHECK-NEXT:      llvm.call %[[FOR]](%[[SELF]], %[[CHUNKS64]], %[[ADDRESS]], %[[FRAME]])
// CHECK-NEXT:    } else {
// CHECK-NEXT:      %[[ZERO:.*]] = arith.constant 0 : i64
// CHECK-NEXT:      call @chunks_parallel_0(%[[FRAME]], %[[ZERO]], %[[CHUNKS64]])
// CHECK-NOT:     scf.parallel
func.func @chunks(%x: memref<?xf32>, %v: f32, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    memref.store %v, %x[%i] : memref<?xf32>
  }
  return
}

// -----

// Two dimensions are flattened, the inner one in chunks: 130 columns make 3, and
// the iteration is row * 3 + chunk.
// CHECK-LABEL: func.func private @flattened_parallel_0(
// CHECK:         scf.for %[[T:.*]] =
// CHECK:           %[[CHUNK:.*]] = arith.remui %[[T]], %[[C3:.*]] : index
// CHECK:           %[[ROW0:.*]] = arith.divui %[[T]], %[[C3]] : index
// CHECK:           %[[FIRST:.*]] = arith.muli %[[CHUNK]]
// CHECK:           %[[ROW:.*]] = arith.remui %[[ROW0]], %[[C5:.*]] : index
// CHECK:           scf.for %[[COLUMN:.*]] = %[[FIRST]] to
// CHECK:             memref.store %{{.*}}, %{{.*}}[%[[ROW]], %[[COLUMN]]]
// 5 rows of 3 chunks are too few, which later folds.
// CHECK-LABEL: func.func @flattened(
// CHECK:         arith.cmpi sge, %c15, %c128
func.func @flattened(%x: memref<5x130xf32>, %v: f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c5 = arith.constant 5 : index
  %c130 = arith.constant 130 : index
  scf.parallel (%i, %j) = (%c0, %c0) to (%c5, %c130) step (%c1, %c1) {
    memref.store %v, %x[%i, %j] : memref<5x130xf32>
  }
  return
}

// -----

// Lower bounds and steps: index = lower + t * step. A loop that runs backwards
// runs never.
// CHECK-LABEL: func.func private @steps_parallel_0(
// CHECK:         %[[SPAN:.*]] = arith.subi %[[U:.*]], %[[L:.*]] : index
// CHECK:         %[[TRIPS:.*]] = arith.ceildivsi %[[SPAN]], %[[S:.*]] : index
// CHECK:         arith.maxsi %[[TRIPS]], %{{.*}}
// CHECK:         scf.for
// CHECK:           scf.for %[[T:.*]] =
// CHECK:             %[[SCALED:.*]] = arith.muli %[[T]], %[[S]]
// CHECK:             %[[I:.*]] = arith.addi %[[SCALED]], %[[L]]
// CHECK:             memref.store %{{.*}}, %{{.*}}[%[[I]]]
func.func @steps(%x: memref<?xf32>, %v: f32, %l: index, %u: index, %s: index) {
  scf.parallel (%i) = (%l) to (%u) step (%s) {
    memref.store %v, %x[%i] : memref<?xf32>
  }
  return
}

// -----

// Enough work in one iteration: it is not cut, and handed out from 2 on. The
// loop inside stays with its thread.
// CHECK-LABEL: func.func private @heavy_parallel_0(
// CHECK:         scf.parallel
// CHECK-LABEL: func.func @heavy(
// CHECK:         arith.cmpi sge, %{{.*}}, %c2
func.func @heavy(%x: memref<?x16384xf32>, %v: f32, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16384 = arith.constant 16384 : index
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    scf.parallel (%j) = (%c0) to (%c16384) step (%c1) {
      memref.store %v, %x[%i, %j] : memref<?x16384xf32>
    }
  }
  return
}

// -----

// Equal bodies are one function, whatever their locations and callers; another
// constant makes another body, also where printing would hide it.
// CHECK-LABEL: func.func private @one_parallel_0(
// CHECK-NOT:   func.func private
// CHECK-LABEL: func.func @one(
// CHECK-COUNT-2: call @one_parallel_0(
// CHECK-LABEL: func.func private @two_parallel_1(
// CHECK-LABEL: func.func @two(
// CHECK:         call @two_parallel_1(
// CHECK:         call @one_parallel_0(
// ELIDED-LABEL: func.func @two(
// ELIDED:         call @two_parallel_1(
// ELIDED:         call @one_parallel_0(
func.func @one(%x: memref<?xvector<2xf32>>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    %v = arith.constant dense<[1.0, 2.0]> : vector<2xf32>
    memref.store %v, %x[%i] : memref<?xvector<2xf32>>
  }
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    %v = arith.constant dense<[1.0, 2.0]> : vector<2xf32>
    memref.store %v, %x[%i] : memref<?xvector<2xf32>>
  }
  return
}
func.func @two(%x: memref<?xvector<2xf32>>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    %v = arith.constant dense<[1.0, 3.0]> : vector<2xf32>
    memref.store %v, %x[%i] : memref<?xvector<2xf32>>
  }
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    %v = arith.constant dense<[1.0, 2.0]> : vector<2xf32>
    memref.store %v, %x[%i] : memref<?xvector<2xf32>>
  }
  return
}

// -----

// Where there is a step, it comes first and the graph is held small.
// CHECK-DAG:   func.func private @step_parallel_0({{.*}}passthrough = ["noinline"], tern.kernel
// CHECK-DAG:   func.func private @main_parallel_1({{.*}}passthrough = ["noinline", "minsize", "optsize"], tern.kernel
// CHECK-DAG:   func.func private @main({{.*}}passthrough = ["minsize", "optsize"]}
// CHECK-DAG:   func.func private @step({{.*}}attributes {llvm.linkage = #llvm.linkage<internal>} {
func.func private @main(%x: memref<?xf64>, %v: f64, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    memref.store %v, %x[%i] : memref<?xf64>
  }
  return
}
func.func private @step(%x: memref<?xf32>, %v: f32, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    memref.store %v, %x[%i] : memref<?xf32>
  }
  return
}

// -----

// The host goes from the entry, which has it, to every callee. A failed
// assertion ends in a call of its third field with its first and the message,
// which equal messages share. Outside, only the entry is seen.
// CHECK-DAG:     llvm.mlir.global private constant @[[NEGATIVE:tern_message_[0-9]+]]("negative\00")
// CHECK-DAG:     llvm.mlir.global private constant @[[ODD:tern_message_[0-9]+]]("odd\00")
// CHECK-NOT:     llvm.mlir.global
// CHECK-LABEL: func.func @entry(
// CHECK-SAME:    %[[HOST:.*]]: !llvm.ptr, %{{.*}}: i1) attributes {tern.entry}
// CHECK:         call @inner(%[[HOST]], %{{.*}})
// CHECK-LABEL: func.func @inner(
// CHECK-SAME:    %[[HOST:.*]]: !llvm.ptr, %[[OK:.*]]: i1)
// CHECK-SAME:    llvm.linkage = #llvm.linkage<internal>
// CHECK-NOT:     cf.assert
// CHECK:         scf.if %[[OK]] {
// CHECK-NEXT:    } else {
// CHECK-NEXT:      %[[TEXT:.*]] = llvm.mlir.addressof @[[NEGATIVE]]
// CHECK-NEXT:      llvm.call @tern_fail(%[[HOST]], %[[TEXT]])
// CHECK:         llvm.mlir.addressof @[[ODD]]
// CHECK:         llvm.mlir.addressof @[[NEGATIVE]]
// CHECK:         call @external(%[[OK]])
// CHECK:         llvm.func internal @tern_fail(
// CHECK-SAME:    %[[HOST:.*]]: !llvm.ptr, %[[TEXT:.*]]: !llvm.ptr) attributes {passthrough = ["cold", "noreturn"]}
// CHECK-NEXT:      %[[SELF:.*]] = llvm.load %[[HOST]]
// CHECK-NEXT:      %[[SLOT:.*]] = llvm.getelementptr %[[HOST]][2] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
// CHECK-NEXT:      %[[FAIL:.*]] = llvm.load %[[SLOT]]
// CHECK-NEXT:      llvm.call %[[FAIL]](%[[SELF]], %[[TEXT]])
// CHECK-NEXT:      llvm.unreachable
func.func @entry(%host: !llvm.ptr, %ok: i1) attributes {tern.entry} {
  call @inner(%ok) : (i1) -> ()
  return
}
func.func @inner(%ok: i1) {
  cf.assert %ok, "negative"
  cf.assert %ok, "odd"
  cf.assert %ok, "negative"
  call @external(%ok) : (i1) -> ()
  return
}
func.func private @external(i1)

// -----

// A message with values is text that snprintf makes, of 512 bytes with its end;
// what snprintf would read as its own is escaped.
// CHECK-DAG:     llvm.func @snprintf(!llvm.ptr, i64, !llvm.ptr, ...) -> i32
// CHECK-DAG:     llvm.mlir.global private constant @[[ROWS:tern_message_[0-9]+]]("100 %% of %lld rows and %lld\00")
// CHECK-DAG:     llvm.mlir.global private constant @[[NONE:tern_message_[0-9]+]]("none\00")
// CHECK-LABEL: func.func @stating(
// CHECK-SAME:    %[[HOST:.*]]: !llvm.ptr, %[[OK:.*]]: i1, %[[M:.*]]: index, %[[N:.*]]: index)
// CHECK:         scf.if %[[OK]] {
// CHECK-NEXT:    } else {
// CHECK-NEXT:      %[[TEXT:.*]] = llvm.mlir.addressof @[[ROWS]]
// CHECK-NEXT:      %[[FIRST:.*]] = arith.index_cast %[[M]] : index to i64
// CHECK-NEXT:      %[[SECOND:.*]] = arith.index_cast %[[N]] : index to i64
// CHECK-NEXT:      llvm.call @tern_fail_2(%[[HOST]], %[[TEXT]], %[[FIRST]], %[[SECOND]])
// CHECK:           %[[TEXT:.*]] = llvm.mlir.addressof @[[NONE]]
// CHECK-NEXT:      llvm.call @tern_fail(%[[HOST]], %[[TEXT]])
// CHECK:         llvm.func internal @tern_fail_2(
// CHECK-SAME:    %[[HOST:.*]]: !llvm.ptr, %[[FORMAT:.*]]: !llvm.ptr, %[[FIRST:.*]]: i64, %[[SECOND:.*]]: i64)
// CHECK-SAME:    attributes {passthrough = ["cold", "noreturn"]}
// CHECK-NEXT:      %[[SIZE:.*]] = llvm.mlir.constant(512 : i64)
// CHECK-NEXT:      %[[TEXT:.*]] = llvm.alloca %[[SIZE]] x i8
// CHECK-NEXT:      llvm.call @snprintf(%[[TEXT]], %[[SIZE]], %[[FORMAT]], %[[FIRST]], %[[SECOND]])
// CHECK-NEXT:      llvm.call @tern_fail(%[[HOST]], %[[TEXT]])
// CHECK-NEXT:      llvm.unreachable
func.func @stating(%ok: i1, %m: index, %n: index) {
  ternary.assert %ok, ["100 % of ", " rows and ", ""], %m, %n
  ternary.assert %ok, ["none"]
  return
}

// -----

func.func @reduction(%x: memref<?xf32>, %n: index, %zero: f32) -> f32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-error @below {{'scf.parallel' op has 1 results; expected none, a range of iterations having no way to combine them}}
  %sum = scf.parallel (%i) = (%c0) to (%n) step (%c1) init (%zero) -> f32 {
    %v = memref.load %x[%i] : memref<?xf32>
    scf.reduce(%v : f32) {
    ^bb0(%a: f32, %b: f32):
      %s = arith.addf %a, %b : f32
      scf.reduce.return %s : f32
    }
  }
  return %sum : f32
}

// -----

func.func @tensors(%x: tensor<?xf32>, %y: memref<?xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-error @below {{'scf.parallel' op uses a value of type 'tensor<?xf32>'; expected types of the LLVM dialect and memrefs}}
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    %v = tensor.extract %x[%i] : tensor<?xf32>
    memref.store %v, %y[%i] : memref<?xf32>
  }
  return
}

// -----

// The call that reports a failure is one operation: seven an iteration, in chunks
// of 64.
// CHECK-LABEL: func.func @asserted(
// CHECK:         arith.cmpi sge, %{{.*}}, %c37
func.func @asserted(%x: memref<?xf32>, %v: f32, %ok: i1, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.parallel (%i, %j) = (%c0, %c0) to (%n, %n) step (%c1, %c1) {
    cf.assert %ok, "wrong"
    memref.store %v, %x[%j] : memref<?xf32>
  }
  return
}

// -----

// A copy costs one for 16 bytes, and one: of 255 bytes 16, of 4096 floats 1025. With
// the loop's end, that is 65 and 1026 an iteration, of 16384.
// CHECK-LABEL: func.func @copies(
// CHECK:         arith.cmpi sge, %{{.*}}, %c253
// CHECK:         arith.cmpi sge, %{{.*}}, %c16
func.func @copies(%n: index, %a: memref<255xi8>, %b: memref<255xi8>, %c: memref<4096xf32>, %d: memref<4096xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    memref.copy %a, %b : memref<255xi8> to memref<255xi8>
    memref.copy %a, %b : memref<255xi8> to memref<255xi8>
    memref.copy %a, %b : memref<255xi8> to memref<255xi8>
    memref.copy %a, %b : memref<255xi8> to memref<255xi8>
    scf.reduce
  }
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    memref.copy %c, %d : memref<4096xf32> to memref<4096xf32>
    scf.reduce
  }
  return
}

// -----

// The host learns where 1536 bytes are that are read in four streams: its eighth
// field, called with its first. Sizes that only a run tells are asked for.
// CHECK-LABEL: func.func @announce(
// CHECK-SAME:    %[[HOST:[a-z0-9]+]]: !llvm.ptr, %[[WEIGHTS:[a-z0-9]+]]: memref<1536xi8>, %[[ANY:[a-z0-9]+]]: memref<?xi8>
// CHECK-NOT:     ternary.announce
// CHECK:         %[[SELF:.*]] = llvm.load %[[HOST]] : !llvm.ptr -> !llvm.ptr
// CHECK-NEXT:    %[[SLOT:.*]] = llvm.getelementptr %[[HOST]][7] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
// CHECK-NEXT:    %[[ANNOUNCE:.*]] = llvm.load %[[SLOT]] : !llvm.ptr -> !llvm.ptr
// CHECK:         %[[SIZE:.*]] = arith.constant 1536 : index
// CHECK:         memref.extract_aligned_pointer_as_index %[[WEIGHTS]]
// CHECK:         %[[ADDRESS:.*]] = llvm.inttoptr
// CHECK-DAG:     %[[BYTES:.*]] = arith.index_cast %[[SIZE]] : index to i64
// CHECK-DAG:     %[[STREAMS:.*]] = llvm.mlir.constant(4 : i64) : i64
// CHECK:         llvm.call %[[ANNOUNCE]](%[[SELF]], %[[ADDRESS]], %[[BYTES]], %[[STREAMS]]) : !llvm.ptr, (!llvm.ptr, !llvm.ptr, i64, i64) -> ()
// CHECK:         %[[LEFT:.*]] = memref.dim %[[ANY]]
// CHECK:         %[[BYTES:.*]] = arith.index_cast %[[LEFT]] : index to i64
// CHECK:         llvm.call %{{.*}}(%{{.*}}, %{{.*}}, %[[BYTES]], %{{.*}})
func.func @announce(%weights: memref<1536xi8>, %any: memref<?xi8>) {
  ternary.announce %weights in 4 streams : memref<1536xi8>
  ternary.announce %any in 2 streams : memref<?xi8>
  return
}

// -----

// The host copies row 7 of 60 elements of two bytes: its fourth field, called
// with its first, the two addresses, and 120 bytes. In a loop, too.
// CHECK-LABEL: func.func @fetch(
// CHECK-SAME:    %[[HOST:[a-z0-9]+]]: !llvm.ptr, %[[ROWS:[a-z0-9]+]]: memref<90x60xi16>, %[[TARGET:[a-z0-9]+]]: memref<60xi16, strided<[1], offset: 4>>
// CHECK-NOT:     ternary.fetch
// CHECK-DAG:     %[[SELF:.*]] = llvm.load %[[HOST]] : !llvm.ptr -> !llvm.ptr
// CHECK-DAG:     %[[SLOT:.*]] = llvm.getelementptr %[[HOST]][3] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
// CHECK-DAG:     %[[FETCH:.*]] = llvm.load %[[SLOT]] : !llvm.ptr -> !llvm.ptr
// CHECK-DAG:     %[[BYTES:.*]] = llvm.mlir.constant(120 : i64) : i64
// CHECK-DAG:     memref.extract_aligned_pointer_as_index %[[ROWS]]
// CHECK-DAG:     memref.extract_aligned_pointer_as_index %[[TARGET]]
// CHECK:         llvm.call %[[FETCH]](%[[SELF]], %{{.*}}, %{{.*}}, %[[BYTES]]) : !llvm.ptr, (!llvm.ptr, !llvm.ptr, !llvm.ptr, i64) -> ()
func.func @fetch(%rows: memref<90x60xi16>, %target: memref<60xi16, strided<[1], offset: 4>>) {
  %c7 = arith.constant 7 : index
  ternary.fetch %rows[%c7], %target : memref<90x60xi16>, memref<60xi16, strided<[1], offset: 4>>
  return
}

// -----

// In units of operations on an element: a vector of 16 counts as 8, a function as
// 16 times as much, the host's call as 8192, the end of a body as 1, so 16384 are
// reached from these numbers of iterations on.
// CHECK-LABEL: func.func @costs(
// CHECK:         arith.cmpi sge, %{{.*}}, %c85
// CHECK:         arith.cmpi sge, %{{.*}}, %c113
// CHECK:         arith.cmpi sge, %{{.*}}, %c2
func.func @costs(%x: memref<?x16xf32>, %rows: memref<90x16xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // 8 + 8 * 16 + 8 * 6 + 8 + 1 = 193 an iteration.
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    %v = vector.load %x[%i, %c0] : memref<?x16xf32>, vector<16xf32>
    %e = math.exp %v : vector<16xf32>
    %a = arith.addf %e, %v : vector<16xf32>
    %b = arith.addf %a, %v : vector<16xf32>
    %c = arith.addf %b, %v : vector<16xf32>
    %d = arith.addf %c, %v : vector<16xf32>
    %f = arith.addf %d, %v : vector<16xf32>
    %g = arith.addf %f, %v : vector<16xf32>
    vector.store %g, %x[%i, %c0] : memref<?x16xf32>, vector<16xf32>
  }
  // 8 + 8 * 16 + 8 + 1 + 1 = 146 an iteration.
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    %v = vector.load %x[%i, %c0] : memref<?x16xf32>, vector<16xf32>
    %e = math.exp %v : vector<16xf32>
    %s = vector.extract %e[0] : f32 from vector<16xf32>
    memref.store %s, %x[%i, %c0] : memref<?x16xf32>
  }
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    %row = memref.subview %x[%i, 0] [1, 16] [1, 1] : memref<?x16xf32> to memref<16xf32, strided<[1], offset: ?>>
    ternary.fetch %rows[%i], %row : memref<90x16xf32>, memref<16xf32, strided<[1], offset: ?>>
  }
  return
}

// -----

// A one-dimensional loop of long iterations is not cut. Its iterations are the
// range's own, and marked as independent.
// CHECK-LABEL: func.func private @long_parallel_0(
// CHECK:         %[[BEGIN:.*]] = arith.index_cast %{{.*}} : i64 to index
// CHECK:         %[[END:.*]] = arith.index_cast %{{.*}} : i64 to index
// CHECK:         scf.for %[[T:.*]] = %[[BEGIN]] to %[[END]] step
// CHECK-NOT:       arith.remui
// CHECK:           %[[SCALED:.*]] = arith.muli %[[T]], %{{.*}}
// CHECK:           scf.for %[[K:.*]] =
// CHECK-NEXT:        memref.store %{{.*}}, %{{.*}}[%[[SCALED]], %[[K]]]
// CHECK:         } {tern.independent}
func.func @long(%x: memref<?x512xf32>, %v: f32, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c512 = arith.constant 512 : index
  scf.parallel (%i) = (%c0) to (%n) step (%c4) {
    scf.for %k = %c0 to %c512 step %c1 {
      memref.store %v, %x[%i, %k] : memref<?x512xf32>
    }
  }
  return
}

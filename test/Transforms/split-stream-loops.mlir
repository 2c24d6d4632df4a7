// RUN: tern-opt %s --tern-split-stream-loops --split-input-file | FileCheck %s
// RUN: tern-opt %s --tern-split-stream-loops=group=4 --split-input-file | FileCheck %s --check-prefix=FOUR

// Sums are kept for 16 iterations, or as many as there are; then they are stored.
// Where to, is computed again, also from what the loop does not change.
// CHECK-LABEL: func.func @sums(
// CHECK-SAME:    %[[BEGIN:.*]]: index, %[[END:.*]]: index, %[[SHIFT:.*]]: index, %[[W:.*]]: memref<?xi32>, %[[OUT:.*]]: memref<?xi32>)
// CHECK:         %[[STAGE:.*]] = memref.alloca() : memref<16xvector<16xi32>>
// CHECK:         scf.for %[[FIRST:.*]] = %[[BEGIN]] to %[[END]] step %[[C16:.*]] {
// CHECK-NEXT:      %[[PAST:.*]] = arith.addi %[[FIRST]], %[[C16]]
// CHECK-NEXT:      %[[LAST:.*]] = arith.minsi %[[PAST]], %[[END]]
// CHECK-NEXT:      scf.for %[[I:.*]] = %[[FIRST]] to %[[LAST]] step %c1{{[_0-9]*}} {
// CHECK-NEXT:        %[[PLACE:.*]] = arith.subi %[[I]], %[[FIRST]]
// CHECK:             %[[SUM:.*]] = scf.for
// CHECK:               memref.prefetch
// CHECK:             %[[TWICE:.*]] = arith.addi %[[SUM]], %[[SUM]]
// CHECK-NOT:         vector.store
// CHECK:             memref.store %[[TWICE]], %[[STAGE]][%[[PLACE]]]
// CHECK:           scf.for %[[J:.*]] = %[[FIRST]] to %[[LAST]] step
// CHECK-NEXT:        %[[PLACE1:.*]] = arith.subi %[[J]], %[[FIRST]]
// CHECK-NEXT:        %[[KEPT:.*]] = memref.load %[[STAGE]][%[[PLACE1]]]
// CHECK-NEXT:        %[[ROW:.*]] = arith.muli %[[J]], %c16
// CHECK-NEXT:        %[[AT:.*]] = arith.addi %[[ROW]], %[[SHIFT]]
// CHECK-NEXT:        vector.store %[[KEPT]], %[[OUT]][%[[AT]]]
// CHECK-NOT:         memref.prefetch
// CHECK:         return
// FOUR-LABEL:  func.func @sums(
// FOUR:          memref.alloca() : memref<4xvector<16xi32>>
// FOUR:          scf.for %{{.*}} step %c4
func.func @sums(%begin: index, %end: index, %shift: index, %w: memref<?xi32>, %out: memref<?xi32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %c512 = arith.constant 512 : index
  %zero = arith.constant dense<0> : vector<16xi32>
  scf.for %i = %begin to %end step %c1 {
    %row = arith.muli %i, %c16 : index
    %at = arith.addi %row, %shift : index
    %sum = scf.for %k = %c0 to %c512 step %c16 iter_args(%acc = %zero) -> (vector<16xi32>) {
      %place = arith.addi %row, %k : index
      memref.prefetch %w[%place], read, locality<3>, data : memref<?xi32>
      %v = vector.load %w[%place] : memref<?xi32>, vector<16xi32>
      %next = arith.addi %acc, %v : vector<16xi32>
      scf.yield %next : vector<16xi32>
    }
    %twice = arith.addi %sum, %sum : vector<16xi32>
    vector.store %twice, %out[%at] : memref<?xi32>, vector<16xi32>
  } {tern.independent}
  return
}

// -----

// What is read behind the last stream waits too, and what is computed from it;
// what lies between two streams does not.
// CHECK-LABEL: func.func @between(
// CHECK:         %[[STAGE:.*]] = memref.alloca() : memref<16xf32>
// CHECK-NOT:     memref.alloca
// CHECK:         scf.for
// CHECK:           scf.for
// CHECK:             scf.for
// CHECK:             memref.store %{{.*}}, %{{.*}} : memref<?xf32>
// CHECK:             %[[SECOND:.*]] = scf.for
// CHECK:             memref.store %[[SECOND]], %[[STAGE]]
// CHECK:           scf.for %[[I:.*]] =
// CHECK:             %[[KEPT:.*]] = memref.load %[[STAGE]]
// CHECK:             %[[SCALE:.*]] = memref.load %[[SCALES:.*]][%[[I]]] : memref<?xf32>
// CHECK:             %[[SCALED:.*]] = arith.mulf %[[KEPT]], %[[SCALE]]
// CHECK:             memref.store %[[SCALED]], %{{.*}}[%[[I]]]
func.func @between(%begin: index, %end: index, %w: memref<?xf32>, %scales: memref<?xf32>, %a: memref<?xf32>, %b: memref<?xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c512 = arith.constant 512 : index
  %zero = arith.constant 0.0 : f32
  scf.for %i = %begin to %end step %c1 {
    %first = scf.for %k = %c0 to %c512 step %c1 iter_args(%acc = %zero) -> (f32) {
      memref.prefetch %w[%k], read, locality<3>, data : memref<?xf32>
      %v = memref.load %w[%k] : memref<?xf32>
      %next = arith.addf %acc, %v : f32
      scf.yield %next : f32
    }
    memref.store %first, %a[%i] : memref<?xf32>
    %second = scf.for %k = %c0 to %c512 step %c1 iter_args(%acc = %first) -> (f32) {
      memref.prefetch %w[%k], read, locality<3>, data : memref<?xf32>
      %v = memref.load %w[%k] : memref<?xf32>
      %next = arith.mulf %acc, %v : f32
      scf.yield %next : f32
    }
    %scale = memref.load %scales[%i] : memref<?xf32>
    %scaled = arith.mulf %second, %scale : f32
    memref.store %scaled, %b[%i] : memref<?xf32>
  } {tern.independent}
  return
}

// -----

// Left alone: a loop whose iterations may depend on each other, and one that
// fetches nothing ahead.
// CHECK-LABEL: func.func @others(
// CHECK-NOT:     memref.alloca
func.func @others(%begin: index, %end: index, %w: memref<?xf32>, %out: memref<?xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c512 = arith.constant 512 : index
  %zero = arith.constant 0.0 : f32
  scf.for %i = %begin to %end step %c1 {
    %sum = scf.for %k = %c0 to %c512 step %c1 iter_args(%acc = %zero) -> (f32) {
      memref.prefetch %w[%k], read, locality<3>, data : memref<?xf32>
      %v = memref.load %w[%k] : memref<?xf32>
      %next = arith.addf %acc, %v : f32
      scf.yield %next : f32
    }
    memref.store %sum, %out[%i] : memref<?xf32>
  }
  scf.for %i = %begin to %end step %c1 {
    %sum = scf.for %k = %c0 to %c512 step %c1 iter_args(%acc = %zero) -> (f32) {
      %v = memref.load %w[%k] : memref<?xf32>
      %next = arith.addf %acc, %v : f32
      scf.yield %next : f32
    }
    memref.store %sum, %out[%i] : memref<?xf32>
  } {tern.independent}
  return
}

// -----

// Left alone: a view of a buffer that the body makes has no place in memory.
// CHECK-LABEL: func.func @view(
// CHECK-NOT:     memref.alloca
func.func @view(%begin: index, %end: index, %w: memref<?xf32>, %out: memref<?x8xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c512 = arith.constant 512 : index
  %zero = arith.constant 0.0 : f32
  scf.for %i = %begin to %end step %c1 {
    %view = memref.subview %out[%i, 0] [1, 8] [1, 1] : memref<?x8xf32> to memref<8xf32, strided<[1], offset: ?>>
    %sum = scf.for %k = %c0 to %c512 step %c1 iter_args(%acc = %zero) -> (f32) {
      memref.prefetch %w[%k], read, locality<3>, data : memref<?xf32>
      %v = memref.load %w[%k] : memref<?xf32>
      %next = arith.addf %acc, %v : f32
      scf.yield %next : f32
    }
    memref.store %sum, %view[%c0] : memref<8xf32, strided<[1], offset: ?>>
  } {tern.independent}
  return
}

// -----

// What waits may be used inside of a branch, and so may an address.
// CHECK-LABEL: func.func @nested(
// CHECK:         %[[STAGE:.*]] = memref.alloca() : memref<16xf32>
// CHECK-NOT:     memref.alloca
// CHECK:         scf.for
// CHECK:           scf.for
// CHECK:             memref.store %{{.*}}, %[[STAGE]]
// CHECK:           scf.for %[[I:.*]] =
// CHECK:             %[[SUM:.*]] = memref.load %[[STAGE]]
// CHECK:             %[[ROW:.*]] = arith.muli %[[I]], %c512
// CHECK:             scf.if
// CHECK:               scf.for %[[K:.*]] =
// CHECK:                 %[[AT:.*]] = arith.addi %[[ROW]], %[[K]]
// CHECK:                 memref.store %[[SUM]], %{{.*}}[%[[AT]]]
// CHECK:             arith.divui %[[ROW]]
func.func @nested(%begin: index, %end: index, %w: memref<?xf32>, %out: memref<?xf32>, %p: memref<?xi1>, %d : index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c512 = arith.constant 512 : index
  %zero = arith.constant 0.0 : f32
  scf.for %i = %begin to %end step %c1 {
    %row = arith.muli %i, %c512 : index
    %sum = scf.for %k = %c0 to %c512 step %c1 iter_args(%acc = %zero) -> (f32) {
      memref.prefetch %w[%k], read, locality<3>, data : memref<?xf32>
      %v = memref.load %w[%k] : memref<?xf32>
      %next = arith.addf %acc, %v : f32
      scf.yield %next : f32
    }
    %c = memref.load %p[%i] : memref<?xi1>
    scf.if %c {
      scf.for %k = %c0 to %c512 step %c1 {
        %at = arith.addi %row, %k : index
        memref.store %sum, %out[%at] : memref<?xf32>
      }
    }
    %q = arith.divui %row, %d : index
    memref.store %zero, %out[%q] : memref<?xf32>
  } {tern.independent}
  return
}

// -----

// Left alone: the stack is as it was after each iteration.
// CHECK-LABEL: func.func @alloc(
// CHECK:         llvm.intr.stacksave
// CHECK-NEXT:    memref.alloca() : memref<4xf32>
// CHECK-NOT:     memref.alloca
func.func @alloc(%begin: index, %end: index, %w: memref<?xf32>, %out: memref<?xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c512 = arith.constant 512 : index
  %zero = arith.constant 0.0 : f32
  scf.for %i = %begin to %end step %c1 {
    %s = llvm.intr.stacksave : !llvm.ptr
    %a = memref.alloca() : memref<4xf32>
    %sum = scf.for %k = %c0 to %c512 step %c1 iter_args(%acc = %zero) -> (f32) {
      memref.prefetch %w[%k], read, locality<3>, data : memref<?xf32>
      %v = memref.load %w[%k] : memref<?xf32>
      %next = arith.addf %acc, %v : f32
      scf.yield %next : f32
    }
    memref.store %sum, %out[%i] : memref<?xf32>
    llvm.intr.stackrestore %s : !llvm.ptr
  } {tern.independent}
  return
}

// -----

// Left alone: a step of 2, and values that are handed on.
// CHECK-LABEL: func.func @foreign(
// CHECK-NOT:     memref.alloca
func.func @foreign(%begin: index, %end: index, %w: memref<?xf32>, %out: memref<?xf32>) -> f32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c512 = arith.constant 512 : index
  %zero = arith.constant 0.0 : f32
  scf.for %i = %begin to %end step %c2 {
    scf.for %k = %c0 to %c512 step %c1 {
      memref.prefetch %w[%k], read, locality<3>, data : memref<?xf32>
    }
    memref.store %zero, %out[%i] : memref<?xf32>
  } {tern.independent}
  %last = scf.for %i = %begin to %end step %c1 iter_args(%value = %zero) -> (f32) {
    scf.for %k = %c0 to %c512 step %c1 {
      memref.prefetch %w[%k], read, locality<3>, data : memref<?xf32>
    }
    memref.store %value, %out[%i] : memref<?xf32>
    scf.yield %value : f32
  } {tern.independent}
  return %last : f32
}

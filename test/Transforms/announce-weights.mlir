// RUN: tern-opt %s --split-input-file --allow-unregistered-dialect --tern-announce-weights | FileCheck %s

// The product's function reads its second argument in four streams: the loop says
// how many, and what it fetches ahead tells which. Activations and scales are fetched, too.
func.func private @product(%x: memref<?x64xi8>, %weights: memref<4096xi8>, %scales: memref<64xf32>, %y: memref<?xi32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  scf.parallel (%i) = (%c0) to (%c16) step (%c1) {
    memref.prefetch %x[%c0, %i], read, locality<3>, data : memref<?x64xi8>
    memref.prefetch %scales[%i], read, locality<3>, data : memref<64xf32>
    memref.prefetch %weights[%i], read, locality<3>, data : memref<4096xi8>
  } {tern.streams = 4 : i64}
  return
}
func.func private @screen(%codes: memref<?xi8>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  scf.parallel (%i) = (%c0) to (%c16) step (%c1) {
    memref.prefetch %codes[%i], read, locality<3>, data : memref<?xi8>
  } {tern.streams = 2 : i64}
  return
}
// Fetches, but nobody knows how it begins.
func.func private @gather(%codes: memref<4096xi8>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  scf.parallel (%i) = (%c0) to (%c16) step (%c1) {
    memref.prefetch %codes[%i], read, locality<3>, data : memref<4096xi8>
  }
  return
}
func.func private @other()

// Each is announced once, before the one ahead of it; the first as soon as can be.
// CHECK-LABEL: func.func @layer(
// CHECK-SAME:    %{{.*}}, %[[W0:[a-z0-9]+]]: memref<4096xi8>, %[[W1:[a-z0-9]+]]: memref<4096xi8>, %{{.*}}, %{{.*}}, %[[SCREEN:.*]]: memref<?xi8>)
// CHECK-NEXT:    ternary.announce %[[W0]] in 4 streams : memref<4096xi8>
// CHECK-NEXT:    "norm"()
// CHECK-NEXT:    ternary.announce %[[W1]] in 4 streams : memref<4096xi8>
// CHECK-NEXT:    call @product(%{{.*}}, %[[W0]], %{{.*}}, %{{.*}})
// CHECK-NEXT:    "norm"()
// CHECK-NEXT:    ternary.announce %[[SCREEN]] in 2 streams : memref<?xi8>
// CHECK-NEXT:    call @product(%{{.*}}, %[[W1]], %{{.*}}, %{{.*}})
// CHECK-NEXT:    "norm"()
// CHECK-NEXT:    call @screen(%[[SCREEN]])
// CHECK-NEXT:    return
func.func @layer(%x: memref<?x64xi8>, %w0: memref<4096xi8>, %w1: memref<4096xi8>, %scales: memref<64xf32>, %y: memref<?xi32>, %screen: memref<?xi8>) {
  "norm"() : () -> ()
  call @product(%x, %w0, %scales, %y) : (memref<?x64xi8>, memref<4096xi8>, memref<64xf32>, memref<?xi32>) -> ()
  "norm"() : () -> ()
  call @product(%x, %w1, %scales, %y) : (memref<?x64xi8>, memref<4096xi8>, memref<64xf32>, memref<?xi32>) -> ()
  "norm"() : () -> ()
  call @screen(%screen) : (memref<?xi8>) -> ()
  return
}

// Other functions may announce weights themselves.
// CHECK-LABEL: func.func @behind_calls(
// CHECK-SAME:    %[[W:.*]]: memref<4096xi8>, %[[SCREEN:.*]]: memref<?xi8>)
// CHECK-NOT:     ternary.announce
// CHECK:         call @other()
// CHECK-NEXT:    call @gather(%[[W]])
// CHECK-NEXT:    ternary.announce %[[SCREEN]] in 2 streams
// CHECK-NEXT:    "norm"()
// CHECK-NEXT:    call @screen(%[[SCREEN]])
func.func @behind_calls(%w: memref<4096xi8>, %screen: memref<?xi8>) {
  call @other() : () -> ()
  call @gather(%w) : (memref<4096xi8>) -> ()
  "norm"() : () -> ()
  call @screen(%screen) : (memref<?xi8>) -> ()
  return
}

// Not before they are known; and each block by itself.
// CHECK-LABEL: func.func @defined(
// CHECK:         call @screen(
// CHECK-NEXT:    %[[CODES:.*]] = "codes"()
// CHECK-NEXT:    ternary.announce %[[CODES]] in 2 streams
// CHECK-NEXT:    "norm"()
// CHECK-NEXT:    call @screen(%[[CODES]])
// CHECK-NEXT:    scf.if
// CHECK-NEXT:      ternary.announce %[[CODES]] in 2 streams
// CHECK-NEXT:      "norm"()
// CHECK-NEXT:      call @screen(%[[CODES]])
// CHECK-NOT:     ternary.announce
// CHECK:         return
func.func @defined(%first: memref<?xi8>, %again: i1) {
  call @screen(%first) : (memref<?xi8>) -> ()
  %codes = "codes"() : () -> memref<?xi8>
  "norm"() : () -> ()
  call @screen(%codes) : (memref<?xi8>) -> ()
  scf.if %again {
    "norm"() : () -> ()
    func.call @screen(%codes) : (memref<?xi8>) -> ()
  }
  return
}

// The host is told by one thread.
// CHECK-LABEL: func.func @on_threads(
// CHECK-NOT:     ternary.announce
// CHECK:         return
func.func @on_threads(%codes: memref<?xi8>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  scf.parallel (%i) = (%c0) to (%c16) step (%c1) {
    func.call @screen(%codes) : (memref<?xi8>) -> ()
  }
  return
}

// -----

// Nothing is known of loops outside of functions of their own: that is as it was.
// CHECK-LABEL: func.func @inline(
// CHECK-NOT:     ternary.announce
func.func @inline(%codes: memref<4096xi8>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  scf.parallel (%i) = (%c0) to (%c16) step (%c1) {
    memref.prefetch %codes[%i], read, locality<3>, data : memref<4096xi8>
  } {tern.streams = 2 : i64}
  return
}

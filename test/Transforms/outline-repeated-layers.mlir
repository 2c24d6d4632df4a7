// RUN: tern-opt %s --split-input-file --tern-outline-repeated-layers=min-operations=2 --canonicalize --cse | FileCheck %s

// What differs is an argument, one for each different set of values: the first
// layer multiplies by the same tensor twice, the others do not. The order of
// the operations in the file does not matter, nor do the constants that all
// layers have.

// CHECK-LABEL: func.func private @main_layer(
// CHECK-SAME:      %[[X:.*]]: tensor<4xf32> {bufferization.writable = true}, %[[A:.*]]: tensor<4xf32> {{.*}}, %[[B:.*]]: tensor<4xf32> {bufferization.writable = true}) -> tensor<4xf32> {
// CHECK:         %[[TWO:.*]] = arith.constant dense<2.000000e+00>
// CHECK:         %[[AX:.*]] = arith.mulf %[[X]], %[[A]]
// CHECK:         %[[SUM:.*]] = arith.addf %[[AX]], %[[TWO]]
// CHECK:         %[[RESULT:.*]] = arith.mulf %[[SUM]], %[[B]]
// CHECK:         return %[[RESULT]]
// CHECK-LABEL: func.func @main(
// CHECK-SAME:      %[[X0:.*]]: tensor<4xf32>, %[[W0:.*]]: tensor<4xf32>, %[[W1:.*]]: tensor<4xf32>, %[[W2:.*]]: tensor<4xf32>)
// CHECK:         %[[EXP:.*]] = math.exp %[[X0]]
// CHECK:         %[[L0:.*]] = call @main_layer(%[[EXP]], %[[W0]], %[[W0]])
// CHECK:         %[[L1:.*]] = call @main_layer(%[[L0]], %[[W1]], %[[W0]])
// CHECK:         %[[L2:.*]] = call @main_layer(%[[L1]], %[[W1]], %[[W2]])
// CHECK:         %[[END:.*]] = math.absf %[[L2]]
// CHECK:         return %[[END]]
func.func @main(%x: tensor<4xf32>, %w0: tensor<4xf32>, %w1: tensor<4xf32>, %w2: tensor<4xf32>) -> tensor<4xf32> {
  %two = arith.constant dense<2.0> : tensor<4xf32>
  %e = math.exp %x : tensor<4xf32>
  %a0 = arith.mulf %e, %w0 : tensor<4xf32>
  %b0 = arith.addf %a0, %two : tensor<4xf32>
  %c0 = arith.mulf %b0, %w0 : tensor<4xf32>
  %a1 = arith.mulf %c0, %w1 : tensor<4xf32>
  %b1 = arith.addf %a1, %two : tensor<4xf32>
  %c1 = arith.mulf %b1, %w0 : tensor<4xf32>
  %a2 = arith.mulf %c1, %w1 : tensor<4xf32>
  %b2 = arith.addf %a2, %two : tensor<4xf32>
  %c2 = arith.mulf %b2, %w2 : tensor<4xf32>
  %r = math.absf %c2 : tensor<4xf32>
  return %r : tensor<4xf32>
}

// -----

// A constant that differs is an argument. What the layers share (%mask) comes
// before them, wherever the file has it; what every layer makes on its own
// (%p0, %p1) goes with it; a value that leaves a layer in another way than to
// the next one is a result.

// CHECK-LABEL: func.func private @shared_layer(
// CHECK-SAME:      -> (tensor<4xf32>, tensor<4xf32>)
// CHECK-NOT:     math.sin
// CHECK-COUNT-1: math.cos
// CHECK-LABEL: func.func @shared(
// CHECK-DAG:     %[[C0:.*]] = arith.constant dense<3.000000e+00>
// CHECK-DAG:     %[[C1:.*]] = arith.constant dense<5.000000e+00>
// CHECK:         %[[MASK:.*]] = math.sin
// CHECK:         %[[L0:.*]]:2 = call @shared_layer(%[[C0]], %{{.*}}, %[[MASK]])
// CHECK:         %[[L1:.*]]:2 = call @shared_layer(%[[C1]], %[[L0]]#[[NEXT:[01]]], %[[MASK]])
// CHECK:         return %[[L1]]#[[NEXT]], %[[L0]]#[[CACHE:[01]]], %[[L1]]#[[CACHE]]
func.func @shared(%x: tensor<4xf32>, %m: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %k1 = arith.constant dense<5.0> : tensor<4xf32>
  %k0 = arith.constant dense<3.0> : tensor<4xf32>
  %p1 = math.cos %k1 : tensor<4xf32>
  %p0 = math.cos %k0 : tensor<4xf32>
  %a0 = arith.mulf %x, %p0 : tensor<4xf32>
  %b0 = math.sqrt %a0 : tensor<4xf32>
  %mask = math.sin %m : tensor<4xf32>
  %c0 = arith.addf %b0, %mask : tensor<4xf32>
  %d0 = math.exp %c0 : tensor<4xf32>
  %e0 = arith.addf %d0, %x : tensor<4xf32>
  %a1 = arith.mulf %e0, %p1 : tensor<4xf32>
  %b1 = math.sqrt %a1 : tensor<4xf32>
  %c1 = arith.addf %b1, %mask : tensor<4xf32>
  %d1 = math.exp %c1 : tensor<4xf32>
  %e1 = arith.addf %d1, %e0 : tensor<4xf32>
  return %e1, %b0, %b1 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// -----

// Values that a region captures are compared as operands are.

// CHECK-LABEL: func.func private @captured_layer(
// CHECK-SAME:      %[[X:.*]]: tensor<4xf32> {{.*}}, %[[SCALE:.*]]: f32)
// CHECK:         %[[ONE:.*]] = arith.constant 1.0
// CHECK:         ^bb0(%[[IN:.*]]: f32, %{{.*}}: f32):
// CHECK:           %[[SCALED:.*]] = arith.mulf %[[IN]], %[[SCALE]]
// CHECK:           arith.addf %[[SCALED]], %[[ONE]]
// CHECK-LABEL: func.func @captured(
// CHECK-SAME:      %[[X:.*]]: tensor<4xf32>, %[[S0:.*]]: f32, %[[S1:.*]]: f32)
// CHECK:         %[[L0:.*]] = call @captured_layer(%[[X]], %[[S0]])
// CHECK:         %[[L1:.*]] = call @captured_layer(%[[L0]], %[[S1]])
// CHECK:         return %[[L1]]
#map = affine_map<(d0) -> (d0)>
func.func @captured(%x: tensor<4xf32>, %s0: f32, %s1: f32) -> tensor<4xf32> {
  %one = arith.constant 1.0 : f32
  %init = tensor.empty() : tensor<4xf32>
  %a0 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]}
      ins(%x : tensor<4xf32>) outs(%init : tensor<4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %1 = arith.mulf %in, %s0 : f32
    %2 = arith.addf %1, %one : f32
    linalg.yield %2 : f32
  } -> tensor<4xf32>
  %a1 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]}
      ins(%a0 : tensor<4xf32>) outs(%init : tensor<4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %1 = arith.mulf %in, %s1 : f32
    %2 = arith.addf %1, %one : f32
    linalg.yield %2 : f32
  } -> tensor<4xf32>
  return %a1 : tensor<4xf32>
}

// -----

// Layers of two kinds that alternate make one function of a pair.

// CHECK-LABEL: func.func private @alternating_layer(
// CHECK:         math.exp
// CHECK:         math.sin
// CHECK:         math.exp
// CHECK:         math.cos
// CHECK-LABEL: func.func @alternating(
// CHECK-COUNT-2: call @alternating_layer(
// CHECK-NEXT:    return
func.func @alternating(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = math.exp %x : tensor<4xf32>
  %b = math.sin %a : tensor<4xf32>
  %c = math.exp %b : tensor<4xf32>
  %d = math.cos %c : tensor<4xf32>
  %e = math.exp %d : tensor<4xf32>
  %f = math.sin %e : tensor<4xf32>
  %g = math.exp %f : tensor<4xf32>
  %h = math.cos %g : tensor<4xf32>
  return %h : tensor<4xf32>
}

// -----

// Two kinds of layers after each other make two functions.

// CHECK:       func.func private @kinds_layer
// CHECK:       func.func private @kinds_layer
// CHECK-LABEL: func.func @kinds(
// CHECK-COUNT-6: call @kinds_layer
// CHECK-NEXT:    return
func.func @kinds(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = math.exp %x : tensor<4xf32>
  %b = math.sin %a : tensor<4xf32>
  %c = math.exp %b : tensor<4xf32>
  %d = math.sin %c : tensor<4xf32>
  %e = math.exp %d : tensor<4xf32>
  %f = math.sin %e : tensor<4xf32>
  %g = math.cos %f : tensor<4xf32>
  %h = math.tan %g : tensor<4xf32>
  %i = math.cos %h : tensor<4xf32>
  %j = math.tan %i : tensor<4xf32>
  %k = math.cos %j : tensor<4xf32>
  %l = math.tan %k : tensor<4xf32>
  return %l : tensor<4xf32>
}

// -----

// Equal operations that use each other differently are no equal layers, nor are
// operations that differ in an attribute or inside a region.

// CHECK-LABEL: func.func @wiring(
// CHECK-NOT:     call
func.func @wiring(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a0 = math.exp %x : tensor<4xf32>
  %b0 = arith.subf %a0, %x : tensor<4xf32>
  %a1 = math.exp %b0 : tensor<4xf32>
  %b1 = arith.subf %b0, %a1 : tensor<4xf32>
  return %b1 : tensor<4xf32>
}

// CHECK-LABEL: func.func @attributes(
// CHECK-NOT:     call
func.func @attributes(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a0 = math.exp %x : tensor<4xf32>
  %b0 = math.absf %a0 fastmath<nnan> : tensor<4xf32>
  %a1 = math.exp %b0 : tensor<4xf32>
  %b1 = math.absf %a1 : tensor<4xf32>
  return %b1 : tensor<4xf32>
}

// CHECK-LABEL: func.func @regions(
// CHECK-NOT:     call
func.func @regions(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  %a0 = math.exp %x : tensor<4xf32>
  %b0 = linalg.map ins(%a0, %y : tensor<4xf32>, tensor<4xf32>) outs(%y : tensor<4xf32>)
    (%in: f32, %in2: f32, %out: f32) {
      %0 = arith.subf %in, %in2 : f32
      linalg.yield %0 : f32
    }
  %a1 = math.exp %b0 : tensor<4xf32>
  %b1 = linalg.map ins(%a1, %y : tensor<4xf32>, tensor<4xf32>) outs(%y : tensor<4xf32>)
    (%in: f32, %in2: f32, %out: f32) {
      %0 = arith.subf %in2, %in : f32
      linalg.yield %0 : f32
    }
  return %b1 : tensor<4xf32>
}

// -----

// A function that writes somewhere keeps its order.

// CHECK-LABEL: func.func @effects(
// CHECK-NOT:     call
// CHECK:         memref.store
// CHECK-NOT:     call
// CHECK:         return
func.func @effects(%x: tensor<4xf32>, %y: tensor<f32>, %m: memref<f32>) -> tensor<4xf32> {
  %a = math.exp %x : tensor<4xf32>
  %b = math.sin %a : tensor<4xf32>
  %v = memref.load %m[] : memref<f32>
  memref.store %v, %m[] : memref<f32>
  %c = math.exp %b : tensor<4xf32>
  %d = math.sin %c : tensor<4xf32>
  return %d : tensor<4xf32>
}

// -----

// Nothing passes an assertion that stood before it; one on which the layers
// depend stays outside, with what it needs.

// CHECK-LABEL: func.func @assertion(
// CHECK:         %[[OK:.*]] = arith.cmpi
// CHECK:         cf.assert %[[OK]], "an index"
// CHECK:         tensor.extract
// CHECK-COUNT-2: call @assertion_layer
func.func @assertion(%x: tensor<4xf32>, %i: index) -> tensor<4xf32> {
  %limit = arith.constant 4 : index
  %ok = arith.cmpi ult, %i, %limit : index
  cf.assert %ok, "an index"
  %v = tensor.extract %x[%i] : tensor<4xf32>
  %s = tensor.splat %v : tensor<4xf32>
  %a = math.exp %s : tensor<4xf32>
  %b = math.sin %a : tensor<4xf32>
  %c = math.exp %b : tensor<4xf32>
  %d = math.sin %c : tensor<4xf32>
  return %d : tensor<4xf32>
}

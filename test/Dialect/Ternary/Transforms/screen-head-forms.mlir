// RUN: tern-opt %s --split-input-file --ternary-screen-head=mode=screened | FileCheck %s

#x = affine_map<(b, t, n, k) -> (b, t, k)>
#w = affine_map<(b, t, n, k) -> (n, k)>
#columns = affine_map<(b, t, n, k) -> (k, n)>
#y = affine_map<(b, t, n, k) -> (b, t, n)>
#id = affine_map<(b, t, n) -> (b, t, n)>

// Logits that are rounded to bf16 on their way; hidden states of bf16.
// CHECK:       module attributes {ternary.head = "screened: reads 192 bytes
// CHECK-LABEL: func.func private @step(
// CHECK:         scf.if
// CHECK:           %[[H:.*]] = linalg.generic {{.*}} ins(%{{.*}} : tensor<2xbf16>) outs(%{{.*}} : tensor<2xf32>)
// CHECK:           ternary.head ins(%[[H]], {{.*}} {rounding = bf16} -> tensor<2xf32>
// CHECK:         arith.truncf
module {
func.func private @step(%t: tensor<1x?x2xbf16>, %past: index, %n: index) -> tensor<1x?x2xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xbf16>
  %e = tensor.empty(%n) : tensor<1x?x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x?x2xf32>) -> tensor<1x?x2xf32>
  %y = linalg.generic {indexing_maps = [#x, #w, #y], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%t, %w : tensor<1x?x2xbf16>, tensor<2x2xbf16>) outs(%f : tensor<1x?x2xf32>) {
  ^bb0(%a: bf16, %b: bf16, %sum: f32):
    %wide = arith.extf %a : bf16 to f32
    %c = arith.extf %b : bf16 to f32
    %p = arith.mulf %c, %wide : f32
    %s = arith.addf %p, %sum : f32
    linalg.yield %s : f32
  } -> tensor<1x?x2xf32>
  %rounded = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%y : tensor<1x?x2xf32>) outs(%e : tensor<1x?x2xf32>) {
  ^bb0(%a: f32, %o: f32):
    %h = arith.truncf %a : f32 to bf16
    %r = arith.extf %h : bf16 to f32
    linalg.yield %r : f32
  } -> tensor<1x?x2xf32>
  return %rounded : tensor<1x?x2xf32>
}
}

// -----

#x = affine_map<(b, t, n, k) -> (b, t, k)>
#columns = affine_map<(b, t, n, k) -> (k, n)>
#y = affine_map<(b, t, n, k) -> (b, t, n)>

// CHECK:       module attributes {ternary.head = "as the graph says: its matrix is not stored row by row"}
// CHECK-LABEL: func.func private @step(
// CHECK-NOT:     ternary.head
module {
func.func private @step(%t: tensor<1x?x2xf32>, %past: index, %n: index) -> tensor<1x?x2xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %e = tensor.empty(%n) : tensor<1x?x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x?x2xf32>) -> tensor<1x?x2xf32>
  %y = linalg.generic {indexing_maps = [#x, #columns, #y], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%t, %w : tensor<1x?x2xf32>, tensor<2x2xf32>) outs(%f : tensor<1x?x2xf32>) {
  ^bb0(%a: f32, %b: f32, %sum: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %sum, %p : f32
    linalg.yield %s : f32
  } -> tensor<1x?x2xf32>
  return %y : tensor<1x?x2xf32>
}
}

// -----

#x = affine_map<(b, t, n, k) -> (b, t, k)>
#w = affine_map<(b, t, n, k) -> (n, k)>
#y = affine_map<(b, t, n, k) -> (b, t, n)>

// A sum that does not start at zero, and a matrix that is computed.
// CHECK:       module attributes {ternary.head = "as the graph says: the logits are no product of two matrices, in f32"}
module {
func.func private @step(%t: tensor<1x?x2xf32>, %past: index, %n: index) -> tensor<1x?x2xf32> {
  %one = arith.constant 1.0 : f32
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %e = tensor.empty(%n) : tensor<1x?x2xf32>
  %f = linalg.fill ins(%one : f32) outs(%e : tensor<1x?x2xf32>) -> tensor<1x?x2xf32>
  %y = linalg.generic {indexing_maps = [#x, #w, #y], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%t, %w : tensor<1x?x2xf32>, tensor<2x2xf32>) outs(%f : tensor<1x?x2xf32>) {
  ^bb0(%a: f32, %b: f32, %sum: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %sum, %p : f32
    linalg.yield %s : f32
  } -> tensor<1x?x2xf32>
  return %y : tensor<1x?x2xf32>
}
}

// -----

#x = affine_map<(b, t, n, k) -> (b, t, k)>
#w = affine_map<(b, t, n, k) -> (n, k)>
#y = affine_map<(b, t, n, k) -> (b, t, n)>

// CHECK:       module attributes {ternary.head = "as the graph says: its matrix is no constant"}
module {
func.func private @step(%t: tensor<1x?x2xf32>, %past: index, %n: index, %w: tensor<2x2xf32>) -> tensor<1x?x2xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%n) : tensor<1x?x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x?x2xf32>) -> tensor<1x?x2xf32>
  %y = linalg.generic {indexing_maps = [#x, #w, #y], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%t, %w : tensor<1x?x2xf32>, tensor<2x2xf32>) outs(%f : tensor<1x?x2xf32>) {
  ^bb0(%a: f32, %b: f32, %sum: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %sum, %p : f32
    linalg.yield %s : f32
  } -> tensor<1x?x2xf32>
  return %y : tensor<1x?x2xf32>
}
}

// -----

#x = affine_map<(b, t, n, k) -> (b, t, k)>
#w = affine_map<(b, t, n, k) -> (n, k)>
#y = affine_map<(b, t, n, k) -> (b, t, n)>

// CHECK:       module attributes {ternary.head = "as the graph says: its types are not those of a head"}
module {
func.func private @step(%t: tensor<1x?x2xf32>, %past: index, %n: index) -> tensor<1x?x0xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<> : tensor<0x2xf32>
  %e = tensor.empty(%n) : tensor<1x?x0xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x?x0xf32>) -> tensor<1x?x0xf32>
  %y = linalg.generic {indexing_maps = [#x, #w, #y], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%t, %w : tensor<1x?x2xf32>, tensor<0x2xf32>) outs(%f : tensor<1x?x0xf32>) {
  ^bb0(%a: f32, %b: f32, %sum: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %sum, %p : f32
    linalg.yield %s : f32
  } -> tensor<1x?x0xf32>
  return %y : tensor<1x?x0xf32>
}
}

// -----

#x = affine_map<(b, t, n, k) -> (b, t, k)>
#w = affine_map<(b, t, n, k) -> (n, k)>
#y = affine_map<(b, t, n, k) -> (b, t, n)>

// As many logits as there are rows, but the type does not say so.
// CHECK:       module attributes {ternary.head = "as the graph says: its types are not those of a head"}
module {
func.func private @step(%t: tensor<1x?x2xf32>, %past: index, %n: index, %v: index) -> tensor<1x?x?xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %e = tensor.empty(%n, %v) : tensor<1x?x?xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x?x?xf32>) -> tensor<1x?x?xf32>
  %y = linalg.generic {indexing_maps = [#x, #w, #y], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%t, %w : tensor<1x?x2xf32>, tensor<2x2xf32>) outs(%f : tensor<1x?x?xf32>) {
  ^bb0(%a: f32, %b: f32, %sum: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %sum, %p : f32
    linalg.yield %s : f32
  } -> tensor<1x?x?xf32>
  return %y : tensor<1x?x?xf32>
}
}

// -----

// A module without a step has no head.
// CHECK:     module
// CHECK-NOT: ternary.head
func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  return %x : tensor<2xf32>
}

// -----

#x = affine_map<(b, t, n, k) -> (b, t, k)>
#w = affine_map<(b, t, n, k) -> (n, k)>
#y = affine_map<(b, t, n, k) -> (b, t, n)>

// Sums of 131072 columns fit 32 bits.
// CHECK: module attributes {ternary.head = "screened: reads {{[0-9]+}} bytes
module {
func.func private @step(%t: tensor<1x?x131072xf32>, %past: index, %n: index) -> tensor<1x?x2xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<1.0> : tensor<2x131072xbf16>
  %e = tensor.empty(%n) : tensor<1x?x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x?x2xf32>) -> tensor<1x?x2xf32>
  %y = linalg.generic {indexing_maps = [#x, #w, #y], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%t, %w : tensor<1x?x131072xf32>, tensor<2x131072xbf16>) outs(%f : tensor<1x?x2xf32>) {
  ^bb0(%a: f32, %b: bf16, %sum: f32):
    %c = arith.extf %b : bf16 to f32
    %p = arith.mulf %a, %c : f32
    %s = arith.addf %sum, %p : f32
    linalg.yield %s : f32
  } -> tensor<1x?x2xf32>
  return %y : tensor<1x?x2xf32>
}
}

// -----

#x = affine_map<(b, t, n, k) -> (b, t, k)>
#w = affine_map<(b, t, n, k) -> (n, k)>
#y = affine_map<(b, t, n, k) -> (b, t, n)>

// Sums of 131073 columns might not fit 32 bits.
// CHECK: module attributes {ternary.head = "exact: reads 524292 bytes a token
module {
func.func private @step(%t: tensor<1x?x131073xf32>, %past: index, %n: index) -> tensor<1x?x2xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<1.0> : tensor<2x131073xbf16>
  %e = tensor.empty(%n) : tensor<1x?x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x?x2xf32>) -> tensor<1x?x2xf32>
  %y = linalg.generic {indexing_maps = [#x, #w, #y], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%t, %w : tensor<1x?x131073xf32>, tensor<2x131073xbf16>) outs(%f : tensor<1x?x2xf32>) {
  ^bb0(%a: f32, %b: bf16, %sum: f32):
    %c = arith.extf %b : bf16 to f32
    %p = arith.mulf %a, %c : f32
    %s = arith.addf %sum, %p : f32
    linalg.yield %s : f32
  } -> tensor<1x?x2xf32>
  return %y : tensor<1x?x2xf32>
}
}

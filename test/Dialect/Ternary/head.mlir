// RUN: tern-opt %s --split-input-file --verify-diagnostics | tern-opt --split-input-file | FileCheck %s

// CHECK-LABEL: func.func @screened(
// CHECK:         ternary.head ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<60xf32>, tensor<90x60xbf16>) screen(%{{.*}}, %{{.*}} : tensor<4608xi8>, tensor<6x33xbf16>) outs(%{{.*}} : tensor<90xf32>) {rounding = bf16} -> tensor<90xf32>
func.func @screened(%x: tensor<60xf32>, %w: tensor<90x60xbf16>, %best: index, %c: tensor<4608xi8>, %b: tensor<6x33xbf16>, %init: tensor<90xf32>) -> tensor<90xf32> {
  %y = ternary.head ins(%x, %w, %best : tensor<60xf32>, tensor<90x60xbf16>) screen(%c, %b : tensor<4608xi8>, tensor<6x33xbf16>) outs(%init : tensor<90xf32>) {rounding = bf16} -> tensor<90xf32>
  return %y : tensor<90xf32>
}

// CHECK-LABEL: func.func @exact(
// CHECK:         ternary.head ins(%{{.*}}, %{{.*}}, %{{.*}} : memref<60xf32>, memref<90x60xf32>) outs(%{{.*}} : memref<90xf32>)
func.func @exact(%x: memref<60xf32>, %w: memref<90x60xf32>, %best: index, %out: memref<90xf32>) {
  ternary.head ins(%x, %w, %best : memref<60xf32>, memref<90x60xf32>) outs(%out : memref<90xf32>)
  return
}

// -----

func.func @state(%x: tensor<61xf32>, %w: tensor<90x60xf32>, %best: index, %init: tensor<90xf32>) -> tensor<90xf32> {
  // expected-error @below {{'ternary.head' op operand 'x' is 'tensor<61xf32>'; expected 60 elements}}
  %y = ternary.head ins(%x, %w, %best : tensor<61xf32>, tensor<90x60xf32>) outs(%init : tensor<90xf32>) -> tensor<90xf32>
  return %y : tensor<90xf32>
}

// -----

func.func @init(%x: tensor<60xf32>, %w: tensor<90x60xf32>, %best: index, %init: tensor<89xf32>) -> tensor<89xf32> {
  // expected-error @below {{'ternary.head' op operand 'init' is 'tensor<89xf32>'; expected 90 elements}}
  %y = ternary.head ins(%x, %w, %best : tensor<60xf32>, tensor<90x60xf32>) outs(%init : tensor<89xf32>) -> tensor<89xf32>
  return %y : tensor<89xf32>
}

// -----

// 6 tiles of 16 rows, 4 steps of 16 columns, 192 bytes each.
func.func @codes(%x: tensor<60xf32>, %w: tensor<90x60xf32>, %best: index, %c: tensor<4607xi8>, %b: tensor<6x33xbf16>, %init: tensor<90xf32>) -> tensor<90xf32> {
  // expected-error @below {{'ternary.head' op operand 'codes' is 'tensor<4607xi8>'; expected 4608 elements}}
  %y = ternary.head ins(%x, %w, %best : tensor<60xf32>, tensor<90x60xf32>) screen(%c, %b : tensor<4607xi8>, tensor<6x33xbf16>) outs(%init : tensor<90xf32>) -> tensor<90xf32>
  return %y : tensor<90xf32>
}

// -----

func.func @bounds(%x: tensor<60xf32>, %w: tensor<90x60xf32>, %best: index, %c: tensor<4608xi8>, %b: tensor<3x96xbf16>, %init: tensor<90xf32>) -> tensor<90xf32> {
  // expected-error @below {{'ternary.head' op operand 'bounds' is 'tensor<3x96xbf16>'; expected 6 x 33 elements}}
  %y = ternary.head ins(%x, %w, %best : tensor<60xf32>, tensor<90x60xf32>) screen(%c, %b : tensor<4608xi8>, tensor<3x96xbf16>) outs(%init : tensor<90xf32>) -> tensor<90xf32>
  return %y : tensor<90xf32>
}

// -----

func.func @dynamic(%x: tensor<60xf32>, %w: tensor<?x60xf32>, %best: index, %init: tensor<90xf32>) -> tensor<90xf32> {
  // expected-error @below {{'ternary.head' op rows are 'tensor<?x60xf32>'; expected a static shape}}
  %y = ternary.head ins(%x, %w, %best : tensor<60xf32>, tensor<?x60xf32>) outs(%init : tensor<90xf32>) -> tensor<90xf32>
  return %y : tensor<90xf32>
}

// -----

func.func @mixed(%x: memref<60xf32>, %w: tensor<90x60xf32>, %best: index, %init: tensor<90xf32>) -> tensor<90xf32> {
  // expected-error @below {{'ternary.head' op mixes tensors and memrefs: init is 'tensor<90xf32>', another operand is 'memref<60xf32>'}}
  %y = ternary.head ins(%x, %w, %best : memref<60xf32>, tensor<90x60xf32>) outs(%init : tensor<90xf32>) -> tensor<90xf32>
  return %y : tensor<90xf32>
}

// -----

func.func @result(%x: memref<60xf32>, %w: memref<90x60xf32>, %best: index, %out: memref<90xf32>) -> tensor<90xf32> {
  // expected-error @below {{'ternary.head' op cannot have a result, since init is 'memref<90xf32>'}}
  %y = ternary.head ins(%x, %w, %best : memref<60xf32>, memref<90x60xf32>) outs(%out : memref<90xf32>) -> tensor<90xf32>
  return %y : tensor<90xf32>
}

// -----

func.func @no_result(%x: tensor<60xf32>, %w: tensor<90x60xf32>, %best: index, %init: tensor<90xf32>) {
  // expected-error @below {{'ternary.head' op needs a result, since init is 'tensor<90xf32>'}}
  ternary.head ins(%x, %w, %best : tensor<60xf32>, tensor<90x60xf32>) outs(%init : tensor<90xf32>)
  return
}

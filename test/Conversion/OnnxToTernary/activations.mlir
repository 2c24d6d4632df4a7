// RUN: tern-opt %s --convert-onnx-to-ternary --split-input-file | FileCheck %s

// Activations: which chains become the layer's quantisation, which are codes
// around an exact product, and which stay float.

// CHECK-LABEL: func.func @reciprocal(
// CHECK-NOT: onnx.node
// CHECK: ternary.bit_linear %arg0{{.*}}quantization = #ternary.quantization<reciprocal, half_even, eps = 9.99999974E-6, qmin = -128>
// CHECK-NEXT: return
func.func @reciprocal(%x: tensor<?x4xf32>, %z: tensor<?x4xf32>) -> tensor<?x2xf32> {
  %w = onnx.constant dense<[[0.5, -0.5], [0.0, -0.5], [-0.5, 0.5], [0.0, 0.5]]> : tensor<4x2xf32>
  %eps = onnx.constant dense<1.0e-05> : tensor<f32>
  %qmin = onnx.constant dense<-128.0> : tensor<f32>
  %qmax = onnx.constant dense<127.0> : tensor<f32>
  %n = onnx.constant dense<127.0> : tensor<f32>
  %half = onnx.constant dense<0.5> : tensor<f32>
  %abs = onnx.node "Abs"(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %amax = onnx.node "ReduceMax"(%abs) {axes = array<i64: -1>} : (tensor<?x4xf32>) -> tensor<?x1xf32>
  %m = onnx.node "Clip"(%amax, %eps) : (tensor<?x1xf32>, tensor<f32>) -> tensor<?x1xf32>
  %r = onnx.node "Reciprocal"(%m) : (tensor<?x1xf32>) -> tensor<?x1xf32>
  %s = onnx.node "Mul"(%n, %r) : (tensor<f32>, tensor<?x1xf32>) -> tensor<?x1xf32>
  %v = onnx.node "Mul"(%x, %s) : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  %q = onnx.node "Round"(%v) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %c = onnx.node "Clip"(%q, %qmin, %qmax) : (tensor<?x4xf32>, tensor<f32>, tensor<f32>) -> tensor<?x4xf32>
  %a = onnx.node "Div"(%c, %s) : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  %y = onnx.node "MatMul"(%a, %w) : (tensor<?x4xf32>, tensor<4x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// CHECK-LABEL: func.func @quotient(
// CHECK-NOT: onnx.node
// CHECK: ternary.bit_linear %arg0{{.*}}quantization = #ternary.quantization<quotient, half_even, eps = 9.99999974E-6, qmin = -128>
// CHECK-NEXT: return
func.func @quotient(%x: tensor<?x4xf32>, %z: tensor<?x4xf32>) -> tensor<?x2xf32> {
  %w = onnx.constant dense<[[0.5, -0.5], [0.0, -0.5], [-0.5, 0.5], [0.0, 0.5]]> : tensor<4x2xf32>
  %eps = onnx.constant dense<1.0e-05> : tensor<f32>
  %qmin = onnx.constant dense<-128.0> : tensor<f32>
  %qmax = onnx.constant dense<127.0> : tensor<f32>
  %n = onnx.constant dense<127.0> : tensor<f32>
  %half = onnx.constant dense<0.5> : tensor<f32>
  %abs = onnx.node "Abs"(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %amax = onnx.node "ReduceMax"(%abs) {axes = array<i64: -1>} : (tensor<?x4xf32>) -> tensor<?x1xf32>
  %m = onnx.node "Clip"(%amax, %eps) : (tensor<?x1xf32>, tensor<f32>) -> tensor<?x1xf32>
  %s = onnx.node "Div"(%n, %m) : (tensor<f32>, tensor<?x1xf32>) -> tensor<?x1xf32>
  %v = onnx.node "Mul"(%x, %s) : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  %q = onnx.node "Round"(%v) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %c = onnx.node "Clip"(%q, %qmin, %qmax) : (tensor<?x4xf32>, tensor<f32>, tensor<f32>) -> tensor<?x4xf32>
  %a = onnx.node "Div"(%c, %s) : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  %y = onnx.node "MatMul"(%a, %w) : (tensor<?x4xf32>, tensor<4x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// CHECK-LABEL: func.func @step(
// CHECK-NOT: onnx.node
// CHECK: ternary.bit_linear %arg0{{.*}}quantization = #ternary.quantization<step, half_even, eps = 9.99999974E-6, qmin = -128>
// CHECK-NEXT: return
func.func @step(%x: tensor<?x4xf32>, %z: tensor<?x4xf32>) -> tensor<?x2xf32> {
  %w = onnx.constant dense<[[0.5, -0.5], [0.0, -0.5], [-0.5, 0.5], [0.0, 0.5]]> : tensor<4x2xf32>
  %eps = onnx.constant dense<1.0e-05> : tensor<f32>
  %qmin = onnx.constant dense<-128.0> : tensor<f32>
  %qmax = onnx.constant dense<127.0> : tensor<f32>
  %n = onnx.constant dense<127.0> : tensor<f32>
  %half = onnx.constant dense<0.5> : tensor<f32>
  %abs = onnx.node "Abs"(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %amax = onnx.node "ReduceMax"(%abs) {axes = array<i64: -1>} : (tensor<?x4xf32>) -> tensor<?x1xf32>
  %m = onnx.node "Clip"(%amax, %eps) : (tensor<?x1xf32>, tensor<f32>) -> tensor<?x1xf32>
  %s = onnx.node "Div"(%m, %n) : (tensor<?x1xf32>, tensor<f32>) -> tensor<?x1xf32>
  %v = onnx.node "Div"(%x, %s) : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  %q = onnx.node "Round"(%v) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %c = onnx.node "Clip"(%q, %qmin, %qmax) : (tensor<?x4xf32>, tensor<f32>, tensor<f32>) -> tensor<?x4xf32>
  %a = onnx.node "Mul"(%c, %s) : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  %y = onnx.node "MatMul"(%a, %w) : (tensor<?x4xf32>, tensor<4x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// CHECK-LABEL: func.func @half_up(
// CHECK-NOT: onnx.node
// CHECK: ternary.bit_linear %arg0{{.*}}quantization = #ternary.quantization<reciprocal, half_up, eps = 9.99999974E-6, qmin = -128>
// CHECK-NEXT: return
func.func @half_up(%x: tensor<?x4xf32>, %z: tensor<?x4xf32>) -> tensor<?x2xf32> {
  %w = onnx.constant dense<[[0.5, -0.5], [0.0, -0.5], [-0.5, 0.5], [0.0, 0.5]]> : tensor<4x2xf32>
  %eps = onnx.constant dense<1.0e-05> : tensor<f32>
  %qmin = onnx.constant dense<-128.0> : tensor<f32>
  %qmax = onnx.constant dense<127.0> : tensor<f32>
  %n = onnx.constant dense<127.0> : tensor<f32>
  %half = onnx.constant dense<0.5> : tensor<f32>
  %abs = onnx.node "Abs"(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %amax = onnx.node "ReduceMax"(%abs) {axes = array<i64: -1>} : (tensor<?x4xf32>) -> tensor<?x1xf32>
  %m = onnx.node "Clip"(%amax, %eps) : (tensor<?x1xf32>, tensor<f32>) -> tensor<?x1xf32>
  %r = onnx.node "Reciprocal"(%m) : (tensor<?x1xf32>) -> tensor<?x1xf32>
  %s = onnx.node "Mul"(%n, %r) : (tensor<f32>, tensor<?x1xf32>) -> tensor<?x1xf32>
  %v = onnx.node "Mul"(%x, %s) : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  %h = onnx.node "Add"(%v, %half) : (tensor<?x4xf32>, tensor<f32>) -> tensor<?x4xf32>
  %q = onnx.node "Floor"(%h) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %c = onnx.node "Clip"(%q, %qmin, %qmax) : (tensor<?x4xf32>, tensor<f32>, tensor<f32>) -> tensor<?x4xf32>
  %a = onnx.node "Div"(%c, %s) : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  %y = onnx.node "MatMul"(%a, %w) : (tensor<?x4xf32>, tensor<4x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// CHECK-LABEL: func.func @narrow(
// CHECK-NOT: onnx.node
// CHECK: ternary.bit_linear %arg0{{.*}}quantization = #ternary.quantization<reciprocal, half_even, eps = 9.99999974E-6, qmin = -127>
// CHECK-NEXT: return
func.func @narrow(%x: tensor<?x4xf32>, %z: tensor<?x4xf32>) -> tensor<?x2xf32> {
  %w = onnx.constant dense<[[0.5, -0.5], [0.0, -0.5], [-0.5, 0.5], [0.0, 0.5]]> : tensor<4x2xf32>
  %eps = onnx.constant dense<1.0e-05> : tensor<f32>
  %qmin = onnx.constant dense<-127.0> : tensor<f32>
  %qmax = onnx.constant dense<127.0> : tensor<f32>
  %n = onnx.constant dense<127.0> : tensor<f32>
  %half = onnx.constant dense<0.5> : tensor<f32>
  %abs = onnx.node "Abs"(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %amax = onnx.node "ReduceMax"(%abs) {axes = array<i64: -1>} : (tensor<?x4xf32>) -> tensor<?x1xf32>
  %m = onnx.node "Clip"(%amax, %eps) : (tensor<?x1xf32>, tensor<f32>) -> tensor<?x1xf32>
  %r = onnx.node "Reciprocal"(%m) : (tensor<?x1xf32>) -> tensor<?x1xf32>
  %s = onnx.node "Mul"(%n, %r) : (tensor<f32>, tensor<?x1xf32>) -> tensor<?x1xf32>
  %v = onnx.node "Mul"(%x, %s) : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  %q = onnx.node "Round"(%v) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %c = onnx.node "Clip"(%q, %qmin, %qmax) : (tensor<?x4xf32>, tensor<f32>, tensor<f32>) -> tensor<?x4xf32>
  %a = onnx.node "Div"(%c, %s) : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  %y = onnx.node "MatMul"(%a, %w) : (tensor<?x4xf32>, tensor<4x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// CHECK-LABEL: func.func @other_eps(
// CHECK-NOT: onnx.node
// CHECK: ternary.bit_linear %arg0{{.*}}quantization = #ternary.quantization<reciprocal, half_even, eps = 9.99999997E-7, qmin = -128>
// CHECK-NEXT: return
func.func @other_eps(%x: tensor<?x4xf32>, %z: tensor<?x4xf32>) -> tensor<?x2xf32> {
  %w = onnx.constant dense<[[0.5, -0.5], [0.0, -0.5], [-0.5, 0.5], [0.0, 0.5]]> : tensor<4x2xf32>
  %eps = onnx.constant dense<1.0e-06> : tensor<f32>
  %qmin = onnx.constant dense<-128.0> : tensor<f32>
  %qmax = onnx.constant dense<127.0> : tensor<f32>
  %n = onnx.constant dense<127.0> : tensor<f32>
  %half = onnx.constant dense<0.5> : tensor<f32>
  %abs = onnx.node "Abs"(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %amax = onnx.node "ReduceMax"(%abs) {axes = array<i64: -1>} : (tensor<?x4xf32>) -> tensor<?x1xf32>
  %m = onnx.node "Clip"(%amax, %eps) : (tensor<?x1xf32>, tensor<f32>) -> tensor<?x1xf32>
  %r = onnx.node "Reciprocal"(%m) : (tensor<?x1xf32>) -> tensor<?x1xf32>
  %s = onnx.node "Mul"(%n, %r) : (tensor<f32>, tensor<?x1xf32>) -> tensor<?x1xf32>
  %v = onnx.node "Mul"(%x, %s) : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  %q = onnx.node "Round"(%v) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %c = onnx.node "Clip"(%q, %qmin, %qmax) : (tensor<?x4xf32>, tensor<f32>, tensor<f32>) -> tensor<?x4xf32>
  %a = onnx.node "Div"(%c, %s) : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  %y = onnx.node "MatMul"(%a, %w) : (tensor<?x4xf32>, tensor<4x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// Max for Clip, Min and Max for the bounds, the axis counted from the front.
// CHECK-LABEL: func.func @spelled_otherwise(
// CHECK-NOT: onnx.node
// CHECK: ternary.bit_linear %arg0{{.*}}quantization = #ternary.quantization<reciprocal, half_even, eps = 9.99999974E-6, qmin = -128>
// CHECK-NEXT: return
func.func @spelled_otherwise(%x: tensor<?x4xf32>, %z: tensor<?x4xf32>) -> tensor<?x2xf32> {
  %w = onnx.constant dense<[[0.5, -0.5], [0.0, -0.5], [-0.5, 0.5], [0.0, 0.5]]> : tensor<4x2xf32>
  %eps = onnx.constant dense<1.0e-05> : tensor<f32>
  %qmin = onnx.constant dense<-128.0> : tensor<f32>
  %qmax = onnx.constant dense<127.0> : tensor<f32>
  %n = onnx.constant dense<127.0> : tensor<f32>
  %half = onnx.constant dense<0.5> : tensor<f32>
  %abs = onnx.node "Abs"(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %amax = onnx.node "ReduceMax"(%abs) {axes = array<i64: 1>} : (tensor<?x4xf32>) -> tensor<?x1xf32>
  %m = onnx.node "Max"(%eps, %amax) : (tensor<f32>, tensor<?x1xf32>) -> tensor<?x1xf32>
  %r = onnx.node "Reciprocal"(%m) : (tensor<?x1xf32>) -> tensor<?x1xf32>
  %s = onnx.node "Mul"(%n, %r) : (tensor<f32>, tensor<?x1xf32>) -> tensor<?x1xf32>
  %v = onnx.node "Mul"(%x, %s) : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  %q = onnx.node "Round"(%v) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %lo = onnx.node "Max"(%q, %qmin) : (tensor<?x4xf32>, tensor<f32>) -> tensor<?x4xf32>
  %c = onnx.node "Min"(%lo, %qmax) : (tensor<?x4xf32>, tensor<f32>) -> tensor<?x4xf32>
  %a = onnx.node "Div"(%c, %s) : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  %y = onnx.node "MatMul"(%a, %w) : (tensor<?x4xf32>, tensor<4x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// With whole bounds, rounding and clamping commute.
// CHECK-LABEL: func.func @clamped_first(
// CHECK-NOT: onnx.node
// CHECK: ternary.bit_linear %arg0{{.*}}quantization = #ternary.quantization<reciprocal, half_even, eps = 9.99999974E-6, qmin = -128>
// CHECK-NEXT: return
func.func @clamped_first(%x: tensor<?x4xf32>, %z: tensor<?x4xf32>) -> tensor<?x2xf32> {
  %w = onnx.constant dense<[[0.5, -0.5], [0.0, -0.5], [-0.5, 0.5], [0.0, 0.5]]> : tensor<4x2xf32>
  %eps = onnx.constant dense<1.0e-05> : tensor<f32>
  %qmin = onnx.constant dense<-128.0> : tensor<f32>
  %qmax = onnx.constant dense<127.0> : tensor<f32>
  %n = onnx.constant dense<127.0> : tensor<f32>
  %half = onnx.constant dense<0.5> : tensor<f32>
  %abs = onnx.node "Abs"(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %amax = onnx.node "ReduceMax"(%abs) {axes = array<i64: -1>} : (tensor<?x4xf32>) -> tensor<?x1xf32>
  %m = onnx.node "Clip"(%amax, %eps) : (tensor<?x1xf32>, tensor<f32>) -> tensor<?x1xf32>
  %r = onnx.node "Reciprocal"(%m) : (tensor<?x1xf32>) -> tensor<?x1xf32>
  %s = onnx.node "Mul"(%n, %r) : (tensor<f32>, tensor<?x1xf32>) -> tensor<?x1xf32>
  %v = onnx.node "Mul"(%x, %s) : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  %lo = onnx.node "Clip"(%v, %qmin, %qmax) : (tensor<?x4xf32>, tensor<f32>, tensor<f32>) -> tensor<?x4xf32>
  %c = onnx.node "Round"(%lo) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %a = onnx.node "Div"(%c, %s) : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  %y = onnx.node "MatMul"(%a, %w) : (tensor<?x4xf32>, tensor<4x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// CHECK-LABEL: func.func @straight_through(
// CHECK-NOT: onnx.node
// CHECK: ternary.bit_linear %arg0{{.*}}quantization = #ternary.quantization<reciprocal, half_even, eps = 9.99999974E-6, qmin = -128>
// CHECK-NEXT: return
func.func @straight_through(%x: tensor<?x4xf32>, %z: tensor<?x4xf32>) -> tensor<?x2xf32> {
  %w = onnx.constant dense<[[0.5, -0.5], [0.0, -0.5], [-0.5, 0.5], [0.0, 0.5]]> : tensor<4x2xf32>
  %eps = onnx.constant dense<1.0e-05> : tensor<f32>
  %qmin = onnx.constant dense<-128.0> : tensor<f32>
  %qmax = onnx.constant dense<127.0> : tensor<f32>
  %n = onnx.constant dense<127.0> : tensor<f32>
  %half = onnx.constant dense<0.5> : tensor<f32>
  %abs = onnx.node "Abs"(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %amax = onnx.node "ReduceMax"(%abs) {axes = array<i64: -1>} : (tensor<?x4xf32>) -> tensor<?x1xf32>
  %m = onnx.node "Clip"(%amax, %eps) : (tensor<?x1xf32>, tensor<f32>) -> tensor<?x1xf32>
  %r = onnx.node "Reciprocal"(%m) : (tensor<?x1xf32>) -> tensor<?x1xf32>
  %s = onnx.node "Mul"(%n, %r) : (tensor<f32>, tensor<?x1xf32>) -> tensor<?x1xf32>
  %v = onnx.node "Mul"(%x, %s) : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  %q = onnx.node "Round"(%v) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %c = onnx.node "Clip"(%q, %qmin, %qmax) : (tensor<?x4xf32>, tensor<f32>, tensor<f32>) -> tensor<?x4xf32>
  %a = onnx.node "Div"(%c, %s) : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  %d = onnx.node "Sub"(%a, %x) : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %ste = onnx.node "Add"(%x, %d) : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = onnx.node "MatMul"(%ste, %w) : (tensor<?x4xf32>, tensor<4x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// Codes for certain, by a rule that the dialect does not have.
// CHECK-LABEL: func.func @no_eps(
// CHECK: %[[C:.*]] = onnx.node "Clip"(%{{[0-9]+}}, %{{[0-9]+}}, %{{[0-9]+}})
// CHECK: %[[I:.*]] = onnx.node "Cast"(%[[C]]) {to = 3 : i64}
// CHECK: %[[P:.*]] = ternary.matmul %[[I]]
// CHECK: %[[F:.*]] = ternary.rescale %[[P]]
// CHECK: onnx.node "Div"(%[[F]],
func.func @no_eps(%x: tensor<?x4xf32>, %z: tensor<?x4xf32>) -> tensor<?x2xf32> {
  %w = onnx.constant dense<[[0.5, -0.5], [0.0, -0.5], [-0.5, 0.5], [0.0, 0.5]]> : tensor<4x2xf32>
  %eps = onnx.constant dense<1.0e-05> : tensor<f32>
  %qmin = onnx.constant dense<-128.0> : tensor<f32>
  %qmax = onnx.constant dense<127.0> : tensor<f32>
  %n = onnx.constant dense<127.0> : tensor<f32>
  %half = onnx.constant dense<0.5> : tensor<f32>
  %abs = onnx.node "Abs"(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %amax = onnx.node "ReduceMax"(%abs) {axes = array<i64: -1>} : (tensor<?x4xf32>) -> tensor<?x1xf32>
  %r = onnx.node "Reciprocal"(%amax) : (tensor<?x1xf32>) -> tensor<?x1xf32>
  %s = onnx.node "Mul"(%n, %r) : (tensor<f32>, tensor<?x1xf32>) -> tensor<?x1xf32>
  %v = onnx.node "Mul"(%x, %s) : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  %q = onnx.node "Round"(%v) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %c = onnx.node "Clip"(%q, %qmin, %qmax) : (tensor<?x4xf32>, tensor<f32>, tensor<f32>) -> tensor<?x4xf32>
  %a = onnx.node "Div"(%c, %s) : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  %y = onnx.node "MatMul"(%a, %w) : (tensor<?x4xf32>, tensor<4x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// The absmax of another value.
// CHECK-LABEL: func.func @other_absmax(
// CHECK: %[[C:.*]] = onnx.node "Clip"(%{{[0-9]+}}, %{{[0-9]+}}, %{{[0-9]+}})
// CHECK: %[[I:.*]] = onnx.node "Cast"(%[[C]]) {to = 3 : i64}
// CHECK: %[[P:.*]] = ternary.matmul %[[I]]
// CHECK: %[[F:.*]] = ternary.rescale %[[P]]
// CHECK: onnx.node "Div"(%[[F]],
func.func @other_absmax(%x: tensor<?x4xf32>, %z: tensor<?x4xf32>) -> tensor<?x2xf32> {
  %w = onnx.constant dense<[[0.5, -0.5], [0.0, -0.5], [-0.5, 0.5], [0.0, 0.5]]> : tensor<4x2xf32>
  %eps = onnx.constant dense<1.0e-05> : tensor<f32>
  %qmin = onnx.constant dense<-128.0> : tensor<f32>
  %qmax = onnx.constant dense<127.0> : tensor<f32>
  %n = onnx.constant dense<127.0> : tensor<f32>
  %half = onnx.constant dense<0.5> : tensor<f32>
  %abs = onnx.node "Abs"(%z) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %amax = onnx.node "ReduceMax"(%abs) {axes = array<i64: -1>} : (tensor<?x4xf32>) -> tensor<?x1xf32>
  %m = onnx.node "Clip"(%amax, %eps) : (tensor<?x1xf32>, tensor<f32>) -> tensor<?x1xf32>
  %r = onnx.node "Reciprocal"(%m) : (tensor<?x1xf32>) -> tensor<?x1xf32>
  %s = onnx.node "Mul"(%n, %r) : (tensor<f32>, tensor<?x1xf32>) -> tensor<?x1xf32>
  %v = onnx.node "Mul"(%x, %s) : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  %q = onnx.node "Round"(%v) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %c = onnx.node "Clip"(%q, %qmin, %qmax) : (tensor<?x4xf32>, tensor<f32>, tensor<f32>) -> tensor<?x4xf32>
  %a = onnx.node "Div"(%c, %s) : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  %y = onnx.node "MatMul"(%a, %w) : (tensor<?x4xf32>, tensor<4x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// CHECK-LABEL: func.func @other_axis(
// CHECK: %[[C:.*]] = onnx.node "Clip"(%{{[0-9]+}}, %{{[0-9]+}}, %{{[0-9]+}})
// CHECK: %[[I:.*]] = onnx.node "Cast"(%[[C]]) {to = 3 : i64}
// CHECK: %[[P:.*]] = ternary.matmul %[[I]]
// CHECK: %[[F:.*]] = ternary.rescale %[[P]]
// CHECK: onnx.node "Div"(%[[F]],
func.func @other_axis(%x: tensor<?x4xf32>, %z: tensor<?x4xf32>) -> tensor<?x2xf32> {
  %w = onnx.constant dense<[[0.5, -0.5], [0.0, -0.5], [-0.5, 0.5], [0.0, 0.5]]> : tensor<4x2xf32>
  %eps = onnx.constant dense<1.0e-05> : tensor<f32>
  %qmin = onnx.constant dense<-128.0> : tensor<f32>
  %qmax = onnx.constant dense<127.0> : tensor<f32>
  %n = onnx.constant dense<127.0> : tensor<f32>
  %half = onnx.constant dense<0.5> : tensor<f32>
  %abs = onnx.node "Abs"(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %amax = onnx.node "ReduceMax"(%abs) {axes = array<i64: 0>} : (tensor<?x4xf32>) -> tensor<?x1xf32>
  %m = onnx.node "Clip"(%amax, %eps) : (tensor<?x1xf32>, tensor<f32>) -> tensor<?x1xf32>
  %r = onnx.node "Reciprocal"(%m) : (tensor<?x1xf32>) -> tensor<?x1xf32>
  %s = onnx.node "Mul"(%n, %r) : (tensor<f32>, tensor<?x1xf32>) -> tensor<?x1xf32>
  %v = onnx.node "Mul"(%x, %s) : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  %q = onnx.node "Round"(%v) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %c = onnx.node "Clip"(%q, %qmin, %qmax) : (tensor<?x4xf32>, tensor<f32>, tensor<f32>) -> tensor<?x4xf32>
  %a = onnx.node "Div"(%c, %s) : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  %y = onnx.node "MatMul"(%a, %w) : (tensor<?x4xf32>, tensor<4x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// CHECK-LABEL: func.func @four_bits(
// CHECK: %[[C:.*]] = onnx.node "Clip"(%{{[0-9]+}}, %{{[0-9]+}}, %{{[0-9]+}})
// CHECK: %[[I:.*]] = onnx.node "Cast"(%[[C]]) {to = 3 : i64}
// CHECK: %[[P:.*]] = ternary.matmul %[[I]]
// CHECK: %[[F:.*]] = ternary.rescale %[[P]]
// CHECK: onnx.node "Div"(%[[F]],
func.func @four_bits(%x: tensor<?x4xf32>, %z: tensor<?x4xf32>) -> tensor<?x2xf32> {
  %w = onnx.constant dense<[[0.5, -0.5], [0.0, -0.5], [-0.5, 0.5], [0.0, 0.5]]> : tensor<4x2xf32>
  %eps = onnx.constant dense<1.0e-05> : tensor<f32>
  %qmin = onnx.constant dense<-8.0> : tensor<f32>
  %qmax = onnx.constant dense<7.0> : tensor<f32>
  %n = onnx.constant dense<127.0> : tensor<f32>
  %half = onnx.constant dense<0.5> : tensor<f32>
  %abs = onnx.node "Abs"(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %amax = onnx.node "ReduceMax"(%abs) {axes = array<i64: -1>} : (tensor<?x4xf32>) -> tensor<?x1xf32>
  %m = onnx.node "Clip"(%amax, %eps) : (tensor<?x1xf32>, tensor<f32>) -> tensor<?x1xf32>
  %r = onnx.node "Reciprocal"(%m) : (tensor<?x1xf32>) -> tensor<?x1xf32>
  %s = onnx.node "Mul"(%n, %r) : (tensor<f32>, tensor<?x1xf32>) -> tensor<?x1xf32>
  %v = onnx.node "Mul"(%x, %s) : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  %q = onnx.node "Round"(%v) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %c = onnx.node "Clip"(%q, %qmin, %qmax) : (tensor<?x4xf32>, tensor<f32>, tensor<f32>) -> tensor<?x4xf32>
  %a = onnx.node "Div"(%c, %s) : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  %y = onnx.node "MatMul"(%a, %w) : (tensor<?x4xf32>, tensor<4x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// CHECK-LABEL: func.func @negative_eps(
// CHECK: %[[C:.*]] = onnx.node "Clip"(%{{[0-9]+}}, %{{[0-9]+}}, %{{[0-9]+}})
// CHECK: %[[I:.*]] = onnx.node "Cast"(%[[C]]) {to = 3 : i64}
// CHECK: %[[P:.*]] = ternary.matmul %[[I]]
// CHECK: %[[F:.*]] = ternary.rescale %[[P]]
// CHECK: onnx.node "Div"(%[[F]],
func.func @negative_eps(%x: tensor<?x4xf32>, %z: tensor<?x4xf32>) -> tensor<?x2xf32> {
  %w = onnx.constant dense<[[0.5, -0.5], [0.0, -0.5], [-0.5, 0.5], [0.0, 0.5]]> : tensor<4x2xf32>
  %eps = onnx.constant dense<-1.0> : tensor<f32>
  %qmin = onnx.constant dense<-128.0> : tensor<f32>
  %qmax = onnx.constant dense<127.0> : tensor<f32>
  %n = onnx.constant dense<127.0> : tensor<f32>
  %half = onnx.constant dense<0.5> : tensor<f32>
  %abs = onnx.node "Abs"(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %amax = onnx.node "ReduceMax"(%abs) {axes = array<i64: -1>} : (tensor<?x4xf32>) -> tensor<?x1xf32>
  %m = onnx.node "Clip"(%amax, %eps) : (tensor<?x1xf32>, tensor<f32>) -> tensor<?x1xf32>
  %r = onnx.node "Reciprocal"(%m) : (tensor<?x1xf32>) -> tensor<?x1xf32>
  %s = onnx.node "Mul"(%n, %r) : (tensor<f32>, tensor<?x1xf32>) -> tensor<?x1xf32>
  %v = onnx.node "Mul"(%x, %s) : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  %q = onnx.node "Round"(%v) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %c = onnx.node "Clip"(%q, %qmin, %qmax) : (tensor<?x4xf32>, tensor<f32>, tensor<f32>) -> tensor<?x4xf32>
  %a = onnx.node "Div"(%c, %s) : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  %y = onnx.node "MatMul"(%a, %w) : (tensor<?x4xf32>, tensor<4x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// Multiplied by the scale instead of divided.
// CHECK-LABEL: func.func @wrong_dequant(
// CHECK: %[[C:.*]] = onnx.node "Clip"(%{{[0-9]+}}, %{{[0-9]+}}, %{{[0-9]+}})
// CHECK: %[[I:.*]] = onnx.node "Cast"(%[[C]]) {to = 3 : i64}
// CHECK: %[[P:.*]] = ternary.matmul %[[I]]
// CHECK: %[[F:.*]] = ternary.rescale %[[P]]
// CHECK: onnx.node "Mul"(%[[F]],
func.func @wrong_dequant(%x: tensor<?x4xf32>, %z: tensor<?x4xf32>) -> tensor<?x2xf32> {
  %w = onnx.constant dense<[[0.5, -0.5], [0.0, -0.5], [-0.5, 0.5], [0.0, 0.5]]> : tensor<4x2xf32>
  %eps = onnx.constant dense<1.0e-05> : tensor<f32>
  %qmin = onnx.constant dense<-128.0> : tensor<f32>
  %qmax = onnx.constant dense<127.0> : tensor<f32>
  %n = onnx.constant dense<127.0> : tensor<f32>
  %half = onnx.constant dense<0.5> : tensor<f32>
  %abs = onnx.node "Abs"(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %amax = onnx.node "ReduceMax"(%abs) {axes = array<i64: -1>} : (tensor<?x4xf32>) -> tensor<?x1xf32>
  %m = onnx.node "Clip"(%amax, %eps) : (tensor<?x1xf32>, tensor<f32>) -> tensor<?x1xf32>
  %r = onnx.node "Reciprocal"(%m) : (tensor<?x1xf32>) -> tensor<?x1xf32>
  %s = onnx.node "Mul"(%n, %r) : (tensor<f32>, tensor<?x1xf32>) -> tensor<?x1xf32>
  %v = onnx.node "Mul"(%x, %s) : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  %q = onnx.node "Round"(%v) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %c = onnx.node "Clip"(%q, %qmin, %qmax) : (tensor<?x4xf32>, tensor<f32>, tensor<f32>) -> tensor<?x4xf32>
  %a = onnx.node "Mul"(%c, %s) : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  %y = onnx.node "MatMul"(%a, %w) : (tensor<?x4xf32>, tensor<4x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// 128 does not fit int8: the activations stay float.
// CHECK-LABEL: func.func @too_wide(
// CHECK: onnx.node
// CHECK: ternary.bit_linear %{{[0-9]+}}, {{.*}} {form = "baked"}
func.func @too_wide(%x: tensor<?x4xf32>, %z: tensor<?x4xf32>) -> tensor<?x2xf32> {
  %w = onnx.constant dense<[[0.5, -0.5], [0.0, -0.5], [-0.5, 0.5], [0.0, 0.5]]> : tensor<4x2xf32>
  %eps = onnx.constant dense<1.0e-05> : tensor<f32>
  %qmin = onnx.constant dense<-128.0> : tensor<f32>
  %qmax = onnx.constant dense<128.0> : tensor<f32>
  %n = onnx.constant dense<127.0> : tensor<f32>
  %half = onnx.constant dense<0.5> : tensor<f32>
  %abs = onnx.node "Abs"(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %amax = onnx.node "ReduceMax"(%abs) {axes = array<i64: -1>} : (tensor<?x4xf32>) -> tensor<?x1xf32>
  %m = onnx.node "Clip"(%amax, %eps) : (tensor<?x1xf32>, tensor<f32>) -> tensor<?x1xf32>
  %r = onnx.node "Reciprocal"(%m) : (tensor<?x1xf32>) -> tensor<?x1xf32>
  %s = onnx.node "Mul"(%n, %r) : (tensor<f32>, tensor<?x1xf32>) -> tensor<?x1xf32>
  %v = onnx.node "Mul"(%x, %s) : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  %q = onnx.node "Round"(%v) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %c = onnx.node "Clip"(%q, %qmin, %qmax) : (tensor<?x4xf32>, tensor<f32>, tensor<f32>) -> tensor<?x4xf32>
  %a = onnx.node "Div"(%c, %s) : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  %y = onnx.node "MatMul"(%a, %w) : (tensor<?x4xf32>, tensor<4x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// CHECK-LABEL: func.func @not_whole(
// CHECK: onnx.node
// CHECK: ternary.bit_linear %{{[0-9]+}}, {{.*}} {form = "baked"}
func.func @not_whole(%x: tensor<?x4xf32>, %z: tensor<?x4xf32>) -> tensor<?x2xf32> {
  %w = onnx.constant dense<[[0.5, -0.5], [0.0, -0.5], [-0.5, 0.5], [0.0, 0.5]]> : tensor<4x2xf32>
  %eps = onnx.constant dense<1.0e-05> : tensor<f32>
  %qmin = onnx.constant dense<-127.5> : tensor<f32>
  %qmax = onnx.constant dense<127.0> : tensor<f32>
  %n = onnx.constant dense<127.0> : tensor<f32>
  %half = onnx.constant dense<0.5> : tensor<f32>
  %abs = onnx.node "Abs"(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %amax = onnx.node "ReduceMax"(%abs) {axes = array<i64: -1>} : (tensor<?x4xf32>) -> tensor<?x1xf32>
  %m = onnx.node "Clip"(%amax, %eps) : (tensor<?x1xf32>, tensor<f32>) -> tensor<?x1xf32>
  %r = onnx.node "Reciprocal"(%m) : (tensor<?x1xf32>) -> tensor<?x1xf32>
  %s = onnx.node "Mul"(%n, %r) : (tensor<f32>, tensor<?x1xf32>) -> tensor<?x1xf32>
  %v = onnx.node "Mul"(%x, %s) : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  %q = onnx.node "Round"(%v) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %c = onnx.node "Clip"(%q, %qmin, %qmax) : (tensor<?x4xf32>, tensor<f32>, tensor<f32>) -> tensor<?x4xf32>
  %a = onnx.node "Div"(%c, %s) : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  %y = onnx.node "MatMul"(%a, %w) : (tensor<?x4xf32>, tensor<4x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// CHECK-LABEL: func.func @rounds_down(
// CHECK: onnx.node
// CHECK: ternary.bit_linear %{{[0-9]+}}, {{.*}} {form = "baked"}
func.func @rounds_down(%x: tensor<?x4xf32>, %z: tensor<?x4xf32>) -> tensor<?x2xf32> {
  %w = onnx.constant dense<[[0.5, -0.5], [0.0, -0.5], [-0.5, 0.5], [0.0, 0.5]]> : tensor<4x2xf32>
  %eps = onnx.constant dense<1.0e-05> : tensor<f32>
  %qmin = onnx.constant dense<-128.0> : tensor<f32>
  %qmax = onnx.constant dense<127.0> : tensor<f32>
  %n = onnx.constant dense<127.0> : tensor<f32>
  %half = onnx.constant dense<0.5> : tensor<f32>
  %abs = onnx.node "Abs"(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %amax = onnx.node "ReduceMax"(%abs) {axes = array<i64: -1>} : (tensor<?x4xf32>) -> tensor<?x1xf32>
  %m = onnx.node "Clip"(%amax, %eps) : (tensor<?x1xf32>, tensor<f32>) -> tensor<?x1xf32>
  %r = onnx.node "Reciprocal"(%m) : (tensor<?x1xf32>) -> tensor<?x1xf32>
  %s = onnx.node "Mul"(%n, %r) : (tensor<f32>, tensor<?x1xf32>) -> tensor<?x1xf32>
  %v = onnx.node "Mul"(%x, %s) : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  %q = onnx.node "Floor"(%v) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %c = onnx.node "Clip"(%q, %qmin, %qmax) : (tensor<?x4xf32>, tensor<f32>, tensor<f32>) -> tensor<?x4xf32>
  %a = onnx.node "Div"(%c, %s) : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  %y = onnx.node "MatMul"(%a, %w) : (tensor<?x4xf32>, tensor<4x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// Narrowing to f16 loses next to nothing of a dequantised code, so codes are
// multiplied; bf16 keeps 8 bits of code / scale, and the layer takes them as given.
// CHECK-LABEL: func.func @narrowed(
// CHECK: %[[ROUND:.*]] = onnx.node "Round"
// CHECK: %[[CODES:.*]] = onnx.node "Clip"(%[[ROUND]],
// CHECK: %[[VALUE:.*]] = onnx.node "Div"(%[[CODES]],
// CHECK: %[[SHORT:.*]] = onnx.node "Cast"(%[[VALUE]]) {{.*}} -> tensor<?x4xbf16>
// CHECK: ternary.bit_linear %arg0{{.*}}quantization
// CHECK: ternary.bit_linear %[[SHORT]]
// CHECK-NOT: quantization
// CHECK: return
func.func @narrowed(%x: tensor<?x4xf32>) -> (tensor<?x2xf16>, tensor<?x2xbf16>) {
  %half = onnx.constant dense<[[0.5, -0.5], [0.0, -0.5], [-0.5, 0.5], [0.0, 0.5]]> : tensor<4x2xf16>
  %brain = onnx.constant dense<[[0.5, -0.5], [0.0, -0.5], [-0.5, 0.5], [0.0, 0.5]]> : tensor<4x2xbf16>
  %eps = onnx.constant dense<1.0e-05> : tensor<f32>
  %qmin = onnx.constant dense<-128.0> : tensor<f32>
  %qmax = onnx.constant dense<127.0> : tensor<f32>
  %abs = onnx.node "Abs"(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %amax = onnx.node "ReduceMax"(%abs) {axes = array<i64: -1>} : (tensor<?x4xf32>) -> tensor<?x1xf32>
  %m = onnx.node "Clip"(%amax, %eps) : (tensor<?x1xf32>, tensor<f32>) -> tensor<?x1xf32>
  %s = onnx.node "Div"(%qmax, %m) : (tensor<f32>, tensor<?x1xf32>) -> tensor<?x1xf32>
  %v = onnx.node "Mul"(%x, %s) : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  %q = onnx.node "Round"(%v) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %c = onnx.node "Clip"(%q, %qmin, %qmax) : (tensor<?x4xf32>, tensor<f32>, tensor<f32>) -> tensor<?x4xf32>
  %a = onnx.node "Div"(%c, %s) : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  %ah = onnx.node "Cast"(%a) {to = 10 : i64} : (tensor<?x4xf32>) -> tensor<?x4xf16>
  %ab = onnx.node "Cast"(%a) {to = 16 : i64} : (tensor<?x4xf32>) -> tensor<?x4xbf16>
  %yh = onnx.node "MatMul"(%ah, %half) : (tensor<?x4xf16>, tensor<4x2xf16>) -> tensor<?x2xf16>
  %yb = onnx.node "MatMul"(%ab, %brain) : (tensor<?x4xbf16>, tensor<4x2xbf16>) -> tensor<?x2xbf16>
  return %yh, %yb : tensor<?x2xf16>, tensor<?x2xbf16>
}

// -----

// A bias of f16 is added to activations that were quantised in f32.
// CHECK-LABEL: func.func @short_bias(
// CHECK: %[[Y:.*]] = ternary.bit_linear %arg0{{.*}} -> tensor<?x2xf32>
// CHECK: %[[B:.*]] = onnx.node "Cast"(%{{.*}}) {to = 1 : i64} : (tensor<2xf16>) -> tensor<2xf32>
// CHECK: %[[Z:.*]] = onnx.node "Add"(%[[Y]], %[[B]])
// CHECK: onnx.node "Cast"(%[[Z]]) {to = 10 : i64}
func.func @short_bias(%x: tensor<?x4xf32>, %bias: tensor<2xf16>) -> tensor<?x2xf16> {
  %w = onnx.constant dense<[[0.5, -0.5], [0.0, -0.5], [-0.5, 0.5], [0.0, 0.5]]> : tensor<4x2xf16>
  %eps = onnx.constant dense<1.0e-05> : tensor<f32>
  %qmin = onnx.constant dense<-128.0> : tensor<f32>
  %qmax = onnx.constant dense<127.0> : tensor<f32>
  %abs = onnx.node "Abs"(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %amax = onnx.node "ReduceMax"(%abs) {axes = array<i64: -1>} : (tensor<?x4xf32>) -> tensor<?x1xf32>
  %m = onnx.node "Clip"(%amax, %eps) : (tensor<?x1xf32>, tensor<f32>) -> tensor<?x1xf32>
  %s = onnx.node "Div"(%qmax, %m) : (tensor<f32>, tensor<?x1xf32>) -> tensor<?x1xf32>
  %v = onnx.node "Mul"(%x, %s) : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  %q = onnx.node "Round"(%v) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %c = onnx.node "Clip"(%q, %qmin, %qmax) : (tensor<?x4xf32>, tensor<f32>, tensor<f32>) -> tensor<?x4xf32>
  %a = onnx.node "Div"(%c, %s) : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  %ah = onnx.node "Cast"(%a) {to = 10 : i64} : (tensor<?x4xf32>) -> tensor<?x4xf16>
  %y = onnx.node "Gemm"(%ah, %w, %bias) : (tensor<?x4xf16>, tensor<4x2xf16>, tensor<2xf16>) -> tensor<?x2xf16>
  return %y : tensor<?x2xf16>
}

// RUN: tern-opt %s --onnx-derive-step=kv-cache=f16 --split-input-file --verify-diagnostics | FileCheck %s --check-prefixes=CHECK,F16
// RUN: tern-opt %s --onnx-derive-step=kv-cache=i8 --split-input-file --verify-diagnostics | FileCheck %s --check-prefixes=CHECK,I8
// RUN: not tern-opt %s --onnx-derive-step=kv-cache=f8 --split-input-file 2>&1 | FileCheck %s --check-prefix=TYPE

// TYPE: error: found kv-cache 'f8'; expected model, f16 or i8

// New keys are rounded before they are appended, and attention reads what the
// buffer has. Who asks for the length of the past asks the buffer. The scales of
// codes have buffers behind those of the graph's caches.
// CHECK:       module attributes {{.*}}onnx.generation = "generation appends in place to the graph's KV cache, in
// F16-SAME:    f16"
// I8-SAME:     i8"
// CHECK-LABEL: func.func @main(
// CHECK-SAME:    tensor<1x2x?x4xf32>
// CHECK-LABEL: func.func private @step(
// F16-SAME:      %[[K:[^:]*]]: tensor<1x2x48x4xf16> {bufferization.writable = true}, %[[V:[^:]*]]: tensor<1x2x48x4xf16> {bufferization.writable = true})
// I8-SAME:       %[[K:[^:]*]]: tensor<1x2x48x4xi8> {bufferization.writable = true}, %[[V:[^:]*]]: tensor<1x2x48x4xi8> {bufferization.writable = true}, %[[KS:[^:]*]]: tensor<1x2x48xbf16> {bufferization.writable = true}, %[[VS:[^:]*]]: tensor<1x2x48xbf16> {bufferization.writable = true})
// F16:           %[[PAST:.*]] = tensor.extract_slice %[[K]]{{.*}} to tensor<1x2x?x4xf16>
// F16:           onnx.node "Shape"(%[[PAST]])
// I8:            %[[PAST:.*]] = tensor.extract_slice %[[K]]{{.*}} to tensor<1x2x?x4xi8>
// I8:            onnx.node "Shape"(%[[PAST]])
// F16:           %[[SHORT:.*]] = arith.truncf %{{.*}} : tensor<1x2x?x4xf32> to tensor<1x2x?x4xf16>
// F16:           %[[KEYS:.*]] = tensor.insert_slice %{{.*}} into %[[K]]
// F16:           %[[VALID:.*]] = tensor.extract_slice %[[KEYS]]
// F16:           onnx.node "Attention"(%{{.*}}, %[[VALID]], %{{[^,]*}}, %{{[^,]*}}, %{{[^,]*}}, %{{[^,]*}}, %{{[^,)]*}}) {{.*}} : (tensor<1x?x16xf32>, tensor<1x2x?x4xf16>, tensor<1x2x?x4xf16>,
// I8:            %[[FLAT:.*]] = tensor.collapse_shape %{{.*}} {{\[\[}}0, 1, 2], [3]] : tensor<1x2x?x4xf32> into tensor<?x4xf32>
// I8:            %[[CODES:.*]], %[[STEPS:.*]] = ternary.quantize %[[FLAT]], <step, half_even, eps = {{.*}}, qmin = -128> : tensor<?x4xf32> -> tensor<?x4xi8>, tensor<?xbf16>
// I8:            tensor.insert_slice %{{.*}} into %[[K]]
// I8:            %[[NEWSTEPS:.*]] = tensor.insert_slice %{{.*}} into %[[KS]]
// I8:            %[[VALIDSTEPS:.*]] = tensor.extract_slice %[[NEWSTEPS]]
// I8:            onnx.node "Attention"({{.*}}, %[[VALIDSTEPS]], %{{[^,)]*}}) {{.*}}tensor<1x2x?xbf16>, tensor<1x2x?xbf16>) ->
module attributes {onnx.metadata = {tern.context = "48"}, onnx.opsets = {ai.onnx = 23 : i64}} {
func.func @main(%ids: tensor<1x?xi64> {onnx.name = "input_ids"}, %k: tensor<1x2x?x4xf32>, %v: tensor<1x2x?x4xf32>)
    -> (tensor<1x?x16xf32>, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>) {
  %table = onnx.constant dense<1.0> : tensor<16x16xf32>
  %narrow = onnx.constant dense<1.0> : tensor<16x8xf32>
  %none = onnx.none
  %x = onnx.node "Gather"(%table, %ids) : (tensor<16x16xf32>, tensor<1x?xi64>) -> tensor<1x?x16xf32>
  %kv = onnx.node "MatMul"(%x, %narrow) : (tensor<1x?x16xf32>, tensor<16x8xf32>) -> tensor<1x?x8xf32>
  %shape = onnx.node "Shape"(%k) : (tensor<1x2x?x4xf32>) -> tensor<4xi64>
  %q = onnx.node "Use"(%x, %shape) : (tensor<1x?x16xf32>, tensor<4xi64>) -> tensor<1x?x16xf32>
  %y:3 = onnx.node "Attention"(%q, %kv, %kv, %none, %k, %v) {is_causal = 1, q_num_heads = 4, kv_num_heads = 2}
      : (tensor<1x?x16xf32>, tensor<1x?x8xf32>, tensor<1x?x8xf32>, none, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>)
      -> (tensor<1x?x16xf32>, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>)
  %l = onnx.node "MatMul"(%y#0, %table) : (tensor<1x?x16xf32>, tensor<16x16xf32>) -> tensor<1x?x16xf32>
  return %l, %y#1, %y#2 : tensor<1x?x16xf32>, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>
}
}

// -----

// What others read, or what a graph joins by itself, is not shortened; the other
// of two caches is.
// CHECK:         onnx.generation = "generation appends in place to the graph's KV cache, in
// CHECK-LABEL: func.func private @step(
// F16-SAME:      tensor<1x2x2048x4xf32> {{[^,]*}}, %{{[^:]*}}: tensor<1x2x2048x4xf16> {{[^,]*}}, %{{[^:]*}}: tensor<1x2x2048x4xf32>
// I8-SAME:       tensor<1x2x2048x4xf32> {{[^,]*}}, %{{[^:]*}}: tensor<1x2x2048x4xi8> {{[^,]*}}, %{{[^:]*}}: tensor<1x2x2048x4xf32> {{[^,]*}}, %{{[^:]*}}: tensor<1x2x2048xbf16>
module attributes {onnx.opsets = {ai.onnx = 23 : i64}} {
func.func @main(%ids: tensor<1x?xi64> {onnx.name = "input_ids"}, %k: tensor<1x2x?x4xf32>, %v: tensor<1x2x?x4xf32>, %c: tensor<1x2x?x4xf32>)
    -> (tensor<1x?x16xf32>, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>) {
  %table = onnx.constant dense<1.0> : tensor<16x16xf32>
  %narrow = onnx.constant dense<1.0> : tensor<16x8xf32>
  %none = onnx.none
  %x = onnx.node "Gather"(%table, %ids) : (tensor<16x16xf32>, tensor<1x?xi64>) -> tensor<1x?x16xf32>
  %kv = onnx.node "MatMul"(%x, %narrow) : (tensor<1x?x16xf32>, tensor<16x8xf32>) -> tensor<1x?x8xf32>
  %y:3 = onnx.node "Attention"(%x, %kv, %kv, %none, %k, %v) {is_causal = 1, q_num_heads = 4, kv_num_heads = 2}
      : (tensor<1x?x16xf32>, tensor<1x?x8xf32>, tensor<1x?x8xf32>, none, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>)
      -> (tensor<1x?x16xf32>, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>)
  %new = onnx.node "Heads"(%y#0, %y#1) : (tensor<1x?x16xf32>, tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32>
  %j = onnx.node "Concat"(%c, %new) {axis = 2} : (tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32>
  %h = onnx.node "Use"(%y#0, %j) : (tensor<1x?x16xf32>, tensor<1x2x?x4xf32>) -> tensor<1x?x16xf32>
  %l = onnx.node "MatMul"(%h, %table) : (tensor<1x?x16xf32>, tensor<16x16xf32>) -> tensor<1x?x16xf32>
  return %l, %y#1, %y#2, %j : tensor<1x?x16xf32>, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>
}
}

// -----

// The shape of a copy would be asked of a node whose types no longer fit; f64 is
// not what f16 or i8 are made of. Where nothing is shortened, a warning says so.
// CHECK:         onnx.generation = "generation appends in place to the graph's KV cache"
// CHECK-LABEL: func.func private @step(
// CHECK-SAME:    tensor<1x2x2048x4xf32> {{[^,]*}}, %{{[^:]*}}: tensor<1x2x2048x4xf32> {{[^,]*}}, %{{[^:]*}}: tensor<1x2x2048x4xf64>
module attributes {onnx.opsets = {ai.onnx = 23 : i64}} {
// expected-warning-re@+1 {{the KV cache stays as the graph has it: found no longer keys or values that attention alone reads; expected some to store in {{f16|i8}}}}
func.func @main(%ids: tensor<1x?xi64> {onnx.name = "input_ids"}, %k: tensor<1x2x?x4xf32>, %v: tensor<1x2x?x4xf32>, %c: tensor<1x2x?x4xf64>)
    -> (tensor<1x?x16xf32>, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf64>) {
  %table = onnx.constant dense<1.0> : tensor<16x16xf32>
  %narrow = onnx.constant dense<1.0> : tensor<16x8xf32>
  %none = onnx.none
  %x = onnx.node "Gather"(%table, %ids) : (tensor<16x16xf32>, tensor<1x?xi64>) -> tensor<1x?x16xf32>
  %kv = onnx.node "MatMul"(%x, %narrow) : (tensor<1x?x16xf32>, tensor<16x8xf32>) -> tensor<1x?x8xf32>
  %copy = onnx.node "Identity"(%k) : (tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32>
  %shape = onnx.node "Shape"(%copy) : (tensor<1x2x?x4xf32>) -> tensor<4xi64>
  %q = onnx.node "Use"(%x, %shape) : (tensor<1x?x16xf32>, tensor<4xi64>) -> tensor<1x?x16xf32>
  %y:3 = onnx.node "Attention"(%q, %kv, %kv, %none, %copy, %v) {is_causal = 1, q_num_heads = 4, kv_num_heads = 2}
      : (tensor<1x?x16xf32>, tensor<1x?x8xf32>, tensor<1x?x8xf32>, none, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>)
      -> (tensor<1x?x16xf32>, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>)
  %new = onnx.node "Heads"(%y#0, %y#2) : (tensor<1x?x16xf32>, tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf64>
  %j = onnx.node "Concat"(%c, %new) {axis = 2} : (tensor<1x2x?x4xf64>, tensor<1x2x?x4xf64>) -> tensor<1x2x?x4xf64>
  %h = onnx.node "Use"(%y#0, %j) : (tensor<1x?x16xf32>, tensor<1x2x?x4xf64>) -> tensor<1x?x16xf32>
  %l = onnx.node "MatMul"(%h, %table) : (tensor<1x?x16xf32>, tensor<16x16xf32>) -> tensor<1x?x16xf32>
  return %l, %y#1, %y#2, %j : tensor<1x?x16xf32>, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf64>
}
}

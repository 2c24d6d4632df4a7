// RUN: tern-opt %s --onnx-derive-step --split-input-file --verify-diagnostics | FileCheck %s --check-prefixes=CHECK,SAID
// RUN: tern-opt %s --onnx-derive-step=context=64 --split-input-file --verify-diagnostics | FileCheck %s --check-prefixes=CHECK,ASKED

// Two layers. The graph itself stays.
// CHECK-LABEL: func.func @main(
// CHECK-COUNT-2: onnx.node "Concat"

// The caches have the context's positions: those asked for, else the model's.
// CHECK-LABEL: func.func private @step(
// CHECK-SAME:    %[[IDS:.*]]: tensor<1x?xi64>, %[[PAST:.*]]: index, %[[N:.*]]: index,
// SAID-SAME:     %[[K0:.*]]: tensor<1x2x48x4xf32> {bufferization.writable = true}, %[[K1:.*]]: tensor<1x48x4x2xf16> {bufferization.writable = true}
// SAID-SAME:     -> (tensor<1x?x16xf32>, tensor<1x2x48x4xf32>, tensor<1x48x4x2xf16>)
// ASKED-SAME:    %[[K0:.*]]: tensor<1x2x64x4xf32> {bufferization.writable = true}, %[[K1:.*]]: tensor<1x64x4x2xf16> {bufferization.writable = true}
// CHECK:         %[[COUNT:.*]] = tensor.dim %[[IDS]], %c1
// CHECK-NEXT:    %[[TOTAL:.*]] = arith.addi %[[PAST]], %[[COUNT]]
// A mask of ones over past and present, positions from past on.
// CHECK-NEXT:    %[[ONES:.*]] = tensor.empty(%[[TOTAL]]) : tensor<1x?xi64>
// CHECK:         %[[MASK:.*]] = linalg.fill ins(%c1_i64 : i64) outs(%[[ONES]] :
// CHECK:         %[[POSITIONS:.*]] = linalg.generic
// CHECK:           %[[I:.*]] = linalg.index 1
// CHECK-NEXT:      %[[P:.*]] = arith.addi %[[I]], %[[PAST]]
// CHECK-NEXT:      arith.index_cast %[[P]] : index to i64
// What was there before, for the one who asks.
// CHECK:         %[[BEFORE:.*]] = tensor.extract_slice %[[K0]][0, 0, 0, 0] [1, 2, %[[PAST]], 4] [1, 1, 1, 1]
// CHECK-NOT:     tensor.extract_slice
// CHECK:         %[[X:.*]] = onnx.node "Gather"(%{{.*}}, %[[IDS]])
// CHECK:         onnx.node "Split"(%[[X]], %[[MASK]], %[[POSITIONS]])
// CHECK:         onnx.node "Shape"(%[[BEFORE]])
// New positions are written behind it, and what is valid is read.
// CHECK:         %[[NEW0:.*]] = tensor.cast %{{.*}} : tensor<?x2x?x4xf32> to tensor<1x2x?x4xf32>
// CHECK-NEXT:    %[[OUT0:.*]] = tensor.insert_slice %[[NEW0]] into %[[K0]][0, 0, %[[PAST]], 0] [1, 2, %[[COUNT]], 4] [1, 1, 1, 1]
// CHECK-NEXT:    %[[VALID0:.*]] = tensor.extract_slice %[[OUT0]][0, 0, 0, 0] [1, 2, %[[TOTAL]], 4] [1, 1, 1, 1]
// CHECK:         %[[OUT1:.*]] = tensor.insert_slice %{{.*}} into %[[K1]][0, %[[PAST]], 0, 0] [1, %[[COUNT]], 4, 2] [1, 1, 1, 1]
// CHECK-NEXT:    %[[VALID1:.*]] = tensor.extract_slice %[[OUT1]][0, 0, 0, 0] [1, %[[TOTAL]], 4, 2] [1, 1, 1, 1]
// CHECK-NOT:     onnx.node "Concat"
// CHECK:         %[[H:.*]] = onnx.node "Attend"(%{{.*}}, %[[VALID0]], %[[VALID1]])
// The head sees the last tokens only; its result is scaled and cast after.
// CHECK-NEXT:    %[[FULL:.*]] = tensor.cast %[[H]] : tensor<?x?x8xf16> to tensor<1x?x8xf16>
// CHECK-NEXT:    %[[FIRST:.*]] = arith.subi %[[COUNT]], %[[N]]
// CHECK-NEXT:    %[[LAST:.*]] = tensor.extract_slice %[[FULL]][0, %[[FIRST]], 0] [1, %[[N]], 8] [1, 1, 1]
// CHECK-NEXT:    onnx.node "MatMul"(%[[LAST]],
// CHECK-NEXT:    onnx.node "Mul"
// CHECK-NEXT:    %[[HALF:.*]] = tensor.cast %{{.*}} to tensor<1x?x16xf16>
// The C interface has f32.
// CHECK:         %[[LOGITS:.*]] = linalg.generic {{.*}} ins(%[[HALF]] : tensor<1x?x16xf16>)
// CHECK:           arith.extf %{{.*}} : f16 to f32
// CHECK:         return %[[LOGITS]], %[[OUT0]], %[[OUT1]]
module attributes {onnx.metadata = {tern.context = "48"}, onnx.opsets = {ai.onnx = 20 : i64}} {
func.func @main(%k0: tensor<?x2x?x4xf32> {onnx.name = "past_0"}, %mask: tensor<?x?xi64> {onnx.name = "attention_mask"},
    %ids: tensor<?x?xi64> {onnx.name = "input_ids"}, %positions: tensor<?x?xi64> {onnx.name = "position_ids"},
    %k1: tensor<?x?x4x2xf16> {onnx.name = "past_1"})
    -> (tensor<?x?x4x2xf16>, tensor<?x?x16xf16>, tensor<?x2x?x4xf32>) {
  %table = onnx.constant dense<1.0> : tensor<16x8xf16>
  %head = onnx.constant dense<1.0> : tensor<8x16xf16>
  %scale = onnx.constant dense<1.0> : tensor<16xf16>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<16x8xf16>, tensor<?x?xi64>) -> tensor<?x?x8xf16>
  %new:2 = onnx.node "Split"(%x, %mask, %positions) : (tensor<?x?x8xf16>, tensor<?x?xi64>, tensor<?x?xi64>) -> (tensor<?x2x?x4xf32>, tensor<?x?x4x2xf16>)
  %shape = onnx.node "Shape"(%k0) : (tensor<?x2x?x4xf32>) -> tensor<4xi64>
  %p0 = onnx.node "Concat"(%k0, %new#0) {axis = -2} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  %p1 = onnx.node "Concat"(%k1, %new#1) {axis = 1} : (tensor<?x?x4x2xf16>, tensor<?x?x4x2xf16>) -> tensor<?x?x4x2xf16>
  %h = onnx.node "Attend"(%shape, %p0, %p1) : (tensor<4xi64>, tensor<?x2x?x4xf32>, tensor<?x?x4x2xf16>) -> tensor<?x?x8xf16>
  %y = onnx.node "MatMul"(%h, %head) : (tensor<?x?x8xf16>, tensor<8x16xf16>) -> tensor<?x?x16xf16>
  %l = onnx.node "Mul"(%y, %scale) : (tensor<?x?x16xf16>, tensor<16xf16>) -> tensor<?x?x16xf16>
  return %p1, %l, %p0 : tensor<?x?x4x2xf16>, tensor<?x?x16xf16>, tensor<?x2x?x4xf32>
}
}

// -----

// A context beyond 2^24 makes no sense. Another Concat of the past is no cache. A
// head that is no MatMul is computed whole.
// CHECK-LABEL: func.func @main(
// SAID:  func.func private @step(%{{.*}}: tensor<1x?xi64>, %{{.*}}: index, %{{.*}}: index, %{{.*}}: tensor<1x2x2048x4xf32>
// ASKED: func.func private @step(%{{.*}}: tensor<1x?xi64>, %{{.*}}: index, %{{.*}}: index, %{{.*}}: tensor<1x2x64x4xf32>
// CHECK: onnx.node "Concat"(%[[BEFORE:.*]], %[[BEFORE]]) {axis = 0 : i64}
// CHECK: %[[L:.*]] = onnx.node "Head"
// CHECK: %[[FULL:.*]] = tensor.cast %[[L]]
// CHECK: tensor.extract_slice %[[FULL]]
module attributes {onnx.metadata = {tern.context = "16777217"}, onnx.opsets = {ai.onnx = 20 : i64}} {
func.func @main(%ids: tensor<1x?xi64> {onnx.name = "tokens"}, %k: tensor<1x2x?x4xf32>) -> (tensor<1x?x16xf32>, tensor<1x2x?x4xf32>) {
  %table = onnx.constant dense<1.0> : tensor<16x8xf32>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<16x8xf32>, tensor<1x?xi64>) -> tensor<1x?x8xf32>
  %new = onnx.node "Key"(%x) : (tensor<1x?x8xf32>) -> tensor<1x2x?x4xf32>
  %p = onnx.node "Concat"(%k, %new) {axis = 2} : (tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32>
  %twice = onnx.node "Concat"(%k, %k) {axis = 0} : (tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>) -> tensor<2x2x?x4xf32>
  %l = onnx.node "Head"(%x, %p, %twice) : (tensor<1x?x8xf32>, tensor<1x2x?x4xf32>, tensor<2x2x?x4xf32>) -> tensor<1x?x16xf32>
  return %l, %p : tensor<1x?x16xf32>, tensor<1x2x?x4xf32>
}
}

// -----

// The norm before the head is computed for the last tokens too, from what the last
// layer gives: a sum.
// CHECK-LABEL: func.func @main(
// CHECK-LABEL: func.func private @step(
// CHECK-SAME:    %{{[^ ,]*}}: tensor<1x?xi64>, %{{[^ ,]*}}: index, %[[N:[^ ,]*]]: index,
// CHECK:         %[[SUM:.*]] = onnx.node "Add"(%[[X:.*]], %[[X]])
// CHECK:         %[[FULL:.*]] = tensor.cast %[[SUM]] : tensor<?x?x8xf32> to tensor<1x?x8xf32>
// CHECK-NEXT:    %[[FIRST:.*]] = arith.subi %{{.*}}, %[[N]]
// CHECK-NEXT:    %[[LAST:.*]] = tensor.extract_slice %[[FULL]][0, %[[FIRST]], 0] [1, %[[N]], 8] [1, 1, 1]
// CHECK-NEXT:    %[[SQUARE:.*]] = onnx.node "Pow"(%[[LAST]],
// CHECK-NEXT:    %[[MEAN:.*]] = onnx.node "ReduceMean"(%[[SQUARE]],
// CHECK-NEXT:    %[[SAFE:.*]] = onnx.node "Add"(%[[MEAN]],
// CHECK-NEXT:    %[[ROOT:.*]] = onnx.node "Sqrt"(%[[SAFE]])
// CHECK-NEXT:    %[[UNIT:.*]] = onnx.node "Div"(%[[LAST]], %[[ROOT]])
// CHECK-NEXT:    %[[SCALED:.*]] = onnx.node "Mul"(%{{.*}}, %[[UNIT]])
// CHECK-NEXT:    onnx.node "MatMul"(%[[SCALED]],
func.func @main(%ids: tensor<?x?xi64>, %k: tensor<?x2x?x4xf32>) -> (tensor<?x?x16xf32>, tensor<?x2x?x4xf32>) {
  %table = onnx.constant dense<1.0> : tensor<16x8xf32>
  %head = onnx.constant dense<1.0> : tensor<8x16xf32>
  %gain = onnx.constant dense<1.0> : tensor<8xf32>
  %two = onnx.constant dense<2.0> : tensor<f32>
  %last = onnx.constant dense<-1> : tensor<1xi64>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<16x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %new = onnx.node "Key"(%x) : (tensor<?x?x8xf32>) -> tensor<?x2x?x4xf32>
  %p = onnx.node "Concat"(%k, %new) {axis = 2} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  %sum = onnx.node "Add"(%x, %x) : (tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  %square = onnx.node "Pow"(%sum, %two) : (tensor<?x?x8xf32>, tensor<f32>) -> tensor<?x?x8xf32>
  %mean = onnx.node "ReduceMean"(%square, %last) : (tensor<?x?x8xf32>, tensor<1xi64>) -> tensor<?x?x1xf32>
  %safe = onnx.node "Add"(%mean, %two) : (tensor<?x?x1xf32>, tensor<f32>) -> tensor<?x?x1xf32>
  %root = onnx.node "Sqrt"(%safe) : (tensor<?x?x1xf32>) -> tensor<?x?x1xf32>
  %unit = onnx.node "Div"(%sum, %root) : (tensor<?x?x8xf32>, tensor<?x?x1xf32>) -> tensor<?x?x8xf32>
  %scaled = onnx.node "Mul"(%gain, %unit) : (tensor<8xf32>, tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  %l = onnx.node "MatMul"(%scaled, %head) : (tensor<?x?x8xf32>, tensor<8x16xf32>) -> tensor<?x?x16xf32>
  return %l, %p : tensor<?x?x16xf32>, tensor<?x2x?x4xf32>
}

// -----

// Older exports have the axes as an attribute. Who else uses the norm has it whole.
// CHECK-LABEL: func.func @main(
// CHECK-LABEL: func.func private @step(
// CHECK:         %[[SUM:.*]] = onnx.node "Add"(
// CHECK-NEXT:    %[[ALL:.*]] = onnx.node "ReduceMean"(%[[SUM]])
// CHECK-NEXT:    %[[OFF:.*]] = onnx.node "Sub"(%[[SUM]], %[[ALL]])
// CHECK-NEXT:    onnx.node "Key"(%[[OFF]])
// CHECK:         %[[LAST:.*]] = tensor.extract_slice
// CHECK-NEXT:    %[[MEAN:.*]] = onnx.node "ReduceMean"(%[[LAST]])
// CHECK-NEXT:    %[[LASTOFF:.*]] = onnx.node "Sub"(%[[LAST]], %[[MEAN]])
// CHECK-NEXT:    onnx.node "MatMul"(%[[LASTOFF]],
func.func @main(%ids: tensor<?x?xi64>, %k: tensor<?x2x?x4xf32>) -> (tensor<?x?x16xf32>, tensor<?x2x?x4xf32>) {
  %table = onnx.constant dense<1.0> : tensor<16x8xf32>
  %head = onnx.constant dense<1.0> : tensor<8x16xf32>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<16x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %sum = onnx.node "Add"(%x, %x) : (tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  %mean = onnx.node "ReduceMean"(%sum) {axes = array<i64: 2>} : (tensor<?x?x8xf32>) -> tensor<?x?x1xf32>
  %off = onnx.node "Sub"(%sum, %mean) : (tensor<?x?x8xf32>, tensor<?x?x1xf32>) -> tensor<?x?x8xf32>
  %new = onnx.node "Key"(%off) : (tensor<?x?x8xf32>) -> tensor<?x2x?x4xf32>
  %p = onnx.node "Concat"(%k, %new) {axis = 2} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  %l = onnx.node "MatMul"(%off, %head) : (tensor<?x?x8xf32>, tensor<8x16xf32>) -> tensor<?x?x16xf32>
  return %l, %p : tensor<?x?x16xf32>, tensor<?x2x?x4xf32>
}

// -----

// What reduces the tokens too, or has a factor for each, is computed for all.
// CHECK-LABEL: func.func @main(
// CHECK-LABEL: func.func private @step(
// CHECK:         %[[MEAN:.*]] = onnx.node "ReduceMean"
// CHECK-NEXT:    %[[OFF:.*]] = onnx.node "Sub"(%{{.*}}, %[[MEAN]])
// CHECK-NEXT:    tensor.cast %[[OFF]]
// CHECK:         %[[LAST:.*]] = tensor.extract_slice
// CHECK-NEXT:    onnx.node "MatMul"(%[[LAST]],
func.func @main(%ids: tensor<?x?xi64>, %k: tensor<?x2x?x4xf32>) -> (tensor<?x?x16xf32>, tensor<?x2x?x4xf32>) {
  %table = onnx.constant dense<1.0> : tensor<16x8xf32>
  %head = onnx.constant dense<1.0> : tensor<8x16xf32>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<16x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %new = onnx.node "Key"(%x) : (tensor<?x?x8xf32>) -> tensor<?x2x?x4xf32>
  %p = onnx.node "Concat"(%k, %new) {axis = 2} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  %sum = onnx.node "Add"(%x, %x) : (tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  %mean = onnx.node "ReduceMean"(%sum) {axes = array<i64: 1, 2>} : (tensor<?x?x8xf32>) -> tensor<?x?x1xf32>
  %off = onnx.node "Sub"(%sum, %mean) : (tensor<?x?x8xf32>, tensor<?x?x1xf32>) -> tensor<?x?x8xf32>
  %l = onnx.node "MatMul"(%off, %head) : (tensor<?x?x8xf32>, tensor<8x16xf32>) -> tensor<?x?x16xf32>
  return %l, %p : tensor<?x?x16xf32>, tensor<?x2x?x4xf32>
}

// -----

// CHECK-LABEL: func.func @main(
// CHECK-LABEL: func.func private @step(
// CHECK:         %[[SCALED:.*]] = onnx.node "Mul"(%{{.*}}, %{{.*}}) : (tensor<5x8xf32>
// CHECK-NEXT:    %[[FULL:.*]] = tensor.cast %[[SCALED]]
// CHECK:         %[[LAST:.*]] = tensor.extract_slice %[[FULL]]
// CHECK-NEXT:    %[[ROOT:.*]] = onnx.node "Sqrt"(%[[LAST]])
// CHECK-NEXT:    onnx.node "MatMul"(%[[ROOT]],
func.func @main(%ids: tensor<?x?xi64>, %k: tensor<?x2x?x4xf32>) -> (tensor<?x?x16xf32>, tensor<?x2x?x4xf32>) {
  %table = onnx.constant dense<1.0> : tensor<16x8xf32>
  %head = onnx.constant dense<1.0> : tensor<8x16xf32>
  %each = onnx.constant dense<1.0> : tensor<5x8xf32>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<16x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %new = onnx.node "Key"(%x) : (tensor<?x?x8xf32>) -> tensor<?x2x?x4xf32>
  %p = onnx.node "Concat"(%k, %new) {axis = 2} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  %scaled = onnx.node "Mul"(%each, %x) : (tensor<5x8xf32>, tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  %root = onnx.node "Sqrt"(%scaled) : (tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  %l = onnx.node "MatMul"(%root, %head) : (tensor<?x?x8xf32>, tensor<8x16xf32>) -> tensor<?x?x16xf32>
  return %l, %p : tensor<?x?x16xf32>, tensor<?x2x?x4xf32>
}

// -----

// Two values might be of different tokens: one of one token would be repeated.
// CHECK-LABEL: func.func @main(
// CHECK-LABEL: func.func private @step(
// CHECK:         %[[PRODUCT:.*]] = onnx.node "Mul"
// CHECK-NEXT:    %[[FULL:.*]] = tensor.cast %[[PRODUCT]]
// CHECK:         %[[LAST:.*]] = tensor.extract_slice %[[FULL]]
// CHECK-NEXT:    onnx.node "MatMul"(%[[LAST]],
func.func @main(%ids: tensor<?x?xi64>, %k: tensor<?x2x?x4xf32>) -> (tensor<?x?x16xf32>, tensor<?x2x?x4xf32>) {
  %table = onnx.constant dense<1.0> : tensor<16x8xf32>
  %head = onnx.constant dense<1.0> : tensor<8x16xf32>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<16x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %new = onnx.node "Key"(%x) : (tensor<?x?x8xf32>) -> tensor<?x2x?x4xf32>
  %gate = onnx.node "Gate"(%x) : (tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  %p = onnx.node "Concat"(%k, %new) {axis = 2} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  %product = onnx.node "Mul"(%gate, %x) : (tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  %l = onnx.node "MatMul"(%product, %head) : (tensor<?x?x8xf32>, tensor<8x16xf32>) -> tensor<?x?x16xf32>
  return %l, %p : tensor<?x?x16xf32>, tensor<?x2x?x4xf32>
}

// -----

// A factor for each token is not cut with the tokens: the result is.
// CHECK-LABEL: func.func @main(
// CHECK-LABEL: func.func private @step(
// CHECK:         onnx.node "Mul"
// CHECK:         tensor.extract_slice %{{.*}}[0, %{{.*}}, 0] [1, %{{.*}}, 16]
func.func @main(%ids: tensor<?x?xi64>, %k: tensor<?x2x?x4xf32>) -> (tensor<?x?x16xf32>, tensor<?x2x?x4xf32>) {
  %table = onnx.constant dense<1.0> : tensor<16x8xf32>
  %head = onnx.constant dense<1.0> : tensor<8x16xf32>
  %each = onnx.constant dense<1.0> : tensor<5x16xf32>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<16x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %new = onnx.node "Key"(%x) : (tensor<?x?x8xf32>) -> tensor<?x2x?x4xf32>
  %p = onnx.node "Concat"(%k, %new) {axis = 2} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  %y = onnx.node "MatMul"(%x, %head) : (tensor<?x?x8xf32>, tensor<8x16xf32>) -> tensor<?x?x16xf32>
  %l = onnx.node "Mul"(%y, %each) : (tensor<?x?x16xf32>, tensor<5x16xf32>) -> tensor<?x?x16xf32>
  return %l, %p : tensor<?x?x16xf32>, tensor<?x2x?x4xf32>
}

// -----

// Refused: no cache, and the logits of a token depend on those behind it.
// CHECK-LABEL: func.func @main(
// CHECK-NOT:   @step
func.func @main(%ids: tensor<?x?xi64>) -> tensor<?x?x16xf32> {
  %one = onnx.constant dense<1> : tensor<1xi64>
  %table = onnx.constant dense<1.0> : tensor<16x16xf32>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<16x16xf32>, tensor<?x?xi64>) -> tensor<?x?x16xf32>
  // expected-warning @below {{generation recomputes the whole sequence for each token: ReduceMean: it reduces over tokens}}
  %m = onnx.node "ReduceMean"(%x, %one) : (tensor<?x?x16xf32>, tensor<1xi64>) -> tensor<?x1x16xf32>
  %y = onnx.node "Add"(%x, %m) : (tensor<?x?x16xf32>, tensor<?x1x16xf32>) -> tensor<?x?x16xf32>
  return %y : tensor<?x?x16xf32>
}

// -----

// Refused: an input that nobody can supply.
// CHECK-LABEL: func.func @main(
// CHECK-NOT:   @step
// expected-warning @below {{the model does not generate text by itself: input 'token_type_ids' has no role in generating text; expected token ids, an attention mask, positions or a KV cache}}
func.func @main(%ids: tensor<?x?xi64>, %k: tensor<?x2x?x4xf32>, %types: tensor<?x?xi64> {onnx.name = "token_type_ids"}) -> (tensor<?x?x16xf32>, tensor<?x2x?x4xf32>) {
  %table = onnx.constant dense<1.0> : tensor<16x16xf32>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<16x16xf32>, tensor<?x?xi64>) -> tensor<?x?x16xf32>
  %new = onnx.node "Key"(%x, %types) : (tensor<?x?x16xf32>, tensor<?x?xi64>) -> tensor<?x2x?x4xf32>
  %p = onnx.node "Concat"(%k, %new) {axis = 2} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  return %x, %p : tensor<?x?x16xf32>, tensor<?x2x?x4xf32>
}

// -----

// Refused: caches with a dynamic number of heads have no size.
// CHECK-LABEL: func.func @main(
// CHECK-NOT:   @step
func.func @main(%ids: tensor<?x?xi64>, %k: tensor<?x?x?x4xf32> {onnx.name = "past"}) -> (tensor<?x?x16xf32>, tensor<?x?x?x4xf32>) {
  %table = onnx.constant dense<1.0> : tensor<16x16xf32>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<16x16xf32>, tensor<?x?xi64>) -> tensor<?x?x16xf32>
  %new = onnx.node "Key"(%x) : (tensor<?x?x16xf32>) -> tensor<?x?x?x4xf32>
  // expected-warning @below {{generation passes its KV cache through every call: input 'past' has type 'tensor<?x?x?x4xf32>'; expected a cache of one sequence, of any length, of known heads and head size}}
  %p = onnx.node "Concat"(%k, %new) {axis = 2} : (tensor<?x?x?x4xf32>, tensor<?x?x?x4xf32>) -> tensor<?x?x?x4xf32>
  return %x, %p : tensor<?x?x16xf32>, tensor<?x?x?x4xf32>
}

// -----

// Refused: made for two sequences.
// CHECK-LABEL: func.func @main(
// CHECK-NOT:   @step
// expected-warning @below {{generation passes its KV cache through every call: input 'ids' has type 'tensor<2x?xi64>'; expected one sequence of any length}}
func.func @main(%ids: tensor<2x?xi64> {onnx.name = "ids"}, %k: tensor<2x2x?x4xf32>) -> (tensor<2x?x16xf32>, tensor<2x2x?x4xf32>) {
  %table = onnx.constant dense<1.0> : tensor<16x16xf32>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<16x16xf32>, tensor<2x?xi64>) -> tensor<2x?x16xf32>
  %new = onnx.node "Key"(%x) : (tensor<2x?x16xf32>) -> tensor<2x2x?x4xf32>
  %p = onnx.node "Concat"(%k, %new) {axis = 2} : (tensor<2x2x?x4xf32>, tensor<2x2x?x4xf32>) -> tensor<2x2x?x4xf32>
  return %x, %p : tensor<2x?x16xf32>, tensor<2x2x?x4xf32>
}

// -----

// Refused: made for one token at a time.
// CHECK-LABEL: func.func @main(
// CHECK-NOT:   @step
// expected-warning @below {{generation passes its KV cache through every call: input 'ids' has type 'tensor<?x1xi64>'; expected one sequence of any length}}
func.func @main(%ids: tensor<?x1xi64> {onnx.name = "ids"}, %k: tensor<?x2x?x4xf32>) -> (tensor<?x1x16xf32>, tensor<?x2x?x4xf32>) {
  %table = onnx.constant dense<1.0> : tensor<16x16xf32>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<16x16xf32>, tensor<?x1xi64>) -> tensor<?x1x16xf32>
  %new = onnx.node "Key"(%x) : (tensor<?x1x16xf32>) -> tensor<?x2x1x4xf32>
  %p = onnx.node "Concat"(%k, %new) {axis = 2} : (tensor<?x2x?x4xf32>, tensor<?x2x1x4xf32>) -> tensor<?x2x?x4xf32>
  return %x, %p : tensor<?x1x16xf32>, tensor<?x2x?x4xf32>
}

// -----

// Refused: two results could be the logits.
// CHECK-LABEL: func.func @main(
// CHECK-NOT:   @step
func.func @main(%ids: tensor<?x?xi64>, %k: tensor<?x2x?x4xf32>) -> (tensor<?x?x16xf32>, tensor<?x?x16xf32>, tensor<?x2x?x4xf32>) {
  %table = onnx.constant dense<1.0> : tensor<16x16xf32>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<16x16xf32>, tensor<?x?xi64>) -> tensor<?x?x16xf32>
  %new = onnx.node "Key"(%x) : (tensor<?x?x16xf32>) -> tensor<?x2x?x4xf32>
  %p = onnx.node "Concat"(%k, %new) {axis = 2} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  return %x, %x, %p : tensor<?x?x16xf32>, tensor<?x?x16xf32>, tensor<?x2x?x4xf32>
}

// -----

// Refused: the past comes second, so the cache does not grow at its end.
// CHECK-LABEL: func.func @main(
// CHECK-NOT:   @step
// expected-warning @below {{the model does not generate text by itself: input 'past' has no role in generating text}}
func.func @main(%ids: tensor<?x?xi64>, %k: tensor<?x2x?x4xf32> {onnx.name = "past"}) -> (tensor<?x?x16xf32>, tensor<?x2x?x4xf32>) {
  %table = onnx.constant dense<1.0> : tensor<16x16xf32>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<16x16xf32>, tensor<?x?xi64>) -> tensor<?x?x16xf32>
  %new = onnx.node "Key"(%x) : (tensor<?x?x16xf32>) -> tensor<?x2x?x4xf32>
  %p = onnx.node "Concat"(%new, %k) {axis = 2} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  return %x, %p : tensor<?x?x16xf32>, tensor<?x2x?x4xf32>
}

// -----

// Refused: as wide as the embedding and not as its table is high, the result is
// hidden states. Nobody is warned of what is no language model.
// CHECK-LABEL: func.func @main(
// CHECK-NOT:   @step
func.func @main(%ids: tensor<?x?xi64>, %k: tensor<?x2x?x4xf32>) -> (tensor<?x?x8xf32>, tensor<?x2x?x4xf32>) {
  %table = onnx.constant dense<1.0> : tensor<16x8xf32>
  %x = onnx.node "Gather"(%table, %ids) : (tensor<16x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %new = onnx.node "Key"(%x) : (tensor<?x?x8xf32>) -> tensor<?x2x?x4xf32>
  %p = onnx.node "Concat"(%k, %new) {axis = 2} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  return %x, %p : tensor<?x?x8xf32>, tensor<?x2x?x4xf32>
}

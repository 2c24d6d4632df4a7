// RUN: tern-opt %s --pass-pipeline="builtin.module(func.func(tern-fill-padding))" | FileCheck %s

// CHECK-LABEL: func.func @rows(
// CHECK-SAME:      %[[X:.*]]: tensor<?x12xi8>)
// CHECK:         %[[E:.*]] = tensor.empty(%[[N:.*]]) : tensor<?x16xi8>
// CHECK:         %[[I:.*]] = tensor.insert_slice %[[X]] into %[[E]][0, 0] [%[[N]], 12] [1, 1]
// CHECK:         %[[T:.*]] = tensor.extract_slice %[[I]][0, 12] [%[[N]], 4] [1, 1]
// CHECK:         %[[F:.*]] = linalg.fill ins(%c7_i8 : i8) outs(%[[T]] : tensor<?x4xi8>)
// CHECK:         %[[P:.*]] = tensor.insert_slice %[[F]] into %[[I]][0, 12] [%[[N]], 4] [1, 1]
// CHECK:         return %[[P]]
func.func @rows(%x: tensor<?x12xi8>) -> tensor<?x16xi8> {
  %c7 = arith.constant 7 : i8
  %p = tensor.pad %x low[0, 0] high[0, 4] {
  ^bb0(%i: index, %j: index):
    tensor.yield %c7 : i8
  } : tensor<?x12xi8> to tensor<?x16xi8>
  return %p : tensor<?x16xi8>
}

// The view comes after the padding.
// CHECK-LABEL: func.func @view(
// CHECK:         %[[I:.*]] = tensor.insert_slice %{{.*}} : tensor<1x?x12xi8> into tensor<1x?x16xi8>
// CHECK:         %[[P:.*]] = tensor.insert_slice %{{.*}} : tensor<1x?x4xi8> into tensor<1x?x16xi8>
// CHECK:         %[[V:.*]] = tensor.collapse_shape %[[P]] {{\[}}[0, 1], [2]]
// CHECK:         return %[[V]]
func.func @view(%x: tensor<1x?x12xi8>) -> tensor<?x16xi8> {
  %c0 = arith.constant 0 : i8
  %v = tensor.collapse_shape %x [[0, 1], [2]] : tensor<1x?x12xi8> into tensor<?x12xi8>
  %p = tensor.pad %v low[0, 0] high[0, 4] {
  ^bb0(%i: index, %j: index):
    tensor.yield %c0 : i8
  } : tensor<?x12xi8> to tensor<?x16xi8>
  return %p : tensor<?x16xi8>
}

// Rows in front, columns in front, a number that only a run tells: others do that.
// CHECK-LABEL: func.func @others(
// CHECK-COUNT-3: tensor.pad
// CHECK-NOT:     linalg.fill
func.func @others(%x: tensor<?x12xi8>, %n: index) -> (tensor<?x12xi8>, tensor<?x14xi8>, tensor<?x?xi8>) {
  %c0 = arith.constant 0 : i8
  %a = tensor.pad %x low[0, 0] high[1, 0] {
  ^bb0(%i: index, %j: index):
    tensor.yield %c0 : i8
  } : tensor<?x12xi8> to tensor<?x12xi8>
  %b = tensor.pad %x low[0, 1] high[0, 1] {
  ^bb0(%i: index, %j: index):
    tensor.yield %c0 : i8
  } : tensor<?x12xi8> to tensor<?x14xi8>
  %c = tensor.pad %x low[0, 0] high[0, %n] {
  ^bb0(%i: index, %j: index):
    tensor.yield %c0 : i8
  } : tensor<?x12xi8> to tensor<?x?xi8>
  return %a, %b, %c : tensor<?x12xi8>, tensor<?x14xi8>, tensor<?x?xi8>
}

// A value that is defined in the pad's region is there outside of it.
// CHECK-LABEL: func.func @inner_value(
// CHECK:         %[[ZERO:.*]] = arith.constant 0 : i8
// CHECK:         linalg.fill ins(%[[ZERO]]
// CHECK-NOT:     tensor.pad
func.func @inner_value(%x: tensor<?x4xi8>) -> tensor<?x8xi8> {
  %p = tensor.pad %x low[0, 0] high[0, 4] {
  ^bb0(%i: index, %j: index):
    %c = arith.constant 0 : i8
    tensor.yield %c : i8
  } : tensor<?x4xi8> to tensor<?x8xi8>
  return %p : tensor<?x8xi8>
}

// The pad's type may say more of the sizes than its source's.
// CHECK-LABEL: func.func @more_static(
// CHECK:         linalg.fill
// CHECK:         %[[PADDED:.*]] = tensor.insert_slice %{{.*}} into %{{.*}} : tensor<?x4xi8> into tensor<?x8xi8>
// CHECK:         %[[CAST:.*]] = tensor.cast %[[PADDED]] : tensor<?x8xi8> to tensor<8x8xi8>
// CHECK:         return %[[CAST]]
func.func @more_static(%x: tensor<?x4xi8>) -> tensor<8x8xi8> {
  %c = arith.constant 0 : i8
  %p = tensor.pad %x low[0, 0] high[0, 4] {
  ^bb0(%i: index, %j: index):
    tensor.yield %c : i8
  } : tensor<?x4xi8> to tensor<8x8xi8>
  return %p : tensor<8x8xi8>
}

// No row, a value for each place, less at the end: left alone.
// CHECK-LABEL: func.func @left_alone(
// CHECK-COUNT-3: tensor.pad
func.func @left_alone(%x: tensor<0x12xi8>, %y: tensor<2x12xi8>, %v: i8) -> (tensor<0x16xi8>, tensor<2x16xi8>, tensor<2x8xi8>) {
  %p = tensor.pad %x low[0, 0] high[0, 4] {
  ^bb0(%i: index, %j: index):
    tensor.yield %v : i8
  } : tensor<0x12xi8> to tensor<0x16xi8>
  %q = tensor.pad %y low[0, 0] high[0, 4] {
  ^bb0(%i: index, %j: index):
    %c = arith.index_cast %j : index to i8
    tensor.yield %c : i8
  } : tensor<2x12xi8> to tensor<2x16xi8>
  %r = tensor.pad %y low[0, 0] high[0, -4] {
  ^bb0(%i: index, %j: index):
    tensor.yield %v : i8
  } : tensor<2x12xi8> to tensor<2x8xi8>
  return %p, %q, %r : tensor<0x16xi8>, tensor<2x16xi8>, tensor<2x8xi8>
}

// A view that merges the columns with what is before them: rows are other ones.
// CHECK-LABEL: func.func @merged_columns(
// CHECK-SAME:    %[[X:.*]]: tensor<2x3x4x5xi8>
// CHECK:         %[[VIEW:.*]] = tensor.collapse_shape %[[X]] {{\[\[}}0, 1], [2, 3]]
// CHECK:         tensor.insert_slice %[[VIEW]] into %{{.*}}[0, 0] [6, 20]
func.func @merged_columns(%x: tensor<2x3x4x5xi8>, %v: i8) -> tensor<6x32xi8> {
  %view = tensor.collapse_shape %x [[0, 1], [2, 3]] : tensor<2x3x4x5xi8> into tensor<6x20xi8>
  %p = tensor.pad %view low[0, 0] high[0, 12] {
  ^bb0(%i: index, %j: index):
    tensor.yield %v : i8
  } : tensor<6x20xi8> to tensor<6x32xi8>
  return %p : tensor<6x32xi8>
}

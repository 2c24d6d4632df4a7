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

// RUN: tern-opt %s --convert-ternary-to-linalg | FileCheck %s --implicit-check-not=arith.mul --implicit-check-not="ternary."
// RUN: tern-opt %s --convert-ternary-to-linalg=keep-packed-matmul | FileCheck %s --check-prefix=KEEP

// The trit chooses among x, -x and 0; nothing is multiplied.
// CHECK-LABEL: func.func @matmul(
// CHECK-SAME:  %[[X:.*]]: tensor<?x8xi8>, %[[W:.*]]: tensor<6xi8>) -> tensor<?x3xi32>
// CHECK:       linalg.generic
// CHECK-SAME:  iterator_types = ["parallel", "parallel", "parallel", "reduction"]
// CHECK:       ^bb0(%[[XI:.*]]: i8, %[[BYTE:.*]]: i8, %[[ACC:.*]]: i32):
// CHECK:       %[[SHIFT:.*]] = arith.addi %[[PLANE:.*]], %[[PLANE]] : i8
// CHECK:       %[[HIGH:.*]] = arith.shrui %[[BYTE]], %[[SHIFT]]
// CHECK:       %[[CODE:.*]] = arith.andi %[[HIGH]], %c3_i8
// CHECK:       %[[V:.*]] = arith.extsi %[[XI]]
// CHECK:       %[[MINUS:.*]] = arith.cmpi eq, %[[CODE]], %c0_i8
// CHECK:       %[[PLUS:.*]] = arith.cmpi eq, %[[CODE]], %c2_i8
// CHECK:       %[[NEG:.*]] = arith.subi %c0_i32{{.*}}, %[[V]]
// CHECK:       %[[LOW:.*]] = arith.select %[[MINUS]], %[[NEG]], %c0_i32
// CHECK:       %[[TERM:.*]] = arith.select %[[PLUS]], %[[V]], %[[LOW]]
// CHECK:       arith.addi %[[ACC]], %[[TERM]]
func.func @matmul(%x: tensor<?x8xi8>, %w: !ternary.matrix<3x8>) -> tensor<?x3xi32> {
  %y = ternary.matmul %x, %w : (tensor<?x8xi8>, !ternary.matrix<3x8>) -> tensor<?x3xi32>
  return %y : tensor<?x3xi32>
}

// CHECK-LABEL: func.func @floats(
// CHECK:       arith.negf
// CHECK:       arith.addf {{.*}} fastmath<reassoc>
func.func @floats(%x: tensor<?x8xf32>, %w: !ternary.matrix<3x8, #ternary.layout<t5>>) -> tensor<?x2x3xf32> {
  %y = ternary.matmul %x, %w : (tensor<?x8xf32>, !ternary.matrix<3x8, #ternary.layout<t5>>) -> tensor<?x2x3xf32>
  return %y : tensor<?x2x3xf32>
}

// The loops follow the storage: tokens, tiles, steps, lanes.
// CHECK-LABEL: func.func @packed(
// CHECK:       linalg.fill
// CHECK:       linalg.generic
// CHECK-SAME:  iterator_types = ["parallel", "parallel", "reduction", "parallel"]
// KEEP-LABEL:  func.func @packed(
// KEEP-NEXT:   ternary.packed_matmul
func.func @packed(%x: tensor<?x64xi8>, %b: tensor<1536xi8>, %init: tensor<?x96xi32>) -> tensor<?x96xi32> {
  %y = ternary.packed_matmul !ternary.matrix<90x60, #ternary.layout<i2, tile = 16>>
      ins(%x, %b : tensor<?x64xi8>, tensor<1536xi8>) outs(%init : tensor<?x96xi32>) -> tensor<?x96xi32>
  return %y : tensor<?x96xi32>
}

// A matrix is passed as its bytes.
// CHECK-LABEL: func.func private @callee(tensor<1536xi8>) -> tensor<1536xi8>
func.func private @callee(!ternary.matrix<96x64>) -> !ternary.matrix<96x64>
// CHECK-LABEL: func.func @calls(
// CHECK-SAME:  %[[W:.*]]: tensor<1536xi8>)
// CHECK-NEXT:  %[[V:.*]] = call @callee(%[[W]]) : (tensor<1536xi8>) -> tensor<1536xi8>
// CHECK-NEXT:  return %[[V]] : tensor<1536xi8>
func.func @calls(%w: !ternary.matrix<96x64>) -> tensor<1536xi8> {
  %v = call @callee(%w) : (!ternary.matrix<96x64>) -> !ternary.matrix<96x64>
  %b = ternary.bytes %v : !ternary.matrix<96x64> to tensor<1536xi8>
  return %b : tensor<1536xi8>
}

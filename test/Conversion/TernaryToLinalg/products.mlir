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

// Floats are added to 0 in the order of the columns, plane by plane of four bytes.
// CHECK-LABEL: func.func @packed_floats(
// CHECK:       %[[START:.*]] = arith.constant 0.000000e+00 : f32
// CHECK:       %[[SUMS:.*]] = linalg.fill ins(%[[START]] : f32)
// CHECK:       linalg.generic
// CHECK-SAME:  iterator_types = ["parallel", "parallel", "reduction", "parallel"]
// CHECK-SAME:  outs(%[[SUMS]] : tensor<?x6x16xf32>)
// CHECK:       ^bb0(%[[B0:.*]]: i8, %[[B1:.*]]: i8, %[[B2:.*]]: i8, %[[B3:.*]]: i8, %[[X0:[^:]*]]: f32, %[[X1:[^:]*]]: f32, %[[X2:[^:]*]]: f32, %[[X3:[^:]*]]: f32, %[[X4:[^:]*]]: f32, {{.*}}, %[[X15:[^:]*]]: f32, %[[ACC:[^:]*]]: f32):
// CHECK:       %[[MINUS:.*]] = arith.negf %[[X0]] : f32
// CHECK:       %[[LOW:.*]] = arith.select %{{.*}}, %[[MINUS]], %{{.*}} : f32
// CHECK:       %[[TERM:.*]] = arith.select %{{.*}}, %[[X0]], %[[LOW]] : f32
// CHECK-NEXT:  %[[SUM0:.*]] = arith.addf %[[ACC]], %[[TERM]] : f32
// CHECK:       arith.negf %[[X1]] : f32
// CHECK:       %[[SUM1:.*]] = arith.addf %[[SUM0]], %{{[^ ]*}} : f32
// CHECK:       arith.negf %[[X2]] : f32
// CHECK:       %[[SUM2:.*]] = arith.addf %[[SUM1]], %{{[^ ]*}} : f32
// CHECK:       arith.negf %[[X3]] : f32
// CHECK:       %[[SUM3:.*]] = arith.addf %[[SUM2]], %{{[^ ]*}} : f32
// CHECK:       arith.negf %[[X4]] : f32
// CHECK:       %[[SUM4:.*]] = arith.addf %[[SUM3]], %{{[^ ]*}} : f32
// CHECK-COUNT-10: arith.addf %{{[^ ]*}}, %{{[^ ]*}} : f32
// CHECK:       arith.negf %[[X15]] : f32
// CHECK:       %[[SUM15:.*]] = arith.addf %{{[^ ]*}}, %{{[^ ]*}} : f32
// CHECK-NEXT:  linalg.yield %[[SUM15]] : f32
// KEEP-LABEL:  func.func @packed_floats(
// KEEP-NEXT:   ternary.packed_matmul
func.func @packed_floats(%x: tensor<?x64xf32>, %b: tensor<1536xi8>, %init: tensor<?x96xf32>) -> tensor<?x96xf32> {
  %y = ternary.packed_matmul !ternary.matrix<90x60, #ternary.layout<i2, tile = 16>>
      ins(%x, %b : tensor<?x64xf32>, tensor<1536xi8>) outs(%init : tensor<?x96xf32>) -> tensor<?x96xf32>
  return %y : tensor<?x96xf32>
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

// A step in bf16 is the next one up from the nearest, where that is below; what is
// divided by it is extended again.
// CHECK-LABEL: func.func @quantize_short_scales(
// CHECK:       %[[STEP:.*]] = arith.divf %{{.*}}, %{{.*}} : f32
// CHECK:       %[[NEAREST:.*]] = arith.truncf %[[STEP]] : f32 to bf16
// CHECK:       %[[WIDE:.*]] = arith.extf %[[NEAREST]] : bf16 to f32
// CHECK:       %[[BELOW:.*]] = arith.cmpf olt, %[[WIDE]], %[[STEP]] : f32
// CHECK:       %[[BITS:.*]] = arith.bitcast %[[NEAREST]] : bf16 to i16
// CHECK:       %[[ONE:.*]] = arith.extui %[[BELOW]] : i1 to i16
// CHECK:       %[[NEXT:.*]] = arith.addi %[[BITS]], %[[ONE]] : i16
// CHECK:       %[[SHORT:.*]] = arith.bitcast %[[NEXT]] : i16 to bf16
// CHECK:       linalg.yield %[[SHORT]] : bf16
// CHECK:       ^bb0(%[[X:.*]]: f32, %[[SCALE:.*]]: bf16, %{{.*}}: i8):
// CHECK:       %[[DIVISOR:.*]] = arith.extf %[[SCALE]] : bf16 to f32
// CHECK:       arith.divf %[[X]], %[[DIVISOR]] : f32
func.func @quantize_short_scales(%x: tensor<?x8xf32>) -> (tensor<?x8xi8>, tensor<?xbf16>) {
  %q, %s = ternary.quantize %x, <step, half_even, eps = 1.0, qmin = -128> : tensor<?x8xf32> -> tensor<?x8xi8>, tensor<?xbf16>
  return %q, %s : tensor<?x8xi8>, tensor<?xbf16>
}

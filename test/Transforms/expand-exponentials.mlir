// RUN: tern-opt %s --pass-pipeline="builtin.module(func.func(tern-expand-exponentials))" | FileCheck %s

// exp(x) = 2^n * exp(x - n * ln 2). The lowest bits of x / ln 2 + 1.5 * 2^23 are n;
// 2^(n - 1) is made of them, and doubled at the end.
// CHECK-LABEL: func.func @f32(
// CHECK-SAME:      %[[X:.*]]: f32)
// CHECK-NOT:     math.exp
// CHECK:         %[[BELOW:.*]] = arith.cmpf olt, %[[X]],
// CHECK:         %[[LOW:.*]] = arith.select %[[BELOW]], %{{.*}}, %[[X]]
// CHECK:         %[[ABOVE:.*]] = arith.cmpf ogt, %[[LOW]],
// CHECK:         %[[BOUNDED:.*]] = arith.select %[[ABOVE]], %{{.*}}, %[[LOW]]
// CHECK:         %[[QUOTIENT:.*]] = arith.mulf %[[BOUNDED]], %{{.*}} fastmath<contract>
// CHECK:         %[[SHIFTED:.*]] = arith.addf %[[QUOTIENT]], %{{.*}} fastmath<contract>
// CHECK:         %[[N:.*]] = arith.subf %[[SHIFTED]], %{{.*}} : f32
// CHECK:         %[[BITS:.*]] = arith.bitcast %[[SHIFTED]] : f32 to i32
// CHECK:         %[[BIASED:.*]] = arith.addi %[[BITS]],
// CHECK:         %[[EXPONENT:.*]] = arith.shli %[[BIASED]], %c23_i32
// CHECK:         %[[POWER:.*]] = arith.bitcast %[[EXPONENT]] : i32 to f32
// CHECK:         %[[HALF:.*]] = arith.mulf %{{.*}}, %[[POWER]] fastmath<contract>
// CHECK:         %[[Y:.*]] = arith.addf %[[HALF]], %[[HALF]] : f32
// CHECK:         return %[[Y]]
func.func @f32(%x: f32) -> f32 {
  %y = math.exp %x : f32
  return %y : f32
}

// CHECK-LABEL: func.func @vectors(
// CHECK:         %[[LOG2E:.*]] = arith.constant dense<1.44269502> : vector<4xf32>
// CHECK:         arith.mulf %{{.*}}, %[[LOG2E]] fastmath<contract> : vector<4xf32>
// CHECK:         arith.bitcast %{{.*}} : vector<4xf32> to vector<4xi32>
// CHECK:         %[[MANTISSA:.*]] = arith.constant dense<23> : vector<4xi32>
// CHECK:         arith.shli %{{.*}}, %[[MANTISSA]] : vector<4xi32>
func.func @vectors(%x: vector<4xf32>) -> vector<4xf32> {
  %y = math.exp %x : vector<4xf32>
  return %y : vector<4xf32>
}

// CHECK-LABEL: func.func @others(
// CHECK:         math.exp %{{.*}} : f64
// CHECK:         math.tanh %{{.*}} : f32
// CHECK:         math.exp %{{.*}} : tensor<4xf32>
func.func @others(%x: f64, %z: f32, %w: tensor<4xf32>) -> (f64, f32, tensor<4xf32>) {
  %y = math.exp %x : f64
  %t = math.tanh %z : f32
  %v = math.exp %w : tensor<4xf32>
  return %y, %t, %v : f64, f32, tensor<4xf32>
}

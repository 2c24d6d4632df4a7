// RUN: tern-opt %s --tern-fill-splats=max-bytes=64 | FileCheck %s
// RUN: tern-opt %s --tern-fill-splats | FileCheck %s --check-prefix=DEFAULT

// CHECK-LABEL: func.func @larger(
// CHECK:         %[[ONE:.*]] = arith.constant 1.000000e+00 : f32
// CHECK:         %[[EMPTY:.*]] = tensor.empty() : tensor<17xf32>
// CHECK:         %[[FILLED:.*]] = linalg.fill ins(%[[ONE]] : f32) outs(%[[EMPTY]] : tensor<17xf32>)
// CHECK:         return %[[FILLED]]
// DEFAULT-LABEL: func.func @larger(
// DEFAULT:         arith.constant dense<1.000000e+00> : tensor<17xf32>
func.func @larger() -> tensor<17xf32> {
  %c = arith.constant dense<1.0> : tensor<17xf32>
  return %c : tensor<17xf32>
}

// Up to the limit, in bytes: a bool takes one.
// CHECK-LABEL: func.func @small(
// CHECK-DAG:     arith.constant dense<1.000000e+00> : tensor<16xf32>
// CHECK-DAG:     arith.constant dense<true> : tensor<64xi1>
// CHECK-NOT:     linalg.fill
// CHECK-LABEL: func.func @bools(
// CHECK:         linalg.fill ins(%{{.*}} : i1) outs(%{{.*}} : tensor<65xi1>)
func.func @small() -> (tensor<16xf32>, tensor<64xi1>) {
  %c = arith.constant dense<1.0> : tensor<16xf32>
  %d = arith.constant dense<true> : tensor<64xi1>
  return %c, %d : tensor<16xf32>, tensor<64xi1>
}

func.func @bools() -> tensor<65xi1> {
  %c = arith.constant dense<false> : tensor<65xi1>
  return %c : tensor<65xi1>
}

// Elements that differ have to lie somewhere.
// CHECK-LABEL: func.func @others(
// CHECK-NOT:     linalg.fill
// CHECK:         return
func.func @others() -> (tensor<2x9xf32>, f32) {
  %c = arith.constant dense<[[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]]> : tensor<2x9xf32>
  %d = arith.constant 1.0 : f32
  return %c, %d : tensor<2x9xf32>, f32
}

// More bytes than 64 bits can count, and none at all.
// CHECK-LABEL: func.func @sizes(
// CHECK-DAG:     arith.constant dense<1.000000e+00> : tensor<0x99xf64>
// CHECK-DAG:     linalg.fill {{.*}}tensor<4294967296x1073741824xf64>
// DEFAULT-LABEL: func.func @sizes(
// DEFAULT:         linalg.fill {{.*}}tensor<4294967296x1073741824xf64>
func.func @sizes() -> (tensor<4294967296x1073741824xf64>, tensor<0x99xf64>) {
  %c = arith.constant dense<1.0> : tensor<4294967296x1073741824xf64>
  %d = arith.constant dense<1.0> : tensor<0x99xf64>
  return %c, %d : tensor<4294967296x1073741824xf64>, tensor<0x99xf64>
}

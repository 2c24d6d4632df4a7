// RUN: tern-opt %s --onnx-fold-constants | FileCheck %s
// RUN: tern-opt %s --onnx-fold-constants="large-bytes=7" | FileCheck %s --check-prefix=SMALL
// RUN: tern-opt %s --onnx-fold-constants="max-dense-elements=1" | FileCheck %s --check-prefix=BLOB
// RUN: tern-opt %s --onnx-fold-constants="free-bytes=100" | FileCheck %s --check-prefix=BOUND
// RUN: tern-opt %s --onnx-fold-constants="free-bytes=100" --remarks-filter="tern.*" --remark-format=emitRemark 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

// Only what leaves the constant part is materialised.
// CHECK-LABEL: func.func @chain(
// CHECK-NOT: onnx.node
// CHECK: %[[C:.*]] = onnx.constant dense<[3.000000e+00, 6.000000e+00]> : tensor<2xf32>
// CHECK-NEXT: return %[[C]]
func.func @chain() -> tensor<2xf32> {
  %a = onnx.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %0 = onnx.node "Add"(%a, %a) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %1 = onnx.node "Add"(%0, %a) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %1 : tensor<2xf32>
}

// A widened constant of more than the limit stays an operation, and what it
// reads is folded; at the limit it is folded itself.
// CHECK-LABEL: func.func @widened(
// CHECK-NOT: onnx.node
// SMALL-LABEL: func.func @widened(
// SMALL: %[[NEG:.*]] = onnx.constant dense<[-1, -2]> : tensor<2xi8>
// SMALL: %[[WIDE:.*]] = onnx.node "Cast"(%[[NEG]])
// SMALL: return %[[WIDE]]
func.func @widened() -> tensor<2xf32> {
  %a = onnx.constant dense<[1, 2]> : tensor<2xi8>
  %0 = onnx.node "Neg"(%a) : (tensor<2xi8>) -> tensor<2xi8>
  %1 = onnx.node "Cast"(%0) {to = 1} : (tensor<2xi8>) -> tensor<2xf32>
  return %1 : tensor<2xf32>
}

// Large results that are computed, and not only moved, are folded all the same.
// SMALL-LABEL: func.func @computed(
// SMALL-NOT: onnx.node
// SMALL: return
// BLOB-LABEL: func.func @computed(
// BLOB: onnx.constant dense_resource<folded{{.*}}> : tensor<2xf32>
func.func @computed() -> tensor<2xf32> {
  %a = onnx.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %0 = onnx.node "Mul"(%a, %a) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// A type that shape inference could not find is no obstacle; who needs the old
// type keeps it.
// CHECK-LABEL: func.func @refined(
// CHECK: %[[C:.*]] = onnx.constant dense<[2, 1]> : tensor<2xi64>
// CHECK: %[[CAST:.*]] = tensor.cast %[[C]] : tensor<2xi64> to tensor<?xi64>
// CHECK: onnx.node "Reshape"(%{{.*}}, %[[C]]) : (tensor<?xf32>, tensor<2xi64>)
// CHECK: return %[[CAST]]
func.func @refined(%x: tensor<?xf32>) -> (tensor<?xi64>, tensor<?x?xf32>) {
  %a = onnx.constant dense<[1, 2]> : tensor<2xi64>
  %s = onnx.constant dense<[-1]> : tensor<1xi64>
  %e = onnx.constant dense<[-9]> : tensor<1xi64>
  %z = onnx.constant dense<[0]> : tensor<1xi64>
  %0 = onnx.node "Slice"(%a, %s, %e, %z, %s) : (tensor<2xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<?xi64>
  %1 = onnx.node "Reshape"(%x, %0) : (tensor<?xf32>, tensor<?xi64>) -> tensor<?x?xf32>
  return %0, %1 : tensor<?xi64>, tensor<?x?xf32>
}

// A shape whose wanted part is static is known where the value is not.
// CHECK-LABEL: func.func @shapes(
// CHECK: %[[C:.*]] = onnx.constant dense<[4, 5]> : tensor<2xi64>
// CHECK: %[[S:.*]] = onnx.node "Shape"
// CHECK: return %[[C]], %[[S]]
func.func @shapes(%x: tensor<?x4x5xf32>) -> (tensor<2xi64>, tensor<3xi64>) {
  %0 = onnx.node "Shape"(%x) {start = 1} : (tensor<?x4x5xf32>) -> tensor<2xi64>
  %1 = onnx.node "Shape"(%x) : (tensor<?x4x5xf32>) -> tensor<3xi64>
  return %0, %1 : tensor<2xi64>, tensor<3xi64>
}

// What does not fit stays: shapes, types, indices, divisors, unknown operators.
// CHECK-LABEL: func.func @stays(
// CHECK-DAG: onnx.node "Add"
// CHECK-DAG: onnx.node "Gather"
// CHECK-DAG: onnx.node "Div"
// CHECK-DAG: onnx.node "Reshape"
// CHECK-DAG: onnx.node "Expand"
// CHECK-DAG: onnx.node "Erf"
// CHECK-DAG: onnx.node "Abs"
// CHECK-DAG: onnx.node "Transpose"
// CHECK-DAG: onnx.node "Cast"
func.func @stays() -> (tensor<2xf32>, tensor<f32>, tensor<2xi32>, tensor<3xf32>,
                       tensor<?x?xf32>, tensor<2xf32>, tensor<0xf32>, tensor<2xf32>, tensor<2xf32>) {
  %a = onnx.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %b = onnx.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  %i = onnx.constant dense<2> : tensor<i64>
  %n = onnx.constant dense<[1, 2]> : tensor<2xi32>
  %z = onnx.constant dense<[0, 1]> : tensor<2xi32>
  %three = onnx.constant dense<[3]> : tensor<1xi64>
  %huge = onnx.constant dense<[4611686018427387904, 2]> : tensor<2xi64>
  %none = onnx.none
  %0 = onnx.node "Add"(%a, %b) : (tensor<2xf32>, tensor<3xf32>) -> tensor<2xf32>
  %1 = onnx.node "Gather"(%a, %i) : (tensor<2xf32>, tensor<i64>) -> tensor<f32>
  %2 = onnx.node "Div"(%n, %z) : (tensor<2xi32>, tensor<2xi32>) -> tensor<2xi32>
  %3 = onnx.node "Reshape"(%a, %three) : (tensor<2xf32>, tensor<1xi64>) -> tensor<3xf32>
  %4 = onnx.node "Expand"(%i, %huge) : (tensor<i64>, tensor<2xi64>) -> tensor<?x?xf32>
  %5 = onnx.node "Erf"(%a) : (tensor<2xf32>) -> tensor<2xf32>
  %6 = onnx.node "Abs"(%none) : (none) -> tensor<0xf32>
  %7 = onnx.node "Transpose"(%a) {perm = array<i64: 1>} : (tensor<2xf32>) -> tensor<2xf32>
  %8 = onnx.node "Cast"(%a) {to = 8} : (tensor<2xf32>) -> tensor<2xf32>
  return %0, %1, %2, %3, %4, %5, %6, %7, %8 : tensor<2xf32>, tensor<f32>, tensor<2xi32>, tensor<3xf32>, tensor<?x?xf32>, tensor<2xf32>, tensor<0xf32>, tensor<2xf32>, tensor<2xf32>
}

// 16 bytes of shape allow 64 times as many, and 100: 1124, and so 281 floats. The
// sum would be small, but is made from more.
// BOUND-LABEL: func.func @bound(
// BOUND-NOT:     onnx.node
// BOUND:         %[[SUM:.*]] = onnx.constant dense<2.810000e+02> : tensor<f32>
// BOUND:         return %[[SUM]]
// BOUND-LABEL: func.func @beyond(
// BOUND:         %[[ONES:.*]] = onnx.node "ConstantOfShape"
// BOUND:         onnx.node "ReduceSum"(%[[ONES]])
func.func @bound() -> tensor<f32> {
  %s = onnx.constant dense<[281, 1]> : tensor<2xi64>
  %0 = onnx.node "ConstantOfShape"(%s) {value = dense<1.0> : tensor<1xf32>} : (tensor<2xi64>) -> tensor<281x1xf32>
  %1 = onnx.node "ReduceSum"(%0) {keepdims = 0 : i64} : (tensor<281x1xf32>) -> tensor<f32>
  return %1 : tensor<f32>
}

// Two nodes read what is too large, of which one says so.
// REMARK-NOT:    remark
// REMARK:        remark: loc("ones"): [Missed] computed | Category:tern-raise | Reason="ConstantOfShape: its 1128 bytes are computed in each run: more than the 1124 that may be computed when compiling"
// REMARK-NOT:    remark
func.func @beyond() -> (tensor<f32>, tensor<f32>) {
  %s = onnx.constant dense<[141, 2]> : tensor<2xi64>
  %0 = onnx.node "ConstantOfShape"(%s) {value = dense<1.0> : tensor<1xf32>} : (tensor<2xi64>) -> tensor<141x2xf32> loc("ones")
  %1 = onnx.node "ReduceSum"(%0) {keepdims = 0 : i64} : (tensor<141x2xf32>) -> tensor<f32>
  %2 = onnx.node "ReduceMax"(%0) {keepdims = 0 : i64} : (tensor<141x2xf32>) -> tensor<f32>
  return %1, %2 : tensor<f32>, tensor<f32>
}

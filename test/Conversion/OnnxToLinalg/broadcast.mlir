// RUN: tern-opt %s --convert-onnx-to-linalg --canonicalize --cse --split-input-file | FileCheck %s

// Dimensions of one symbol are one size: nothing is checked at run time.

// CHECK-DAG: #[[ID:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-LABEL: func.func @same_symbol
// CHECK-NOT: cf.assert
// CHECK: linalg.generic {indexing_maps = [#[[ID]], #[[ID]], #[[ID]]]
// CHECK-NOT: cf.assert
func.func @same_symbol(%a: tensor<?x?xf32> {onnx.dims = ["batch", "seq"]},
                       %b: tensor<?x?xf32> {onnx.dims = ["batch", "seq"]}) -> tensor<?x?xf32> {
  %0 = onnx.node "Add"(%a, %b) : (tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// -----

// Without symbols the sizes meet at run time, and a size of 1 is read at 0.

// CHECK-LABEL: func.func @unknown
// CHECK: cf.assert %{{.*}}, "node (Add): sizes that broadcast must be equal or 1"
// CHECK: linalg.generic
// CHECK: arith.select
// CHECK: tensor.extract
func.func @unknown(%a: tensor<?xf32>, %b: tensor<?xf32>) -> tensor<?xf32> {
  %0 = onnx.node "Add"(%a, %b) : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

// A size that is known to be 1 is a 0 in the map.

// CHECK-DAG: #[[ID:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-DAG: #[[ROW:.*]] = affine_map<(d0, d1) -> (0, d1)>
// CHECK-LABEL: func.func @known_one
// CHECK-NOT: tensor.extract
// CHECK: linalg.generic {indexing_maps = [#[[ID]], #[[ROW]], #[[ID]]]
func.func @known_one(%a: tensor<?x4xf32>, %b: tensor<1x4xf32>) -> tensor<?x4xf32> {
  %0 = onnx.node "Mul"(%a, %b) : (tensor<?x4xf32>, tensor<1x4xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// -----

// What a tensor is computed from says its sizes.

// CHECK-LABEL: func.func @through_operations
// CHECK-NOT: cf.assert
// CHECK-NOT: tensor.extract
func.func @through_operations(%a: tensor<?x?xf32>, %w: tensor<8x8xf32>) -> tensor<?x8xf32> {
  %axes = onnx.constant dense<-1> : tensor<1xi64>
  %0 = onnx.node "Abs"(%a) : (tensor<?x?xf32>) -> tensor<?x8xf32>
  %1 = onnx.node "ReduceMax"(%0, %axes) : (tensor<?x8xf32>, tensor<1xi64>) -> tensor<?x1xf32>
  %2 = onnx.node "MatMul"(%0, %w) : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %3 = onnx.node "Div"(%2, %1) : (tensor<?x8xf32>, tensor<?x1xf32>) -> tensor<?x8xf32>
  return %3 : tensor<?x8xf32>
}

// -----

// Range clamps its length at 0, and every length is at least 0.

// CHECK-LABEL: func.func @through_a_guard
// CHECK-NOT: must be equal or 1
func.func @through_a_guard(%x: tensor<?xi64> {onnx.dims = ["n"]}) -> tensor<?xi64> {
  %zero = onnx.constant dense<0> : tensor<i64>
  %one = onnx.constant dense<1> : tensor<i64>
  %shape = onnx.node "Shape"(%x) : (tensor<?xi64>) -> tensor<1xi64>
  %size = onnx.node "Squeeze"(%shape) : (tensor<1xi64>) -> tensor<i64>
  %0 = onnx.node "Range"(%zero, %size, %one) : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %1 = onnx.node "Add"(%0, %x) : (tensor<?xi64>, tensor<?xi64>) -> tensor<?xi64>
  return %1 : tensor<?xi64>
}

// -----

// What is computed element by element is few in the result as well: 8 rows of 9.

// CHECK-LABEL: func.func @few_in_each
// CHECK: tensor.from_elements {{.*}} : tensor<9xi64>
// CHECK: linalg.generic
// CHECK: arith.addi
// CHECK-NOT: arith.addi
// CHECK: return
func.func @few_in_each(%x: tensor<?xf32>) -> tensor<8x9xi64> {
  %rows = onnx.constant dense<[[1], [2], [3], [4], [5], [6], [7], [8]]> : tensor<8x1xi64>
  %columns = onnx.constant dense<[1, 2, 3, 4, 5, 6, 7, 8, 9]> : tensor<9xi64>
  %n = onnx.node "Shape"(%x) : (tensor<?xf32>) -> tensor<1xi64>
  %0 = onnx.node "Mul"(%n, %columns) : (tensor<1xi64>, tensor<9xi64>) -> tensor<9xi64>
  %1 = onnx.node "Add"(%0, %rows) : (tensor<9xi64>, tensor<8x1xi64>) -> tensor<8x9xi64>
  return %1 : tensor<8x9xi64>
}

// -----

// At the limit of 64 they still are.

// CHECK-LABEL: func.func @few_in_all
// CHECK-NOT: linalg.generic
// CHECK: tensor.from_elements {{.*}} : tensor<8x8xi64>
// CHECK: return
func.func @few_in_all(%x: tensor<?xf32>) -> tensor<8x8xi64> {
  %rows = onnx.constant dense<[[1], [2], [3], [4], [5], [6], [7], [8]]> : tensor<8x1xi64>
  %columns = onnx.constant dense<[1, 2, 3, 4, 5, 6, 7, 8]> : tensor<8xi64>
  %n = onnx.node "Shape"(%x) : (tensor<?xf32>) -> tensor<1xi64>
  %0 = onnx.node "Mul"(%n, %columns) : (tensor<1xi64>, tensor<8xi64>) -> tensor<8xi64>
  %1 = onnx.node "Add"(%0, %rows) : (tensor<8xi64>, tensor<8x1xi64>) -> tensor<8x8xi64>
  return %1 : tensor<8x8xi64>
}

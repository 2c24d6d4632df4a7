// RUN: tern-opt %s --resolve-ranked-shaped-type-result-dims --canonicalize --cse | FileCheck %s

// Shapes of results are those of operands and types.
// CHECK-LABEL: func.func @shapes(
// CHECK-SAME:  %[[X:.*]]: tensor<?x64xf32>
// CHECK-DAG:   %[[M:.*]] = tensor.dim %[[X]], %c0
// CHECK-DAG:   %[[N:.*]] = arith.constant 96 : index
// CHECK:       return %[[M]], %[[M]], %[[M]], %[[N]], %[[M]], %[[M]], %[[N]]
func.func @shapes(%x: tensor<?x64xf32>, %w: !ternary.matrix<96x64>, %s: tensor<1xf32>)
    -> (index, index, index, index, index, index, index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %q, %qs = ternary.quantize %x, <step, half_up, eps = 0.0, qmin = -127> : tensor<?x64xf32> -> tensor<?x64xi8>, tensor<?xf32>
  %acc = ternary.matmul %q, %w : (tensor<?x64xi8>, !ternary.matrix<96x64>) -> tensor<?x?xi32>
  %y = ternary.rescale %acc, %s by %qs : (tensor<?x?xi32>, tensor<1xf32>, tensor<?xf32>) -> tensor<?x?xf32>
  %l = ternary.bit_linear %x, %w, %s : (tensor<?x64xf32>, !ternary.matrix<96x64>, tensor<1xf32>) -> tensor<?x?xf32>
  %0 = tensor.dim %q, %c0 : tensor<?x64xi8>
  %1 = tensor.dim %qs, %c0 : tensor<?xf32>
  %2 = tensor.dim %acc, %c0 : tensor<?x?xi32>
  %3 = tensor.dim %acc, %c1 : tensor<?x?xi32>
  %4 = tensor.dim %y, %c0 : tensor<?x?xf32>
  %5 = tensor.dim %l, %c0 : tensor<?x?xf32>
  %6 = tensor.dim %l, %c1 : tensor<?x?xf32>
  return %0, %1, %2, %3, %4, %5, %6 : index, index, index, index, index, index, index
}

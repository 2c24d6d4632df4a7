// tern-reduce parses our dialects and drops what the failure does not need.

// RUN: tern-reduce %s --reduction-tree='traversal-mode=0 test=%S/Inputs/contains-matmul.sh' \
// RUN:   | FileCheck %s --implicit-check-not=arith. --implicit-check-not=@bystander

func.func @bystander(%x: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %y = arith.negf %x : tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

// CHECK-LABEL: func.func @product(
// CHECK:         ternary.matmul
func.func @product(%x: tensor<?x64xi8>, %w: !ternary.matrix<96x64>) -> tensor<?x96xi32> {
  %z = arith.subi %x, %x : tensor<?x64xi8>
  %y = ternary.matmul %x, %w : (tensor<?x64xi8>, !ternary.matrix<96x64>) -> tensor<?x96xi32>
  return %y : tensor<?x96xi32>
}

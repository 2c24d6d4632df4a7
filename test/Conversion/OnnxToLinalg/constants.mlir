// RUN: tern-opt %s --convert-onnx-to-linalg | FileCheck %s
// RUN: tern-opt %s --tern-raise-pipeline --tern-bufferize-pipeline --tern-lower-pipeline \
// RUN:   --tern-llvm-pipeline | mlir-translate --mlir-to-llvmir | FileCheck %s --check-prefix=LLVM

// A file holds a bool in a byte of any value; a resource of bits has no
// translation to LLVM IR.
// CHECK: arith.constant dense<[true, false, true, true, false]> : tensor<5xi1>
// LLVM:  constant [5 x i1] [i1 true, i1 false, i1 true, i1 true, i1 false]
func.func @main(%x: tensor<5xi1>) -> tensor<5xi1> {
  %mask = onnx.constant dense_resource<mask> : tensor<5xi1>
  %0 = onnx.node "Xor"(%x, %mask) : (tensor<5xi1>, tensor<5xi1>) -> tensor<5xi1>
  return %0 : tensor<5xi1>
}

{-#
  dialect_resources: {
    builtin: {
      mask: "0x010000000100020100"
    }
  }
#-}

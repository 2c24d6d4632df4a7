//===- TernaryDialect.td - the ternary dialect -------------*- tablegen -*-===//

#ifndef TERN_DIALECT_TERNARY_IR_TERNARYDIALECT_TD
#define TERN_DIALECT_TERNARY_IR_TERNARYDIALECT_TD

include "mlir/IR/OpBase.td"

def Ternary_Dialect : Dialect {
  let name = "ternary";
  let cppNamespace = "::tern::ternary";
  let summary = "linear layers whose weights are -1, 0 or 1";
  let description = [{
    Represents the linear layers of BitNet b1.58 (arXiv 2402.17764) at three
    levels, each of which decomposes into the next:

    - **model**: `ternary.bit_linear`, a layer on float tensors;
    - **arithmetic**: `ternary.quantize`, the product `ternary.matmul`, and
      `ternary.rescale`;
    - **storage**: `ternary.pack`, `ternary.unpack` and `ternary.packed_matmul`,
      the product over tiles of packed weights.

    A weight matrix is a value of type `!ternary.matrix<NxK>`, output-major. How
    its trits lie in memory is a parameter of the type, never implied.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
  let hasConstantMaterializer = 1;
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let extraClassDeclaration = [{
  private:
    void registerAttributes();
    void registerTypes();

  public:
  }];
}

#endif // TERN_DIALECT_TERNARY_IR_TERNARYDIALECT_TD

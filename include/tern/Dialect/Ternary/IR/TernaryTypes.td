//===- TernaryTypes.td - types of the ternary dialect ------*- tablegen -*-===//

#ifndef TERN_DIALECT_TERNARY_IR_TERNARYTYPES_TD
#define TERN_DIALECT_TERNARY_IR_TERNARYTYPES_TD

include "tern/Dialect/Ternary/IR/TernaryAttrs.td"

class Ternary_Type<string name, string mnemonic_, list<Trait> traits = []>
    : TypeDef<Ternary_Dialect, name, traits> {
  let mnemonic = mnemonic_;
}

def Ternary_MatrixType : Ternary_Type<"Matrix", "matrix"> {
  let summary = "a constant matrix of trits";
  let description = [{
    A weight matrix of `rows` x `cols` values -1, 0 or 1, output-major: row n
    holds the weights of output feature n. `layout` says how it lies in memory;
    it defaults to row-major, two bits a trit.

    Example: `!ternary.matrix<6912x2560>`,
    `!ternary.matrix<6912x2560, #ternary.layout<i2, tile = 16>>`
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$cols, "LayoutAttr":$layout);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let builders = [TypeBuilder<(ins "int64_t":$rows, "int64_t":$cols), [{
    return $_get($_ctxt, rows, cols, LayoutAttr::getRowMajor($_ctxt));
  }]>];
  let extraClassDeclaration = [{
    int64_t getPaddedRows() const { return getLayout().getPaddedRows(getRows()); }
    int64_t getPaddedCols() const { return getLayout().getPaddedCols(getCols()); }
    int64_t getStorageBytes() const {
      return getLayout().getStorageBytes(getRows(), getCols());
    }
    /// The same matrix in another layout.
    MatrixType withLayout(LayoutAttr layout) const {
      return get(getContext(), getRows(), getCols(), layout);
    }
  }];
}

#endif // TERN_DIALECT_TERNARY_IR_TERNARYTYPES_TD

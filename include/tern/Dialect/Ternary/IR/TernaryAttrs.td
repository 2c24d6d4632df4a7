//===- TernaryAttrs.td - layouts and quantisation rules ----*- tablegen -*-===//

#ifndef TERN_DIALECT_TERNARY_IR_TERNARYATTRS_TD
#define TERN_DIALECT_TERNARY_IR_TERNARYATTRS_TD

include "tern/Dialect/Ternary/IR/TernaryDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

class Ternary_Attr<string name, string mnemonic_, list<Trait> traits = []>
    : AttrDef<Ternary_Dialect, name, traits> {
  let mnemonic = mnemonic_;
}

//===----------------------------------------------------------------------===//
// Storage layout
//===----------------------------------------------------------------------===//

def Ternary_Encoding : I32EnumAttr<"Encoding", "how trits become bits", [
    I32EnumAttrCase<"I2", 0, "i2">,
    I32EnumAttrCase<"T5", 1, "t5">]> {
  let cppNamespace = "::tern::ternary";
  let genSpecializedAttr = 0;
}

def Ternary_LayoutAttr : Ternary_Attr<"Layout", "layout"> {
  let summary = "how a ternary matrix lies in memory";
  let description = [{
    A trit t is stored as its code t + 1, which is 0, 1 or 2.

    - `i2`: four codes a byte; code j of a byte at bits 2j and 2j + 1. A field
      that holds 3 is invalid.
    - `t5`: five codes a byte, 1.6 bits a weight. Let `q = 27 code_1 +
      9 code_2 + 3 code_3 + code_4`, which is below 81. The byte is
      `64 code_0 + q` if q is below 64, else `193 + 18 (2 - code_0) + (q - 64)`;
      192, 210, 228 and values above 245 are invalid. So its low six bits are
      an index to a table of the other codes; what differs in bytes above 192,
      which is never the last code, is in another.

    Let P be the number of codes a byte holds (4 or 5).

    **Row-major**, `#ternary.layout<i2>`: row n is `ceil(K / P)` bytes, column k
    is code `k % P` of byte `k / P`. Codes past column K are 1 (trit 0).

    **Tiled**, `#ternary.layout<i2, tile = R>`: the rows are cut into tiles of R
    and the columns into steps of 4 P. A tile is a sequence of steps, a step is
    4 R bytes, and byte `4 l + i` of step s holds in code j the trit at row
    `l` of the tile and column `4 (P s + j) + i`. So a vector of R lanes of 32
    bits reads, for one plane j, four consecutive columns of R rows, and meets
    four consecutive activations broadcast to all its lanes. Rows past N and
    columns past K hold trit 0.

    ```
    byte(n, k) = ((n / R) * steps + k / 4P) * 4R + (n % R) * 4 + k % 4
    plane(k)   = (k / 4) % P            steps = ceil(K / 4P)
    ```
  }];
  let parameters = (ins
    EnumParameter<Ternary_Encoding>:$encoding,
    DefaultValuedParameter<"int64_t", "0", "rows of a tile, or 0 for row-major">:$tile);
  let assemblyFormat = "`<` $encoding (`,` `tile` `=` $tile^)? `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Row-major, two bits a trit: the form in which weights are raised.
    static LayoutAttr getRowMajor(::mlir::MLIRContext *context);
    bool isRowMajor() const { return getTile() == 0; }
    /// Codes a byte holds: 4 or 5.
    int64_t getCodesPerByte() const {
      return getEncoding() == Encoding::I2 ? 4 : 5;
    }
    /// Columns of one step of a tile (16 or 20); tiled layouts only.
    int64_t getStepColumns() const { return 4 * getCodesPerByte(); }
    /// `rows` rounded up to whole tiles.
    int64_t getPaddedRows(int64_t rows) const;
    /// `cols` rounded up to whole steps (tiled) or whole bytes (row-major).
    int64_t getPaddedCols(int64_t cols) const;
    /// Bytes that a `rows` x `cols` matrix takes.
    int64_t getStorageBytes(int64_t rows, int64_t cols) const;
  }];
}

//===----------------------------------------------------------------------===//
// Activation quantisation
//===----------------------------------------------------------------------===//

def Ternary_Rounding : I32EnumAttr<"Rounding", "how x * s becomes an integer", [
    I32EnumAttrCase<"HalfEven", 0, "half_even">,
    I32EnumAttrCase<"HalfUp", 1, "half_up">]> {
  let cppNamespace = "::tern::ternary";
  let genSpecializedAttr = 0;
}

def Ternary_ScaleForm : I32EnumAttr<"ScaleForm", "how the absmax scale is computed", [
    I32EnumAttrCase<"Reciprocal", 0, "reciprocal">,
    I32EnumAttrCase<"Quotient", 1, "quotient">,
    I32EnumAttrCase<"Step", 2, "step">]> {
  let cppNamespace = "::tern::ternary";
  let genSpecializedAttr = 0;
}

def Ternary_QuantizationAttr : Ternary_Attr<"Quantization", "quantization"> {
  let summary = "how activations become int8";
  let description = [{
    Per token (per row), with `m = max(absmax(x), eps)` and `qmax = 127`:

    | form         | scale s            | codes before rounding |
    |--------------|--------------------|-----------------------|
    | `reciprocal` | `(1 / m) * qmax`   | `x * s`               |
    | `quotient`   | `qmax / m`         | `x * s`               |
    | `step`       | `m / qmax`         | `x / s`               |

    The three round differently: `quotient` differs from `reciprocal` in a
    quarter of the scales, by one unit in the last place. `rounding` is
    `half_even` (IEEE roundToIntegralTiesToEven) or `half_up`
    (`floor(v + 0.5)`); the result is clamped to `[qmin, qmax]`, qmin being -128
    or -127. Everything is computed in f32. A NaN activation gives code 0.

    Example: `#ternary.quantization<reciprocal, half_even, eps = 1.0e-05, qmin = -128>`
  }];
  let parameters = (ins
    EnumParameter<Ternary_ScaleForm>:$form,
    EnumParameter<Ternary_Rounding>:$rounding,
    "::llvm::APFloat":$eps,
    "int64_t":$qmin);
  let assemblyFormat = "`<` $form `,` $rounding `,` `eps` `=` custom<Float32>($eps) `,` `qmin` `=` $qmin `>`";
  let genVerifyDecl = 1;
  let builders = [AttrBuilder<(ins CArg<"float", "1e-5f">:$eps,
                                   CArg<"ScaleForm", "ScaleForm::Reciprocal">:$form,
                                   CArg<"Rounding", "Rounding::HalfEven">:$rounding,
                                   CArg<"int64_t", "-128">:$qmin), [{
    return $_get($_ctxt, form, rounding, ::llvm::APFloat(eps), qmin);
  }]>];
}

#endif // TERN_DIALECT_TERNARY_IR_TERNARYATTRS_TD

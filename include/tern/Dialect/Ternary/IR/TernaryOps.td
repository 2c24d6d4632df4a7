//===- TernaryOps.td - operations of the ternary dialect ---*- tablegen -*-===//

#ifndef TERN_DIALECT_TERNARY_IR_TERNARYOPS_TD
#define TERN_DIALECT_TERNARY_IR_TERNARYOPS_TD

include "tern/Dialect/Ternary/IR/TernaryTypes.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Ternary_Op<string mnemonic, list<Trait> traits = []>
    : Op<Ternary_Dialect, mnemonic, traits>;

def Ternary_FloatTensor : RankedTensorOf<[F32, F16, BF16]>;

def Ternary_ReifyShapes
    : DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface,
                                ["reifyResultShapes"]>;

//===----------------------------------------------------------------------===//
// Model level
//===----------------------------------------------------------------------===//

def Ternary_BitLinearOp : Ternary_Op<"bit_linear", [Pure, Ternary_ReifyShapes]> {
  let summary = "a linear layer with ternary weights";
  let description = [{
    `x` is `[..., K]`, one token a row; `weights` is `N x K`; the result is
    `[..., N]` of x's element type. `scale` is the weight scale, of f32: `[1]`
    for the tensor, `[N]` for a row, or `[N, G]` for groups of `K / G`
    consecutive columns of a row (G divides K).

    With `quantization`, each row of x becomes int8 codes q and a scale s (see
    the attribute), the product of codes and trits is exact, and
    `y[.., n] = sum_g scale[n, g] * sum_(k in g) weights[n, k] q[.., k] / s`
    (times s for the form `step`). Without it, activations stay float and the
    sums are f32 additions and subtractions in an unspecified order.

    With `scale_divides`, sums are divided by `scale` instead of multiplied.

    Example:
    ```mlir
    %y = ternary.bit_linear %x, %w, %scale
        {quantization = #ternary.quantization<reciprocal, half_even, eps = 1.0e-05, qmin = -128>}
        : (tensor<?x64xf32>, !ternary.matrix<96x64>, tensor<1xf32>) -> tensor<?x96xf32>
    ```
  }];
  let arguments = (ins Ternary_FloatTensor:$x, Ternary_MatrixType:$weights,
                       RankedTensorOf<[F32]>:$scale,
                       OptionalAttr<Ternary_QuantizationAttr>:$quantization,
                       UnitAttr:$scale_divides);
  let results = (outs Ternary_FloatTensor:$result);
  let assemblyFormat = [{
    $x `,` $weights `,` $scale attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Groups of columns with a scale of their own: 1 unless scale is [N, G].
    int64_t getGroups();
  }];
}

//===----------------------------------------------------------------------===//
// Arithmetic level
//===----------------------------------------------------------------------===//

def Ternary_QuantizeOp : Ternary_Op<"quantize", [Pure, Ternary_ReifyShapes]> {
  let summary = "per-token absmax quantisation to int8";
  let description = [{
    Maps `x` of `[M, K]` to codes `[M, K]` in i8 and one scale a row, `[M]`,
    in f32, by the rule of the attribute. A row of zeros, or of K = 0 elements,
    has absmax 0, so eps decides its scale. A row that holds a NaN has the scale
    NaN.

    Scales may be bf16, where they are steps: then a step is rounded up to bf16,
    by 2^-7 of it at most (more below 2^-126), and codes are made with what it
    is rounded to. So they are as close to `x` as that step allows, and no row
    is cut off.

    Example:
    ```mlir
    %q, %s = ternary.quantize %x,
        <reciprocal, half_even, eps = 1.0e-05, qmin = -128>
        : tensor<?x64xf32> -> tensor<?x64xi8>, tensor<?xf32>
    ```
  }];
  let arguments = (ins 2DTensorOf<[F32]>:$x, Ternary_QuantizationAttr:$quantization);
  let results = (outs 2DTensorOf<[I8]>:$codes, 1DTensorOf<[F32, BF16]>:$scales);
  let assemblyFormat = [{
    $x `,` $quantization attr-dict `:` type($x) `->` type($codes) `,` type($scales)
  }];
  let hasVerifier = 1;
}

def Ternary_MatmulOp : Ternary_Op<"matmul", [Pure, Ternary_ReifyShapes]> {
  let summary = "multiply activations by ternary weights";
  let description = [{
    Without groups, `out[m, n] = sum_k weights[n, k] * x[m, k]`. Activations of
    i8 give an exact i32: `|out| <= 128 K`, so K is at most 2^24 - 1. Activations of
    f32 give f32, the order of the additions being unspecified. Scales belong
    to the consumer; an integer result is the same for every schedule.

    A trit 0 skips its activation, whatever that is: no NaN comes from it.

    With a result of rank 3, `[M, G, N]`, the sums over each of G groups of
    `K / G` consecutive columns stand apart:
    `out[m, g, n] = sum_(k in g) weights[n, k] * x[m, k]`.

    Example:
    ```mlir
    %y = ternary.matmul %x, %w : (tensor<?x64xi8>, !ternary.matrix<96x64>) -> tensor<?x96xi32>
    %z = ternary.matmul %f, %w : (tensor<?x64xf32>, !ternary.matrix<96x64>) -> tensor<?x2x96xf32>
    ```
  }];
  let arguments = (ins 2DTensorOf<[I8, F32]>:$x, Ternary_MatrixType:$weights);
  let results = (outs RankedTensorOf<[I32, F32]>:$result);
  let assemblyFormat = "$x `,` $weights attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
  let hasFolder = 1;
  let extraClassDeclaration = [{
    /// Groups of columns that are summed apart, or none.
    std::optional<int64_t> getGroups() {
      auto type = getResult().getType();
      return type.getRank() == 3 ? std::optional(type.getDimSize(1))
                                 : std::nullopt;
    }
  }];
}

def Ternary_RescaleOp : Ternary_Op<"rescale", [Pure, Ternary_ReifyShapes]> {
  let summary = "integer sums to floats";
  let description = [{
    `acc` is `[M, N]` or, with groups, `[M, G, N]`, of i32 or f32;
    `activation_scales`, absent for float activations, is `[M]`; `scale` is
    `[1]`, `[N]` or `[N, G]`. Computes
    `y[m, n] = (sum_g acc[m, g, n] * scale[n, g]) / activation_scales[m]`
    in f32, in this order; times `activation_scales` with `step`; dividing by
    `scale` with `scale_divides`.

    Example:
    ```mlir
    %y = ternary.rescale %acc, %scale by %s
        : (tensor<?x96xi32>, tensor<1xf32>, tensor<?xf32>) -> tensor<?x96xf32>
    ```
  }];
  let arguments = (ins RankedTensorOf<[I32, F32]>:$acc, RankedTensorOf<[F32]>:$scale,
                       Optional<1DTensorOf<[F32]>>:$activation_scales,
                       UnitAttr:$scale_divides, UnitAttr:$step);
  let results = (outs 2DTensorOf<[F32]>:$result);
  let assemblyFormat = [{
    $acc `,` $scale (`by` $activation_scales^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Storage level
//===----------------------------------------------------------------------===//

def Ternary_ConstantOp : Ternary_Op<"constant", [Pure, ConstantLike]> {
  let summary = "a constant ternary matrix";
  let description = [{
    `bytes` holds the storage of the result's layout: exactly
    `getStorageBytes()` elements of i8 or ui8, in a dense attribute or a
    resource. The codes of a dense attribute are checked, those of a resource
    (which may be large, and is checked where it is made) are not.

    Example:
    ```mlir
    // The rows 1 0 -1 0 and -1 -1 1 1.
    %w = ternary.constant dense<[70, 160]> : tensor<2xui8> as !ternary.matrix<2x4>
    ```
  }];
  let arguments = (ins ElementsAttr:$bytes);
  let results = (outs Ternary_MatrixType:$result);
  let assemblyFormat = "attr-dict $bytes `as` qualified(type($result))";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Ternary_StackOp : Ternary_Op<"stack", [Pure]> {
  let summary = "the rows of several matrices as one matrix";
  let description = [{
    The rows of the sources, of which there is at least one, one under the
    other. All matrices have the same columns and the same row-major layout, so
    that the bytes of one follow those of the other. Folds on constants; a
    `ternary.pack` of it that folds copies no bytes in between.

    Example:
    ```mlir
    %s = ternary.stack %w, %w : !ternary.matrix<96x64>, !ternary.matrix<96x64> to !ternary.matrix<192x64>
    ```
  }];
  let arguments = (ins Variadic<Ternary_MatrixType>:$sources);
  let results = (outs Ternary_MatrixType:$result);
  let assemblyFormat = "$sources attr-dict `:` qualified(type($sources)) `to` qualified(type($result))";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Ternary_PackOp : Ternary_Op<"pack", [Pure]> {
  let summary = "lay a ternary matrix out anew";
  let description = [{
    The same trits in the result's layout. Folds on a `ternary.constant`; the
    fold is where weights are packed at compile time.

    Example:
    ```mlir
    %p = ternary.pack %w : !ternary.matrix<96x64> to !ternary.matrix<96x64, #ternary.layout<i2, tile = 16>>
    ```
  }];
  let arguments = (ins Ternary_MatrixType:$source);
  let results = (outs Ternary_MatrixType:$result);
  let assemblyFormat = "$source attr-dict `:` qualified(type($source)) `to` qualified(type($result))";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Ternary_UnpackOp : Ternary_Op<"unpack", [Pure]> {
  let summary = "the trits of a ternary matrix as int8";
  let description = [{
    Example:
    ```mlir
    %t = ternary.unpack %w : !ternary.matrix<96x64> to tensor<96x64xi8>
    ```
  }];
  let arguments = (ins Ternary_MatrixType:$source);
  let results = (outs 2DTensorOf<[I8]>:$result);
  let assemblyFormat = "$source attr-dict `:` qualified(type($source)) `to` qualified(type($result))";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Ternary_BytesOp : Ternary_Op<"bytes", [Pure]> {
  let summary = "the storage of a ternary matrix";
  let description = [{
    The bytes of a matrix as the lowerings read them, in the order that its
    layout defines.

    Example:
    ```mlir
    %b = ternary.bytes %w : !ternary.matrix<96x64, #ternary.layout<i2, tile = 16>> to tensor<1536xi8>
    ```
  }];
  let arguments = (ins Ternary_MatrixType:$source);
  let results = (outs 1DTensorOf<[I8]>:$result);
  let assemblyFormat = "$source attr-dict `:` qualified(type($source)) `to` qualified(type($result))";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Ternary_PackedMatmulOp : Ternary_Op<"packed_matmul",
    [DestinationStyleOpInterface, Ternary_ReifyShapes,
     DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "the product over tiles of packed weights";
  let description = [{
    `x` is `[M, K']` of i8 or f32, K' being K rounded up to whole steps of the
    layout; columns past K may hold anything, since they meet trit 0, which
    skips an activation whatever it is. `bytes` is the storage of `matrix`,
    whose layout is tiled; `out` is `[M, N']` of i32 for i8 and of f32 for f32,
    N' being N rounded up to whole tiles, and is overwritten with
    `sum_k weights[n, k] * x[m, k]`; rows past N give 0. Floats are added to 0,
    or taken off, in the order of the columns.

    On tensors in destination style; the same operation on memrefs is what the
    lowerings to loops and to vectors take.

    Example:
    ```mlir
    %y = ternary.packed_matmul !ternary.matrix<90x60, #ternary.layout<i2, tile = 16>>
        ins(%x, %b : tensor<?x64xi8>, tensor<1536xi8>) outs(%init : tensor<?x96xi32>) -> tensor<?x96xi32>
    ```
  }];
  let arguments = (ins AnyTypeOf<[2DTensorOf<[I8, F32]>, MemRefRankOf<[I8, F32], [2]>]>:$x,
                       AnyTypeOf<[1DTensorOf<[I8]>, MemRefRankOf<[I8], [1]>]>:$bytes,
                       AnyTypeOf<[2DTensorOf<[I32, F32]>, MemRefRankOf<[I32, F32], [2]>]>:$init,
                       TypeAttrOf<Ternary_MatrixType>:$matrix);
  let results = (outs Optional<2DTensorOf<[I32, F32]>>:$result);
  let hasVerifier = 1;
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
    MatrixType getMatrixType() { return ::llvm::cast<MatrixType>(getMatrix()); }
  }];
}

//===----------------------------------------------------------------------===//
// Heads
//===----------------------------------------------------------------------===//

def Ternary_HeadOp : Ternary_Op<"head",
    [DestinationStyleOpInterface, AttrSizedOperandSegments,
     DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "the best logits of one token";
  let description = [{
    `x` is a token's hidden state `[K]`, `rows` the matrix `[N, K]` of a head.
    Logit n is the product of row n and x in f32, in an order that is the same
    for every row, target and number of threads: products are rounded, and added
    to 64 sums by column modulo 64, which are then added pairwise; columns past
    the last multiple of 64 follow one by one.

    Writes to `init`, `[N]`, all logits, or, if `best` is positive, at least all
    that are as large as the `best`-th largest, and -inf for the others. Which
    others are left out is decided by `codes` and `bounds`, the screen of the
    rows (HeadScreen.h): a coarse copy, and for each row a bound of its error. A
    head without a screen always writes all. Where the bounds cannot tell rows
    apart, or are not defined (a hidden state that holds infinities, or is all
    zeros), all logits are written.

    `rounding`, bf16, says that logits are rounded to it afterwards: those that
    may then equal one of the best are among them.

    Example:
    ```mlir
    %y = ternary.head ins(%x, %w, %best : tensor<60xf32>, tensor<90x60xbf16>)
        screen(%c, %b : tensor<4608xi8>, tensor<6x33xbf16>)
        outs(%init : tensor<90xf32>) -> tensor<90xf32>
    ```
  }];
  let arguments = (ins AnyTypeOf<[1DTensorOf<[F32]>, MemRefRankOf<[F32], [1]>]>:$x,
                       AnyTypeOf<[2DTensorOf<[F32, F16, BF16]>, MemRefRankOf<[F32, F16, BF16], [2]>]>:$rows,
                       Index:$best,
                       Optional<AnyTypeOf<[1DTensorOf<[I8]>, MemRefRankOf<[I8], [1]>]>>:$codes,
                       Optional<AnyTypeOf<[2DTensorOf<[BF16]>, MemRefRankOf<[BF16], [2]>]>>:$bounds,
                       AnyTypeOf<[1DTensorOf<[F32]>, MemRefRankOf<[F32], [1]>]>:$init,
                       OptionalAttr<TypeAttrOf<BF16>>:$rounding);
  let results = (outs Optional<1DTensorOf<[F32]>>:$result);
  let assemblyFormat = [{
    `ins` `(` $x `,` $rows `,` $best `:` type($x) `,` type($rows) `)`
    (`screen` `(` $codes^ `,` $bounds `:` type($codes) `,` type($bounds) `)`)?
    `outs` `(` $init `:` type($init) `)` attr-dict (`->` type($result)^)?
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
    bool isOnTensors() { return ::llvm::isa<::mlir::TensorType>(getInit().getType()); }
  }];
}

//===----------------------------------------------------------------------===//
// Running
//===----------------------------------------------------------------------===//

def Ternary_AssertOp : Ternary_Op<"assert", [MemoryEffects<[MemWrite]>]> {
  let summary = "end the run, saying sizes, unless a condition holds";
  let description = [{
    As `cf.assert`, whose message cannot say what only a run knows. The message
    is `texts` with `values`, as decimal numbers, between them. It reaches the
    host's `fail` (ModelABI.h), cut at 511 bytes.

    Example:
    ```mlir
    ternary.assert %ok, ["not enough memory: ", " bytes"], %bytes
    ```
  }];
  let arguments = (ins I1:$condition, StrArrayAttr:$texts, Variadic<Index>:$values);
  let assemblyFormat = "$condition `,` $texts (`,` $values^)? attr-dict";
  let hasVerifier = 1;
}

def Ternary_FetchOp : Ternary_Op<"fetch"> {
  let summary = "copy a row of a constant of which few rows are read";
  let description = [{
    Copies `rows[row]`, `[K]`, of a matrix `[N, K]` to `target`, `row` being less
    than N. The host does it
    (`fetch` in ModelABI.h): it may read the row from the program's file, where
    reading memory would map pages that are not used again, which takes longer
    than computing with the row.

    Example:
    ```mlir
    ternary.fetch %rows[%row], %buffer : memref<90x60xbf16>, memref<60xbf16>
    ```
  }];
  let arguments = (ins Arg<MemRefRankOf<[I8, I16, I32, F16, BF16, F32], [2]>, "", [MemRead]>:$rows,
                       Index:$row,
                       Arg<MemRefRankOf<[I8, I16, I32, F16, BF16, F32], [1]>, "", [MemWrite]>:$target);
  let assemblyFormat = [{
    $rows `[` $row `]` `,` $target attr-dict `:` type($rows) `,` type($target)
  }];
  let hasVerifier = 1;
}

def Ternary_TrimOp : Ternary_Op<"trim", [MemoryEffects<[MemWrite]>]> {
  let summary = "say that buffers to come are small";
  let description = [{
    A hint for the host (`trim` in ModelABI.h): what large buffers had, above those in
    use, may go back to the system, since this call will not need it
    again. A prompt's activations are tens of megabytes, which would stay
    resident while the head reads hundreds.

    Example:
    ```mlir
    ternary.trim
    ```
  }];
  let assemblyFormat = "attr-dict";
}

def Ternary_AnnounceOp : Ternary_Op<"announce", [MemoryEffects<[MemWrite]>]> {
  let summary = "say which constant a loop to come reads";
  let description = [{
    A hint for the host (`announce` in ModelABI.h): a loop to come reads `constant`,
    so that until the next announcement threads which wait may fetch it into their
    caches. The loop cuts the constant into `streams` parts of about equal size and
    reads all of them at once, each from its beginning.

    Example:
    ```mlir
    ternary.announce %weights in 4 streams : memref<1310720xi8>
    ```
  }];
  let arguments = (ins MemRefRankOf<[I8], [1]>:$constant,
                       ConfinedAttr<I64Attr, [IntPositive]>:$streams);
  let assemblyFormat = "$constant `in` $streams `streams` attr-dict `:` type($constant)";
}

#endif // TERN_DIALECT_TERNARY_IR_TERNARYOPS_TD

//===- Passes.td - passes over upstream dialects -----------*- tablegen -*-===//

#ifndef TERN_TRANSFORMS_PASSES_TD
#define TERN_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"
include "tern/Transforms/HostPasses.td"

def FuseElementwise : Pass<"tern-fuse-elementwise", "::mlir::func::FuncOp"> {
  let summary = "Fuse elementwise linalg operations where nothing is computed twice";
  let description = [{
    Fuses an elementwise producer into its consumer when the consumer reads
    each of its elements once, or when the producer converts between floats or
    permutes a constant: a cast of a large weight is then done in registers, and never
    stored.

    ```mlir
    %h = linalg.generic … ins(%bf16_table) { arith.extf }
    %y = linalg.generic … ins(%x, %h) { mulf; addf }   // reads bf16 afterwards
    ```
    Ensures: the same values, bit for bit.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::affine::AffineDialect"];
}

def AlignLoops : Pass<"tern-align-loops", "::mlir::func::FuncOp"> {
  let summary = "Give loops that feed each other the same dimensions";
  let description = [{
    A `tensor.expand_shape` or `tensor.collapse_shape` between two linalg.generic
    keeps `tern-fuse-elementwise` from making one of them. Where the one is
    elementwise, or reduces a single operand, gives it the loops of the other; the
    reshape moves to its inputs and other uses, as a view of memory. Inner
    dimensions of size 1, which a mean of rows is given to be multiplied with rows,
    are dropped instead.

    ```mlir
    %y = linalg.generic … ins(%sums : tensor<?x640xi32>) { sitofp; mulf; divf }
    %h = tensor.expand_shape %y [[0, 1], [2, 3]] : tensor<?x640xf32> into tensor<1x?x5x128xf32>
    %t = linalg.generic … ins(%h) outs(… : tensor<1x5x?x128xf32>)
    // becomes
    %h = tensor.expand_shape %sums [[0, 1], [2, 3]] : tensor<?x640xi32> into tensor<1x?x5x128xi32>
    %y = linalg.generic … ins(%h) { sitofp; mulf; divf }
    %t = linalg.generic … ins(%y) outs(… : tensor<1x5x?x128xf32>)
    ```
    Products of two operands keep their loops, which
    `tern-vectorize-contractions` knows; so do loops within other operations.

    Ensures: the same values, bit for bit.
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect"];
}

def FillPadding : Pass<"tern-fill-padding", "::mlir::func::FuncOp"> {
  let summary = "Write the padding alone where rows are padded";
  let description = [{
    A `tensor.pad` becomes a tensor that is filled from end to end, into which the
    source is copied. Where a constant number of elements is added behind rows, fills
    those alone, and inserts the source in front, so that whoever computes it may
    do so in place.

    ```mlir
    %p = tensor.pad %x low[0, 0] high[0, 8] { yield %c0 } : tensor<?x6912xi8> to tensor<?x6920xi8>
    // becomes
    %e = tensor.empty(%n) : tensor<?x6920xi8>
    %i = tensor.insert_slice %x into %e[0, 0] [%n, 6912] [1, 1]
    %f = linalg.fill ins(%c0) outs(%tail : tensor<?x8xi8>)  // of %i
    %p = tensor.insert_slice %f into %i[0, 6912] [%n, 8] [1, 1]
    ```
    Other pads stay.

    Ensures: the same values.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
}

def FillSplats : Pass<"tern-fill-splats", "::mlir::func::FuncOp"> {
  let summary = "Fill large constants of one value in each call";
  let description = [{
    A constant whose elements are all the same, of more than `max-bytes`, becomes a
    tensor that is filled: the executable would hold every element, and a file of a
    hundred bytes can ask for terabytes. Whether there is memory for it is then a
    question of the run. It is filled where the constant stood, mostly at the
    beginning of the function, once in each call.

    ```mlir
    %c = arith.constant dense<1.0> : tensor<1073741824xf32>
    // becomes
    %e = tensor.empty() : tensor<1073741824xf32>
    %c = linalg.fill ins(%one : f32) outs(%e : tensor<1073741824xf32>)
    ```
    Ensures: the same values.
  }];
  let options = [Option<"maxBytes", "max-bytes", "uint64_t", /*default=*/"1 << 24",
                        "Constants up to this size stay">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect"];
}

def SplitConcats : Pass<"tern-split-concats", "::mlir::func::FuncOp"> {
  let summary = "Read the halves of a concatenation where they are";
  let description = [{
    An elementwise linalg.generic that reads two equal parts concatenated, as rotary
    positions read the halves of a head, becomes one for each part of its result.
    Elementwise arithmetic, slices and concatenations that it alone reads are
    computed in it.

    ```mlir
    %n = linalg.generic … ins(%high_of_x) { negf }
    %c = %n and %low_of_x, inserted into tensor<?x128xf32>
    %y = linalg.generic … ins(%x, %cos, %c, %sin) { x * cos + c * sin }
    // becomes
    %low = linalg.generic … ins(%low_of_x, %low_of_cos, %high_of_x, %low_of_sin) {
      x * cos + -high * sin
    }
    %high = linalg.generic … ins(%high_of_x, %high_of_cos, %low_of_x, %high_of_sin) {
      x * cos + low * sin
    }
    %y = %low and %high, inserted into tensor<?x128xf32>
    ```
    So nothing in between is written to memory; the arithmetic behind `%x`, should it
    be taken in, is done for both. What others read as well stays, and is read.

    Requires: the parts inserted into an empty tensor. To run after cleanup, which
    would make one of the tensors that results are written to.
    Ensures: the same values, bit for bit.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
}

def FuseRows : Pass<"tern-fuse-rows", "::mlir::func::FuncOp"> {
  let summary = "Take each row through all operations that work on rows";
  let description = [{
    A norm and the quantisation of what it gives are some five loops over the same
    rows: a sum of squares, a root, a product, a greatest magnitude, codes. Each
    writes a tensor of all tokens that the next one reads, from memory where there
    are many. Makes one `scf.forall` over the rows around a reduction of rows and the
    elementwise operations, reshapes and reductions that give it rows, or that read
    its own, as long as nothing in between needs all of the rows.

    ```mlir
    %sums = linalg.generic … ins(%x : tensor<?x2560xf32>) outs(… : tensor<?xf32>)
    %y = linalg.generic … ins(%x, %sums) -> tensor<?x2560xf32>
    // becomes
    %y = scf.forall (%row) in (%rows) shared_outs(…) {
      %s = linalg.generic … ins(… : tensor<1x2560xf32>) outs(… : tensor<1xf32>)
      linalg.generic … ins(…, %s) -> tensor<1x2560xf32>
    }
    ```
    One row is on one thread, and intermediate values are of one row, which
    the first or second cache holds. Products of two operands are left alone, and so
    are loops within other operations.

    Ensures: the same values, bit for bit.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"];
}

def ScheduleContractions : Pass<"tern-schedule-contractions", "::mlir::func::FuncOp"> {
  let summary = "Order the loops of contractions for contiguous access";
  let description = [{
    Interchanges the loops of each linalg.generic with a reduction so that the
    innermost one walks contiguous memory in most operands and jumps in few, and lets the sum that
    a float reduction accumulates be reassociated, which vectorising it needs,
    and contracted with the multiplication that feeds it. All else in the body
    (a quantisation, say) keeps its rounding.

    Ensures: integer results unchanged; float sums in another order, so results
    differ by rounding only: by at most K * 2^-24 of the sum of the magnitudes
    of K terms.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect"];
}

def VectorizeContractions : Pass<"tern-vectorize-contractions", "::mlir::func::FuncOp"> {
  let summary = "Compute float contractions in tiles of vector registers";
  let description = [{
    Rewrites each `linalg.generic` on memrefs that sums products of two
    factors, f32, f16 or bf16, in f32: scores and values of attention, float
    layers, the head of a language model. Two forms are known:

    - dot products, where both factors are contiguous in the sum: vectors of
      partial sums, for several rows and columns at once, so that each load
      serves several products and the lanes are added up for several columns
      together;
    - outer products, where a factor and the result are contiguous in the
      columns: vectors of columns, for several rows at once.

    Short floats are read as they are stored and widened in registers. Blocks of
    columns are shared out by an `scf.parallel`, unless the operation is in a
    parallel loop already.

    ```mlir
    linalg.generic ins(%q, %k : memref<3x64xf32>, memref<?x64xf32>)
                   outs(%scores : memref<3x?xf32>)   // maps (m, k), (n, k), (m, n)
    // three queries by eight keys a tile, 24 accumulators of vector<16xf32>
    ```
    Requires: sums whose additions carry the flag `reassoc`, which
    `tern-schedule-contractions` gives them; others stay.
    Ensures: each sum in an order that depends on its length, the form, `lanes`, and
    whether there are more rows than a tile has, not on the number of threads; results differ from those of another order
    by at most K * 2^-24 of the sum of the magnitudes of K terms.
  }];
  let options = [Option<"lanes", "lanes", "uint64_t", /*default=*/"4",
                        "Elements of f32 in a vector register: a power of two, at least 4">,
                 Option<"registers", "registers", "uint64_t", /*default=*/"16",
                        "Vector registers of the CPU">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def VectorizeReductions : Pass<"tern-vectorize-reductions", "::mlir::func::FuncOp"> {
  let summary = "Reduce contiguous rows in vector registers";
  let description = [{
    Rewrites each `linalg.generic` on memrefs that sums, or finds the greatest
    or the least of, what an elementwise body makes of contiguous elements: sums
    and maxima of a softmax, sums of squares of a norm, the greatest magnitude
    that activations are quantised by. Four vectors of partial results are kept,
    which are combined in the end. LLVM vectorises few of them: it does not reorder
    `maximumf`.

    ```mlir
    linalg.generic ins(%scores : memref<3x?xf32>) outs(%maxima : memref<3xf32>)
        { arith.maximumf }                // maps (m, n), (m)
    // 64 elements a step where `lanes` is 16
    ```
    Requires: float sums carry the flag `reassoc`, which
    `tern-schedule-contractions` gives them; others stay.
    Ensures: the same integers, maxima and minima; float sums in an order that depends on
    their length and `lanes` alone.
  }];
  let options = [Option<"lanes", "lanes", "uint64_t", /*default=*/"4",
                        "Elements of f32 in a vector register: a power of two, at least 4">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def VectorizeTransposes : Pass<"tern-vectorize-transposes", "::mlir::func::FuncOp"> {
  let summary = "Transpose in vector registers";
  let description = [{
    Rewrites each `linalg.generic` on memrefs, inside a parallel loop, that copies 32-bit
    elements whose successors in the source are apart in the target, and the other
    way round. Squares of `lanes` rows and columns are read by rows, transposed by
    shuffles of two registers, and written by columns; what is left at the edges goes
    element by element. LLVM gathers such elements, one at a time.

    ```mlir
    linalg.generic ins(%queries : memref<4x?x128xf32>) outs(%columns : memref<128x4x?xf32>)
        { linalg.yield %in }              // maps (g, q, k), (k, g, q)
    ```
    Requires: source and target do not overlap.
    Ensures: the same bits.
  }];
  let options = [Option<"lanes", "lanes", "uint64_t", /*default=*/"4",
                        "Elements of 32 bits in a vector register: a power of two, at least 4">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def VectorizeShortRows : Pass<"tern-vectorize-short-rows", "::mlir::func::FuncOp"> {
  let summary = "Compute short rows in vector registers";
  let description = [{
    Rewrites each linalg operation on memrefs, inside a parallel loop, whose last loop runs over
    whole vectors of `lanes` elements, 256 elements at most: up to eight vectors are written out, more are
    a loop, in loops over the rest, which may be sums or maxima of rows. LLVM unrolls so short a
    loop, and then vectorises another one, in which it gathers and scatters.

    ```mlir
    linalg.generic ins(%scores : memref<?x48xf32>) outs(%maxima : memref<48xf32>)
        { arith.maximumf }                // maps (key, column), (column)
    // for each key: 3 vectors of 16
    ```
    Requires: inputs that overlap results are read where those are written. What a body computes
    has 32 bits at most or is an index, by elementwise operations of arith and by
    `math.exp`; others stay.
    Ensures: the same results.
  }];
  let options = [Option<"lanes", "lanes", "uint64_t", /*default=*/"4",
                        "Elements of f32 in a vector register: a power of two, at least 4">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def OutlineRepeatedLayers : Pass<"tern-outline-repeated-layers", "::mlir::ModuleOp"> {
  let summary = "Make one function of a model's equal layers";
  let description = [{
    Finds the stretch of operations whose repetitions take up most of a
    function, such as the decoder layers of a language model, and replaces each
    by a call of one private function. What differs (weights, scales, caches,
    the hidden state) is an argument; what is used outside is a result.

    ```mlir
    %1 = func.call @main_layer(%0, %w0, %cache0) : …
    %2 = func.call @main_layer(%1, %w1, %cache1) : …
    ```

    Operations are put in the order of their dataflow first, so that neither
    their names nor their places in the file matter. Two layers are equal if
    their operations are, with attributes, types and regions, and use each
    other's results alike. Layers of several kinds that alternate are one
    larger layer; a function has as many layer functions as it has kinds of
    layers after each other.

    Requires: operations without side effects but `cf.assert`, in one block;
    other functions stay as they are.
    Ensures: the same values, bit for bit; no assertion is passed by what it
    guards.
  }];
  let options = [Option<"minOperations", "min-operations", "uint64_t", /*default=*/"32",
                        "Operations that a layer function must save, or none is made">];
  let dependentDialects = ["::mlir::func::FuncDialect",
                           "::mlir::bufferization::BufferizationDialect"];
}

def ExpandExponentials : Pass<"tern-expand-exponentials", "::mlir::func::FuncOp"> {
  let summary = "Compute exponentials by arithmetic that vectorises";
  let description = [{
    Rewrites each `math.exp` of f32, a scalar or a vector, to a power of two times a
    polynomial: a call of the mathematics library for one element after the other
    was most of what a softmax took. Others keep the library's.

    Ensures: results within 2 units in the last place, but below 2^-125 they are 0
    or less than that.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def FetchRows : Pass<"tern-fetch-rows", "::mlir::ModuleOp"> {
  let summary = "Read rows of large constants from the program's file";
  let description = [{
    A loop that looks up rows of a constant matrix of f32, f16 or bf16 and at least
    `min-bytes`, an embedding's, fetches each row before it goes along it:

    ```mlir
    // linalg.generic: y[t, c] = table[ids[t], c]
    scf.parallel (%t) = … {
      %id = memref.load %ids[%t]
      %row = memref.alloc() : memref<2560xbf16>
      ternary.fetch %table[%id], %row : memref<128256x2560xbf16>, memref<2560xbf16>
      scf.for %c = … { %w = memref.load %row[%c] … }
    }
    ```
    As memory, each place that is read takes pages around it into the process,
    where they stay.

    Constants of which a call reads few rows are marked `tern.fetched`, so that the
    runtime is told where they are: those that nothing but `ternary.fetch` reads,
    and those of a head with a screen, whose lowering fetches.

    A lookup that was fused with what follows it reads memory, as before; so does
    all but one of several in one operation.

    Requires: bufferised functions, before deallocations are inserted; constants
    that are `memref.global`.
    Ensures: the same values; rows that are fetched are those that were read.
  }];
  let options = [Option<"minBytes", "min-bytes", "uint64_t", /*default=*/"33554432",
                        "Rows of smaller constants are read from memory">];
  let dependentDialects = ["::tern::ternary::TernaryDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect", "::mlir::arith::ArithDialect",
                           "::mlir::affine::AffineDialect"];
}

def ExternalizeConstants : Pass<"tern-externalize-constants", "::mlir::ModuleOp"> {
  let summary = "Reach large constants through the weights table";
  let description = [{
    Replaces reads of each constant `memref.global` of at least `min-bytes`, its
    elements integers or floats, by
    a pointer loaded from the external table `tern_weights`. The globals stay,
    without uses and marked with their index `tern.weight`, for the writer of
    the weights object; it is what makes weights over 2 GiB addressable.
  }];
  let options = [Option<"minBytes", "min-bytes", "uint64_t", /*default=*/"256",
                        "Constants smaller than this stay in the code's object">];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::memref::MemRefDialect"];
}

def NarrowConstants : Pass<"tern-narrow-constants", "::mlir::ModuleOp"> {
  let summary = "Keep vectors of f32 in bf16 where that holds them";
  let description = [{
    Constant vectors of f32, of at least `min-elements`, whose elements are all
    numbers of bf16 become vectors of bf16, if loops over their elements are all
    that reads them, perhaps in functions that they are passed to; the loops widen
    elements. A function's argument changes if every call passes such a constant.
    Nothing is rounded.

    ```mlir
    memref.global "private" constant @gain : memref<384xbf16> = ...
    linalg.generic ... ins(%gain, %x : memref<384xbf16>, memref<384xf32>) ... {
    ^bb0(%g: bf16, %v: f32, %out: f32):
      %w = arith.extf %g : bf16 to f32
      %y = arith.mulf %w, %v : f32
    ```
    Requires: bufferised functions; to run before `tern-externalize-constants`.
    Ensures: values that were f32 to the operations in loops still are.
  }];
  let options = [Option<"minElements", "min-elements", "uint64_t", /*default=*/"256",
                        "Shorter vectors stay as they are">];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def KeepRounding : Pass<"tern-keep-rounding"> {
  let summary = "Let no conversion between floats be folded away";
  let description = [{
    `arith-emulate-unsupported-floats` and `math-extend-to-supported-types` do
    each operation on short floats in f32, between conversions that carry the
    flag `contract`. With it, `extf(truncf(x))` folds to x, and a chain of
    operations on bf16 would round once where the model's types say after each
    of them. Removes the flags of `arith.extf` and `arith.truncf`.

    ```mlir
    %h = arith.truncf %q fastmath<contract> : f32 to bf16  // flag removed
    %w = arith.extf %h fastmath<contract> : bf16 to f32    // here too
    ```
    Requires: to run before anything folds, right behind those passes.
    Ensures: every result on short floats is rounded to its type.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def ConvertThroughF32 : Pass<"tern-convert-through-f32"> {
  let summary = "Convert between bf16 and f64 by way of f32";
  let description = [{
    Neither CPUs nor libgcc convert bf16 to f64 or back, and
    `arith-expand{include-bf16=true}` expands conversions from and to f32 only.
    Makes two conversions of one. f64 is rounded twice then, as NumPy's bfloat16 and
    onnxruntime round it.

    ```mlir
    %w = arith.extf %h : bf16 to f64
    // becomes
    %f = arith.extf %h : bf16 to f32
    %w = arith.extf %f : f32 to f64
    ```
    Ensures: no `arith.extf` or `arith.truncf` between bf16 and f64 is left.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def MakeBF16Bits : Pass<"tern-make-bf16-bits", "::mlir::ModuleOp"> {
  let summary = "Make bf16 in the LLVM dialect an integer";
  let description = [{
    Once nothing computes with bf16 any more, its values are only loaded, chosen,
    converted by integer operations and stored. For a CPU without instructions
    for bf16, LLVM keeps a value that crosses basic blocks as an f32, and converts
    it back by a call of a function that libgcc before 13 does not have. Replaces
    the type by i16 everywhere, in constants too.

    ```mlir
    %0 = llvm.load %p : !llvm.ptr -> bf16  // becomes: -> i16
    ```
    Requires: no operation that computes with bf16.
    Ensures: no bf16 is left; the same bits.
  }];
}

def LowerStridedCopies : Pass<"tern-lower-strided-copies", "::mlir::func::FuncOp"> {
  let summary = "Turn copies between strided buffers into loops";
  let description = [{
    A `memref.copy` of contiguous buffers becomes a memcpy; one that is strided
    would become a call of a library that the runtime does not have. Where both
    buffers have rows of consecutive elements, of a static size of 64 KiB at most, the latter becomes a
    parallel loop over rows, each of which is contiguous:

    ```mlir
    memref.copy %a, %b : memref<?x128xi8> to memref<?x128xi8, strided<[512, 1], offset: ?>>
    // becomes
    scf.parallel (%i) = (%c0) to (%n) step (%c1) {
      memref.copy %a[%i], %b[%i]    // subviews of one row
    }
    ```
    Others become linalg, so that they are vectorised like everything else.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"];
}

def ResolveExpandShapes : Pass<"tern-resolve-expand-shapes", "::mlir::func::FuncOp"> {
  let summary = "Turn expansions into several dynamic sizes into casts";
  let description = [{
    `memref.expand_shape` may split one dimension into several dynamic ones,
    the sizes being operands; MLIR 22.1's `expand-strided-metadata` assumes one
    and crashes. Rewrites such operations to `memref.reinterpret_cast`.
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect", "::mlir::arith::ArithDialect"];
}

def ProtectArguments : Pass<"tern-protect-arguments", "::mlir::func::FuncOp"> {
  let summary = "Keep bufferization from writing into a function's arguments";
  let description = [{
    One-shot bufferization takes every tensor argument for its own, and would
    scatter into the caller's input. Marks as `bufferization.writable = false`
    those that say nothing else, as the caches of `step` do.
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect"];
}

def HoistResults : Pass<"tern-hoist-results", "::mlir::ModuleOp"> {
  let summary = "Allocate the results of functions where they are called";
  let description = [{
    A result that a private function allocates becomes an argument, which its
    callers allocate, if its sizes follow from arguments:

    ```mlir
    // func.func private @layer(%n: index, %x: memref<?x384xf32>) -> memref<?x384xf32>
    %y = memref.alloc(%n) : memref<?x384xf32>
    call @layer(%n, %x, %y)
    ```
    So deallocation knows the buffer, and `optimize-allocation-liveness` frees it
    after its last use; results of calls would all live until the end, one for each
    layer of a model.

    Assertions before such an allocation move to the callers too, if their operands
    follow from arguments: sizes that contradict each other are refused before a
    buffer of such a size is asked for.

    A function stays as it is if it has several blocks, is used by anything but
    plain calls, or returns what may alias an allocation: a view, say.

    Requires: bufferised functions, before deallocations are inserted.
  }];
  let dependentDialects = ["::mlir::func::FuncDialect", "::mlir::memref::MemRefDialect"];
}

#endif // TERN_TRANSFORMS_PASSES_TD

//===- HostPasses.td - passes that meet the host -----------*- tablegen -*-===//

#ifndef TERN_TRANSFORMS_HOSTPASSES_TD
#define TERN_TRANSFORMS_HOSTPASSES_TD

include "mlir/Pass/PassBase.td"

def EmitModelEntries : Pass<"tern-emit-model-entries", "::mlir::ModuleOp"> {
  let summary = "Wrap a model's functions in the C interface of ModelABI.h";
  let description = [{
    Adds `tern_run_<variant>` around `main` and, where there is one,
    `tern_step_<variant>` around `step`.

    `step` writes its logits to the caller's memory where it allocates them itself,
    as many rows as it is asked for; others are copied there.

    Each output is the caller's to free: where results of `main` share a buffer,
    all but the first leave as copies.

    Requires: bufferised functions whose arguments and results have the
    identity layout, results owned by the caller; `step` as
    `onnx-derive-step` builds it.
  }];
  let options = [Option<"variant", "variant", "std::string", /*default=*/"\"generic\"",
                        "Suffix of the entry points">];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
                           "::mlir::scf::SCFDialect"];
}

def MarkTemporaries : Pass<"tern-mark-temporaries", "::mlir::func::FuncOp"> {
  let summary = "Mark the buffers that the host may provide";
  let description = [{
    A buffer that is freed in the block that allocates it, and nowhere else,
    leaves no call: the host may take it from where it likes, which is faster than
    malloc for a prompt's megabytes. Its allocation and its deallocation get the
    attribute `tern.temporary`, by which `tern-outline-parallel-loops` lowers them.
    All other buffers come from malloc: the caller frees them.

    Only buffers of the identity layout whose bytes the sizes tell, aligned to 64
    bytes at most.

    Requires: to run before `tern-stack-small-buffers`, which may free a buffer in
    another block than it is allocated in, and before `tern-outline-parallel-loops`.
    Ensures: both are marked or neither.
  }];
}

def StackSmallBuffers : Pass<"tern-stack-small-buffers", "::mlir::func::FuncOp"> {
  let summary = "Small temporaries on the stack";
  let description = [{
    A buffer that is freed in the block that allocates it is put on the stack if
    it has at most `bytes`; where dynamic sizes decide, when the function runs:

    ```mlir
    // %a = memref.alloc(%n) : memref<?x384xf32>, and memref.dealloc %a
    %small = min(1536 * min(%n, 16385), 16385) <= 16384
    %a = scf.if %small {memref.alloca(%n)} else {memref.alloc(%n)}
    scf.if !%small {memref.dealloc %a}
    ```
    All buffers of a block together take at most `total` bytes. Only blocks of
    functions and of parallel loops, whose iterations restore the stack: in
    another loop, buffers would pile up until the function returns.

    Requires: to run before `tern-check-allocations`, which then checks those
    that come from malloc or the host, and before `tern-outline-parallel-loops`.
    Ensures: a thread needs no more stack than `total`, and what alignment takes,
    for each function and each parallel loop that is active.
  }];
  let options = [Option<"bytes", "bytes", "int64_t", /*default=*/"16384",
                        "The largest buffer on the stack">,
                 Option<"total", "total", "int64_t", /*default=*/"262144",
                        "What all buffers of a block may take">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"];
}

def CheckAllocations : Pass<"tern-check-allocations", "::mlir::func::FuncOp"> {
  let summary = "Fail where there is no memory for a buffer";
  let description = [{
    The sizes of a run may ask for more memory than there is, or for so much that
    its bytes do not fit 64 bits. Behind each `memref.alloc`, asserts that neither
    is so; the message names the ONNX node, the bytes and the shape.

    ```mlir
    %a = memref.alloc(%n) : memref<3x?xf32>
    // %p is its address, %high and %low the product of %n and 12
    %fits = %high == 0 && %low >= 0
    ternary.assert %fits, ["node 'y': not enough memory: 2^63 or more bytes for f32[3, ", "]"], %n
    %there = %p != 0
    ternary.assert %there, ["node 'y': not enough memory: ", " bytes for f32[3, ", "]"], %low, %n
    ```
    Where the type does not tell the bytes (strides keep dynamic dimensions apart, say),
    only the address is asserted: `not enough memory: room for f32[3, N]`.

    Requires: to run before `tern-outline-parallel-loops`, which lowers the
    assertions.
    Ensures: no buffer is used that could not be allocated in full.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect",
                           "::tern::ternary::TernaryDialect"];
}

def AnnounceWeights : Pass<"tern-announce-weights", "::mlir::ModuleOp"> {
  let summary = "Say which weights threads may fetch while they wait";
  let description = [{
    For each call of a function that reads one of its arguments in streams (a loop
    with `tern.streams`), announces that argument: before the call of such a function
    ahead of it in the block, as some threads reach that one's end earlier than
    others, or behind another call, which may announce something itself, or at the
    block's beginning.

    ```mlir
    call @norm(%h, %x) : ...
    ternary.announce %w1 in 4 streams : memref<1310720xi8>
    call @product(%x, %w0, %y) : ...
    call @other_product(%y, %w1, %z) : ...
    ```
    Requires: to run before `tern-outline-parallel-loops`, which lowers the
    announcements.
    Ensures: nothing is announced in a parallel loop.
  }];
  let dependentDialects = ["::tern::ternary::TernaryDialect"];
}

def OutlineParallelLoops : Pass<"tern-outline-parallel-loops", "::mlir::ModuleOp"> {
  let summary = "Run scf.parallel loops on the host's threads";
  let description = [{
    Outlines the body of each outermost `scf.parallel` into a function of a
    range of iterations, which the caller hands to `parallel_for` of ModelABI.h;
    loops with little work, for which waking a thread and waiting for it takes
    longer, call it directly. Every function gets the host as
    its first argument, `cf.assert` and `ternary.assert` become calls of the
    host's `fail`, `ternary.fetch` one of its `fetch` and `ternary.announce` one of its `announce`. What
    `tern-mark-temporaries` marked is asked of its `allocate` and given back by its
    `release`; `ternary.trim` becomes a call of its `trim`.

    Each such function gets an attribute `tern.kernel`, a dictionary that names
    the nodes it computes, after the loop's location or, in a function that the
    layers call, after those calls; numbers of layers become `*`. What the
    `tern.kernel` of the loop said is added.

    ```mlir
    func.func @f_parallel_0(...) attributes {tern.kernel = {bytes = 512 : i64,
        macs_per_token = 2048 : i64, name = "layers.*.mlp.up_proj 32x64 i2"}}
    ```

    The loop over a range has an attribute `tern.independent` if it has one
    dimension and its iterations are long.

    Requires: entry points from `tern-emit-model-entries`; bufferised loops
    without reductions.
    Ensures: no assertion, no fetch, no announcement, no trim and no mark is left; an scf.parallel inside another stays, to be
    run by its thread alone.
  }];
  let options = [Option<"minWork", "min-work", "int64_t", /*default=*/"131072",
                        "Operations on elements below which a loop stays on its thread">];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::scf::SCFDialect",
                           "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect"];
}

def SplitStreamLoops : Pass<"tern-split-stream-loops", "::mlir::func::FuncOp"> {
  let summary = "Store what streams give later, and together";
  let description = [{
    In a loop of independent iterations (`tern.independent`) whose body has loops
    that fetch memory ahead, each line that is read or written in between slows
    down the streams. What touches memory behind the last such loop is done for
    `group` iterations at once; what it needs waits on the stack.

    ```mlir
    scf.for %i = %begin to %end step %c1 {
      %sum = scf.for ... { memref.prefetch ... }
      vector.store %sum, %out[%i]
    } {tern.independent}
    // becomes
    %stage = memref.alloca() : memref<16xvector<16xi32>>
    scf.for %first = %begin to %end step %c16 {
      %last = arith.minsi %first + 16, %end
      scf.for %i = %first to %last step %c1 {
        %sum = scf.for ... { memref.prefetch ... }
        memref.store %sum, %stage[%i - %first]
      }
      scf.for %i = %first to %last step %c1 {
        %sum = memref.load %stage[%i - %first]
        vector.store %sum, %out[%i]
      }
    }
    ```
    Addresses are computed twice. A loop stays as it is where something would have to
    wait that is neither a number nor a vector: a buffer of the iteration.

    Requires: loops from `tern-outline-parallel-loops`; others of a step that is not
    1, or that hand on values, stay as they are.
    Ensures: the same values in the same places.
  }];
  let options = [Option<"group", "group", "int64_t", /*default=*/"16",
                        "Iterations whose results wait">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect"];
}

def EmitKernelTable : Pass<"tern-emit-kernel-table", "::mlir::ModuleOp"> {
  let summary = "List the kernels for whoever measures them";
  let description = [{
    Makes the constant `tern_kernels_<variant>`, an array of TernKernel of
    ModelABI.h: one for each function with an attribute `tern.kernel` whose
    address is taken, and an end. By it the runtime knows which loop it runs;
    nothing else of the code changes. Where a function `step` generates the
    text, the loops of `main` alone are left out: nobody measures them.

    Requires: functions of the LLVM dialect.
    Ensures: no `tern.kernel` is left.
  }];
  let options = [Option<"variant", "variant", "std::string", /*default=*/"\"generic\"",
                        "Suffix of the table's name">];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

#endif // TERN_TRANSFORMS_HOSTPASSES_TD

//===- StackSmallBuffers.cpp - small temporaries without malloc -----------===//
//
// One token's activations are a few kilobytes each, and a layer has dozens of
// them: asking malloc for each takes longer than computing some. How large they
// are is known when a call knows its tokens.
//
//===----------------------------------------------------------------------===//

#include "BufferBytes.h"
#include "TemporaryBuffers.h"

#include "tern/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/MapVector.h"

namespace tern {
#define GEN_PASS_DEF_STACKSMALLBUFFERS
#include "tern/Transforms/Passes.h.inc"
} // namespace tern

using namespace mlir;

namespace {
/// A buffer that is freed in the block that allocates it.
struct Temporary {
  memref::AllocOp alloc;
  memref::DeallocOp dealloc;
};
} // namespace

/// Whether a buffer of these sizes has at most `most` bytes. No product
/// overflows: what is larger than `most` counts as one more.
static Value buildIsSmall(ImplicitLocOpBuilder &b, int64_t staticBytes,
                          ValueRange sizes, int64_t most) {
  auto constant = [&](int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  };
  Value bytes = constant(staticBytes), bound = constant(most + 1);
  for (Value size : sizes) {
    Value bounded = b.createOrFold<arith::MinUIOp>(size, bound);
    bytes = b.createOrFold<arith::MinUIOp>(
        b.createOrFold<arith::MulIOp>(bytes, bounded), bound);
  }
  return b.createOrFold<arith::CmpIOp>(arith::CmpIPredicate::ule, bytes,
                                       constant(most));
}

/// Allocates `temporary` on the stack if it has at most `most` bytes.
static void putOnStack(Temporary temporary, int64_t staticBytes, int64_t most) {
  memref::AllocOp alloc = temporary.alloc;
  memref::DeallocOp dealloc = temporary.dealloc;
  ImplicitLocOpBuilder b(alloc.getLoc(), alloc);
  auto createAlloca = [&](OpBuilder &at) {
    return memref::AllocaOp::create(at, alloc.getLoc(), alloc.getType(),
                                    alloc.getDynamicSizes(),
                                    alloc.getAlignmentAttr());
  };
  if (alloc.getDynamicSizes().empty()) {
    dealloc.erase();
    alloc.replaceAllUsesWith(createAlloca(b).getResult());
    alloc.erase();
    return;
  }
  Value isSmall = buildIsSmall(b, staticBytes, alloc.getDynamicSizes(), most);
  auto buffer = scf::IfOp::create(
      b, isSmall,
      [&](OpBuilder &nested, Location loc) {
        scf::YieldOp::create(nested, loc, createAlloca(nested).getResult());
      },
      [&](OpBuilder &nested, Location loc) {
        scf::YieldOp::create(nested, loc,
                             nested.clone(*alloc.getOperation())->getResults());
      });
  b.setInsertionPoint(dealloc);
  Value isLarge =
      arith::XOrIOp::create(b, isSmall, arith::ConstantIntOp::create(b, 1, 1));
  auto release = scf::IfOp::create(b, isLarge, /*withElseRegion=*/false);
  dealloc->moveBefore(release.thenYield());
  alloc.replaceAllUsesWith(buffer.getResult(0));
  alloc.erase();
}

/// Gives back, at the end of each iteration of `loop`, what it put on the
/// stack.
static void restoreStack(scf::ParallelOp loop) {
  ImplicitLocOpBuilder b(loop.getLoc(), loop.getContext());
  b.setInsertionPointToStart(loop.getBody());
  Value top =
      LLVM::StackSaveOp::create(b, LLVM::LLVMPointerType::get(b.getContext()));
  b.setInsertionPoint(loop.getBody()->getTerminator());
  LLVM::StackRestoreOp::create(b, top);
}

namespace {
struct StackSmallBuffersPass
    : tern::impl::StackSmallBuffersBase<StackSmallBuffersPass> {
  using Base::Base;

  void runOnOperation() override {
    // What an iteration puts there, it takes away; in other loops, buffers
    // would pile up.
    llvm::MapVector<Operation *, SmallVector<Temporary>> found;
    getOperation().walk([&](memref::AllocOp alloc) {
      Operation *parent = alloc->getParentOp();
      if (!isa<func::FuncOp, scf::ParallelOp>(parent) ||
          !alloc.getSymbolOperands().empty())
        return;
      if (memref::DeallocOp dealloc = tern::findDealloc(alloc))
        found[parent].push_back({alloc, dealloc});
    });
    for (auto &[parent, temporaries] : found) {
      int64_t most = std::min<int64_t>(
          bytes, total / static_cast<int64_t>(temporaries.size()));
      bool any = false;
      for (Temporary temporary : temporaries) {
        std::optional<int64_t> least =
            tern::getStaticBytes(temporary.alloc.getType());
        if (!least || *least > most)
          continue;
        putOnStack(temporary, *least, most);
        any = true;
      }
      if (auto loop = dyn_cast<scf::ParallelOp>(parent); loop && any)
        restoreStack(loop);
    }
  }
};
} // namespace

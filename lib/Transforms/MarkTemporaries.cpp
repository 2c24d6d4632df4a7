//===- MarkTemporaries.cpp - buffers that the host may provide ------------===//

#include "BufferBytes.h"
#include "TemporaryBuffers.h"

#include "tern/Transforms/Passes.h"

#include "mlir/IR/Builders.h"

namespace tern {
#define GEN_PASS_DEF_MARKTEMPORARIES
#include "tern/Transforms/Passes.h.inc"
} // namespace tern

using namespace mlir;

/// What `allocate` of ModelABI.h promises, in bytes.
static constexpr uint64_t kHostAlignment = 64;

/// Whether the host can provide what `alloc` asks for.
static bool isPlain(memref::AllocOp alloc) {
  MemRefType type = alloc.getType();
  return type.getLayout().isIdentity() && !type.getMemorySpace() &&
         tern::getStaticBytes(type) &&
         alloc.getAlignment().value_or(1) <= kHostAlignment;
}

namespace {
struct MarkTemporariesPass
    : tern::impl::MarkTemporariesBase<MarkTemporariesPass> {
  using Base::Base;

  void runOnOperation() override {
    UnitAttr mark = UnitAttr::get(&getContext());
    getOperation().walk([&](memref::AllocOp alloc) {
      memref::DeallocOp dealloc = tern::findDealloc(alloc);
      if (!dealloc || !isPlain(alloc))
        return;
      alloc->setDiscardableAttr(tern::kTemporaryAttr, mark);
      dealloc->setDiscardableAttr(tern::kTemporaryAttr, mark);
    });
  }
};
} // namespace

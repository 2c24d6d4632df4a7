//===- LowerStridedCopies.cpp - strided copies as loops -------------------===//

#include "tern/Transforms/Passes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace tern {
#define GEN_PASS_DEF_LOWERSTRIDEDCOPIES
#include "tern/Transforms/Passes.h.inc"
} // namespace tern

using namespace mlir;

static bool isStrided(Value buffer) {
  auto type = dyn_cast<MemRefType>(buffer.getType());
  return type && !type.getLayout().isIdentity();
}

namespace {
struct LowerStridedCopiesPass
    : tern::impl::LowerStridedCopiesBase<LowerStridedCopiesPass> {
  using Base::Base;
  void runOnOperation() override {
    SmallVector<memref::CopyOp> copies;
    getOperation().walk([&](memref::CopyOp copy) {
      if (isStrided(copy.getSource()) || isStrided(copy.getTarget()))
        copies.push_back(copy);
    });
    for (memref::CopyOp copy : copies) {
      OpBuilder builder(copy);
      linalg::makeMemRefCopyOp(builder, copy.getLoc(), copy.getSource(),
                               copy.getTarget());
      copy.erase();
    }
  }
};
} // namespace

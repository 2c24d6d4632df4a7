//===- KeepRounding.cpp - conversions between floats are meant ------------===//

#include "tern/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace tern {
#define GEN_PASS_DEF_KEEPROUNDING
#include "tern/Transforms/Passes.h.inc"
} // namespace tern

using namespace mlir;

namespace {
struct KeepRoundingPass : tern::impl::KeepRoundingBase<KeepRoundingPass> {
  using Base::Base;

  void runOnOperation() override {
    // Removed, not set to none: the conversion to LLVM keeps the attribute.
    getOperation()->walk([](Operation *op) {
      if (auto extend = dyn_cast<arith::ExtFOp>(op))
        extend.removeFastmathAttr();
      else if (auto truncate = dyn_cast<arith::TruncFOp>(op))
        truncate.removeFastmathAttr();
    });
  }
};
} // namespace

//===- RaiseAttention.cpp - attention as one node -------------------------===//

#include "tern/Dialect/Onnx/Transforms/RaiseAttention.h"

namespace tern::onnx {
#define GEN_PASS_DEF_RAISEATTENTION
#include "tern/Dialect/Onnx/Transforms/Passes.h.inc"
} // namespace tern::onnx

using namespace mlir;
using namespace tern::onnx;

void tern::onnx::raiseAttention(func::FuncOp, const GraphAssumptions &,
                                const RaiseAttentionOptions &) {}

namespace {

struct RaiseAttentionPass
    : tern::onnx::impl::RaiseAttentionBase<RaiseAttentionPass> {
  using Base::Base;
  void runOnOperation() override {
    raiseAttention(getOperation(), {}, RaiseAttentionOptions{foldPast});
  }
};

} // namespace

//===- FoldConstants.cpp -------------------------------------------------------===//

#include "tern/Dialect/Onnx/Transforms/Passes.h"

#include "tern/Dialect/Onnx/IR/Onnx.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace tern::onnx {
#define GEN_PASS_DEF_FOLDCONSTANTS
#include "tern/Dialect/Onnx/Transforms/Passes.h.inc"
} // namespace tern::onnx

namespace {
struct FoldConstantsPass : tern::onnx::impl::FoldConstantsBase<FoldConstantsPass> {
  using Base::Base;
  void runOnOperation() override {}
};
} // namespace

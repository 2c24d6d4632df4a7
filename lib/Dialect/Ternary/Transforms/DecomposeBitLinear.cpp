//===- DecomposeBitLinear.cpp -------------------------------------------------------===//

#include "tern/Dialect/Ternary/Transforms/Passes.h"

#include "tern/Dialect/Ternary/IR/Ternary.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace tern::ternary {
#define GEN_PASS_DEF_DECOMPOSEBITLINEAR
#include "tern/Dialect/Ternary/Transforms/Passes.h.inc"
} // namespace tern::ternary

namespace {
struct DecomposeBitLinearPass : tern::ternary::impl::DecomposeBitLinearBase<DecomposeBitLinearPass> {
  using Base::Base;
  void runOnOperation() override {}
};
} // namespace

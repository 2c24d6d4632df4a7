//===- PackWeights.cpp -------------------------------------------------------===//

#include "tern/Dialect/Ternary/Transforms/Passes.h"

#include "tern/Dialect/Ternary/IR/Ternary.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace tern::ternary {
#define GEN_PASS_DEF_PACKWEIGHTS
#include "tern/Dialect/Ternary/Transforms/Passes.h.inc"
} // namespace tern::ternary

namespace {
struct PackWeightsPass : tern::ternary::impl::PackWeightsBase<PackWeightsPass> {
  using Base::Base;
  void runOnOperation() override {}
};
} // namespace

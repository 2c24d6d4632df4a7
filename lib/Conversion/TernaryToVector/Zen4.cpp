//===- Zen4.cpp - products of many tokens, in part by lookups -------------===//

#include "MixedProduct.h"

using namespace mlir;
using namespace tern::ternary;

namespace {
/// AVX512-VBMI, whose lookups have vector units beside those of dot products.
class Zen4Target : public VbmiTarget {
public:
  Zen4Target() : VbmiTarget("zen4") {}

  std::optional<int64_t> getLeastMixedTokens(MatrixType matrix) const override {
    if (!MixedProductBuilder::isFaster(matrix))
      return std::nullopt;
    return MixedProductBuilder::leastTokens;
  }

  void buildMixedProduct(OpBuilder &b, Location loc,
                         const ProductOperands &operands,
                         Value tokens) const override {
    MixedProductBuilder(b, loc, *this, operands).build(tokens);
  }
};
} // namespace

std::unique_ptr<VectorTarget> tern::ternary::createZen4Target() {
  return std::make_unique<Zen4Target>();
}

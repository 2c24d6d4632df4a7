//===- AMX.cpp - products of many tokens in tiles -------------------------===//

#include "TileProduct.h"
#include "VNNI.h"

using namespace mlir;
using namespace tern::ternary;

namespace {
/// AVX512-VNNI for few tokens, and tiles for as many as fill one. Every CPU
/// with tiles has AVX512-VBMI.
class AmxTarget : public VbmiTarget {
public:
  AmxTarget()
      : VbmiTarget("amx", /*lanes=*/16, /*blockTokens=*/8, /*blockStrips=*/3,
                   /*streams=*/4) {}

  int64_t getLeastTiledTokens(MatrixType matrix) const override {
    return canTile(matrix) ? tileTokens : 0;
  }

  void buildTiledProduct(OpBuilder &b, Location loc,
                         const ProductOperands &operands) const override {
    buildTileProduct(b, loc, *this, operands);
  }
};
} // namespace

std::unique_ptr<VectorTarget> tern::ternary::createAmxTarget() {
  return std::make_unique<AmxTarget>();
}

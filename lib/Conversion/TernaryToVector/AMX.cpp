//===- AMX.cpp - products of many tokens in tiles -------------------------===//

#include "TileProduct.h"
#include "VNNI.h"

using namespace mlir;
using namespace tern::ternary;

namespace {
/// AVX512-VNNI for one token, and tiles for more. Every CPU with tiles has
/// AVX512-VBMI.
class AmxTarget : public VbmiTarget {
public:
  AmxTarget()
      : VbmiTarget("amx", /*lanes=*/16, /*blockTokens=*/8, /*blockStrips=*/3,
                   /*streams=*/4) {}

  bool hasTiles(MatrixType matrix) const override { return canTile(matrix); }

  void buildTiledProduct(OpBuilder &b, Location loc,
                         const ProductOperands &operands) const override {
    buildTileProduct(b, loc, *this, operands);
  }
};
} // namespace

std::unique_ptr<VectorTarget> tern::ternary::createAmxTarget() {
  return std::make_unique<AmxTarget>();
}

//===- AMX.cpp - products of many tokens in tiles -------------------------===//

#include "TileProduct.h"
#include "VNNI.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace tern::ternary;

namespace {
/// AVX512-VNNI for one token, and tiles for more. Every CPU with tiles has
/// AVX512-VBMI and GFNI.
class AmxTarget : public VbmiTarget {
public:
  AmxTarget() : VbmiTarget("amx") {}

  // As the CPUs with tiles were found to like it (Intel Xeon, Sapphire Rapids).
  tern::StreamFetch getStreamFetch() const override { return {}; }

  // vgf2p8affineqb, whose matrices have the last row first.
  Value buildBitMatrix(OpBuilder &b, Location loc,
                       const std::array<uint8_t, 8> &rows,
                       Value bytes) const override {
    auto type = cast<VectorType>(bytes.getType());
    SmallVector<int8_t> matrices;
    for (int64_t i = 0; i < type.getNumElements(); ++i)
      matrices.push_back(static_cast<int8_t>(rows[7 - i % 8]));
    Value constant = arith::ConstantOp::create(
        b, loc, DenseElementsAttr::get(type, ArrayRef<int8_t>(matrices)));
    Value inverted = arith::ConstantIntOp::create(b, loc, -1, 8);
    return buildIntrinsic(b, loc, "llvm.x86.vgf2p8affineqb.512", type,
                          {bytes, constant, inverted});
  }

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

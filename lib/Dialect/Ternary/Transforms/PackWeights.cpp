//===- PackWeights.cpp - constant weights in tiles ------------------------===//

#include "tern/Dialect/Ternary/Transforms/Passes.h"

#include "tern/Dialect/Ternary/IR/Ternary.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Remarks.h"

namespace tern::ternary {
#define GEN_PASS_DEF_PACKWEIGHTS
#include "tern/Dialect/Ternary/Transforms/Passes.h.inc"
} // namespace tern::ternary

using namespace mlir;
using namespace tern::ternary;

namespace {
/// Rewrites products on constant weights. Each matrix is packed once, behind
/// its definition, whatever the number of its products; the functions of a
/// module share what is packed, since each has its own copy of the constant.
class Packer {
public:
  Packer(MLIRContext *context, LayoutAttr layout)
      : rewriter(context), layout(layout) {}

  void pack(MatmulOp op);

private:
  Value getBytes(Value weights);
  /// x with zero columns added to whole steps.
  Value padColumns(Location loc, Value x, int64_t cols);

  IRRewriter rewriter;
  LayoutAttr layout;
  llvm::DenseMap<Value, Value> bytesOf;
  /// What the bytes of a constant of this type become.
  llvm::DenseMap<std::pair<Attribute, Type>, TypedAttr> packedOf;
};
} // namespace

Value Packer::getBytes(Value weights) {
  Value &bytes = bytesOf[weights];
  if (bytes)
    return bytes;
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPointAfterValue(weights);
  auto packed = cast<MatrixType>(weights.getType()).withLayout(layout);
  Location loc = weights.getLoc();
  TypedAttr &known = packedOf[{
      weights.getDefiningOp<ConstantOp>().getBytesAttr(), weights.getType()}];
  if (known)
    return bytes = arith::ConstantOp::create(rewriter, loc, known);
  Value matrix = rewriter.createOrFold<PackOp>(loc, packed, weights);
  auto type =
      RankedTensorType::get({packed.getStorageBytes()}, rewriter.getI8Type());
  bytes = rewriter.createOrFold<BytesOp>(loc, type, matrix);
  if (auto constant = matrix.getDefiningOp(); constant->use_empty())
    rewriter.eraseOp(constant);
  matchPattern(bytes, m_Constant(&known));
  return bytes;
}

Value Packer::padColumns(Location loc, Value x, int64_t cols) {
  auto type = cast<RankedTensorType>(x.getType());
  if (type.getDimSize(1) == cols)
    return x;
  auto padded =
      RankedTensorType::get({type.getDimSize(0), cols}, type.getElementType());
  OpFoldResult zero = rewriter.getIndexAttr(0);
  SmallVector<OpFoldResult> low = {zero, zero};
  SmallVector<OpFoldResult> high = {
      zero, rewriter.getIndexAttr(cols - type.getDimSize(1))};
  Value value =
      arith::ConstantOp::create(rewriter, loc, rewriter.getI8IntegerAttr(0));
  return tensor::PadOp::create(rewriter, loc, padded, x, low, high, value);
}

void Packer::pack(MatmulOp op) {
  Location loc = op.getLoc();
  auto matrix = op.getWeights().getType().withLayout(layout);
  Value bytes = getBytes(op.getWeights());
  rewriter.setInsertionPoint(op);

  Value x = op.getX();
  auto known = RankedTensorType::get(
      {op.getX().getType().getDimSize(0), matrix.getCols()},
      rewriter.getI8Type());
  if (x.getType() != known)
    x = tensor::CastOp::create(rewriter, loc, known, x);
  x = padColumns(loc, x, matrix.getPaddedCols());
  OpFoldResult tokens = tensor::getMixedSize(rewriter, loc, x, 0);
  Value init = tensor::EmptyOp::create(
      rewriter, loc, {tokens, rewriter.getIndexAttr(matrix.getPaddedRows())},
      rewriter.getI32Type());
  Value y = PackedMatmulOp::create(rewriter, loc, init.getType(), x, bytes,
                                   init, TypeAttr::get(matrix))
                .getResult();
  if (matrix.getPaddedRows() != matrix.getRows()) {
    OpFoldResult zero = rewriter.getIndexAttr(0),
                 one = rewriter.getIndexAttr(1);
    y = tensor::ExtractSliceOp::create(
        rewriter, loc, y, ArrayRef{zero, zero},
        ArrayRef{tokens, OpFoldResult(rewriter.getIndexAttr(matrix.getRows()))},
        ArrayRef{one, one});
  }
  if (y.getType() != op.getType())
    y = tensor::CastOp::create(rewriter, loc, op.getType(), y);
  // Layers that are outlined later are one operation; this is said of each.
  remark::passed(loc, remark::RemarkOpts::name("packed").category("tern-pack"))
      << remark::metric("encoding", stringifyEncoding(layout.getEncoding()))
      << remark::metric("tile", layout.getTile())
      << remark::metric("bytes", matrix.getStorageBytes());
  rewriter.replaceOp(op, y);
}

/// Sums that tiles cannot give stay: floats, which are not exact, and groups.
static bool isPackable(MatmulOp op) {
  return op.getX().getType().getElementType().isInteger(8) && !op.getGroups() &&
         op.getWeights().getDefiningOp<ConstantOp>();
}

namespace {
struct PackWeightsPass : tern::ternary::impl::PackWeightsBase<PackWeightsPass> {
  using Base::Base;

  void runOnOperation() override {
    std::optional<Encoding> code = symbolizeEncoding(encoding);
    if (!code) {
      emitError(getOperation().getLoc())
          << "unknown encoding '" << encoding << "'; expected i2 or t5";
      return signalPassFailure();
    }
    auto layout = LayoutAttr::getChecked(
        [&] { return emitError(getOperation().getLoc()); }, &getContext(),
        *code, tile.getValue());
    if (layout && layout.isRowMajor())
      emitError(getOperation().getLoc())
          << "tile of 0 rows; expected a power of two up to 256";
    if (!layout || layout.isRowMajor())
      return signalPassFailure();

    SmallVector<MatmulOp> products;
    getOperation().walk([&](MatmulOp op) {
      if (isPackable(op))
        products.push_back(op);
    });
    Packer packer(&getContext(), layout);
    for (MatmulOp op : products)
      packer.pack(op);
  }
};
} // namespace

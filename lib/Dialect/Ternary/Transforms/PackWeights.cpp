//===- PackWeights.cpp - constant weights in tiles ------------------------===//

#include "tern/Dialect/Ternary/Transforms/Passes.h"

#include "tern/Dialect/Ternary/IR/Ternary.h"
#include "tern/Dialect/Ternary/Transforms/LayoutChoice.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Remarks.h"
#include "llvm/Support/MathExtras.h"

namespace tern::ternary {
#define GEN_PASS_DEF_PACKWEIGHTS
#include "tern/Dialect/Ternary/Transforms/Passes.h.inc"
} // namespace tern::ternary

using namespace mlir;
using namespace tern::ternary;

/// Bytes of a line of a cache, which no row of activations should share.
static constexpr int64_t lineBytes = 64;

/// Bytes from row to row of activations of `cols` columns: whole lines, so that
/// no vector lies across two, and an odd number, since rows an even number
/// apart share few places of a cache.
static int64_t getRowBytes(int64_t cols) {
  if (cols <= lineBytes)
    return cols;
  return (llvm::divideCeil(cols, lineBytes) | 1) * lineBytes;
}

/// The constants that a matrix consists of, from the first row on, if they are
/// known: one, or those that are stacked.
static std::optional<SmallVector<Attribute>> getWeightParts(Value weights) {
  SmallVector<Value> sources = {weights};
  if (auto stack = weights.getDefiningOp<StackOp>())
    sources = llvm::to_vector(stack.getSources());
  SmallVector<Attribute> parts;
  for (Value source : sources) {
    auto constant = source.getDefiningOp<ConstantOp>();
    if (!constant)
      return std::nullopt;
    parts.push_back(constant.getBytes());
  }
  return parts;
}

namespace {
/// Rewrites products on constant weights. Each matrix is packed once, behind
/// its definition, whatever the number of its products; the functions of a
/// module share what is packed, since each has its own copy of the constant.
class Packer {
public:
  explicit Packer(MLIRContext *context) : rewriter(context) {}

  /// `reason`: why that layout; empty if it was asked for.
  void pack(MatmulOp op, LayoutAttr layout, StringRef reason);

private:
  Value getBytes(Value weights, LayoutAttr layout);
  /// x with zero columns added to whole steps, and in memory to whole lines.
  Value padColumns(Location loc, Value x, int64_t cols);

  IRRewriter rewriter;
  /// Of weights in a layout: products of floats and of integers may share
  /// weights, and want another.
  llvm::DenseMap<std::pair<Value, Attribute>, Value> bytesOf;
  /// What constants, one under the other, become as this type.
  llvm::DenseMap<std::pair<Attribute, Type>, TypedAttr> packedOf;
};
} // namespace

Value Packer::getBytes(Value weights, LayoutAttr layout) {
  Value &bytes = bytesOf[{weights, layout}];
  if (bytes)
    return bytes;
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPointAfterValue(weights);
  auto packed = cast<MatrixType>(weights.getType()).withLayout(layout);
  Location loc = weights.getLoc();
  auto parts = ArrayAttr::get(rewriter.getContext(), *getWeightParts(weights));
  TypedAttr &known = packedOf[{parts, packed}];
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

// Rows of bytes that begin anywhere would be read across two lines. The columns
// that fill the last line are in no product. Floats are read one by one.
Value Packer::padColumns(Location loc, Value x, int64_t cols) {
  auto type = cast<RankedTensorType>(x.getType());
  bool areBytes = type.getElementType().isInteger(8);
  int64_t width = areBytes ? getRowBytes(cols) : cols;
  if (type.getDimSize(1) == width)
    return x;
  auto padded =
      RankedTensorType::get({type.getDimSize(0), width}, type.getElementType());
  OpFoldResult zero = rewriter.getIndexAttr(0);
  SmallVector<OpFoldResult> low = {zero, zero};
  SmallVector<OpFoldResult> high = {
      zero, rewriter.getIndexAttr(width - type.getDimSize(1))};
  Value value = arith::ConstantOp::create(
      rewriter, loc, rewriter.getZeroAttr(type.getElementType()));
  x = tensor::PadOp::create(rewriter, loc, padded, x, low, high, value);
  if (width == cols)
    return x;
  OpFoldResult one = rewriter.getIndexAttr(1);
  SmallVector<OpFoldResult> sizes = {tensor::getMixedSize(rewriter, loc, x, 0),
                                     rewriter.getIndexAttr(cols)};
  return tensor::ExtractSliceOp::create(rewriter, loc, x, low, sizes,
                                        ArrayRef{one, one});
}

void Packer::pack(MatmulOp op, LayoutAttr layout, StringRef reason) {
  Location loc = op.getLoc();
  auto matrix = op.getWeights().getType().withLayout(layout);
  Value bytes = getBytes(op.getWeights(), layout);
  rewriter.setInsertionPoint(op);

  Value x = op.getX();
  auto known = RankedTensorType::get(
      {op.getX().getType().getDimSize(0), matrix.getCols()},
      op.getX().getType().getElementType());
  if (x.getType() != known)
    x = tensor::CastOp::create(rewriter, loc, known, x);
  x = padColumns(loc, x, matrix.getPaddedCols());
  OpFoldResult tokens = tensor::getMixedSize(rewriter, loc, x, 0);
  Value init = tensor::EmptyOp::create(
      rewriter, loc, {tokens, rewriter.getIndexAttr(matrix.getPaddedRows())},
      op.getType().getElementType());
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
      << remark::metric("bytes", matrix.getStorageBytes())
      << remark::reason("{0}", reason);
  rewriter.replaceOp(op, y);
}

/// Sums that tiles cannot give stay: those of groups.
static bool isPackable(MatmulOp op) {
  return !op.getGroups() && getWeightParts(op.getWeights());
}

static bool hasFloats(MatmulOp op) {
  return op.getX().getType().getElementType().isF32();
}

/// Bytes of the different weights of some products, as they are stored.
static int64_t countBytes(ArrayRef<MatmulOp> products) {
  llvm::SmallDenseSet<Attribute> seen;
  int64_t bytes = 0;
  for (MatmulOp op : products) {
    // Named, as a loop over a temporary's elements would outlive it.
    SmallVector<Attribute> parts = *getWeightParts(op.getWeights());
    for (Attribute part : parts)
      if (seen.insert(part).second)
        bytes += cast<ElementsAttr>(part).getNumElements();
  }
  return bytes;
}

namespace {
struct PackWeightsPass : tern::ternary::impl::PackWeightsBase<PackWeightsPass> {
  using Base::Base;

  void runOnOperation() override {
    bool isAuto = encoding == "auto";
    std::optional<Encoding> code =
        isAuto ? Encoding::I2 : symbolizeEncoding(encoding);
    if (!code)
      return fail("unknown encoding '" + encoding +
                  "'; expected auto, i2 or t5");
    if (isAuto && targets.empty())
      return fail("no targets to choose an encoding for; expected "
                  "targets=NAME,...");
    auto layout = LayoutAttr::getChecked(
        [&] { return emitError(getOperation().getLoc()); }, &getContext(),
        *code, tile.getValue());
    if (layout && layout.isRowMajor())
      return fail("tile of 0 rows; expected a power of two up to 256");
    if (!layout)
      return signalPassFailure();

    SmallVector<MatmulOp> products;
    getOperation().walk([&](MatmulOp op) {
      if (isPackable(op))
        products.push_back(op);
    });
    WeightsPlace place = countBytes(products) > cacheBytes
                             ? WeightsPlace::Memory
                             : WeightsPlace::Cache;
    Packer packer(&getContext());
    for (MatmulOp op : products) {
      if (!isAuto) {
        packer.pack(op, layout, /*reason=*/"");
        continue;
      }
      if (hasFloats(op)) {
        packer.pack(op, layout,
                    "additions of floats take longer than weights "
                    "of 2 bits from memory");
        continue;
      }
      LayoutChoice choice = chooseLayout(
          op.getWeights().getType().withLayout(layout), *targets, place);
      packer.pack(
          op,
          LayoutAttr::get(op.getContext(), choice.encoding, tile.getValue()),
          choice.reason);
    }
  }

  void fail(const Twine &message) {
    emitError(getOperation().getLoc()) << message;
    signalPassFailure();
  }
};
} // namespace

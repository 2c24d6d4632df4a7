//===- MatMulNBits.cpp - onnxruntime's product with packed weights --------===//
//
// Ternary weights are raised before they come here; other codes are expanded
// to floats and multiplied as such.
//
//===----------------------------------------------------------------------===//

#include "Broadcast.h"
#include "Contraction.h"
#include "Sizes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tern::onnx;

namespace {
/// Inputs of the node: activations, codes [N, blocks, bytes of a block], scales
/// [N, blocks] and zero points [N, blocks], flat or not; packed ones fill whole
/// bytes in each row.
struct PackedWeights {
  int64_t rows, columns, blockSize, bits;
  Value codes, scales, zeroPoints;

  int64_t blocks() const { return llvm::divideCeil(columns, blockSize); }
  int64_t codesPerByte() const { return 8 / bits; }
};
} // namespace

static Value index(ImplicitLocOpBuilder &b, int64_t value) {
  return arith::ConstantIndexOp::create(b, value);
}

// Element `position` of the row-major elements of `tensor`, a row of which
// holds `rowSize`.
static Value extractFromRow(ImplicitLocOpBuilder &b, Value flat, Value row,
                            int64_t rowSize, Value position) {
  Value start = arith::MulIOp::create(b, row, index(b, rowSize));
  Value place = arith::AddIOp::create(b, start, position);
  return tensor::ExtractOp::create(b, flat, place);
}

// Code `position` of a row of `rowBytes` bytes, lowest bits first, as f32.
static Value extractCode(ImplicitLocOpBuilder &b, Value flat, Value row,
                         int64_t rowBytes, Value position, int64_t bits) {
  Value perByte = index(b, 8 / bits);
  Value byte = extractFromRow(b, flat, row, rowBytes,
                              arith::DivUIOp::create(b, position, perByte));
  Value shift = arith::MulIOp::create(
      b, arith::RemUIOp::create(b, position, perByte), index(b, bits));
  Value low = arith::ShRUIOp::create(
      b, byte, arith::IndexCastOp::create(b, b.getI8Type(), shift));
  Value mask = scalarConstant(b, b.getI8Type(), (1 << bits) - 1);
  Value code = arith::AndIOp::create(b, low, mask);
  return arith::UIToFPOp::create(b, b.getF32Type(), code);
}

static Value zeroPointOf(ImplicitLocOpBuilder &b, const PackedWeights &weights,
                         Value row, Value block) {
  if (!weights.zeroPoints)
    return scalarConstant(b, b.getF32Type(), 1 << (weights.bits - 1));
  if (isa<FloatType>(getElementTypeOrSelf(weights.zeroPoints))) {
    Value zero =
        extractFromRow(b, weights.zeroPoints, row, weights.blocks(), block);
    return convertFloat(b, zero, b.getF32Type());
  }
  int64_t rowBytes = llvm::divideCeil(weights.blocks() * weights.bits, 8);
  return extractCode(b, weights.zeroPoints, row, rowBytes, block, weights.bits);
}

// The weights as [N, K] floats of `type`.
static Value expandWeights(LoweringContext &ctx, const PackedWeights &weights,
                           Type type) {
  int64_t rowBytes = weights.blocks() * weights.blockSize * weights.bits / 8;
  auto body = [&](OpBuilder &nested, Location loc, ValueRange) {
    ImplicitLocOpBuilder b(loc, nested);
    Value row = linalg::IndexOp::create(b, 0);
    Value column = linalg::IndexOp::create(b, 1);
    Value block =
        arith::DivUIOp::create(b, column, index(b, weights.blockSize));
    Value code =
        extractCode(b, weights.codes, row, rowBytes, column, weights.bits);
    Value scale = convertFloat(
        b, extractFromRow(b, weights.scales, row, weights.blocks(), block),
        b.getF32Type());
    Value centred =
        arith::SubFOp::create(b, code, zeroPointOf(b, weights, row, block));
    Value value = arith::MulFOp::create(b, centred, scale);
    linalg::YieldOp::create(b, convertFloat(b, value, type));
  };
  Value init = tensor::EmptyOp::create(
      ctx.b, ArrayRef<int64_t>{weights.rows, weights.columns}, type);
  return linalg::GenericOp::create(ctx.b, init.getType(), ValueRange(), init,
                                   ctx.b.getMultiDimIdentityMap(2),
                                   parallelLoops(2), body)
      .getResult(0);
}

// Input `index` as one row of elements, which must be `expected` many; null
// where it is omitted.
static FailureOr<Value> flattened(LoweringContext &ctx, unsigned index,
                                  int64_t expected) {
  Value tensor = ctx.input(index);
  if (!tensor)
    return Value();
  RankedTensorType type = ctx.type(index);
  if (!type.hasStaticShape() || type.getNumElements() != expected ||
      type.getRank() == 0)
    return ctx.error() << "input " << index << " has type " << type
                       << "; expected " << expected << " elements";
  if (type.getRank() == 1)
    return tensor;
  ReassociationIndices all =
      llvm::to_vector(llvm::seq<int64_t>(0, type.getRank()));
  return Value(tensor::CollapseShapeOp::create(
      ctx.b, tensor, ArrayRef<ReassociationIndices>{all}));
}

static FailureOr<PackedWeights> readWeights(LoweringContext &ctx) {
  PackedWeights weights;
  weights.rows = ctx.node.getInt("N", 0);
  weights.columns = ctx.node.getInt("K", 0);
  weights.blockSize = ctx.node.getInt("block_size", 0);
  weights.bits = ctx.node.getInt("bits", 4);
  constexpr int64_t limit = int64_t(1) << 31;
  auto isSize = [](int64_t size) { return size > 0 && size < limit; };
  if (!isSize(weights.rows) || !isSize(weights.columns) ||
      !isSize(weights.blockSize) || weights.blockSize % 8 != 0)
    return ctx.error() << "found N = " << weights.rows
                       << ", K = " << weights.columns
                       << ", block_size = " << weights.blockSize
                       << "; expected positive sizes and whole bytes";
  if (weights.bits != 2 && weights.bits != 4 && weights.bits != 8)
    return ctx.error() << "found bits = " << weights.bits
                       << "; expected 2, 4 or 8";
  if (ctx.input(4))
    return ctx.error() << "g_idx is not supported";

  int64_t blocks = weights.rows * weights.blocks();
  bool hasFloatZeros =
      ctx.input(3) && isa<FloatType>(ctx.type(3).getElementType());
  int64_t zeroBytes =
      weights.rows * llvm::divideCeil(weights.blocks() * weights.bits, 8);
  FailureOr<Value> codes =
      flattened(ctx, 1, blocks * (weights.blockSize * weights.bits / 8));
  FailureOr<Value> scales = flattened(ctx, 2, blocks);
  FailureOr<Value> zeroPoints =
      flattened(ctx, 3, hasFloatZeros ? blocks : zeroBytes);
  if (failed(codes) || failed(scales) || failed(zeroPoints))
    return failure();
  auto isBytes = [](Value value) {
    return getElementTypeOrSelf(value).isInteger(8);
  };
  if (!isBytes(*codes) || !isa<FloatType>(getElementTypeOrSelf(*scales)) ||
      (*zeroPoints && !hasFloatZeros && !isBytes(*zeroPoints)))
    return ctx.error() << "found codes of type " << ctx.type(1)
                       << " and scales of type " << ctx.type(2)
                       << "; expected bytes and floats, and zero points of "
                          "either";
  weights.codes = *codes;
  weights.scales = *scales;
  weights.zeroPoints = *zeroPoints;
  return weights;
}

static LoweringResult lowerMatMulNBits(LoweringContext &ctx) {
  FailureOr<PackedWeights> weights = readWeights(ctx);
  if (failed(weights) || failed(checkFactor(ctx, 0)))
    return failure();
  Type type = ctx.type(0).getElementType();
  Factor expanded{expandWeights(ctx, *weights, type)};
  expanded.isTransposed = true;
  FailureOr<Value> product = multiplyMatrices(ctx, {ctx.input(0)}, expanded);
  Value bias = ctx.input(5);
  if (failed(product) || !bias)
    return single(product);
  return single(
      elementwise(ctx, {*product, bias}, type,
                  [](ImplicitLocOpBuilder &b, ValueRange args) -> Value {
                    return arith::AddFOp::create(b, args[0], args[1]);
                  }));
}

void tern::onnx::addMatMulNBitsLowering(LoweringTable &table) {
  table["com.microsoft::MatMulNBits"] = lowerMatMulNBits;
}

//===- Storage.cpp - stored trits as tensors of bytes ---------------------===//

#include "Patterns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace tern::ternary;
using utils::IteratorType;

static Value buildI8(OpBuilder &b, Location loc, int64_t value) {
  return arith::ConstantOp::create(b, loc,
                                   b.getIntegerAttr(b.getI8Type(), value));
}

//===----------------------------------------------------------------------===//
// Bytes
//===----------------------------------------------------------------------===//

/// What code 1 of a plane but the first adds to the number in a byte of t5.
static int64_t getWeight(int64_t plane) {
  static constexpr int64_t weights[] = {0, 27, 9, 3, 1};
  return weights[plane];
}

namespace {
/// A byte of t5: its first code, and the number that the others make.
struct T5Parts {
  Value first, number;
};
} // namespace

static T5Parts splitT5(OpBuilder &b, Location loc, Value byte) {
  auto getI8 = [&](int64_t value) { return buildI8(b, loc, value); };
  Value isLong = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::uge, byte,
                                       getI8(192));
  Value low = arith::AndIOp::create(b, loc, byte, getI8(63));
  Value high = arith::ShRUIOp::create(b, loc, byte, getI8(6));
  // From 193 on, 18 for each first code.
  Value behind = arith::SubIOp::create(b, loc, low, getI8(1));
  Value count = arith::DivUIOp::create(b, loc, behind, getI8(18));
  Value longFirst = arith::SubIOp::create(b, loc, getI8(2), count);
  Value longNumber = arith::RemUIOp::create(b, loc, behind, getI8(18));
  longNumber = arith::AddIOp::create(b, loc, longNumber, getI8(64));
  return {arith::SelectOp::create(b, loc, isLong, longFirst, high),
          arith::SelectOp::create(b, loc, isLong, longNumber, low)};
}

static Value joinT5(OpBuilder &b, Location loc, const T5Parts &parts) {
  auto getI8 = [&](int64_t value) { return buildI8(b, loc, value); };
  Value isShort = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult,
                                        parts.number, getI8(64));
  Value high = arith::MulIOp::create(b, loc, parts.first, getI8(64));
  // 129 + 18 (2 - first)
  Value longHigh = arith::SubIOp::create(
      b, loc, getI8(165),
      arith::MulIOp::create(b, loc, parts.first, getI8(18)));
  return arith::AddIOp::create(
      b, loc, parts.number,
      arith::SelectOp::create(b, loc, isShort, high, longHigh));
}

Value tern::ternary::buildCode(OpBuilder &b, Location loc, Encoding encoding,
                               Value byte, int64_t plane) {
  if (encoding == Encoding::I2) {
    Value shifted =
        arith::ShRUIOp::create(b, loc, byte, buildI8(b, loc, 2 * plane));
    return arith::AndIOp::create(b, loc, shifted, buildI8(b, loc, 3));
  }
  T5Parts parts = splitT5(b, loc, byte);
  if (plane == 0)
    return parts.first;
  Value quotient = arith::DivUIOp::create(b, loc, parts.number,
                                          buildI8(b, loc, getWeight(plane)));
  return arith::RemUIOp::create(b, loc, quotient, buildI8(b, loc, 3));
}

Value tern::ternary::buildCode(OpBuilder &b, Location loc, Encoding encoding,
                               Value byte, Value plane) {
  Value number = arith::IndexCastOp::create(b, loc, b.getI8Type(), plane);
  if (encoding == Encoding::I2) {
    Value amount = arith::AddIOp::create(b, loc, number, number);
    Value shifted = arith::ShRUIOp::create(b, loc, byte, amount);
    return arith::AndIOp::create(b, loc, shifted, buildI8(b, loc, 3));
  }
  T5Parts parts = splitT5(b, loc, byte);
  auto isPlane = [&](int64_t j) {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, number,
                                 buildI8(b, loc, j));
  };
  Value weight = buildI8(b, loc, getWeight(1));
  for (int64_t j = 2; j < 5; ++j)
    weight = arith::SelectOp::create(b, loc, isPlane(j),
                                     buildI8(b, loc, getWeight(j)), weight);
  Value quotient = arith::DivUIOp::create(b, loc, parts.number, weight);
  Value code = arith::RemUIOp::create(b, loc, quotient, buildI8(b, loc, 3));
  return arith::SelectOp::create(b, loc, isPlane(0), parts.first, code);
}

//===----------------------------------------------------------------------===//
// Shapes of the storage
//===----------------------------------------------------------------------===//

namespace {
/// How the trits of a matrix with its padding, `[N', K']`, and its bytes are
/// indexed by the same loops.
struct StorageView {
  /// [N', K'] split so that planes have a dimension of their own.
  SmallVector<int64_t> tritShape;
  SmallVector<ReassociationIndices> tritGroups;
  /// The dimension of `tritShape` that counts planes.
  int64_t planeDim;
  SmallVector<int64_t> byteShape;
  /// From the dimensions of `tritShape` to those of `byteShape`.
  AffineMap byteMap;
};
} // namespace

static StorageView getStorageView(MatrixType matrix) {
  LayoutAttr layout = matrix.getLayout();
  int64_t planes = layout.getCodesPerByte();
  MLIRContext *context = matrix.getContext();
  StorageView view;
  if (layout.isRowMajor()) {
    int64_t rowBytes = matrix.getPaddedCols() / planes;
    AffineExpr n, b, j;
    bindDims(context, n, b, j);
    view.tritShape = {matrix.getRows(), rowBytes, planes};
    view.tritGroups = {{0}, {1, 2}};
    view.planeDim = 2;
    view.byteShape = {matrix.getRows(), rowBytes};
    view.byteMap = AffineMap::get(3, 0, {n, b}, context);
    return view;
  }
  int64_t tiles = matrix.getPaddedRows() / layout.getTile();
  int64_t steps = matrix.getPaddedCols() / layout.getStepColumns();
  AffineExpr t, l, s, j, i;
  bindDims(context, t, l, s, j, i);
  view.tritShape = {tiles, layout.getTile(), steps, planes, 4};
  view.tritGroups = {{0, 1}, {2, 3, 4}};
  view.planeDim = 3;
  view.byteShape = {tiles, steps, layout.getTile(), 4};
  view.byteMap = AffineMap::get(5, 0, {t, s, l, i}, context);
  return view;
}

static ReassociationIndices getAllDims(size_t rank) {
  return llvm::to_vector<2>(llvm::seq<int64_t>(0, rank));
}

/// The trits (i8) of a matrix that is given by its bytes.
static Value buildUnpacked(OpBuilder &builder, Location loc, MatrixType matrix,
                           Value bytes) {
  StorageView view = getStorageView(matrix);
  Type i8 = builder.getI8Type();
  int64_t rank = view.tritShape.size();
  Value split = tensor::ExpandShapeOp::create(
      builder, loc, RankedTensorType::get(view.byteShape, i8), bytes,
      SmallVector<ReassociationIndices>{getAllDims(view.byteShape.size())});
  Value init = tensor::EmptyOp::create(builder, loc, view.tritShape, i8);
  auto body = [&](OpBuilder &b, Location loc, ValueRange args) {
    Value plane = linalg::IndexOp::create(b, loc, view.planeDim);
    Value code =
        buildCode(b, loc, matrix.getLayout().getEncoding(), args[0], plane);
    linalg::YieldOp::create(
        b, loc, Value(arith::SubIOp::create(b, loc, code, buildI8(b, loc, 1))));
  };
  Value trits =
      linalg::GenericOp::create(
          builder, loc, init.getType(), split, init,
          ArrayRef{view.byteMap, builder.getMultiDimIdentityMap(rank)},
          SmallVector<IteratorType>(rank, IteratorType::parallel), body)
          .getResult(0);
  trits = tensor::CollapseShapeOp::create(builder, loc, trits, view.tritGroups);
  auto logical =
      RankedTensorType::get({matrix.getRows(), matrix.getCols()}, i8);
  if (trits.getType() == logical)
    return trits;
  SmallVector<OpFoldResult> offsets(2, builder.getIndexAttr(0));
  SmallVector<OpFoldResult> strides(2, builder.getIndexAttr(1));
  SmallVector<OpFoldResult> sizes = {builder.getIndexAttr(matrix.getRows()),
                                     builder.getIndexAttr(matrix.getCols())};
  return tensor::ExtractSliceOp::create(builder, loc, logical, trits, offsets,
                                        sizes, strides);
}

/// From loops over bytes to the trits of each plane, and last to the bytes.
static SmallVector<AffineMap>
getPackingMaps(OpBuilder &builder, const StorageView &view, int64_t planes) {
  auto loops = static_cast<int64_t>(view.tritShape.size()) - 1;
  SmallVector<AffineMap> maps;
  for (int64_t j = 0; j < planes; ++j) {
    SmallVector<AffineExpr> dims;
    for (int64_t d = 0; d < loops; ++d)
      dims.push_back(builder.getAffineDimExpr(d));
    dims.insert(dims.begin() + view.planeDim, builder.getAffineConstantExpr(j));
    maps.push_back(AffineMap::get(loops, 0, dims, builder.getContext()));
  }
  SmallVector<AffineExpr> byteDims;
  for (AffineExpr expr : view.byteMap.getResults()) {
    int64_t dim = cast<AffineDimExpr>(expr).getPosition();
    byteDims.push_back(
        builder.getAffineDimExpr(dim > view.planeDim ? dim - 1 : dim));
  }
  maps.push_back(AffineMap::get(loops, 0, byteDims, builder.getContext()));
  return maps;
}

/// The byte that holds `trits`, one of each plane.
static Value buildByte(OpBuilder &b, Location loc, Encoding encoding,
                       ValueRange trits) {
  bool isI2 = encoding == Encoding::I2;
  auto getCode = [&](int64_t plane) {
    return arith::AddIOp::create(b, loc, trits[plane], buildI8(b, loc, 1));
  };
  Value byte = buildI8(b, loc, 0);
  auto planes = static_cast<int64_t>(trits.size());
  for (int64_t j = isI2 ? 0 : 1; j < planes; ++j) {
    int64_t weight = isI2 ? int64_t(1) << (2 * j) : getWeight(j);
    Value code = getCode(j);
    Value part = arith::MulIOp::create(b, loc, code, buildI8(b, loc, weight));
    byte = arith::AddIOp::create(b, loc, byte, part);
  }
  return isI2 ? byte : joinT5(b, loc, {getCode(0), byte});
}

/// The bytes of a matrix whose trits (i8, [N, K]) are given.
static Value buildPacked(OpBuilder &builder, Location loc, MatrixType matrix,
                         Value trits) {
  StorageView view = getStorageView(matrix);
  Type i8 = builder.getI8Type();
  auto padded = RankedTensorType::get(
      {matrix.getPaddedRows(), matrix.getPaddedCols()}, i8);
  if (trits.getType() != padded) {
    SmallVector<OpFoldResult> low(2, builder.getIndexAttr(0));
    SmallVector<OpFoldResult> high = {
        builder.getIndexAttr(matrix.getPaddedRows() - matrix.getRows()),
        builder.getIndexAttr(matrix.getPaddedCols() - matrix.getCols())};
    trits = tensor::PadOp::create(builder, loc, padded, trits, low, high,
                                  buildI8(builder, loc, 0));
  }
  Value split = tensor::ExpandShapeOp::create(
      builder, loc, RankedTensorType::get(view.tritShape, i8), trits,
      view.tritGroups);
  // Each plane is an input of its own: the loops run over bytes.
  int64_t planes = matrix.getLayout().getCodesPerByte();
  auto body = [&](OpBuilder &b, Location loc, ValueRange args) {
    linalg::YieldOp::create(b, loc,
                            buildByte(b, loc, matrix.getLayout().getEncoding(),
                                      args.take_front(planes)));
  };
  Value init = tensor::EmptyOp::create(builder, loc, view.byteShape, i8);
  Value bytes =
      linalg::GenericOp::create(
          builder, loc, init.getType(), SmallVector<Value>(planes, split), init,
          getPackingMaps(builder, view, planes),
          SmallVector<IteratorType>(view.tritShape.size() - 1,
                                    IteratorType::parallel),
          body)
          .getResult(0);
  return tensor::CollapseShapeOp::create(
      builder, loc, bytes,
      SmallVector<ReassociationIndices>{getAllDims(view.byteShape.size())});
}

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

namespace {
struct ConstantLowering : OpConversionPattern<ConstantOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(ConstantOp op, OpAdaptor,
                  ConversionPatternRewriter &rewriter) const override {
    ElementsAttr attr = op.getBytes();
    auto type = RankedTensorType::get(attr.getShapedType().getShape(),
                                      rewriter.getI8Type());
    TypedAttr bytes;
    if (auto resource = dyn_cast<DenseResourceElementsAttr>(attr))
      bytes = DenseResourceElementsAttr::get(type, resource.getRawHandle());
    else
      bytes = DenseElementsAttr::getFromRawBuffer(
          type, cast<DenseElementsAttr>(attr).getRawData());
    rewriter.replaceOpWithNewOp<arith::ConstantOp>(op, type, bytes);
    return success();
  }
};

struct StackLowering : OpConversionPattern<StackOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(StackOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto getSize = [](Value bytes) {
      return cast<RankedTensorType>(bytes.getType()).getDimSize(0);
    };
    Value result = tensor::EmptyOp::create(
        rewriter, loc, {op.getResult().getType().getStorageBytes()},
        rewriter.getI8Type());
    OpFoldResult one = rewriter.getIndexAttr(1);
    int64_t begin = 0;
    for (Value bytes : adaptor.getSources()) {
      OpFoldResult offset = rewriter.getIndexAttr(begin);
      OpFoldResult size = rewriter.getIndexAttr(getSize(bytes));
      result = tensor::InsertSliceOp::create(rewriter, loc, bytes, result,
                                             offset, size, one);
      begin += getSize(bytes);
    }
    rewriter.replaceOp(op, result);
    return success();
  }
};

struct PackLowering : OpConversionPattern<PackOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(PackOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Value trits = buildUnpacked(rewriter, op.getLoc(), op.getSource().getType(),
                                adaptor.getSource());
    rewriter.replaceOp(op,
                       buildPacked(rewriter, op.getLoc(), op.getType(), trits));
    return success();
  }
};

struct UnpackLowering : OpConversionPattern<UnpackOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(UnpackOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, buildUnpacked(rewriter, op.getLoc(),
                                         op.getSource().getType(),
                                         adaptor.getSource()));
    return success();
  }
};

struct BytesLowering : OpConversionPattern<BytesOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(BytesOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, adaptor.getSource());
    return success();
  }
};
} // namespace

void tern::ternary::populateStoragePatterns(const TypeConverter &converter,
                                            RewritePatternSet &patterns) {
  patterns.add<BytesLowering, ConstantLowering, PackLowering, StackLowering,
               UnpackLowering>(converter, patterns.getContext());
}

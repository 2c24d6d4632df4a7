//===- Products.cpp - products as additions and subtractions --------------===//

#include "Patterns.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace tern::ternary;
using utils::IteratorType;

/// `acc + trit * x` for the code of a trit (i8), without a multiplication. `x`
/// and `acc` have the same type, i32 or f32; `flags` are those of an addition
/// of floats.
static Value buildTerm(OpBuilder &b, Location loc, Value code, Value x,
                       Value acc, arith::FastMathFlags flags) {
  Type type = acc.getType();
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
  Value minusCode = arith::ConstantOp::create(b, loc, b.getI8IntegerAttr(0));
  Value plusCode = arith::ConstantOp::create(b, loc, b.getI8IntegerAttr(2));
  Value isMinus =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, code, minusCode);
  Value isPlus =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, code, plusCode);
  bool isFloat = isa<FloatType>(type);
  Value negated = isFloat ? Value(arith::NegFOp::create(b, loc, x))
                          : Value(arith::SubIOp::create(b, loc, zero, x));
  Value term = arith::SelectOp::create(b, loc, isMinus, negated, zero);
  term = arith::SelectOp::create(b, loc, isPlus, x, term);
  if (!isFloat)
    return arith::AddIOp::create(b, loc, acc, term);
  return arith::AddFOp::create(b, loc, acc, term, flags);
}

/// An activation in the type of the sums.
static Value buildWidened(OpBuilder &b, Location loc, Value x, Type sum) {
  if (x.getType() == sum)
    return x;
  return arith::ExtSIOp::create(b, loc, sum, x);
}

//===----------------------------------------------------------------------===//
// MatmulOp
//===----------------------------------------------------------------------===//

/// Where the trit at (row, column) is stored: LayoutAttr's formulas.
static AffineExpr getByteExpr(MatrixType matrix, AffineExpr row,
                              AffineExpr column) {
  LayoutAttr layout = matrix.getLayout();
  int64_t codes = layout.getCodesPerByte();
  if (layout.isRowMajor())
    return row * (matrix.getPaddedCols() / codes) + column.floorDiv(codes);
  int64_t tile = layout.getTile(), step = layout.getStepColumns();
  int64_t steps = matrix.getPaddedCols() / step;
  return (row.floorDiv(tile) * steps + column.floorDiv(step)) * (4 * tile) +
         (row % tile) * 4 + column % 4;
}

static AffineExpr getPlaneExpr(LayoutAttr layout, AffineExpr column) {
  int64_t codes = layout.getCodesPerByte();
  return layout.isRowMajor() ? column % codes : column.floorDiv(4) % codes;
}

namespace {
/// The general product: any layout, with or without groups. It reads each trit
/// where its layout puts it, and makes no copy of the weights.
struct MatmulLowering : OpConversionPattern<MatmulOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(MatmulOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    MLIRContext *context = op.getContext();
    MatrixType matrix = op.getWeights().getType();
    LayoutAttr layout = matrix.getLayout();
    int64_t groups = op.getGroups().value_or(1);
    int64_t groupCols = matrix.getCols() / groups;
    Type sum = op.getType().getElementType();

    AffineExpr m, g, n, k;
    bindDims(context, m, g, n, k);
    AffineExpr column = g * groupCols + k;
    OpFoldResult tokens =
        tensor::getMixedSize(rewriter, loc, adaptor.getX(), 0);
    Value x =
        splitColumns(rewriter, loc, adaptor.getX(), tokens, groups, groupCols);
    Value init = buildZeros(rewriter, loc,
                            {tokens, rewriter.getIndexAttr(groups),
                             rewriter.getIndexAttr(matrix.getRows())},
                            sum);
    SmallVector<AffineMap> maps = {
        AffineMap::get(4, 0, {m, g, k}, context),
        AffineMap::get(4, 0, getByteExpr(matrix, n, column)),
        AffineMap::get(4, 0, {m, g, n}, context)};
    auto body = [&](OpBuilder &b, Location loc, ValueRange args) {
      Value plane = affine::AffineApplyOp::create(
          b, loc,
          AffineMap::get(2, 0,
                         getPlaneExpr(layout, rebase(context, groupCols))),
          ValueRange{linalg::IndexOp::create(b, loc, 1),
                     linalg::IndexOp::create(b, loc, 3)});
      Value code = buildCode(b, loc, layout.getEncoding(), args[1], plane);
      Value widened = buildWidened(b, loc, args[0], sum);
      // The order of float additions is unspecified, so that they vectorise.
      linalg::YieldOp::create(b, loc,
                              buildTerm(b, loc, code, widened, args[2],
                                        arith::FastMathFlags::reassoc));
    };
    Value result =
        linalg::GenericOp::create(
            rewriter, loc, init.getType(), ValueRange{x, adaptor.getWeights()},
            init, maps,
            ArrayRef{IteratorType::parallel, IteratorType::parallel,
                     IteratorType::parallel, IteratorType::reduction},
            body)
            .getResult(0);
    if (!op.getGroups())
      result = tensor::CollapseShapeOp::create(
          rewriter, loc, result,
          SmallVector<ReassociationIndices>{{0}, {1, 2}});
    if (result.getType() != op.getType())
      result = tensor::CastOp::create(rewriter, loc, op.getType(), result);
    rewriter.replaceOp(op, result);
    return success();
  }

  /// The column as an expression of (group, column in the group).
  static AffineExpr rebase(MLIRContext *context, int64_t groupCols) {
    AffineExpr g, k;
    bindDims(context, g, k);
    return g * groupCols + k;
  }

  /// x of [M, K] as [M, G, K / G].
  static Value splitColumns(OpBuilder &builder, Location loc, Value x,
                            OpFoldResult tokens, int64_t groups,
                            int64_t groupCols) {
    auto type = cast<RankedTensorType>(x.getType());
    auto known = RankedTensorType::get({type.getDimSize(0), groups * groupCols},
                                       type.getElementType());
    if (type != known)
      x = tensor::CastOp::create(builder, loc, known, x);
    auto split = RankedTensorType::get({type.getDimSize(0), groups, groupCols},
                                       type.getElementType());
    SmallVector<OpFoldResult> shape = {tokens, builder.getIndexAttr(groups),
                                       builder.getIndexAttr(groupCols)};
    return tensor::ExpandShapeOp::create(
        builder, loc, split, x, SmallVector<ReassociationIndices>{{0}, {1, 2}},
        shape);
  }
};

//===----------------------------------------------------------------------===//
// PackedMatmulOp
//===----------------------------------------------------------------------===//

/// The product in the order of storage. The loops are tokens, tiles, steps and
/// the rows of a tile (the lanes), which are contiguous in the output; the 4 P
/// columns of a step are unrolled, so that a lane reads its 4 bytes at once
/// and each activation is the same for all lanes.
struct PackedMatmulLowering : OpConversionPattern<PackedMatmulOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(PackedMatmulOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    MLIRContext *context = op.getContext();
    MatrixType matrix = op.getMatrixType();
    LayoutAttr layout = matrix.getLayout();
    int64_t tile = layout.getTile(), planes = layout.getCodesPerByte();
    int64_t tiles = matrix.getPaddedRows() / tile;
    int64_t steps = matrix.getPaddedCols() / layout.getStepColumns();

    Value x = split(rewriter, loc, adaptor.getX(), 1, {steps, planes, 4});
    Value bytes =
        split(rewriter, loc, adaptor.getBytes(), 0, {tiles, steps, tile, 4});
    Value init = split(rewriter, loc, adaptor.getInit(), 1, {tiles, tile});
    Type sum = getElementTypeOrSelf(init.getType());
    Value zero =
        arith::ConstantOp::create(rewriter, loc, rewriter.getZeroAttr(sum));
    init = linalg::FillOp::create(rewriter, loc, zero, init).getResult(0);

    AffineExpr m, t, s, l;
    bindDims(context, m, t, s, l);
    auto constant = [&](int64_t value) {
      return rewriter.getAffineConstantExpr(value);
    };
    SmallVector<AffineMap> maps;
    for (int64_t i = 0; i < 4; ++i)
      maps.push_back(AffineMap::get(4, 0, {t, s, l, constant(i)}, context));
    for (int64_t j = 0; j < planes; ++j)
      for (int64_t i = 0; i < 4; ++i)
        maps.push_back(
            AffineMap::get(4, 0, {m, s, constant(j), constant(i)}, context));
    maps.push_back(AffineMap::get(4, 0, {m, t, l}, context));
    SmallVector<Value> inputs(4, bytes);
    inputs.append(4 * planes, x);

    auto body = [&](OpBuilder &b, Location loc, ValueRange args) {
      Value acc = args.back();
      for (int64_t j = 0; j < planes; ++j)
        for (int64_t i = 0; i < 4; ++i) {
          Value code = buildCode(b, loc, layout.getEncoding(), args[i], j);
          Value term = buildWidened(b, loc, args[4 + 4 * j + i], acc.getType());
          // Lanes go through the columns in their order, and vectorise.
          acc = buildTerm(b, loc, code, term, acc, arith::FastMathFlags::none);
        }
      linalg::YieldOp::create(b, loc, acc);
    };
    Value result =
        linalg::GenericOp::create(
            rewriter, loc, init.getType(), inputs, init, maps,
            ArrayRef{IteratorType::parallel, IteratorType::parallel,
                     IteratorType::reduction, IteratorType::parallel},
            body)
            .getResult(0);
    result = tensor::CollapseShapeOp::create(
        rewriter, loc, result, SmallVector<ReassociationIndices>{{0}, {1, 2}});
    if (result.getType() != op.getInit().getType())
      result =
          tensor::CastOp::create(rewriter, loc, op.getInit().getType(), result);
    rewriter.replaceOp(op, result);
    return success();
  }

  /// `value` with its last dimension, number `dim`, split into `sizes`.
  static Value split(OpBuilder &builder, Location loc, Value value, int64_t dim,
                     ArrayRef<int64_t> sizes) {
    auto type = cast<RankedTensorType>(value.getType());
    SmallVector<int64_t> known(type.getShape().take_front(dim));
    SmallVector<int64_t> shape(known);
    SmallVector<OpFoldResult> mixed;
    SmallVector<ReassociationIndices> groups(dim + 1);
    for (int64_t i = 0; i < dim; ++i) {
      mixed.push_back(tensor::getMixedSize(builder, loc, value, i));
      groups[i].push_back(i);
    }
    known.push_back(1);
    for (int64_t size : sizes) {
      known.back() *= size;
      groups[dim].push_back(shape.size());
      shape.push_back(size);
      mixed.push_back(builder.getIndexAttr(size));
    }
    if (type.getShape() != ArrayRef(known))
      value = tensor::CastOp::create(builder, loc, type.clone(known), value);
    return tensor::ExpandShapeOp::create(builder, loc, type.clone(shape), value,
                                         groups, mixed);
  }
};
} // namespace

void tern::ternary::populateProductPatterns(const TypeConverter &converter,
                                            RewritePatternSet &patterns) {
  patterns.add<MatmulLowering, PackedMatmulLowering>(converter,
                                                     patterns.getContext());
}

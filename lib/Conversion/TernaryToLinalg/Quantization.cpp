//===- Quantization.cpp - floats to codes and sums to floats --------------===//
//
// Float arithmetic here is what QuantizationAttr and ternary.rescale say, to
// the bit. It is shared by the portable and the vector lowering; each loop has
// a form that LLVM vectorises.
//
//===----------------------------------------------------------------------===//

#include "Patterns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace tern::ternary;
using utils::IteratorType;

Value tern::ternary::buildEmpty(OpBuilder &builder, Location loc,
                                ArrayRef<OpFoldResult> shape,
                                Type elementType) {
  return tensor::EmptyOp::create(builder, loc, shape, elementType);
}

Value tern::ternary::buildZeros(OpBuilder &builder, Location loc,
                                ArrayRef<OpFoldResult> shape,
                                Type elementType) {
  Value zero =
      arith::ConstantOp::create(builder, loc, builder.getZeroAttr(elementType));
  return linalg::FillOp::create(builder, loc, zero,
                                buildEmpty(builder, loc, shape, elementType))
      .getResult(0);
}

static Value buildF32(OpBuilder &builder, Location loc, const APFloat &value) {
  return arith::ConstantOp::create(
      builder, loc, builder.getFloatAttr(builder.getF32Type(), value));
}

static Value buildF32(OpBuilder &builder, Location loc, float value) {
  return buildF32(builder, loc, APFloat(value));
}

//===----------------------------------------------------------------------===//
// QuantizeOp
//===----------------------------------------------------------------------===//

/// The bits of absmax(row), as i32 of [M]. Floats that are not negative order
/// as their bits do, and integer maxima may be taken in any order, which lets
/// LLVM vectorise them. A NaN is above infinity, so it is what remains.
static Value buildAbsmaxBits(OpBuilder &builder, Location loc, Value x) {
  Type i32 = builder.getI32Type();
  Value init =
      buildZeros(builder, loc, {tensor::getMixedSize(builder, loc, x, 0)}, i32);
  SmallVector<AffineMap> maps = {
      builder.getMultiDimIdentityMap(2),
      AffineMap::get(2, 0, builder.getAffineDimExpr(0))};
  auto body = [&](OpBuilder &b, Location loc, ValueRange args) {
    Value bits = arith::BitcastOp::create(b, loc, i32, args[0]);
    Value mask =
        arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(0x7fffffff));
    Value magnitude = arith::AndIOp::create(b, loc, bits, mask);
    Value max = arith::MaxSIOp::create(b, loc, args[1], magnitude);
    linalg::YieldOp::create(b, loc, max);
  };
  return linalg::GenericOp::create(
             builder, loc, init.getType(), x, init, maps,
             ArrayRef{IteratorType::parallel, IteratorType::reduction}, body)
      .getResult(0);
}

/// The scale of a row from its absmax m.
static Value buildScale(OpBuilder &b, Location loc, QuantizationAttr rule,
                        Value absmax) {
  Value eps = buildF32(b, loc, rule.getEps());
  Value m = arith::MaximumFOp::create(b, loc, absmax, eps);
  Value qmax = buildF32(b, loc, 127.0f);
  switch (rule.getForm()) {
  case ScaleForm::Reciprocal: {
    Value one = buildF32(b, loc, 1.0f);
    Value reciprocal = arith::DivFOp::create(b, loc, one, m);
    return arith::MulFOp::create(b, loc, reciprocal, qmax);
  }
  case ScaleForm::Quotient:
    return arith::DivFOp::create(b, loc, qmax, m);
  case ScaleForm::Step:
    return arith::DivFOp::create(b, loc, m, qmax);
  }
  llvm_unreachable("unknown scale form");
}

/// `step`, which is not negative, rounded up to bf16; a NaN stays one.
static Value buildRoundedUp(OpBuilder &b, Location loc, Value step) {
  Value nearest = arith::TruncFOp::create(b, loc, b.getBF16Type(), step);
  Value isBelow = arith::CmpFOp::create(
      b, loc, arith::CmpFPredicate::OLT,
      arith::ExtFOp::create(b, loc, step.getType(), nearest), step);
  // The next one's bits are those of a number larger by one.
  Type i16 = b.getI16Type();
  Value bits = arith::BitcastOp::create(b, loc, i16, nearest);
  bits = arith::AddIOp::create(b, loc, bits,
                               arith::ExtUIOp::create(b, loc, i16, isBelow));
  return arith::BitcastOp::create(b, loc, b.getBF16Type(), bits);
}

/// The code (i8) of an activation in a row of scale `scale`.
static Value buildQuantized(OpBuilder &b, Location loc, QuantizationAttr rule,
                            Value x, Value scale) {
  Value v = rule.getForm() == ScaleForm::Step
                ? Value(arith::DivFOp::create(b, loc, x, scale))
                : Value(arith::MulFOp::create(b, loc, x, scale));
  if (rule.getRounding() == Rounding::HalfEven) {
    v = math::RoundEvenOp::create(b, loc, v);
  } else {
    Value half = buildF32(b, loc, 0.5f);
    v = math::FloorOp::create(b, loc, arith::AddFOp::create(b, loc, v, half));
  }
  // Converting what i8 cannot hold is undefined: first a NaN becomes 0, then
  // the rest is clamped. Comparing and selecting is one instruction each.
  auto keepIf = [&](arith::CmpFPredicate predicate, Value with, Value other) {
    Value keep = arith::CmpFOp::create(b, loc, predicate, v, with);
    v = arith::SelectOp::create(b, loc, keep, v, other);
  };
  keepIf(arith::CmpFPredicate::ORD, v, buildF32(b, loc, 0.0f));
  Value min = buildF32(b, loc, static_cast<float>(rule.getQmin()));
  Value max = buildF32(b, loc, 127.0f);
  keepIf(arith::CmpFPredicate::OGT, min, min);
  keepIf(arith::CmpFPredicate::OLT, max, max);
  Value code = arith::FPToSIOp::create(b, loc, b.getI32Type(), v);
  return arith::TruncIOp::create(b, loc, b.getI8Type(), code);
}

namespace {
struct QuantizeLowering : OpConversionPattern<QuantizeOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(QuantizeOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    QuantizationAttr rule = op.getQuantization();
    Value x = adaptor.getX();
    Type scaleType = op.getScales().getType().getElementType();
    SmallVector<OpFoldResult> shape = tensor::getMixedSizes(rewriter, loc, x);
    AffineMap identity = rewriter.getMultiDimIdentityMap(2);
    AffineMap rowOnly = AffineMap::get(2, 0, rewriter.getAffineDimExpr(0));
    AffineMap vector = rewriter.getMultiDimIdentityMap(1);

    Value bits = buildAbsmaxBits(rewriter, loc, x);
    Value scaleInit = buildEmpty(rewriter, loc, shape[0], scaleType);
    Value scales =
        linalg::GenericOp::create(
            rewriter, loc, scaleInit.getType(), bits, scaleInit,
            ArrayRef{vector, vector}, ArrayRef{IteratorType::parallel},
            [&](OpBuilder &b, Location loc, ValueRange args) {
              Value absmax =
                  arith::BitcastOp::create(b, loc, b.getF32Type(), args[0]);
              Value scale = buildScale(b, loc, rule, absmax);
              if (scaleType.isBF16())
                scale = buildRoundedUp(b, loc, scale);
              linalg::YieldOp::create(b, loc, scale);
            })
            .getResult(0);
    Value codeInit = buildEmpty(rewriter, loc, shape, rewriter.getI8Type());
    Value codes =
        linalg::GenericOp::create(
            rewriter, loc, codeInit.getType(), ValueRange{x, scales}, codeInit,
            ArrayRef{identity, rowOnly, identity},
            SmallVector<IteratorType>(2, IteratorType::parallel),
            [&](OpBuilder &b, Location loc, ValueRange args) {
              Value scale = args[1];
              if (scaleType.isBF16())
                scale = arith::ExtFOp::create(b, loc, b.getF32Type(), scale);
              linalg::YieldOp::create(
                  b, loc, buildQuantized(b, loc, rule, args[0], scale));
            })
            .getResult(0);
    rewriter.replaceOp(
        op, {castTo(rewriter, loc, codes, op.getCodes().getType()),
             castTo(rewriter, loc, scales, op.getScales().getType())});
    return success();
  }

  static Value castTo(OpBuilder &builder, Location loc, Value value,
                      Type type) {
    if (value.getType() == type)
      return value;
    return tensor::CastOp::create(builder, loc, type, value);
  }
};

//===----------------------------------------------------------------------===//
// RescaleOp
//===----------------------------------------------------------------------===//

/// `acc * scale`, or `acc / scale`, in f32.
Value buildScaled(OpBuilder &b, Location loc, RescaleOp op, Value acc,
                  Value scale) {
  if (acc.getType().isInteger())
    acc = arith::SIToFPOp::create(b, loc, b.getF32Type(), acc);
  if (op.getScaleDivides())
    return arith::DivFOp::create(b, loc, acc, scale);
  return arith::MulFOp::create(b, loc, acc, scale);
}

/// The end of the rescaling: the activation scale, if there is one.
Value buildUnquantized(OpBuilder &b, Location loc, RescaleOp op, Value y,
                       ValueRange activationScale) {
  if (activationScale.empty())
    return y;
  if (op.getStep())
    return arith::MulFOp::create(b, loc, y, activationScale.front());
  return arith::DivFOp::create(b, loc, y, activationScale.front());
}

struct RescaleLowering : OpConversionPattern<RescaleOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(RescaleOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    bool grouped = op.getAcc().getType().getRank() == 3;
    Value acc = grouped ? sumGroups(op, adaptor, rewriter) : adaptor.getAcc();
    AffineMap identity = rewriter.getMultiDimIdentityMap(2);
    SmallVector<Value> inputs = {acc};
    SmallVector<AffineMap> maps = {identity};
    if (!grouped)
      addScale(op, rewriter, adaptor.getScale(), inputs, maps);
    if (Value scales = adaptor.getActivationScales()) {
      inputs.push_back(scales);
      maps.push_back(AffineMap::get(2, 0, rewriter.getAffineDimExpr(0)));
    }
    maps.push_back(identity);
    Value init =
        buildEmpty(rewriter, loc, tensor::getMixedSizes(rewriter, loc, acc),
                   rewriter.getF32Type());
    auto body = [&](OpBuilder &b, Location loc, ValueRange args) {
      Value y = args[0];
      ValueRange rest = args.drop_front().drop_back();
      if (!grouped) {
        y = buildScaled(b, loc, op, y, rest.front());
        rest = rest.drop_front();
      }
      linalg::YieldOp::create(b, loc, buildUnquantized(b, loc, op, y, rest));
    };
    Value result =
        linalg::GenericOp::create(
            rewriter, loc, init.getType(), inputs, init, maps,
            SmallVector<IteratorType>(2, IteratorType::parallel), body)
            .getResult(0);
    if (result.getType() != op.getType())
      result = tensor::CastOp::create(rewriter, loc, op.getType(), result);
    rewriter.replaceOp(op, result);
    return success();
  }

  /// Adds the scale of [N], or that of the whole matrix as a tensor without
  /// dimensions, and its map from (m, n).
  static void addScale(RescaleOp op, OpBuilder &builder, Value scale,
                       SmallVectorImpl<Value> &inputs,
                       SmallVectorImpl<AffineMap> &maps) {
    if (op.getScale().getType().getDimSize(0) == 1) {
      inputs.push_back(tensor::CollapseShapeOp::create(
          builder, op.getLoc(), scale, ArrayRef<ReassociationIndices>{}));
      maps.push_back(AffineMap::get(2, 0, builder.getContext()));
      return;
    }
    inputs.push_back(scale);
    maps.push_back(AffineMap::get(2, 0, builder.getAffineDimExpr(1)));
  }

  /// `sum_g acc[m, g, n] * scale[n, g]`, g ascending.
  static Value sumGroups(RescaleOp op, OpAdaptor adaptor,
                         ConversionPatternRewriter &rewriter) {
    Location loc = op.getLoc();
    SmallVector<OpFoldResult> shape =
        tensor::getMixedSizes(rewriter, loc, adaptor.getAcc());
    Value init =
        buildZeros(rewriter, loc, {shape[0], shape[2]}, rewriter.getF32Type());
    AffineExpr m, g, n;
    bindDims(op.getContext(), m, g, n);
    SmallVector<AffineMap> maps = {
        rewriter.getMultiDimIdentityMap(3),
        AffineMap::get(3, 0, {n, g}, op.getContext()),
        AffineMap::get(3, 0, {m, n}, op.getContext())};
    auto body = [&](OpBuilder &b, Location loc, ValueRange args) {
      Value term = buildScaled(b, loc, op, args[0], args[1]);
      linalg::YieldOp::create(
          b, loc, Value(arith::AddFOp::create(b, loc, args[2], term)));
    };
    return linalg::GenericOp::create(
               rewriter, loc, init.getType(),
               ValueRange{adaptor.getAcc(), adaptor.getScale()}, init, maps,
               ArrayRef{IteratorType::parallel, IteratorType::reduction,
                        IteratorType::parallel},
               body)
        .getResult(0);
  }
};
} // namespace

void tern::ternary::populateQuantizationPatterns(RewritePatternSet &patterns) {
  patterns.add<QuantizeLowering, RescaleLowering>(patterns.getContext());
}

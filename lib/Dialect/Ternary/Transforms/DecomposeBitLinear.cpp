//===- DecomposeBitLinear.cpp - layers to quantise, multiply, rescale -----===//

#include "tern/Dialect/Ternary/Transforms/Passes.h"

#include "tern/Dialect/Ternary/IR/Ternary.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

namespace tern::ternary {
#define GEN_PASS_DEF_DECOMPOSEBITLINEAR
#include "tern/Dialect/Ternary/Transforms/Passes.h.inc"
} // namespace tern::ternary

using namespace mlir;
using namespace tern::ternary;

namespace {
/// The int8 codes of activations and their scales.
struct Quantized {
  Value codes;
  Value scales;
};

/// Rewrites the layers of a function. What is computed from activations alone
/// is placed behind their definition, where it serves all layers that use them.
class Decomposer {
public:
  explicit Decomposer(MLIRContext *context) : rewriter(context) {}

  void decompose(BitLinearOp op);

private:
  /// The activations as f32 of [M, K], one token a row.
  Value getTokens(Value x);
  Quantized getQuantized(Value tokens, QuantizationAttr rule);
  /// `y`, f32 of [M, N], in the shape and element type of the layer's result.
  Value restore(BitLinearOp op, Value y);

  IRRewriter rewriter;
  llvm::DenseMap<Value, Value> tokensOf;
  llvm::DenseMap<std::pair<Value, Attribute>, Quantized> quantizedOf;
};
} // namespace

/// All dimensions but the last in one group.
static SmallVector<ReassociationIndices> getTokenGroups(int64_t rank) {
  SmallVector<ReassociationIndices> groups(2);
  for (int64_t dim = 0; dim + 1 < rank; ++dim)
    groups[0].push_back(dim);
  groups[1].push_back(rank - 1);
  return groups;
}

Value Decomposer::getTokens(Value x) {
  Value &tokens = tokensOf[x];
  if (tokens)
    return tokens;
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPointAfterValue(x);
  Location loc = x.getLoc();
  auto type = cast<RankedTensorType>(x.getType());
  tokens = x;
  if (!type.getElementType().isF32()) {
    type = type.clone(rewriter.getF32Type());
    tokens = arith::ExtFOp::create(rewriter, loc, type, tokens);
  }
  if (type.getRank() == 1) {
    int64_t cols = type.getDimSize(0);
    SmallVector<OpFoldResult> shape = {
        rewriter.getIndexAttr(1),
        tensor::getMixedSize(rewriter, loc, tokens, 0)};
    tokens = tensor::ExpandShapeOp::create(
        rewriter, loc, RankedTensorType::get({1, cols}, rewriter.getF32Type()),
        tokens, SmallVector<ReassociationIndices>{{0, 1}}, shape);
  } else if (type.getRank() > 2) {
    tokens = tensor::CollapseShapeOp::create(rewriter, loc, tokens,
                                             getTokenGroups(type.getRank()));
  }
  return tokens;
}

Quantized Decomposer::getQuantized(Value tokens, QuantizationAttr rule) {
  Quantized &result = quantizedOf[{tokens, rule}];
  if (result.codes)
    return result;
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPointAfterValue(tokens);
  auto type = cast<RankedTensorType>(tokens.getType());
  auto op = QuantizeOp::create(
      rewriter, tokens.getLoc(), type.clone(rewriter.getI8Type()),
      RankedTensorType::get({type.getDimSize(0)}, rewriter.getF32Type()),
      tokens, rule);
  result = {op.getCodes(), op.getScales()};
  return result;
}

Value Decomposer::restore(BitLinearOp op, Value y) {
  Location loc = op.getLoc();
  auto type = op.getResult().getType();
  auto shaped = type.clone(rewriter.getF32Type());
  if (type.getRank() == 1) {
    y = tensor::CollapseShapeOp::create(
        rewriter, loc, shaped, y, SmallVector<ReassociationIndices>{{0, 1}});
  } else if (type.getRank() > 2) {
    SmallVector<OpFoldResult> shape =
        tensor::getMixedSizes(rewriter, loc, op.getX());
    shape.back() = rewriter.getIndexAttr(op.getWeights().getType().getRows());
    y = tensor::ExpandShapeOp::create(rewriter, loc, shaped, y,
                                      getTokenGroups(type.getRank()), shape);
  }
  if (type != shaped)
    y = arith::TruncFOp::create(rewriter, loc, type, y);
  return y;
}

void Decomposer::decompose(BitLinearOp op) {
  Value x = getTokens(op.getX());
  Value scales;
  bool step = false;
  Type sum = rewriter.getF32Type();
  if (QuantizationAttr rule = op.getQuantizationAttr()) {
    auto quantized = getQuantized(x, rule);
    x = quantized.codes;
    scales = quantized.scales;
    step = rule.getForm() == ScaleForm::Step;
    sum = rewriter.getI32Type();
  }

  rewriter.setInsertionPoint(op);
  int64_t tokens = cast<RankedTensorType>(x.getType()).getDimSize(0);
  int64_t rows = op.getWeights().getType().getRows();
  SmallVector<int64_t> shape = {tokens, rows};
  if (op.getScale().getType().getRank() == 2)
    shape.insert(shape.begin() + 1, op.getGroups());
  Value acc =
      MatmulOp::create(rewriter, op.getLoc(), RankedTensorType::get(shape, sum),
                       x, op.getWeights());
  Value y = RescaleOp::create(
      rewriter, op.getLoc(),
      RankedTensorType::get({tokens, rows}, rewriter.getF32Type()), acc,
      op.getScale(), scales, op.getScaleDivides(), step);
  rewriter.replaceOp(op, restore(op, y));
}

namespace {
struct DecomposeBitLinearPass
    : tern::ternary::impl::DecomposeBitLinearBase<DecomposeBitLinearPass> {
  using Base::Base;

  void runOnOperation() override {
    Decomposer decomposer(&getContext());
    SmallVector<BitLinearOp> layers;
    getOperation().walk([&](BitLinearOp op) { layers.push_back(op); });
    for (BitLinearOp op : layers)
      decomposer.decompose(op);
  }
};
} // namespace

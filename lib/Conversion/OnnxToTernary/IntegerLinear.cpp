//===- IntegerLinear.cpp - MatMulInteger and QLinearMatMul ----------------===//

#include "Raising.h"

using namespace mlir;
using namespace tern;
using tern::onnx::ConstantOp;
using tern::onnx::ElementKind;
using tern::onnx::NodeOp;
using tern::onnx::Tensor;

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

/// `weights - zero` as [N, K] of F32; `weights` is [K, N] of integers, `zero`
/// one of them, one a column, or null.
static std::optional<Tensor> evaluateCentred(const Matcher &matcher,
                                             Value weights, Value zero) {
  const onnx::ConstantEvaluator &evaluator = matcher.getEvaluator();
  std::optional<Tensor> w = evaluator.evaluate(weights);
  if (!w || w->getRank() != 2 || onnx::isFloat(w->getKind()) ||
      onnx::getBitWidth(w->getKind()) > 8)
    return std::nullopt;
  w = onnx::castTensor(std::move(*w), ElementKind::F32);
  if (w)
    w = onnx::transposeTensor(*w, {1, 0});
  if (!w || !zero)
    return w;
  std::optional<Tensor> z = evaluator.evaluate(zero);
  int64_t rows = w->getShape()[0], cols = w->getShape()[1];
  if (!z || (z->getNumElements() != 1 && z->getNumElements() != rows))
    return std::nullopt;
  bool perRow = z->getNumElements() == rows;
  z = onnx::castTensor(std::move(*z), ElementKind::F32);
  if (!z)
    return std::nullopt;
  auto *out = w->getMutableData<float>();
  for (int64_t n = 0; n < rows; ++n)
    for (int64_t k = 0; k < cols; ++k)
      *out++ -= z->getData<float>()[perRow ? n : 0];
  return w;
}

/// The trits of a product on integers, whose scale must be 1.
static ProofResult proveInteger(const Matcher &matcher, NodeOp node,
                                Value weights, Value zero) {
  if (!weights || !matcher.getEvaluator().isConstant(weights) ||
      (zero && !matcher.getEvaluator().isConstant(zero)))
    return std::optional<TernaryWeight>();
  std::optional<Tensor> centred = evaluateCentred(matcher, weights, zero);
  if (!centred) {
    reportMissed(node, "weights are no matrix of 8-bit integers");
    return std::optional<TernaryWeight>();
  }
  ProofResult proof = proveOrReport(node, *centred, getWeightCodes(weights));
  if (succeeded(proof) && *proof &&
      (!(*proof)->hasUnitScale() || (*proof)->groups > 1)) {
    reportMissed(node, "weights are integers other than -1, 0 and 1");
    return std::optional<TernaryWeight>();
  }
  return proof;
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

namespace {
/// Activations of 8 bits around a zero point.
struct IntegerActivation {
  Value codes; // i8 or ui8, [..., K]
  Value zero;  // one element of the same type, or null for 0
  bool isUnsigned;
};
} // namespace

static std::optional<IntegerActivation>
getActivation(const Matcher &matcher, Value codes, Value zero, int64_t cols) {
  auto type =
      codes ? dyn_cast<RankedTensorType>(codes.getType()) : RankedTensorType();
  if (!type || type.getRank() == 0 || !type.getElementType().isInteger(8) ||
      (type.getShape().back() != cols &&
       !ShapedType::isDynamic(type.getShape().back())))
    return std::nullopt;
  IntegerActivation result{codes, zero,
                           type.getElementType().isUnsignedInteger()};
  if (zero) {
    auto zeroType = dyn_cast<RankedTensorType>(zero.getType());
    if (!zeroType || !zeroType.hasStaticShape() ||
        zeroType.getNumElements() != 1 ||
        zeroType.getElementType() != type.getElementType())
      return std::nullopt;
    if (!result.isUnsigned && matcher.isScalar(zero, 0.0))
      result.zero = {};
  }
  return result;
}

/// A constant of the onnx dialect.
static Value buildConstant(ImplicitLocOpBuilder &b, ElementsAttr value) {
  return ConstantOp::create(b, value);
}

static Value buildI32(ImplicitLocOpBuilder &b, int32_t value) {
  auto type = RankedTensorType::get({}, b.getI32Type());
  return buildConstant(b, DenseElementsAttr::get(type, ArrayRef(value)));
}

/// The sum of each row of trits.
static Value buildRowSums(ImplicitLocOpBuilder &b,
                          const TernaryWeight &weight) {
  int64_t rowBytes = llvm::divideCeil(weight.cols, 4);
  const auto *byte = weight.bytes.getData<uint8_t>();
  SmallVector<int32_t> sums;
  for (int64_t n = 0; n < weight.rows; ++n) {
    int32_t sum = 0;
    // Columns past the end hold trit 0.
    for (int64_t i = 0; i < rowBytes; ++i, ++byte)
      for (int shift = 0; shift < 8; shift += 2)
        sum += (*byte >> shift & 3) - 1;
    sums.push_back(sum);
  }
  auto type = RankedTensorType::get({weight.rows}, b.getI32Type());
  return buildConstant(b, DenseElementsAttr::get(type, ArrayRef(sums)));
}

/// `sum (x - z) t` in i32, as `sum (x - o) t + (o - z) sum t`: the offset o
/// brings uint8 into the range of int8.
static Value buildIntegerProduct(ImplicitLocOpBuilder &b,
                                 const IntegerActivation &activation,
                                 const TernaryWeight &weight, StringRef form) {
  Type i32 = b.getI32Type();
  int32_t offset = activation.isUnsigned ? 128 : 0;
  Value codes = activation.codes;
  if (activation.isUnsigned) {
    Value wide = buildCast(b, codes, i32);
    wide = buildElementwise(b, "Sub", wide, i32, {wide, buildI32(b, offset)});
    codes = buildCast(b, wide, b.getI8Type());
  }
  Value product = buildProduct(b, codes, weight, form);
  Value shift;
  if (activation.zero) {
    Value zero = buildCast(b, activation.zero, i32);
    shift = buildElementwise(b, "Sub", zero, i32, {buildI32(b, offset), zero});
  } else if (offset != 0) {
    shift = buildI32(b, offset);
  }
  if (!shift)
    return product;
  Value sums = buildRowSums(b, weight);
  // One zero point times [N].
  Value correction = buildElementwise(b, "Mul", sums, i32, {sums, shift});
  return buildElementwise(b, "Add", product, i32, {product, correction});
}

//===----------------------------------------------------------------------===//
// MatMulInteger, QLinearMatMul
//===----------------------------------------------------------------------===//

/// Raises to a layer with quantisation where the codes come from it and the
/// output is rescaled by it.
static bool raiseQuantized(const Matcher &matcher, NodeOp node,
                           const IntegerActivation &activation,
                           TernaryWeight &weight) {
  if (activation.isUnsigned || activation.zero)
    return false;
  std::optional<CodedActivation> coded =
      matchActivation(matcher, activation.codes);
  if (!coded || !coded->absmax ||
      coded->factor != CodedActivation::Factor::None)
    return false;
  std::optional<OutputScale> output =
      followOutput(matcher, node->getResult(0), weight.rows, &*coded->absmax);
  if (!output)
    return false;
  ImplicitLocOpBuilder b(node.getLoc(), output->end.getDefiningOp());
  bool divides = foldScales(weight, *output);
  Value x = withLastDim(b, coded->absmax->source, weight.cols);
  auto type = cast<RankedTensorType>(x.getType());
  SmallVector<int64_t> shape(type.getShape());
  shape.back() = weight.rows;
  auto op = ternary::BitLinearOp::create(
      b, type.clone(shape), x, buildMatrix(b, weight), buildScales(b, weight),
      coded->absmax->attr, divides);
  op->setAttr("form", b.getStringAttr("integer"));
  replaceWithCast(b, output->end, op);
  reportRaised(node, "integer", "ternary.bit_linear");
  return true;
}

LogicalResult tern::raiseMatMulInteger(const Matcher &matcher, NodeOp node) {
  ProofResult proof =
      proveInteger(matcher, node, node.getInput(1), node.getInput(3));
  if (failed(proof) || !*proof)
    return success(succeeded(proof));
  TernaryWeight &weight = **proof;
  std::optional<IntegerActivation> activation =
      getActivation(matcher, node.getInput(0), node.getInput(2), weight.cols);
  if (!activation)
    return keepFloat(node, "activations are not 8-bit integers of known "
                           "rank with one zero point");
  if (raiseQuantized(matcher, node, *activation, weight))
    return success();
  ImplicitLocOpBuilder b(node.getLoc(), node);
  replaceWithCast(b, node->getResult(0),
                  buildIntegerProduct(b, *activation, weight, "integer"));
  reportRaised(node, "integer", "ternary.matmul");
  return success();
}

LogicalResult tern::raiseQLinearMatMul(const Matcher &matcher, NodeOp node) {
  enum { A, AScale, AZero, B, BScale, BZero, YScale, YZero, NumInputs };
  for (unsigned i = 0; i < NumInputs; ++i)
    if (!node.getInput(i))
      return success();
  ProofResult proof =
      proveInteger(matcher, node, node.getInput(B), node.getInput(BZero));
  if (failed(proof) || !*proof)
    return success(succeeded(proof));
  TernaryWeight &weight = **proof;
  std::optional<IntegerActivation> activation = getActivation(
      matcher, node.getInput(A), node.getInput(AZero), weight.cols);
  auto isScalarF32 = [](Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    return isF32(value) && type.hasStaticShape() && type.getNumElements() == 1;
  };
  auto scaleType = dyn_cast<RankedTensorType>(node.getInput(BScale).getType());
  bool fits = activation && isScalarF32(node.getInput(AScale)) &&
              isScalarF32(node.getInput(YScale)) && scaleType &&
              isF32(node.getInput(BScale)) && scaleType.getRank() <= 1;
  if (!fits)
    return keepFloat(node, "scales are not f32, one for the activations and "
                           "the result and one or N for the weights");

  // saturate(round(sum * (a_scale * b_scale / y_scale)) + y_zero): the last
  // step is QuantizeLinear by a scale of 1.
  ImplicitLocOpBuilder b(node.getLoc(), node);
  Type f32 = b.getF32Type();
  Value bScale = node.getInput(BScale);
  Value factor =
      buildElementwise(b, "Mul", bScale, f32, {node.getInput(AScale), bScale});
  factor =
      buildElementwise(b, "Div", factor, f32, {factor, node.getInput(YScale)});
  Value sums = buildIntegerProduct(b, *activation, weight, "qlinear");
  Value scaled = buildCast(b, sums, f32);
  scaled = buildElementwise(b, "Mul", scaled, f32, {scaled, factor});
  Value one = buildConstant(
      b, DenseElementsAttr::get(RankedTensorType::get({}, f32), 1.0f));
  Value result =
      buildElementwise(b, "QuantizeLinear", scaled,
                       getElementTypeOrSelf(node.getInput(YZero).getType()),
                       {scaled, one, node.getInput(YZero)});
  replaceWithCast(b, node->getResult(0), result);
  reportRaised(node, "qlinear", "ternary.matmul");
  return success();
}

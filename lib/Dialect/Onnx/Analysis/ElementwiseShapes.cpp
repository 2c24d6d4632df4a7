//===- ElementwiseShapes.cpp - shapes that broadcast or stay --------------===//

#include "ShapeRules.h"

using namespace mlir;
using namespace tern::onnx;

static Size broadcastSize(Size lhs, Size rhs) {
  if (isConstantSize(lhs, 1))
    return rhs;
  if (isConstantSize(rhs, 1) || compareLengths(lhs, rhs) == true)
    return lhs;
  return std::nullopt;
}

Sizes tern::onnx::broadcastShapes(ArrayRef<Size> lhs, ArrayRef<Size> rhs) {
  if (lhs.size() < rhs.size())
    std::swap(lhs, rhs);
  Sizes result(lhs);
  size_t added = lhs.size() - rhs.size();
  for (auto [index, size] : llvm::enumerate(rhs))
    result[added + index] = broadcastSize(lhs[added + index], size);
  return result;
}

static Sizes broadcastInputs(ShapeQuery &query) {
  Sizes sizes;
  for (unsigned i = 0; i < query.node->getNumOperands(); ++i)
    if (query.has(i))
      sizes = broadcastShapes(sizes, query.input(i).sizes);
  return sizes;
}

static std::optional<ShapeFacts> inferBroadcast(ShapeQuery &query) {
  ShapeFacts facts;
  facts.sizes = broadcastInputs(query);
  return facts;
}

//===----------------------------------------------------------------------===//
// Arithmetic on sizes
//===----------------------------------------------------------------------===//

/// Computes the elements of a binary operator; one side may be a single one.
static std::optional<ShapeFacts> computeElements(ShapeQuery &query,
                                                 Size (*compute)(Size, Size)) {
  ShapeFacts facts;
  facts.sizes = broadcastInputs(query);
  const ShapeFacts &lhs = query.input(0), &rhs = query.input(1);
  if (lhs.splat && rhs.splat)
    facts.splat = compute(lhs.splat, rhs.splat);
  if (!lhs.elements || !rhs.elements)
    return facts;
  size_t sizeOfLhs = lhs.elements->size(), sizeOfRhs = rhs.elements->size();
  if (sizeOfLhs != sizeOfRhs && sizeOfLhs != 1 && sizeOfRhs != 1)
    return facts;
  // Equally many elements of higher ranks may be broadcast against each other.
  if (lhs.sizes.size() > 1 || rhs.sizes.size() > 1)
    return facts;
  facts.elements.emplace();
  for (size_t i = 0, e = std::max(sizeOfLhs, sizeOfRhs); i < e; ++i)
    facts.elements->push_back(compute((*lhs.elements)[sizeOfLhs == 1 ? 0 : i],
                                      (*rhs.elements)[sizeOfRhs == 1 ? 0 : i]));
  return facts;
}

template <Size (*Compute)(Size, Size)>
static std::optional<ShapeFacts> inferArithmetic(ShapeQuery &query) {
  return computeElements(query, Compute);
}

static Size equalLengths(Size lhs, Size rhs) {
  std::optional<bool> equal = compareLengths(lhs, rhs);
  return equal ? constantSize(*equal) : Size();
}

static std::optional<ShapeFacts> inferWhere(ShapeQuery &query) {
  ShapeFacts facts;
  facts.sizes = broadcastInputs(query);
  const auto &condition = query.input(0).elements;
  const auto &then = query.input(1).elements,
             &otherwise = query.input(2).elements;
  if (!condition || !then || !otherwise || then->size() != condition->size() ||
      otherwise->size() != condition->size() || facts.sizes.size() > 1)
    return facts;
  facts.elements.emplace();
  for (auto [choice, yes, no] :
       llvm::zip_equal(*condition, *then, *otherwise)) {
    bool known = choice && choice->isConstant();
    facts.elements->push_back(!known ? Size() : choice->constant ? yes : no);
  }
  return facts;
}

//===----------------------------------------------------------------------===//
// The first input's shape
//===----------------------------------------------------------------------===//

static std::optional<ShapeFacts> inferAsFirst(ShapeQuery &query) {
  if (query.output != 0 || !query.has(0))
    return std::nullopt;
  ShapeFacts facts;
  facts.sizes = query.input(0).sizes;
  return facts;
}

static std::optional<ShapeFacts> inferIdentity(ShapeQuery &query) {
  return query.input(0);
}

/// A cast to bool asks whether a number is 0; others keep small integers.
static std::optional<ShapeFacts> inferCast(ShapeQuery &query) {
  ShapeFacts facts = query.input(0);
  constexpr int64_t kBool = 9;
  if (query.attr("to", kBool) != kBool)
    return facts;
  auto toBool = [](Size size) { return equalLengths(size, constantSize(0)); };
  auto negate = [](Size size) {
    return size ? constantSize(!size->constant) : Size();
  };
  if (facts.splat)
    facts.splat = negate(toBool(facts.splat));
  if (facts.elements)
    for (Size &element : *facts.elements)
      element = negate(toBool(element));
  return facts;
}

/// Output 3 is the sum of the inputs, of the shape of the first.
static std::optional<ShapeFacts> inferSkipNorm(ShapeQuery &query) {
  if (query.output != 0 && query.output != 3)
    return std::nullopt;
  ShapeFacts facts;
  facts.sizes = query.input(0).sizes;
  return facts;
}

void tern::onnx::addElementwiseShapeRules(ShapeRules &rules) {
  for (StringRef kind :
       {"Pow", "Mod", "Max", "Min", "Sum", "Mean", "And", "Or", "Xor", "Less",
        "LessOrEqual", "Greater", "GreaterOrEqual", "BitwiseAnd", "BitwiseOr",
        "BitwiseXor", "BitShift", "PRelu"})
    rules[kind] = inferBroadcast;
  rules["Add"] = inferArithmetic<addLengths>;
  rules["Sub"] = inferArithmetic<subtractLengths>;
  rules["Mul"] = inferArithmetic<multiplyLengths>;
  rules["Div"] = inferArithmetic<divideLengths>;
  rules["Equal"] = inferArithmetic<equalLengths>;
  rules["Where"] = inferWhere;
  for (StringRef kind : {"Abs",
                         "Acos",
                         "Acosh",
                         "Asin",
                         "Asinh",
                         "Atan",
                         "Atanh",
                         "BitwiseNot",
                         "Ceil",
                         "Celu",
                         "Clip",
                         "Cos",
                         "Cosh",
                         "CumSum",
                         "DequantizeLinear",
                         "DynamicQuantizeLinear",
                         "Elu",
                         "Erf",
                         "Exp",
                         "Floor",
                         "Gelu",
                         "HardSigmoid",
                         "HardSwish",
                         "IsInf",
                         "IsNaN",
                         "LayerNormalization",
                         "LeakyRelu",
                         "Log",
                         "LogSoftmax",
                         "Mish",
                         "Neg",
                         "Not",
                         "QuantizeLinear",
                         "RMSNormalization",
                         "Reciprocal",
                         "Relu",
                         "RotaryEmbedding",
                         "Round",
                         "ScatterElements",
                         "ScatterND",
                         "Selu",
                         "Sigmoid",
                         "Sign",
                         "SimplifiedLayerNormalization",
                         "Sin",
                         "Sinh",
                         "Softmax",
                         "Softplus",
                         "Softsign",
                         "Sqrt",
                         "Swish",
                         "Tan",
                         "Tanh",
                         "TensorScatter",
                         "ThresholdedRelu",
                         "Trilu",
                         "com.microsoft::Gelu",
                         "com.microsoft::QuickGelu",
                         "com.microsoft::RotaryEmbedding",
                         "com.microsoft::SimplifiedLayerNormalization"})
    rules[kind] = inferAsFirst;
  rules["Identity"] = inferIdentity;
  rules["Cast"] = inferCast;
  rules["CastLike"] = inferAsFirst;
  rules["com.microsoft::SkipSimplifiedLayerNormalization"] = inferSkipNorm;
  rules["com.microsoft::SkipLayerNormalization"] = inferSkipNorm;
}

//===- ElementwiseTokens.cpp - operators that map tokens one by one -------===//

#include "TokenRules.h"

using namespace mlir;
using namespace tern::onnx;

using Answer = std::optional<TokenDependence>;
using Kind = TokenDependence::Kind;

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

/// Inputs are broadcast to each other, tokens to tokens only.
static Answer mapElements(TokenQuery &query) {
  unsigned rank = 0, count = query.op->getNumOperands();
  bool hasTokens = false;
  for (unsigned i = 0; i < count; ++i) {
    if (!query.input(i))
      continue;
    rank = std::max(rank, query.rank(i));
    hasTokens |= query.isTokens(i);
  }
  // Arithmetic on sizes.
  if (!hasTokens)
    return TokenDependence{Kind::Length, 0};
  std::optional<unsigned> dim;
  for (unsigned i = 0; i < count; ++i) {
    if (!query.input(i) || !query.isTokens(i))
      continue;
    unsigned aligned = query.dim(i) + rank - query.rank(i);
    if (dim && *dim != aligned)
      return query.fail("it pairs tokens with each other");
    dim = aligned;
  }
  for (unsigned i = 0; i < count; ++i) {
    if (!query.input(i) || query.isTokens(i))
      continue;
    if (!query.isNone(i))
      return query.fail("it computes with the length of the sequence");
    unsigned skipped = rank - query.rank(i);
    if (*dim >= skipped && !query.isOne(query.input(i), *dim - skipped))
      return query.fail("an operand has a fixed number of tokens");
  }
  return query.tokens(*dim);
}

/// The first input's elements; the others are parameters.
static Answer mapFirst(TokenQuery &query) {
  for (unsigned i = 1; i < query.op->getNumOperands(); ++i)
    if (query.input(i) && !query.isNone(i))
      return query.fail("a parameter depends on tokens");
  return query.get(0u);
}

/// A cast's second input gives its type only.
static Answer mapCast(TokenQuery &query) { return query.get(0u); }

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

/// Parameters have the shape of one row, or of rows that are all alike.
static Answer mapFrom(TokenQuery &query, std::optional<unsigned> firstAxis) {
  if (!query.isTokens(0) || !firstAxis)
    return query.fail("its axis is not understood");
  if (query.dim(0) >= *firstAxis)
    return query.fail("it normalises over tokens");
  return mapElements(query);
}

static Answer mapNorm(TokenQuery &query) {
  return mapFrom(query, query.axis("axis", -1, query.rank(0)));
}

/// The last dimension; the sum of two inputs is normalised.
static Answer mapSkipNorm(TokenQuery &query) {
  return mapFrom(query, query.rank(0) - 1);
}

/// One axis; before opset 13 all from the axis on.
static Answer mapSoftmax(TokenQuery &query) {
  bool isFlat = query.node().getOpset() != 0 && query.node().getOpset() < 13;
  std::optional<unsigned> axis =
      query.axis("axis", isFlat ? 1 : -1, query.rank(0));
  if (!axis || !query.isTokens(0))
    return query.fail("its axis is not understood");
  if (query.dim(0) == *axis || (isFlat && query.dim(0) > *axis))
    return query.fail("it normalises over tokens; expected attention that is "
                      "recognised as causal");
  return query.get(0u);
}

static Answer mapReduction(TokenQuery &query) {
  if (!query.isTokens(0))
    return query.isNone(0) ? query.fail("its axes depend on tokens")
                           : Answer(TokenDependence{Kind::Length, 0});
  unsigned rank = query.rank(0), dim = query.dim(0);
  std::optional<SmallVector<int64_t>> axes;
  if (std::optional<ArrayRef<int64_t>> attr = query.node().getInts("axes"))
    axes = SmallVector<int64_t>(*attr);
  else if (query.input(1))
    axes = query.constants(1);
  else
    axes.emplace();
  if (!axes)
    return query.fail("its axes are not constant");
  if (axes->empty())
    return query.node().getInt("noop_with_empty_axes", 0)
               ? query.get(0u)
               : query.fail("it reduces over tokens");
  bool keeps = query.node().getInt("keepdims", 1) != 0;
  unsigned dropped = 0;
  for (int64_t axis : *axes) {
    unsigned positive = axis < 0 ? axis + rank : axis;
    if (positive == dim)
      return query.fail("it reduces over tokens");
    dropped += !keeps && positive < dim;
  }
  return query.tokens(dim - dropped);
}

static Answer mapArgMax(TokenQuery &query) {
  std::optional<unsigned> axis = query.axis("axis", 0, query.rank(0));
  if (!query.isTokens(0) || !axis || *axis == query.dim(0))
    return query.fail("it reduces over tokens");
  bool drops = query.node().getInt("keepdims", 1) == 0 && *axis < query.dim(0);
  return query.tokens(query.dim(0) - drops);
}

static Answer mapCumSum(TokenQuery &query) {
  std::optional<SmallVector<int64_t>> axes = query.constants(1);
  if (!query.isTokens(0) || !axes || axes->size() != 1)
    return query.fail("its axis is not understood");
  int64_t rank = query.rank(0), axis = axes->front();
  if ((axis < 0 ? axis + rank : axis) == query.dim(0))
    return query.fail("it sums over tokens");
  return query.get(0u);
}

//===----------------------------------------------------------------------===//
// Quantisation
//===----------------------------------------------------------------------===//

/// Scales and zero points are one for all, or of an axis that has no tokens.
static Answer mapQuantization(TokenQuery &query) {
  if (!query.isTokens(0))
    return query.fail("its scale depends on tokens");
  unsigned dim = query.dim(0), rank = query.rank(0);
  for (unsigned i : {1u, 2u}) {
    if (!query.input(i))
      continue;
    if (!query.isNone(i))
      return query.fail("its scale depends on tokens");
    bool isOfAxis = query.rank(i) == 1 && !query.isOne(query.input(i), 0);
    if ((isOfAxis && query.axis("axis", 1, rank) == dim) ||
        (query.rank(i) == rank && rank > 1 &&
         !query.isOne(query.input(i), dim)))
      return query.fail("it has a scale for each token");
  }
  return query.get(0u);
}

static Answer refuseDynamicQuantization(TokenQuery &query) {
  return query.fail("it takes one scale for all tokens");
}

void tern::onnx::addElementwiseTokenRules(TokenRules &rules) {
  for (StringRef kind : {"Add",
                         "And",
                         "BitShift",
                         "BitwiseAnd",
                         "BitwiseOr",
                         "BitwiseXor",
                         "Div",
                         "Equal",
                         "Greater",
                         "Less",
                         "GreaterOrEqual",
                         "LessOrEqual",
                         "Max",
                         "Mean",
                         "Min",
                         "Mod",
                         "Mul",
                         "Or",
                         "PRelu",
                         "Pow",
                         "Sub",
                         "Sum",
                         "Where",
                         "Xor"})
    rules[kind] = mapElements;
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
                         "Elu",
                         "Erf",
                         "Exp",
                         "Floor",
                         "Gelu",
                         "HardSigmoid",
                         "HardSwish",
                         "Identity",
                         "IsInf",
                         "IsNaN",
                         "LeakyRelu",
                         "Log",
                         "Mish",
                         "Neg",
                         "Not",
                         "Reciprocal",
                         "Relu",
                         "Round",
                         "Selu",
                         "Sigmoid",
                         "Sign",
                         "Sin",
                         "Sinh",
                         "Softplus",
                         "Softsign",
                         "Sqrt",
                         "Swish",
                         "Tan",
                         "Tanh",
                         "ThresholdedRelu",
                         "com.microsoft::Gelu",
                         "com.microsoft::QuickGelu"})
    rules[kind] = mapFirst;
  rules["Cast"] = mapCast;
  rules["CastLike"] = mapCast;
  for (StringRef kind : {"LayerNormalization", "RMSNormalization",
                         "SimplifiedLayerNormalization",
                         "com.microsoft::SimplifiedLayerNormalization"})
    rules[kind] = mapNorm;
  rules["com.microsoft::SkipLayerNormalization"] = mapSkipNorm;
  rules["com.microsoft::SkipSimplifiedLayerNormalization"] = mapSkipNorm;
  rules["Softmax"] = mapSoftmax;
  rules["LogSoftmax"] = mapSoftmax;
  for (StringRef kind :
       {"ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax",
        "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum",
        "ReduceSumSquare"})
    rules[kind] = mapReduction;
  rules["ArgMax"] = mapArgMax;
  rules["ArgMin"] = mapArgMax;
  rules["CumSum"] = mapCumSum;
  rules["QuantizeLinear"] = mapQuantization;
  rules["DequantizeLinear"] = mapQuantization;
  rules["DynamicQuantizeLinear"] = refuseDynamicQuantization;
}

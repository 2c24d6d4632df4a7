//===- SymbolicArithmetic.cpp - operators that compute elements -----------===//

#include "SymbolicRules.h"

#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/StringSwitch.h"

#include <cmath>

using namespace mlir;
using namespace tern::onnx;

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

static Type getElementType(NodeOp node) {
  return getElementTypeOrSelf(node->getResult(0).getType());
}

/// Whether `type`, of integers, has the value `number`.
static bool hasInteger(Type type, int64_t number) {
  unsigned width = type.getIntOrFloatBitWidth();
  if (type.isUnsignedInteger())
    return number >= 0 && (width >= 63 || number >> width == 0);
  return width >= 64 || llvm::isIntN(width, number);
}

/// `number` as a value of `type` holds it: rounded to a float's precision;
/// nullopt where there is no such value.
static MaybeElement getRounded(double number, Type type) {
  if (auto floatType = dyn_cast<FloatType>(type)) {
    llvm::APFloat value(number);
    bool losesInfo = false;
    value.convert(floatType.getFloatSemantics(),
                  llvm::APFloat::rmNearestTiesToEven, &losesInfo);
    if (value.isNaN())
      return std::nullopt;
    value.convert(llvm::APFloat::IEEEdouble(),
                  llvm::APFloat::rmNearestTiesToEven, &losesInfo);
    return SymbolicElement::getNumber(value.convertToDouble());
  }
  if (std::abs(number) > (1LL << 53) || std::isnan(number) ||
      !hasInteger(type, static_cast<int64_t>(number)))
    return std::nullopt;
  return SymbolicElement(Polynomial(static_cast<int64_t>(number)));
}

/// Whether numbers of 32 bits, 24 of them a float's, hold `integer` for all
/// sizes up to 2^20: a sum of few sizes and positions.
static bool isSmall(const Polynomial &integer) {
  constexpr int64_t kMaxConstant = 1 << 20, kMaxFactors = 15;
  int64_t factors = 0;
  for (const auto &[monomial, coefficient] : integer.getTerms()) {
    if (monomial.size() > 1 ||
        std::abs(coefficient) > (monomial.empty() ? kMaxConstant : kMaxFactors))
      return false;
    factors += monomial.empty() ? 0 : std::abs(coefficient);
  }
  return factors <= kMaxFactors;
}

MaybeElement tern::onnx::getExact(SymbolicQuery &query,
                                  const Polynomial &integer, Type type) {
  if (std::optional<int64_t> constant = integer.getConstant())
    return getRounded(static_cast<double>(*constant), type);
  unsigned width = type.getIntOrFloatBitWidth();
  if (!integer.isValid() || width < 32 || (width < 64 && !isSmall(integer)))
    return std::nullopt;
  if (type.isUnsignedInteger() && !query.evaluator.isNonNegative(integer))
    return std::nullopt;
  return SymbolicElement(integer);
}

/// Combines the broadcast inputs of a node, leaf by leaf.
static MaybeElement combineInputs(SymbolicQuery &query, NodeOp node,
                                  Index index, SymbolicQuery::LeafFn combine) {
  std::optional<Polynomials> shape = query.getShape(node->getResult(0));
  if (!shape || !query.isDerived(node->getResult(0)))
    return std::nullopt;
  MaybeElement result;
  for (Value input : node.getInputs()) {
    MaybeElement element = query.getBroadcast(input, *shape, index);
    if (!element)
      return std::nullopt;
    result = result ? query.combine(*result, *element, combine) : element;
    if (!result)
      return std::nullopt;
  }
  return result;
}

/// The element of a node with one input that matters, leaf by leaf.
static MaybeElement
mapInput(SymbolicQuery &query, NodeOp node, Index index,
         llvm::function_ref<MaybeElement(const SymbolicElement &)> map) {
  if (!query.isDerived(node->getResult(0)))
    return std::nullopt;
  SymbolicElement element = query.getElement(node.getInputs()[0], index);
  return query.combine(element, SymbolicElement(),
                       [&](const SymbolicElement &leaf,
                           const SymbolicElement &) { return map(leaf); });
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

using PolynomialFn = Polynomial (*)(const Polynomial &, const Polynomial &);
using NumberFn = double (*)(double, double);

/// A node of two inputs: exact in integers, rounded in floats.
static MaybeElement compute(SymbolicQuery &query, NodeOp node, Index index,
                            PolynomialFn onIntegers, NumberFn onNumbers) {
  Type type = getElementType(node);
  return combineInputs(
      query, node, index,
      [&](const SymbolicElement &a, const SymbolicElement &b) -> MaybeElement {
        std::optional<double> x = a.getConstant(), y = b.getConstant();
        if (x && y)
          return getRounded(onNumbers(*x, *y), type);
        const Polynomial *p = a.getInteger(), *q = b.getInteger();
        if (!onIntegers || !p || !q || !query.evaluator.isInteger(*p) ||
            !query.evaluator.isInteger(*q))
          return std::nullopt;
        return getExact(query, onIntegers(*p, *q), type);
      });
}

static MaybeElement computeAdd(SymbolicQuery &query, NodeOp node, Index index) {
  return compute(
      query, node, index,
      [](const Polynomial &a, const Polynomial &b) { return a + b; },
      [](double a, double b) { return a + b; });
}

static MaybeElement computeSub(SymbolicQuery &query, NodeOp node, Index index) {
  return compute(
      query, node, index,
      [](const Polynomial &a, const Polynomial &b) { return a - b; },
      [](double a, double b) { return a - b; });
}

static MaybeElement computeMul(SymbolicQuery &query, NodeOp node, Index index) {
  return compute(
      query, node, index,
      [](const Polynomial &a, const Polynomial &b) { return a * b; },
      [](double a, double b) { return a * b; });
}

static MaybeElement computeDiv(SymbolicQuery &query, NodeOp node, Index index) {
  return compute(
      query, node, index,
      [](const Polynomial &a, const Polynomial &b) {
        Polynomial::Division division = a.divide(b);
        return division.remainder == Polynomial(0) ? division.quotient
                                                   : Polynomial::getInvalid();
      },
      [](double a, double b) { return a / b; });
}

static MaybeElement computePow(SymbolicQuery &query, NodeOp node, Index index) {
  return compute(query, node, index, nullptr,
                 [](double a, double b) { return std::pow(a, b); });
}

/// Max and Min, which differ in what is taken where the first is larger.
template <bool isMax>
static MaybeElement computeExtremum(SymbolicQuery &query, NodeOp node,
                                    Index index) {
  return combineInputs(
      query, node, index,
      [&](const SymbolicElement &a, const SymbolicElement &b) -> MaybeElement {
        std::optional<double> x = a.getConstant(), y = b.getConstant();
        if (x && y)
          return (*x >= *y) == isMax ? a : b;
        const Polynomial *p = a.getInteger(), *q = b.getInteger();
        if (!p || !q || !query.evaluator.isInteger(*p) ||
            !query.evaluator.isInteger(*q))
          return std::nullopt;
        return query.choose(
            {Condition::Kind::NonNegative, *p - *q},
            [&] { return isMax ? a : b; }, [&] { return isMax ? b : a; });
      });
}

/// A sum of elements that are all equal: one of them for each.
static MaybeElement computeReduceSum(SymbolicQuery &query, NodeOp node,
                                     Index index) {
  std::optional<Polynomials> shape = query.getShape(node.getInputs()[0]);
  std::optional<SmallVector<int64_t>> axes =
      shape ? getAxes(query, node, shape->size()) : std::nullopt;
  if (!axes || axes->empty() || !query.isDerived(node->getResult(0)))
    return std::nullopt;
  bool keeps = node.getInt("keepdims", 1) != 0;
  Polynomials coordinates;
  Polynomial count = 1;
  size_t next = 0;
  for (auto [dim, size] : llvm::enumerate(*shape)) {
    bool isReduced = llvm::is_contained(*axes, static_cast<int64_t>(dim));
    bool isKept = !isReduced || keeps;
    if (isKept && next == index.size())
      return std::nullopt;
    coordinates.push_back(isReduced ? query.evaluator.createCoordinate(size)
                                    : index[next]);
    next += isKept;
    if (isReduced)
      count = count * size;
  }
  SymbolicElement element = query.getElement(node.getInputs()[0], coordinates);
  const Polynomial *integer = element.getInteger();
  if (!integer || !integer->getConstant())
    return std::nullopt;
  return getExact(query, *integer * count, getElementType(node));
}

using UnaryFn = double (*)(double);

static MaybeElement computeUnary(SymbolicQuery &query, NodeOp node, Index index,
                                 UnaryFn function) {
  return mapInput(query, node, index,
                  [&](const SymbolicElement &leaf) -> MaybeElement {
                    std::optional<double> x = leaf.getConstant();
                    if (!x)
                      return std::nullopt;
                    return getRounded(function(*x), getElementType(node));
                  });
}

static MaybeElement computeSqrt(SymbolicQuery &query, NodeOp node,
                                Index index) {
  return computeUnary(query, node, index, [](double x) { return sqrt(x); });
}

static MaybeElement computeReciprocal(SymbolicQuery &query, NodeOp node,
                                      Index index) {
  return computeUnary(query, node, index, [](double x) { return 1 / x; });
}

static MaybeElement computeNeg(SymbolicQuery &query, NodeOp node, Index index) {
  return mapInput(query, node, index,
                  [&](const SymbolicElement &leaf) -> MaybeElement {
                    if (std::optional<double> x = leaf.getConstant())
                      return getRounded(-*x, getElementType(node));
                    const Polynomial *p = leaf.getInteger();
                    if (!p || !query.evaluator.isInteger(*p))
                      return std::nullopt;
                    return getExact(query, -*p, getElementType(node));
                  });
}

//===----------------------------------------------------------------------===//
// Casts
//===----------------------------------------------------------------------===//

/// Cast and CastLike.
static MaybeElement computeCast(SymbolicQuery &query, NodeOp node,
                                Index index) {
  Type type = getElementType(node);
  Type from = getElementTypeOrSelf(node.getInputs()[0].getType());
  if (type == from)
    return query.getElement(node.getInputs()[0], index);
  return mapInput(
      query, node, index, [&](const SymbolicElement &leaf) -> MaybeElement {
        const Polynomial *integer = leaf.getInteger();
        if (type.isInteger(1)) {
          if (integer)
            return query.isNonZero(*integer);
          return SymbolicElement(Polynomial(1)); // A number that is no integer.
        }
        if (std::optional<double> x = leaf.getConstant())
          return getRounded(isa<FloatType>(type) ? *x : std::trunc(*x), type);
        if (!integer || !query.evaluator.isInteger(*integer))
          return std::nullopt;
        return getExact(query, *integer, type);
      });
}

//===----------------------------------------------------------------------===//
// Comparisons
//===----------------------------------------------------------------------===//

/// `a <= b - margin`, for integers; for known numbers `isTrue` decides.
static MaybeElement compare(SymbolicQuery &query, const SymbolicElement &a,
                            const SymbolicElement &b, int64_t margin) {
  std::optional<double> x = a.getConstant(), y = b.getConstant();
  if (x && y)
    return SymbolicElement(Polynomial(margin ? *x < *y : *x <= *y));
  const Polynomial *p = a.getInteger(), *q = b.getInteger();
  if (!p || !q || !query.evaluator.isInteger(*p) ||
      !query.evaluator.isInteger(*q))
    return std::nullopt;
  return query.choose(
      {Condition::Kind::NonNegative, *q - *p - Polynomial(margin)},
      [] { return Polynomial(1); }, [] { return Polynomial(0); });
}

template <bool isSwapped, int64_t margin>
static MaybeElement computeOrder(SymbolicQuery &query, NodeOp node,
                                 Index index) {
  return combineInputs(query, node, index,
                       [&](const SymbolicElement &a, const SymbolicElement &b) {
                         return isSwapped ? compare(query, b, a, margin)
                                          : compare(query, a, b, margin);
                       });
}

static MaybeElement computeEqual(SymbolicQuery &query, NodeOp node,
                                 Index index) {
  return combineInputs(
      query, node, index,
      [&](const SymbolicElement &a, const SymbolicElement &b) -> MaybeElement {
        std::optional<double> x = a.getConstant(), y = b.getConstant();
        if (x && y)
          return SymbolicElement(Polynomial(*x == *y));
        const Polynomial *p = a.getInteger(), *q = b.getInteger();
        if (!p || !q || !query.evaluator.isInteger(*p) ||
            !query.evaluator.isInteger(*q))
          return std::nullopt;
        return query.choose(
            {Condition::Kind::Zero, *p - *q}, [] { return Polynomial(1); },
            [] { return Polynomial(0); });
      });
}

//===----------------------------------------------------------------------===//
// Logic
//===----------------------------------------------------------------------===//

static MaybeElement computeAnd(SymbolicQuery &query, NodeOp node, Index index) {
  return combineInputs(
      query, node, index,
      [](const SymbolicElement &a, const SymbolicElement &b) -> MaybeElement {
        return a == SymbolicElement(0) ? a : b;
      });
}

static MaybeElement computeOr(SymbolicQuery &query, NodeOp node, Index index) {
  return combineInputs(
      query, node, index,
      [](const SymbolicElement &a, const SymbolicElement &b) -> MaybeElement {
        return a == SymbolicElement(0) ? b : a;
      });
}

static MaybeElement computeNot(SymbolicQuery &query, NodeOp node, Index index) {
  return mapInput(
      query, node, index, [](const SymbolicElement &leaf) -> MaybeElement {
        return SymbolicElement(Polynomial(leaf == SymbolicElement(0)));
      });
}

static MaybeElement computeWhere(SymbolicQuery &query, NodeOp node,
                                 Index index) {
  std::optional<Polynomials> shape = query.getShape(node->getResult(0));
  if (!shape || node.getInputs().size() != 3 ||
      !query.isDerived(node->getResult(0)))
    return std::nullopt;
  MaybeElement condition =
      query.getBroadcast(node.getInputs()[0], *shape, index);
  MaybeElement yes = query.getBroadcast(node.getInputs()[1], *shape, index);
  MaybeElement no = query.getBroadcast(node.getInputs()[2], *shape, index);
  if (!condition || !yes || !no)
    return std::nullopt;
  return query.select(*condition, *yes, *no);
}

ElementRule tern::onnx::getArithmeticRule(StringRef kind) {
  return llvm::StringSwitch<ElementRule>(kind)
      .Case("Add", computeAdd)
      .Case("Sub", computeSub)
      .Case("Mul", computeMul)
      .Case("Div", computeDiv)
      .Case("Pow", computePow)
      .Case("Max", computeExtremum<true>)
      .Case("Min", computeExtremum<false>)
      .Case("ReduceSum", computeReduceSum)
      .Case("Sqrt", computeSqrt)
      .Case("Reciprocal", computeReciprocal)
      .Case("Neg", computeNeg)
      .Cases({"Cast", "CastLike"}, computeCast)
      .Case("LessOrEqual", computeOrder<false, 0>)
      .Case("Less", computeOrder<false, 1>)
      .Case("GreaterOrEqual", computeOrder<true, 0>)
      .Case("Greater", computeOrder<true, 1>)
      .Case("Equal", computeEqual)
      .Case("And", computeAnd)
      .Case("Or", computeOr)
      .Case("Not", computeNot)
      .Case("Where", computeWhere)
      .Default(nullptr);
}

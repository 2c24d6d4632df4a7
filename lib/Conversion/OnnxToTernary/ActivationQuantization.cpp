//===- ActivationQuantization.cpp - how activations become int8 -----------===//

#include "ActivationQuantization.h"

#include <cmath>

using namespace mlir;
using namespace tern;
using tern::onnx::NodeOp;
using tern::ternary::QuantizationAttr;
using tern::ternary::Rounding;
using tern::ternary::ScaleForm;

//===----------------------------------------------------------------------===//
// The scale: 127 / max(absmax(x), eps), in one of three forms
//===----------------------------------------------------------------------===//

/// Whether `value` is `ReduceMax(Abs(x), axes = last)` with the axis kept.
static bool isAbsmax(const Matcher &matcher, Value value, Value x) {
  NodeOp reduce = matcher.match(value, "ReduceMax");
  auto type = dyn_cast<RankedTensorType>(x.getType());
  if (!reduce || !type || reduce.getInt("keepdims", 1) == 0)
    return false;
  NodeOp abs = matcher.match(reduce.getInput(0), "Abs");
  if (!abs || !matcher.isSame(abs.getInput(0), x))
    return false;
  // Axes are an attribute up to opset 17 and an input from 18.
  std::optional<double> axis;
  if (Value input = reduce.getInput(1))
    axis = matcher.getScalar(input);
  else if (auto axes = reduce.getInts("axes"); axes && axes->size() == 1)
    axis = axes->front();
  return axis == -1.0 || axis == static_cast<double>(type.getRank() - 1);
}

/// eps of `max(absmax(x), eps)`, spelled Clip or Max.
static std::optional<double> matchBoundedAbsmax(const Matcher &matcher,
                                                Value value, Value x) {
  if (NodeOp clip = matcher.match(value, "Clip")) {
    Value low = clip.getInput(1), high = clip.getInput(2);
    // An upper bound could bite, unless it is none.
    if (high && !(matcher.getScalar(high) >= std::numeric_limits<float>::max()))
      return std::nullopt;
    if (low && isAbsmax(matcher, clip.getInput(0), x))
      return matcher.getScalar(low);
    return std::nullopt;
  }
  NodeOp max = matcher.match(value, "Max");
  if (!max || max.getInputs().size() != 2)
    return std::nullopt;
  for (unsigned i = 0; i < 2; ++i)
    if (std::optional<double> eps = matcher.getScalar(max.getInputs()[i]);
        eps && isAbsmax(matcher, max.getInputs()[1 - i], x))
      return eps;
  return std::nullopt;
}

namespace {
struct ScaleMatch {
  ScaleForm form;
  double eps;
};
} // namespace

static std::optional<ScaleMatch> matchScale(const Matcher &matcher, Value scale,
                                            Value x) {
  constexpr double qmax = 127.0;
  auto finish = [&](ScaleForm form, Value m) -> std::optional<ScaleMatch> {
    std::optional<double> eps =
        m ? matchBoundedAbsmax(matcher, m, x) : std::nullopt;
    // The attribute takes finite, non-negative bounds.
    if (!eps || !std::isfinite(*eps) || *eps < 0)
      return std::nullopt;
    return ScaleMatch{form, *eps};
  };
  // (1 / m) * 127, the reciprocal spelled either way.
  if (Value inverse = matcher.matchWithConstant(scale, "Mul", qmax)) {
    if (NodeOp reciprocal = matcher.match(inverse, "Reciprocal"))
      return finish(ScaleForm::Reciprocal, reciprocal.getInput(0));
    if (NodeOp div = matcher.match(inverse, "Div");
        div && matcher.isScalar(div.getInput(0), 1.0))
      return finish(ScaleForm::Reciprocal, div.getInput(1));
    return std::nullopt;
  }
  NodeOp div = matcher.match(scale, "Div");
  if (!div)
    return std::nullopt;
  if (matcher.isScalar(div.getInput(0), qmax))
    return finish(ScaleForm::Quotient, div.getInput(1));
  if (matcher.isScalar(div.getInput(1), qmax))
    return finish(ScaleForm::Step, div.getInput(0));
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// The codes: clamp(round(x * s))
//===----------------------------------------------------------------------===//

namespace {
/// A value held between two bounds.
struct Clamp {
  Value input;
  double low, high;
};
} // namespace

static std::optional<Clamp> matchClamp(const Matcher &matcher, Value value) {
  if (NodeOp clip = matcher.match(value, "Clip")) {
    Value low = clip.getInput(1), high = clip.getInput(2);
    std::optional<double> lowBound =
        low ? matcher.getScalar(low) : std::nullopt;
    std::optional<double> highBound =
        high ? matcher.getScalar(high) : std::nullopt;
    if (lowBound && highBound)
      return Clamp{clip.getInput(0), *lowBound, *highBound};
    return std::nullopt;
  }
  // Min(Max(x, low), high) or the other way round.
  for (auto [outerOp, innerOp] :
       {std::pair("Min", "Max"), std::pair("Max", "Min")}) {
    NodeOp outer = matcher.match(value, outerOp);
    if (!outer || outer.getInputs().size() != 2)
      continue;
    for (unsigned i = 0; i < 2; ++i) {
      std::optional<double> outerBound =
          matcher.getScalar(outer.getInputs()[i]);
      NodeOp inner = matcher.match(outer.getInputs()[1 - i], innerOp);
      if (!outerBound || !inner || inner.getInputs().size() != 2)
        continue;
      for (unsigned j = 0; j < 2; ++j) {
        std::optional<double> innerBound =
            matcher.getScalar(inner.getInputs()[j]);
        if (!innerBound)
          continue;
        bool outerIsHigh = outer.is("Min");
        return Clamp{inner.getInputs()[1 - j],
                     outerIsHigh ? *innerBound : *outerBound,
                     outerIsHigh ? *outerBound : *innerBound};
      }
    }
  }
  return std::nullopt;
}

/// What `value` rounds, and how.
static std::optional<std::pair<Value, Rounding>>
matchRounding(const Matcher &matcher, Value value) {
  if (NodeOp round = matcher.match(value, "Round"))
    return std::pair(round.getInput(0), Rounding::HalfEven);
  if (NodeOp floor = matcher.match(value, "Floor"))
    if (Value input = matcher.matchWithConstant(floor.getInput(0), "Add", 0.5))
      return std::pair(input, Rounding::HalfUp);
  return std::nullopt;
}

/// Recognises the product that is rounded: x * s or x / step.
static std::optional<AbsmaxQuantization> matchScaled(const Matcher &matcher,
                                                     Value value,
                                                     Rounding rounding,
                                                     int64_t qmin) {
  auto finish = [&](Value x, Value scale,
                    bool isStep) -> std::optional<AbsmaxQuantization> {
    if (!isF32(x) || !isF32(scale) || !isF32(value))
      return std::nullopt;
    std::optional<ScaleMatch> match = matchScale(matcher, scale, x);
    if (!match || (match->form == ScaleForm::Step) != isStep)
      return std::nullopt;
    return AbsmaxQuantization{
        matcher.strip(x), matcher.strip(scale),
        QuantizationAttr::get(value.getContext(),
                              static_cast<float>(match->eps), match->form,
                              rounding, qmin)};
  };
  if (NodeOp div = matcher.match(value, "Div"))
    return finish(div.getInput(0), div.getInput(1), /*isStep=*/true);
  NodeOp mul = matcher.match(value, "Mul");
  if (!mul || mul.getInputs().size() != 2)
    return std::nullopt;
  for (unsigned i = 0; i < 2; ++i)
    if (auto match = finish(mul.getInputs()[i], mul.getInputs()[1 - i],
                            /*isStep=*/false))
      return match;
  return std::nullopt;
}

/// Recognises floats that are integers in [-128, 127].
static std::optional<CodedActivation>
matchFloatCodes(const Matcher &matcher, Value value, bool castToI8) {
  // With whole bounds, rounding and clamping commute.
  std::optional<Clamp> clamp = matchClamp(matcher, value);
  Value rounded = clamp ? clamp->input : value;
  auto rounding = matchRounding(matcher, rounded);
  if (!clamp && rounding) {
    clamp = matchClamp(matcher, rounding->first);
    if (clamp)
      rounding->first = clamp->input;
  }
  if (!rounding || (!clamp && !castToI8))
    return std::nullopt;
  CodedActivation result;
  result.codes = value;
  if (!clamp) {
    // |x * s| rounds to at most 127, so the bounds would not bite.
    result.absmax =
        matchScaled(matcher, rounding->first, rounding->second, -128);
    return result.absmax ? std::optional(result) : std::nullopt;
  }
  bool whole = std::trunc(clamp->low) == clamp->low &&
               std::trunc(clamp->high) == clamp->high;
  if (!whole || clamp->low < -128 || clamp->high > 127)
    return std::nullopt;
  if (clamp->high == 127 && (clamp->low == -128 || clamp->low == -127))
    result.absmax = matchScaled(matcher, rounding->first, rounding->second,
                                static_cast<int64_t>(clamp->low));
  return result;
}

/// Recognises codes, as floats or as int8, with casts between the two.
static std::optional<CodedActivation> matchCodes(const Matcher &matcher,
                                                 Value value) {
  value = matcher.strip(value);
  if (NodeOp cast = matcher.match(value, "Cast");
      cast && isFloat(value) && cast.getInput(0) && isI8(cast.getInput(0)))
    value = matcher.strip(cast.getInput(0));
  if (!isI8(value))
    return isFloat(value) ? matchFloatCodes(matcher, value, /*castToI8=*/false)
                          : std::nullopt;
  // Whatever is int8 is a code; see whether we know where it is from.
  CodedActivation result;
  if (NodeOp cast = matcher.match(value, "Cast");
      cast && cast.getInput(0) && isFloat(cast.getInput(0)))
    if (auto floats = matchFloatCodes(matcher, cast.getInput(0),
                                      /*castToI8=*/true))
      result = *floats;
  result.codes = value;
  return result;
}

//===----------------------------------------------------------------------===//
// Codes with a factor
//===----------------------------------------------------------------------===//

bool CodedActivation::isDequantized(const Matcher &matcher) const {
  if (!absmax || factor == Factor::None)
    return false;
  bool isStep = absmax->attr.getForm() == ScaleForm::Step;
  return (factor == Factor::Multiplies) == isStep &&
         matcher.isSame(factorValue, absmax->scale);
}

/// Whether a factor is the same for a whole row, so that it can be applied
/// after the product instead of before, and makes no dimension larger.
static bool isRowFactor(Value factor, Value codes) {
  if (!factor)
    return false;
  auto type = dyn_cast<RankedTensorType>(factor.getType());
  auto codesType = dyn_cast<RankedTensorType>(codes.getType());
  if (!type || !codesType || type.getRank() > codesType.getRank())
    return false;
  if (type.getRank() == 0)
    return true;
  ArrayRef<int64_t> tokens = type.getShape().drop_back();
  ArrayRef<int64_t> codeTokens =
      codesType.getShape().drop_back().take_back(tokens.size());
  return type.getShape().back() == 1 &&
         llvm::all_of(llvm::zip_equal(tokens, codeTokens), [](auto dims) {
           auto [dim, codeDim] = dims;
           return dim == 1 || dim == codeDim;
         });
}

/// DequantizeLinear of int8 codes by one scale, around 0.
static std::optional<CodedActivation>
matchDequantizeLinear(const Matcher &matcher, NodeOp node) {
  Value codes = node.getInput(0), scale = node.getInput(1),
        zero = node.getInput(2);
  if (!codes || !scale || !isI8(codes) || !matcher.getScalar(scale) ||
      (zero && !matcher.isScalar(zero, 0.0)))
    return std::nullopt;
  std::optional<CodedActivation> result = matchCodes(matcher, codes);
  if (result) {
    result->factor = CodedActivation::Factor::Multiplies;
    result->factorValue = scale;
  }
  return result;
}

std::optional<CodedActivation> tern::matchActivation(const Matcher &matcher,
                                                     Value value) {
  value = matcher.strip(value);
  if (auto codes = matchCodes(matcher, value))
    return codes;
  // bf16 holds a code over its scale to 1/4 of a step only. That rounding is
  // part of the model, so such a layer multiplies the floats that it is given.
  if (getElementTypeOrSelf(value.getType()).isBF16())
    return std::nullopt;
  // f16 holds it to 1/32 of a step, far less than the quantisation itself
  // loses. 16-bit models narrow what they have dequantised in f32.
  if (NodeOp cast = matcher.match(value, "Cast");
      cast && isFloat(value) && cast.getInput(0) && isF32(cast.getInput(0)))
    value = matcher.strip(cast.getInput(0));
  if (NodeOp node = matcher.match(value, "DequantizeLinear"))
    return matchDequantizeLinear(matcher, node);

  auto withFactor =
      [&](Value codes, Value factor,
          CodedActivation::Factor kind) -> std::optional<CodedActivation> {
    std::optional<CodedActivation> result = matchCodes(matcher, codes);
    if (!result || !isRowFactor(factor, codes))
      return std::nullopt;
    result->factor = kind;
    result->factorValue = factor;
    return result;
  };
  if (NodeOp div = matcher.match(value, "Div"))
    return withFactor(div.getInput(0), div.getInput(1),
                      CodedActivation::Factor::Divides);
  NodeOp mul = matcher.match(value, "Mul");
  if (!mul || mul.getInputs().size() != 2)
    return std::nullopt;
  for (unsigned i = 0; i < 2; ++i)
    if (auto result = withFactor(mul.getInputs()[i], mul.getInputs()[1 - i],
                                 CodedActivation::Factor::Multiplies))
      return result;
  return std::nullopt;
}

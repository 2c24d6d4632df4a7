//===- ActivationQuantization.h - how activations become int8 ---*- C++ -*-===//
#ifndef TERN_LIB_CONVERSION_ONNXTOTERNARY_ACTIVATIONQUANTIZATION_H
#define TERN_LIB_CONVERSION_ONNXTOTERNARY_ACTIVATIONQUANTIZATION_H

#include "Matching.h"
#include "tern/Dialect/Ternary/IR/Ternary.h"

namespace tern {

/// The per-token absmax quantisation that the ternary dialect knows.
struct AbsmaxQuantization {
  mlir::Value source; // x, f32
  mlir::Value scale;  // s, or the step for the form `step`
  ternary::QuantizationAttr attr;
};

/// Activations that are int8 codes, perhaps with a factor a row.
struct CodedActivation {
  /// Values that are integers in [-128, 127] for certain: i8, or floats.
  mlir::Value codes;
  /// How the codes came about, where it is the dialect's way.
  std::optional<AbsmaxQuantization> absmax;

  enum class Factor { None, Divides, Multiplies };
  /// How `factorValue` enters between the codes and the layer.
  Factor factor = Factor::None;
  mlir::Value factorValue;

  /// Whether the factor takes the scale of `absmax` away again.
  bool isDequantized(const Matcher &matcher) const;
};

/// Recognises `value` as codes, with or without a factor.
std::optional<CodedActivation> matchActivation(const Matcher &matcher,
                                               mlir::Value value);

} // namespace tern

#endif // TERN_LIB_CONVERSION_ONNXTOTERNARY_ACTIVATIONQUANTIZATION_H

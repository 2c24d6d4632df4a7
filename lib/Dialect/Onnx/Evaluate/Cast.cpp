//===- Cast.cpp - conversions between element types -----------------------===//

#include "Evaluation.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace tern::onnx;

/// Converts one element. Integers wrap; floats truncate and saturate, since
/// ONNX leaves what is out of range open; NaN becomes 0.
template <typename From, typename To>
static To convert(From from) {
  auto value = load(from);
  if constexpr (std::is_same_v<To, Truth>) {
    return static_cast<Truth>(value != 0);
  } else if constexpr (isHalfFloat<To>) {
    return To::fromFloat(static_cast<float>(value));
  } else if constexpr (std::is_floating_point_v<decltype(value)> &&
                       std::is_integral_v<To>) {
    // Bounds that a float can hold: max + 1 is a power of two.
    constexpr auto low = static_cast<double>(std::numeric_limits<To>::min());
    constexpr double high =
        2.0 * (static_cast<double>(std::numeric_limits<To>::max() / 2) + 1.0);
    double wide = value;
    if (std::isnan(wide))
      return 0;
    if (wide <= low)
      return std::numeric_limits<To>::min();
    if (wide >= high)
      return std::numeric_limits<To>::max();
    return static_cast<To>(wide);
  } else {
    return static_cast<To>(value);
  }
}

Result tern::onnx::castTensor(Tensor &&tensor, ElementKind kind) {
  if (tensor.getKind() == kind)
    return std::move(tensor);
  Result result = Tensor::allocate(kind, tensor.getShape());
  if (!result)
    return std::nullopt;
  int64_t count = tensor.getNumElements();
  dispatch(tensor.getKind(), [&](auto fromTag) {
    using From = typename decltype(fromTag)::type;
    dispatch(kind, [&](auto toTag) {
      using To = typename decltype(toTag)::type;
      const From *from = tensor.getData<From>();
      To *to = result->getMutableData<To>();
      for (int64_t i = 0; i < count; ++i)
        to[i] = convert<From, To>(from[i]);
    });
  });
  if (isSubByte(kind))
    wrapSubByte(*result);
  return result;
}

std::optional<SmallVector<int64_t>>
tern::onnx::getIntegers(const Tensor &tensor) {
  if (isFloat(tensor.getKind()) || tensor.getKind() == ElementKind::Bool)
    return std::nullopt;
  Result wide = castTensor(Tensor(tensor), ElementKind::I64);
  if (!wide)
    return std::nullopt;
  const auto *data = wide->getData<int64_t>();
  return SmallVector<int64_t>(data, data + wide->getNumElements());
}

std::optional<SmallVector<int64_t>>
tern::onnx::getIntegers(EvaluationContext &context, unsigned index,
                        StringRef name, bool &ok) {
  if (context.has(index)) {
    std::optional<SmallVector<int64_t>> values =
        getIntegers(context.input(index));
    ok &= values.has_value();
    return values;
  }
  if (std::optional<ArrayRef<int64_t>> attr = context.node.getInts(name))
    return SmallVector<int64_t>(*attr);
  return std::nullopt;
}

std::optional<int64_t> tern::onnx::normalizeAxis(int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank)
    return std::nullopt;
  return axis < 0 ? axis + rank : axis;
}

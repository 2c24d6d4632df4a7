//===- Quantization.cpp - QuantizeLinear and DequantizeLinear -------------===//

#include "Evaluation.h"

#include "llvm/Support/MathExtras.h"

#include <cmath>

using namespace mlir;
using namespace tern::onnx;

namespace {

/// Which scale an element meets: x is seen as [outer, depth, inner] around the
/// axis, and `block` consecutive elements along the axis share a scale.
struct ScaleMap {
  int64_t outer = 1, depth = 1, inner = 1;
  int64_t block = 1;
  /// Strides through the scales; 0 where a dimension shares them.
  int64_t outerStride = 0, blockStride = 0, innerStride = 0;

  int64_t getIndex(int64_t o, int64_t d) const {
    return o * outerStride + d / block * blockStride;
  }
};

} // namespace

static std::optional<ScaleMap> getScaleMap(EvaluationContext &context) {
  ArrayRef<int64_t> shape = context.input(0).getShape();
  const Tensor &scale = context.input(1);
  ScaleMap map;
  int64_t block = context.node.getInt("block_size", 0);
  if (block < 0)
    return std::nullopt;
  // One scale for all, whatever the axis says.
  if (scale.getNumElements() == 1 && block == 0) {
    map.inner = context.input(0).getNumElements();
    return map;
  }
  std::optional<int64_t> axis =
      normalizeAxis(context.node.getInt("axis", 1), context.input(0).getRank());
  if (!axis)
    return std::nullopt;
  map.depth = shape[*axis];
  for (auto [i, dim] : llvm::enumerate(shape)) {
    if (static_cast<int64_t>(i) < *axis)
      map.outer *= dim;
    else if (static_cast<int64_t>(i) > *axis)
      map.inner *= dim;
  }
  if (block == 0) {
    if (scale.getShape() != ArrayRef<int64_t>{map.depth})
      return std::nullopt;
    map.blockStride = 1;
    return map;
  }
  SmallVector<int64_t> expected(shape);
  expected[*axis] = llvm::divideCeil(map.depth, block);
  if (scale.getShape() != ArrayRef(expected))
    return std::nullopt;
  map.block = block;
  map.innerStride = 1;
  map.blockStride = map.inner;
  map.outerStride = map.inner * expected[*axis];
  return map;
}

/// The zero points as i64, as many as scales; nullopt where they do not fit.
static std::optional<SmallVector<int64_t>>
getZeroPoints(EvaluationContext &context) {
  int64_t count = context.input(1).getNumElements();
  if (!context.has(2))
    return SmallVector<int64_t>(count, 0);
  if (context.input(2).getNumElements() != count)
    return std::nullopt;
  Result wide = castTensor(Tensor(context.input(2)), ElementKind::I64);
  if (!wide)
    return std::nullopt;
  const auto *data = wide->getData<int64_t>();
  return SmallVector<int64_t>(data, data + count);
}

/// Calls `fn(element, scaleIndex)` for every element of x.
template <typename Fn>
static void forEachElement(const ScaleMap &map, Fn fn) {
  int64_t element = 0;
  for (int64_t o = 0; o < map.outer; ++o)
    for (int64_t d = 0; d < map.depth; ++d) {
      int64_t base = map.getIndex(o, d);
      for (int64_t i = 0; i < map.inner; ++i, ++element)
        fn(element, base + i * map.innerStride);
    }
}

/// (x - zero) * scale in f32, rounded to the scale's type.
static Result evaluateDequantizeLinear(EvaluationContext &context) {
  if (!context.has(0) || !context.has(1) || isFloat(context.input(0).getKind()))
    return std::nullopt;
  std::optional<ScaleMap> map = getScaleMap(context);
  std::optional<SmallVector<int64_t>> zeros = getZeroPoints(context);
  ElementKind kind = context.input(1).getKind();
  if (int64_t type = context.node.getInt("output_dtype", 0)) {
    std::optional<ElementKind> wanted = getElementKind(type);
    if (!wanted)
      return std::nullopt;
    kind = *wanted;
  }
  Result scales = castTensor(Tensor(context.input(1)), ElementKind::F32);
  if (!map || !zeros || !scales || !isFloat(kind))
    return std::nullopt;
  const Tensor &x = context.input(0);
  Result result = Tensor::allocate(ElementKind::F32, x.getShape());
  if (!result)
    return std::nullopt;
  auto *out = result->getMutableData<float>();
  const auto *scale = scales->getData<float>();
  const int64_t *zero = zeros->data();
  dispatch(x.getKind(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_integral_v<T>) {
      const T *in = x.getData<T>();
      forEachElement(*map, [&](int64_t i, int64_t s) {
        out[i] = static_cast<float>(static_cast<int64_t>(in[i]) - zero[s]) *
                 scale[s];
      });
    }
  });
  return castTensor(std::move(*result), kind);
}

/// The range of an integer kind of at most 16 bits.
static std::pair<int64_t, int64_t> getRange(ElementKind kind) {
  unsigned bits = getBitWidth(kind);
  if (isUnsigned(kind))
    return {0, (int64_t(1) << bits) - 1};
  return {-(int64_t(1) << (bits - 1)), (int64_t(1) << (bits - 1)) - 1};
}

/// saturate(round half to even(x / scale) + zero).
static Result evaluateQuantizeLinear(EvaluationContext &context) {
  if (!context.has(0) || !context.has(1))
    return std::nullopt;
  std::optional<ElementKind> kind = ElementKind::U8;
  if (context.has(2))
    kind = context.input(2).getKind();
  else if (int64_t type = context.node.getInt("output_dtype", 0))
    kind = getElementKind(type);
  std::optional<ScaleMap> map = getScaleMap(context);
  std::optional<SmallVector<int64_t>> zeros = getZeroPoints(context);
  Result scales = castTensor(Tensor(context.input(1)), ElementKind::F32);
  Result x = castTensor(std::move(context.input(0)), ElementKind::F32);
  if (!kind || isFloat(*kind) || *kind == ElementKind::Bool ||
      getBitWidth(*kind) > 16 || !map || !zeros || !scales || !x)
    return std::nullopt;
  auto [low, high] = getRange(*kind);
  Result codes = Tensor::allocate(ElementKind::I32, x->getShape());
  if (!codes)
    return std::nullopt;
  const auto *in = x->getData<float>();
  const auto *scale = scales->getData<float>();
  auto *out = codes->getMutableData<int32_t>();
  forEachElement(*map, [&, low = low, high = high](int64_t i, int64_t s) {
    float rounded = std::nearbyint(in[i] / scale[s]);
    // Clamped as a float first: an infinity is no int. NaN gives the zero.
    rounded =
        rounded != rounded ? 0.0f : std::clamp(rounded, -0x1p20f, 0x1p20f);
    out[i] = static_cast<int32_t>(std::clamp<int64_t>(
        static_cast<int64_t>(rounded) + (*zeros)[s], low, high));
  });
  return castTensor(std::move(*codes), *kind);
}

void tern::onnx::addQuantizationEvaluations(EvaluationTable &table) {
  table["DequantizeLinear"] = evaluateDequantizeLinear;
  table["QuantizeLinear"] = evaluateQuantizeLinear;
}

//===- Shape.cpp - shapes, reshapes, ranges and constants -----------------===//

#include "Evaluation.h"

#include "llvm/Support/MathExtras.h"

#include <cmath>

using namespace mlir;
using namespace tern::onnx;

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

/// A rank-1 tensor of `values`.
template <typename T>
static Result makeVector(ElementKind kind, ArrayRef<T> values) {
  Result result = Tensor::allocate(kind, {static_cast<int64_t>(values.size())});
  if (result)
    llvm::copy(values, result->getMutableData<T>());
  return result;
}

template <typename T>
static Result makeScalar(ElementKind kind, T value) {
  Result result = Tensor::allocate(kind, {});
  if (result)
    *result->getMutableData<T>() = value;
  return result;
}

static Result evaluateConstant(EvaluationContext &context) {
  NodeOp node = context.node;
  if (auto value = dyn_cast_or_null<ElementsAttr>(node.getNodeAttr("value")))
    return Tensor::fromAttr(value);
  if (auto ints =
          dyn_cast_or_null<DenseI64ArrayAttr>(node.getNodeAttr("value_ints")))
    return makeVector(ElementKind::I64, ints.asArrayRef());
  if (auto floats =
          dyn_cast_or_null<DenseF32ArrayAttr>(node.getNodeAttr("value_floats")))
    return makeVector(ElementKind::F32, floats.asArrayRef());
  if (node.getNodeAttr("value_int"))
    return makeScalar(ElementKind::I64, node.getInt("value_int", 0));
  if (node.getNodeAttr("value_float"))
    return makeScalar(ElementKind::F32, node.getFloat("value_float", 0.0f));
  return std::nullopt;
}

static Result evaluateConstantOfShape(EvaluationContext &context) {
  if (!context.has(0))
    return std::nullopt;
  std::optional<SmallVector<int64_t>> shape = getIntegers(context.input(0));
  if (!shape)
    return std::nullopt;
  Result element = makeScalar(ElementKind::F32, 0.0f);
  if (auto value =
          dyn_cast_or_null<ElementsAttr>(context.node.getNodeAttr("value")))
    element = Tensor::fromAttr(value);
  if (!element || element->getNumElements() != 1)
    return std::nullopt;
  Result result = Tensor::allocate(element->getKind(), *shape);
  if (!result)
    return std::nullopt;
  dispatchBySize(element->getKind(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    std::fill_n(result->getMutableData<T>(), result->getNumElements(),
                *element->getData<T>());
  });
  return result;
}

/// start, start + delta, ... up to but without limit.
template <typename T>
static Result makeRange(ElementKind kind, T start, T limit, T delta) {
  if (delta == 0)
    return std::nullopt;
  double count = std::ceil((static_cast<double>(limit) - start) / delta);
  if (!(count <= double(Tensor::kMaxBytes)))
    return std::nullopt;
  Result result = Tensor::allocate(kind, {count > 0 ? int64_t(count) : 0});
  if (!result)
    return std::nullopt;
  T *out = result->getMutableData<T>();
  for (int64_t i = 0, e = result->getNumElements(); i < e; ++i)
    out[i] = static_cast<T>(start + static_cast<T>(i) * delta);
  return result;
}

static Result evaluateRange(EvaluationContext &context) {
  for (unsigned i = 0; i < 3; ++i)
    if (!context.has(i) || context.input(i).getNumElements() != 1 ||
        context.input(i).getKind() != context.input(0).getKind())
      return std::nullopt;
  ElementKind kind = context.input(0).getKind();
  auto range = [&](auto tag) {
    using T = typename decltype(tag)::type;
    return makeRange<T>(kind, *context.input(0).getData<T>(),
                        *context.input(1).getData<T>(),
                        *context.input(2).getData<T>());
  };
  switch (kind) {
  case ElementKind::I16:
    return range(TypeTag<int16_t>());
  case ElementKind::I32:
    return range(TypeTag<int32_t>());
  case ElementKind::I64:
    return range(TypeTag<int64_t>());
  case ElementKind::F32:
    return range(TypeTag<float>());
  case ElementKind::F64:
    return range(TypeTag<double>());
  default:
    return std::nullopt;
  }
}

//===----------------------------------------------------------------------===//
// Shapes of values
//===----------------------------------------------------------------------===//

static Result evaluateShape(EvaluationContext &context) {
  Value input = context.node.getInput(0);
  auto type =
      input ? dyn_cast<RankedTensorType>(input.getType()) : RankedTensorType();
  if (!type)
    return std::nullopt;
  int64_t rank = type.getRank();
  auto clampIndex = [&](int64_t index) {
    return std::clamp<int64_t>(index < 0 ? index + rank : index, 0, rank);
  };
  int64_t start = clampIndex(context.node.getInt("start", 0));
  int64_t end = clampIndex(context.node.getInt("end", rank));
  ArrayRef<int64_t> dims =
      type.getShape().slice(start, std::max<int64_t>(end - start, 0));
  // Only the dimensions asked for need to be known.
  if (llvm::any_of(dims, ShapedType::isDynamic))
    return std::nullopt;
  return makeVector(ElementKind::I64, dims);
}

static Result evaluateSize(EvaluationContext &context) {
  Value input = context.node.getInput(0);
  auto type =
      input ? dyn_cast<RankedTensorType>(input.getType()) : RankedTensorType();
  if (!type || !type.hasStaticShape())
    return std::nullopt;
  return makeScalar(ElementKind::I64, type.getNumElements());
}

//===----------------------------------------------------------------------===//
// Reshapes
//===----------------------------------------------------------------------===//

static Result evaluateReshape(EvaluationContext &context) {
  bool ok = true;
  auto shape = getIntegers(context, 1, "shape", ok);
  if (!context.has(0) || !ok || !shape)
    return std::nullopt;
  const Tensor &input = context.input(0);
  bool allowZero = context.node.getInt("allowzero", 0) != 0;
  int64_t known = 1;
  std::optional<size_t> inferred;
  for (auto [i, dim] : llvm::enumerate(*shape)) {
    if (dim == 0 && !allowZero) {
      if (i >= input.getShape().size())
        return std::nullopt;
      dim = input.getShape()[i];
    }
    if (dim == -1 && !inferred) {
      inferred = i;
      continue;
    }
    if (dim < 0 || llvm::MulOverflow(known, dim, known))
      return std::nullopt;
  }
  if (inferred) {
    if (known == 0 || input.getNumElements() % known != 0)
      return std::nullopt;
    (*shape)[*inferred] = input.getNumElements() / known;
    known = input.getNumElements();
  }
  if (known != input.getNumElements())
    return std::nullopt;
  return input.withShape(*shape);
}

static Result evaluateFlatten(EvaluationContext &context) {
  if (!context.has(0))
    return std::nullopt;
  const Tensor &input = context.input(0);
  int64_t axis = context.node.getInt("axis", 1), rank = input.getRank();
  if (axis < -rank || axis > rank)
    return std::nullopt;
  if (axis < 0)
    axis += rank;
  int64_t shape[2] = {1, 1};
  for (auto [i, dim] : llvm::enumerate(input.getShape()))
    shape[static_cast<int64_t>(i) >= axis] *= dim;
  return input.withShape(shape);
}

static Result evaluateSqueeze(EvaluationContext &context) {
  bool ok = true;
  auto axes = getIntegers(context, 1, "axes", ok);
  if (!context.has(0) || !ok)
    return std::nullopt;
  const Tensor &input = context.input(0);
  ArrayRef<int64_t> shape = input.getShape();
  SmallVector<bool> drop(shape.size());
  for (size_t i = 0; i < shape.size(); ++i)
    drop[i] = !axes && shape[i] == 1;
  for (int64_t axis : axes.value_or(SmallVector<int64_t>())) {
    std::optional<int64_t> normal = normalizeAxis(axis, input.getRank());
    if (!normal || shape[*normal] != 1)
      return std::nullopt;
    drop[*normal] = true;
  }
  SmallVector<int64_t> newShape;
  for (auto [i, dim] : llvm::enumerate(shape))
    if (!drop[i])
      newShape.push_back(dim);
  return input.withShape(newShape);
}

static Result evaluateUnsqueeze(EvaluationContext &context) {
  bool ok = true;
  auto axes = getIntegers(context, 1, "axes", ok);
  if (!context.has(0) || !ok || !axes)
    return std::nullopt;
  const Tensor &input = context.input(0);
  int64_t rank = input.getRank() + static_cast<int64_t>(axes->size());
  SmallVector<bool> inserted(rank, false);
  for (int64_t axis : *axes) {
    std::optional<int64_t> normal = normalizeAxis(axis, rank);
    if (!normal || inserted[*normal])
      return std::nullopt;
    inserted[*normal] = true;
  }
  SmallVector<int64_t> newShape;
  const int64_t *dim = input.getShape().begin();
  for (bool isNew : inserted)
    newShape.push_back(isNew ? 1 : *dim++);
  return input.withShape(newShape);
}

void tern::onnx::addShapeEvaluations(EvaluationTable &table) {
  table["Constant"] = evaluateConstant;
  table["ConstantOfShape"] = evaluateConstantOfShape;
  table["Flatten"] = evaluateFlatten;
  table["Range"] = evaluateRange;
  table["Reshape"] = evaluateReshape;
  table["Shape"] = evaluateShape;
  table["Size"] = evaluateSize;
  table["Squeeze"] = evaluateSqueeze;
  table["Unsqueeze"] = evaluateUnsqueeze;
}

//===- Movement.cpp - operators that move or repeat elements --------------===//

#include "Evaluation.h"

#include <cstring>

using namespace mlir;
using namespace tern::onnx;

/// Row-major strides of `shape`.
static SmallVector<int64_t> getStrides(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;)
    strides[i - 1] = strides[i] * shape[i];
  return strides;
}

/// Calls `fn(resultOffset, inputOffset)` for each run along the last dimension
/// of `shape`, the input being stepped through by `strides`.
static void forEachRun(ArrayRef<int64_t> shape, ArrayRef<int64_t> strides,
                       int64_t start, function_ref<void(int64_t, int64_t)> fn) {
  if (llvm::is_contained(shape, 0))
    return;
  size_t outer = shape.size() - 1;
  SmallVector<int64_t> index(outer, 0);
  int64_t from = start;
  for (int64_t to = 0;; to += shape.back()) {
    fn(to, from);
    size_t d = outer;
    for (; d > 0; --d) {
      size_t dim = d - 1;
      from += strides[dim];
      if (++index[dim] < shape[dim])
        break;
      from -= strides[dim] * shape[dim];
      index[dim] = 0;
    }
    if (d == 0)
      return;
  }
}

//===----------------------------------------------------------------------===//
// Transpose
//===----------------------------------------------------------------------===//

/// Transposes `rows` x `columns` elements in blocks, so that both sides stay
/// in the cache.
template <typename T>
static void transposeMatrix(const T *in, T *out, int64_t rows,
                            int64_t columns) {
  constexpr int64_t block = 32;
  for (int64_t r0 = 0; r0 < rows; r0 += block)
    for (int64_t c0 = 0; c0 < columns; c0 += block)
      for (int64_t r = r0, re = std::min(rows, r0 + block); r < re; ++r)
        for (int64_t c = c0, ce = std::min(columns, c0 + block); c < ce; ++c)
          out[c * rows + r] = in[r * columns + c];
}

Result tern::onnx::transposeTensor(const Tensor &tensor,
                                   ArrayRef<int64_t> permutation) {
  ArrayRef<int64_t> shape = tensor.getShape();
  SmallVector<int64_t> strides = getStrides(shape);
  SmallVector<int64_t> newShape, newStrides;
  for (int64_t dim : permutation) {
    newShape.push_back(shape[dim]);
    newStrides.push_back(strides[dim]);
  }
  Result result = Tensor::allocate(tensor.getKind(), newShape);
  if (!result || shape.empty())
    return result ? Result(tensor) : std::nullopt;
  dispatchBySize(tensor.getKind(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T *in = tensor.getData<T>();
    T *out = result->getMutableData<T>();
    if (permutation == ArrayRef<int64_t>{1, 0})
      return transposeMatrix(in, out, shape[0], shape[1]);
    int64_t stride = newStrides.back();
    forEachRun(newShape, newStrides, 0, [&](int64_t to, int64_t from) {
      for (int64_t i = 0; i < newShape.back(); ++i)
        out[to + i] = in[from + i * stride];
    });
  });
  return result;
}

static Result evaluateTranspose(EvaluationContext &context) {
  if (!context.has(0))
    return std::nullopt;
  int64_t rank = context.input(0).getRank();
  SmallVector<int64_t> permutation;
  if (std::optional<ArrayRef<int64_t>> attr = context.node.getInts("perm"))
    permutation.assign(attr->begin(), attr->end());
  else
    for (int64_t i = rank; i-- > 0;)
      permutation.push_back(i);
  SmallVector<int64_t> sorted(permutation);
  llvm::sort(sorted);
  if (static_cast<int64_t>(sorted.size()) != rank)
    return std::nullopt;
  for (auto [i, dim] : llvm::enumerate(sorted))
    if (dim != static_cast<int64_t>(i))
      return std::nullopt;
  return transposeTensor(context.input(0), permutation);
}

//===----------------------------------------------------------------------===//
// Slice
//===----------------------------------------------------------------------===//

namespace {
/// What Slice takes of one dimension.
struct SliceRange {
  int64_t start = 0;
  int64_t step = 1;
  int64_t size = 0;
};
} // namespace

/// Clamps as the specification says; `end` counts from the back where it is
/// negative.
static SliceRange getSliceRange(int64_t dim, int64_t start, int64_t end,
                                int64_t step) {
  auto clampIndex = [&](int64_t index, int64_t low, int64_t high) {
    if (index < 0)
      index = index < -dim ? -1 - dim : index; // keeps the sum in range
    return std::clamp(index < 0 ? index + dim : index, low, high);
  };
  SliceRange range;
  range.step = step;
  if (step > 0) {
    range.start = clampIndex(start, 0, dim);
    int64_t stop = clampIndex(end, 0, dim);
    range.size = stop > range.start ? (stop - range.start - 1) / step + 1 : 0;
  } else {
    range.start = clampIndex(start, 0, dim - 1);
    int64_t stop = clampIndex(end, -1, dim - 1);
    // A step of INT64_MIN has no negative.
    uint64_t distance = 0 - static_cast<uint64_t>(step);
    range.size =
        stop < range.start
            ? (static_cast<uint64_t>(range.start - stop) - 1) / distance + 1
            : 0;
  }
  return range;
}

static Result evaluateSlice(EvaluationContext &context) {
  if (!context.has(0))
    return std::nullopt;
  bool ok = true;
  auto starts = getIntegers(context, 1, "starts", ok);
  auto ends = getIntegers(context, 2, "ends", ok);
  auto axes = getIntegers(context, 3, "axes", ok);
  auto steps = getIntegers(context, 4, "steps", ok);
  if (!ok || !starts || !ends || starts->size() != ends->size() ||
      (axes && axes->size() != starts->size()) ||
      (steps && steps->size() != starts->size()))
    return std::nullopt;

  const Tensor &input = context.input(0);
  ArrayRef<int64_t> shape = input.getShape();
  SmallVector<int64_t> strides = getStrides(shape), newShape(shape);
  int64_t first = 0;
  for (auto [i, start] : llvm::enumerate(*starts)) {
    std::optional<int64_t> axis =
        normalizeAxis(axes ? (*axes)[i] : i, input.getRank());
    int64_t step = steps ? (*steps)[i] : 1;
    if (!axis || step == 0 || newShape[*axis] != shape[*axis])
      return std::nullopt;
    if (shape[*axis] == 0)
      continue;
    SliceRange range = getSliceRange(shape[*axis], start, (*ends)[i], step);
    newShape[*axis] = range.size;
    first += range.start * strides[*axis];
    // With at most one element the step is never taken and may be huge.
    strides[*axis] *= range.size > 1 ? range.step : 0;
  }
  Result result = Tensor::allocate(input.getKind(), newShape);
  if (!result || shape.empty())
    return result ? Result(input) : std::nullopt;
  dispatchBySize(input.getKind(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T *in = input.getData<T>();
    T *out = result->getMutableData<T>();
    int64_t stride = strides.back();
    forEachRun(newShape, strides, first, [&](int64_t to, int64_t from) {
      for (int64_t i = 0; i < newShape.back(); ++i)
        out[to + i] = in[from + i * stride];
    });
  });
  return result;
}

//===----------------------------------------------------------------------===//
// Concat, Expand
//===----------------------------------------------------------------------===//

static Result evaluateConcat(EvaluationContext &context) {
  if (!context.has(0))
    return std::nullopt;
  const Tensor &front = context.input(0);
  std::optional<int64_t> axis =
      normalizeAxis(context.node.getInt("axis", 0), front.getRank());
  if (!axis)
    return std::nullopt;
  SmallVector<int64_t> shape(front.getShape());
  shape[*axis] = 0;
  for (unsigned i = 0; i < context.inputs.size(); ++i) {
    if (!context.has(i) || context.input(i).getKind() != front.getKind() ||
        context.input(i).getRank() != front.getRank())
      return std::nullopt;
    for (auto [dim, size] : llvm::enumerate(context.input(i).getShape())) {
      if (static_cast<int64_t>(dim) == *axis)
        shape[dim] += size;
      else if (size != shape[dim])
        return std::nullopt;
    }
  }
  Result result = Tensor::allocate(front.getKind(), shape);
  if (!result || result->getNumElements() == 0)
    return result;
  int64_t outer = 1;
  for (int64_t dim : ArrayRef(shape).take_front(*axis))
    outer *= dim;
  int64_t rowBytes = result->getNumBytes() / outer, at = 0;
  for (Tensor &input : context.inputs) {
    int64_t bytes = input.getNumBytes() / outer;
    for (int64_t o = 0; o < outer && bytes > 0; ++o)
      std::memcpy(result->getMutableData<char>() + o * rowBytes + at,
                  input.getData<char>() + o * bytes, bytes);
    at += bytes;
  }
  return result;
}

static Result evaluateExpand(EvaluationContext &context) {
  if (!context.has(0) || !context.has(1))
    return std::nullopt;
  const Tensor &input = context.input(0);
  std::optional<SmallVector<int64_t>> target = getIntegers(context.input(1));
  if (!target || llvm::any_of(*target, [](int64_t d) { return d < 0; }))
    return std::nullopt;
  std::optional<BroadcastPlan> plan =
      BroadcastPlan::make({input.getShape(), *target});
  Result result =
      plan ? Tensor::allocate(input.getKind(), plan->shape) : std::nullopt;
  if (!result)
    return std::nullopt;
  dispatchBySize(input.getKind(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    int64_t stride = plan->strides[0].back();
    plan->forEachRun([&](int64_t at, ArrayRef<int64_t> offsets) {
      const T *in = input.getData<T>() + offsets[0];
      T *out = result->getMutableData<T>() + at;
      for (int64_t i = 0, e = plan->dims.back(); i < e; ++i)
        out[i] = in[i * stride];
    });
  });
  return result;
}

void tern::onnx::addMovementEvaluations(EvaluationTable &table) {
  table["Concat"] = evaluateConcat;
  table["Expand"] = evaluateExpand;
  table["Slice"] = evaluateSlice;
  table["Transpose"] = evaluateTranspose;
}

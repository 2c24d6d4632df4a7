//===- Reduction.cpp - sums, means and extrema ----------------------------===//

#include "Evaluation.h"

#include <limits>

using namespace mlir;
using namespace tern::onnx;

namespace {

/// Partial results that are kept side by side: they let the loop vectorise and
/// fix the order of the additions.
constexpr int64_t kLanes = 8;

template <typename C>
using Wide = std::conditional_t<std::is_floating_point_v<C>, double, int64_t>;

struct SumFn {
  template <typename C>
  using Accumulator = Wide<C>;
  template <typename C>
  static Accumulator<C> initial() {
    return 0;
  }
  template <typename A>
  static A combine(A a, A b) {
    if constexpr (std::is_integral_v<A>)
      return static_cast<A>(static_cast<uint64_t>(a) +
                            static_cast<uint64_t>(b));
    else
      return a + b;
  }
  template <typename C>
  static C finish(Accumulator<C> sum, int64_t) {
    return static_cast<C>(sum);
  }
};

struct MeanFn : SumFn {
  template <typename C>
  static C finish(Accumulator<C> sum, int64_t count) {
    if constexpr (std::is_integral_v<C>)
      return count == 0 ? C(0) : static_cast<C>(sum / count);
    else
      return static_cast<C>(sum / static_cast<double>(count));
  }
};

struct MaxFn {
  template <typename C>
  using Accumulator = C;
  template <typename C>
  static C initial() {
    using Limits = std::numeric_limits<C>;
    return std::is_integral_v<C> ? Limits::lowest() : -Limits::infinity();
  }
  template <typename C>
  static C combine(C a, C b) {
    return a != a ? a : (a < b || b != b ? b : a);
  }
  template <typename C>
  static C finish(C value, int64_t) {
    return value;
  }
};

struct MinFn {
  template <typename C>
  using Accumulator = C;
  template <typename C>
  static C initial() {
    using Limits = std::numeric_limits<C>;
    return std::is_integral_v<C> ? Limits::max() : Limits::infinity();
  }
  template <typename C>
  static C combine(C a, C b) {
    return a != a ? a : (b < a || b != b ? b : a);
  }
  template <typename C>
  static C finish(C value, int64_t) {
    return value;
  }
};

} // namespace

/// Reduces `count` consecutive elements.
template <typename Fn, typename T>
static Computed<T> reduceRow(const T *row, int64_t count) {
  using C = Computed<T>;
  using A = typename Fn::template Accumulator<C>;
  A lanes[kLanes];
  std::fill_n(lanes, kLanes, Fn::template initial<C>());
  int64_t k = 0;
  for (; k + kLanes <= count; k += kLanes)
    for (int64_t lane = 0; lane < kLanes; ++lane)
      lanes[lane] =
          Fn::combine(lanes[lane], static_cast<A>(load(row[k + lane])));
  for (; k < count; ++k)
    lanes[0] = Fn::combine(lanes[0], static_cast<A>(load(row[k])));
  for (int64_t width = kLanes / 2; width > 0; width /= 2)
    for (int64_t lane = 0; lane < width; ++lane)
      lanes[lane] = Fn::combine(lanes[lane], lanes[lane + width]);
  return Fn::template finish<C>(lanes[0], count);
}

/// Which dimensions a reduction takes away, in order; nullopt where the axes
/// are wrong.
static std::optional<SmallVector<bool>>
getReducedDims(EvaluationContext &context, int64_t rank) {
  bool ok = true;
  std::optional<SmallVector<int64_t>> axes =
      getIntegers(context, 1, "axes", ok);
  if (!ok)
    return std::nullopt;
  bool hasAxes = axes && !axes->empty();
  bool none = !hasAxes && context.node.getInt("noop_with_empty_axes", 0);
  SmallVector<bool> reduced(rank, !hasAxes && !none);
  if (hasAxes) {
    for (int64_t axis : *axes) {
      std::optional<int64_t> normal = normalizeAxis(axis, rank);
      if (!normal)
        return std::nullopt;
      reduced[*normal] = true;
    }
  }
  return reduced;
}

template <typename Fn>
static Result evaluateReduce(EvaluationContext &context) {
  if (!context.has(0) || isSubByte(context.input(0).getKind()))
    return std::nullopt;
  Tensor input = std::move(context.input(0));
  std::optional<SmallVector<bool>> reduced =
      getReducedDims(context, input.getRank());
  if (!reduced)
    return std::nullopt;

  bool keep = context.node.getInt("keepdims", 1) != 0;
  SmallVector<int64_t> shape, permutation, last;
  int64_t rows = 1, columns = 1;
  for (auto [i, dim] : llvm::enumerate(input.getShape())) {
    ((*reduced)[i] ? columns : rows) *= dim;
    ((*reduced)[i] ? last : permutation).push_back(i);
    if (!(*reduced)[i] || keep)
      shape.push_back((*reduced)[i] ? 1 : dim);
  }
  permutation.append(last);
  if (!llvm::is_sorted(permutation)) {
    Result transposed = transposeTensor(input, permutation);
    if (!transposed)
      return std::nullopt;
    input = std::move(*transposed);
  }

  return dispatch(input.getKind(), [&](auto tag) -> Result {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_same_v<T, Truth>) {
      return std::nullopt;
    } else {
      Result result = Tensor::allocate(input.getKind(), shape);
      if (!result)
        return std::nullopt;
      const T *in = input.getData<T>();
      T *out = result->getMutableData<T>();
      for (int64_t row = 0; row < rows; ++row)
        out[row] = store<T>(reduceRow<Fn>(in + row * columns, columns));
      return result;
    }
  });
}

void tern::onnx::addReductionEvaluations(EvaluationTable &table) {
  table["ReduceMax"] = evaluateReduce<MaxFn>;
  table["ReduceMean"] = evaluateReduce<MeanFn>;
  table["ReduceMin"] = evaluateReduce<MinFn>;
  table["ReduceSum"] = evaluateReduce<SumFn>;
}

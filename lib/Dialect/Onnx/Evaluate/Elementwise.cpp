//===- Elementwise.cpp - unary operators, Clip, Where and casts -----------===//

#include "Evaluation.h"

#include "mlir/IR/TypeUtilities.h"

#include <cmath>

using namespace mlir;
using namespace tern::onnx;

//===----------------------------------------------------------------------===//
// Unary operators
//===----------------------------------------------------------------------===//

namespace {

struct AnyNumber {
  template <typename T>
  static constexpr bool supports = !std::is_same_v<T, Truth>;
};
struct FloatOnly {
  template <typename T>
  static constexpr bool supports = isFloatStorage<T>;
};
struct IntegerOnly {
  template <typename T>
  static constexpr bool supports = std::is_integral_v<T>;
};
struct BoolOnly {
  template <typename T>
  static constexpr bool supports = std::is_same_v<T, Truth>;
};

struct AbsFn : AnyNumber {
  template <typename C>
  static C apply(C x) {
    if constexpr (std::is_floating_point_v<C>)
      return std::fabs(x);
    else
      return x < 0 ? static_cast<C>(C(0) - std::make_unsigned_t<C>(x)) : x;
  }
};
struct NegFn : AnyNumber {
  template <typename C>
  static C apply(C x) {
    if constexpr (std::is_floating_point_v<C>)
      return -x;
    else
      return static_cast<C>(C(0) - std::make_unsigned_t<C>(x));
  }
};
struct SignFn : AnyNumber {
  template <typename C>
  static C apply(C x) {
    return x != x ? x : static_cast<C>((x > 0) - (x < 0));
  }
};
struct CeilFn : FloatOnly {
  template <typename C>
  static C apply(C x) {
    return std::ceil(x);
  }
};
struct FloorFn : FloatOnly {
  template <typename C>
  static C apply(C x) {
    return std::floor(x);
  }
};
struct CosFn : FloatOnly {
  template <typename C>
  static C apply(C x) {
    return std::cos(x);
  }
};
struct SinFn : FloatOnly {
  template <typename C>
  static C apply(C x) {
    return std::sin(x);
  }
};
struct SqrtFn : FloatOnly {
  template <typename C>
  static C apply(C x) {
    return std::sqrt(x);
  }
};
struct ReciprocalFn : FloatOnly {
  template <typename C>
  static C apply(C x) {
    return C(1) / x;
  }
};
/// Half to even. Adding and taking away 2^23 (2^52 for f64) rounds in the
/// current mode, without a library call, so that the loop vectorises.
struct RoundFn : FloatOnly {
  template <typename C>
  static C apply(C x) {
    constexpr C integral = sizeof(C) == 4 ? C(0x1p23) : C(0x1p52);
    C magnitude = std::fabs(x);
    C rounded = std::copysign((magnitude + integral) - integral, x);
    return magnitude < integral ? rounded : x;
  }
};
struct BitwiseNotFn : IntegerOnly {
  template <typename C>
  static C apply(C x) {
    return static_cast<C>(~x);
  }
};
struct NotFn : BoolOnly {
  template <typename C>
  static C apply(C x) {
    return x == 0;
  }
};

} // namespace

/// A tensor for a result of the kind and shape of `input`, in its memory where
/// nobody else needs it.
static Result reuseOrAllocate(Tensor &input) {
  if (input.isExclusive())
    return std::move(input);
  return Tensor::allocate(input.getKind(), input.getShape());
}

template <typename Fn>
static Result evaluateUnary(EvaluationContext &context) {
  if (!context.has(0) || isSubByte(context.input(0).getKind()))
    return std::nullopt;
  Tensor &input = context.input(0);
  return dispatch(input.getKind(), [&](auto tag) -> Result {
    using T = typename decltype(tag)::type;
    if constexpr (!Fn::template supports<T>) {
      return std::nullopt;
    } else {
      const T *in = input.getData<T>();
      Result result = reuseOrAllocate(input);
      if (!result)
        return std::nullopt;
      T *out = result->getMutableData<T>();
      for (int64_t i = 0, e = result->getNumElements(); i < e; ++i)
        out[i] = store<T>(Fn::template apply<Computed<T>>(load(in[i])));
      return result;
    }
  });
}

//===----------------------------------------------------------------------===//
// Clip, Where, Identity, Cast
//===----------------------------------------------------------------------===//

/// The bound in input `index`; an absent one is +-infinity or the type's
/// limit, which `fallback` holds.
template <typename T>
static std::optional<Computed<T>> getBound(EvaluationContext &context,
                                           unsigned index, StringRef name,
                                           Computed<T> fallback) {
  if (context.has(index)) {
    Tensor &bound = context.input(index);
    if (bound.getNumElements() != 1 ||
        bound.getKind() != context.input(0).getKind())
      return std::nullopt;
    return load(*bound.getData<T>());
  }
  // Attributes up to opset 10.
  if (context.node.getNodeAttr(name))
    return static_cast<Computed<T>>(context.node.getFloat(name, 0.0f));
  return fallback;
}

static Result evaluateClip(EvaluationContext &context) {
  if (!context.has(0) || isSubByte(context.input(0).getKind()))
    return std::nullopt;
  Tensor &input = context.input(0);
  return dispatch(input.getKind(), [&](auto tag) -> Result {
    using T = typename decltype(tag)::type;
    using C = Computed<T>;
    using Limits = std::numeric_limits<C>;
    constexpr bool isReal = std::is_floating_point_v<C>;
    std::optional<C> low = getBound<T>(
        context, 1, "min", isReal ? -Limits::infinity() : Limits::min());
    std::optional<C> high = getBound<T>(
        context, 2, "max", isReal ? Limits::infinity() : Limits::max());
    if (!low || !high)
      return std::nullopt;
    const T *in = input.getData<T>();
    Result result = reuseOrAllocate(input);
    if (!result)
      return std::nullopt;
    T *out = result->getMutableData<T>();
    C lo = *low, hi = *high;
    for (int64_t i = 0, e = result->getNumElements(); i < e; ++i) {
      // min(max(x, low), high); a NaN stays.
      C x = load(in[i]);
      x = x < lo ? lo : x;
      out[i] = store<T>(x > hi ? hi : x);
    }
    return result;
  });
}

static Result evaluateWhere(EvaluationContext &context) {
  if (!context.has(0) || !context.has(1) || !context.has(2))
    return std::nullopt;
  Tensor &condition = context.input(0);
  Tensor &yes = context.input(1);
  Tensor &no = context.input(2);
  if (condition.getKind() != ElementKind::Bool || yes.getKind() != no.getKind())
    return std::nullopt;
  std::optional<BroadcastPlan> plan = BroadcastPlan::make(
      {condition.getShape(), yes.getShape(), no.getShape()});
  Result result =
      plan ? Tensor::allocate(yes.getKind(), plan->shape) : std::nullopt;
  if (!result)
    return std::nullopt;
  dispatchBySize(yes.getKind(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    plan->forEachRun([&](int64_t at, ArrayRef<int64_t> offsets) {
      const uint8_t *c = condition.getData<uint8_t>() + offsets[0];
      const T *a = yes.getData<T>() + offsets[1];
      const T *b = no.getData<T>() + offsets[2];
      T *out = result->getMutableData<T>() + at;
      int64_t sc = plan->strides[0].back(), sa = plan->strides[1].back(),
              sb = plan->strides[2].back();
      for (int64_t i = 0, e = plan->dims.back(); i < e; ++i)
        out[i] = c[i * sc] ? a[i * sa] : b[i * sb];
    });
  });
  return result;
}

static Result evaluateIdentity(EvaluationContext &context) {
  if (!context.has(0))
    return std::nullopt;
  return std::move(context.input(0));
}

static Result evaluateCast(EvaluationContext &context) {
  std::optional<ElementKind> kind =
      getElementKind(context.node.getInt("to", 0));
  if (!context.has(0) || !kind)
    return std::nullopt;
  return castTensor(std::move(context.input(0)), *kind);
}

/// Takes the type of its second input, whose value need not be known.
static Result evaluateCastLike(EvaluationContext &context) {
  Value like = context.node.getInput(1);
  std::optional<ElementKind> kind =
      like ? getElementKind(getElementTypeOrSelf(like.getType()))
           : std::nullopt;
  if (!context.has(0) || !kind)
    return std::nullopt;
  return castTensor(std::move(context.input(0)), *kind);
}

void tern::onnx::addElementwiseEvaluations(EvaluationTable &table) {
  table["Abs"] = evaluateUnary<AbsFn>;
  table["BitwiseNot"] = evaluateUnary<BitwiseNotFn>;
  table["Ceil"] = evaluateUnary<CeilFn>;
  table["Cos"] = evaluateUnary<CosFn>;
  table["Floor"] = evaluateUnary<FloorFn>;
  table["Neg"] = evaluateUnary<NegFn>;
  table["Not"] = evaluateUnary<NotFn>;
  table["Reciprocal"] = evaluateUnary<ReciprocalFn>;
  table["Round"] = evaluateUnary<RoundFn>;
  table["Sign"] = evaluateUnary<SignFn>;
  table["Sin"] = evaluateUnary<SinFn>;
  table["Sqrt"] = evaluateUnary<SqrtFn>;
  table["Cast"] = evaluateCast;
  table["CastLike"] = evaluateCastLike;
  table["Clip"] = evaluateClip;
  table["Identity"] = evaluateIdentity;
  table["Where"] = evaluateWhere;
}

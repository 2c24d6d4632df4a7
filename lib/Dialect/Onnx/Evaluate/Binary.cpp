//===- Binary.cpp - arithmetic, comparison, logic and bits ----------------===//

#include "Evaluation.h"

#include <cmath>

using namespace mlir;
using namespace tern::onnx;

namespace {

//===----------------------------------------------------------------------===//
// What an operator computes
//===----------------------------------------------------------------------===//

struct AnyNumber {
  template <typename T>
  static constexpr bool supports = !std::is_same_v<T, Truth>;
};
struct AnyType {
  template <typename T>
  static constexpr bool supports = true;
};
struct IntegerOnly {
  template <typename T>
  static constexpr bool supports = std::is_integral_v<T>;
};
struct BoolOnly {
  template <typename T>
  static constexpr bool supports = std::is_same_v<T, Truth>;
};

/// Signed integers wrap as unsigned ones do; in C++ only the latter may.
template <typename C>
using Wrapping =
    typename std::conditional_t<std::is_integral_v<C>, std::make_unsigned<C>,
                                TypeTag<C>>::type;

struct AddFn : AnyNumber {
  template <typename C>
  static C apply(C a, C b) {
    return static_cast<C>(Wrapping<C>(a) + Wrapping<C>(b));
  }
};
struct SubFn : AnyNumber {
  template <typename C>
  static C apply(C a, C b) {
    return static_cast<C>(Wrapping<C>(a) - Wrapping<C>(b));
  }
};
struct MulFn : AnyNumber {
  template <typename C>
  static C apply(C a, C b) {
    // uint16_t is promoted to int, whose product may overflow.
    if constexpr (std::is_integral_v<C> && sizeof(C) < 4)
      return static_cast<C>(uint32_t(a) * uint32_t(b));
    else
      return static_cast<C>(Wrapping<C>(a) * Wrapping<C>(b));
  }
};
/// Integers truncate; the caller has excluded a divisor of 0.
struct DivFn : AnyNumber {
  template <typename C>
  static C apply(C a, C b) {
    if constexpr (std::is_signed_v<C> && std::is_integral_v<C>)
      if (b == -1) // the quotient of the least number wraps
        return SubFn::apply<C>(0, a);
    return static_cast<C>(a / b);
  }
};
/// fmod = 0: the sign of the divisor; floats since opset 28.
struct ModFn : AnyNumber {
  template <typename C>
  static C apply(C a, C b) {
    if constexpr (std::is_floating_point_v<C>) {
      C remainder = std::fmod(a, b);
      if (remainder == 0)
        return std::copysign(C(0), b);
      return (remainder < 0) != (b < 0) ? remainder + b : remainder;
    } else if constexpr (std::is_signed_v<C>) {
      if (b == -1)
        return 0;
      C remainder = a % b;
      return remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b
                                                          : remainder;
    } else {
      return a % b;
    }
  }
};
/// fmod = 1: the sign of the dividend.
struct FmodFn : AnyNumber {
  template <typename C>
  static C apply(C a, C b) {
    if constexpr (std::is_floating_point_v<C>)
      return std::fmod(a, b);
    else if constexpr (std::is_signed_v<C>)
      return b == -1 ? C(0) : static_cast<C>(a % b);
    else
      return a % b;
  }
};
/// Integers wrap; a negative exponent of an integer gives 0, but for 1 and -1.
struct PowFn : AnyNumber {
  template <typename C>
  static C apply(C a, C b) {
    if (b == 2)
      return MulFn::apply<C>(a, a);
    if constexpr (std::is_floating_point_v<C>) {
      return std::pow(a, b);
    } else {
      if (b < 0 && a != 1 && a != C(-1))
        return 0;
      C power = 1;
      for (auto n = std::make_unsigned_t<C>(b); n != 0; n /= 2) {
        if (n & 1)
          power = MulFn::apply<C>(power, a);
        a = MulFn::apply<C>(a, a);
      }
      return power;
    }
  }
};
/// A NaN wins, as in numpy.
struct MaxFn : AnyNumber {
  template <typename C>
  static C apply(C a, C b) {
    return a != a ? a : (a < b || b != b ? b : a);
  }
};
struct MinFn : AnyNumber {
  template <typename C>
  static C apply(C a, C b) {
    return a != a ? a : (b < a || b != b ? b : a);
  }
};
struct BitwiseAndFn : IntegerOnly {
  template <typename C>
  static C apply(C a, C b) {
    return a & b;
  }
};
struct BitwiseOrFn : IntegerOnly {
  template <typename C>
  static C apply(C a, C b) {
    return a | b;
  }
};
struct BitwiseXorFn : IntegerOnly {
  template <typename C>
  static C apply(C a, C b) {
    return a ^ b;
  }
};
/// Shifts by the width or more give 0.
struct ShiftLeftFn : IntegerOnly {
  template <typename C>
  static C apply(C a, C b) {
    using U = std::make_unsigned_t<C>;
    constexpr unsigned width = 8 * sizeof(C);
    return U(b) >= width ? C(0) : static_cast<C>(uint64_t(U(a)) << U(b));
  }
};
struct ShiftRightFn : IntegerOnly {
  template <typename C>
  static C apply(C a, C b) {
    using U = std::make_unsigned_t<C>;
    constexpr unsigned width = 8 * sizeof(C);
    return U(b) >= width ? C(0) : static_cast<C>(U(a) >> U(b));
  }
};
/// The sign of a signed integer fills up, also where the width or more is
/// shifted.
struct ArithmeticShiftFn : IntegerOnly {
  template <typename C>
  static C apply(C a, C b) {
    using U = std::make_unsigned_t<C>;
    constexpr unsigned width = 8 * sizeof(C);
    if constexpr (std::is_unsigned_v<C>)
      return ShiftRightFn::apply(a, b);
    return static_cast<C>(a >> (U(b) >= width ? U(width - 1) : U(b)));
  }
};
struct AndFn : BoolOnly {
  template <typename C>
  static C apply(C a, C b) {
    return a & b;
  }
};
struct OrFn : BoolOnly {
  template <typename C>
  static C apply(C a, C b) {
    return a | b;
  }
};
struct XorFn : BoolOnly {
  template <typename C>
  static C apply(C a, C b) {
    return a ^ b;
  }
};
struct EqualFn : AnyType {
  template <typename C>
  static bool apply(C a, C b) {
    return a == b;
  }
};
struct GreaterFn : AnyNumber {
  template <typename C>
  static bool apply(C a, C b) {
    return a > b;
  }
};
struct GreaterOrEqualFn : AnyNumber {
  template <typename C>
  static bool apply(C a, C b) {
    return a >= b;
  }
};
struct LessFn : AnyNumber {
  template <typename C>
  static bool apply(C a, C b) {
    return a < b;
  }
};
struct LessOrEqualFn : AnyNumber {
  template <typename C>
  static bool apply(C a, C b) {
    return a <= b;
  }
};

} // namespace

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

/// out[i] = Fn(a[i * sa], b[i * sb]); strides are 0 or 1 but for transposed
/// broadcasts, which do not occur, so the three common cases are spelled out.
template <typename Fn, typename T, typename R>
static void runBinary(const T *a, int64_t sa, const T *b, int64_t sb, R *out,
                      int64_t count) {
  using C = Computed<T>;
  auto compute = [](T x, T y) {
    if constexpr (std::is_same_v<R, T>)
      return store<T>(Fn::template apply<C>(load(x), load(y)));
    else
      return static_cast<R>(Fn::template apply<C>(load(x), load(y)));
  };
  if (sa == 1 && sb == 1)
    for (int64_t i = 0; i < count; ++i)
      out[i] = compute(a[i], b[i]);
  else if (sa == 1 && sb == 0)
    for (int64_t i = 0; i < count; ++i)
      out[i] = compute(a[i], *b);
  else if (sa == 0 && sb == 1)
    for (int64_t i = 0; i < count; ++i)
      out[i] = compute(*a, b[i]);
  else
    for (int64_t i = 0; i < count; ++i)
      out[i] = compute(a[i * sa], b[i * sb]);
}

/// The memory of an operand that is as large as the result and no longer
/// needed, or new memory.
static Result getResult(Tensor &a, Tensor &b, ElementKind kind,
                        ArrayRef<int64_t> shape) {
  for (Tensor *operand : {&a, &b})
    if (operand->isExclusive() && operand->getKind() == kind &&
        operand->getShape() == shape)
      return *operand;
  return Tensor::allocate(kind, shape);
}

/// Applies Fn with broadcasting; R is the result's storage type, `void` for
/// that of the operands.
template <typename Fn, typename R = void>
static Result applyBinary(Tensor a, Tensor b) {
  if (a.getKind() != b.getKind() || isSubByte(a.getKind()))
    return std::nullopt;
  std::optional<BroadcastPlan> plan =
      BroadcastPlan::make({a.getShape(), b.getShape()});
  if (!plan)
    return std::nullopt;
  return dispatch(a.getKind(), [&](auto tag) -> Result {
    using T = typename decltype(tag)::type;
    using Out = std::conditional_t<std::is_void_v<R>, T, R>;
    if constexpr (!Fn::template supports<T>) {
      return std::nullopt;
    } else {
      ElementKind kind = std::is_void_v<R> ? a.getKind() : ElementKind::Bool;
      Result result = getResult(a, b, kind, plan->shape);
      if (!result)
        return std::nullopt;
      plan->forEachRun([&](int64_t at, ArrayRef<int64_t> offsets) {
        runBinary<Fn>(a.getData<T>() + offsets[0], plan->strides[0].back(),
                      b.getData<T>() + offsets[1], plan->strides[1].back(),
                      result->getMutableData<Out>() + at, plan->dims.back());
      });
      return result;
    }
  });
}

template <typename Fn, typename R = void>
static Result evaluateBinary(EvaluationContext &context) {
  if (!context.has(0) || !context.has(1))
    return std::nullopt;
  return applyBinary<Fn, R>(std::move(context.input(0)),
                            std::move(context.input(1)));
}

/// Max and Min take any number of inputs.
template <typename Fn>
static Result evaluateVariadic(EvaluationContext &context) {
  if (!context.has(0))
    return std::nullopt;
  Result result = std::move(context.input(0));
  for (unsigned i = 1; result && i < context.inputs.size(); ++i)
    result = context.has(i) ? applyBinary<Fn>(std::move(*result),
                                              std::move(context.input(i)))
                            : std::nullopt;
  return result;
}

//===----------------------------------------------------------------------===//
// Operators with a choice
//===----------------------------------------------------------------------===//

/// True where an integer division by `tensor` is defined.
static bool isValidDivisor(const Tensor &tensor) {
  return dispatch(tensor.getKind(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (isFloatStorage<T>) {
      return true;
    } else {
      const T *data = tensor.getData<T>();
      return std::none_of(data, data + tensor.getNumElements(),
                          [](T value) { return value == T(0); });
    }
  });
}

static Result evaluateDiv(EvaluationContext &context) {
  if (!context.has(1) || !isValidDivisor(context.input(1)))
    return std::nullopt;
  return evaluateBinary<DivFn>(context);
}

static Result evaluateMod(EvaluationContext &context) {
  if (!context.has(1) || !isValidDivisor(context.input(1)))
    return std::nullopt;
  if (context.node.getInt("fmod", 0))
    return evaluateBinary<FmodFn>(context);
  bool isFloat = dispatch(context.input(1).getKind(), [](auto tag) {
    return isFloatStorage<typename decltype(tag)::type>;
  });
  if (isFloat && context.node.getOpset() < 28)
    return std::nullopt;
  return evaluateBinary<ModFn>(context);
}

static Result evaluatePow(EvaluationContext &context) {
  if (!context.has(0) || !context.has(1))
    return std::nullopt;
  // The result has the base's type; the exponent may have another.
  Result exponent =
      castTensor(std::move(context.input(1)), context.input(0).getKind());
  if (!exponent)
    return std::nullopt;
  return applyBinary<PowFn>(std::move(context.input(0)), std::move(*exponent));
}

static Result evaluateBitShift(EvaluationContext &context) {
  StringRef direction = context.node.getString("direction", "");
  if (direction == "LEFT")
    return evaluateBinary<ShiftLeftFn>(context);
  // Before opset 28, a signed integer is an unsigned one of the wrong type.
  if (direction == "RIGHT" && context.node.getOpset() >= 28)
    return evaluateBinary<ArithmeticShiftFn>(context);
  if (direction == "RIGHT")
    return evaluateBinary<ShiftRightFn>(context);
  return std::nullopt;
}

void tern::onnx::addBinaryEvaluations(EvaluationTable &table) {
  table["Add"] = evaluateBinary<AddFn>;
  table["Sub"] = evaluateBinary<SubFn>;
  table["Mul"] = evaluateBinary<MulFn>;
  table["Div"] = evaluateDiv;
  table["Mod"] = evaluateMod;
  table["Pow"] = evaluatePow;
  table["Max"] = evaluateVariadic<MaxFn>;
  table["Min"] = evaluateVariadic<MinFn>;
  table["And"] = evaluateBinary<AndFn>;
  table["Or"] = evaluateBinary<OrFn>;
  table["Xor"] = evaluateBinary<XorFn>;
  table["BitwiseAnd"] = evaluateBinary<BitwiseAndFn>;
  table["BitwiseOr"] = evaluateBinary<BitwiseOrFn>;
  table["BitwiseXor"] = evaluateBinary<BitwiseXorFn>;
  table["BitShift"] = evaluateBitShift;
  table["Equal"] = evaluateBinary<EqualFn, Truth>;
  table["Greater"] = evaluateBinary<GreaterFn, Truth>;
  table["GreaterOrEqual"] = evaluateBinary<GreaterOrEqualFn, Truth>;
  table["Less"] = evaluateBinary<LessFn, Truth>;
  table["LessOrEqual"] = evaluateBinary<LessOrEqualFn, Truth>;
}

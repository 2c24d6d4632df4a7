//===- Evaluation.h - what the evaluation of a node works with --*- C++ -*-===//
#ifndef TERN_LIB_DIALECT_ONNX_EVALUATE_EVALUATION_H
#define TERN_LIB_DIALECT_ONNX_EVALUATE_EVALUATION_H

#include "Float16.h"
#include "tern/Dialect/Onnx/Evaluate/Tensor.h"
#include "tern/Dialect/Onnx/IR/Onnx.h"

#include "llvm/ADT/StringMap.h"

#include <optional>
#include <type_traits>

namespace tern::onnx {

using Result = std::optional<Tensor>;

/// One node and the values of its inputs. An input whose elements nobody else
/// needs is exclusive and may be overwritten with the result.
struct EvaluationContext {
  NodeOp node;
  /// Empty tensors stand for omitted inputs.
  llvm::MutableArrayRef<Tensor> inputs;

  bool has(unsigned index) const {
    return index < inputs.size() && bool(inputs[index]);
  }
  Tensor &input(unsigned index) { return inputs[index]; }
};

using EvaluationFn = std::optional<Tensor> (*)(EvaluationContext &);
using EvaluationTable = llvm::StringMap<EvaluationFn>;

// One for each file of this folder.
void addElementwiseEvaluations(EvaluationTable &table);  // Elementwise.cpp
void addBinaryEvaluations(EvaluationTable &table);       // Binary.cpp
void addReductionEvaluations(EvaluationTable &table);    // Reduction.cpp
void addMovementEvaluations(EvaluationTable &table);     // Movement.cpp
void addIndexingEvaluations(EvaluationTable &table);     // Indexing.cpp
void addShapeEvaluations(EvaluationTable &table);        // Shape.cpp
void addQuantizationEvaluations(EvaluationTable &table); // Quantization.cpp

/// Brings bytes into the range of a kind narrower than a byte, keeping its bits
/// (Tensor.cpp).
void wrapSubByte(Tensor &tensor);
/// The elements of `tensor` as i64; nullopt where it is no integer tensor.
std::optional<llvm::SmallVector<int64_t>> getIntegers(const Tensor &tensor);
/// Input `index` as integers where it is present, else attribute `name`;
/// nullopt where neither is there. `ok` becomes false where the input is not
/// of an integer type.
std::optional<llvm::SmallVector<int64_t>>
getIntegers(EvaluationContext &context, unsigned index, llvm::StringRef name,
            bool &ok);
/// `axis` counted from the front; nullopt where it is none of `rank`.
std::optional<int64_t> normalizeAxis(int64_t axis, int64_t rank);

//===----------------------------------------------------------------------===//
// Typed loops
//===----------------------------------------------------------------------===//

/// Storage type of Bool: 0 or 1.
enum class Truth : uint8_t {};

template <typename T>
struct TypeTag {
  using type = T;
};

/// Calls `fn(TypeTag<T>())` with the storage type of `kind`.
template <typename Fn>
auto dispatch(ElementKind kind, Fn fn) {
  switch (kind) {
  case ElementKind::Bool:
    return fn(TypeTag<Truth>());
  case ElementKind::I2:
  case ElementKind::I4:
  case ElementKind::I8:
    return fn(TypeTag<int8_t>());
  case ElementKind::I16:
    return fn(TypeTag<int16_t>());
  case ElementKind::I32:
    return fn(TypeTag<int32_t>());
  case ElementKind::I64:
    return fn(TypeTag<int64_t>());
  case ElementKind::U2:
  case ElementKind::U4:
  case ElementKind::U8:
    return fn(TypeTag<uint8_t>());
  case ElementKind::U16:
    return fn(TypeTag<uint16_t>());
  case ElementKind::U32:
    return fn(TypeTag<uint32_t>());
  case ElementKind::U64:
    return fn(TypeTag<uint64_t>());
  case ElementKind::F16:
    return fn(TypeTag<Half>());
  case ElementKind::BF16:
    return fn(TypeTag<BFloat16>());
  case ElementKind::F32:
    return fn(TypeTag<float>());
  case ElementKind::F64:
    return fn(TypeTag<double>());
  }
  llvm_unreachable("unknown ElementKind");
}

/// Calls `fn(TypeTag<U>())` with the unsigned integer that is as wide as the
/// storage of `kind`, for code that only moves elements.
template <typename Fn>
auto dispatchBySize(ElementKind kind, Fn fn) {
  switch (getStorageBytes(kind)) {
  case 1:
    return fn(TypeTag<uint8_t>());
  case 2:
    return fn(TypeTag<uint16_t>());
  case 4:
    return fn(TypeTag<uint32_t>());
  default:
    return fn(TypeTag<uint64_t>());
  }
}

template <typename T>
inline constexpr bool isHalfFloat =
    std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>;
template <typename T>
inline constexpr bool isFloatStorage =
    std::is_floating_point_v<T> || isHalfFloat<T>;

/// The type in which elements stored as T are computed with.
template <typename T>
auto load(T value) {
  if constexpr (isHalfFloat<T>)
    return value.toFloat();
  else if constexpr (std::is_same_v<T, Truth>)
    return static_cast<uint8_t>(value);
  else
    return value;
}
template <typename T>
using Computed = decltype(load(std::declval<T>()));

template <typename T>
T store(Computed<T> value) {
  if constexpr (isHalfFloat<T>)
    return T::fromFloat(value);
  else
    return static_cast<T>(value);
}

//===----------------------------------------------------------------------===//
// Broadcasting
//===----------------------------------------------------------------------===//

/// How the elements of operands meet under numpy's broadcasting, with
/// dimensions merged where all operands allow it: equal shapes become one long
/// dimension, and a scalar has stride 0.
struct BroadcastPlan {
  llvm::SmallVector<int64_t> shape; // of the result, as ONNX sees it
  llvm::SmallVector<int64_t> dims;  // merged; at least one
  llvm::SmallVector<llvm::SmallVector<int64_t>, 3> strides; // [operand][dim]

  /// nullopt where the shapes do not fit.
  static std::optional<BroadcastPlan>
  make(llvm::ArrayRef<llvm::ArrayRef<int64_t>> shapes);

  /// Calls `fn(resultOffset, operandOffsets)` for each run of `dims.back()`
  /// elements of the result.
  void forEachRun(
      llvm::function_ref<void(int64_t, llvm::ArrayRef<int64_t>)> fn) const;
};

} // namespace tern::onnx

#endif // TERN_LIB_DIALECT_ONNX_EVALUATE_EVALUATION_H

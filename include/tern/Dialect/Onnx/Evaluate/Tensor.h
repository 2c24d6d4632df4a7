//===- Tensor.h - a tensor known at compile time ----------------*- C++ -*-===//
//
// The values that the constant evaluator works with. Every element takes whole
// bytes here (INT2 and INT4 values are unpacked to a byte), so that operators
// are plain loops over typed buffers.
//
//===----------------------------------------------------------------------===//
#ifndef TERN_DIALECT_ONNX_EVALUATE_TENSOR_H
#define TERN_DIALECT_ONNX_EVALUATE_TENSOR_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

#include <cstdint>
#include <memory>
#include <optional>

namespace tern::onnx {

/// ONNX's element types, as far as the compiler computes with them.
enum class ElementKind : uint8_t {
  Bool, // stored as 0 or 1
  I2,
  I4,
  I8,
  I16,
  I32,
  I64,
  U2,
  U4,
  U8,
  U16,
  U32,
  U64,
  F16,
  BF16,
  F32,
  F64,
};

/// Bits of one element in ONNX: 1 for Bool, 2 and 4 for the narrow integers.
unsigned getBitWidth(ElementKind kind);
/// Bytes of one element of a Tensor: at least 1.
unsigned getStorageBytes(ElementKind kind);
bool isFloat(ElementKind kind);
/// True for unsigned integers, Bool excepted.
bool isUnsigned(ElementKind kind);
/// True for integers narrower than a byte.
bool isSubByte(ElementKind kind);

/// The kind of an MLIR element type as the onnx dialect writes it, or nullopt.
std::optional<ElementKind> getElementKind(mlir::Type type);
/// The MLIR element type of `kind`.
mlir::Type getElementType(ElementKind kind, mlir::MLIRContext *context);
/// The kind of a `TensorProto.DataType` as attributes like Cast's `to` hold it.
std::optional<ElementKind> getElementKind(int64_t onnxDataType);

/// Bytes of a value of `type` as a file holds it, with narrow integers packed.
/// 0 where shape or element type do not tell; 2^61 - 1 where they are more.
int64_t getPackedBytes(mlir::Type type);
/// Bytes of a value of `type` as a Tensor holds it; else as getPackedBytes.
int64_t getTensorBytes(mlir::Type type);

/// A tensor of a static shape, row-major. Copies share their elements; the
/// elements of a constant that is mapped from a file are not copied at all.
class Tensor {
public:
  /// No single tensor takes more bytes than this: a hostile shape must fail
  /// and not exhaust the machine.
  static constexpr int64_t kMaxBytes = int64_t(1) << 34;

  Tensor() = default;

  /// A tensor with undefined elements; nullopt where a dimension is negative,
  /// the size exceeds `kMaxBytes`, or memory is short.
  static std::optional<Tensor> allocate(ElementKind kind,
                                        llvm::ArrayRef<int64_t> shape);
  /// The value of a constant; nullopt where its type is none of ElementKind's
  /// or a resource's size does not fit its type.
  static std::optional<Tensor> fromAttr(mlir::ElementsAttr attr);

  explicit operator bool() const { return elements != nullptr; }
  ElementKind getKind() const { return kind; }
  llvm::ArrayRef<int64_t> getShape() const { return shape; }
  int64_t getRank() const { return static_cast<int64_t>(shape.size()); }
  int64_t getNumElements() const { return numElements; }
  int64_t getNumBytes() const { return numElements * getStorageBytes(kind); }

  /// The elements as `T`, which must have the storage size of the kind.
  template <typename T>
  const T *getData() const {
    return reinterpret_cast<const T *>(elements.get());
  }
  /// The elements for writing; only while nobody shares them.
  template <typename T>
  T *getMutableData() {
    return reinterpret_cast<T *>(elements.get());
  }
  /// True where the elements are this tensor's alone and may be overwritten.
  bool isExclusive() const { return owned && elements.use_count() == 1; }

  /// The same elements with another shape of as many elements.
  Tensor withShape(llvm::ArrayRef<int64_t> newShape) const;

  /// The tensor as an attribute: `dense` up to `maxDenseElements` elements, a
  /// resource called `name` beyond, which takes over the elements.
  mlir::ElementsAttr toAttr(mlir::MLIRContext *context, llvm::StringRef name,
                            int64_t maxDenseElements) const;

private:
  static std::optional<Tensor> fromBytes(ElementKind kind,
                                         llvm::ArrayRef<int64_t> shape,
                                         llvm::ArrayRef<char> bytes,
                                         bool packed);

  ElementKind kind = ElementKind::F32;
  bool owned = false;
  int64_t numElements = 0;
  llvm::SmallVector<int64_t, 4> shape;
  // Never written through unless `owned`.
  std::shared_ptr<char> elements;
};

/// `tensor` with its elements converted to `kind`. Integers wrap; floats
/// truncate and saturate to an integer's range, NaN gives 0. nullopt only where
/// memory is short.
std::optional<Tensor> castTensor(Tensor &&tensor, ElementKind kind);

/// `tensor` with permuted dimensions: dimension i of the result is
/// `permutation[i]` of the input. `permutation` must be one.
std::optional<Tensor> transposeTensor(const Tensor &tensor,
                                      llvm::ArrayRef<int64_t> permutation);

} // namespace tern::onnx

#endif // TERN_DIALECT_ONNX_EVALUATE_TENSOR_H

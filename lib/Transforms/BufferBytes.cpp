//===- BufferBytes.cpp - how much memory a buffer takes -------------------===//

#include "BufferBytes.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tern;

/// Bytes of `bits` in a buffer, where LLVM aligns each element to its own size.
static uint64_t padBits(uint64_t bits) {
  return llvm::PowerOf2Ceil(llvm::divideCeil(bits, 8));
}

static std::optional<uint64_t> getBits(Type type) {
  // The targets' pointers have 64 bits.
  if (type.isIndex())
    return 64;
  if (!type.isIntOrFloat())
    return std::nullopt;
  return type.getIntOrFloatBitWidth();
}

/// From the begin of an element to that of the next.
static std::optional<uint64_t> getElementBytes(Type type) {
  auto vector = dyn_cast<VectorType>(type);
  std::optional<uint64_t> bits =
      getBits(vector ? vector.getElementType() : type);
  if (!bits || (vector && vector.isScalable()))
    return std::nullopt;
  if (!vector)
    return padBits(*bits);
  // LLVM has vectors of one dimension, and arrays of them.
  uint64_t lanes = vector.getRank() == 0 ? 1 : vector.getShape().back();
  uint64_t row = padBits(llvm::SaturatingMultiply(lanes, *bits));
  return llvm::SaturatingMultiply(vector.getNumElements() / lanes, row);
}

/// Elements from the begin of a static buffer to the end of its last one.
static std::optional<uint64_t> getExtent(MemRefType type) {
  SmallVector<int64_t> strides;
  int64_t offset;
  if (!type.hasStaticShape() ||
      failed(type.getStridesAndOffset(strides, offset)) ||
      ShapedType::isDynamic(offset) || offset < 0)
    return std::nullopt;
  uint64_t last = offset;
  for (auto [dim, stride] : llvm::zip_equal(type.getShape(), strides)) {
    // A dynamic stride is negative too.
    if (stride < 0)
      return std::nullopt;
    last = llvm::SaturatingMultiplyAdd<uint64_t>(std::max<int64_t>(dim, 1) - 1,
                                                 stride, last);
  }
  return llvm::SaturatingAdd<uint64_t>(last, 1);
}

/// The product of the static dimensions, between which nothing lies.
static uint64_t multiplyStaticDims(MemRefType type) {
  uint64_t elements = 1;
  for (int64_t dim : type.getShape())
    if (!ShapedType::isDynamic(dim))
      elements = llvm::SaturatingMultiply<uint64_t>(elements,
                                                    std::max<int64_t>(dim, 1));
  return elements;
}

std::optional<int64_t> tern::getStaticBytes(MemRefType type) {
  std::optional<uint64_t> bytes = getElementBytes(type.getElementType());
  std::optional<uint64_t> elements = type.getLayout().isIdentity()
                                         ? multiplyStaticDims(type)
                                         : getExtent(type);
  if (!bytes || !elements)
    return std::nullopt;
  return std::min<uint64_t>(llvm::SaturatingMultiply(*bytes, *elements),
                            kTooManyBytes);
}

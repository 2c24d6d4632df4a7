//===- LowerStridedCopies.cpp - strided copies as loops -------------------===//
//
// A token's keys and values go to the cache in rows of a head's elements. As
// loops over elements, LLVM would unroll them and load and store one element
// after the other, as it cannot tell that the two buffers are apart.
//
//===----------------------------------------------------------------------===//

#include "tern/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace tern {
#define GEN_PASS_DEF_LOWERSTRIDEDCOPIES
#include "tern/Transforms/Passes.h.inc"
} // namespace tern

using namespace mlir;

/// Larger rows are shared out by elements.
constexpr int64_t kMostRowBytes = 64 << 10;

static bool isStrided(MemRefType type) {
  return !type.getLayout().isIdentity();
}

/// Whether `type` has rows of consecutive elements, of a size that it tells,
/// and not too large for one thread.
static bool hasStaticRows(MemRefType type) {
  if (type.getRank() < 2 || !type.isLastDimUnitStride() ||
      type.isDynamicDim(type.getRank() - 1) ||
      !type.getElementType().isIntOrFloat())
    return false;
  int64_t length = type.getShape().back();
  int64_t bytes = llvm::divideCeil(type.getElementTypeBitWidth(), 8);
  return length > 0 && length <= kMostRowBytes / bytes;
}

/// The row of `buffer` that `indices`, of all dimensions but the last, number.
static Value buildRow(OpBuilder &b, Location loc, Value buffer,
                      ValueRange indices) {
  auto type = cast<MemRefType>(buffer.getType());
  SmallVector<OpFoldResult> offsets(indices.begin(), indices.end());
  SmallVector<OpFoldResult> sizes(indices.size(), b.getIndexAttr(1));
  SmallVector<OpFoldResult> strides(type.getRank(), b.getIndexAttr(1));
  int64_t length = type.getShape().back();
  offsets.push_back(b.getIndexAttr(0));
  sizes.push_back(b.getIndexAttr(length));
  MemRefType row = memref::SubViewOp::inferRankReducedResultType(
      {length}, type, offsets, sizes, strides);
  return memref::SubViewOp::create(b, loc, row, buffer, offsets, sizes,
                                   strides);
}

/// Copies row by row, each of which is a memcpy.
static void lowerToRows(memref::CopyOp copy) {
  ImplicitLocOpBuilder b(copy.getLoc(), copy);
  unsigned outer = cast<MemRefType>(copy.getSource().getType()).getRank() - 1;
  SmallVector<Value> ends;
  for (unsigned dim = 0; dim < outer; ++dim)
    ends.push_back(b.createOrFold<memref::DimOp>(copy.getSource(), dim));
  Value zero = arith::ConstantIndexOp::create(b, 0);
  Value one = arith::ConstantIndexOp::create(b, 1);
  scf::ParallelOp::create(
      b, SmallVector<Value>(outer, zero), ends, SmallVector<Value>(outer, one),
      [&](OpBuilder &nested, Location loc, ValueRange indices) {
        Value source = buildRow(nested, loc, copy.getSource(), indices);
        Value target = buildRow(nested, loc, copy.getTarget(), indices);
        memref::CopyOp::create(nested, loc, source, target);
      });
}

namespace {
struct LowerStridedCopiesPass
    : tern::impl::LowerStridedCopiesBase<LowerStridedCopiesPass> {
  using Base::Base;
  void runOnOperation() override {
    SmallVector<memref::CopyOp> copies;
    getOperation().walk([&](memref::CopyOp copy) {
      auto source = dyn_cast<MemRefType>(copy.getSource().getType());
      auto target = dyn_cast<MemRefType>(copy.getTarget().getType());
      if (source && target && (isStrided(source) || isStrided(target)))
        copies.push_back(copy);
    });
    for (memref::CopyOp copy : copies) {
      OpBuilder builder(copy);
      if (hasStaticRows(cast<MemRefType>(copy.getSource().getType())) &&
          hasStaticRows(cast<MemRefType>(copy.getTarget().getType())))
        lowerToRows(copy);
      else
        linalg::makeMemRefCopyOp(builder, copy.getLoc(), copy.getSource(),
                                 copy.getTarget());
      copy.erase();
    }
  }
};
} // namespace

//===- CheckAllocations.cpp - fail where memory does not suffice ----------===//

#include "tern/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/Support/MathExtras.h"

namespace tern {
#define GEN_PASS_DEF_CHECKALLOCATIONS
#include "tern/Transforms/Passes.h.inc"
} // namespace tern

using namespace mlir;

/// The name of the ONNX node that `location` comes from, or nothing.
static StringRef getNodeName(Location location) {
  if (auto name = dyn_cast<NameLoc>(location))
    return name.getName();
  if (auto fused = dyn_cast<FusedLoc>(location))
    for (Location part : fused.getLocations())
      if (StringRef name = getNodeName(part); !name.empty())
        return name;
  return {};
}

static std::string getMessage(Location location) {
  StringRef name = getNodeName(location);
  std::string subject = name.empty() ? "" : ("node '" + name + "': ").str();
  return subject + "not enough memory for a result of this size";
}

/// The bytes of an element in memory.
static int64_t getBytes(Type element) {
  if (auto vector = dyn_cast<VectorType>(element))
    return vector.getNumElements() * getBytes(vector.getElementType());
  // The targets' pointers have 64 bits.
  return element.isIndex()
             ? 8
             : llvm::divideCeil(element.getIntOrFloatBitWidth(), 8);
}

/// The bytes of the static dimensions of `type` together: at least 1, so that
/// an empty dimension hides no other one; nullopt where they are too many.
static std::optional<int64_t> getStaticBytes(MemRefType type) {
  int64_t bytes = getBytes(type.getElementType());
  for (int64_t dim : type.getShape())
    if (!ShapedType::isDynamic(dim) &&
        llvm::MulOverflow(bytes, std::max<int64_t>(dim, 1), bytes))
      return std::nullopt;
  return bytes;
}

/// An i1 that holds where the size of `alloc` in bytes fits a signed index, as
/// no larger one can be had, and a wrapped one would be too small. Null where
/// it always does.
static Value buildSizeCheck(ImplicitLocOpBuilder &b, memref::AllocOp alloc) {
  std::optional<int64_t> bytes = getStaticBytes(alloc.getType());
  if (!bytes)
    return arith::ConstantIntOp::create(b, 0, 1);
  if (alloc.getDynamicSizes().empty())
    return {};
  Value zero = arith::ConstantIndexOp::create(b, 0);
  Value product = arith::ConstantIndexOp::create(b, *bytes);
  Value fits;
  for (Value size : alloc.getDynamicSizes()) {
    auto multiply = arith::MulUIExtendedOp::create(b, product, size);
    product = multiply.getLow();
    Value isLow = arith::CmpIOp::create(b, arith::CmpIPredicate::eq,
                                        multiply.getHigh(), zero);
    Value isSigned =
        arith::CmpIOp::create(b, arith::CmpIPredicate::sge, product, zero);
    for (Value condition : {isLow, isSigned})
      fits = fits ? arith::AndIOp::create(b, fits, condition) : condition;
  }
  return fits;
}

namespace {
struct CheckAllocationsPass
    : tern::impl::CheckAllocationsBase<CheckAllocationsPass> {
  using Base::Base;

  void runOnOperation() override {
    getOperation().walk([](memref::AllocOp alloc) {
      ImplicitLocOpBuilder b(alloc.getLoc(), alloc->getContext());
      b.setInsertionPointAfter(alloc);
      Value address = memref::ExtractAlignedPointerAsIndexOp::create(b, alloc);
      Value zero = arith::ConstantIndexOp::create(b, 0);
      Value isThere =
          arith::CmpIOp::create(b, arith::CmpIPredicate::ne, address, zero);
      if (Value fits = buildSizeCheck(b, alloc))
        isThere = arith::AndIOp::create(b, isThere, fits);
      cf::AssertOp::create(b, isThere, getMessage(alloc.getLoc()));
    });
  }
};
} // namespace

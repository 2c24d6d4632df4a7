//===- NarrowConstants.cpp - f32 vectors that bf16 holds ------------------===//

#include "tern/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/DenseMap.h"

#include <cstring>

namespace tern {
#define GEN_PASS_DEF_NARROWCONSTANTS
#include "tern/Transforms/Passes.h.inc"
} // namespace tern

using namespace mlir;

/// The elements of a vector of more than `maxBytes` in f32; empty if `attr` is
/// anything else, has the same element everywhere, or was elided.
static ArrayRef<char> getLargeVector(Attribute attr, uint64_t maxBytes) {
  auto elements = dyn_cast<ElementsAttr>(attr);
  if (!elements || elements.getShapedType().getRank() != 1 ||
      !elements.getElementType().isF32())
    return {};
  ArrayRef<char> bytes;
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attr)) {
    if (const AsmResourceBlob *blob = resource.getRawHandle().getBlob())
      bytes = blob->getData();
  } else if (auto dense = dyn_cast<DenseElementsAttr>(attr);
             dense && !dense.isSplat()) {
    bytes = dense.getRawData();
  }
  return bytes.size() > maxBytes ? bytes : ArrayRef<char>();
}

/// The same elements in bf16; null if it lacks one.
static TypedAttr narrow(Attribute attr, ArrayRef<char> bytes) {
  size_t count = bytes.size() / sizeof(float);
  AsmResourceBlob blob =
      HeapAsmResourceBlob::allocate(count * sizeof(uint16_t), /*align=*/64);
  char *target = blob.getMutableData().data();
  for (size_t i = 0; i < count; ++i) {
    uint32_t bits;
    std::memcpy(&bits, bytes.data() + i * sizeof(bits), sizeof(bits));
    if (bits & 0xffff)
      return {};
    uint16_t high = static_cast<uint16_t>(bits >> 16);
    std::memcpy(target + i * sizeof(high), &high, sizeof(high));
  }
  auto type = RankedTensorType::get(static_cast<int64_t>(count),
                                    BFloat16Type::get(attr.getContext()));
  if (isa<DenseElementsAttr>(attr))
    return DenseElementsAttr::getFromRawBuffer(type, blob.getData());
  StringRef name =
      cast<DenseResourceElementsAttr>(attr).getRawHandle().getKey();
  return DenseResourceElementsAttr::get(type, (name + "_bf16").str(),
                                        std::move(blob));
}

namespace {
struct NarrowConstantsPass
    : tern::impl::NarrowConstantsBase<NarrowConstantsPass> {
  using Base::Base;

  void runOnOperation() override {
    // Functions share constants, and go on to.
    llvm::DenseMap<Attribute, TypedAttr> narrowed;
    getOperation().walk([&](arith::ConstantOp constant) {
      ArrayRef<char> bytes = getLargeVector(constant.getValue(), maxBytes);
      if (bytes.empty())
        return;
      auto [it, isNew] = narrowed.try_emplace(constant.getValue());
      if (isNew)
        it->second = narrow(constant.getValue(), bytes);
      if (!it->second)
        return;
      OpBuilder b(constant);
      Value narrow =
          arith::ConstantOp::create(b, constant.getLoc(), it->second);
      constant.replaceAllUsesWith(arith::ExtFOp::create(b, constant.getLoc(),
                                                        constant.getType(),
                                                        narrow)
                                      .getResult());
      constant.erase();
    });
  }
};
} // namespace

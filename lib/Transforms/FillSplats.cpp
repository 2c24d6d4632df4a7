//===- FillSplats.cpp - large constants of one value ----------------------===//

#include "BufferBytes.h"

#include "tern/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace tern {
#define GEN_PASS_DEF_FILLSPLATS
#include "tern/Transforms/Passes.h.inc"
} // namespace tern

using namespace mlir;

/// Whether a buffer of more than `maxBytes` would hold elements of `type`.
static bool isLarge(RankedTensorType type, uint64_t maxBytes) {
  std::optional<int64_t> bytes = tern::getStaticBytes(
      MemRefType::get(type.getShape(), type.getElementType()));
  // To getStaticBytes an empty dimension counts for 1.
  return bytes && static_cast<uint64_t>(*bytes) > maxBytes &&
         !llvm::is_contained(type.getShape(), 0);
}

/// Fills a tensor in place of `constant`.
static void fillInstead(arith::ConstantOp constant, DenseElementsAttr splat) {
  OpBuilder b(constant);
  Location loc = constant.getLoc();
  auto type = cast<RankedTensorType>(constant.getType());
  Value value =
      arith::ConstantOp::create(b, loc, splat.getSplatValue<TypedAttr>());
  Value empty =
      tensor::EmptyOp::create(b, loc, type.getShape(), type.getElementType());
  constant.replaceAllUsesWith(
      linalg::FillOp::create(b, loc, value, empty).getResult(0));
  constant.erase();
}

namespace {
struct FillSplatsPass : tern::impl::FillSplatsBase<FillSplatsPass> {
  using Base::Base;

  void runOnOperation() override {
    getOperation().walk([&](arith::ConstantOp constant) {
      auto type = dyn_cast<RankedTensorType>(constant.getType());
      auto splat = dyn_cast<SplatElementsAttr>(constant.getValue());
      if (type && splat && isLarge(type, maxBytes))
        fillInstead(constant, splat);
    });
  }
};
} // namespace

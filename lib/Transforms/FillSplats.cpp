//===- FillSplats.cpp - large constants of one value ----------------------===//

#include "tern/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/MathExtras.h"

namespace tern {
#define GEN_PASS_DEF_FILLSPLATS
#include "tern/Transforms/Passes.h.inc"
} // namespace tern

using namespace mlir;

/// The bytes of a constant, one at least for each element; as many as 64 bits
/// can count where they are more.
static uint64_t getBytes(RankedTensorType type) {
  uint64_t bytes = llvm::divideCeil(type.getElementTypeBitWidth(), 8);
  for (int64_t dim : type.getShape())
    bytes = llvm::SaturatingMultiply<uint64_t>(bytes, dim);
  return bytes;
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
      if (type && splat && type.getElementType().isIntOrFloat() &&
          getBytes(type) > maxBytes)
        fillInstead(constant, splat);
    });
  }
};
} // namespace

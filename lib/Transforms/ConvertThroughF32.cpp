//===- ConvertThroughF32.cpp - between bf16 and f64 -----------------------===//

#include "tern/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/TypeUtilities.h"

namespace tern {
#define GEN_PASS_DEF_CONVERTTHROUGHF32
#include "tern/Transforms/Passes.h.inc"
} // namespace tern

using namespace mlir;

/// Whether `op` converts from elements of `source` to elements of `result`.
template <typename SourceT, typename ResultT>
static bool converts(Operation *op) {
  return isa<SourceT>(getElementTypeOrSelf(op->getOperand(0))) &&
         isa<ResultT>(getElementTypeOrSelf(op->getResult(0)));
}

/// Puts a conversion to f32 before `op`, which converts a scalar or a vector.
template <typename OpT>
static void splitAtF32(OpT op) {
  OpBuilder b(op);
  Type f32 = b.getF32Type();
  if (auto shaped = dyn_cast<ShapedType>(op.getType()))
    f32 = shaped.clone(f32);
  op.getInMutable().assign(OpT::create(b, op.getLoc(), f32, op.getIn()));
}

namespace {
struct ConvertThroughF32Pass
    : tern::impl::ConvertThroughF32Base<ConvertThroughF32Pass> {
  using Base::Base;

  void runOnOperation() override {
    getOperation()->walk([](Operation *op) {
      if (auto extend = dyn_cast<arith::ExtFOp>(op);
          extend && converts<BFloat16Type, Float64Type>(op))
        splitAtF32(extend);
      else if (auto truncate = dyn_cast<arith::TruncFOp>(op);
               truncate && converts<Float64Type, BFloat16Type>(op))
        splitAtF32(truncate);
    });
  }
};
} // namespace

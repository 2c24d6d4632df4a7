//===- TernaryToLinalg.cpp - the portable lowering ------------------------===//

#include "Patterns.h"

#include "tern/Conversion/Passes.h"
#include "tern/Dialect/Ternary/IR/Ternary.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/Transforms/FuncConversions.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace tern {
#define GEN_PASS_DEF_CONVERTTERNARYTOLINALG
#include "tern/Conversion/Passes.h.inc"
} // namespace tern

using namespace mlir;
using namespace tern;

namespace {
/// A matrix is carried by the bytes of its storage.
struct MatrixConverter : TypeConverter {
  MatrixConverter() {
    addConversion([](Type type) { return type; });
    addConversion([](ternary::MatrixType type) -> Type {
      return RankedTensorType::get({type.getStorageBytes()},
                                   IntegerType::get(type.getContext(), 8));
    });
  }
};

struct ConvertTernaryToLinalgPass
    : tern::impl::ConvertTernaryToLinalgBase<ConvertTernaryToLinalgPass> {
  using Base::Base;

  void runOnOperation() override {
    MatrixConverter converter;
    ConversionTarget target(getContext());
    target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
    target.addIllegalDialect<ternary::TernaryDialect>();
    // On memrefs the product is past the stage of linalg on tensors: it has
    // been kept for the vector lowering.
    target.addDynamicallyLegalOp<ternary::PackedMatmulOp>(
        [this](ternary::PackedMatmulOp op) {
          return keepPackedMatmul || op.hasPureBufferSemantics();
        });
    // Heads have a lowering of their own, portable too; a trim is the host's.
    target.addLegalOp<ternary::HeadOp, ternary::TrimOp>();
    // A layer itself is decomposed by a pass of its own.
    target.addLegalOp<ternary::BitLinearOp>();
    target.addDynamicallyLegalOp<func::FuncOp>([&](func::FuncOp op) {
      return converter.isSignatureLegal(op.getFunctionType()) &&
             converter.isLegal(&op.getBody());
    });
    target.addDynamicallyLegalOp<func::CallOp, func::ReturnOp>(
        [&](Operation *op) { return converter.isLegal(op); });

    RewritePatternSet patterns(&getContext());
    ternary::populateQuantizationPatterns(patterns);
    ternary::populateProductPatterns(converter, patterns);
    ternary::populateStoragePatterns(converter, patterns);
    populateFunctionOpInterfaceTypeConversionPattern<func::FuncOp>(patterns,
                                                                   converter);
    populateCallOpTypeConversionPattern(patterns, converter);
    populateReturnOpTypeConversionPattern(patterns, converter);
    if (failed(applyPartialConversion(getOperation(), target,
                                      std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace

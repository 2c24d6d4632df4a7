//===- BufferizableOpInterfaceImpl.cpp - bufferisation of ternary ops -----===//

#include "tern/Dialect/Ternary/Transforms/Interfaces.h"

#include "tern/Dialect/Ternary/IR/Ternary.h"

#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"

using namespace mlir;
using namespace mlir::bufferization;
using namespace tern::ternary;

namespace {
struct PackedMatmulModel
    : DstBufferizableOpInterfaceExternalModel<PackedMatmulModel,
                                              PackedMatmulOp> {
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand,
                              const AnalysisState &) const {
    return cast<PackedMatmulOp>(op).isDpsInput(&operand);
  }

  // Each output element is written after all of its inputs are read, but other
  // elements of x are still to come: init must not share x's buffer, so the
  // default (operands conflict) stands.

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto matmul = cast<PackedMatmulOp>(op);
    if (matmul.hasPureBufferSemantics())
      return success();
    SmallVector<Value> buffers;
    for (Value operand : op->getOperands()) {
      FailureOr<Value> buffer = getBuffer(rewriter, operand, options, state);
      if (failed(buffer))
        return failure();
      buffers.push_back(*buffer);
    }
    PackedMatmulOp::create(rewriter, op->getLoc(), TypeRange(), buffers,
                           op->getAttrs());
    replaceOpWithBufferizedValues(rewriter, op, buffers.back());
    return success();
  }
};

/// Its init is written and not read, as above.
struct HeadModel : DstBufferizableOpInterfaceExternalModel<HeadModel, HeadOp> {
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand,
                              const AnalysisState &) const {
    return cast<HeadOp>(op).isDpsInput(&operand);
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto head = cast<HeadOp>(op);
    if (!head.isOnTensors())
      return success();
    SmallVector<Value> operands;
    for (Value operand : op->getOperands()) {
      if (!isa<TensorType>(operand.getType())) {
        operands.push_back(operand);
        continue;
      }
      FailureOr<Value> buffer = getBuffer(rewriter, operand, options, state);
      if (failed(buffer))
        return failure();
      operands.push_back(*buffer);
    }
    // The sizes of the operands' segments are among the attributes.
    HeadOp::create(rewriter, op->getLoc(), TypeRange(), operands,
                   op->getAttrs());
    replaceOpWithBufferizedValues(rewriter, op, operands.back());
    return success();
  }
};
} // namespace

void tern::ternary::registerBufferizableOpInterfaceExternalModels(
    DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, TernaryDialect *) {
    PackedMatmulOp::attachInterface<PackedMatmulModel>(*context);
    HeadOp::attachInterface<HeadModel>(*context);
  });
}

void tern::ternary::registerTernaryInterfaces(DialectRegistry &registry) {
  registerBufferizableOpInterfaceExternalModels(registry);
  registerTilingInterfaceExternalModels(registry);
}

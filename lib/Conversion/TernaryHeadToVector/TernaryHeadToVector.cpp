//===- TernaryHeadToVector.cpp - heads as vector code ---------------------===//

#include "HeadKernel.h"

#include "tern/Conversion/Passes.h"
#include "tern/Dialect/Ternary/IR/Ternary.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/SymbolTable.h"

namespace tern {
#define GEN_PASS_DEF_CONVERTTERNARYHEADTOVECTOR
#include "tern/Conversion/Passes.h.inc"
} // namespace tern

using namespace mlir;
using namespace tern;
using namespace tern::ternary;

static LogicalResult verifyLowerable(HeadOp op) {
  if (op.isOnTensors())
    return op.emitOpError("is on tensors; expected memrefs: bufferise first");
  for (Value operand : op->getOperands()) {
    auto type = dyn_cast<MemRefType>(operand.getType());
    if (type && !type.isLastDimUnitStride())
      return op.emitOpError() << "has an operand of type " << type
                              << "; expected a last dimension of stride 1";
  }
  return success();
}

/// The function that computes `op` from its operands.
static func::FuncOp createKernel(SymbolTable &symbols, HeadOp op,
                                 StringRef target, CodeProduct product) {
  auto rows = cast<MemRefType>(op.getRows().getType());
  std::string name = ("ternary_head_" + Twine(rows.getDimSize(0)) + "x" +
                      Twine(rows.getDimSize(1)) + "_" + target)
                         .str();
  OpBuilder builder(op.getContext());
  auto signature = builder.getFunctionType(op->getOperandTypes(), TypeRange());
  auto kernel = func::FuncOp::create(builder, op.getLoc(), name, signature);
  kernel.setPrivate();
  symbols.insert(kernel); // makes the name unique
  Block *body = kernel.addEntryBlock();
  builder.setInsertionPointToStart(body);
  HeadOperands operands = {};
  operands.x = body->getArgument(0);
  operands.rows = body->getArgument(1);
  operands.best = body->getArgument(2);
  if (op.getCodes()) {
    operands.codes = body->getArgument(3);
    operands.bounds = body->getArgument(4);
  }
  operands.out = body->getArguments().back();
  buildHead(builder, op.getLoc(), product, op.getRounding().has_value(),
            operands);
  func::ReturnOp::create(builder, op.getLoc());
  return kernel;
}

namespace {
struct ConvertTernaryHeadToVectorPass
    : tern::impl::ConvertTernaryHeadToVectorBase<
          ConvertTernaryHeadToVectorPass> {
  using Base::Base;

  void runOnOperation() override {
    std::optional<CodeProduct> product = CodeProduct::get(target);
    if (!product) {
      emitError(getOperation().getLoc())
          << "unknown target '" << target
          << "'; expected generic, avx2, avxvnni, avx512vnni, avx512vbmi, zen4 "
             "or amx";
      return signalPassFailure();
    }
    SmallVector<HeadOp> heads;
    WalkResult result = getOperation().walk([&](HeadOp op) {
      heads.push_back(op);
      return WalkResult(verifyLowerable(op));
    });
    if (result.wasInterrupted())
      return signalPassFailure();
    SymbolTable symbols(getOperation());
    // A model has one head, or few: each gets its function.
    for (HeadOp op : heads) {
      func::FuncOp kernel = createKernel(symbols, op, target, *product);
      OpBuilder builder(op);
      func::CallOp::create(builder, op.getLoc(), kernel, op->getOperands());
      op.erase();
    }
  }
};
} // namespace

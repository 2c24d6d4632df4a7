//===- OnnxToTernary.cpp - finds the ternary layers of a graph ------------===//

#include "tern/Conversion/Passes.h"

#include "Raising.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/StringSwitch.h"

namespace tern {
#define GEN_PASS_DEF_CONVERTONNXTOTERNARY
#include "tern/Conversion/Passes.h.inc"
} // namespace tern

using namespace mlir;
using namespace tern;
using tern::onnx::ConstantOp;
using tern::onnx::NodeOp;
using tern::onnx::NoneOp;

using RaisingFn = LogicalResult (*)(const Matcher &, NodeOp);

/// What raises a node of this operator, or null.
static RaisingFn getRaising(StringRef kind) {
  return llvm::StringSwitch<RaisingFn>(kind)
      .Case("MatMul", raiseMatMul)
      .Case("Gemm", raiseGemm)
      .Case("MatMulInteger", raiseMatMulInteger)
      .Case("QLinearMatMul", raiseQLinearMatMul)
      .Case("com.microsoft::MatMulNBits", raiseMatMulNBits)
      .Default(nullptr);
}

namespace {

struct ConvertOnnxToTernaryPass
    : tern::impl::ConvertOnnxToTernaryBase<ConvertOnnxToTernaryPass> {
  using Base::Base;
  void runOnOperation() override;
};

} // namespace

/// Erases what produced the weights and codes of raised layers.
static void eraseUnusedNodes(func::FuncOp function) {
  SmallVector<Operation *> nodes;
  function.walk([&](Operation *op) {
    if (isa<NodeOp, ConstantOp, NoneOp>(op))
      nodes.push_back(op);
  });
  // Users come after what they use.
  for (Operation *op : llvm::reverse(nodes))
    if (isOpTriviallyDead(op))
      op->erase();
}

void ConvertOnnxToTernaryPass::runOnOperation() {
  Matcher matcher;
  getOperation().walk([&](NodeOp node) {
    if (node.is("Split"))
      replaceSplitOfConstant(matcher, node);
  });
  SmallVector<NodeOp> layers;
  getOperation().walk([&](NodeOp node) {
    if (getRaising(node.getKind()) && node->getNumResults() == 1)
      layers.push_back(node);
  });
  // Every malformed layer is reported, not the first alone.
  bool isMalformed = false;
  for (NodeOp node : layers)
    isMalformed |= failed(getRaising(node.getKind())(matcher, node));
  if (isMalformed)
    return signalPassFailure();
  eraseUnusedNodes(getOperation());
}

//===- FoldConstants.cpp - evaluates nodes on constants -------------------===//

#include "tern/Dialect/Onnx/Transforms/Passes.h"

#include "tern/Dialect/Onnx/Evaluate/ConstantEvaluator.h"
#include "tern/Dialect/Onnx/IR/Onnx.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Remarks.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/StringSwitch.h"

namespace tern::onnx {
#define GEN_PASS_DEF_FOLDCONSTANTS
#include "tern/Dialect/Onnx/Transforms/Passes.h.inc"
} // namespace tern::onnx

using namespace mlir;
using namespace tern::onnx;

/// Operators that compute nothing new: the value is its input moved, widened
/// or repeated, and a consumer can do that as it reads.
static bool onlyMovesElements(NodeOp node) {
  return llvm::StringSwitch<bool>(node.getKind())
      .Cases({"Cast", "CastLike", "Identity", "DequantizeLinear"}, true)
      .Cases({"Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze"}, true)
      .Cases({"Expand", "ConstantOfShape"}, true)
      .Default(false);
}

/// Gives the users of `node` the constant. Nodes take a type that says more
/// than the one inferred; other users keep the type they had. Fails where the
/// types contradict each other.
static LogicalResult replaceWithConstant(NodeOp node, ElementsAttr value) {
  Value old = node->getResult(0);
  if (value.getType() != old.getType() &&
      !tensor::CastOp::areCastCompatible(value.getType(), old.getType()))
    return failure();
  OpBuilder builder(node);
  Value constant = ConstantOp::create(builder, node.getLoc(), value);
  old.replaceUsesWithIf(
      constant, [](OpOperand &use) { return isa<NodeOp>(use.getOwner()); });
  if (old.use_empty())
    return success();
  if (constant.getType() != old.getType())
    constant =
        tensor::CastOp::create(builder, node.getLoc(), old.getType(), constant);
  old.replaceAllUsesWith(constant);
  return success();
}

namespace {

/// Folds the constant part of one function.
class ConstantFolder {
public:
  ConstantFolder(func::FuncOp func, const FoldConstantsOptions &options)
      : func(func), options(options), evaluator({}, options.freeBytes) {}
  void run();

private:
  bool isFoldable(NodeOp node) const;
  bool fold(NodeOp node);
  /// Says why `value` was not evaluated where the reason is its size.
  void reportSize(Value value);

  func::FuncOp func;
  const FoldConstantsOptions options;
  ConstantEvaluator evaluator;
  /// Nodes with constant inputs only, in the order of the function.
  llvm::SetVector<Operation *> constantNodes;
  /// Whose size was said to be in the way.
  llvm::DenseSet<Operation *> reported;
};

struct FoldConstantsPass
    : tern::onnx::impl::FoldConstantsBase<FoldConstantsPass> {
  using Base::Base;

  void runOnOperation() override {
    ConstantFolder(getOperation(), {largeBytes, freeBytes, maxDenseElements})
        .run();
  }
};

} // namespace

bool ConstantFolder::isFoldable(NodeOp node) const {
  if (!evaluator.canEvaluate(node))
    return false;
  // Some nodes look at an input's type only.
  if (node.is("Shape") || node.is("Size") || node.is("CastLike"))
    return evaluator.isConstant(node->getResult(0));
  return llvm::all_of(node.getInputs(), [&](Value input) {
    Operation *producer = input.getDefiningOp();
    return isa_and_nonnull<ConstantOp, NoneOp>(producer) ||
           constantNodes.contains(producer);
  });
}

void ConstantFolder::reportSize(Value value) {
  std::optional<TooLarge> found = evaluator.findTooLarge(value);
  if (!found || !reported.insert(found->node).second)
    return;
  std::string text =
      (found->node.getKind() + ": its " + Twine(found->bytes) +
       " bytes are computed in each run: more than the " + Twine(found->most) +
       " that may be computed when compiling")
          .str();
  remark::missed(found->node.getLoc(),
                 remark::RemarkOpts::name("computed").category("tern-raise"))
      << remark::reason("{0}", text);
}

/// Replaces `node` by its value; false where it stays.
bool ConstantFolder::fold(NodeOp node) {
  Value result = node->getResult(0);
  if (onlyMovesElements(node) &&
      getTensorBytes(result.getType()) > options.largeBytes)
    return false;
  std::optional<Tensor> value = evaluator.evaluate(result);
  if (!value)
    reportSize(result);
  return value && succeeded(replaceWithConstant(
                      node, value->toAttr(func.getContext(), "folded",
                                          options.maxDenseElements)));
}

void ConstantFolder::run() {
  func.walk([&](NodeOp node) {
    if (isFoldable(node))
      constantNodes.insert(node);
  });

  // Only what leaves the constant part is materialised, and where that is
  // declined, what it reads.
  SmallVector<Operation *> worklist;
  for (Operation *node : constantNodes)
    if (llvm::any_of(node->getUsers(), [&](Operation *user) {
          return !constantNodes.contains(user);
        }))
      worklist.push_back(node);
  llvm::DenseSet<Operation *> seen(worklist.begin(), worklist.end());
  for (size_t i = 0; i < worklist.size(); ++i) {
    if (fold(cast<NodeOp>(worklist[i])))
      continue;
    for (Value input : worklist[i]->getOperands())
      if (Operation *producer = input.getDefiningOp();
          constantNodes.contains(producer) && seen.insert(producer).second)
        worklist.push_back(producer);
  }

  for (Operation *node : llvm::reverse(constantNodes))
    if (node->use_empty())
      node->erase();
}

//===- LanguageModel.cpp - the roles of a language model's arguments ------===//

#include "tern/Dialect/Onnx/Analysis/LanguageModel.h"

#include "tern/Dialect/Onnx/IR/Onnx.h"

using namespace mlir;
using namespace tern::onnx;

/// `type` as a ranked tensor type if it has this rank, else null.
static RankedTensorType getTensorOfRank(Type type, int64_t rank) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.getRank() == rank ? tensor : RankedTensorType();
}

/// True if `argument` picks rows of a two-dimensional float table.
static bool looksRowsUp(BlockArgument argument) {
  if (!getElementTypeOrSelf(argument.getType()).isInteger(64))
    return false;
  return llvm::any_of(argument.getUses(), [](OpOperand &use) {
    auto node = dyn_cast<NodeOp>(use.getOwner());
    if (!node || !node.is("Gather") || use.getOperandNumber() != 1 ||
        node.getInt("axis", 0) != 0)
      return false;
    auto table = getTensorOfRank(node.getInputs()[0].getType(), 2);
    return table && isa<FloatType>(table.getElementType());
  });
}

/// The cache that `argument` is the past of, if it is one.
static std::optional<KVCache> findCache(BlockArgument argument,
                                        func::ReturnOp results) {
  auto type = getTensorOfRank(argument.getType(), 4);
  if (!type || !isa<FloatType>(type.getElementType()))
    return std::nullopt;
  for (OpOperand &use : argument.getUses()) {
    auto node = dyn_cast<NodeOp>(use.getOwner());
    if (!node || !node.is("Concat") || use.getOperandNumber() != 0 ||
        node.getInputs().size() != 2)
      continue;
    int64_t axis = node.getInt("axis", 0);
    axis = axis < 0 ? axis + type.getRank() : axis;
    for (OpOperand &returned : results->getOpOperands())
      if (returned.get() == node.getOutputs()[0])
        return KVCache{argument.getArgNumber(), returned.getOperandNumber(),
                       axis};
  }
  return std::nullopt;
}

/// The result that holds the logits: the only float of rank 3 whose last
/// dimension is known and that is no cache.
static std::optional<unsigned> findLogits(func::ReturnOp results) {
  std::optional<unsigned> found;
  for (OpOperand &returned : results->getOpOperands()) {
    auto type = getTensorOfRank(returned.get().getType(), 3);
    if (!type || !isa<FloatType>(type.getElementType()) || type.isDynamicDim(2))
      continue;
    if (found)
      return std::nullopt;
    found = returned.getOperandNumber();
  }
  return found;
}

static StringRef getName(BlockArgument argument) {
  auto graph = cast<func::FuncOp>(argument.getOwner()->getParentOp());
  auto name =
      graph.getArgAttrOfType<StringAttr>(argument.getArgNumber(), "onnx.name");
  return name ? name.getValue() : StringRef();
}

/// Sorts an integer argument that is not the token ids into its role.
static void assignIntegerArgument(BlockArgument argument,
                                  LanguageModel &model) {
  StringRef name = getName(argument);
  unsigned index = argument.getArgNumber();
  if (name.contains("mask") && !model.attentionMask)
    model.attentionMask = index;
  else if (name.contains("position") && !model.positionIds)
    model.positionIds = index;
  else
    model.unknown.push_back(index);
}

std::optional<LanguageModel> tern::onnx::findLanguageModel(func::FuncOp graph) {
  if (graph.isExternal())
    return std::nullopt;
  auto results = cast<func::ReturnOp>(graph.front().getTerminator());
  LanguageModel model;
  auto *ids = llvm::find_if(graph.getArguments(), [](BlockArgument argument) {
    // Learned positions are looked up as well.
    return getTensorOfRank(argument.getType(), 2) && looksRowsUp(argument) &&
           !getName(argument).contains("position");
  });
  std::optional<unsigned> logits = findLogits(results);
  if (ids == graph.getArguments().end() || !logits)
    return std::nullopt;
  model.inputIds = ids->getArgNumber();
  model.logits = *logits;
  model.vocab = cast<RankedTensorType>(results.getOperand(*logits).getType())
                    .getDimSize(2);
  for (BlockArgument argument : graph.getArguments()) {
    unsigned index = argument.getArgNumber();
    if (index == model.inputIds)
      continue;
    if (std::optional<KVCache> cache = findCache(argument, results))
      model.caches.push_back(*cache);
    else if (getTensorOfRank(argument.getType(), 2) &&
             getElementTypeOrSelf(argument.getType()).isInteger(64))
      assignIntegerArgument(argument, model);
    else
      model.unknown.push_back(index);
  }
  return model;
}

int64_t tern::onnx::getContextLength(ModuleOp module, int64_t asked) {
  constexpr int64_t kDefault = 2048, kMax = 1 << 24;
  if (asked > 0)
    return asked;
  auto metadata = module->getAttrOfType<DictionaryAttr>("onnx.metadata");
  auto said = metadata ? metadata.getAs<StringAttr>("tern.context") : nullptr;
  int64_t value = 0;
  bool valid = said && !said.getValue().getAsInteger(10, value) && value > 0 &&
               value <= kMax;
  return valid ? value : kDefault;
}

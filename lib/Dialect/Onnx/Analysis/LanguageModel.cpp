//===- LanguageModel.cpp - the roles of a language model's arguments ------===//

#include "tern/Dialect/Onnx/Analysis/LanguageModel.h"

#include "tern/Dialect/Onnx/IR/Attention.h"
#include "tern/Dialect/Onnx/IR/GroupQueryAttention.h"

#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace tern::onnx;

using Port = GroupQueryAttentionPort;

/// `type` as a ranked tensor type if it has this rank, else null.
static RankedTensorType getTensorOfRank(Type type, int64_t rank) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.getRank() == rank ? tensor : RankedTensorType();
}

StringRef tern::onnx::getArgumentName(func::FuncOp graph, unsigned index) {
  auto name = graph.getArgAttrOfType<StringAttr>(index, "onnx.name");
  return name ? name.getValue() : StringRef();
}

static StringRef getName(BlockArgument argument) {
  return getArgumentName(cast<func::FuncOp>(argument.getOwner()->getParentOp()),
                         argument.getArgNumber());
}

//===----------------------------------------------------------------------===//
// Where an argument's elements arrive
//===----------------------------------------------------------------------===//

/// True where the node's first input leaves it with the same elements.
static bool keepsElements(NodeOp node) {
  return llvm::StringSwitch<bool>(node.getKind())
      .Cases({"Cast", "Identity", "Reshape", "Flatten"}, true)
      .Cases({"Squeeze", "Unsqueeze"}, true)
      .Default(false);
}

/// Calls `visit` for every use of the argument's elements by a node that does
/// more than reshape or cast them, until it returns true.
static bool anyUse(BlockArgument argument,
                   function_ref<bool(NodeOp, unsigned)> visit) {
  SmallVector<Value> worklist = {argument};
  while (!worklist.empty()) {
    for (OpOperand &use : worklist.pop_back_val().getUses()) {
      auto node = dyn_cast<NodeOp>(use.getOwner());
      if (!node)
        continue;
      if (use.getOperandNumber() == 0 && keepsElements(node))
        worklist.push_back(node.getOutputs()[0]);
      else if (visit(node, use.getOperandNumber()))
        return true;
    }
  }
  return false;
}

BlockArgument tern::onnx::findSourceArgument(Value value) {
  while (auto node = value.getDefiningOp<NodeOp>()) {
    if (!keepsElements(node))
      return {};
    value = node.getInputs()[0];
  }
  return dyn_cast<BlockArgument>(value);
}

/// True if `argument` picks rows of a table of `rows` rows.
static bool looksRowsUp(BlockArgument argument, int64_t rows) {
  auto type = getTensorOfRank(argument.getType(), 2);
  if (!type || !type.getElementType().isInteger(64))
    return false;
  return anyUse(argument, [&](NodeOp node, unsigned operand) {
    if (!node.is("Gather") || operand != 1 || node.getInt("axis", 0) != 0)
      return false;
    auto table = getTensorOfRank(node.getInputs()[0].getType(), 2);
    return table && table.getDimSize(0) == rows;
  });
}

//===----------------------------------------------------------------------===//
// Caches
//===----------------------------------------------------------------------===//

namespace {
/// An operand of a node that takes a cache, and the output that gives it back.
struct CachePort {
  CacheForm form;
  unsigned output;
  int64_t axis;
};
} // namespace

static std::optional<CachePort> getCachePort(NodeOp node, unsigned operand,
                                             int64_t rank) {
  auto axisOr = [&](int64_t fallback) {
    int64_t axis = node.getInt("axis", fallback);
    return axis < 0 ? axis + rank : axis;
  };
  if (node.is("Concat") && operand == 0 && node.getInputs().size() == 2)
    return CachePort{CacheForm::Concat, 0, axisOr(0)};
  if (node.is("Attention") && (operand == AttentionPort::PastKey ||
                               operand == AttentionPort::PastValue))
    return CachePort{
        CacheForm::Attention,
        operand - AttentionPort::PastKey + AttentionPort::PresentKey, 2};
  if (node.is("com.microsoft::GroupQueryAttention") &&
      (operand == Port::PastKey || operand == Port::PastValue))
    return CachePort{CacheForm::GroupQueryAttention,
                     operand - Port::PastKey + 1, 2};
  if (node.is("TensorScatter") && operand == 0 &&
      node.getString("mode", "linear") == "linear")
    return CachePort{CacheForm::TensorScatter, 0, axisOr(-2)};
  return std::nullopt;
}

/// True where the node's result is its first input.
static bool isCopy(NodeOp node) {
  return node.is("Identity") ||
         (node.is("Concat") && node.getInputs().size() == 1) ||
         (node.is("Cast") &&
          node.getInputs()[0].getType() == node.getOutputs()[0].getType());
}

Value tern::onnx::lookThroughCopies(Value value) {
  for (auto node = value.getDefiningOp<NodeOp>(); node && isCopy(node);
       node = value.getDefiningOp<NodeOp>())
    value = node.getInputs()[0];
  return value;
}

/// The cache that `argument` is the past of, if it is one; `value` is a copy of
/// it.
static std::optional<KVCache> findCache(BlockArgument argument,
                                        func::ReturnOp results, Value value) {
  auto type = getTensorOfRank(argument.getType(), 4);
  if (!type || !isa<FloatType>(type.getElementType()))
    return std::nullopt;
  for (OpOperand &use : value.getUses()) {
    auto node = dyn_cast<NodeOp>(use.getOwner());
    if (node && isCopy(node)) {
      if (auto found = findCache(argument, results, node.getOutputs()[0]))
        return found;
      continue;
    }
    std::optional<CachePort> port =
        node ? getCachePort(node, use.getOperandNumber(), type.getRank())
             : std::nullopt;
    if (!port || port->output >= node.getOutputs().size())
      continue;
    for (OpOperand &returned : results->getOpOperands())
      if (lookThroughCopies(returned.get()) == node.getOutputs()[port->output])
        return KVCache{argument.getArgNumber(), returned.getOperandNumber(),
                       port->axis, port->form};
  }
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Integer arguments
//===----------------------------------------------------------------------===//

/// The role that input `operand` of `node` gives to what it reads.
static std::optional<SequenceRole> getRole(NodeOp node, unsigned operand) {
  if (node.is("com.microsoft::GroupQueryAttention")) {
    if (operand == Port::SeqLens)
      return SequenceRole::LastPosition;
    if (operand == Port::TotalLength)
      return SequenceRole::TotalLength;
    if (operand == Port::PositionIds)
      return SequenceRole::Positions;
  }
  if (node.is("TensorScatter") && operand == 2)
    return SequenceRole::PastLength;
  if (node.is("Attention") && operand == AttentionPort::KeyCounts)
    return SequenceRole::TotalLength;
  if ((node.is("RotaryEmbedding") && operand == 3) ||
      (node.is("com.microsoft::RotaryEmbedding") && operand == 1))
    return SequenceRole::Positions;
  return std::nullopt;
}

static std::optional<SequenceRole> getRoleByName(StringRef name, int64_t rank) {
  bool isLength = name.contains("len");
  if (name.contains("position") && rank > 0)
    return SequenceRole::Positions;
  if (isLength && name.contains("past"))
    return SequenceRole::PastLength;
  if (isLength && name.contains("total"))
    return SequenceRole::TotalLength;
  return std::nullopt;
}

/// True if a value of this role fits `type` for one sequence.
static bool canHold(RankedTensorType type, SequenceRole role) {
  auto mayBeOne = [](int64_t size) {
    return size == 1 || ShapedType::isDynamic(size);
  };
  ArrayRef<int64_t> leading = type.getShape();
  if (role == SequenceRole::Positions) {
    if (leading.empty() || leading.size() > 2 ||
        !ShapedType::isDynamic(leading.back()))
      return false;
    leading = leading.drop_back();
  }
  return leading.size() <= 2 && llvm::all_of(leading, mayBeOne);
}

/// Sorts an integer argument that is not the token ids into its role.
static void assignIntegerArgument(BlockArgument argument,
                                  LanguageModel &model) {
  StringRef name = getName(argument);
  unsigned index = argument.getArgNumber();
  auto type = cast<RankedTensorType>(argument.getType());
  bool isMatrix = type.getRank() == 2 && type.getElementType().isInteger(64);
  if (isMatrix && name.contains("mask") && !model.attentionMask) {
    model.attentionMask = index;
    return;
  }
  std::optional<SequenceRole> role;
  anyUse(argument, [&](NodeOp node, unsigned operand) {
    role = getRole(node, operand);
    return role.has_value();
  });
  if (!role)
    role = getRoleByName(name, type.getRank());
  if (!role || !canHold(type, *role))
    model.unknown.push_back(index);
  else if (isMatrix && role == SequenceRole::Positions && !model.positionIds)
    model.positionIds = index;
  else
    model.sequenceArguments.push_back({index, *role});
}

//===----------------------------------------------------------------------===//
// The model
//===----------------------------------------------------------------------===//

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

bool LanguageModel::runsWithoutStep() const {
  return sequenceArguments.empty() &&
         llvm::none_of(caches, [](const KVCache &kv) {
           return kv.form == CacheForm::TensorScatter;
         });
}

bool LanguageModel::hasRole(BlockArgument argument, SequenceRole role) const {
  return llvm::any_of(sequenceArguments, [&](const SequenceArgument &known) {
    return known.index == argument.getArgNumber() && known.role == role;
  });
}

std::optional<LanguageModel> tern::onnx::findLanguageModel(func::FuncOp graph) {
  if (graph.isExternal())
    return std::nullopt;
  auto results = cast<func::ReturnOp>(graph.front().getTerminator());
  std::optional<unsigned> logits = findLogits(results);
  if (!logits)
    return std::nullopt;
  LanguageModel model;
  model.logits = *logits;
  model.vocab = cast<RankedTensorType>(results.getOperand(*logits).getType())
                    .getDimSize(2);
  auto *ids = llvm::find_if(graph.getArguments(), [&](BlockArgument argument) {
    // Learned positions are looked up as well.
    return looksRowsUp(argument, model.vocab) &&
           !getName(argument).contains("position");
  });
  if (ids == graph.getArguments().end())
    return std::nullopt;
  model.inputIds = ids->getArgNumber();
  for (BlockArgument argument : graph.getArguments()) {
    unsigned index = argument.getArgNumber();
    if (index == model.inputIds)
      continue;
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    if (std::optional<KVCache> cache = findCache(argument, results, argument))
      model.caches.push_back(*cache);
    else if (type && type.getElementType().isSignlessInteger() &&
             type.getElementTypeBitWidth() >= 32)
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

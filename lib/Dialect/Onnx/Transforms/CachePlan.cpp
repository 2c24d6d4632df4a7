//===- CachePlan.cpp - may the caches of a graph be in place? -------------===//

#include "CachePlan.h"

#include "tern/Dialect/Onnx/IR/Attention.h"
#include "tern/Dialect/Onnx/IR/GroupQueryAttention.h"

#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace tern::onnx;

using Port = GroupQueryAttentionPort;

//===----------------------------------------------------------------------===//
// Arguments
//===----------------------------------------------------------------------===//

static std::string quoteArgument(func::FuncOp graph, unsigned index) {
  return "input '" + getArgumentName(graph, index).str() + "'";
}

static std::string quote(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << "'" << type << "'";
  return text;
}

/// True if `type` may hold one sequence, of as many positions along `axis` as a
/// call has.
static bool holdsOneSequence(Type type, int64_t axis) {
  auto tensor = cast<RankedTensorType>(type);
  return (tensor.isDynamicDim(0) || tensor.getDimSize(0) == 1) &&
         tensor.isDynamicDim(axis);
}

GraphAssumptions tern::onnx::getAssumptions(func::FuncOp graph,
                                            const LanguageModel &model) {
  GraphAssumptions assumptions;
  if (model.attentionMask)
    assumptions.ones.push_back(graph.getArgument(*model.attentionMask));
  for (const KVCache &kv : model.caches)
    if (kv.form != CacheForm::TensorScatter)
      assumptions.past = {graph.getArgument(kv.past), kv.axis};
  // A cache of another kind does not show how long the past is.
  if (model.positionIds && (model.caches.empty() || assumptions.past.cache))
    assumptions.positions.push_back(graph.getArgument(*model.positionIds));
  return assumptions;
}

std::optional<Refusal> tern::onnx::checkArguments(func::FuncOp graph,
                                                  const LanguageModel &model) {
  if (!model.unknown.empty())
    return Refusal{graph.getLoc(),
                   quoteArgument(graph, model.unknown.front()) +
                       " has no role in generating text; expected token ids, "
                       "an attention mask, positions or a KV cache"};
  for (std::optional<unsigned> index :
       {std::optional(model.inputIds), model.attentionMask, model.positionIds})
    if (index && !holdsOneSequence(graph.getArgumentTypes()[*index], 1))
      return Refusal{graph.getLoc(),
                     quoteArgument(graph, *index) + " has type " +
                         quote(graph.getArgumentTypes()[*index]) +
                         "; expected one sequence of any length"};
  if (!holdsOneSequence(graph.getResultTypes()[model.logits], 1))
    return Refusal{graph.getLoc(),
                   "the logits have type " +
                       quote(graph.getResultTypes()[model.logits]) +
                       "; expected one sequence of any length"};
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Caches
//===----------------------------------------------------------------------===//

namespace {
/// Plans the buffers of one graph.
class CachePlanner {
public:
  CachePlanner(func::FuncOp graph, const LanguageModel &model, int64_t context)
      : graph(graph), model(model), context(context),
        evaluator(graph, getAssumptions(graph, model)) {
    findTotals();
  }

  std::optional<Refusal> check(const KVCache &kv);
  /// Null where heads or head size are not known.
  RankedTensorType getBufferType(const KVCache &kv);

private:
  std::optional<Refusal> checkAttention(NodeOp node, unsigned pastKey);
  std::optional<Refusal> checkGroupQueryAttention(NodeOp node);
  std::optional<Refusal> checkScatter(NodeOp node);
  void findTotals();
  bool isLength(Value value, SequenceRole role);
  std::optional<Refusal> expect(NodeOp node, unsigned input, StringRef name,
                                SequenceRole role);
  NodeOp getNode(const KVCache &kv);

  func::FuncOp graph;
  const LanguageModel &model;
  int64_t context;
  SymbolicEvaluator evaluator;
  Polynomial count;
  /// What past and tokens are together: the mask's length, or their sum.
  SmallVector<Polynomial, 0> totals;
};
} // namespace

NodeOp CachePlanner::getNode(const KVCache &kv) {
  auto results = cast<func::ReturnOp>(graph.front().getTerminator());
  return lookThroughCopies(results.getOperand(kv.present))
      .getDefiningOp<NodeOp>();
}

void CachePlanner::findTotals() {
  auto sizeOf = [&](unsigned argument, int64_t dim) {
    return (*evaluator.getShape(graph.getArgument(argument)))[dim];
  };
  count = sizeOf(model.inputIds, 1);
  if (model.attentionMask)
    totals.push_back(sizeOf(*model.attentionMask, 1));
  for (const KVCache &kv : model.caches)
    if (kv.form != CacheForm::TensorScatter)
      totals.push_back(sizeOf(kv.past, kv.axis) + count);
}

/// Whether the only element of `value`, for one sequence, is what `role` says.
bool CachePlanner::isLength(Value value, SequenceRole role) {
  if (BlockArgument argument = findSourceArgument(value))
    return model.hasRole(argument, role);
  std::optional<Polynomials> shape = evaluator.getShape(value);
  if (!shape)
    return false;
  SymbolicElement element =
      evaluator.getElement(value, Polynomials(shape->size()));
  const Polynomial *found = element.getInteger();
  return found && llvm::any_of(totals, [&](const Polynomial &total) {
           Polynomial less = role == SequenceRole::LastPosition ? 1
                             : role == SequenceRole::PastLength ? count
                                                                : 0;
           return *found == total - less;
         });
}

/// Checks that `input`, one integer for each sequence, is what `role` says.
std::optional<Refusal> CachePlanner::expect(NodeOp node, unsigned input,
                                            StringRef name, SequenceRole role) {
  Value value = node.getInput(input);
  if (value && isLength(value, role))
    return std::nullopt;
  return Refusal{node.getLoc(),
                 (Twine(name) + " of " + node.getKind() +
                  (value ? " is not understood" : " is missing") +
                  "; expected it to follow from the lengths of past and tokens")
                     .str()};
}

/// Keys and values have to be caches both.
std::optional<Refusal> CachePlanner::checkAttention(NodeOp node,
                                                    unsigned pastKey) {
  for (unsigned input : {pastKey, pastKey + 1}) {
    Value past = node.getInput(input);
    auto argument =
        past ? dyn_cast<BlockArgument>(lookThroughCopies(past)) : nullptr;
    bool isCache =
        argument && llvm::any_of(model.caches, [&](auto &kv) {
          return kv.past == argument.getArgNumber() && getNode(kv) == node;
        });
    if (!isCache)
      return Refusal{node.getLoc(),
                     "only one of past_key and past_value is a cache that is "
                     "returned; expected both"};
  }
  return std::nullopt;
}

std::optional<Refusal> CachePlanner::checkGroupQueryAttention(NodeOp node) {
  if (std::optional<Refusal> refusal =
          expect(node, Port::SeqLens, "seqlens_k", SequenceRole::LastPosition))
    return refusal;
  return expect(node, Port::TotalLength, "total_sequence_length",
                SequenceRole::TotalLength);
}

std::optional<Refusal> CachePlanner::checkScatter(NodeOp node) {
  return expect(node, 2, "write_indices", SequenceRole::PastLength);
}

std::optional<Refusal> CachePlanner::check(const KVCache &kv) {
  NodeOp node = getNode(kv);
  Type type = graph.getArgumentTypes()[kv.past];
  auto tensor = cast<RankedTensorType>(type);
  bool mayBeOne = tensor.isDynamicDim(0) || tensor.getDimSize(0) == 1;
  bool grows = kv.form != CacheForm::TensorScatter;
  if (kv.axis == 0 || !mayBeOne || (grows && !tensor.isDynamicDim(kv.axis)) ||
      !getBufferType(kv))
    return Refusal{node.getLoc(),
                   quoteArgument(graph, kv.past) + " has type " + quote(type) +
                       "; expected a cache of one sequence, of any length, of "
                       "known heads and head size"};
  switch (kv.form) {
  case CacheForm::Concat:
    return std::nullopt;
  case CacheForm::Attention:
    return checkAttention(node, AttentionPort::PastKey);
  case CacheForm::GroupQueryAttention:
    if (std::optional<Refusal> refusal = checkAttention(node, Port::PastKey))
      return refusal;
    return checkGroupQueryAttention(node);
  case CacheForm::TensorScatter:
    return checkScatter(node);
  }
  llvm_unreachable("covered switch");
}

RankedTensorType CachePlanner::getBufferType(const KVCache &kv) {
  NodeOp node = getNode(kv);
  auto type = cast<RankedTensorType>(graph.getArgumentTypes()[kv.past]);
  auto present = dyn_cast<RankedTensorType>(graph.getResultTypes()[kv.present]);
  SmallVector<int64_t> shape(type.getShape());
  if (present && present.getRank() == type.getRank())
    for (auto [size, other] : llvm::zip_equal(shape, present.getShape()))
      size = ShapedType::isDynamic(size) ? other : size;
  if (kv.form == CacheForm::GroupQueryAttention) {
    int64_t heads = node.getInt("kv_num_heads", 0);
    shape[1] = heads > 0 ? heads : ShapedType::kDynamic;
    shape[3] = getHeadSize(node).value_or(ShapedType::kDynamic);
  }
  shape[0] = 1;
  // A cache that is written at an index may have a length of its own.
  if (kv.form != CacheForm::TensorScatter || type.isDynamicDim(kv.axis))
    shape[kv.axis] = context;
  if (ShapedType::isDynamicShape(shape))
    return {};
  return RankedTensorType::get(shape, type.getElementType());
}

std::optional<Refusal>
tern::onnx::planCaches(func::FuncOp graph, const LanguageModel &model,
                       int64_t context,
                       SmallVectorImpl<RankedTensorType> &types) {
  CachePlanner planner(graph, model, context);
  for (const KVCache &kv : model.caches) {
    if (std::optional<Refusal> refusal = planner.check(kv))
      return refusal;
    types.push_back(planner.getBufferType(kv));
  }
  return std::nullopt;
}

//===- TableLimit.cpp - how many positions tables have --------------------===//

#include "TableLimit.h"

#include "CachePlan.h"

#include "tern/Dialect/Onnx/IR/GroupQueryAttention.h"

using namespace mlir;
using namespace tern::onnx;

namespace {
class TableSearch {
public:
  TableSearch(func::FuncOp graph, const LanguageModel &model);

  void visit(NodeOp node);

  std::optional<TableLimit> found;

private:
  /// What the elements of `value` are more than the position of the token that
  /// they belong to; nullopt where they are no positions.
  std::optional<int64_t> getOffset(Value value);
  void visitLookup(NodeOp node, Value table, int64_t dim, Value positions);
  void visitSlice(NodeOp node);
  void limit(NodeOp node, Value table, int64_t dim, int64_t offset);

  const LanguageModel &model;
  SymbolicEvaluator evaluator;
  Polynomial count, past, total; ///< tokens, before them, and both
};
} // namespace

TableSearch::TableSearch(func::FuncOp graph, const LanguageModel &model)
    : model(model), evaluator(graph, getAssumptions(graph, model)) {
  count = (*evaluator.getShape(graph.getArgument(model.inputIds)))[1];
  for (const KVCache &kv : model.caches)
    if (kv.form != CacheForm::TensorScatter)
      past = (*evaluator.getShape(graph.getArgument(kv.past)))[kv.axis];
  total = past + count;
}

std::optional<int64_t> TableSearch::getOffset(Value value) {
  BlockArgument argument = findSourceArgument(value);
  if (argument && (model.positionIds == argument.getArgNumber() ||
                   model.hasRole(argument, SequenceRole::Positions)))
    return 0;
  std::optional<Polynomials> shape = evaluator.getShape(value);
  if (!shape)
    return std::nullopt;
  Polynomials index;
  for (const Polynomial &size : *shape)
    index.push_back(evaluator.createCoordinate(size));
  SymbolicElement element = evaluator.getElement(value, index);
  const Polynomial *integer = element.getInteger();
  for (auto [size, coordinate] : llvm::zip_equal(*shape, index)) {
    bool isToken = evaluator.isSameSize(size, count);
    if (!integer || (!isToken && !evaluator.isSameSize(size, total)))
      continue;
    // The tokens stand behind the past, or all positions are there.
    Polynomial position = isToken ? coordinate + past : coordinate;
    if (std::optional<int64_t> offset = (*integer - position).getConstant())
      return offset;
  }
  return std::nullopt;
}

void TableSearch::limit(NodeOp node, Value table, int64_t dim, int64_t offset) {
  std::optional<Polynomials> shape = evaluator.getShape(table);
  if (!shape || dim < 0 || dim >= static_cast<int64_t>(shape->size()))
    return;
  std::optional<int64_t> rows = (*shape)[dim].getConstant();
  if (!rows || *rows - offset < 1 ||
      (found && found->positions <= *rows - offset))
    return;
  found = TableLimit{node.getLoc(), node.getKind().str(), *rows - offset};
}

void TableSearch::visitLookup(NodeOp node, Value table, int64_t dim,
                              Value positions) {
  if (!table || !positions)
    return;
  if (std::optional<int64_t> offset = getOffset(positions))
    limit(node, table, dim, *offset);
}

/// A slice that has the sequence's length, if the table has: its size is known
/// by nothing else.
void TableSearch::visitSlice(NodeOp node) {
  std::optional<Polynomials> shape = evaluator.getShape(node->getResult(0));
  for (auto [dim, size] : llvm::enumerate(shape.value_or(Polynomials())))
    if (evaluator.isSameSize(size, count) || evaluator.isSameSize(size, total))
      limit(node, node.getInputs()[0], dim, /*offset=*/0);
}

void TableSearch::visit(NodeOp node) {
  using Port = GroupQueryAttentionPort;
  if (node.is("Gather") && node.getInputs().size() == 2) {
    auto type = dyn_cast<RankedTensorType>(node.getInputs()[0].getType());
    int64_t axis = node.getInt("axis", 0);
    if (type)
      visitLookup(node, node.getInputs()[0],
                  axis < 0 ? axis + type.getRank() : axis, node.getInputs()[1]);
  } else if (node.is("Slice") && !node.getInputs().empty()) {
    visitSlice(node);
  } else if (node.is("RotaryEmbedding")) {
    visitLookup(node, node.getInput(1), 0, node.getInput(3));
  } else if (node.is("com.microsoft::RotaryEmbedding")) {
    visitLookup(node, node.getInput(2), 0, node.getInput(1));
  } else if (node.is("com.microsoft::GroupQueryAttention") &&
             node.getInt("do_rotary", 0) != 0) {
    if (Value cosines = node.getInput(Port::CosCache))
      limit(node, cosines, 0, /*offset=*/0);
  }
}

std::optional<TableLimit>
tern::onnx::findTableLimit(func::FuncOp graph, const LanguageModel &model) {
  TableSearch search(graph, model);
  graph.walk([&](NodeOp node) { search.visit(node); });
  return search.found;
}

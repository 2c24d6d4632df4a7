//===- AttentionSource.cpp - keys and values before their repetition ------===//

#include "AttentionMatching.h"

#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace tern::onnx;

/// True for operators whose result holds elements of the first input only.
static bool onlyMoves(NodeOp node) {
  if (node->getNumResults() != 1 || node.getInputs().empty())
    return false;
  if (node.is("Concat"))
    return llvm::all_equal(node.getInputs());
  if (node.is("Cast")) // to the type it has
    return getElementTypeOrSelf(node.getInputs()[0].getType()) ==
           getElementTypeOrSelf(node->getResult(0).getType());
  return llvm::StringSwitch<bool>(node.getKind())
      .Cases({"Expand", "Flatten", "Gather", "Identity", "Reshape"}, true)
      .Cases({"Slice", "Squeeze", "Tile", "Transpose", "Unsqueeze"}, true)
      .Default(false);
}

namespace {
/// A tensor of keys or values with an index of one element.
class RepeatedHeads {
public:
  RepeatedHeads(SymbolicEvaluator &evaluator, Value value, bool isTransposed)
      : evaluator(evaluator), value(value), isTransposed(isTransposed) {}

  /// False where `value` has no rank 4, or an unknown number of heads.
  bool init();
  bool isRepetitionOf(Value source);

private:
  SymbolicEvaluator &evaluator;
  Value value;
  bool isTransposed;
  int64_t heads = 0;
  Polynomials sizes;                   ///< batch, heads, positions, size
  Polynomial batch, position, element; ///< coordinates
};
} // namespace

bool RepeatedHeads::init() {
  std::optional<Polynomials> shape = evaluator.getShape(value);
  if (!shape || shape->size() != 4)
    return false;
  std::optional<int64_t> count = (*shape)[1].getConstant();
  constexpr int64_t kMaxHeads = 1024;
  if (!count || *count < 1 || *count > kMaxHeads)
    return false;
  heads = *count;
  sizes = *shape;
  if (isTransposed)
    std::swap(sizes[2], sizes[3]);
  batch = evaluator.createCoordinate(sizes[0]);
  position = evaluator.createCoordinate(sizes[2]);
  element = evaluator.createCoordinate(sizes[3]);
  return true;
}

bool RepeatedHeads::isRepetitionOf(Value source) {
  std::optional<Polynomials> shape = evaluator.getShape(source);
  if (!shape || shape->size() != 4)
    return false;
  std::optional<int64_t> count = (*shape)[1].getConstant();
  if (!count || *count < 1 || heads % *count != 0)
    return false;
  for (unsigned dim : {0, 2, 3})
    if ((*shape)[dim] != sizes[dim])
      return false;
  for (int64_t head = 0; head < heads; ++head) {
    Polynomials index = {batch, head, position, element};
    if (isTransposed)
      std::swap(index[2], index[3]);
    SymbolicElement found = evaluator.getElement(value, index, source);
    const Polynomial *integer = found.getInteger();
    std::optional<Symbol> symbol =
        integer ? integer->getSymbol() : std::nullopt;
    const SymbolicEvaluator::UnknownElement *origin =
        symbol ? evaluator.getUnknownElement(*symbol) : nullptr;
    Polynomials expected = {batch, head / (heads / *count), position, element};
    if (!origin || origin->tensor != source || origin->index != expected)
      return false;
  }
  return true;
}

Value tern::onnx::findSource(SymbolicEvaluator &evaluator, Value value,
                             bool isTransposed,
                             std::optional<int64_t> kvHeads) {
  RepeatedHeads heads(evaluator, value, isTransposed);
  if (!heads.init())
    return {};
  auto hasHeads = [&](Value source) {
    return !kvHeads || (*evaluator.getShape(source))[1] == Polynomial(*kvHeads);
  };
  Value found = !isTransposed && hasHeads(value) ? value : Value();
  constexpr unsigned kMaxDepth = 32;
  Value candidate = value;
  for (unsigned depth = 0; depth < kMaxDepth; ++depth) {
    auto node = candidate.getDefiningOp<NodeOp>();
    if (!node || !onlyMoves(node))
      break;
    candidate = node.getInputs()[0];
    if (heads.isRepetitionOf(candidate) && hasHeads(candidate))
      found = candidate;
  }
  return found;
}

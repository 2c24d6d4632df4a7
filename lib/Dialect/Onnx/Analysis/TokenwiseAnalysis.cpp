//===- TokenwiseAnalysis.cpp - can tokens be read one by one? -------------===//

#include "tern/Dialect/Onnx/Analysis/TokenwiseAnalysis.h"

#include "TokenRules.h"

#include "tern/Dialect/Onnx/IR/Attention.h"
#include "tern/Dialect/Onnx/IR/GroupQueryAttention.h"
#include "tern/Dialect/Ternary/IR/Ternary.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tern::onnx;

using Kind = TokenDependence::Kind;

//===----------------------------------------------------------------------===//
// Questions of rules
//===----------------------------------------------------------------------===//

Value TokenQuery::input(unsigned index) {
  if (auto node = dyn_cast<NodeOp>(op))
    return node.getInput(index);
  return index < op->getNumOperands() ? op->getOperand(index) : Value();
}

unsigned TokenQuery::rank(unsigned index) {
  return cast<RankedTensorType>(input(index).getType()).getRank();
}

bool TokenQuery::isOne(Value value, unsigned dim) {
  std::optional<Polynomials> shape = evaluator.getShape(value);
  return shape && dim < shape->size() && (*shape)[dim] == Polynomial(1);
}

/// The elements of a small integer tensor, if they are constants.
static std::optional<SmallVector<int64_t>>
getConstants(SymbolicEvaluator &evaluator, Value value) {
  constexpr int64_t kMaxElements = 64;
  auto type = value ? dyn_cast<RankedTensorType>(value.getType()) : nullptr;
  if (!type || !type.hasStaticShape() || type.getRank() > 1 ||
      type.getNumElements() > kMaxElements)
    return std::nullopt;
  SmallVector<int64_t> integers;
  for (int64_t i = 0; i < type.getNumElements(); ++i) {
    Polynomials position(type.getRank(), Polynomial(i));
    SymbolicElement element = evaluator.getElement(value, position);
    const Polynomial *integer = element.getInteger();
    std::optional<int64_t> constant =
        integer ? integer->getConstant() : std::nullopt;
    if (!constant)
      return std::nullopt;
    integers.push_back(*constant);
  }
  return integers;
}

std::optional<SmallVector<int64_t>> TokenQuery::constants(unsigned index) {
  return getConstants(evaluator, input(index));
}

std::optional<unsigned> TokenQuery::axis(StringRef name, int64_t fallback,
                                         unsigned rank) {
  int64_t signedRank = rank, axis = node().getInt(name, fallback);
  axis = axis < 0 ? axis + signedRank : axis;
  if (axis < 0 || axis >= signedRank)
    return std::nullopt;
  return static_cast<unsigned>(axis);
}

bool TokenQuery::isLengthOf(unsigned index, SequenceRole role) {
  Value value = input(index);
  if (!value)
    return false;
  if (BlockArgument argument = findSourceArgument(value))
    return analysis.model.hasRole(argument, role);
  std::optional<Polynomials> shape = evaluator.getShape(value);
  if (!shape)
    return false;
  SymbolicElement element =
      evaluator.getElement(value, Polynomials(shape->size()));
  const Polynomial *found = element.getInteger();
  return found &&
         *found == length - Polynomial(role == SequenceRole::LastPosition);
}

bool TokenQuery::isTableSlice(Value value) {
  Operation *producer = value.getDefiningOp();
  return llvm::any_of(analysis.tableSlices,
                      [&](auto &slice) { return slice.first == producer; });
}

std::optional<unsigned> tern::onnx::mapReshaped(TokenQuery &query, Value from,
                                                unsigned dim, Value to) {
  std::optional<Polynomials> before = query.evaluator.getShape(from);
  std::optional<Polynomials> after = query.evaluator.getShape(to);
  if (!before || !after)
    return std::nullopt;
  auto product = [](ArrayRef<Polynomial> sizes) {
    Polynomial total = 1;
    for (const Polynomial &size : sizes)
      total = total * size;
    return total;
  };
  ArrayRef<Polynomial> old = *before, now = *after;
  Polynomial outer = product(old.take_front(dim));
  Polynomial inner = product(old.drop_front(dim + 1));
  for (unsigned i = 0; i < now.size(); ++i)
    if (query.isLength(now[i]) && product(now.take_front(i)) == outer &&
        product(now.drop_front(i + 1)) == inner)
      return i;
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Operations of other dialects
//===----------------------------------------------------------------------===//

static std::optional<TokenDependence> reshapeTokens(TokenQuery &query) {
  if (!query.isTokens(0))
    return query.get(0u);
  std::optional<unsigned> dim =
      mapReshaped(query, query.input(0), query.dim(0), query.op->getResult(0));
  if (!dim)
    return query.fail("its shape does not keep tokens apart");
  return query.tokens(*dim);
}

/// Layers map rows, which are tokens.
static std::optional<TokenDependence> mapRows(TokenQuery &query) {
  if (!query.isTokens(0) || query.dim(0) + 1 == query.rank(0))
    return query.fail("it sums over tokens");
  for (unsigned i = 1; i < query.op->getNumOperands(); ++i)
    if (!query.isNone(i))
      return query.fail("its weights depend on tokens");
  return query.get(0u);
}

static std::optional<TokenDependence> inferOther(TokenQuery &query) {
  using Result = std::optional<TokenDependence>;
  return llvm::TypeSwitch<Operation *, Result>(query.op)
      .Case([&](tensor::CastOp) { return Result(query.get(0u)); })
      .Case([&](tensor::DimOp) { return TokenDependence{Kind::Length, 0}; })
      .Case<tensor::CollapseShapeOp, tensor::ExpandShapeOp>(
          [&](auto) { return reshapeTokens(query); })
      .Case<tern::ternary::BitLinearOp, tern::ternary::MatmulOp,
            tern::ternary::RescaleOp>([&](auto) { return mapRows(query); })
      .Default([&](Operation *) {
        return query.fail("how it treats tokens is not known");
      });
}

//===----------------------------------------------------------------------===//
// The analysis
//===----------------------------------------------------------------------===//

static const TokenRules &getTokenRules() {
  static const TokenRules table = [] {
    TokenRules rules;
    addElementwiseTokenRules(rules);
    addMovementTokenRules(rules);
    addProductTokenRules(rules);
    return rules;
  }();
  return table;
}

static std::optional<TokenDependence> infer(TokenQuery &query) {
  auto node = dyn_cast<NodeOp>(query.op);
  if (!node)
    return inferOther(query);
  auto rule = getTokenRules().find(node.getKind());
  if (rule == getTokenRules().end())
    return query.fail("how it treats tokens is not known");
  return rule->second(query);
}

TokenwiseAnalysis::TokenwiseAnalysis(func::FuncOp graph,
                                     const LanguageModel &model,
                                     SymbolicEvaluator &evaluator)
    : model(model), evaluator(evaluator) {
  BlockArgument ids = graph.getArgument(model.inputIds);
  length = (*evaluator.getShape(ids))[1];
  for (std::optional<unsigned> index :
       {std::optional(model.inputIds), model.attentionMask, model.positionIds})
    if (index)
      dependences[graph.getArgument(*index)] = TokenQuery::tokens(1);
  // Lengths, and positions of a form that is not understood.
  for (const SequenceArgument &argument : model.sequenceArguments)
    dependences[graph.getArgument(argument.index)] = {Kind::Length, 0};
  for (Operation &op : graph.front().without_terminator())
    visit(&op);
  Value logits = graph.front().getTerminator()->getOperand(0);
  TokenDependence found = lookup(logits);
  if (found.kind == Kind::Mixed)
    refusal = refusals.lookup(logits);
  else if (found.kind != Kind::Tokens || found.dim != 1)
    refusal = Refusal{logits.getLoc(), "the logits are not one row a token"};
}

/// What a user calls the operation.
static std::string describe(Operation *op) {
  if (auto node = dyn_cast<NodeOp>(op))
    return node.getKind().str();
  return op->getName().getStringRef().str();
}

/// The first of the operands of an attention, and behind the last, that say how
/// tokens are mixed: a mask, or the sequence's length. The rule looks at them.
static std::pair<unsigned, unsigned> getMixingOperands(Operation *op) {
  auto node = dyn_cast<NodeOp>(op);
  if (node && node.is("Attention"))
    return {AttentionPort::Mask, AttentionPort::Mask + 1};
  if (node && node.is("com.microsoft::GroupQueryAttention"))
    return {GroupQueryAttentionPort::SeqLens,
            GroupQueryAttentionPort::TotalLength + 1};
  return {0, 0};
}

/// The refusal of what `op` computes: that of the first operand that mixes
/// tokens, or its own. Of an attention's mask, what is wrong is not that it
/// mixes tokens, but that it is not known to be causal.
std::optional<Refusal>
TokenwiseAnalysis::explain(Operation *op, const std::string &reason) const {
  auto [first, end] = getMixingOperands(op);
  for (auto [index, operand] : llvm::enumerate(op->getOperands()))
    if ((index < first || index >= end) && lookup(operand).kind == Kind::Mixed)
      return refusals.lookup(operand);
  return Refusal{op->getLoc(), describe(op) + ": " + reason};
}

void TokenwiseAnalysis::visit(Operation *op) {
  auto isOfKind = [&](Kind kind) {
    return [&, kind](Value operand) { return lookup(operand).kind == kind; };
  };
  if (llvm::all_of(op->getOperands(), isOfKind(Kind::None)))
    return;
  TokenQuery query(*this, op);
  auto [first, end] = getMixingOperands(op);
  bool isMixed = llvm::any_of(op->getOperands(), isOfKind(Kind::Mixed));
  std::optional<TokenDependence> found;
  if (!isMixed || first != end)
    found = infer(query);
  for (OpResult result : op->getResults()) {
    if (result.use_empty())
      continue;
    if (found) {
      dependences[result] = *found;
      // The size of a head, say, is read off tensors that have tokens too.
      if (found->kind == Kind::Length && getConstants(evaluator, result))
        dependences[result] = TokenDependence();
    } else if (!findPositions(result)) {
      dependences[result] = {Kind::Mixed, 0};
      refusals[result] = explain(op, query.reason);
    }
  }
}

/// Whether the elements of `result` follow from the positions of tokens alone.
bool TokenwiseAnalysis::findPositions(OpResult result) {
  auto type = dyn_cast<RankedTensorType>(result.getType());
  std::optional<Polynomials> sizes = evaluator.getShape(result);
  if (!type || !sizes || !type.getElementType().isIntOrFloat())
    return false;
  PositionTensor found{result, {}, 0, 0, 0};
  Polynomials index;
  std::optional<Symbol> position;
  for (auto [dim, size] : llvm::enumerate(*sizes)) {
    std::optional<int64_t> constant = size.getConstant();
    bool isLength = evaluator.isSameSize(size, length);
    if (!constant && (!isLength || position))
      return false;
    found.shape.push_back(isLength ? ShapedType::kDynamic : *constant);
    index.push_back(evaluator.createCoordinate(size));
    if (isLength) {
      found.dim = dim;
      position = index.back().getSymbol();
    }
  }
  if (!position)
    return false;
  SymbolicElement element = evaluator.getElement(result, index);
  const Polynomial *integer = element.getInteger();
  std::optional<Polynomial::Line> line =
      integer ? integer->splitLinear(*position) : std::nullopt;
  if (!line || !line->slope.getConstant() || !line->rest.getConstant())
    return false;
  found.scale = *line->slope.getConstant();
  found.offset = *line->rest.getConstant();
  dependences[result] = TokenQuery::tokens(found.dim);
  positions.push_back(std::move(found));
  return true;
}

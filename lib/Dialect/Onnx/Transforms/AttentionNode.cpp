//===- AttentionNode.cpp - simplifying one Attention ----------------------===//

#include "AttentionNode.h"

#include "AttentionMatching.h"

#include "mlir/Analysis/SliceAnalysis.h"

using namespace mlir;
using namespace tern::onnx;

//===----------------------------------------------------------------------===//
// Building
//===----------------------------------------------------------------------===//

/// The sizes `[start, end)` of `value`, a tensor of rank 1.
static Value buildShape(NodeBuilder &b, Value value, int64_t start,
                        int64_t end) {
  auto type = RankedTensorType::get({end - start}, b.getI64Type());
  return b.node("Shape", type, value,
                {b.getNamedAttr("end", b.getI64IntegerAttr(end)),
                 b.getNamedAttr("start", b.getI64IntegerAttr(start))});
}

/// A scalar of the type of the elements of `tensor`.
static Value buildScalarLike(NodeBuilder &b, Value tensor, int64_t number) {
  auto type = RankedTensorType::get(
      {}, cast<ShapedType>(tensor.getType()).getElementType());
  Attribute value = b.getIntegerAttr(type.getElementType(), number);
  return ConstantOp::create(
      b, DenseElementsAttr::get(type, ArrayRef<Attribute>(value)));
}

/// A boolean for each element of the condition's tensor.
static Value buildComparison(NodeBuilder &b, const KeyCondition &condition) {
  Value tensor = condition.tensor;
  auto type = cast<RankedTensorType>(tensor.getType());
  auto boolean = type.clone(b.getI1Type());
  bool isNonZero = condition.comparison == "Equal" && condition.constant == 0 &&
                   condition.isNegated;
  if (isNonZero && type == boolean)
    return tensor;
  if (isNonZero)
    return b.node("Cast", boolean, tensor,
                  b.getNamedAttr("to", b.getI64IntegerAttr(9)));
  Value compared =
      b.node(condition.comparison, boolean,
             {tensor, buildScalarLike(b, tensor, condition.constant)});
  return condition.isNegated ? b.node("Not", boolean, compared) : compared;
}

/// `mask`, whose last dimension may differ from the number of keys: it is
/// broadcast, or cut where it is longer and its end does not matter.
static Value fitToKeys(NodeBuilder &b, Value mask, Value keys,
                       bool isBroadcast) {
  auto type = cast<RankedTensorType>(mask.getType());
  SmallVector<int64_t> shape(type.getShape());
  shape.back() = ShapedType::kDynamic;
  if (isBroadcast)
    return b.node("Expand", type.clone(shape), {mask, keys});
  return b.node("Slice", type.clone(shape),
                {mask, b.ints(0), keys, b.ints(-1)});
}

Value KeyMasks::build(NodeBuilder &b, const KeyCondition &condition,
                      const Polynomial &keys,
                      llvm::function_ref<Value(NodeBuilder &)> countKeys) {
  for (const Entry &entry : entries)
    if (entry.condition == condition && entry.keys == keys)
      return entry.mask;
  Value mask = buildComparison(b, condition);
  auto type = cast<RankedTensorType>(mask.getType());
  if (type.getRank() == 2 || type.getRank() == 3) {
    SmallVector<int64_t> axes = {1, 2}, shape(type.getShape());
    axes.resize(4 - type.getRank());
    shape.insert(shape.begin() + 1, axes.size(), 1);
    type = type.clone(shape);
    mask = b.node("Unsqueeze", type, {mask, b.ints(axes)});
  }
  if (evaluator.getShape(condition.tensor)->back() != keys)
    mask = fitToKeys(b, mask, countKeys(b), condition.isBroadcast);
  entries.push_back({condition, keys, mask});
  return mask;
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

AttentionSimplifier::AttentionSimplifier(SymbolicEvaluator &evaluator,
                                         KeyMasks &keyMasks, NodeOp node)
    : evaluator(evaluator), keyMasks(keyMasks), node(node), b(node) {
  for (unsigned i = 0; i <= AttentionPort::Sinks; ++i)
    state.inputs.push_back(node.getInput(i));
  state.isCausal = node.getInt("is_causal", 0) != 0;
  original = state;
}

bool AttentionSimplifier::hasNoOutput(unsigned output) {
  return output >= node->getNumResults() || node->getResult(output).use_empty();
}

/// `value` without nodes that leave it as it is.
static Value skipIdentity(Value value) {
  while (auto node = value.getDefiningOp<NodeOp>()) {
    bool isSame = (node.is("Identity") || node.is("Concat")) &&
                  node.getInputs().size() == 1;
    if (!isSame)
      break;
    value = node.getInputs()[0];
  }
  return value;
}

/// The node that joins two parts of keys or values along the positions.
NodeOp AttentionSimplifier::getConcat(unsigned input) const {
  auto concat = skipIdentity(getInput(input)).getDefiningOp<NodeOp>();
  if (!concat || !concat.is("Concat") || concat.getInputs().size() != 2)
    return {};
  int64_t axis = concat.getInt("axis", 0);
  for (Value part : concat.getInputs()) {
    auto type = dyn_cast<RankedTensorType>(part.getType());
    if (!type || type.getRank() != 4)
      return {};
  }
  return axis == 2 || axis == -2 ? concat : NodeOp();
}

std::optional<Polynomial> AttentionSimplifier::getPastLength() const {
  Value past = getInput(AttentionPort::PastKey);
  if (!past)
    return Polynomial(0);
  std::optional<Polynomials> shape = evaluator.getShape(past);
  if (!shape || shape->size() != 4)
    return std::nullopt;
  return (*shape)[2];
}

std::optional<MaskAnalysis::Sizes> AttentionSimplifier::getSizes() const {
  std::optional<Polynomials> query =
      evaluator.getShape(getInput(AttentionPort::Query));
  std::optional<Polynomials> key =
      evaluator.getShape(getInput(AttentionPort::Key));
  if (!query || !key || query->size() != key->size())
    return std::nullopt;
  MaskAnalysis::Sizes sizes;
  sizes.batch = (*query)[0];
  if (query->size() == 4) {
    sizes.heads = (*query)[1];
    sizes.queries = (*query)[2];
    sizes.keys = (*key)[2];
  } else if (query->size() == 3) {
    NodeOp attention = node;
    sizes.heads = attention.getInt("q_num_heads", 0);
    sizes.queries = (*query)[1];
    sizes.keys = (*key)[1];
  } else {
    return std::nullopt;
  }
  std::optional<Polynomial> past = getPastLength();
  if (!past)
    return std::nullopt;
  sizes.keys = sizes.keys + *past;
  return sizes;
}

Value AttentionSimplifier::countKeys(NodeBuilder &builder) const {
  Value key = getInput(AttentionPort::Key);
  int64_t axis = cast<RankedTensorType>(key.getType()).getRank() - 2;
  Value count = buildShape(builder, key, axis, axis + 1);
  Value past = getInput(AttentionPort::PastKey);
  if (!past)
    return count;
  Value pastCount = buildShape(builder, past, 2, 3);
  return builder.node("Add", count.getType(), {pastCount, count});
}

//===----------------------------------------------------------------------===//
// Folding
//===----------------------------------------------------------------------===//

void AttentionSimplifier::foldRepetition() {
  Value key = getInput(AttentionPort::Key);
  Value value = getInput(AttentionPort::Value);
  bool isPlain = !getInput(AttentionPort::PastKey) &&
                 hasNoOutput(AttentionPort::PresentKey) &&
                 hasNoOutput(AttentionPort::PresentValue);
  if (!isPlain)
    return;
  Value keySource = findSource(evaluator, key, /*isTransposed=*/false);
  Value valueSource = findSource(evaluator, value, /*isTransposed=*/false);
  if (!keySource || !valueSource)
    return;
  // Both have as many heads before as after.
  std::optional<Polynomials> keyShape = evaluator.getShape(keySource);
  std::optional<Polynomials> valueShape = evaluator.getShape(valueSource);
  if ((*keyShape)[1] != (*valueShape)[1])
    return;
  state.inputs[AttentionPort::Key] = keySource;
  state.inputs[AttentionPort::Value] = valueSource;
}

void AttentionSimplifier::foldPast() {
  // Without a past is_causal counts from the first key.
  if (getInput(AttentionPort::PastKey) || state.isCausal ||
      getInput(AttentionPort::KeyCounts) ||
      !hasNoOutput(AttentionPort::PresentKey) ||
      !hasNoOutput(AttentionPort::PresentValue))
    return;
  NodeOp key = getConcat(AttentionPort::Key);
  NodeOp value = getConcat(AttentionPort::Value);
  if (!key || !value || key == value)
    return;
  Value pastKey = skipIdentity(key.getInputs()[0]);
  Value pastValue = skipIdentity(value.getInputs()[0]);
  std::optional<Polynomials> keyShape = evaluator.getShape(pastKey);
  std::optional<Polynomials> valueShape = evaluator.getShape(pastValue);
  if (!keyShape || keyShape->size() != 4 || !valueShape ||
      valueShape->size() != 4 || (*keyShape)[2] != (*valueShape)[2])
    return;
  state.keyConcat = key;
  state.valueConcat = value;
  state.inputs[AttentionPort::Key] = key.getInputs()[1];
  state.inputs[AttentionPort::Value] = value.getInputs()[1];
  state.inputs[AttentionPort::PastKey] = pastKey;
  state.inputs[AttentionPort::PastValue] = pastValue;
}

bool AttentionSimplifier::fitsScores(ArrayRef<Polynomial> mask,
                                     const MaskAnalysis::Sizes &sizes,
                                     bool tablesSuffice) const {
  if (mask.empty() || mask.size() > 4)
    return false;
  // What is cut off a table may be shorter.
  bool hasColumns = tablesSuffice ? evaluator.covers(mask.back(), sizes.keys)
                                  : mask.back() == sizes.keys;
  if (!hasColumns && !evaluator.isBroadcastOf(mask.back(), sizes.keys))
    return false;
  const Polynomial full[] = {sizes.batch, sizes.heads, sizes.queries};
  ArrayRef<Polynomial> others = mask.drop_back();
  return llvm::all_of(
      llvm::zip_equal(others, ArrayRef(full).take_back(others.size())),
      [&](auto pair) {
        auto [own, size] = pair;
        return own == Polynomial(1) || evaluator.covers(own, size);
      });
}

void AttentionSimplifier::foldMask(bool tablesSuffice) {
  Value mask = getInput(AttentionPort::Mask);
  std::optional<MaskAnalysis::Sizes> sizes = getSizes();
  std::optional<Polynomials> shape =
      mask ? evaluator.getShape(mask) : std::nullopt;
  if (!sizes || !shape || getInput(AttentionPort::KeyCounts) ||
      !fitsScores(*shape, *sizes, tablesSuffice))
    return;
  bool isFloat =
      isa<FloatType>(cast<ShapedType>(mask.getType()).getElementType());
  MaskTerm term{mask,
                isFloat ? MaskTerm::Kind::Added : MaskTerm::Kind::Selected};
  MaskForm form =
      MaskAnalysis(evaluator, *sizes, *getPastLength()).analyze(term);
  // Attention gives zeros to a query without keys: left padding has some.
  if (!form.isKnown || form.averagesMasked)
    return;
  // One that has an element for each key only is as simple as it can be.
  bool isSimple =
      !isFloat &&
      llvm::all_of(
          ArrayRef(*shape).drop_back().drop_front(shape->size() > 1),
          [](const Polynomial &size) { return size == Polynomial(1); });
  if (form.keys && isSimple)
    return;
  state.isCausal |= form.isCausal;
  state.inputs[AttentionPort::Mask] =
      form.keys ? keyMasks.build(
                      b, *form.keys, sizes->keys,
                      [&](NodeBuilder &builder) { return countKeys(builder); })
                : Value();
}

//===----------------------------------------------------------------------===//
// Replacing
//===----------------------------------------------------------------------===//

bool AttentionSimplifier::readsPresent() const {
  BackwardSliceOptions options;
  options.inclusive = true;
  options.omitBlockArguments = true;
  SetVector<Operation *> slice;
  for (Value input : state.inputs)
    if (input && input.getDefiningOp() &&
        failed(getBackwardSlice(input, &slice, options)))
      return true;
  return slice.contains(state.keyConcat) || slice.contains(state.valueConcat);
}

void AttentionSimplifier::replaceShapes(NodeOp concat) {
  for (Operation *user :
       llvm::make_early_inc_range(concat->getResult(0).getUsers())) {
    auto shape = dyn_cast<NodeOp>(user);
    if (!shape || !shape.is("Shape"))
      continue;
    constexpr int64_t kRank = 4;
    Value past = buildShape(b, concat.getInputs()[0], 0, kRank);
    Value added = buildShape(b, concat.getInputs()[1], 0, kRank);
    Value grown = b.node("Mul", added.getType(), {added, b.ints({0, 0, 1, 0})});
    Value sum = b.node("Add", past.getType(), {past, grown});
    Value part = b.node("Slice", shape->getResult(0).getType(),
                        {sum, b.ints(shape.getInt("start", 0)),
                         b.ints(shape.getInt("end", kRank)), b.ints(0)});
    shape->getResult(0).replaceAllUsesWith(part);
  }
}

NodeOp AttentionSimplifier::rebuild() {
  SmallVector<Value> inputs;
  Value none;
  for (Value input : state.inputs) {
    if (!input && !none)
      none = b.none();
    inputs.push_back(input ? input : none);
  }
  while (isa<NoneType>(inputs.back().getType()))
    inputs.pop_back();
  SmallVector<Type> types(node->getResultTypes());
  if (state.keyConcat) {
    types.resize(std::max<size_t>(types.size(), 3));
    types[AttentionPort::PresentKey] = state.keyConcat->getResult(0).getType();
    types[AttentionPort::PresentValue] =
        state.valueConcat->getResult(0).getType();
  }
  NamedAttrList attrs(node.getAttrs());
  attrs.set("is_causal", b.getI64IntegerAttr(state.isCausal));
  auto replacement = NodeOp::create(b, types, "Attention", inputs,
                                    attrs.getDictionary(b.getContext()));
  for (auto [old, result] :
       llvm::zip(node->getResults(), replacement->getResults()))
    old.replaceAllUsesWith(result);
  if (state.keyConcat) {
    state.keyConcat->getResult(0).replaceAllUsesWith(
        replacement->getResult(AttentionPort::PresentKey));
    state.valueConcat->getResult(0).replaceAllUsesWith(
        replacement->getResult(AttentionPort::PresentValue));
  }
  return replacement;
}

NodeOp AttentionSimplifier::finish() {
  if (state.keyConcat) {
    replaceShapes(state.keyConcat);
    replaceShapes(state.valueConcat);
    if (readsPresent())
      state = original;
  }
  if (state.inputs == original.inputs && state.isCausal == original.isCausal)
    return node;
  return rebuild();
}

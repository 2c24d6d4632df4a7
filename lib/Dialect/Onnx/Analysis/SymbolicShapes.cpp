//===- SymbolicShapes.cpp - the sizes of results --------------------------===//

#include "SymbolicRules.h"

#include "tern/Dialect/Ternary/IR/Ternary.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace tern::onnx;

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

SmallVector<int64_t> tern::onnx::getPermutation(NodeOp node, int64_t rank) {
  std::optional<ArrayRef<int64_t>> perm = node.getInts("perm");
  if (!perm) // Dimensions are reversed.
    return llvm::to_vector(llvm::reverse(llvm::seq<int64_t>(0, rank)));
  SmallVector<int64_t> sorted(*perm);
  llvm::sort(sorted);
  if (llvm::equal(sorted, llvm::seq<int64_t>(0, rank)))
    return SmallVector<int64_t>(*perm);
  return llvm::to_vector(llvm::seq<int64_t>(0, rank));
}

std::optional<SmallVector<int64_t>>
tern::onnx::getAxes(SymbolicQuery &query, NodeOp node, int64_t rank) {
  SmallVector<int64_t> axes;
  if (Value input = node.getInput(1)) {
    std::optional<SmallVector<int64_t>> integers = query.getIntegers(input);
    if (!integers)
      return std::nullopt;
    axes = *integers;
  } else if (std::optional<ArrayRef<int64_t>> attr = node.getInts("axes")) {
    axes.assign(attr->begin(), attr->end());
  } else {
    return std::nullopt;
  }
  for (int64_t &axis : axes) {
    std::optional<int64_t> normalized = normalizeAxis(axis, rank);
    if (!normalized)
      return std::nullopt;
    axis = *normalized;
  }
  return axes;
}

/// `bound` of a Slice as a position at least 0: nullopt where its sign is not
/// known, or where it may lie before the beginning. Bounds far outside, as
/// exporters write them for "all", become 0 or `size`.
static std::optional<Polynomial> getBound(SymbolicQuery &query,
                                          const Polynomial &bound,
                                          const Polynomial &size) {
  constexpr int64_t kFar = int64_t(1) << 31;
  std::optional<int64_t> constant = bound.getConstant();
  if (constant && *constant >= kFar)
    return size;
  if (constant && *constant <= -kFar)
    return Polynomial(0);
  if (query.evaluator.isNonNegative(bound))
    return bound;
  if (query.evaluator.isNonNegative(Polynomial(-1) - bound) &&
      query.evaluator.isNonNegative(bound + size))
    return bound + size;
  return std::nullopt;
}

std::optional<SmallVector<SliceRange>>
tern::onnx::getSliceRanges(SymbolicQuery &query, NodeOp node) {
  std::optional<Polynomials> shape = query.getShape(node.getInputs()[0]);
  Value starts = node.getInput(1), ends = node.getInput(2);
  if (!shape || !starts || !ends)
    return std::nullopt;
  std::optional<Polynomials> count = query.getShape(starts);
  std::optional<int64_t> size =
      count && count->size() == 1 ? count->front().getConstant() : std::nullopt;
  int64_t rank = shape->size();
  if (!size || *size > rank)
    return std::nullopt;
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(0, *size));
  SmallVector<int64_t> steps(*size, 1);
  auto read = [&](unsigned input, SmallVector<int64_t> &integers) {
    if (!node.getInput(input))
      return true;
    std::optional<SmallVector<int64_t>> given =
        query.getIntegers(node.getInput(input));
    if (given)
      integers = *given;
    return given && static_cast<int64_t>(integers.size()) == *size;
  };
  if (!read(3, axes) || !read(4, steps))
    return std::nullopt;

  SmallVector<SliceRange> ranges;
  for (int64_t i = 0; i < *size; ++i) {
    std::optional<int64_t> axis = normalizeAxis(axes[i], rank);
    std::optional<Polynomial> start = query.getEntry(starts, i);
    if (!axis || !start || steps[i] < 1)
      return std::nullopt;
    const Polynomial &whole = (*shape)[*axis];
    start = getBound(query, *start, whole);
    if (!start)
      return std::nullopt;
    SliceRange range{*axis, *start, steps[i], std::nullopt};
    if (std::optional<Polynomial> end = query.getEntry(ends, i))
      range.end = getBound(query, *end, whole);
    range.isClamped =
        range.end && !query.evaluator.isNonNegative(whole - *range.end);
    ranges.push_back(range);
  }
  return ranges;
}

//===----------------------------------------------------------------------===//
// Rules
//===----------------------------------------------------------------------===//

/// Sizes that a rule does not know are invalid.
using ShapeRule = Polynomials (*)(SymbolicQuery &, NodeOp);

static Polynomials getInputShape(SymbolicQuery &query, NodeOp node,
                                 unsigned input) {
  if (Value value = node.getInput(input))
    return query.getShape(value).value_or(Polynomials());
  return {};
}

static Polynomials inferSame(SymbolicQuery &query, NodeOp node) {
  return getInputShape(query, node, 0);
}

static Polynomials broadcastShapes(SymbolicQuery &query, Index a, Index b) {
  if (a.size() < b.size())
    std::swap(a, b);
  Polynomials shape(a);
  size_t skipped = a.size() - b.size();
  for (size_t i = 0; i < b.size(); ++i)
    shape[skipped + i] =
        query.evaluator.getBroadcastSize(shape[skipped + i], b[i]);
  return shape;
}

static Polynomials inferBroadcast(SymbolicQuery &query, NodeOp node) {
  Polynomials shape;
  for (Value input : node.getInputs()) {
    std::optional<Polynomials> own = query.getShape(input);
    if (!own)
      return {};
    shape = broadcastShapes(query, shape, *own);
  }
  return shape;
}

static Polynomials inferTranspose(SymbolicQuery &query, NodeOp node) {
  Polynomials input = getInputShape(query, node, 0), shape;
  for (int64_t from : getPermutation(node, input.size()))
    shape.push_back(input[from]);
  return shape;
}

static Polynomials inferUnsqueeze(SymbolicQuery &query, NodeOp node) {
  Polynomials shape = getInputShape(query, node, 0);
  int64_t rank = cast<ShapedType>(node->getResult(0).getType()).getRank();
  std::optional<SmallVector<int64_t>> axes = getAxes(query, node, rank);
  if (!axes || static_cast<int64_t>(shape.size() + axes->size()) != rank)
    return {};
  llvm::sort(*axes);
  for (int64_t axis : *axes)
    shape.insert(shape.begin() + std::min<size_t>(axis, shape.size()),
                 Polynomial(1));
  return shape;
}

static Polynomials inferSqueeze(SymbolicQuery &query, NodeOp node) {
  Polynomials input = getInputShape(query, node, 0), shape;
  std::optional<SmallVector<int64_t>> axes = getAxes(query, node, input.size());
  for (auto [dim, size] : llvm::enumerate(input))
    if (axes ? !llvm::is_contained(*axes, static_cast<int64_t>(dim))
             : size != Polynomial(1))
      shape.push_back(size);
  return shape;
}

/// The elements of a shape input, as far as they are known.
static Polynomials readShape(SymbolicQuery &query, NodeOp node, unsigned input,
                             int64_t rank) {
  Polynomials entries;
  Value value = node.getInput(input);
  std::optional<Polynomials> own = value ? query.getShape(value) : std::nullopt;
  if (!own || own->size() != 1 || (*own)[0] != Polynomial(rank))
    return {};
  for (int64_t i = 0; i < rank; ++i)
    entries.push_back(
        query.getEntry(value, i).value_or(Polynomial::getInvalid()));
  return entries;
}

static Polynomials inferReshape(SymbolicQuery &query, NodeOp node) {
  int64_t rank = cast<ShapedType>(node->getResult(0).getType()).getRank();
  Polynomials shape = readShape(query, node, 1, rank);
  Polynomials input = getInputShape(query, node, 0);
  std::optional<int64_t> open;
  for (auto [dim, size] : llvm::enumerate(shape)) {
    if (size == Polynomial(0) && !node.getInt("allowzero", 0))
      size = dim < input.size() ? input[dim] : Polynomial::getInvalid();
    if (size == Polynomial(-1))
      open = dim;
  }
  if (!open)
    return shape;
  // -1 stands for what is left, sizes on both sides apart.
  Polynomials left(input);
  Polynomial product = 1;
  shape[*open] = 1;
  for (const Polynomial &size : shape) {
    auto *same = llvm::find(left, size);
    if (same != left.end())
      left.erase(same);
    else
      product = product * size;
  }
  Polynomial total = 1;
  for (const Polynomial &size : left)
    total = total * size;
  Polynomial::Division division = total.divide(product);
  shape[*open] = division.remainder == Polynomial(0) ? division.quotient
                                                     : Polynomial::getInvalid();
  return shape;
}

static Polynomials inferExpand(SymbolicQuery &query, NodeOp node) {
  Value target = node.getInput(1);
  std::optional<Polynomials> count =
      target ? query.getShape(target) : std::nullopt;
  std::optional<int64_t> rank =
      count && count->size() == 1 ? count->front().getConstant() : std::nullopt;
  if (!rank || *rank > 16)
    return {};
  return broadcastShapes(query, getInputShape(query, node, 0),
                         readShape(query, node, 1, *rank));
}

/// What is cut off a table that is too short for it does not fit the others,
/// unless it is a single row, which would be broadcast: that is not known. Of a
/// table that is cut behind the past, only a sequence that it is too short for
/// would see a single row.
static Polynomials inferSlice(SymbolicQuery &query, NodeOp node) {
  Polynomials shape = getInputShape(query, node, 0);
  std::optional<SmallVector<SliceRange>> ranges = getSliceRanges(query, node);
  if (!ranges)
    return {};
  for (const SliceRange &range : *ranges) {
    Polynomial size =
        range.end ? *range.end - range.start : Polynomial::getInvalid();
    if (range.step != Polynomial(1) || !query.evaluator.isNonNegative(size))
      size = Polynomial::getInvalid();
    const Polynomial &whole = shape[range.axis];
    bool isTable = whole.getConstant() && !range.start.getConstant();
    if (range.isClamped && size.isValid())
      size = isTable || query.evaluator.isNonNegative(whole - range.start -
                                                      Polynomial(2))
                 ? query.evaluator.getClampedSize(node->getResult(0),
                                                  range.axis, size)
                 : Polynomial::getInvalid();
    shape[range.axis] = size;
  }
  return shape;
}

static Polynomials inferConcat(SymbolicQuery &query, NodeOp node) {
  Polynomials shape = getInputShape(query, node, 0);
  std::optional<int64_t> axis =
      normalizeAxis(node.getInt("axis", 0), shape.size());
  if (!axis)
    return {};
  for (Value input : node.getInputs().drop_front()) {
    std::optional<Polynomials> other = query.getShape(input);
    if (!other || other->size() != shape.size())
      return {};
    for (auto [dim, size] : llvm::enumerate(shape)) {
      if (static_cast<int64_t>(dim) == *axis)
        size = size + (*other)[dim];
      else if ((*other)[dim].getConstant()) // They must agree.
        size = (*other)[dim];
    }
  }
  return shape;
}

static Polynomials inferTile(SymbolicQuery &query, NodeOp node) {
  Polynomials shape = getInputShape(query, node, 0);
  Polynomials repeats = readShape(query, node, 1, shape.size());
  if (repeats.size() != shape.size())
    return {};
  for (auto [size, count] : llvm::zip_equal(shape, repeats))
    size = size * count;
  return shape;
}

static Polynomials inferGather(SymbolicQuery &query, NodeOp node) {
  Polynomials data = getInputShape(query, node, 0);
  Polynomials indices = getInputShape(query, node, 1);
  std::optional<int64_t> axis =
      normalizeAxis(node.getInt("axis", 0), data.size());
  if (!axis)
    return {};
  Polynomials shape(Index(data).take_front(*axis));
  llvm::append_range(shape, indices);
  llvm::append_range(shape, Index(data).drop_front(*axis + 1));
  return shape;
}

static Polynomials inferGatherND(SymbolicQuery &query, NodeOp node) {
  Polynomials data = getInputShape(query, node, 0);
  Polynomials shape = getInputShape(query, node, 1);
  std::optional<int64_t> count =
      shape.empty() ? std::nullopt : shape.back().getConstant();
  int64_t taken = count ? node.getInt("batch_dims", 0) + *count : -1;
  if (taken < 0 || taken > static_cast<int64_t>(data.size()))
    return {};
  shape.pop_back();
  llvm::append_range(shape, Index(data).drop_front(taken));
  return shape;
}

static Polynomials inferConstantOfShape(SymbolicQuery &query, NodeOp node) {
  int64_t rank = cast<ShapedType>(node->getResult(0).getType()).getRank();
  return readShape(query, node, 0, rank);
}

static Polynomials inferRange(SymbolicQuery &query, NodeOp node) {
  if (node.getInputs().size() != 3)
    return {};
  std::optional<Polynomial> start = query.getInteger(node.getInputs()[0], {});
  std::optional<Polynomial> end = query.getInteger(node.getInputs()[1], {});
  std::optional<Polynomial> step = query.getInteger(node.getInputs()[2], {});
  if (!start || !end || step != Polynomial(1) ||
      !query.evaluator.isNonNegative(*end - *start))
    return {};
  return {*end - *start};
}

static Polynomials inferMatMul(SymbolicQuery &query, NodeOp node) {
  Polynomials a = getInputShape(query, node, 0);
  Polynomials b = getInputShape(query, node, 1);
  if (a.size() < 2 || b.size() < 2)
    return {};
  Polynomials shape =
      broadcastShapes(query, Index(a).drop_back(2), Index(b).drop_back(2));
  shape.push_back(a[a.size() - 2]);
  shape.push_back(b.back());
  return shape;
}

/// The last dimension reduced to 1, as norms have it.
static Polynomials inferReduce(SymbolicQuery &query, NodeOp node) {
  Polynomials shape = getInputShape(query, node, 0);
  std::optional<SmallVector<int64_t>> axes = getAxes(query, node, shape.size());
  if (!axes || node.getInt("keepdims", 1) == 0)
    return {};
  for (int64_t axis : *axes)
    shape[axis] = 1;
  return shape;
}

static ShapeRule getShapeRule(StringRef kind) {
  return llvm::StringSwitch<ShapeRule>(kind)
      .Cases({"Abs", "Cast", "CastLike", "Ceil", "Clip", "Cos"}, inferSame)
      .Cases({"CumSum", "Erf", "Exp", "Floor", "Identity"}, inferSame)
      .Cases({"IsNaN", "LayerNormalization", "Log", "Neg", "Not"}, inferSame)
      .Cases({"RMSNormalization", "Reciprocal", "Relu", "Round"}, inferSame)
      .Cases({"RotaryEmbedding", "Sigmoid", "Sign", "Sin"}, inferSame)
      .Cases({"SimplifiedLayerNormalization", "Softmax", "Sqrt"}, inferSame)
      .Cases({"Tanh", "TensorScatter", "Trilu"}, inferSame)
      .Case("com.microsoft::SimplifiedLayerNormalization", inferSame)
      .Cases({"Add", "And", "Div", "Equal", "Greater"}, inferBroadcast)
      .Cases({"GreaterOrEqual", "Less", "LessOrEqual"}, inferBroadcast)
      .Cases({"Max", "Min", "Mod", "Mul", "Or", "Pow"}, inferBroadcast)
      .Cases({"Sub", "Where", "Xor"}, inferBroadcast)
      .Case("Transpose", inferTranspose)
      .Case("Unsqueeze", inferUnsqueeze)
      .Case("Squeeze", inferSqueeze)
      .Case("Reshape", inferReshape)
      .Case("Expand", inferExpand)
      .Case("Slice", inferSlice)
      .Case("Concat", inferConcat)
      .Case("Tile", inferTile)
      .Case("Gather", inferGather)
      .Case("GatherND", inferGatherND)
      .Case("ConstantOfShape", inferConstantOfShape)
      .Case("Range", inferRange)
      .Case("MatMul", inferMatMul)
      .Cases({"ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum"}, inferReduce)
      .Default(nullptr);
}

/// The product of the sizes that are collapsed into one.
static Polynomials inferCollapse(SymbolicQuery &query,
                                 tensor::CollapseShapeOp op) {
  Polynomials source = query.getShape(op.getSrc()).value_or(Polynomials());
  Polynomials shape;
  for (const ReassociationIndices &group : op.getReassociationIndices()) {
    shape.emplace_back(1);
    for (int64_t dim : group)
      shape.back() = shape.back() * source[dim];
  }
  return shape;
}

/// Sizes that are dynamic are read off other tensors.
static Polynomials inferExpandShape(SymbolicQuery &query,
                                    tensor::ExpandShapeOp op) {
  Polynomials shape;
  for (OpFoldResult size : op.getMixedOutputShape()) {
    shape.push_back(Polynomial::getInvalid());
    auto value = dyn_cast<Value>(size);
    auto dim = value ? value.getDefiningOp<tensor::DimOp>() : nullptr;
    std::optional<int64_t> index = dim ? dim.getConstantIndex() : std::nullopt;
    std::optional<Polynomials> source =
        index ? query.getShape(dim.getSource()) : std::nullopt;
    if (source && *index >= 0 && *index < static_cast<int64_t>(source->size()))
      shape.back() = (*source)[*index];
  }
  return shape;
}

Polynomials tern::onnx::inferNodeShape(SymbolicQuery &query, OpResult result) {
  Operation *op = result.getOwner();
  if (auto cast = dyn_cast<tensor::CastOp>(op))
    return query.getShape(cast.getSource()).value_or(Polynomials());
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op))
    return inferCollapse(query, collapse);
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op))
    return inferExpandShape(query, expand);
  if (isa<ternary::BitLinearOp, ternary::MatmulOp, ternary::RescaleOp>(op)) {
    Polynomials shape =
        query.getShape(op->getOperand(0)).value_or(Polynomials());
    if (!shape.empty()) // The type has the last one.
      shape.back() = Polynomial::getInvalid();
    return shape;
  }
  auto node = dyn_cast<NodeOp>(op);
  if (!node || node.getInputs().empty())
    return {};
  ShapeRule rule = getShapeRule(node.getKind());
  if (rule && result.getResultNumber() == 0)
    if (Polynomials shape = rule(query, node); !shape.empty())
      return shape;
  if (LayerShapeRule layer = getLayerShapeRule(node.getKind()))
    return layer(query, node, result.getResultNumber());
  return {};
}

//===- SymbolicMovement.cpp - operators that move elements ----------------===//
//
// Where an element of the result comes from, and elements that are made from
// their index.
//
//===----------------------------------------------------------------------===//

#include "SymbolicRules.h"

#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace tern::onnx;

static Value getData(NodeOp node) { return node.getInputs()[0]; }

static Type getElementType(NodeOp node) {
  return getElementTypeOrSelf(node->getResult(0).getType());
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

static MaybeElement moveIdentity(SymbolicQuery &query, NodeOp node,
                                 Index index) {
  return query.getElement(getData(node), index);
}

static MaybeElement moveTranspose(SymbolicQuery &query, NodeOp node,
                                  Index index) {
  SmallVector<int64_t> perm = getPermutation(node, index.size());
  Polynomials source(index.size());
  for (auto [dim, from] : llvm::enumerate(perm))
    source[from] = index[dim];
  return query.getElement(getData(node), source);
}

static MaybeElement moveUnsqueeze(SymbolicQuery &query, NodeOp node,
                                  Index index) {
  std::optional<SmallVector<int64_t>> axes = getAxes(query, node, index.size());
  if (!axes)
    return std::nullopt;
  Polynomials source;
  for (auto [dim, position] : llvm::enumerate(index))
    if (!llvm::is_contained(*axes, static_cast<int64_t>(dim)))
      source.push_back(position);
  return query.getElement(getData(node), source);
}

/// `index` into a tensor of shape `from` as an index into one of shape `to`
/// with the same elements in the same order; nullopt where it cannot be told.
static std::optional<Polynomials> reshapeIndex(SymbolicQuery &query, Index from,
                                               Index index, Index to) {
  // Leading and trailing sizes that agree stay, and sizes of 1 do not matter.
  auto skipOnes = [](Index shape) {
    SmallVector<unsigned> dims;
    for (auto [dim, size] : llvm::enumerate(shape))
      if (size != Polynomial(1))
        dims.push_back(dim);
    return dims;
  };
  SmallVector<unsigned> fromDims = skipOnes(from), toDims = skipOnes(to);
  Polynomials result(to.size());
  ArrayRef<unsigned> fromLeft = fromDims, toLeft = toDims;
  auto agree = [&](unsigned a, unsigned b) {
    if (from[a] != to[b])
      return false;
    result[b] = index[a];
    return true;
  };
  while (!fromLeft.empty() && !toLeft.empty() &&
         agree(fromLeft.back(), toLeft.back())) {
    fromLeft = fromLeft.drop_back();
    toLeft = toLeft.drop_back();
  }
  while (!fromLeft.empty() && !toLeft.empty() &&
         agree(fromLeft.front(), toLeft.front())) {
    fromLeft = fromLeft.drop_front();
    toLeft = toLeft.drop_front();
  }
  Polynomial position = 0;
  for (unsigned dim : fromLeft)
    position = position * from[dim] + index[dim];
  while (toLeft.size() > 1) {
    const Polynomial &size = to[toLeft.back()];
    Polynomial::Division division = position.divide(size);
    if (!query.evaluator.isWithin(division.remainder, size))
      return std::nullopt;
    result[toLeft.back()] = division.remainder;
    position = division.quotient;
    toLeft = toLeft.drop_back();
  }
  if (!toLeft.empty())
    result[toLeft.back()] = position;
  return result;
}

/// Reshape, Flatten, Squeeze.
static MaybeElement moveReshape(SymbolicQuery &query, NodeOp node,
                                Index index) {
  std::optional<Polynomials> to = query.getShape(getData(node));
  std::optional<Polynomials> from = query.getShape(node->getResult(0));
  if (!to || !from)
    return std::nullopt;
  std::optional<Polynomials> source = reshapeIndex(query, *from, index, *to);
  if (!source)
    return query.getUniform(getData(node));
  return query.getElement(getData(node), *source);
}

static MaybeElement moveExpand(SymbolicQuery &query, NodeOp node, Index index) {
  std::optional<Polynomials> shape = query.getShape(node->getResult(0));
  if (!shape)
    return std::nullopt;
  return query.getBroadcast(getData(node), *shape, index);
}

//===----------------------------------------------------------------------===//
// Parts
//===----------------------------------------------------------------------===//

static MaybeElement moveSlice(SymbolicQuery &query, NodeOp node, Index index) {
  std::optional<SmallVector<SliceRange>> ranges = getSliceRanges(query, node);
  int64_t rank = index.size();
  if (!ranges)
    return std::nullopt;
  Polynomials source(index);
  for (const SliceRange &range : *ranges) {
    if (range.axis >= rank)
      return std::nullopt;
    source[range.axis] = range.start + range.step * index[range.axis];
  }
  return query.getElement(getData(node), source);
}

/// The element at `index` of the inputs from `first` on, joined along `axis`.
static MaybeElement moveJoined(SymbolicQuery &query, NodeOp node, Index index,
                               int64_t axis, unsigned first) {
  Value input = node.getInputs()[first];
  std::optional<Polynomials> shape = query.getShape(input);
  if (!shape || shape->size() != index.size())
    return std::nullopt;
  SymbolicElement here = query.getElement(input, index);
  if (first + 1 == node.getInputs().size())
    return here;
  const Polynomial &size = (*shape)[axis];
  Condition isBehind{Condition::Kind::NonNegative, index[axis] - size};
  Polynomials rest(index);
  rest[axis] = index[axis] - size;
  // Only what is read need be known.
  if (query.evaluator.isNonNegative(isBehind.value))
    return moveJoined(query, node, rest, axis, first + 1);
  if (query.evaluator.isNonNegative(size - index[axis] - Polynomial(1)))
    return here;
  MaybeElement behind = moveJoined(query, node, rest, axis, first + 1);
  if (!behind)
    return std::nullopt;
  return query.choose(
      isBehind, [&] { return query.restrict(*behind); },
      [&] { return query.restrict(here); });
}

static MaybeElement moveConcat(SymbolicQuery &query, NodeOp node, Index index) {
  std::optional<int64_t> axis =
      normalizeAxis(node.getInt("axis", 0), index.size());
  if (!axis)
    return std::nullopt;
  return moveJoined(query, node, index, *axis, 0);
}

static MaybeElement moveTile(SymbolicQuery &query, NodeOp node, Index index) {
  std::optional<Polynomials> shape = query.getShape(getData(node));
  if (!shape || shape->size() != index.size())
    return std::nullopt;
  Polynomials source;
  for (auto [position, size] : llvm::zip_equal(index, *shape)) {
    source.push_back(position.divide(size).remainder);
    if (!query.evaluator.isWithin(source.back(), size))
      return std::nullopt;
  }
  return query.getElement(getData(node), source);
}

/// The integer at `index` of `indices` as a position along a dimension of size
/// `size`: counted from the end where it is negative.
static std::optional<Polynomial> getPosition(SymbolicQuery &query,
                                             Value indices, Index index,
                                             const Polynomial &size) {
  std::optional<Polynomial> position = query.getInteger(indices, index);
  if (!position)
    return std::nullopt;
  if (query.evaluator.isNonNegative(*position))
    return position;
  if (query.evaluator.isNonNegative(Polynomial(-1) - *position))
    return *position + size;
  return std::nullopt;
}

static MaybeElement moveGather(SymbolicQuery &query, NodeOp node, Index index) {
  if (node.getInputs().size() != 2)
    return std::nullopt;
  Value data = getData(node), indices = node.getInputs()[1];
  std::optional<Polynomials> shape = query.getShape(data);
  std::optional<Polynomials> indicesShape = query.getShape(indices);
  if (!shape || !indicesShape)
    return std::nullopt;
  std::optional<int64_t> axis =
      normalizeAxis(node.getInt("axis", 0), shape->size());
  if (!axis || index.size() + 1 != shape->size() + indicesShape->size())
    return std::nullopt;
  std::optional<Polynomial> position =
      getPosition(query, indices, index.slice(*axis, indicesShape->size()),
                  (*shape)[*axis]);
  if (!position)
    return query.getUniform(data);
  Polynomials source(index.take_front(*axis));
  source.push_back(*position);
  llvm::append_range(source, index.drop_front(*axis + indicesShape->size()));
  return query.getElement(data, source);
}

static MaybeElement moveGatherND(SymbolicQuery &query, NodeOp node,
                                 Index index) {
  if (node.getInputs().size() != 2)
    return std::nullopt;
  Value data = getData(node), indices = node.getInputs()[1];
  std::optional<Polynomials> shape = query.getShape(data);
  std::optional<Polynomials> indicesShape = query.getShape(indices);
  int64_t batchDims = node.getInt("batch_dims", 0);
  if (!shape || !indicesShape || indicesShape->empty() || batchDims < 0)
    return std::nullopt;
  std::optional<int64_t> count = indicesShape->back().getConstant();
  size_t outer = indicesShape->size() - 1;
  if (!count || *count < 1 || outer > index.size() ||
      batchDims > static_cast<int64_t>(outer) ||
      batchDims + *count + index.size() - outer != shape->size())
    return std::nullopt;
  Polynomials source(index.take_front(batchDims));
  Polynomials tuple(index.take_front(outer));
  tuple.push_back(0);
  for (int64_t i = 0; i < *count; ++i) {
    tuple.back() = i;
    std::optional<Polynomial> position =
        getPosition(query, indices, tuple, (*shape)[batchDims + i]);
    if (!position)
      return query.getUniform(data);
    source.push_back(*position);
  }
  llvm::append_range(source, index.drop_front(outer));
  return query.getElement(data, source);
}

//===----------------------------------------------------------------------===//
// Elements made from their index
//===----------------------------------------------------------------------===//

static MaybeElement makeShape(SymbolicQuery &query, NodeOp node, Index index) {
  std::optional<Polynomials> shape = query.getShape(getData(node));
  std::optional<int64_t> position =
      index.size() == 1 ? index[0].getConstant() : std::nullopt;
  if (!shape || !position)
    return std::nullopt;
  int64_t rank = shape->size(), start = node.getInt("start", 0);
  *position += std::clamp<int64_t>(start < 0 ? start + rank : start, 0, rank);
  if (*position < 0 || *position >= rank)
    return std::nullopt;
  return SymbolicElement((*shape)[*position]);
}

static MaybeElement makeSize(SymbolicQuery &query, NodeOp node, Index) {
  std::optional<Polynomials> shape = query.getShape(getData(node));
  if (!shape)
    return std::nullopt;
  Polynomial product = 1;
  for (const Polynomial &size : *shape)
    product = product * size;
  return product.isValid() ? MaybeElement(product) : std::nullopt;
}

static MaybeElement makeRange(SymbolicQuery &query, NodeOp node, Index index) {
  if (node.getInputs().size() != 3 || index.size() != 1)
    return std::nullopt;
  std::optional<Polynomial> start = query.getInteger(getData(node), {});
  std::optional<Polynomial> step = query.getInteger(node.getInputs()[2], {});
  if (!start || !step)
    return std::nullopt;
  return getExact(query, *start + *step * index[0], getElementType(node));
}

static MaybeElement makeConstantOfShape(SymbolicQuery &, NodeOp node, Index) {
  auto value = dyn_cast_or_null<ElementsAttr>(node.getNodeAttr("value"));
  if (!value)
    return node.getNodeAttr("value") ? std::nullopt : MaybeElement(0);
  std::optional<Tensor> tensor = Tensor::fromAttr(value);
  if (!tensor || tensor->getNumElements() != 1)
    return std::nullopt;
  tensor = castTensor(std::move(*tensor), ElementKind::F64);
  if (!tensor)
    return std::nullopt;
  return SymbolicElement::getNumber(*tensor->getData<double>());
}

static MaybeElement makeTrilu(SymbolicQuery &query, NodeOp node, Index index) {
  if (index.size() < 2)
    return std::nullopt;
  Polynomial diagonal = 0;
  if (Value input = node.getInput(1)) {
    std::optional<Polynomials> shape = query.getShape(input);
    std::optional<Polynomial> given =
        shape ? query.getInteger(input, Polynomials(shape->size()))
              : std::nullopt;
    if (!given)
      return std::nullopt;
    diagonal = *given;
  }
  // How far the column lies beyond the diagonal.
  Polynomial beyond = index.back() - index[index.size() - 2] - diagonal;
  Condition isKept{Condition::Kind::NonNegative,
                   node.getInt("upper", 1) ? beyond : -beyond};
  SymbolicElement element = query.getElement(getData(node), index);
  return query.choose(
      isKept, [&] { return query.restrict(element); },
      [] { return SymbolicElement(0); });
}

/// A sum of equal elements.
static MaybeElement makeCumSum(SymbolicQuery &query, NodeOp node, Index index) {
  if (node.getInputs().size() != 2)
    return std::nullopt;
  std::optional<SmallVector<int64_t>> axes =
      query.getIntegers(node.getInputs()[1]);
  std::optional<Polynomials> shape = query.getShape(getData(node));
  if (!axes || axes->size() != 1 || !shape || shape->size() != index.size())
    return std::nullopt;
  std::optional<int64_t> axis = normalizeAxis((*axes)[0], shape->size());
  SymbolicElement element = query.getElement(getData(node), index);
  const Polynomial *integer = element.getInteger();
  if (!axis || !integer || !integer->getConstant())
    return std::nullopt;
  Polynomial count = index[*axis];
  if (node.getInt("reverse", 0))
    count = (*shape)[*axis] - Polynomial(1) - count;
  if (!node.getInt("exclusive", 0))
    count = count + Polynomial(1);
  return getExact(query, *integer * count, getElementType(node));
}

ElementRule tern::onnx::getMovementRule(StringRef kind) {
  return llvm::StringSwitch<ElementRule>(kind)
      .Case("Identity", moveIdentity)
      .Case("Transpose", moveTranspose)
      .Case("Unsqueeze", moveUnsqueeze)
      .Cases({"Reshape", "Flatten", "Squeeze"}, moveReshape)
      .Case("Expand", moveExpand)
      .Case("Slice", moveSlice)
      .Case("Concat", moveConcat)
      .Case("Tile", moveTile)
      .Case("Gather", moveGather)
      .Case("GatherND", moveGatherND)
      .Case("Shape", makeShape)
      .Case("Size", makeSize)
      .Case("Range", makeRange)
      .Case("ConstantOfShape", makeConstantOfShape)
      .Case("Trilu", makeTrilu)
      .Case("CumSum", makeCumSum)
      .Default(nullptr);
}

//===- MovementShapes.cpp - shapes of what moves elements -----------------===//

#include "ShapeRules.h"

#include "mlir/IR/BuiltinAttributes.h"

#include <algorithm>
#include <limits>

using namespace mlir;
using namespace tern::onnx;

static ShapeFacts vectorOf(Sizes elements) {
  ShapeFacts facts;
  facts.sizes = {constantSize(elements.size())};
  if (elements.size() == 1)
    facts.splat = elements.front();
  facts.elements = std::move(elements);
  return facts;
}

//===----------------------------------------------------------------------===//
// Shapes as values
//===----------------------------------------------------------------------===//

static std::optional<ShapeFacts> inferShape(ShapeQuery &query) {
  const Sizes &sizes = query.input(0).sizes;
  int64_t rank = sizes.size();
  auto clampToRank = [rank](int64_t bound) {
    return std::clamp<int64_t>(bound < 0 ? bound + rank : bound, 0, rank);
  };
  int64_t start = clampToRank(query.attr("start", 0));
  int64_t end = clampToRank(query.attr("end", rank));
  return vectorOf(start < end
                      ? Sizes(sizes.begin() + start, sizes.begin() + end)
                      : Sizes());
}

static std::optional<ShapeFacts> inferSize(ShapeQuery &query) {
  ShapeFacts facts;
  facts.splat = getProduct(query.input(0).sizes);
  facts.elements = Sizes{facts.splat};
  return facts;
}

static std::optional<ShapeFacts> inferConstantOfShape(ShapeQuery &query) {
  const ShapeFacts &shape = query.input(0);
  if (!shape.elements)
    return std::nullopt;
  ShapeFacts facts;
  facts.sizes = *shape.elements;
  auto value =
      dyn_cast_or_null<DenseIntElementsAttr>(query.node.getNodeAttr("value"));
  if (!value || !value.isSplat() ||
      value.getElementType().getIntOrFloatBitWidth() > 64)
    return facts;
  facts.splat = constantSize(value.getSplatValue<APInt>().getSExtValue());
  Size count = getProduct(facts.sizes);
  if (count && count->isConstant() && count->constant <= kMaxElements)
    facts.elements = Sizes(count->constant, facts.splat);
  return facts;
}

/// The quotient's ceiling is the distance itself for steps of 1.
static std::optional<ShapeFacts> inferRange(ShapeQuery &query) {
  auto scalar = [&](unsigned index) {
    return query.shapes.getScalar(query.node.getInput(index));
  };
  if (!isConstantSize(scalar(2), 1))
    return std::nullopt;
  ShapeFacts facts;
  facts.sizes = {subtractLengths(scalar(1), scalar(0))};
  return facts;
}

//===----------------------------------------------------------------------===//
// Reshaping
//===----------------------------------------------------------------------===//

static ShapeFacts withSizes(const ShapeFacts &input, Sizes sizes) {
  ShapeFacts facts = input;
  facts.sizes = std::move(sizes);
  return facts;
}

static std::optional<ShapeFacts> inferReshape(ShapeQuery &query) {
  const ShapeFacts &input = query.input(0), &shape = query.input(1);
  if (!shape.elements)
    return std::nullopt;
  Sizes sizes = *shape.elements;
  bool copiesZeros = query.attr("allowzero", 0) == 0;
  std::optional<size_t> inferred;
  Size others = constantSize(1);
  for (auto [dim, size] : llvm::enumerate(sizes)) {
    if (isConstantSize(size, -1)) {
      inferred = dim;
      continue;
    }
    if (copiesZeros && isConstantSize(size, 0))
      size = dim < input.sizes.size() ? input.sizes[dim] : Size();
    others = multiplyLengths(others, size);
  }
  if (inferred)
    sizes[*inferred] = divideLengths(getProduct(input.sizes), others);
  return withSizes(input, std::move(sizes));
}

static std::optional<ShapeFacts> inferFlatten(ShapeQuery &query) {
  const ShapeFacts &input = query.input(0);
  int64_t rank = input.sizes.size(), axis = query.attr("axis", 1);
  axis = axis < 0 ? axis + rank : axis;
  if (axis < 0 || axis > rank)
    return std::nullopt;
  ArrayRef<Size> sizes = input.sizes;
  return withSizes(input, {getProduct(sizes.take_front(axis)),
                           getProduct(sizes.drop_front(axis))});
}

static std::optional<ShapeFacts> inferSqueeze(ShapeQuery &query) {
  const ShapeFacts &input = query.input(0);
  std::optional<SmallVector<int64_t>> axes = query.ints("axes", 1);
  SmallVector<bool> dropped(input.sizes.size());
  if (!axes && (query.has(1) || query.node.getAttrs().contains("axes")))
    return std::nullopt;
  for (auto [dim, size] : llvm::enumerate(input.sizes)) {
    // Without axes, every size of 1 goes; unknown ones may be 1.
    if (!axes && compareLengths(size, constantSize(1)) == std::nullopt)
      return std::nullopt;
    dropped[dim] = !axes && isConstantSize(size, 1);
  }
  for (int64_t axis : axes.value_or(SmallVector<int64_t>())) {
    std::optional<unsigned> dim = getAxis(axis, input.sizes.size());
    if (!dim)
      return std::nullopt;
    dropped[*dim] = true;
  }
  Sizes sizes;
  for (auto [size, isDropped] : llvm::zip_equal(input.sizes, dropped))
    if (!isDropped)
      sizes.push_back(size);
  return withSizes(input, std::move(sizes));
}

static std::optional<ShapeFacts> inferUnsqueeze(ShapeQuery &query) {
  const ShapeFacts &input = query.input(0);
  std::optional<SmallVector<int64_t>> axes = query.ints("axes", 1);
  if (!axes)
    return std::nullopt;
  size_t rank = input.sizes.size() + axes->size();
  SmallVector<bool> added(rank);
  for (int64_t axis : *axes) {
    std::optional<unsigned> dim = getAxis(axis, rank);
    if (!dim || added[*dim])
      return std::nullopt;
    added[*dim] = true;
  }
  Sizes sizes;
  const Size *next = input.sizes.begin();
  for (bool isAdded : added)
    sizes.push_back(isAdded ? constantSize(1) : *next++);
  return withSizes(input, std::move(sizes));
}

//===----------------------------------------------------------------------===//
// Rearranging
//===----------------------------------------------------------------------===//

static std::optional<ShapeFacts> inferTranspose(ShapeQuery &query) {
  const Sizes &sizes = query.input(0).sizes;
  ShapeFacts facts;
  facts.splat = query.input(0).splat;
  std::optional<ArrayRef<int64_t>> order = query.node.getInts("perm");
  if (!order) {
    facts.sizes.assign(sizes.rbegin(), sizes.rend());
    return facts;
  }
  for (int64_t dim : *order) {
    if (dim < 0 || dim >= static_cast<int64_t>(sizes.size()))
      return std::nullopt;
    facts.sizes.push_back(sizes[dim]);
  }
  return facts;
}

static std::optional<ShapeFacts> inferExpand(ShapeQuery &query) {
  const ShapeFacts &input = query.input(0), &shape = query.input(1);
  if (!shape.elements)
    return std::nullopt;
  ShapeFacts facts;
  facts.sizes = broadcastShapes(input.sizes, *shape.elements);
  facts.splat = input.splat;
  Size count = getProduct(facts.sizes);
  if (facts.splat && count && count->isConstant() && count->constant >= 0 &&
      count->constant <= kMaxElements)
    facts.elements = Sizes(count->constant, facts.splat);
  return facts;
}

static std::optional<ShapeFacts> inferConcat(ShapeQuery &query) {
  ShapeFacts facts;
  const Sizes &first = query.input(0).sizes;
  std::optional<unsigned> axis = getAxis(query.attr("axis", 0), first.size());
  if (!axis)
    return std::nullopt;
  facts.sizes = first;
  facts.sizes[*axis] = constantSize(0);
  if (first.size() == 1)
    facts.elements.emplace();
  for (Value value : query.node.getInputs()) {
    const ShapeFacts &input = query.shapes.lookup(value);
    if (input.sizes.size() != first.size())
      return std::nullopt;
    facts.sizes[*axis] = addLengths(facts.sizes[*axis], input.sizes[*axis]);
    if (!input.elements)
      facts.elements.reset();
    if (facts.elements)
      facts.elements->append(*input.elements);
  }
  return facts;
}

static std::optional<ShapeFacts> inferSplit(ShapeQuery &query) {
  ShapeFacts facts;
  facts.sizes = query.input(0).sizes;
  std::optional<unsigned> axis =
      getAxis(query.attr("axis", 0), facts.sizes.size());
  if (!axis)
    return std::nullopt;
  std::optional<SmallVector<int64_t>> parts = query.ints("split", 1);
  Size &size = facts.sizes[*axis];
  if (parts)
    size = query.output < parts->size() ? constantSize((*parts)[query.output])
                                        : Size();
  else
    size = divideLengths(size, constantSize(query.node->getNumResults()));
  return facts;
}

static std::optional<ShapeFacts> inferTile(ShapeQuery &query) {
  ShapeFacts facts;
  facts.sizes = query.input(0).sizes;
  const auto &repeats = query.input(1).elements;
  if (!repeats || repeats->size() != facts.sizes.size())
    return std::nullopt;
  for (auto [size, times] : llvm::zip_equal(facts.sizes, *repeats))
    size = multiplyLengths(size, times);
  facts.splat = query.input(0).splat;
  return facts;
}

//===----------------------------------------------------------------------===//
// Picking
//===----------------------------------------------------------------------===//

/// The element that an index picks from a list.
static Size pick(ArrayRef<Size> elements, Size index) {
  if (!index || !index->isConstant())
    return std::nullopt;
  std::optional<unsigned> at = getAxis(index->constant, elements.size());
  return at ? elements[*at] : Size();
}

static std::optional<ShapeFacts> inferGather(ShapeQuery &query) {
  const ShapeFacts &data = query.input(0), &indices = query.input(1);
  std::optional<unsigned> axis =
      getAxis(query.attr("axis", 0), data.sizes.size());
  if (!axis)
    return std::nullopt;
  ShapeFacts facts;
  facts.sizes = data.sizes;
  const Size *at = facts.sizes.erase(facts.sizes.begin() + *axis);
  facts.sizes.insert(facts.sizes.begin() + (at - facts.sizes.begin()),
                     indices.sizes.begin(), indices.sizes.end());
  facts.splat = data.splat;
  if (data.elements && indices.elements && data.sizes.size() == 1) {
    facts.elements.emplace();
    for (Size index : *indices.elements)
      facts.elements->push_back(pick(*data.elements, index));
    if (facts.elements->size() == 1)
      facts.splat = facts.elements->front();
  }
  return facts;
}

/// A bound of a slice by ONNX's rules, or nullopt where its clamp cannot be
/// decided. A constant table is taken to have a row for every position: a graph
/// whose sequence outgrows it fails by itself.
static Size clampBound(Size bound, Size size) {
  if (!bound || !size)
    return std::nullopt;
  if (bound->isConstant() && bound->constant < 0)
    bound = addLengths(bound, size);
  if (size->isConstant() && bound && !bound->isConstant())
    return bound->past >= 0 && bound->count >= 0 ? bound : Size();
  Size room = subtractLengths(size, bound);
  if (room && room->isConstant())
    return room->constant < 0 ? size : bound;
  if (room && room->past >= 0 && room->count >= 0 &&
      room->constant + room->count >= 0)
    return bound;
  // What no sequence reaches stands for the end.
  constexpr int64_t kEnd = std::numeric_limits<int32_t>::max();
  return bound && bound->isConstant() && bound->constant >= kEnd ? size
                                                                 : Size();
}

/// The size of a slice along one axis.
static Size getSliceSize(Size start, Size end, Size size) {
  Size from = clampBound(start, size), to = clampBound(end, size);
  Size length = subtractLengths(to, from);
  if (length && length->isConstant())
    length->constant = std::max<int64_t>(0, length->constant);
  return length;
}

/// The part of a list between constant bounds.
static std::optional<ShapeFacts> sliceList(const Sizes &list, Size start,
                                           Size end) {
  Size size = constantSize(list.size());
  Size from = clampBound(start, size), to = clampBound(end, size);
  if (!from || !to || !from->isConstant() || !to->isConstant())
    return std::nullopt;
  int64_t first = std::max<int64_t>(0, from->constant);
  int64_t last = std::max(first, to->constant);
  return vectorOf(Sizes(list.begin() + first, list.begin() + last));
}

static std::optional<ShapeFacts> inferSlice(ShapeQuery &query) {
  const ShapeFacts &data = query.input(0);
  if (!query.has(1) || !query.has(2) ||
      (query.node.getInput(3) && !query.has(3)))
    return std::nullopt;
  const auto &starts = query.input(1).elements, &ends = query.input(2).elements;
  if (!starts || !ends || starts->size() != ends->size())
    return std::nullopt;
  SmallVector<int64_t> steps(starts->size(), 1), axes;
  for (size_t i = 0; i < starts->size(); ++i)
    axes.push_back(i);
  for (auto [index, list] : {std::pair(3u, &axes), std::pair(4u, &steps)}) {
    if (!query.has(index))
      continue;
    auto constants = query.shapes.getConstants(query.node.getInput(index));
    if (!constants || constants->size() != starts->size())
      return std::nullopt;
    *list = *constants;
  }
  bool hasUnitSteps =
      llvm::all_of(steps, [](int64_t step) { return step == 1; });
  if (data.elements && data.sizes.size() == 1 && starts->size() == 1 &&
      hasUnitSteps)
    return sliceList(*data.elements, starts->front(), ends->front());
  ShapeFacts facts;
  facts.sizes = data.sizes;
  facts.splat = data.splat;
  for (auto [axis, step, start, end] :
       llvm::zip_equal(axes, steps, *starts, *ends)) {
    std::optional<unsigned> dim = getAxis(axis, facts.sizes.size());
    if (!dim)
      return std::nullopt;
    facts.sizes[*dim] =
        step == 1 ? getSliceSize(start, end, data.sizes[*dim]) : Size();
  }
  return facts;
}

void tern::onnx::addMovementShapeRules(ShapeRules &rules) {
  rules["Shape"] = inferShape;
  rules["Size"] = inferSize;
  rules["ConstantOfShape"] = inferConstantOfShape;
  rules["Range"] = inferRange;
  rules["Reshape"] = inferReshape;
  rules["Flatten"] = inferFlatten;
  rules["Squeeze"] = inferSqueeze;
  rules["Unsqueeze"] = inferUnsqueeze;
  rules["Transpose"] = inferTranspose;
  rules["Expand"] = inferExpand;
  rules["Concat"] = inferConcat;
  rules["Split"] = inferSplit;
  rules["Tile"] = inferTile;
  rules["Gather"] = inferGather;
  rules["Slice"] = inferSlice;
}

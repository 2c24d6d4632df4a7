//===- Reshape.cpp - other sizes for the same elements --------------------===//
//
// A reshape whose dimensions are proven to correspond in groups, as in
// [b, s, h * d] to [b, s, h, d], is a collapse followed by an expansion of
// those groups, which later passes see through. Else all dimensions form one
// group, whose element count is checked at run time. Upstream lowers no
// expansion of a group to several dynamic sizes: that is a tensor.reshape.
//
//===----------------------------------------------------------------------===//

#include "Movement.h"
#include "Sizes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tern::onnx;

//===----------------------------------------------------------------------===//
// Products of sizes
//===----------------------------------------------------------------------===//

namespace {
/// A product of sizes as a constant and the values that are not.
struct Product {
  uint64_t constant = 1;
  SmallVector<Value> factors;

  explicit Product(ArrayRef<OpFoldResult> sizes) {
    for (OpFoldResult size : sizes)
      multiply(size);
  }
  void multiply(OpFoldResult size) {
    if (std::optional<int64_t> known = getConstantIntValue(size)) {
      constant = llvm::SaturatingMultiply(constant, uint64_t(*known));
      return;
    }
    Value value = cast<Value>(size);
    if (auto product = value.getDefiningOp<arith::MulIOp>()) {
      multiply(getAsOpFoldResult(product.getLhs()));
      multiply(getAsOpFoldResult(product.getRhs()));
      return;
    }
    factors.push_back(value);
  }
  /// Removes the factors of `other` that this product has, from both.
  void cancel(Product &other) {
    llvm::erase_if(factors, [&](Value factor) {
      auto same = llvm::find_if(other.factors, [&](Value candidate) {
        return areSameSize(factor, candidate);
      });
      if (same == other.factors.end())
        return false;
      other.factors.erase(same);
      return true;
    });
  }
};
} // namespace

static bool areSameProduct(ArrayRef<OpFoldResult> lhs,
                           ArrayRef<OpFoldResult> rhs) {
  Product left(lhs), right(rhs);
  if (left.constant != right.constant ||
      left.factors.size() != right.factors.size())
    return false;
  left.cancel(right);
  return left.factors.empty() && right.factors.empty();
}

//===----------------------------------------------------------------------===//
// Groups of dimensions
//===----------------------------------------------------------------------===//

namespace {
/// Groups of consecutive dimensions of the source and of the result; group `i`
/// of the one holds the elements of group `i` of the other.
struct Grouping {
  SmallVector<ReassociationIndices> source, result;
};
} // namespace

static ReassociationIndices range(int64_t begin, int64_t end) {
  return llvm::to_vector<2>(llvm::seq(begin, end));
}

// All dimensions in one group; none where a side has no dimensions, since then
// the other has only ones.
static Grouping oneGroup(int64_t sourceRank, int64_t resultRank) {
  Grouping grouping;
  if (sourceRank != 0 && resultRank != 0) {
    grouping.source.push_back(range(0, sourceRank));
    grouping.result.push_back(range(0, resultRank));
  }
  return grouping;
}

// The fewest dimensions from `source` and `result`'s start on that have the
// same product; {0, 0} where none are proven to.
static std::pair<size_t, size_t> smallestGroup(ArrayRef<OpFoldResult> source,
                                               ArrayRef<OpFoldResult> result) {
  for (size_t total = 2; total <= source.size() + result.size(); ++total)
    for (size_t taken = 1; taken < total; ++taken) {
      size_t made = total - taken;
      if (taken <= source.size() && made <= result.size() &&
          areSameProduct(source.take_front(taken), result.take_front(made)))
        return {taken, made};
    }
  return {0, 0};
}

// The finest grouping; nullopt where the element counts are not proven equal.
static std::optional<Grouping> groupDimensions(ArrayRef<OpFoldResult> source,
                                               ArrayRef<OpFoldResult> result) {
  int64_t sourceRank = source.size(), resultRank = result.size();
  if (!areSameProduct(source, result))
    return std::nullopt;
  Grouping grouping = oneGroup(sourceRank, resultRank);
  if (grouping.source.empty())
    return grouping;
  Grouping finest;
  int64_t i = 0, j = 0;
  while (i < sourceRank && j < resultRank) {
    auto [taken, made] =
        smallestGroup(source.drop_front(i), result.drop_front(j));
    if (taken == 0)
      return grouping;
    finest.source.push_back(range(i, i + taken));
    finest.result.push_back(range(j, j + made));
    i += taken;
    j += made;
  }
  // What is left over are ones, since the whole products are the same.
  if (Product rest(source.drop_front(i)); rest.constant != 1)
    return grouping;
  if (Product rest(result.drop_front(j)); rest.constant != 1)
    return grouping;
  llvm::append_range(finest.source.back(), llvm::seq(i, sourceRank));
  llvm::append_range(finest.result.back(), llvm::seq(j, resultRank));
  return finest;
}

static Value collapse(ImplicitLocOpBuilder &b, Value tensor,
                      ArrayRef<ReassociationIndices> groups) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (static_cast<int64_t>(groups.size()) == type.getRank())
    return tensor;
  return tensor::CollapseShapeOp::create(b, tensor, groups);
}

// Where all dimensions form one group that is dynamic on one side only, the
// type of `tensor` is adjusted: the count was checked.
static Value expand(ImplicitLocOpBuilder &b, Value tensor,
                    ArrayRef<ReassociationIndices> groups,
                    ArrayRef<OpFoldResult> sizes) {
  auto type = cast<RankedTensorType>(tensor.getType());
  RankedTensorType resultType = typeWithSizes(sizes, type.getElementType());
  SmallVector<int64_t> counts;
  for (const ReassociationIndices &group : groups) {
    int64_t count = 1;
    for (int64_t dim : group)
      count = resultType.isDynamicDim(dim) || ShapedType::isDynamic(count)
                  ? ShapedType::kDynamic
                  : count * resultType.getDimSize(dim);
    counts.push_back(count);
  }
  RankedTensorType countType = type.clone(counts);
  if (type != countType)
    tensor = tensor::CastOp::create(b, countType, tensor);
  if (resultType.getRank() == countType.getRank())
    return tensor;
  return tensor::ExpandShapeOp::create(b, resultType, tensor, groups, sizes);
}

// Whether each group has at most one dynamic size.
static bool isExpandable(ArrayRef<ReassociationIndices> groups,
                         ArrayRef<OpFoldResult> sizes) {
  return llvm::all_of(groups, [&](const ReassociationIndices &group) {
    return llvm::count_if(group, [&](int64_t dim) {
             return !getConstantIntValue(sizes[dim]);
           }) <= 1;
  });
}

//===----------------------------------------------------------------------===//
// Checks of what is not proven
//===----------------------------------------------------------------------===//

// Checks, without overflow, that `sizes` hold as many elements as `source`:
// divides the count by one size after the other.
static void checkElementCount(LoweringContext &ctx,
                              ArrayRef<OpFoldResult> source,
                              ArrayRef<OpFoldResult> sizes) {
  ImplicitLocOpBuilder &b = ctx.b;
  using Predicate = arith::CmpIPredicate;
  auto compare = [&](Predicate predicate, Value lhs, Value rhs) {
    return b.createOrFold<arith::CmpIOp>(predicate, lhs, rhs);
  };
  Value zero = indexValue(b, b.getIndexAttr(0));
  Value one = indexValue(b, b.getIndexAttr(1));
  Value count = indexValue(b, productOf(b, source));
  Value rest = count;
  Value fits = arith::ConstantIntOp::create(b, 1, /*width=*/1);
  Value isEmpty = arith::ConstantIntOp::create(b, 0, /*width=*/1);
  auto require = [&](Value condition) {
    fits = b.createOrFold<arith::AndIOp>(fits, condition);
  };
  for (OpFoldResult sizeOrValue : sizes) {
    Value size = indexValue(b, sizeOrValue);
    if (!isNonNegative(sizeOrValue))
      require(compare(Predicate::sge, size, zero));
    isEmpty = b.createOrFold<arith::OrIOp>(isEmpty,
                                           compare(Predicate::eq, size, zero));
    Value divisor = indexValue(b, maxIndex(b, sizeOrValue, b.getIndexAttr(1)));
    require(compare(Predicate::eq,
                    b.createOrFold<arith::RemSIOp>(rest, divisor), zero));
    rest = b.createOrFold<arith::DivSIOp>(rest, divisor);
  }
  Value wasEmpty = compare(Predicate::eq, count, zero);
  require(compare(Predicate::eq, isEmpty, wasEmpty));
  require(b.createOrFold<arith::OrIOp>(wasEmpty,
                                       compare(Predicate::eq, rest, one)));
  ctx.check(fits, "the new shape holds another number of elements");
}

static std::optional<uint64_t> staticCount(ArrayRef<OpFoldResult> sizes) {
  Product product(sizes);
  if (!product.factors.empty() && product.constant != 0)
    return std::nullopt;
  return product.constant;
}

FailureOr<Value> tern::onnx::reshapeTo(LoweringContext &ctx, Value tensor,
                                       ArrayRef<OpFoldResult> sizes) {
  ImplicitLocOpBuilder &b = ctx.b;
  auto type = cast<RankedTensorType>(tensor.getType());
  RankedTensorType resultType = typeWithSizes(sizes, type.getElementType());
  if (resultType.hasStaticShape())
    if (std::optional<SmallVector<Value>> scalars = knownScalars(b, tensor))
      if (resultType.getNumElements() == static_cast<int64_t>(scalars->size()))
        return tensorOfScalars(b, resultType, *scalars);

  SmallVector<OpFoldResult> source = sizesOf(b, tensor);
  tensor = castToSizes(b, tensor, source);
  std::optional<Grouping> grouping = groupDimensions(source, sizes);
  bool isEmpty = staticCount(source) == 0,
       becomesEmpty = staticCount(sizes) == 0;
  if (isEmpty && becomesEmpty)
    return emptyTensor(b, sizes, type.getElementType());
  if (!grouping) {
    std::optional<uint64_t> found = staticCount(source);
    std::optional<uint64_t> expected = staticCount(sizes);
    if (found && expected && *found != *expected)
      return ctx.error() << "found " << *found << " elements; expected "
                         << *expected << ", which the new shape holds";
    checkElementCount(ctx, source, sizes);
    if (isEmpty || becomesEmpty)
      return emptyTensor(b, sizes, type.getElementType());
    grouping = oneGroup(source.size(), sizes.size());
  }
  // With no dimensions on a side, there is one element.
  if (grouping->source.empty()) {
    Value zero = indexValue(b, b.getIndexAttr(0));
    Value element = tensor::ExtractOp::create(
        b, tensor, SmallVector<Value>(source.size(), zero));
    Sizes ones(sizes.size(), b.getIndexAttr(1));
    return tensorOfScalars(b, typeWithSizes(ones, type.getElementType()),
                           element);
  }
  if (!isExpandable(grouping->result, sizes)) {
    auto shapeType =
        RankedTensorType::get({resultType.getRank()}, b.getIndexType());
    Value shape =
        tensor::FromElementsOp::create(b, shapeType, indexValues(b, sizes));
    return Value(tensor::ReshapeOp::create(b, resultType, tensor, shape));
  }
  return expand(b, collapse(b, tensor, grouping->source), grouping->result,
                sizes);
}

//===----------------------------------------------------------------------===//
// Reshape
//===----------------------------------------------------------------------===//

// The size that -1 stands for, given the others.
static OpFoldResult inferSize(LoweringContext &ctx,
                              ArrayRef<OpFoldResult> source,
                              ArrayRef<OpFoldResult> others) {
  ImplicitLocOpBuilder &b = ctx.b;
  Product count(source), known(others);
  count.cancel(known);
  if (known.factors.empty() && known.constant != 0 &&
      count.constant % known.constant == 0) {
    Sizes factors(count.factors.begin(), count.factors.end());
    factors.push_back(b.getIndexAttr(count.constant / known.constant));
    return productOf(b, factors);
  }
  OpFoldResult divisor = maxIndex(b, productOf(b, others), b.getIndexAttr(1));
  return getAsOpFoldResult(b.createOrFold<arith::DivSIOp>(
      indexValue(b, productOf(b, source)), indexValue(b, divisor)));
}

static OpFoldResult selectWhereEqual(ImplicitLocOpBuilder &b,
                                     OpFoldResult value, int64_t constant,
                                     OpFoldResult replacement) {
  Value condition = b.createOrFold<arith::CmpIOp>(
      arith::CmpIPredicate::eq, indexValue(b, value),
      indexValue(b, b.getIndexAttr(constant)));
  return getAsOpFoldResult(b.createOrFold<arith::SelectOp>(
      condition, indexValue(b, replacement), indexValue(b, value)));
}

// Replaces zeros by the sizes of the source. A size that is computed from sizes
// of tensors is taken as it is: where such a size is zero, there is no element
// either way.
static LogicalResult copyZeroSizes(LoweringContext &ctx,
                                   ArrayRef<OpFoldResult> source,
                                   Sizes &target) {
  for (auto [dim, size] : llvm::enumerate(target)) {
    std::optional<int64_t> constant = getConstantIntValue(size);
    if (constant ? *constant != 0 : isNonNegative(size))
      continue;
    if (dim < source.size()) {
      size = selectWhereEqual(ctx.b, size, 0, source[dim]);
      continue;
    }
    if (constant)
      return ctx.error() << "found 0 for dimension " << dim
                         << " of the new shape; the input has rank "
                         << source.size();
  }
  return success();
}

// Replaces a -1 by what is left of the element count.
static LogicalResult inferSizes(LoweringContext &ctx,
                                ArrayRef<OpFoldResult> source, Sizes &target) {
  ImplicitLocOpBuilder &b = ctx.b;
  std::optional<size_t> inferred;
  SmallVector<size_t> computed;
  for (auto [dim, size] : llvm::enumerate(target)) {
    std::optional<int64_t> constant = getConstantIntValue(size);
    if (!constant && !isNonNegative(size))
      computed.push_back(dim);
    if (!constant || *constant >= 0)
      continue;
    if (*constant != -1 || inferred)
      return ctx.error() << "found " << *constant << " for dimension " << dim
                         << " of the new shape; expected sizes, and -1 at "
                            "most once";
    inferred = dim;
  }
  if (inferred) {
    Sizes others(target);
    others.erase(others.begin() + *inferred);
    target[*inferred] = inferSize(ctx, source, others);
    return success();
  }
  if (computed.empty())
    return success();
  // Any of the computed sizes may turn out to be the -1.
  Sizes known(target);
  for (size_t dim : computed)
    known[dim] = selectWhereEqual(b, target[dim], -1, b.getIndexAttr(1));
  OpFoldResult rest = inferSize(ctx, source, known);
  for (size_t dim : computed)
    target[dim] = selectWhereEqual(b, target[dim], -1, rest);
  return success();
}

static LoweringResult toResult(FailureOr<Value> value) {
  if (failed(value))
    return failure();
  return SmallVector<Value>{*value};
}

static LoweringResult lowerReshape(LoweringContext &ctx) {
  FailureOr<Sizes> target = indicesFromInput(ctx, 1);
  if (failed(target))
    return failure();
  SmallVector<OpFoldResult> source = sizesOf(ctx.b, ctx.input(0));
  if (ctx.node.getInt("allowzero", 0) == 0 &&
      failed(copyZeroSizes(ctx, source, *target)))
    return failure();
  if (failed(inferSizes(ctx, source, *target)))
    return failure();
  return toResult(reshapeTo(ctx, ctx.input(0), *target));
}

//===----------------------------------------------------------------------===//
// Flatten, Squeeze, Unsqueeze
//===----------------------------------------------------------------------===//

static LoweringResult lowerFlatten(LoweringContext &ctx) {
  int64_t rank = ctx.type(0).getRank();
  int64_t axis = ctx.node.getInt("axis", 1);
  // The rank itself is an axis here: everything before, nothing behind.
  if (axis < -rank || axis > rank)
    return ctx.error() << "found axis " << axis << "; expected one in ["
                       << -rank << ", " << rank << "]";
  if (axis < 0)
    axis += rank;
  SmallVector<OpFoldResult> sizes = sizesOf(ctx.b, ctx.input(0));
  ArrayRef<OpFoldResult> all(sizes);
  Sizes target{productOf(ctx.b, all.take_front(axis)),
               productOf(ctx.b, all.drop_front(axis))};
  return toResult(reshapeTo(ctx, ctx.input(0), target));
}

static LoweringResult lowerUnsqueeze(LoweringContext &ctx) {
  SmallVector<OpFoldResult> sizes = sizesOf(ctx.b, ctx.input(0));
  std::optional<ArrayRef<int64_t>> attr = ctx.node.getInts("axes");
  int64_t added = attr            ? attr->size()
                  : !ctx.input(1) ? 0
                                  : ctx.type(1).getNumElements();
  FailureOr<std::optional<SmallVector<int64_t>>> axes =
      axesOf(ctx, 1, sizes.size() + added);
  if (failed(axes))
    return failure();
  if (!*axes)
    return ctx.error() << "found no axes";
  for (int64_t axis : **axes)
    sizes.insert(sizes.begin() + axis, ctx.b.getIndexAttr(1));
  return toResult(reshapeTo(ctx, ctx.input(0), sizes));
}

static LoweringResult lowerSqueeze(LoweringContext &ctx) {
  SmallVector<OpFoldResult> sizes = sizesOf(ctx.b, ctx.input(0));
  FailureOr<std::optional<SmallVector<int64_t>>> axes =
      axesOf(ctx, 1, sizes.size());
  if (failed(axes))
    return failure();
  if (!*axes) {
    axes->emplace();
    for (auto [dim, size] : llvm::enumerate(sizes)) {
      if (!getConstantIntValue(size))
        return ctx.error() << "found no axes and a dynamic dimension " << dim
                           << "; expected axes";
      if (isConstantIntValue(size, 1))
        (*axes)->push_back(dim);
    }
  }
  OpFoldResult one = ctx.b.getIndexAttr(1);
  for (int64_t axis : **axes) {
    if (failed(checkSameSize(ctx, sizes[axis], one,
                             "a squeezed dimension is not 1")))
      return failure();
    sizes[axis] = one;
  }
  Value tensor = castToSizes(ctx.b, ctx.input(0), sizes);
  for (int64_t axis : llvm::reverse(**axes))
    sizes.erase(sizes.begin() + axis);
  return toResult(reshapeTo(ctx, tensor, sizes));
}

void tern::onnx::addReshapeLowerings(LoweringTable &table) {
  table["Reshape"] = lowerReshape;
  table["Flatten"] = lowerFlatten;
  table["Squeeze"] = lowerSqueeze;
  table["Unsqueeze"] = lowerUnsqueeze;
}

//===- Movement.cpp - operators that move elements ------------------------===//

#include "Movement.h"
#include "Sizes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace tern::onnx;

//===----------------------------------------------------------------------===//
// Building blocks
//===----------------------------------------------------------------------===//

Value tern::onnx::castToSizes(ImplicitLocOpBuilder &b, Value tensor,
                              ArrayRef<OpFoldResult> sizes) {
  auto type = cast<RankedTensorType>(tensor.getType());
  RankedTensorType target = typeWithSizes(sizes, type.getElementType());
  if (type == target)
    return tensor;
  return tensor::CastOp::create(b, target, tensor);
}

static bool isIdentity(ArrayRef<int64_t> permutation) {
  return llvm::equal(permutation, llvm::seq<int64_t>(permutation.size()));
}

Value tern::onnx::transpose(ImplicitLocOpBuilder &b, Value tensor,
                            ArrayRef<int64_t> permutation) {
  if (isIdentity(permutation))
    return tensor;
  SmallVector<OpFoldResult> source = sizesOf(b, tensor);
  tensor = castToSizes(b, tensor, source);
  Sizes sizes = llvm::map_to_vector(permutation,
                                    [&](int64_t dim) { return source[dim]; });
  Value init = emptyTensor(
      b, sizes, cast<RankedTensorType>(tensor.getType()).getElementType());
  return linalg::TransposeOp::create(b, tensor, init, permutation)
      .getResult()[0];
}

static bool holdsNothing(ArrayRef<OpFoldResult> sizes) {
  return llvm::any_of(
      sizes, [](OpFoldResult size) { return isConstantIntValue(size, 0); });
}

static bool holdsNothing(Value tensor) {
  return llvm::is_contained(cast<RankedTensorType>(tensor.getType()).getShape(),
                            0);
}

// The verifier wants offsets inside the tensor, even of slices without
// elements; those need no slice.
static Value extractSlice(ImplicitLocOpBuilder &b, Value tensor,
                          ArrayRef<OpFoldResult> offsets,
                          ArrayRef<OpFoldResult> sizes,
                          ArrayRef<OpFoldResult> strides) {
  if (holdsNothing(sizes) || holdsNothing(tensor))
    return emptyTensor(
        b, sizes, cast<RankedTensorType>(tensor.getType()).getElementType());
  return tensor::ExtractSliceOp::create(b, tensor, offsets, sizes, strides);
}

static Value insertSlice(ImplicitLocOpBuilder &b, Value source, Value dest,
                         ArrayRef<OpFoldResult> offsets,
                         ArrayRef<OpFoldResult> sizes,
                         ArrayRef<OpFoldResult> strides) {
  if (holdsNothing(sizes) || holdsNothing(dest))
    return dest;
  return tensor::InsertSliceOp::create(b, castToSizes(b, source, sizes), dest,
                                       offsets, sizes, strides);
}

Value tern::onnx::sliceOf(ImplicitLocOpBuilder &b, Value tensor,
                          ArrayRef<OpFoldResult> offsets,
                          ArrayRef<OpFoldResult> sizes) {
  Sizes strides(sizes.size(), b.getIndexAttr(1));
  return extractSlice(b, tensor, offsets, sizes, strides);
}

Value tern::onnx::sliceAlong(ImplicitLocOpBuilder &b, Value tensor,
                             int64_t axis, OpFoldResult offset,
                             OpFoldResult size, int64_t stride) {
  SmallVector<OpFoldResult> sizes = sizesOf(b, tensor);
  if (stride == 1 && isConstantIntValue(offset, 0) &&
      areSameSize(sizes[axis], size))
    return tensor;
  Sizes offsets(sizes.size(), b.getIndexAttr(0));
  Sizes strides(sizes.size(), b.getIndexAttr(1));
  offsets[axis] = offset;
  strides[axis] = b.getIndexAttr(stride);
  sizes[axis] = size;
  return extractSlice(b, tensor, offsets, sizes, strides);
}

Value tern::onnx::insertInto(ImplicitLocOpBuilder &b, Value source, Value dest,
                             ArrayRef<OpFoldResult> offsets) {
  SmallVector<OpFoldResult> sizes = sizesOf(b, source);
  Sizes strides(sizes.size(), b.getIndexAttr(1));
  return insertSlice(b, source, dest, offsets, sizes, strides);
}

Value tern::onnx::insertAlong(ImplicitLocOpBuilder &b, Value source, Value dest,
                              int64_t axis, OpFoldResult offset,
                              int64_t stride) {
  SmallVector<OpFoldResult> sizes = sizesOf(b, source);
  Sizes offsets(sizes.size(), b.getIndexAttr(0));
  Sizes strides(sizes.size(), b.getIndexAttr(1));
  offsets[axis] = offset;
  strides[axis] = b.getIndexAttr(stride);
  return insertSlice(b, source, dest, offsets, sizes, strides);
}

Value tern::onnx::update(ImplicitLocOpBuilder &b, Value dest,
                         ArrayRef<BroadcastOperand> operands, ElementFn fn) {
  int64_t rank = cast<RankedTensorType>(dest.getType()).getRank();
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  for (const BroadcastOperand &operand : operands) {
    inputs.push_back(operand.tensor);
    maps.push_back(operand.map);
  }
  maps.push_back(b.getMultiDimIdentityMap(rank));
  auto buildBody = [&](OpBuilder &builder, Location loc, ValueRange scalars) {
    ImplicitLocOpBuilder body(loc, builder);
    SmallVector<Value> indices;
    for (int64_t dim = 0; dim < rank; ++dim)
      indices.push_back(linalg::IndexOp::create(body, dim));
    linalg::YieldOp::create(body, fn(body, indices, scalars));
  };
  return linalg::GenericOp::create(b, dest.getType(), inputs, dest, maps,
                                   parallelLoops(rank), buildBody)
      .getResult(0);
}

Value tern::onnx::generate(ImplicitLocOpBuilder &b,
                           ArrayRef<OpFoldResult> sizes, Type elementType,
                           ArrayRef<BroadcastOperand> operands, ElementFn fn) {
  return update(
      b, emptyTensor(b, sizes, elementType), operands,
      [&](ImplicitLocOpBuilder &body, ValueRange indices, ValueRange scalars) {
        return fn(body, indices, scalars.drop_back());
      });
}

//===----------------------------------------------------------------------===//
// Transpose, Concat
//===----------------------------------------------------------------------===//

static LoweringResult lowerTranspose(LoweringContext &ctx) {
  int64_t rank = ctx.type(0).getRank();
  SmallVector<int64_t> permutation =
      llvm::to_vector(llvm::reverse(llvm::seq<int64_t>(0, rank)));
  if (std::optional<ArrayRef<int64_t>> attr = ctx.node.getInts("perm"))
    permutation.assign(attr->begin(), attr->end());
  if (static_cast<int64_t>(permutation.size()) != rank ||
      !isPermutationVector(permutation))
    return ctx.error() << "found a perm of [" << ArrayRef(permutation)
                       << "]; expected a permutation of the input's " << rank
                       << " dimensions";
  return SmallVector<Value>{transpose(ctx.b, ctx.input(0), permutation)};
}

// Elements that are known as scalars stay scalars.
static Value joinScalars(ImplicitLocOpBuilder &b, ValueRange tensors,
                         RankedTensorType type) {
  SmallVector<Value> joined;
  for (Value tensor : tensors) {
    std::optional<SmallVector<Value>> scalars = knownScalars(b, tensor);
    if (!scalars)
      return {};
    joined.append(*scalars);
  }
  return tensorOfScalars(b, type, joined);
}

// The sizes of the joined tensors; all but those along `axis` are the same.
static FailureOr<Sizes> joinedSizes(LoweringContext &ctx,
                                    ArrayRef<Sizes> shapes, int64_t axis) {
  Sizes joined(shapes.front());
  for (const Sizes &shape : shapes.drop_front()) {
    for (auto [dim, size] : llvm::enumerate(shape)) {
      if (static_cast<int64_t>(dim) == axis) {
        joined[dim] = addSizes(ctx.b, joined[dim], size);
        continue;
      }
      if (failed(checkSameSize(ctx, joined[dim], size,
                               "inputs differ in dimension " +
                                   std::to_string(dim))))
        return failure();
      if (getConstantIntValue(size))
        joined[dim] = size;
    }
  }
  return joined;
}

FailureOr<Value> tern::onnx::concatenate(LoweringContext &ctx,
                                         ValueRange tensors, int64_t axis) {
  ImplicitLocOpBuilder &b = ctx.b;
  if (tensors.size() == 1)
    return Value(tensors.front());
  SmallVector<Sizes> shapes;
  for (Value tensor : tensors)
    shapes.push_back(sizesOf(b, tensor));
  FailureOr<Sizes> sizes = joinedSizes(ctx, shapes, axis);
  if (failed(sizes))
    return failure();
  Type elementType =
      cast<RankedTensorType>(tensors.front().getType()).getElementType();
  RankedTensorType type = typeWithSizes(*sizes, elementType);
  if (axis == 0 && type.hasStaticShape())
    if (Value joined = joinScalars(b, tensors, type))
      return joined;

  Value joined = emptyTensor(b, *sizes, elementType);
  OpFoldResult offset = b.getIndexAttr(0);
  for (auto [tensor, shape] : llvm::zip_equal(tensors, shapes)) {
    if (isConstantIntValue(shape[axis], 0))
      continue;
    // Dimensions that were checked to be the same have the same size.
    Sizes part(*sizes);
    part[axis] = shape[axis];
    joined = insertAlong(b, castToSizes(b, tensor, part), joined, axis, offset);
    offset = addSizes(b, offset, shape[axis]);
  }
  return joined;
}

static LoweringResult lowerConcat(LoweringContext &ctx) {
  if (ctx.inputs.empty() || llvm::is_contained(ctx.inputs, Value()))
    return ctx.error() << "an input is missing";
  int64_t rank = ctx.type(0).getRank();
  FailureOr<int64_t> axis =
      normalizeAxis(ctx, ctx.node.getInt("axis", 0), rank);
  if (failed(axis))
    return failure();
  for (unsigned index = 1; index < ctx.inputs.size(); ++index)
    if (ctx.type(index).getRank() != rank)
      return ctx.error() << "input " << index << " has rank "
                         << ctx.type(index).getRank() << "; expected " << rank;
  FailureOr<Value> joined = concatenate(ctx, ctx.inputs, *axis);
  if (failed(joined))
    return failure();
  return SmallVector<Value>{*joined};
}

//===----------------------------------------------------------------------===//
// Split
//===----------------------------------------------------------------------===//

// `count` parts of the same size; the last is smaller where they do not fit
// (opset 18).
static Sizes equalParts(LoweringContext &ctx, OpFoldResult size,
                        int64_t count) {
  ImplicitLocOpBuilder &b = ctx.b;
  OpFoldResult part = ceilDivide(b, size, b.getIndexAttr(count));
  Sizes parts(count, part);
  OpFoldResult before = multiplySizes(b, part, b.getIndexAttr(count - 1));
  checkAtMost(ctx, before, size, "the input has too few elements to split");
  parts.back() = subtractSizes(b, size, before);
  return parts;
}

static FailureOr<Sizes> partSizes(LoweringContext &ctx, OpFoldResult size) {
  ImplicitLocOpBuilder &b = ctx.b;
  int64_t count = ctx.node.getOutputs().size();
  Sizes parts;
  if (std::optional<ArrayRef<int64_t>> attr = ctx.node.getInts("split")) {
    for (int64_t part : *attr)
      parts.push_back(b.getIndexAttr(part));
  } else if (ctx.input(1)) {
    FailureOr<Sizes> input = indicesFromInput(ctx, 1);
    if (failed(input))
      return failure();
    parts = *input;
  } else {
    return equalParts(ctx, size, count);
  }
  if (static_cast<int64_t>(parts.size()) != count)
    return ctx.error() << "found " << parts.size() << " sizes for " << count
                       << " outputs";
  OpFoldResult sum = b.getIndexAttr(0);
  for (OpFoldResult part : parts) {
    if (!isNonNegative(part))
      checkAtMost(ctx, b.getIndexAttr(0), part, "a size is negative");
    sum = addSizes(b, sum, part);
  }
  if (failed(checkSameSize(ctx, sum, size,
                           "the sizes do not add up to the dimension")))
    return failure();
  return parts;
}

static LoweringResult lowerSplit(LoweringContext &ctx) {
  ImplicitLocOpBuilder &b = ctx.b;
  FailureOr<int64_t> axis =
      normalizeAxis(ctx, ctx.node.getInt("axis", 0), ctx.type(0).getRank());
  if (failed(axis))
    return failure();
  FailureOr<Sizes> parts = partSizes(ctx, sizeOf(b, ctx.input(0), *axis));
  if (failed(parts))
    return failure();
  // A slice with a negative size does not verify: say what is wrong instead.
  for (OpFoldResult part : *parts)
    if (std::optional<int64_t> size = getConstantIntValue(part);
        size && *size < 0)
      return ctx.error() << "found the size " << *size
                         << "; expected at least 0";
  std::optional<SmallVector<Value>> scalars;
  if (ctx.type(0).getRank() == 1)
    scalars = knownScalars(b, ctx.input(0));
  SmallVector<Value> results;
  OpFoldResult offset = b.getIndexAttr(0);
  for (OpFoldResult part : *parts) {
    std::optional<int64_t> begin = getConstantIntValue(offset);
    std::optional<int64_t> size = getConstantIntValue(part);
    if (scalars && begin && size)
      results.push_back(
          tensorOfScalars(b, typeWithSizes(part, ctx.type(0).getElementType()),
                          ArrayRef<Value>(*scalars).slice(*begin, *size)));
    else
      results.push_back(sliceAlong(b, ctx.input(0), *axis, offset, part));
    offset = addSizes(b, offset, part);
  }
  return results;
}

//===----------------------------------------------------------------------===//
// Tile, Pad, Trilu
//===----------------------------------------------------------------------===//

// [a, b] tiled by [r, s] is [r, a, s, b], repeated along r and s, collapsed.
static LoweringResult lowerTile(LoweringContext &ctx) {
  ImplicitLocOpBuilder &b = ctx.b;
  FailureOr<Sizes> repeats = indicesFromInput(ctx, 1);
  if (failed(repeats))
    return failure();
  SmallVector<OpFoldResult> sizes = sizesOf(b, ctx.input(0));
  if (repeats->size() != sizes.size())
    return ctx.error() << "found " << repeats->size() << " repeats for "
                       << sizes.size() << " dimensions";
  Sizes repeated, tiled;
  SmallVector<AffineExpr> read;
  for (auto [repeat, size] : llvm::zip_equal(*repeats, sizes)) {
    std::optional<int64_t> constant = getConstantIntValue(repeat);
    if (constant && *constant < 0)
      return ctx.error() << "found the repeat " << *constant;
    if (!isNonNegative(repeat))
      checkAtMost(ctx, b.getIndexAttr(0), repeat, "a repeat is negative");
    if (!isConstantIntValue(repeat, 1))
      repeated.push_back(repeat);
    read.push_back(b.getAffineDimExpr(repeated.size()));
    repeated.push_back(size);
    tiled.push_back(multiplySizes(b, repeat, size));
  }
  if (repeated.size() == sizes.size())
    return SmallVector<Value>{ctx.input(0)};
  BroadcastOperand operand{
      castToSizes(b, ctx.input(0), sizes),
      AffineMap::get(repeated.size(), 0, read, b.getContext())};
  Value copies =
      generate(b, repeated, ctx.type(0).getElementType(), operand,
               [](ImplicitLocOpBuilder &, ValueRange,
                  ValueRange scalars) -> Value { return scalars[0]; });
  FailureOr<Value> result = reshapeTo(ctx, copies, tiled);
  if (failed(result))
    return failure();
  return SmallVector<Value>{*result};
}

// The padding before and after each dimension: attribute `pads` (opset 10 and
// older) or input 1, on the axes of input 3 (opset 18).
static FailureOr<std::pair<Sizes, Sizes>> paddingOf(LoweringContext &ctx) {
  ImplicitLocOpBuilder &b = ctx.b;
  int64_t rank = ctx.type(0).getRank();
  Sizes pads;
  if (std::optional<ArrayRef<int64_t>> attr = ctx.node.getInts("pads")) {
    for (int64_t pad : *attr)
      pads.push_back(b.getIndexAttr(pad));
  } else {
    FailureOr<Sizes> input = indicesFromInput(ctx, 1);
    if (failed(input))
      return failure();
    pads = *input;
  }
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  if (ctx.input(3)) {
    std::optional<SmallVector<int64_t>> named = ctx.constantInts(3);
    if (!named)
      return ctx.error() << "found axes that are computed; expected constants";
    axes = *named;
  }
  if (pads.size() != 2 * axes.size())
    return ctx.error() << "found " << pads.size() << " pads for " << axes.size()
                       << " axes";
  std::pair<Sizes, Sizes> padding{Sizes(rank, b.getIndexAttr(0)),
                                  Sizes(rank, b.getIndexAttr(0))};
  for (auto [i, axis] : llvm::enumerate(axes)) {
    FailureOr<int64_t> dim = normalizeAxis(ctx, axis, rank);
    if (failed(dim))
      return failure();
    padding.first[*dim] = pads[i];
    padding.second[*dim] = pads[axes.size() + i];
  }
  return padding;
}

static FailureOr<Value> padValue(LoweringContext &ctx) {
  ImplicitLocOpBuilder &b = ctx.b;
  Type type = ctx.type(0).getElementType();
  if (!ctx.input(2))
    return scalarConstant(b, type, ctx.node.getFloat("value", 0));
  if (!ctx.type(2).hasStaticShape() || ctx.type(2).getNumElements() != 1 ||
      ctx.type(2).getRank() > 1)
    return ctx.error() << "input 2 has type " << ctx.type(2)
                       << "; expected a scalar";
  return scalarsOf(b, ctx.input(2)).front();
}

// A negative pad cuts, so the input is cut first and what is left is placed in
// a filled tensor.
static LoweringResult lowerPad(LoweringContext &ctx) {
  ImplicitLocOpBuilder &b = ctx.b;
  if (StringRef mode = ctx.node.getString("mode", "constant");
      mode != "constant")
    return ctx.error() << "found mode '" << mode << "'; expected 'constant'";
  FailureOr<std::pair<Sizes, Sizes>> padding = paddingOf(ctx);
  if (failed(padding))
    return failure();
  FailureOr<Value> value = padValue(ctx);
  if (failed(value))
    return failure();
  OpFoldResult zero = b.getIndexAttr(0);
  Sizes from, kept, to, padded;
  for (auto [before, after, size] : llvm::zip_equal(
           padding->first, padding->second, sizesOf(b, ctx.input(0)))) {
    from.push_back(maxIndex(b, subtractSizes(b, zero, before), zero));
    OpFoldResult cut = addSizes(
        b, from.back(), maxIndex(b, subtractSizes(b, zero, after), zero));
    checkAtMost(ctx, cut, size, "more is cut off than there is");
    kept.push_back(subtractSizes(b, size, cut));
    to.push_back(maxIndex(b, before, zero));
    padded.push_back(addSizes(b, addSizes(b, to.back(), kept.back()),
                              maxIndex(b, after, zero)));
  }
  Value inner = sliceOf(b, ctx.input(0), from, kept);
  return SmallVector<Value>{
      insertInto(b, inner, filledTensor(b, padded, *value), to)};
}

static LoweringResult lowerTrilu(LoweringContext &ctx) {
  ImplicitLocOpBuilder &b = ctx.b;
  int64_t rank = ctx.type(0).getRank();
  if (rank < 2)
    return ctx.error() << "input 0 has rank " << rank
                       << "; expected at least 2";
  Value diagonal = indexValue(b, b.getIndexAttr(0));
  if (ctx.input(1)) {
    FailureOr<Sizes> k = indicesFromInput(ctx, 1);
    if (failed(k))
      return failure();
    if (k->size() != 1)
      return ctx.error() << "found " << k->size() << " diagonals; expected 1";
    diagonal = indexValue(b, k->front());
  }
  arith::CmpIPredicate keeps = ctx.node.getInt("upper", 1)
                                   ? arith::CmpIPredicate::sge
                                   : arith::CmpIPredicate::sle;
  Type type = ctx.type(0).getElementType();
  Value zero = scalarConstant(b, type, 0);
  SmallVector<OpFoldResult> sizes = sizesOf(b, ctx.input(0));
  BroadcastOperand operand{castToSizes(b, ctx.input(0), sizes),
                           b.getMultiDimIdentityMap(rank)};
  return SmallVector<Value>{generate(
      b, sizes, type, operand,
      [&](ImplicitLocOpBuilder &body, ValueRange indices, ValueRange scalars) {
        Value offset =
            arith::SubIOp::create(body, indices[rank - 1], indices[rank - 2]);
        Value kept = arith::CmpIOp::create(body, keeps, offset, diagonal);
        return arith::SelectOp::create(body, kept, scalars[0], zero)
            .getResult();
      })};
}

void tern::onnx::addMovementLowerings(LoweringTable &table) {
  table["Transpose"] = lowerTranspose;
  table["Concat"] = lowerConcat;
  table["Split"] = lowerSplit;
  table["Tile"] = lowerTile;
  table["Pad"] = lowerPad;
  table["Trilu"] = lowerTrilu;
  addSliceLowerings(table);
}

//===- Concatenation.cpp - tensors made of equal parts --------------------===//

#include "Concatenation.h"

#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "llvm/ADT/DenseMap.h"

using namespace mlir;
using namespace tern;

SmallVector<OpFoldResult> tern::getStatedSizes(Value tensor) {
  while (auto result = dyn_cast<OpResult>(tensor)) {
    if (auto empty = tensor.getDefiningOp<tensor::EmptyOp>())
      return empty.getMixedSizes();
    if (auto slice = tensor.getDefiningOp<tensor::ExtractSliceOp>())
      return slice.getDroppedDims().none() ? slice.getMixedSizes()
                                           : SmallVector<OpFoldResult>();
    if (auto insertion = tensor.getDefiningOp<tensor::InsertSliceOp>())
      tensor = insertion.getDest();
    else if (auto op = tensor.getDefiningOp<DestinationStyleOpInterface>())
      tensor = op.getTiedOpOperand(result)->get();
    else
      return {};
  }
  return {};
}

/// Whether a slice of `whole` at `offsets` of `sizes` takes all of each
/// dimension but `dim`.
static bool isWholeBut(unsigned dim, OffsetSizeAndStrideOpInterface slice,
                       Value whole) {
  SmallVector<OpFoldResult> offsets = slice.getMixedOffsets();
  SmallVector<OpFoldResult> sizes = slice.getMixedSizes();
  SmallVector<OpFoldResult> all = getStatedSizes(whole);
  auto type = cast<RankedTensorType>(whole.getType());
  if (!llvm::all_of(slice.getMixedStrides(), isOneInteger))
    return false;
  for (unsigned i = 0; i < sizes.size(); ++i) {
    if (i == dim)
      continue;
    bool isAll = type.isDynamicDim(i)
                     ? all.size() == sizes.size() &&
                           isEqualConstantIntOrValue(sizes[i], all[i])
                     : getConstantIntValue(sizes[i]) == type.getDimSize(i);
    if (!isAll || !isZeroInteger(offsets[i]))
      return false;
  }
  return true;
}

/// The only dimension of which `insertion` writes a part.
static std::optional<unsigned> getPartialDim(tensor::InsertSliceOp insertion) {
  if (insertion.getSourceType().getRank() != insertion.getDestType().getRank())
    return std::nullopt;
  std::optional<unsigned> found;
  for (auto [dim, size] : llvm::enumerate(insertion.getDestType().getShape())) {
    int64_t part = insertion.getStaticSizes()[dim];
    if (ShapedType::isDynamic(size) || ShapedType::isDynamic(part) ||
        part == size)
      continue;
    if (found)
      return std::nullopt;
    found = static_cast<unsigned>(dim);
  }
  return found;
}

std::optional<Concatenation> tern::matchConcatenation(Value tensor) {
  auto last = tensor.getDefiningOp<tensor::InsertSliceOp>();
  std::optional<unsigned> dim = last ? getPartialDim(last) : std::nullopt;
  if (!dim)
    return std::nullopt;
  Concatenation concat;
  concat.dim = *dim;
  concat.partSize = last.getStaticSizes()[*dim];
  int64_t size = last.getDestType().getDimSize(*dim);
  if (concat.partSize == 0 || size % concat.partSize != 0)
    return std::nullopt;

  // By place; a type may claim more places than there is memory for.
  llvm::SmallDenseMap<int64_t, Value> parts;
  for (tensor::InsertSliceOp insertion = last; insertion;
       insertion = insertion.getDest().getDefiningOp<tensor::InsertSliceOp>()) {
    int64_t offset = insertion.getStaticOffsets()[*dim];
    if (getPartialDim(insertion) != dim || ShapedType::isDynamic(offset) ||
        insertion.getStaticSizes()[*dim] != concat.partSize ||
        offset % concat.partSize != 0 || !insertion->hasOneUse() ||
        !isWholeBut(*dim, insertion, insertion.getDest()))
      return std::nullopt;
    // What is written twice holds what was written last.
    parts.try_emplace(offset / concat.partSize, insertion.getSource());
    concat.insertions.push_back(insertion);
    tensor = insertion.getDest();
  }
  if (parts.size() != static_cast<uint64_t>(size / concat.partSize) ||
      !tensor.getDefiningOp<tensor::EmptyOp>())
    return std::nullopt;
  for (size_t place = 0; place < parts.size(); ++place)
    concat.parts.push_back(parts.at(place));
  return concat;
}

std::optional<int64_t> tern::matchPartOf(tensor::ExtractSliceOp slice,
                                         unsigned dim, int64_t partSize,
                                         int64_t count) {
  if (slice.getSourceType().getRank() != slice.getType().getRank() ||
      slice.getSourceType().getDimSize(dim) != partSize * count)
    return std::nullopt;
  int64_t offset = slice.getStaticOffsets()[dim];
  if (slice.getStaticSizes()[dim] != partSize ||
      ShapedType::isDynamic(offset) || offset % partSize != 0 ||
      !isWholeBut(dim, slice, slice.getSource()))
    return std::nullopt;
  return offset / partSize;
}

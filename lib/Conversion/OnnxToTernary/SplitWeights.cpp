//===- SplitWeights.cpp - parts of a constant as slices of it -------------===//

#include "Raising.h"

using namespace mlir;
using namespace tern;
using tern::onnx::ConstantOp;
using tern::onnx::NodeOp;

/// `value` as a constant of one element, as Slice takes its arguments.
static Value buildIndex(ImplicitLocOpBuilder &b, int64_t value) {
  auto type = RankedTensorType::get({1}, b.getI64Type());
  return ConstantOp::create(b, DenseElementsAttr::get(type, value));
}

/// The sizes of the parts of `whole` along `axis`; nullopt where their types do
/// not tell. One may have no type: a part that nobody uses.
static std::optional<SmallVector<int64_t>>
getPartSizes(NodeOp split, RankedTensorType whole, int64_t axis) {
  if (axis < 0 || axis >= whole.getRank())
    return std::nullopt;
  int64_t rest = whole.getDimSize(axis);
  int64_t *unknown = nullptr;
  SmallVector<int64_t> sizes(split->getNumResults());
  for (auto [part, size] : llvm::zip_equal(split->getResults(), sizes)) {
    auto type = dyn_cast<RankedTensorType>(part.getType());
    if (type && type.getRank() == whole.getRank() && !type.isDynamicDim(axis)) {
      size = type.getDimSize(axis);
      rest -= size;
    } else if (!unknown && part.use_empty()) {
      unknown = &size;
    } else {
      return std::nullopt;
    }
  }
  if (unknown)
    *unknown = rest;
  return sizes;
}

void tern::replaceSplitOfConstant(const Matcher &matcher, NodeOp split) {
  // Before, Slice had no inputs for what is built here.
  constexpr int64_t kLeastOpset = 10;
  Value whole = split.getInput(0);
  auto type =
      whole ? dyn_cast<RankedTensorType>(whole.getType()) : RankedTensorType();
  if (!type || split.getOpset() < kLeastOpset ||
      !matcher.getEvaluator().isConstant(whole))
    return;
  int64_t axis = split.getInt("axis", 0);
  axis += axis < 0 ? type.getRank() : 0;
  std::optional<SmallVector<int64_t>> sizes = getPartSizes(split, type, axis);
  if (!sizes)
    return;
  ImplicitLocOpBuilder b(split.getLoc(), split);
  int64_t begin = 0;
  for (auto [part, size] : llvm::zip_equal(split->getResults(), *sizes)) {
    if (!part.use_empty())
      part.replaceAllUsesWith(
          buildNode(b, "Slice", part.getType(),
                    {whole, buildIndex(b, begin), buildIndex(b, begin + size),
                     buildIndex(b, axis)}));
    begin += size;
  }
}

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

/// The sizes of the parts along `axis`; nullopt where a type does not tell.
static std::optional<SmallVector<int64_t>> getPartSizes(NodeOp split,
                                                        int64_t axis) {
  SmallVector<int64_t> sizes;
  for (Value part : split->getResults()) {
    auto type = dyn_cast<RankedTensorType>(part.getType());
    if (!type || axis < 0 || axis >= type.getRank() || type.isDynamicDim(axis))
      return std::nullopt;
    sizes.push_back(type.getDimSize(axis));
  }
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
  std::optional<SmallVector<int64_t>> sizes = getPartSizes(split, axis);
  if (!sizes)
    return;
  ImplicitLocOpBuilder b(split.getLoc(), split);
  int64_t begin = 0;
  for (auto [part, size] : llvm::zip_equal(split->getResults(), *sizes)) {
    part.replaceAllUsesWith(
        buildNode(b, "Slice", part.getType(),
                  {whole, buildIndex(b, begin), buildIndex(b, begin + size),
                   buildIndex(b, axis)}));
    begin += size;
  }
}

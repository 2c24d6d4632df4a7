//===- Broadcast.cpp - numpy's broadcasting -------------------------------===//

#include "Evaluation.h"

using namespace mlir;
using namespace tern::onnx;

/// The broadcast shape, aligned at the last dimension.
static std::optional<SmallVector<int64_t>>
broadcastShapes(ArrayRef<ArrayRef<int64_t>> shapes) {
  size_t rank = 0;
  for (ArrayRef<int64_t> shape : shapes)
    rank = std::max(rank, shape.size());
  SmallVector<int64_t> result(rank, 1);
  for (ArrayRef<int64_t> shape : shapes) {
    for (auto [dim, out] : llvm::zip_equal(
             shape, MutableArrayRef(result).take_back(shape.size()))) {
      if (dim != 1 && out != 1 && dim != out)
        return std::nullopt;
      if (out == 1)
        out = dim;
    }
  }
  return result;
}

/// Strides of `shape` along the dimensions of `result`; 0 where it repeats.
static SmallVector<int64_t> getStrides(ArrayRef<int64_t> shape,
                                       ArrayRef<int64_t> result) {
  SmallVector<int64_t> strides(result.size(), 0);
  int64_t stride = 1;
  for (size_t i = 0; i < shape.size(); ++i) {
    int64_t dim = shape[shape.size() - 1 - i];
    if (dim != 1)
      strides[result.size() - 1 - i] = stride;
    stride *= dim;
  }
  return strides;
}

std::optional<BroadcastPlan>
BroadcastPlan::make(ArrayRef<ArrayRef<int64_t>> shapes) {
  std::optional<SmallVector<int64_t>> shape = broadcastShapes(shapes);
  if (!shape)
    return std::nullopt;
  SmallVector<SmallVector<int64_t>, 3> full;
  for (ArrayRef<int64_t> operand : shapes)
    full.push_back(getStrides(operand, *shape));

  BroadcastPlan plan;
  plan.shape = *shape;
  plan.strides.resize(shapes.size());
  for (auto [i, dim] : llvm::enumerate(*shape)) {
    if (dim == 1)
      continue;
    // Merges with the dimension before where every operand steps over it as
    // over one longer dimension.
    bool merges = !plan.dims.empty();
    for (size_t k = 0; merges && k < full.size(); ++k)
      merges = plan.strides[k].back() == full[k][i] * dim;
    if (merges)
      plan.dims.back() *= dim;
    else
      plan.dims.push_back(dim);
    for (auto [merged, strides] : llvm::zip_equal(plan.strides, full)) {
      if (merges)
        merged.back() = strides[i];
      else
        merged.push_back(strides[i]);
    }
  }
  if (plan.dims.empty()) {
    plan.dims.push_back(1);
    for (SmallVector<int64_t> &strides : plan.strides)
      strides.push_back(0);
  }
  return plan;
}

void BroadcastPlan::forEachRun(
    function_ref<void(int64_t, ArrayRef<int64_t>)> fn) const {
  if (llvm::is_contained(dims, 0))
    return;
  size_t outer = dims.size() - 1;
  SmallVector<int64_t> index(outer, 0), offsets(strides.size(), 0);
  for (int64_t result = 0;; result += dims.back()) {
    fn(result, offsets);
    // Counts the outer dimensions up, the last one fastest.
    size_t d = outer;
    for (; d > 0; --d) {
      size_t dim = d - 1;
      for (auto [offset, stride] : llvm::zip_equal(offsets, strides))
        offset += stride[dim];
      if (++index[dim] < dims[dim])
        break;
      for (auto [offset, stride] : llvm::zip_equal(offsets, strides))
        offset -= stride[dim] * dims[dim];
      index[dim] = 0;
    }
    if (d == 0)
      return;
  }
}

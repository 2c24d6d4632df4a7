//===- Indexing.cpp - operators that take indices -------------------------===//

#include "Evaluation.h"

#include <cstring>

using namespace mlir;
using namespace tern::onnx;

static int64_t product(ArrayRef<int64_t> dims) {
  int64_t result = 1;
  for (int64_t dim : dims)
    result *= dim;
  return result;
}

/// Indices counted from the front; nullopt where one is out of range or the
/// tensor holds no integers.
static std::optional<SmallVector<int64_t>> getIndices(const Tensor &tensor,
                                                      int64_t bound) {
  std::optional<SmallVector<int64_t>> indices = getIntegers(tensor);
  if (!indices)
    return std::nullopt;
  for (int64_t &index : *indices) {
    std::optional<int64_t> normal = normalizeAxis(index, bound);
    if (!normal)
      return std::nullopt;
    index = *normal;
  }
  return indices;
}

static Result evaluateGather(EvaluationContext &context) {
  if (!context.has(0) || !context.has(1))
    return std::nullopt;
  const Tensor &data = context.input(0);
  const Tensor &indexTensor = context.input(1);
  ArrayRef<int64_t> shape = data.getShape();
  std::optional<int64_t> axis =
      normalizeAxis(context.node.getInt("axis", 0), data.getRank());
  if (!axis)
    return std::nullopt;
  auto indices = getIndices(indexTensor, shape[*axis]);
  if (!indices)
    return std::nullopt;
  SmallVector<int64_t> newShape(shape.take_front(*axis));
  llvm::append_range(newShape, indexTensor.getShape());
  llvm::append_range(newShape, shape.drop_front(*axis + 1));
  Result result = Tensor::allocate(data.getKind(), newShape);
  if (!result || result->getNumElements() == 0)
    return result;
  int64_t bytes =
      product(shape.drop_front(*axis + 1)) * getStorageBytes(data.getKind());
  char *out = result->getMutableData<char>();
  for (int64_t o = 0, e = product(shape.take_front(*axis)); o < e; ++o)
    for (int64_t index : *indices) {
      std::memcpy(out,
                  data.getData<char>() + (o * shape[*axis] + index) * bytes,
                  bytes);
      out += bytes;
    }
  return result;
}

/// A copy of `tensor` that may be written, or itself where it is exclusive.
static Result makeWritable(Tensor &tensor) {
  if (tensor.isExclusive())
    return std::move(tensor);
  Result copy = Tensor::allocate(tensor.getKind(), tensor.getShape());
  if (copy)
    std::memcpy(copy->getMutableData<char>(), tensor.getData<char>(),
                tensor.getNumBytes());
  return copy;
}

/// ScatterND without a reduction: a later update wins, as in the order of the
/// indices.
static Result evaluateScatterND(EvaluationContext &context) {
  if (!context.has(0) || !context.has(1) || !context.has(2) ||
      context.node.getString("reduction", "none") != "none")
    return std::nullopt;
  Tensor &data = context.input(0);
  const Tensor &updates = context.input(2);
  SmallVector<int64_t> shape(data.getShape());
  ArrayRef<int64_t> indexShape = context.input(1).getShape();
  if (indexShape.empty() || updates.getKind() != data.getKind())
    return std::nullopt;
  int64_t depth = indexShape.back();
  if (depth < 1 || depth > data.getRank())
    return std::nullopt;
  SmallVector<int64_t> expected(indexShape.drop_back());
  llvm::append_range(expected, ArrayRef(shape).drop_front(depth));
  std::optional<SmallVector<int64_t>> indices = getIntegers(context.input(1));
  if (!indices || updates.getShape() != ArrayRef(expected))
    return std::nullopt;

  Result result = makeWritable(data);
  if (!result)
    return std::nullopt;
  int64_t bytes = product(ArrayRef(shape).drop_front(depth)) *
                  getStorageBytes(result->getKind());
  const char *from = updates.getData<char>();
  for (size_t i = 0; i < indices->size(); i += depth, from += bytes) {
    int64_t slice = 0;
    for (int64_t d = 0; d < depth; ++d) {
      std::optional<int64_t> index = normalizeAxis((*indices)[i + d], shape[d]);
      if (!index)
        return std::nullopt;
      slice = slice * shape[d] + *index;
    }
    std::memcpy(result->getMutableData<char>() + slice * bytes, from, bytes);
  }
  return result;
}

void tern::onnx::addIndexingEvaluations(EvaluationTable &table) {
  table["Gather"] = evaluateGather;
  table["ScatterND"] = evaluateScatterND;
}

//===- GroupQueryAttention.cpp - onnxruntime's operator -------------------===//

#include "tern/Dialect/Onnx/IR/GroupQueryAttention.h"

using namespace mlir;
using namespace tern::onnx;

std::optional<int64_t> tern::onnx::getHeadSize(NodeOp node) {
  using Port = GroupQueryAttentionPort;
  auto query = dyn_cast<RankedTensorType>(node.getInput(Port::Query).getType());
  int64_t heads = node.getInt("num_heads", 0);
  if (!node.getInput(Port::Key))
    heads += 2 * node.getInt("kv_num_heads", 0);
  if (!query || query.getRank() != 3 || query.isDynamicDim(2) || heads <= 0 ||
      query.getDimSize(2) % heads != 0)
    return std::nullopt;
  return query.getDimSize(2) / heads;
}

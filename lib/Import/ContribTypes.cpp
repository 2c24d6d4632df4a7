//===- ContribTypes.cpp - types of onnxruntime's operators ----------------===//

#include "ContribTypes.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace tern::importer;

using onnxlib::NodeProto;
using onnxlib::TypeProto;

using InputTypes = llvm::ArrayRef<const TypeProto *>;
using InferenceRule = void (*)(const NodeProto &, InputTypes,
                               std::vector<TypeProto> &);

// The attribute `name`, or 0 where it is absent.
static int64_t getInt(const NodeProto &node, llvm::StringRef name) {
  for (const auto &attribute : node.attribute())
    if (attribute.name() == name)
      return attribute.i();
  return 0;
}

// The type of input `index`; null where it is unknown or omitted.
static const TypeProto *getInput(InputTypes inputs, size_t index) {
  return index < inputs.size() ? inputs[index] : nullptr;
}

static bool hasRank(const TypeProto &type, int rank) {
  return type.tensor_type().has_shape() &&
         type.tensor_type().shape().dim_size() == rank;
}

static onnxlib::TensorShapeProto::Dimension *getDim(TypeProto &type, int dim) {
  return type.mutable_tensor_type()->mutable_shape()->mutable_dim(dim);
}

static void setOutput(std::vector<TypeProto> &outputs, size_t index,
                      const TypeProto &type) {
  if (index < outputs.size())
    outputs[index] = type;
}

// Y[..., N] = A[..., K] * B.
static void inferMatMulNBits(const NodeProto &node, InputTypes inputs,
                             std::vector<TypeProto> &outputs) {
  const TypeProto *a = getInput(inputs, 0);
  if (!a || !a->tensor_type().has_shape() ||
      a->tensor_type().shape().dim().empty())
    return;
  TypeProto y = *a;
  getDim(y, y.tensor_type().shape().dim_size() - 1)
      ->set_dim_value(getInt(node, "N"));
  setOutput(outputs, 0, y);
}

// Normalisations, rotary embeddings and functions of each element.
static void inferLikeInput(const NodeProto &, InputTypes inputs,
                           std::vector<TypeProto> &outputs) {
  if (const TypeProto *x = getInput(inputs, 0))
    setOutput(outputs, 0, *x);
}

// Output 3 is the sum of input and skip.
static void inferSkipNormalization(const NodeProto &, InputTypes inputs,
                                   std::vector<TypeProto> &outputs) {
  if (const TypeProto *x = getInput(inputs, 0)) {
    setOutput(outputs, 0, *x);
    setOutput(outputs, 3, *x);
  }
}

// Outputs 1 and 2 extend two pasts, whose dimension 2 is the position.
static void inferPresents(InputTypes inputs, size_t firstPast,
                          std::vector<TypeProto> &outputs) {
  for (size_t i : {0, 1}) {
    const TypeProto *past = getInput(inputs, firstPast + i);
    if (!past || !hasRank(*past, 4))
      continue;
    TypeProto present = *past;
    getDim(present, 2)->Clear();
    setOutput(outputs, 1 + i, present);
  }
}

// The query is [batch, sequence, num_heads * head], or holds key and value as
// well, [batch, sequence, (num_heads + 2 * kv_num_heads) * head], where these
// inputs are omitted. Outputs 1 and 2 extend the past, inputs 3 and 4.
static void inferAttention(const NodeProto &node, InputTypes inputs,
                           std::vector<TypeProto> &outputs) {
  inferPresents(inputs, /*firstPast=*/3, outputs);
  const TypeProto *query = getInput(inputs, 0);
  if (!query || !hasRank(*query, 3))
    return;
  TypeProto output = *query;
  bool isPacked = node.input_size() < 2 || node.input(1).empty();
  if (isPacked) {
    auto *width = getDim(output, 2);
    int64_t heads = getInt(node, "num_heads");
    int64_t kvHeads = getInt(node, "kv_num_heads");
    if (width->has_dim_value() && llvm::isUInt<32>(heads) &&
        llvm::isUInt<32>(kvHeads) && heads > 0)
      width->set_dim_value(width->dim_value() / (heads + 2 * kvHeads) * heads);
    else
      width->Clear();
  }
  setOutput(outputs, 0, output);
}

// The query is [batch, sequence, heads * size], or holds keys and values too,
// [batch, sequence, heads, 3, size]; the value is of rank 3 like the output, or
// [batch, heads, sequence, size]. Outputs 1 and 2 extend the past, inputs 6
// and 7.
static void inferMultiHeadAttention(const NodeProto &, InputTypes inputs,
                                    std::vector<TypeProto> &outputs) {
  inferPresents(inputs, /*firstPast=*/6, outputs);
  const TypeProto *query = getInput(inputs, 0);
  const TypeProto *value = getInput(inputs, 2);
  if (!query)
    return;
  TypeProto output = *query;
  auto setWidth = [&](const TypeProto &type, int heads, int size) {
    const auto &shape = type.tensor_type().shape();
    auto *width = getDim(output, 2);
    if (shape.dim(heads).has_dim_value() && shape.dim(size).has_dim_value())
      width->set_dim_value(static_cast<int64_t>(
          static_cast<uint64_t>(shape.dim(heads).dim_value()) *
          static_cast<uint64_t>(shape.dim(size).dim_value())));
    else
      width->Clear();
  };
  if (hasRank(*query, 5)) {
    output.mutable_tensor_type()
        ->mutable_shape()
        ->mutable_dim()
        ->DeleteSubrange(3, 2);
    setWidth(*query, 2, 4);
  } else if (!hasRank(*query, 3)) {
    return;
  } else if (value && hasRank(*value, 4)) {
    setWidth(*value, 1, 3);
  } else if (value && hasRank(*value, 3)) {
    *getDim(output, 2) = value->tensor_type().shape().dim(2);
  }
  setOutput(outputs, 0, output);
}

void tern::importer::inferContribTypes(const NodeProto &node, InputTypes inputs,
                                       std::vector<TypeProto> &outputs) {
  // Older exporters put SimplifiedLayerNormalization in ONNX's own domain.
  auto rule =
      llvm::StringSwitch<InferenceRule>(getOperatorName(node))
          .Cases({"SimplifiedLayerNormalization",
                  "com.microsoft::SimplifiedLayerNormalization"},
                 inferLikeInput)
          .Cases({"com.microsoft::RotaryEmbedding", "com.microsoft::Gelu",
                  "com.microsoft::QuickGelu"},
                 inferLikeInput)
          .Cases({"com.microsoft::SkipSimplifiedLayerNormalization",
                  "com.microsoft::SkipLayerNormalization"},
                 inferSkipNormalization)
          .Case("com.microsoft::MatMulNBits", inferMatMulNBits)
          .Case("com.microsoft::GroupQueryAttention", inferAttention)
          .Case("com.microsoft::MultiHeadAttention", inferMultiHeadAttention)
          .Default(nullptr);
  if (rule)
    rule(node, inputs, outputs);
}

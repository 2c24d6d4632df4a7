//===- TypeInference.cpp - the types of a graph's values ------------------===//
//
// ONNX's `InferShapes` takes what the file declares as law and stops at the
// first contradiction, so nodes are inferred one by one here.
//
//===----------------------------------------------------------------------===//

#include "TypeInference.h"

#include "ContribTypes.h"
#include "InputTypes.h"
#include "Schemas.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSwitch.h"

#include <onnx/shape_inference/implementation.h>

using namespace tern::importer;

using onnxlib::NodeProto;
using onnxlib::OpSchema;
using onnxlib::TensorProto;
using onnxlib::TensorShapeProto;
using onnxlib::TypeProto;

/// ONNX's functions write out the dimensions that a vector may stand for, one
/// message each: vectors longer than this are no shapes.
constexpr int64_t kMaxRank = 64;

namespace {

class TypeInference {
public:
  explicit TypeInference(ModelFile &file);

  mlir::FailureOr<TypeMap> run();

private:
  mlir::LogicalResult inferNode(NodeProto &node);
  mlir::LogicalResult verifyShapeOperand(const NodeProto &node) const;
  mlir::LogicalResult verifyAxis(const NodeProto &node) const;
  std::vector<const TypeProto *> getInputTypes(const NodeProto &node) const;
  std::vector<TypeProto> inferOutputs(NodeProto &node, const OpSchema &schema);
  void propagateData(NodeProto &node, const OpSchema &schema);
  void setType(const std::string &name, TypeProto type);

  ModelFile &file;
  onnxlib::ShapeInferenceOptions options;
  TypeMap types;
  /// The same types, in the form that ONNX asks for.
  std::unordered_map<std::string, TypeProto *> typePointers;
  std::unordered_map<std::string, const TypeProto *> declared;
  std::unordered_map<std::string, const TensorProto *> constants;
  const std::unordered_map<std::string, const onnxlib::SparseTensorProto *>
      sparseConstants;
  /// Values of tensors that hold shapes, as far as known.
  onnxlib::shape_inference::DataValueMap shapeValues;
  const std::unordered_map<std::string, TypeProto *> outerTypes;
  onnxlib::shape_inference::GraphInferenceContext context;
};

} // namespace

static TypeProto getTensorType(const TensorProto &tensor) {
  TypeProto type;
  type.mutable_tensor_type()->set_elem_type(tensor.data_type());
  TensorShapeProto *shape = type.mutable_tensor_type()->mutable_shape();
  for (int64_t dim : tensor.dims())
    shape->add_dim()->set_dim_value(dim);
  return type;
}

// Fills the gaps of `type` with what `declared` says, unless they contradict.
static void fillGaps(TypeProto &type, const TypeProto &declared) {
  if (!declared.has_tensor_type())
    return;
  if (!type.has_tensor_type() || !type.tensor_type().elem_type()) {
    type = declared;
    return;
  }
  if (type.tensor_type().elem_type() != declared.tensor_type().elem_type() ||
      !declared.tensor_type().has_shape())
    return;
  const TensorShapeProto &hint = declared.tensor_type().shape();
  if (!type.tensor_type().has_shape()) {
    *type.mutable_tensor_type()->mutable_shape() = hint;
    return;
  }
  TensorShapeProto &shape = *type.mutable_tensor_type()->mutable_shape();
  if (shape.dim_size() != hint.dim_size())
    return;
  for (int i = 0, e = shape.dim_size(); i != e; ++i)
    if (!shape.dim(i).has_dim_value() && !shape.dim(i).has_dim_param())
      *shape.mutable_dim(i) = hint.dim(i);
}

TypeInference::TypeInference(ModelFile &file)
    : file(file), options(/*check_type_val=*/false, /*strict_mode_val=*/0,
                          /*data_prop_val=*/true),
      context(outerTypes, file.getOpsets()) {
  const onnxlib::GraphProto &graph = file.getGraph();
  for (const auto *values : {&graph.value_info(), &graph.output()})
    for (const auto &value : *values)
      declared[value.name()] = &value.type();
}

mlir::FailureOr<TypeMap> TypeInference::run() {
  onnxlib::GraphProto &graph = file.getGraph();
  for (const auto &input : graph.input())
    setType(input.name(), input.type());
  for (const TensorProto &tensor : graph.initializer()) {
    setType(tensor.name(), getTensorType(tensor));
    constants[tensor.name()] = &tensor;
  }
  for (NodeProto &node : *graph.mutable_node())
    if (mlir::failed(inferNode(node)))
      return mlir::failure();
  return std::move(types);
}

void TypeInference::setType(const std::string &name, TypeProto type) {
  TypeProto &entry = types[name];
  entry = std::move(type);
  typePointers[name] = &entry;
}

// The length of the vector `type`; 0 where it is none, or of unknown length.
static int64_t getVectorLength(const TypeProto *type) {
  if (!type || type->tensor_type().shape().dim_size() != 1)
    return 0;
  return type->tensor_type().shape().dim(0).dim_value();
}

// The operands [first, last] of an operator that hold a number or more for each
// dimension, or for each output: whoever evaluates them makes as many.
static std::pair<int, int> getShapeOperands(const NodeProto &node) {
  std::string name = getOperatorName(node);
  return llvm::StringSwitch<std::pair<int, int>>(name)
      .Case("ConstantOfShape", {0, 0})
      .Cases({"Expand", "Reshape", "Tile", "Split", "Squeeze", "Unsqueeze"},
             {1, 1})
      .Case("Pad", {1, 3})
      .Case("Slice", {1, 4})
      .StartsWith("Reduce", {1, 1})
      .Default({0, -1});
}

// Checks the operands that say sizes or places in shapes: their length is at
// most the rank, or the number of outputs.
mlir::LogicalResult
TypeInference::verifyShapeOperand(const NodeProto &node) const {
  auto [first, last] = getShapeOperands(node);
  int64_t most = std::max<int64_t>(kMaxRank, node.output_size());
  for (int index = first; index <= last && index < node.input_size(); ++index) {
    int64_t length = getVectorLength(getInputTypes(node)[index]);
    if (length > most)
      return file.emitError(node)
             << "input '" << node.input(index) << "' has " << length
             << " elements; expected at most " << most
             << ", one for each dimension or output";
  }
  return mlir::success();
}

// Checks the axis where ONNX's inference relies on it: it would write to
// dimensions that are not there.
mlir::LogicalResult TypeInference::verifyAxis(const NodeProto &node) const {
  bool isNorm = llvm::StringSwitch<bool>(getOperatorName(node))
                    .Cases({"LayerNormalization", "RMSNormalization"}, true)
                    .Default(false);
  if (!isNorm || node.input_size() == 0)
    return mlir::success();
  const TypeProto *type = getInputTypes(node)[0];
  if (!type || !type->has_tensor_type() || !type->tensor_type().has_shape())
    return mlir::success();
  int64_t rank = type->tensor_type().shape().dim_size(), axis = -1;
  for (const onnxlib::AttributeProto &attribute : node.attribute())
    if (attribute.name() == "axis")
      axis = attribute.i();
  if (-rank <= axis && axis < rank)
    return mlir::success();
  return file.emitError(node)
         << "axis is " << axis << "; expected one of the " << rank
         << " dimensions of '" << node.input(0) << "'";
}

mlir::LogicalResult TypeInference::inferNode(NodeProto &node) {
  std::vector<TypeProto> outputs(node.output_size());
  const OpSchema *schema = getSchema(node, file.getOpset(node.domain()));
  if (mlir::failed(verifyShapeOperand(node)) ||
      mlir::failed(verifyAxis(node)) ||
      (schema && mlir::failed(verifyInputTypes(file, node, *schema,
                                               getInputTypes(node)))))
    return mlir::failure();
  if (schema)
    outputs = inferOutputs(node, *schema);
  else
    inferContribTypes(node, getInputTypes(node), outputs);
  for (int i = 0, e = node.output_size(); i != e; ++i) {
    if (node.output(i).empty())
      continue;
    if (auto it = declared.find(node.output(i)); it != declared.end())
      fillGaps(outputs[i], *it->second);
    if (outputs[i].has_tensor_type())
      setType(node.output(i), std::move(outputs[i]));
  }
  if (schema)
    propagateData(node, *schema);
  return mlir::success();
}

std::vector<const TypeProto *>
TypeInference::getInputTypes(const NodeProto &node) const {
  std::vector<const TypeProto *> inputs;
  for (const std::string &input : node.input()) {
    auto it = types.find(input);
    inputs.push_back(it == types.end() ? nullptr : &it->second);
  }
  return inputs;
}

// ONNX's rule for GatherND gives a result of rank 0 no shape at all. Its rank
// is that of both operands without the tuples and the dimensions they index.
static void completeGatherND(llvm::ArrayRef<const TypeProto *> inputs,
                             TypeProto &output) {
  if (inputs.size() < 2 || !inputs[0] || !inputs[1] ||
      !inputs[0]->tensor_type().has_shape() || output.tensor_type().has_shape())
    return;
  const TensorShapeProto &data = inputs[0]->tensor_type().shape();
  int64_t depth = getVectorLength(inputs[1]); // one tuple, so no batches
  if (depth > 0 && depth == data.dim_size())
    output.mutable_tensor_type()->mutable_shape();
}

// Nor do the present keys and values of an Attention on [batch, sequence, size]
// get a shape where a size is unknown. They are a past of more positions.
static void completeAttention(llvm::ArrayRef<const TypeProto *> inputs,
                              std::vector<TypeProto> &outputs) {
  for (size_t i : {0, 1}) {
    size_t past = 4 + i, present = 1 + i;
    if (past >= inputs.size() || present >= outputs.size() || !inputs[past] ||
        inputs[past]->tensor_type().shape().dim_size() != 4 ||
        outputs[present].tensor_type().has_shape())
      continue;
    outputs[present] = *inputs[past];
    outputs[present]
        .mutable_tensor_type()
        ->mutable_shape()
        ->mutable_dim(2)
        ->Clear();
  }
}

std::vector<TypeProto> TypeInference::inferOutputs(NodeProto &node,
                                                   const OpSchema &schema) {
  std::vector<TypeProto> outputs(node.output_size());
  try {
    onnxlib::shape_inference::InferenceContextImpl inference(
        node, typePointers, constants, sparseConstants, options, &shapeValues,
        &context);
    if (schema.has_type_and_shape_inference_function())
      schema.GetTypeAndShapeInferenceFunction()(inference);
    else if (schema.HasFunction())
      onnxlib::shape_inference::InferShapeForFunctionNode(
          *schema.GetFunction(), onnxlib::OpSchemaRegistry::Instance(),
          inference, options, {}, nullptr, &shapeValues);
    for (int i = 0, e = node.output_size(); i != e; ++i)
      outputs[i] = *inference.getOutputType(i);
    if (getOperatorName(node) == "GatherND")
      completeGatherND(getInputTypes(node), outputs.front());
    else if (getOperatorName(node) == "Attention")
      completeAttention(getInputTypes(node), outputs);
  } catch (const std::exception &) {
    // Inputs of unknown or wrong types: what the file declares must do. The
    // lowering of the node reports what it cannot work with.
  }
  return outputs;
}

void TypeInference::propagateData(NodeProto &node, const OpSchema &schema) {
  auto isShape = [](const TypeProto *type) {
    return getVectorLength(type) <= kMaxRank;
  };
  if (!schema.has_data_propagation_function() ||
      !llvm::all_of(getInputTypes(node), isShape))
    return;
  try {
    onnxlib::shape_inference::DataPropagationContextImpl propagation(
        node, typePointers, constants, shapeValues);
    schema.GetDataPropagationFunction()(propagation);
  } catch (const std::exception &) {
    // The value stays unknown.
  }
}

mlir::FailureOr<TypeMap> tern::importer::inferTypes(ModelFile &file) {
  return TypeInference(file).run();
}

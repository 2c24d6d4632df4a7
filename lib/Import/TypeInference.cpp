//===- TypeInference.cpp - the types of a graph's values ------------------===//
//
// ONNX's `InferShapes` takes what the file declares as law and stops at the
// first contradiction, so nodes are inferred one by one here.
//
//===----------------------------------------------------------------------===//

#include "TypeInference.h"

#include "ContribTypes.h"
#include "Schemas.h"

#include <onnx/shape_inference/implementation.h>

using namespace tern::importer;

using onnxlib::NodeProto;
using onnxlib::OpSchema;
using onnxlib::TensorProto;
using onnxlib::TensorShapeProto;
using onnxlib::TypeProto;

namespace {

class TypeInference {
public:
  explicit TypeInference(ModelFile &file);

  TypeMap run();

private:
  void inferNode(NodeProto &node);
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

TypeMap TypeInference::run() {
  onnxlib::GraphProto &graph = file.getGraph();
  for (const auto &input : graph.input())
    setType(input.name(), input.type());
  for (const TensorProto &tensor : graph.initializer()) {
    setType(tensor.name(), getTensorType(tensor));
    constants[tensor.name()] = &tensor;
  }
  for (NodeProto &node : *graph.mutable_node())
    inferNode(node);
  return std::move(types);
}

void TypeInference::setType(const std::string &name, TypeProto type) {
  TypeProto &entry = types[name];
  entry = std::move(type);
  typePointers[name] = &entry;
}

void TypeInference::inferNode(NodeProto &node) {
  std::vector<TypeProto> outputs(node.output_size());
  const OpSchema *schema = getSchema(node, file.getOpset(node.domain()));
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
  } catch (const std::exception &) {
    // Inputs of unknown or wrong types: what the file declares must do. The
    // lowering of the node reports what it cannot work with.
  }
  return outputs;
}

void TypeInference::propagateData(NodeProto &node, const OpSchema &schema) {
  if (!schema.has_data_propagation_function())
    return;
  try {
    onnxlib::shape_inference::DataPropagationContextImpl propagation(
        node, typePointers, constants, shapeValues);
    schema.GetDataPropagationFunction()(propagation);
  } catch (const std::exception &) {
    // The value stays unknown.
  }
}

TypeMap tern::importer::inferTypes(ModelFile &file) {
  return TypeInference(file).run();
}

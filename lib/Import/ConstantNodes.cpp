//===- ConstantNodes.cpp - Constant nodes as initializers -----------------===//

#include "ConstantNodes.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace tern::importer;

using onnxlib::AttributeProto;
using onnxlib::NodeProto;
using onnxlib::TensorProto;

// Moves the value that `attribute` gives into `tensor`; false where it is none
// of numbers.
static bool takeValue(AttributeProto &attribute, TensorProto &tensor) {
  StringRef name = attribute.name();
  if (name == "value") {
    tensor.Swap(attribute.mutable_t());
  } else if (name == "value_int") {
    tensor.set_data_type(TensorProto::INT64);
    tensor.add_int64_data(attribute.i());
  } else if (name == "value_ints") {
    tensor.set_data_type(TensorProto::INT64);
    tensor.add_dims(attribute.ints_size());
    tensor.mutable_int64_data()->Swap(attribute.mutable_ints());
  } else if (name == "value_float") {
    tensor.set_data_type(TensorProto::FLOAT);
    tensor.add_float_data(attribute.f());
  } else if (name == "value_floats") {
    tensor.set_data_type(TensorProto::FLOAT);
    tensor.add_dims(attribute.floats_size());
    tensor.mutable_float_data()->Swap(attribute.mutable_floats());
  } else {
    return false;
  }
  return true;
}

static bool isConstant(const NodeProto &node) {
  return node.domain().empty() && node.op_type() == "Constant";
}

static LogicalResult makeInitializer(ModelFile &file, NodeProto &node) {
  if (node.output_size() != 1)
    return file.emitError(node)
           << "has " << node.output_size() << " outputs; expected 1";
  if (node.attribute_size() != 1)
    return file.emitError(node) << "has " << node.attribute_size()
                                << " attributes; expected 1, its value";
  TensorProto tensor;
  if (!takeValue(*node.mutable_attribute(0), tensor))
    return file.emitError(node)
           << "attribute '" << node.attribute(0).name()
           << "' is not supported; expected a dense tensor of numbers";
  tensor.set_name(node.output(0));
  *file.getGraph().add_initializer() = std::move(tensor);
  return success();
}

LogicalResult tern::importer::makeInitializers(ModelFile &file) {
  onnxlib::GraphProto &graph = file.getGraph();
  for (NodeProto &node : *graph.mutable_node())
    if (isConstant(node) && failed(makeInitializer(file, node)))
      return failure();
  auto &nodes = *graph.mutable_node();
  nodes.erase(std::remove_if(nodes.begin(), nodes.end(), isConstant),
              nodes.end());

  llvm::StringSet<> names;
  for (const TensorProto &tensor : graph.initializer())
    names.insert(tensor.name());
  auto &inputs = *graph.mutable_input();
  inputs.erase(std::remove_if(inputs.begin(), inputs.end(),
                              [&](const auto &input) {
                                return names.contains(input.name());
                              }),
               inputs.end());
  return success();
}

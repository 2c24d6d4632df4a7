//===- NodeAttributes.cpp - the attributes of a node ----------------------===//

#include "NodeAttributes.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/OperationSupport.h"

using namespace mlir;
using namespace tern::importer;

using onnxlib::AttributeProto;
using onnxlib::NodeProto;
using onnxlib::TensorProto;

// The value of a tensor attribute, or null after an error. `name` is the node's
// and the attribute's.
static Attribute convertTensor(TensorProto &tensor, StringRef name,
                               TensorReader &reader) {
  if (failed(reader.prepare(tensor, name)))
    return {};
  return reader.read(tensor, name);
}

static Attribute convertTensors(AttributeProto &attribute, StringRef name,
                                TensorReader &reader, Builder &builder) {
  SmallVector<Attribute> elements;
  for (TensorProto &tensor : *attribute.mutable_tensors()) {
    elements.push_back(convertTensor(tensor, name, reader));
    if (!elements.back())
      return {};
  }
  return builder.getArrayAttr(elements);
}

// The value of `attribute`, or null after an error.
static Attribute convertAttribute(const ModelFile &file, const NodeProto &node,
                                  AttributeProto &attribute,
                                  TensorReader &reader) {
  Builder builder(&file.getContext());
  std::string name = getNodeName(node) + "." + attribute.name();
  switch (attribute.type()) {
  case AttributeProto::INT:
    return builder.getI64IntegerAttr(attribute.i());
  case AttributeProto::FLOAT:
    return builder.getF32FloatAttr(attribute.f());
  case AttributeProto::STRING:
    return builder.getStringAttr(attribute.s());
  case AttributeProto::INTS:
    return builder.getDenseI64ArrayAttr(
        ArrayRef(attribute.ints().data(), attribute.ints_size()));
  case AttributeProto::FLOATS:
    return builder.getDenseF32ArrayAttr(
        ArrayRef(attribute.floats().data(), attribute.floats_size()));
  case AttributeProto::STRINGS:
    return builder.getStrArrayAttr(SmallVector<StringRef>(
        attribute.strings().begin(), attribute.strings().end()));
  case AttributeProto::TENSOR:
    return convertTensor(*attribute.mutable_t(), name, reader);
  case AttributeProto::TENSORS:
    return convertTensors(attribute, name, reader, builder);
  default:
    file.emitError(node) << "attribute '" << attribute.name() << "' has type "
                         << AttributeProto::AttributeType_Name(attribute.type())
                         << "; expected a number, a string, a tensor, or a "
                            "list of them";
    return {};
  }
}

FailureOr<DictionaryAttr>
tern::importer::convertAttributes(const ModelFile &file, NodeProto &node,
                                  TensorReader &reader) {
  NamedAttrList attributes;
  for (AttributeProto &attribute : *node.mutable_attribute()) {
    Attribute value = convertAttribute(file, node, attribute, reader);
    if (!value)
      return failure();
    attributes.set(attribute.name(), value);
  }
  return attributes.getDictionary(&file.getContext());
}

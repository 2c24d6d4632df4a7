//===- NodeVerifier.cpp - a node against its operator's schema ------------===//

#include "NodeVerifier.h"

#include "Schemas.h"
#include "TensorReader.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/StringSwitch.h"

#include <algorithm>
#include <vector>

using namespace mlir;
using namespace tern::importer;

using onnxlib::AttributeProto;
using onnxlib::NodeProto;
using onnxlib::OpSchema;

static std::string getAttributeTypeName(int type) {
  if (AttributeProto::AttributeType_IsValid(type))
    return AttributeProto::AttributeType_Name(
        static_cast<AttributeProto::AttributeType>(type));
  return "number " + llvm::itostr(type);
}

// "2", "2 to 4", "at least 1".
static std::string getRangeText(int min, int max) {
  if (min == max)
    return llvm::itostr(min);
  if (max == std::numeric_limits<int>::max())
    return "at least " + llvm::itostr(min);
  return llvm::itostr(min) + " to " + llvm::itostr(max);
}

// Checks the number of inputs or outputs (`what`), and that none is left out
// that the operator needs.
template <typename Names>
static LogicalResult
verifyOperands(const ModelFile &file, const NodeProto &node, StringRef what,
               const Names &names, int min, int max,
               const std::vector<OpSchema::FormalParameter> &formals) {
  if (names.size() < min || names.size() > max)
    return file.emitError(node) << "has " << names.size() << " " << what
                                << "s; expected " << getRangeText(min, max);
  for (int i = 0, e = std::min<int>(names.size(), formals.size()); i != e; ++i)
    if (names.Get(i).empty() &&
        formals[i].GetOption() == OpSchema::FormalParameterOption::Single)
      return file.emitError(node)
             << what << " " << i << " (" << formals[i].GetName()
             << ") is left out, but it is not optional";
  return success();
}

// Checks operands of the onnxruntime operators that have a lowering, which
// relies on what ONNX's schemas promise of all others.
static LogicalResult verifyContribOperands(const ModelFile &file,
                                           const NodeProto &node) {
  struct Operands {
    SmallVector<int> required; // inputs, in order
    int maxInputs = 0, maxOutputs = 1;
  };
  auto operands =
      llvm::StringSwitch<Operands>(getOperatorName(node))
          .Cases({"com.microsoft::Gelu", "com.microsoft::QuickGelu"},
                 {{0}, 1, 1})
          .Case("com.microsoft::GroupQueryAttention", {{0, 5, 6}, 14, 4})
          .Case("com.microsoft::MatMulNBits", {{0, 1, 2}, 6, 1})
          .Case("com.microsoft::MultiHeadAttention", {{0}, 10, 4})
          .Case("com.microsoft::RotaryEmbedding", {{0, 1, 2, 3}, 4, 1})
          .Cases({"SimplifiedLayerNormalization",
                  "com.microsoft::SimplifiedLayerNormalization"},
                 {{0, 1}, 2, 2})
          .Case("com.microsoft::SkipLayerNormalization", {{0, 1, 2}, 5, 4})
          .Case("com.microsoft::SkipSimplifiedLayerNormalization",
                {{0, 1, 2}, 4, 4})
          .Default({});
  if (operands.required.empty())
    return success();
  int least = operands.required.back() + 1, found = node.input_size();
  if (found < least || found > operands.maxInputs)
    return file.emitError(node) << "has " << found << " inputs; expected "
                                << getRangeText(least, operands.maxInputs);
  if (node.output_size() < 1 || node.output_size() > operands.maxOutputs)
    return file.emitError(node)
           << "has " << node.output_size() << " outputs; expected "
           << getRangeText(1, operands.maxOutputs);
  for (int i : operands.required)
    if (node.input(i).empty())
      return file.emitError(node)
             << "input " << i << " is left out, but it is not optional";
  return success();
}

// Checks what needs no schema: names and the absence of function parameters.
static LogicalResult verifyAttributeNames(const ModelFile &file,
                                          const NodeProto &node) {
  llvm::StringSet<> names;
  for (const AttributeProto &attribute : node.attribute()) {
    if (attribute.name().empty())
      return file.emitError(node) << "has an attribute without a name";
    if (!names.insert(attribute.name()).second)
      return file.emitError(node)
             << "has attribute '" << attribute.name() << "' twice";
    if (!attribute.ref_attr_name().empty())
      return file.emitError(node)
             << "attribute '" << attribute.name() << "' refers to parameter '"
             << attribute.ref_attr_name()
             << "' of a function, but is not in one";
  }
  return success();
}

// True for `to` of Cast and `dtype` and `output_dtype` of other operators; 0
// stands for none where ONNX allows that.
static bool isDataType(const AttributeProto &attribute) {
  StringRef name = attribute.name();
  return attribute.type() == AttributeProto::INT && attribute.i() != 0 &&
         (name == "to" || name == "dtype" || name == "output_dtype");
}

static LogicalResult verifyAttributes(const ModelFile &file,
                                      const NodeProto &node,
                                      const OpSchema &schema) {
  for (const AttributeProto &attribute : node.attribute()) {
    auto known = schema.attributes().find(attribute.name());
    // Names with two underscores are private to whoever wrote them.
    if (known == schema.attributes().end() &&
        StringRef(attribute.name()).starts_with("__"))
      continue;
    if (known == schema.attributes().end())
      return file.emitError(node) << "has attribute '" << attribute.name()
                                  << "', which the operator does not know";
    if (attribute.type() != known->second.type)
      return file.emitError(node)
             << "attribute '" << attribute.name() << "' is "
             << getAttributeTypeName(attribute.type()) << "; expected "
             << getAttributeTypeName(known->second.type);
    if (isDataType(attribute) &&
        !getElementType(static_cast<int>(attribute.i()), file.getContext()))
      return file.emitError(node)
             << "attribute '" << attribute.name() << "' is element type "
             << getDataTypeName(static_cast<int>(attribute.i()))
             << "; expected one of numbers";
  }
  for (const auto &[name, formal] : schema.attributes())
    if (formal.required &&
        llvm::none_of(node.attribute(), [&, &name = name](const auto &actual) {
          return actual.name() == name;
        }))
      return file.emitError(node)
             << "lacks attribute '" << name << "'; expected a value of type "
             << getAttributeTypeName(formal.type);
  return success();
}

LogicalResult tern::importer::verifyNode(const ModelFile &file,
                                         const NodeProto &node) {
  if (node.op_type().empty())
    return file.emitError(node) << "has no operator";
  int opset = file.getOpset(node.domain());
  if (!opset)
    return file.emitError(node)
           << "the model imports no opset of domain '"
           << (node.domain().empty() ? "ai.onnx" : node.domain())
           << "'; expected one for every domain in use";
  if (failed(verifyAttributeNames(file, node)))
    return failure();

  const OpSchema *schema = getSchema(node, opset);
  if (!schema)
    return verifyContribOperands(file, node);
  if (failed(verifyOperands(file, node, "input", node.input(),
                            schema->min_input(), schema->max_input(),
                            schema->inputs())) ||
      failed(verifyOperands(file, node, "output", node.output(),
                            schema->min_output(), schema->max_output(),
                            schema->outputs())))
    return failure();
  return verifyAttributes(file, node, *schema);
}

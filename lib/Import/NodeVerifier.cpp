//===- NodeVerifier.cpp - a node against its operator's schema ------------===//

#include "NodeVerifier.h"

#include "Schemas.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

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
    return success();
  if (failed(verifyOperands(file, node, "input", node.input(),
                            schema->min_input(), schema->max_input(),
                            schema->inputs())) ||
      failed(verifyOperands(file, node, "output", node.output(),
                            schema->min_output(), schema->max_output(),
                            schema->outputs())))
    return failure();
  return verifyAttributes(file, node, *schema);
}

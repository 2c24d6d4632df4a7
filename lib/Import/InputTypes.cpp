//===- InputTypes.cpp - a node's input types against its schema -----------===//

#include "InputTypes.h"

#include "Schemas.h"
#include "TensorReader.h"
#include "TypedData.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

#include <onnx/defs/data_type_utils.h>

#include <algorithm>
#include <limits>
#include <set>
#include <string>
#include <unordered_map>

using namespace tern::importer;

using onnxlib::NodeProto;
using onnxlib::OpSchema;
using onnxlib::TensorProto;
using onnxlib::TypeProto;

static bool isInteger(int type) {
  switch (type) {
  case TensorProto::INT2:
  case TensorProto::UINT2:
  case TensorProto::INT4:
  case TensorProto::UINT4:
  case TensorProto::INT8:
  case TensorProto::UINT8:
  case TensorProto::INT16:
  case TensorProto::UINT16:
  case TensorProto::INT32:
  case TensorProto::UINT32:
  case TensorProto::INT64:
  case TensorProto::UINT64:
    return true;
  default:
    return false;
  }
}

static bool isFloat(int type) {
  return type == TensorProto::FLOAT16 || type == TensorProto::BFLOAT16 ||
         type == TensorProto::FLOAT || type == TensorProto::DOUBLE;
}

// Whether an operator that asks for equal types can do with these: exporters
// call the bytes of packed weights signed here and unsigned there.
static bool areCompatible(int a, int b) {
  return a == b || (isInteger(a) && isInteger(b) &&
                    getStorageBits(a) == getStorageBits(b));
}

// Whether an operator that takes the types `taken` can do with `type`.
static bool isTaken(int type, const std::set<int> &taken) {
  bool areIndices = !taken.empty() && llvm::all_of(taken, [](int other) {
    return other == TensorProto::INT32 || other == TensorProto::INT64;
  });
  return (areIndices && isInteger(type)) || llvm::any_of(taken, [&](int other) {
           return areCompatible(type, other) ||
                  (isFloat(type) && isFloat(other));
         });
}

// Input `index` of the operator; the last one stands for all that follow.
static const OpSchema::FormalParameter &getFormal(const OpSchema &schema,
                                                  size_t index) {
  return schema.inputs()[std::min(index, schema.inputs().size() - 1)];
}

static void addElementTypes(const OpSchema::FormalParameter &formal,
                            std::set<int> &types) {
  for (onnxlib::DataType type : formal.GetTypes()) {
    const TypeProto &proto = onnxlib::Utils::DataTypeUtils::ToTypeProto(type);
    if (proto.has_tensor_type())
      types.insert(proto.tensor_type().elem_type());
  }
}

// The element types that the operator takes as input `index`, in this version
// or in the last.
static std::set<int> getTakenTypes(const NodeProto &node,
                                   const OpSchema &schema, size_t index) {
  std::set<int> types;
  const OpSchema::FormalParameter &formal = getFormal(schema, index);
  addElementTypes(formal, types);
  const OpSchema *last = getSchema(node, std::numeric_limits<int>::max());
  if (last && !last->inputs().empty() &&
      getFormal(*last, index).GetName() == formal.GetName())
    addElementTypes(getFormal(*last, index), types);
  return types;
}

// "INT32", "one of INT32, INT64".
static std::string getTypesText(const std::set<int> &types) {
  if (types.empty())
    return "a type other than tensor";
  std::string text = llvm::join(llvm::map_range(types, getDataTypeName), ", ");
  return types.size() == 1 ? text : "one of " + text;
}

mlir::LogicalResult
tern::importer::verifyInputTypes(const ModelFile &file, const NodeProto &node,
                                 const OpSchema &schema,
                                 llvm::ArrayRef<const TypeProto *> inputs) {
  std::unordered_map<std::string, int> first; // input of each type variable
  auto getElement = [&](int i) { return inputs[i]->tensor_type().elem_type(); };
  for (int i = 0, e = node.input_size(); i != e; ++i) {
    if (!inputs[i] || !getElement(i))
      continue;
    auto emitError = [&, i] {
      return file.emitError(node)
             << "input " << i << ", '" << node.input(i) << "', holds "
             << getDataTypeName(getElement(i)) << "; expected ";
    };
    std::set<int> taken = getTakenTypes(node, schema, i);
    if (!isTaken(getElement(i), taken))
      return emitError() << getTypesText(taken);
    const OpSchema::FormalParameter &formal = getFormal(schema, i);
    if (!formal.GetIsHomogeneous() ||
        !schema.typeConstraintMap().count(formal.GetTypeStr()))
      continue;
    int other = first.emplace(formal.GetTypeStr(), i).first->second;
    if (!areCompatible(getElement(i), getElement(other)))
      return emitError() << getDataTypeName(getElement(other))
                         << ", as in input " << other;
  }
  return mlir::success();
}

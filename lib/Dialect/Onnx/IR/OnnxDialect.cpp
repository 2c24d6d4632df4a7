//===- OnnxDialect.cpp - the onnx dialect ---------------------------------===//

#include "tern/Dialect/Onnx/IR/Onnx.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"

using namespace mlir;
using namespace tern::onnx;

#include "tern/Dialect/Onnx/IR/OnnxDialect.cpp.inc"

#define GET_OP_CLASSES
#include "tern/Dialect/Onnx/IR/OnnxOps.cpp.inc"

void OnnxDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "tern/Dialect/Onnx/IR/OnnxOps.cpp.inc"
      >();
}

Operation *OnnxDialect::materializeConstant(OpBuilder &builder, Attribute value,
                                            Type type, Location loc) {
  if (isa<NoneType>(type))
    return NoneOp::create(builder, loc, type);
  auto elements = dyn_cast<ElementsAttr>(value);
  if (!elements || elements.getType() != type)
    return nullptr;
  return ConstantOp::create(builder, loc, elements);
}

//===----------------------------------------------------------------------===//
// NodeOp
//===----------------------------------------------------------------------===//

// Prints `"MatMul"(%a, %b) {attrs} : (types) -> types`. The trailing attributes
// are the ONNX node's own; the operation has no others worth showing.
void NodeOp::print(OpAsmPrinter &printer) {
  printer << ' ';
  printer.printAttributeWithoutType(getKindAttr());
  printer << '(' << getInputs() << ')';
  if (!getAttrs().empty())
    printer << ' ' << getAttrs();
  printer.printOptionalAttrDictWithKeyword((*this)->getAttrs(),
                                           {"kind", "attrs"});
  printer << " : ";
  printer.printFunctionalType(*this);
}

ParseResult NodeOp::parse(OpAsmParser &parser, OperationState &result) {
  StringAttr kind;
  SmallVector<OpAsmParser::UnresolvedOperand> inputs;
  FunctionType type;
  NamedAttrList attrs;
  SMLoc inputsLoc;
  if (parser.parseAttribute(kind, "kind", result.attributes) ||
      parser.getCurrentLocation(&inputsLoc) ||
      parser.parseOperandList(inputs, OpAsmParser::Delimiter::Paren) ||
      parser.parseOptionalAttrDict(attrs) ||
      parser.parseOptionalAttrDictWithKeyword(result.attributes) ||
      parser.parseColonType(type) ||
      parser.resolveOperands(inputs, type.getInputs(), inputsLoc,
                             result.operands))
    return failure();
  if (!attrs.empty())
    result.addAttribute("attrs", attrs.getDictionary(parser.getContext()));
  result.addTypes(type.getResults());
  return success();
}

LogicalResult NodeOp::verify() {
  if (getKind().empty())
    return emitOpError("has an empty operator name");
  auto isValueType = [](Type type) { return isa<TensorType, NoneType>(type); };
  for (auto [index, type] : llvm::enumerate(getInputs().getTypes()))
    if (!isValueType(type))
      return emitOpError("input ")
             << index << " has type " << type << "; expected a tensor or none";
  for (auto [index, type] : llvm::enumerate(getOutputs().getTypes()))
    if (!isValueType(type))
      return emitOpError("output ")
             << index << " has type " << type << "; expected a tensor or none";
  return success();
}

int64_t NodeOp::getInt(StringRef name, int64_t fallback) {
  auto attr = dyn_cast_or_null<IntegerAttr>(getNodeAttr(name));
  return attr ? attr.getInt() : fallback;
}

float NodeOp::getFloat(StringRef name, float fallback) {
  auto attr = dyn_cast_or_null<FloatAttr>(getNodeAttr(name));
  return attr ? attr.getValue().convertToFloat() : fallback;
}

StringRef NodeOp::getString(StringRef name, StringRef fallback) {
  auto attr = dyn_cast_or_null<StringAttr>(getNodeAttr(name));
  return attr ? attr.getValue() : fallback;
}

std::optional<ArrayRef<int64_t>> NodeOp::getInts(StringRef name) {
  auto attr = dyn_cast_or_null<DenseI64ArrayAttr>(getNodeAttr(name));
  if (!attr)
    return std::nullopt;
  return attr.asArrayRef();
}

Value NodeOp::getInput(unsigned index) {
  if (index >= getInputs().size() ||
      isa<NoneType>(getInputs()[index].getType()))
    return {};
  return getInputs()[index];
}

int64_t NodeOp::getOpset() {
  auto [domain, op] = getKind().split("::");
  if (op.empty())
    domain = "ai.onnx";
  auto module = (*this)->getParentOfType<ModuleOp>();
  auto opsets =
      module ? module->getAttrOfType<DictionaryAttr>("onnx.opsets") : nullptr;
  auto version = opsets ? opsets.getAs<IntegerAttr>(domain) : nullptr;
  return version ? version.getInt() : 0;
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValueAttr(); }

OpFoldResult NoneOp::fold(FoldAdaptor) {
  return UnitAttr::get(getContext());
}

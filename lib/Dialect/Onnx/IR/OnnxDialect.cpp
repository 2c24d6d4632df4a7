//===- OnnxDialect.cpp - the onnx dialect ---------------------------------===//

#include "tern/Dialect/Onnx/IR/Onnx.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

#include "llvm/Support/MathExtras.h"

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
// Discardable attributes
//===----------------------------------------------------------------------===//

// True where `attr` is a dictionary whose values are all of kind `ValueAttr`.
template <typename ValueAttr>
static bool isDictionaryOf(Attribute attr) {
  auto dictionary = dyn_cast<DictionaryAttr>(attr);
  return dictionary && llvm::all_of(dictionary, [](NamedAttribute entry) {
           return isa<ValueAttr>(entry.getValue());
         });
}

LogicalResult OnnxDialect::verifyOperationAttribute(Operation *op,
                                                    NamedAttribute attribute) {
  StringRef name = attribute.getName();
  Attribute value = attribute.getValue();
  StringRef expected;
  if (name == "onnx.opsets" && !isDictionaryOf<IntegerAttr>(value))
    expected = "a dictionary of integers";
  else if (name == "onnx.metadata" && !isDictionaryOf<StringAttr>(value))
    expected = "a dictionary of strings";
  else if ((name == "onnx.name" || name == "onnx.producer") &&
           !isa<StringAttr>(value))
    expected = "a string";
  if (expected.empty())
    return success();
  return op->emitOpError("attribute '")
         << name << "' is " << value << "; expected " << expected;
}

// Verifies an attribute of the argument or result (`role`) `index` of `op`,
// which has type `type`.
static LogicalResult verifyValueAttribute(Operation *op, StringRef role,
                                          unsigned index, Type type,
                                          NamedAttribute attribute) {
  StringRef name = attribute.getName();
  if (name == "onnx.name" && !isa<StringAttr>(attribute.getValue()))
    return op->emitOpError()
           << role << " " << index << " attribute 'onnx.name' is "
           << attribute.getValue() << "; expected a string";
  if (name != "onnx.dims")
    return success();
  auto dims = dyn_cast<ArrayAttr>(attribute.getValue());
  if (!dims || !llvm::all_of(dims, llvm::IsaPred<StringAttr>))
    return op->emitOpError()
           << role << " " << index << " attribute 'onnx.dims' is "
           << attribute.getValue() << "; expected an array of strings";
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (tensor && static_cast<int64_t>(dims.size()) != tensor.getRank())
    return op->emitOpError()
           << role << " " << index << " attribute 'onnx.dims' names "
           << dims.size() << " dimensions; expected " << tensor.getRank()
           << " for " << type;
  return success();
}

LogicalResult OnnxDialect::verifyRegionArgAttribute(Operation *op, unsigned,
                                                    unsigned argIndex,
                                                    NamedAttribute attribute) {
  auto function = dyn_cast<FunctionOpInterface>(op);
  Type type = function ? function.getArgumentTypes()[argIndex] : Type();
  return verifyValueAttribute(op, "argument", argIndex, type, attribute);
}

LogicalResult OnnxDialect::verifyRegionResultAttribute(
    Operation *op, unsigned, unsigned resultIndex, NamedAttribute attribute) {
  auto function = dyn_cast<FunctionOpInterface>(op);
  Type type = function ? function.getResultTypes()[resultIndex] : Type();
  return verifyValueAttribute(op, "result", resultIndex, type, attribute);
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

// True where `attr` is how an attribute of an ONNX node is represented.
static bool isNodeAttribute(Attribute attr) {
  if (auto integer = dyn_cast<IntegerAttr>(attr))
    return integer.getType().isSignlessInteger(64);
  if (auto number = dyn_cast<FloatAttr>(attr))
    return number.getType().isF32();
  if (auto list = dyn_cast<ArrayAttr>(attr))
    return llvm::all_of(list, llvm::IsaPred<StringAttr>) ||
           llvm::all_of(list, llvm::IsaPred<ElementsAttr>);
  // Dense arrays are elements attributes as well, of other element types.
  if (isa<DenseArrayAttr>(attr))
    return isa<DenseI64ArrayAttr, DenseF32ArrayAttr>(attr);
  return isa<StringAttr, ElementsAttr>(attr);
}

LogicalResult NodeOp::verify() {
  StringRef kind = getKind();
  if (kind.empty() || kind.starts_with("::") || kind.ends_with("::"))
    return emitOpError("has operator name '")
           << kind << "'; expected a name, or a domain, '::' and a name";
  for (NamedAttribute attr : getAttrs())
    if (!isNodeAttribute(attr.getValue()))
      return emitOpError("attribute '")
             << attr.getName().getValue() << "' is " << attr.getValue()
             << "; expected an i64, an f32, a string, a tensor, or a list of "
                "them";
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

// The bytes that a resource of type `type` holds; nullopt where they cannot be
// counted.
static std::optional<uint64_t> getResourceSize(ShapedType type) {
  Type elementType = type.getElementType();
  int64_t bits = 0;
  if (auto complexType = dyn_cast<ComplexType>(elementType))
    bits = 2 * complexType.getElementType().getIntOrFloatBitWidth();
  else if (elementType.isIntOrFloat())
    bits = elementType.isInteger(1) ? 8 : elementType.getIntOrFloatBitWidth();
  else
    return std::nullopt;
  for (int64_t dim : type.getShape())
    if (llvm::MulOverflow(bits, dim, bits))
      return std::nullopt;
  return llvm::divideCeil(static_cast<uint64_t>(bits), 8);
}

LogicalResult ConstantOp::verify() {
  auto resource = dyn_cast<DenseResourceElementsAttr>(getValueAttr());
  if (!resource || !resource.getRawHandle().getBlob())
    return success();
  uint64_t size = resource.getRawHandle().getBlob()->getData().size();
  std::optional<uint64_t> expected = getResourceSize(resource.getType());
  if (!expected)
    return emitOpError("has a resource of type ")
           << resource.getType() << ", whose bytes cannot be counted";
  if (size != *expected)
    return emitOpError("has a resource of ")
           << size << " bytes; expected " << *expected << " for "
           << resource.getType();
  return success();
}

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValueAttr(); }

OpFoldResult NoneOp::fold(FoldAdaptor) { return UnitAttr::get(getContext()); }

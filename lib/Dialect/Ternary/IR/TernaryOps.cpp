//===- TernaryOps.cpp - verifiers and folds of the ternary dialect --------===//

#include "tern/Dialect/Ternary/IR/Ternary.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"

using namespace mlir;
using namespace tern::ternary;

#define GET_OP_CLASSES
#include "tern/Dialect/Ternary/IR/TernaryOps.cpp.inc"

int64_t BitLinearOp::getGroups() {
  auto type = getScale().getType();
  return type.getRank() == 2 ? type.getDimSize(1) : 1;
}

LogicalResult BitLinearOp::verify() { return success(); }
LogicalResult QuantizeOp::verify() { return success(); }
LogicalResult MatmulOp::verify() { return success(); }
OpFoldResult MatmulOp::fold(FoldAdaptor) { return {}; }
LogicalResult RescaleOp::verify() { return success(); }
LogicalResult ConstantOp::verify() { return success(); }
OpFoldResult ConstantOp::fold(FoldAdaptor) { return getBytesAttr(); }
LogicalResult PackOp::verify() { return success(); }
OpFoldResult PackOp::fold(FoldAdaptor) { return {}; }
LogicalResult UnpackOp::verify() { return success(); }
OpFoldResult UnpackOp::fold(FoldAdaptor) { return {}; }
LogicalResult BytesOp::verify() { return success(); }
OpFoldResult BytesOp::fold(FoldAdaptor) { return {}; }
LogicalResult PackedMatmulOp::verify() { return success(); }

// `matrix-type ins(%x, %b : types) outs(%init : type) attrs (-> type)?`
ParseResult PackedMatmulOp::parse(OpAsmParser &parser, OperationState &result) {
  Type matrix;
  OpAsmParser::UnresolvedOperand x, bytes, init;
  Type xType, bytesType, initType;
  if (parser.parseType(matrix) || parser.parseKeyword("ins") ||
      parser.parseLParen() || parser.parseOperand(x) || parser.parseComma() ||
      parser.parseOperand(bytes) || parser.parseColonType(xType) ||
      parser.parseComma() || parser.parseType(bytesType) ||
      parser.parseRParen() || parser.parseKeyword("outs") ||
      parser.parseLParen() || parser.parseOperand(init) ||
      parser.parseColonType(initType) || parser.parseRParen() ||
      parser.parseOptionalAttrDict(result.attributes) ||
      parser.parseOptionalArrowTypeList(result.types) ||
      parser.resolveOperand(x, xType, result.operands) ||
      parser.resolveOperand(bytes, bytesType, result.operands) ||
      parser.resolveOperand(init, initType, result.operands))
    return failure();
  result.addAttribute("matrix", TypeAttr::get(matrix));
  return success();
}

void PackedMatmulOp::print(OpAsmPrinter &printer) {
  printer << ' ' << getMatrix() << " ins(" << getX() << ", " << getBytes()
          << " : " << getX().getType() << ", " << getBytes().getType()
          << ") outs(" << getInit() << " : " << getInit().getType() << ')';
  printer.printOptionalAttrDict((*this)->getAttrs(), {"matrix"});
  if (getResult())
    printer << " -> " << getResult().getType();
}

void PackedMatmulOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  for (OpOperand &operand : (*this)->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    if (operand.get() == getInit())
      effects.emplace_back(MemoryEffects::Write::get(), &operand);
    else
      effects.emplace_back(MemoryEffects::Read::get(), &operand);
  }
}

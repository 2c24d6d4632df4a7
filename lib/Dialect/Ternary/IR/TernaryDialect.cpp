//===- TernaryDialect.cpp - the ternary dialect ---------------------------===//

#include "tern/Dialect/Ternary/IR/Ternary.h"

using namespace mlir;
using namespace tern::ternary;

#include "tern/Dialect/Ternary/IR/TernaryDialect.cpp.inc"

void TernaryDialect::initialize() {
  registerAttributes();
  registerTypes();
  addOperations<
#define GET_OP_LIST
#include "tern/Dialect/Ternary/IR/TernaryOps.cpp.inc"
      >();
}

Operation *TernaryDialect::materializeConstant(OpBuilder &builder,
                                               Attribute value, Type type,
                                               Location loc) {
  if (!isa<MatrixType>(type))
    return arith::ConstantOp::materialize(builder, value, type, loc);
  auto bytes = dyn_cast<ElementsAttr>(value);
  return bytes ? ConstantOp::create(builder, loc, type, bytes) : nullptr;
}

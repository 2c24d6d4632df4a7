//===- HeadOp.cpp - verifier and effects of ternary.head ------------------===//

#include "tern/Dialect/Ternary/IR/HeadScreen.h"

using namespace mlir;
using namespace tern::ternary;

/// Checks that `found` equals the shape expected of `what`.
static LogicalResult verifyShape(HeadOp op, StringRef what, Type found,
                                 ArrayRef<int64_t> expected) {
  auto type = cast<ShapedType>(found);
  if (type.getShape() == expected)
    return success();
  InFlightDiagnostic diagnostic = op.emitOpError()
                                  << "operand '" << what << "' is " << found
                                  << "; expected ";
  llvm::interleave(
      expected, diagnostic, [&](int64_t size) { diagnostic << size; }, " x ");
  return diagnostic << " elements";
}

LogicalResult HeadOp::verify() {
  auto rows = cast<ShapedType>(getRows().getType());
  if (!rows.hasStaticShape())
    return emitOpError() << "rows are " << rows << "; expected a static shape";
  for (Value operand : getOperands())
    if (!operand.getType().isIndex() &&
        isa<TensorType>(operand.getType()) != isOnTensors())
      return emitOpError() << "mixes tensors and memrefs: init is "
                           << getInit().getType() << ", another operand is "
                           << operand.getType();
  if (isOnTensors() != static_cast<bool>(getResult()))
    return emitOpError() << (isOnTensors() ? "needs" : "cannot have")
                         << " a result, since init is " << getInit().getType();
  if (isOnTensors() && getResult().getType() != getInit().getType())
    return emitOpError() << "result is " << getResult().getType()
                         << "; expected " << getInit().getType()
                         << ", the type of init";
  ScreenShape shape = {rows.getDimSize(0), rows.getDimSize(1)};
  if (failed(verifyShape(*this, "x", getX().getType(), shape.cols)) ||
      failed(verifyShape(*this, "init", getInit().getType(), shape.rows)))
    return failure();
  if (!getCodes())
    return success();
  if (failed(verifyShape(*this, "codes", getCodes().getType(),
                         shape.getCodeBytes())))
    return failure();
  return verifyShape(*this, "bounds", getBounds().getType(),
                     {shape.getTiles(), ScreenShape::kTileBounds});
}

void HeadOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  for (OpOperand &operand : (*this)->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    if (isDpsInit(&operand))
      effects.emplace_back(MemoryEffects::Write::get(), &operand);
    else
      effects.emplace_back(MemoryEffects::Read::get(), &operand);
  }
}

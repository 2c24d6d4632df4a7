//===- Lowering.cpp - what lowerings share --------------------------------===//

#include "Lowering.h"

#include "Sizes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace tern::onnx;

// The name that the importer gave the node, or nothing.
static StringRef nodeName(Location loc) {
  if (auto name = dyn_cast<NameLoc>(loc))
    return name.getName();
  if (auto fused = dyn_cast<FusedLoc>(loc))
    for (Location part : fused.getLocations())
      if (StringRef name = nodeName(part); !name.empty())
        return name;
  return {};
}

static bool isUnsignedAt(TypeRange types, unsigned index) {
  if (index >= types.size())
    return false;
  auto tensor = dyn_cast<TensorType>(types[index]);
  return tensor && tensor.getElementType().isUnsignedInteger();
}

bool LoweringContext::isUnsigned(unsigned index) const {
  return isUnsignedAt(inputTypes, index);
}

bool LoweringContext::isUnsignedOutput(unsigned index) const {
  return isUnsignedAt(node->getResultTypes(), index);
}

std::string LoweringContext::describe() const {
  NodeOp op = node;
  std::string text = "node ";
  if (StringRef name = nodeName(op.getLoc()); !name.empty())
    text += ("'" + name + "' ").str();
  text += ("(" + op.getKind()).str();
  if (int64_t opset = op.getOpset())
    text += ", opset " + std::to_string(opset);
  return text + ")";
}

InFlightDiagnostic LoweringContext::error() const {
  return emitError(node->getLoc()) << describe() << ": ";
}

void LoweringContext::check(Value condition, StringRef message) {
  if (matchPattern(condition, m_One()))
    return;
  cf::AssertOp::create(b, condition, describe() + ": " + message.str());
}

std::optional<SmallVector<int64_t>>
LoweringContext::constantInts(unsigned index) const {
  Value value = input(index);
  if (!value)
    return std::nullopt;
  std::optional<SmallVector<Value>> scalars = knownScalars(b, value);
  if (!scalars)
    return std::nullopt;
  SmallVector<int64_t> ints;
  for (Value scalar : *scalars) {
    APInt constant;
    if (!matchPattern(scalar, m_ConstantInt(&constant)))
      return std::nullopt;
    ints.push_back(constant.getSExtValue());
  }
  return ints;
}

Type tern::onnx::lowerElementType(Type type) {
  auto integer = dyn_cast<IntegerType>(type);
  if (!integer)
    return type;
  unsigned width = integer.getWidth();
  if (width > 1 && width < 8)
    width = 8;
  return IntegerType::get(type.getContext(), width);
}

Type tern::onnx::lowerType(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor)
    return type;
  return tensor.clone(lowerElementType(tensor.getElementType()));
}

FailureOr<int64_t> tern::onnx::normalizeAxis(LoweringContext &ctx, int64_t axis,
                                             int64_t rank) {
  if (axis < -rank || axis >= rank)
    return ctx.error() << "found axis " << axis << "; expected one in ["
                       << -rank << ", " << rank << ")";
  return axis < 0 ? axis + rank : axis;
}

Value tern::onnx::scalarConstant(ImplicitLocOpBuilder &b, Type type,
                                 double value) {
  if (isa<FloatType>(type))
    return arith::ConstantOp::create(b, b.getFloatAttr(type, value));
  return arith::ConstantOp::create(
      b, b.getIntegerAttr(type, static_cast<int64_t>(value)));
}

LoweringResult tern::onnx::single(FailureOr<Value> output) {
  if (failed(output))
    return failure();
  return SmallVector<Value>{*output};
}

//===- VNNI.cpp - products by vpdpbusd ------------------------------------===//

#include "VNNI.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace tern::ternary;

Value VnniTarget::buildDot(OpBuilder &b, Location loc, Value sums, Value codes,
                           Value activations) const {
  StringRef intrinsic = lanes == 16 ? "llvm.x86.avx512.vpdpbusd.512"
                                    : "llvm.x86.avx512.vpdpbusd.256";
  return buildIntrinsic(b, loc, intrinsic, sums.getType(),
                        {sums, codes, activations});
}

// Plane by plane, so that few codes are live at a time and each activation is
// broadcast once for all strips. Within a plane, what there is more of changes
// faster: the other stays in registers.
void VnniTarget::buildStep(OpBuilder &b, Location loc, StepOperands &operands,
                           Accumulators &accumulators) const {
  auto multiply = [&](int64_t plane, int64_t token, int64_t strip) {
    Value &acc = accumulators.get(token, strip, plane);
    Value codes = operands.getCodes(strip, plane);
    acc = buildDot(b, loc, acc, codes, operands.getActivations(token, plane));
  };
  bool hasMoreStrips = operands.strips > operands.tokens;
  int64_t outerEnd = hasMoreStrips ? operands.strips : operands.tokens;
  int64_t innerEnd = hasMoreStrips ? operands.tokens : operands.strips;
  for (int64_t plane = 0; plane < operands.planes; ++plane)
    for (int64_t outer = 0; outer < outerEnd; ++outer)
      for (int64_t inner = 0; inner < innerEnd; ++inner)
        multiply(plane, hasMoreStrips ? inner : outer,
                 hasMoreStrips ? outer : inner);
}

// 12 accumulators, two activations and one vector of codes fill the 16
// registers of AVX-VNNI; fewer would wait for each other.
std::unique_ptr<VectorTarget> tern::ternary::createAvxVnniTarget() {
  return std::make_unique<VnniTarget>("avxvnni", /*lanes=*/8,
                                      /*blockTokens=*/2, /*blockStrips=*/6);
}

Value VbmiTarget::buildLookup(OpBuilder &b, Location loc,
                              ArrayRef<int8_t> table, Value index) const {
  auto type = cast<VectorType>(index.getType());
  Value entries =
      arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type, table));
  return buildIntrinsic(b, loc, "llvm.x86.avx512.permvar.qi.512", type,
                        {entries, index});
}

// 24 accumulators of 32 registers: 8 tokens by 48 rows.
std::unique_ptr<VectorTarget> tern::ternary::createAvx512VnniTarget() {
  return std::make_unique<VnniTarget>("avx512vnni", /*lanes=*/16,
                                      /*blockTokens=*/8, /*blockStrips=*/3,
                                      /*streams=*/4);
}

std::unique_ptr<VectorTarget> tern::ternary::createAvx512VbmiTarget() {
  return std::make_unique<VbmiTarget>("avx512vbmi");
}

//===- VNNI.cpp - products by vpdpbusd ------------------------------------===//

#include "VNNI.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace tern::ternary;

// Plane by plane, so that few codes are live at a time and each activation is
// broadcast once for all strips.
void VnniTarget::buildStep(OpBuilder &b, Location loc, StepOperands &operands,
                           Accumulators &accumulators) const {
  StringRef intrinsic = lanes == 16 ? "llvm.x86.avx512.vpdpbusd.512"
                                    : "llvm.x86.avx512.vpdpbusd.256";
  for (int64_t plane = 0; plane < operands.planes; ++plane)
    for (int64_t token = 0; token < operands.tokens; ++token)
      for (int64_t strip = 0; strip < operands.strips; ++strip) {
        Value &acc = accumulators.get(token, strip, plane);
        Value codes = operands.getCodes(strip, plane);
        Value x = operands.getActivations(token, plane);
        acc = buildIntrinsic(b, loc, intrinsic, acc.getType(), {acc, codes, x});
      }
}

// 8 accumulators leave room for codes in the 16 registers of AVX-VNNI.
std::unique_ptr<VectorTarget> tern::ternary::createAvxVnniTarget() {
  return std::make_unique<VnniTarget>("avxvnni", /*lanes=*/8,
                                      /*blockTokens=*/4, /*blockStrips=*/2);
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
  return std::make_unique<VbmiTarget>("avx512vbmi", /*lanes=*/16,
                                      /*blockTokens=*/8, /*blockStrips=*/3,
                                      /*streams=*/4);
}

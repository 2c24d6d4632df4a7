//===- VNNI.cpp - products by vpdpbusd ------------------------------------===//

#include "X86Target.h"

using namespace mlir;
using namespace tern::ternary;

namespace {
/// vpdpbusd multiplies four u8 with four i8 and adds to an i32, exactly. One
/// class for both lengths: the 256-bit intrinsic is selected as the VEX form
/// with AVX-VNNI and as the EVEX form with AVX512-VNNI and VL.
class VnniTarget : public X86Target {
public:
  VnniTarget(StringRef name, int64_t lanes, int64_t blockTokens,
             int64_t blockStrips, StringRef intrinsic)
      : X86Target(name, lanes, blockTokens, blockStrips), intrinsic(intrinsic) {
  }

  bool hasWideDot() const override { return true; }

  // Plane by plane, so that few codes are live at a time and each activation
  // is broadcast once for all strips.
  void buildStep(OpBuilder &b, Location loc, StepOperands &operands,
                 Accumulators &accumulators) const override {
    for (int64_t plane = 0; plane < operands.planes; ++plane)
      for (int64_t token = 0; token < operands.tokens; ++token)
        for (int64_t strip = 0; strip < operands.strips; ++strip) {
          Value &acc = accumulators.get(token, strip, plane);
          Value codes = operands.getCodes(strip, plane);
          Value x = operands.getActivations(token, plane);
          acc =
              buildIntrinsic(b, loc, intrinsic, acc.getType(), {acc, codes, x});
        }
  }

private:
  const StringRef intrinsic;
};
} // namespace

// 8 accumulators leave room for codes in the 16 registers of AVX-VNNI.
std::unique_ptr<VectorTarget> tern::ternary::createAvxVnniTarget() {
  return std::make_unique<VnniTarget>("avxvnni", /*lanes=*/8,
                                      /*blockTokens=*/4, /*blockStrips=*/2,
                                      "llvm.x86.avx512.vpdpbusd.256");
}

// 24 accumulators of 32 registers: 8 tokens by 48 rows.
std::unique_ptr<VectorTarget> tern::ternary::createAvx512VnniTarget() {
  return std::make_unique<VnniTarget>("avx512vnni", /*lanes=*/16,
                                      /*blockTokens=*/8, /*blockStrips=*/3,
                                      "llvm.x86.avx512.vpdpbusd.512");
}

//===- AVX2.cpp - products by vpmaddubsw and vpmaddwd ---------------------===//

#include "X86Target.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace tern::ternary;

namespace {
/// vpmaddubsw saturates, but not here: two products of a code up to 2 and an
/// int8 are at most 512 in magnitude, five planes of them 2,560.
class Avx2Target : public X86Target {
public:
  // 8 accumulators, 4 vectors of codes and the temporaries fill 16 registers.
  Avx2Target()
      : X86Target("avx2", /*lanes=*/8, /*blockTokens=*/8, /*blockStrips=*/1) {}

  void buildStep(OpBuilder &b, Location loc, StepOperands &operands,
                 Accumulators &accumulators) const override {
    auto i16s = VectorType::get(16, b.getI16Type());
    auto i32s = VectorType::get(8, b.getI32Type());
    Value ones = buildSplat(b, loc, i16s, 1);
    for (int64_t strip = 0; strip < operands.strips; ++strip)
      for (int64_t token = 0; token < operands.tokens; ++token) {
        Value sums;
        for (int64_t plane = 0; plane < operands.planes; ++plane) {
          Value pairs =
              buildIntrinsic(b, loc, "llvm.x86.avx2.pmadd.ub.sw", i16s,
                             {operands.getCodes(strip, plane),
                              operands.getActivations(token, plane)});
          sums = sums ? arith::AddIOp::create(b, loc, sums, pairs) : pairs;
        }
        Value quads = buildIntrinsic(b, loc, "llvm.x86.avx2.pmadd.wd", i32s,
                                     {sums, ones});
        Value &acc = accumulators.get(token, strip, 0);
        acc = arith::AddIOp::create(b, loc, acc, quads);
      }
  }
};
} // namespace

std::unique_ptr<VectorTarget> tern::ternary::createAvx2Target() {
  return std::make_unique<Avx2Target>();
}

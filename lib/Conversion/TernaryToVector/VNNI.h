//===- VNNI.h - products by vpdpbusd ------------------------------*- C++
//-*-===//
#ifndef TERN_LIB_CONVERSION_TERNARYTOVECTOR_VNNI_H
#define TERN_LIB_CONVERSION_TERNARYTOVECTOR_VNNI_H

#include "X86Target.h"

namespace tern::ternary {

/// vpdpbusd multiplies four u8 with four i8 and adds to an i32, exactly. One
/// class for both lengths: the 256-bit intrinsic is selected as the VEX form
/// with AVX-VNNI and as the EVEX form with AVX512-VNNI and VL.
class VnniTarget : public X86Target {
public:
  using X86Target::X86Target;

  bool hasWideDot() const override { return true; }
  bool hasMasks() const override { return lanes == 16; } // AVX-512

  void buildStep(mlir::OpBuilder &builder, mlir::Location loc,
                 StepOperands &operands,
                 Accumulators &accumulators) const override;

  /// `sums`, i32, and in each lane four products of `codes`, u8, and
  /// `activations`, i8.
  mlir::Value buildDot(mlir::OpBuilder &builder, mlir::Location loc,
                       mlir::Value sums, mlir::Value codes,
                       mlir::Value activations) const;
};

/// With AVX512-VBMI, by which bytes of five trits are looked up.
class VbmiTarget : public VnniTarget {
public:
  // 24 accumulators of 32 registers: 8 tokens by 48 rows.
  explicit VbmiTarget(llvm::StringRef name)
      : VnniTarget(name, /*lanes=*/16, /*blockTokens=*/8, /*blockStrips=*/3,
                   /*streams=*/4) {}

  bool hasLookup() const override { return true; }

  /// For one token's ternary product alone. On an AMD EPYC (Zen 4) with 1.6
  /// bits a weight, tokens are generated some 3 % faster than with 2 KiB into
  /// the first cache (docs/Rationale.md).
  StreamFetch getStreamFetch() const override { return {6144, 2}; }

  mlir::Value buildLookup(mlir::OpBuilder &builder, mlir::Location loc,
                          llvm::ArrayRef<int8_t> table,
                          mlir::Value index) const override;
};

} // namespace tern::ternary

#endif // TERN_LIB_CONVERSION_TERNARYTOVECTOR_VNNI_H

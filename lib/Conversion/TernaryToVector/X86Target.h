//===- X86Target.h - what the x86 targets share -------------------*- C++
//-*-===//
#ifndef TERN_LIB_CONVERSION_TERNARYTOVECTOR_X86TARGET_H
#define TERN_LIB_CONVERSION_TERNARYTOVECTOR_X86TARGET_H

#include "VectorTarget.h"

namespace tern::ternary {

class X86Target : public VectorTarget {
public:
  using VectorTarget::VectorTarget;

  /// vpmulhuw. LLVM does not find it again in a widened product once the
  /// instructions around it are combined.
  mlir::Value buildHighProduct(mlir::OpBuilder &builder, mlir::Location loc,
                               mlir::Value lhs, mlir::Value rhs) const override;

protected:
  static mlir::Value buildIntrinsic(mlir::OpBuilder &builder,
                                    mlir::Location loc, llvm::StringRef name,
                                    mlir::Type type, mlir::ValueRange operands);
};

} // namespace tern::ternary

#endif // TERN_LIB_CONVERSION_TERNARYTOVECTOR_X86TARGET_H

//===- Codes.h - codes of packed bytes, in vectors ----------------*- C++
//-*-===//
#ifndef TERN_LIB_CONVERSION_TERNARYTOVECTOR_CODES_H
#define TERN_LIB_CONVERSION_TERNARYTOVECTOR_CODES_H

#include "tern/Dialect/Ternary/IR/Ternary.h"

namespace tern::ternary {

class VectorTarget;

/// The codes of the planes of packed bytes, computed when first asked for.
/// Where bytes hold codes at bits of their own, that of plane j may be left
/// where it is, 4^j times its value.
class CodeDecoder {
public:
  CodeDecoder(const VectorTarget &target, Encoding encoding, bool inPlace,
              mlir::Value bytes);

  mlir::Value getCodes(mlir::OpBuilder &builder, mlir::Location loc,
                       int64_t plane);

  /// How many bits codes are above their value that are left in place.
  static int64_t getShift(const VectorTarget &target, Encoding encoding,
                          int64_t plane);

private:
  /// The code of a plane at bits 2 `plane` and up of `bytes`.
  mlir::Value extract(mlir::OpBuilder &builder, mlir::Location loc,
                      mlir::Value bytes, int64_t plane);
  /// All planes of t5.
  void lookUpT5(mlir::OpBuilder &builder, mlir::Location loc);
  void divideT5(mlir::OpBuilder &builder, mlir::Location loc);

  const VectorTarget &target;
  Encoding encoding;
  bool inPlace;
  mlir::Value bytes;
  llvm::SmallVector<mlir::Value, 5> codes;
};

} // namespace tern::ternary

#endif // TERN_LIB_CONVERSION_TERNARYTOVECTOR_CODES_H

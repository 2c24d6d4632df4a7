//===- Codes.h - codes of packed bytes, in vectors ----------------*- C++
//-*-===//
#ifndef TERN_LIB_CONVERSION_TERNARYTOVECTOR_CODES_H
#define TERN_LIB_CONVERSION_TERNARYTOVECTOR_CODES_H

#include "tern/Dialect/Ternary/IR/Ternary.h"

namespace tern::ternary {

class VectorTarget;

/// The codes of the planes of packed bytes, computed when first asked for. The
/// code of plane j of `i2` may be left where it is, 4^j times its value.
class CodeDecoder {
public:
  CodeDecoder(const VectorTarget &target, Encoding encoding, bool inPlace,
              mlir::Value bytes);

  mlir::Value getCodes(mlir::OpBuilder &builder, mlir::Location loc,
                       int64_t plane);

private:
  mlir::Value decodeI2(mlir::OpBuilder &builder, mlir::Location loc,
                       int64_t plane);
  void decodeT5(mlir::OpBuilder &builder, mlir::Location loc);

  const VectorTarget &target;
  Encoding encoding;
  bool inPlace;
  mlir::Value bytes;
  llvm::SmallVector<mlir::Value, 5> codes;
};

} // namespace tern::ternary

#endif // TERN_LIB_CONVERSION_TERNARYTOVECTOR_CODES_H

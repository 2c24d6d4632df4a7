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

  /// Fields of a byte that holds codes at bits of their own.
  static constexpr int64_t fields = 4;

  mlir::Value getCodes(mlir::OpBuilder &builder, mlir::Location loc,
                       int64_t plane);

  /// The trits of a plane, codes less one, as signed bytes; for targets with
  /// tiles.
  mlir::Value getTrits(mlir::OpBuilder &builder, mlir::Location loc,
                       int64_t plane);

  /// The codes of planes 1 to 3, c1 + 3 c2 + 9 c3, as bytes; for targets with
  /// lookups.
  mlir::Value getTriples(mlir::OpBuilder &builder, mlir::Location loc);

  /// How many bits codes are above their value that are left in place: as many
  /// for planes that are `fields` apart.
  static int64_t getShift(const VectorTarget &target, Encoding encoding,
                          int64_t plane);

private:
  /// The bytes that hold the codes of a plane in its field.
  mlir::Value getHolder(mlir::OpBuilder &builder, mlir::Location loc,
                        int64_t plane);
  /// The codes at bits 2 `field` and up of `bytes`.
  mlir::Value extract(mlir::OpBuilder &builder, mlir::Location loc,
                      mlir::Value bytes, int64_t field);
  /// The entry of `table` for bytes of t5 from 192 on; entry 0 for others.
  mlir::Value lookUpLong(mlir::OpBuilder &builder, mlir::Location loc,
                         llvm::ArrayRef<int8_t> table);
  /// What is different in bytes of t5 from 192 on; 0 for others.
  mlir::Value lookUpDifference(mlir::OpBuilder &builder, mlir::Location loc);
  /// All planes of t5, by arithmetic.
  void divideT5(mlir::OpBuilder &builder, mlir::Location loc);

  const VectorTarget &target;
  Encoding encoding;
  bool inPlace;
  mlir::Value bytes;
  /// The fields of t5 but the first: as they were looked up, which the last is
  /// right in, and as they are.
  mlir::Value lookedUp, corrected;
  mlir::Value longIndex;  ///< of bytes of t5 from 192 on; 0 for others
  mlir::Value difference; ///< what lookUpDifference found
  llvm::SmallVector<mlir::Value, 5> codes;
};

} // namespace tern::ternary

#endif // TERN_LIB_CONVERSION_TERNARYTOVECTOR_CODES_H

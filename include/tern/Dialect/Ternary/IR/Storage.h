//===- Storage.h - reading and writing stored trits ---------------*- C++
//-*-===//
//
// The one place in the compiler that turns trits into bytes and back; what the
// bytes mean is written in LayoutAttr.
//
//===----------------------------------------------------------------------===//
#ifndef TERN_DIALECT_TERNARY_IR_STORAGE_H
#define TERN_DIALECT_TERNARY_IR_STORAGE_H

#include "tern/Dialect/Ternary/IR/Ternary.h"

#include <array>

namespace tern::ternary {

/// The codes of a byte, in the order of its planes; `i2` has four. A field that
/// holds no trit gives a code above 2.
using ByteCodes = std::array<uint8_t, 5>;
ByteCodes decodeByte(Encoding encoding, uint8_t byte);

/// The byte whose codes are all 1, that is trit 0, which fills the padding.
uint8_t getZeroByte(Encoding encoding);

/// Reads a row of `storage`, which has `matrix.getStorageBytes()` bytes. Writes
/// one code (trit + 1) a column to `codes`, which has `matrix.getPaddedCols()`
/// elements. A field that holds no trit gives a code above 2.
void decodeRow(MatrixType matrix, llvm::ArrayRef<uint8_t> storage, int64_t row,
               llvm::MutableArrayRef<uint8_t> codes);

/// Writes a row of `storage` from codes of 0 to 2: the inverse of decodeRow.
void encodeRow(MatrixType matrix, llvm::ArrayRef<uint8_t> codes, int64_t row,
               llvm::MutableArrayRef<uint8_t> storage);

/// A matrix with its storage, of `type.getStorageBytes()` bytes.
struct StoredMatrix {
  MatrixType type;
  llvm::ArrayRef<uint8_t> bytes;
};

/// Writes the trits of `sources`, one under the other, to `result` as `to`
/// says, which has their columns and all of their rows. O(rows * columns).
void repack(llvm::ArrayRef<StoredMatrix> sources, MatrixType to,
            llvm::MutableArrayRef<uint8_t> result);

/// Checks that each code is a trit and that the padding holds trit 0; emits an
/// error that names the first row and column where it is not so.
llvm::LogicalResult
verifyStorage(MatrixType matrix, llvm::ArrayRef<uint8_t> storage,
              llvm::function_ref<mlir::InFlightDiagnostic()> emitError);

/// The bytes of an attribute of 8-bit elements, or nothing if they are not at
/// hand (a resource that was elided). `scratch` holds them if the attribute
/// does not, and must outlive the result.
std::optional<llvm::ArrayRef<uint8_t>>
getConstantBytes(mlir::ElementsAttr attr,
                 llvm::SmallVectorImpl<uint8_t> &scratch);

/// The bytes of a constant that has them all; none of a splat, or of a resource
/// that was elided.
llvm::ArrayRef<char> getElementBytes(mlir::ElementsAttr attr);

/// An attribute of `type`, which has 8-bit elements, whose bytes `fill` writes.
/// Large ones become resources named after `name`, which MLIR neither hashes
/// nor copies.
mlir::ElementsAttr buildConstantBytes(
    mlir::ShapedType type, llvm::StringRef name,
    llvm::function_ref<void(llvm::MutableArrayRef<uint8_t>)> fill);

/// A name for what is computed from `attr`: its resource's, if it has one.
llvm::StringRef getConstantName(mlir::ElementsAttr attr);

} // namespace tern::ternary

#endif // TERN_DIALECT_TERNARY_IR_STORAGE_H

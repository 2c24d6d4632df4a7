//===- TileRegisters.h - AMX's tile registers, by number --------*- C++ -*-===//
#ifndef TERN_LIB_CONVERSION_TERNARYTOVECTOR_TILEREGISTERS_H
#define TERN_LIB_CONVERSION_TERNARYTOVECTOR_TILEREGISTERS_H

#include "mlir/IR/Builders.h"

namespace tern::ternary {

/// Builds instructions on tile registers that the caller names. LLVM allocates
/// registers for values of x86_amx, too, but one register can then have one
/// shape only in a function, and a shape that a run decides is beyond it.
/// No function that uses tiles may be called between `configure` and `release`.
class TileRegisters {
public:
  static constexpr int64_t registers = 8;
  static constexpr int64_t rows = 16;     ///< of a tile, at most
  static constexpr int64_t rowBytes = 64; ///< of every tile here
  static constexpr int64_t bytes = rows * rowBytes;
  /// Bytes of memory that `configure` needs.
  static constexpr int64_t configurationBytes = 64;

  TileRegisters(mlir::OpBuilder &builder, mlir::Location loc)
      : b(builder), loc(loc) {}

  /// Gives the registers in `some` the rows `someRows`, an index from 1 to
  /// `rows`, all others `rows`, and clears all. Writes to `memory`, a memref of
  /// i8, from the byte `offset` on.
  void configure(llvm::ArrayRef<int64_t> some, mlir::Value someRows,
                 mlir::Value memory, mlir::Value offset);
  void release();

  void zero(int64_t tile);
  /// `stride`: bytes from row to row, an index, here and below.
  void load(int64_t tile, mlir::Value pointer, mlir::Value stride);
  void store(int64_t tile, mlir::Value pointer, mlir::Value stride);
  /// sum[m][n] += lhs[m][4k..4k+3] · rhs[k][4n..4n+3] over all rows k of rhs,
  /// i8 by i8, both signed, in i32.
  void multiply(int64_t sum, int64_t lhs, int64_t rhs);

private:
  void call(llvm::StringRef name, mlir::ValueRange arguments);
  mlir::Value getNumber(int64_t tile);
  mlir::Value getI64(mlir::Value index);

  mlir::OpBuilder &b;
  const mlir::Location loc;
};

} // namespace tern::ternary

#endif // TERN_LIB_CONVERSION_TERNARYTOVECTOR_TILEREGISTERS_H

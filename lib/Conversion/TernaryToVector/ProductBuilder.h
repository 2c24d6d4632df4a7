//===- ProductBuilder.h - what the parts of a kernel share --------*- C++
//-*-===//
#ifndef TERN_LIB_CONVERSION_TERNARYTOVECTOR_PRODUCTBUILDER_H
#define TERN_LIB_CONVERSION_TERNARYTOVECTOR_PRODUCTBUILDER_H

#include "VectorTarget.h"

#include "tern/Dialect/Ternary/IR/Ternary.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

namespace tern::ternary {

/// A packed product and, for a target, its sizes; builds small pieces of it.
class ProductBuilder {
public:
  ProductBuilder(mlir::OpBuilder &builder, mlir::Location loc,
                 const VectorTarget &target, MatrixType matrix, mlir::Value x,
                 mlir::Value bytes, mlir::Value out);

protected:
  /// The offset in the storage of the first step of a strip.
  mlir::Value getStripOffset(mlir::Value strip);
  /// The bytes of one step of a strip, from an offset in the storage.
  mlir::Value loadPacked(mlir::Value offset);
  /// Fetches the bytes some steps behind those at `offset` of a stream.
  void prefetchAhead(mlir::Value offset, int64_t stream,
                     StreamFetch fetch = {});
  /// Fetches the line of `memref` that an element is in.
  void prefetch(mlir::Value memref, mlir::ValueRange place, bool isWrite,
                unsigned locality = 3);
  /// A buffer of `size` elements, whole lines.
  mlir::Value allocate(int64_t size, mlir::Type element);
  /// Four activations from `column` on, in every lane.
  mlir::Value loadActivations(mlir::Value token, mlir::Value column);
  /// The sum of a token's activations.
  mlir::Value buildRowSum(mlir::Value token);
  mlir::Value broadcast(mlir::Value sum);
  /// Stores the finished sums of a strip.
  void storeSums(mlir::Value sums, mlir::Value token, mlir::Value strip);

  using LoopBody = llvm::function_ref<void(mlir::Value)>;
  void forEach(mlir::Value begin, mlir::Value end, int64_t step, LoopBody body);
  mlir::scf::ParallelOp forEachOnThreads(mlir::Value end, int64_t step,
                                         LoopBody body);

  mlir::Value getIndex(int64_t value);
  mlir::Value add(mlir::Value lhs, mlir::Value rhs);
  mlir::Value add(mlir::Value lhs, int64_t rhs);
  mlir::Value mul(mlir::Value lhs, int64_t rhs);

  mlir::OpBuilder &b;
  const mlir::Location loc;
  const VectorTarget &target;
  const MatrixType matrix;
  const mlir::Value x, bytes, out;
  const LayoutAttr layout;
  const int64_t planes;
  const int64_t stepColumns;
  const int64_t steps;
  const int64_t stripsPerTile;
  const int64_t strips;
  const int64_t stripBytes; ///< of one step
  const mlir::VectorType accType;
  const mlir::VectorType codesType;
};

} // namespace tern::ternary

#endif // TERN_LIB_CONVERSION_TERNARYTOVECTOR_PRODUCTBUILDER_H

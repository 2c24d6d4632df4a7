//===- RowGroup.h - operations that work row by row -------------*- C++ -*-===//
#ifndef TERN_LIB_TRANSFORMS_ROWGROUP_H
#define TERN_LIB_TRANSFORMS_ROWGROUP_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SetVector.h"

namespace tern {

/// For each dimension that counts rows, which loop of an operation or which
/// dimension of a tensor it is. All of a group have as many, in the same order.
using RowDims = llvm::SmallVector<unsigned, 2>;

/// Operations of one block that make rows of rows: the row of each result is
/// computed from the same row of what other members compute. So one loop over
/// rows can take a row through all of them.
///
/// Members are linalg.generic of elementwise bodies, whose loops over rows are
/// parallel, and reshapes that leave those dimensions alone. Nothing outside of
/// the group depends on a member and is depended on by another.
class RowGroup {
public:
  /// The largest group around `seed`, a reduction of rows.
  explicit RowGroup(mlir::linalg::GenericOp seed);

  /// Whether `op` reduces rows of one operand: its parallel loops count them.
  static bool isSeed(mlir::linalg::GenericOp op);

  /// In the order of the block.
  llvm::SmallVector<mlir::Operation *> getMembers() const;
  bool contains(mlir::Operation *op) const { return members.contains(op); }
  /// Which loops of a member run over rows.
  const RowDims &getRowLoops(mlir::linalg::GenericOp member) const {
    return loops.find(member)->second;
  }
  /// Which dimensions of a member's result count rows.
  const RowDims &getRowDims(mlir::Value result) const {
    return dims.find(result)->second;
  }
  /// What is outside, depends on members, and stands in front of the last of
  /// them, in the order of the block.
  llvm::SmallVector<mlir::Operation *> getDependentOperations() const;

private:
  bool tryToAdd(mlir::linalg::GenericOp op, const RowDims &rowLoops);
  bool readersAgree(mlir::Value result, const RowDims &rowDims) const;
  bool isInit(mlir::Value value) const;
  bool tryToAddReader(mlir::OpOperand &use);
  bool tryToAddProducer(mlir::Operation *op, const RowDims &rowDims);
  bool tryToAddReshape(mlir::Operation *op, const RowDims &from,
                       const RowDims &to);
  /// Whether the members with `op` are a group still: what is between them does
  /// not depend on one and feed another.
  bool staysConvex(mlir::Operation *op) const;
  void grow();

  llvm::SetVector<mlir::Operation *> members;
  llvm::DenseMap<mlir::Operation *, RowDims> loops;
  llvm::DenseMap<mlir::Value, RowDims> dims;
};

} // namespace tern

#endif // TERN_LIB_TRANSFORMS_ROWGROUP_H

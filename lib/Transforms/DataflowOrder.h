//===- DataflowOrder.h - an order that the dataflow determines --*- C++ -*-===//
#ifndef TERN_LIB_TRANSFORMS_DATAFLOWORDER_H
#define TERN_LIB_TRANSFORMS_DATAFLOWORDER_H

#include "mlir/IR/Block.h"
#include "mlir/IR/Operation.h"

namespace tern {

/// The uses by `op` of values from outside: its operands, then what its regions
/// capture, in the order of the operations there.
llvm::SmallVector<mlir::OpOperand *> getOuterUses(mlir::Operation *op);
/// The values of getOuterUses, with repetitions.
llvm::SmallVector<mlir::Value> getOuterOperands(mlir::Operation *op);

/// True for constants, whose place in a block says nothing.
bool isConstant(mlir::Operation *op);

/// All operations of `block` but its constants and its terminator, each after
/// those it depends on.
///
/// Equal graphs get equal orders, however their operations were shuffled: what
/// produces the terminator's first operand comes first, the longest chain
/// before the shorter ones. A stage of a chain of equal stages is therefore
/// contiguous, unless it holds what later stages share; `early` names such
/// values, whose producers come before all others. So do conditions of
/// cf.assert and the assertions themselves, in their order: nothing moves
/// before an assertion that guards it.
llvm::SmallVector<mlir::Operation *>
getDataflowOrder(mlir::Block &block, llvm::ArrayRef<mlir::Value> early);

} // namespace tern

#endif // TERN_LIB_TRANSFORMS_DATAFLOWORDER_H

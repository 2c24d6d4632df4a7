//===- HeadKernel.h - the body of a head ----------------------------*- C++
//-*-===//
#ifndef TERN_LIB_CONVERSION_TERNARYHEADTOVECTOR_HEADKERNEL_H
#define TERN_LIB_CONVERSION_TERNARYHEADTOVECTOR_HEADKERNEL_H

#include "CodeProduct.h"

#include "tern/Dialect/Ternary/IR/HeadScreen.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

namespace tern::ternary {

/// The operands of a `ternary.head` on memrefs, as values of its function.
struct HeadOperands {
  mlir::Value x, rows, best;
  mlir::Value codes, bounds; ///< null without a screen
  mlir::Value out;
};

/// Builds arithmetic on the values that a kernel is made of.
class HeadBuilder : public mlir::ImplicitLocOpBuilder {
public:
  HeadBuilder(mlir::Location loc, mlir::OpBuilder &builder)
      : ImplicitLocOpBuilder(loc, builder) {}

  mlir::Value index(int64_t value);
  mlir::Value f32(float value);
  mlir::Value f64(double value);
  mlir::Value add(mlir::Value lhs, mlir::Value rhs);
  mlir::Value mul(mlir::Value lhs, mlir::Value rhs);
  mlir::Value load(mlir::Value memref, mlir::ValueRange indices);
  void store(mlir::Value value, mlir::Value memref, mlir::ValueRange indices);
  /// A vector from consecutive elements.
  mlir::Value loadVector(mlir::Value memref, int64_t size,
                         mlir::ValueRange indices);
  /// A value in every element of a vector.
  mlir::Value splat(mlir::Value scalar, int64_t size);
  /// A buffer that the kernel frees.
  mlir::Value allocate(int64_t size, mlir::Type elementType);
  /// `for (i = begin; i < end; i += step)`: the body maps the values that the
  /// iterations hand on.
  using LoopBody = llvm::function_ref<mlir::SmallVector<mlir::Value>(
      mlir::Value index, mlir::ValueRange)>;
  mlir::ResultRange loop(mlir::Value begin, mlir::Value end, int64_t step,
                         mlir::ValueRange initial, LoopBody body);
  /// A loop shared out to threads.
  mlir::scf::ParallelOp
  parallel(mlir::Value end, llvm::function_ref<void(mlir::Value index)> body);
  /// Says what a loop over all rows is, for --profile: it reads `bytes`.
  void describe(mlir::scf::ParallelOp loop, llvm::StringRef what,
                ScreenShape shape, int64_t bytes);
  void when(mlir::Value condition, llvm::function_ref<void()> body);
};

/// A hidden state copied as scale * (128 high + low), and what bounds need.
struct HiddenCopy {
  mlir::Value high, low; ///< memrefs of i8, in whole steps
  mlir::Value scale;     ///< f64
  mlir::Value sum;       ///< of 128 high + low, as f64
  mlir::Value norm;      ///< f64, of the hidden state, rounded up
  /// f64: what the norm of a tile is to be multiplied by, for the error of the
  /// copy and for that of computing a logit in f32.
  mlir::Value normFactor;
};

/// What scoring leaves behind, memrefs.
struct HeadScores {
  /// f32: of each row, no logit is larger; infinity if there is no bound, minus
  /// infinity for padding.
  mlir::Value upper;
  mlir::Value tileMax; ///< f32: the best score of each tile
  mlir::Value tileRow; ///< i32: the first row of each tile that has it
};

/// Copies the hidden state, `norm` being its length.
HiddenCopy buildHiddenCopy(HeadBuilder &b, ScreenShape shape, mlir::Value x,
                           mlir::Value norm, mlir::Value largest);

/// Scores all rows by their codes, on all threads.
void buildScores(HeadBuilder &b, ScreenShape shape, CodeProduct product,
                 const HeadOperands &operands, const HiddenCopy &hidden,
                 const HeadScores &scores);

/// Builds the body of a head's function.
void buildHead(mlir::OpBuilder &builder, mlir::Location loc,
               CodeProduct product, bool isRounded,
               const HeadOperands &operands);

} // namespace tern::ternary

#endif // TERN_LIB_CONVERSION_TERNARYHEADTOVECTOR_HEADKERNEL_H

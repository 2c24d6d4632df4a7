//===- MatrixProduct.h - the product of many tokens ---------------*- C++
//-*-===//
#ifndef TERN_LIB_CONVERSION_TERNARYTOVECTOR_MATRIXPRODUCT_H
#define TERN_LIB_CONVERSION_TERNARYTOVECTOR_MATRIXPRODUCT_H

#include "ProductBuilder.h"

namespace tern::ternary {

/// Builds the product of any number of tokens. A thread takes some rows for
/// some tokens, so few that their activations stay in its second-level cache.
/// It decodes the weights of some columns, so few that the codes stay in its
/// first-level cache, and adds their products for all its tokens, block by
/// block of what its registers hold; then it goes on to the next columns.
class MatrixProductBuilder : ProductBuilder {
public:
  MatrixProductBuilder(mlir::OpBuilder &builder, mlir::Location loc,
                       const VectorTarget &target, MatrixType matrix,
                       mlir::Value x, mlir::Value bytes, mlir::Value out);

  /// The pieces are shared out by an scf.parallel.
  void build(mlir::Value tokens);

private:
  class Step;

  /// Some rows for some tokens: what a thread does at a time.
  struct Piece {
    mlir::Value firstStrip;
    int64_t strips;
    mlir::Value firstToken;
    mlir::Value tokens;
    mlir::Value codes; ///< of some steps: [step][strip][plane], then lanes
    mlir::Value sums;  ///< [token][strip], then lanes
  };

  /// Columns that are decoded at a time.
  struct Columns {
    mlir::Value firstStep;
    mlir::Value steps;
    mlir::Value areLast; ///< i1: behind them no columns are left
  };

  mlir::Value buildRowSums(mlir::Value tokens);
  void buildPiece(const Piece &piece, mlir::Value rowSums);
  void decode(const Piece &piece, const Columns &columns);
  /// Adds products of decoded steps to the sums of the tokens from `token` on,
  /// counted from the piece's first.
  void buildBlock(const Piece &piece, mlir::Value token, int64_t blockTokens,
                  const Columns &columns);
  /// Stores a block's sums, where `areFinal`, as the product's.
  void storeBlock(const Piece &piece, mlir::Value token, int64_t blockTokens,
                  Accumulators &accumulators, mlir::Value areFinal);
  /// Fetches packed weights that are decoded later, a part in each block.
  void prefetchPacked(const Piece &piece, mlir::Value token,
                      mlir::Value firstStep);
  /// Fetches, to be written, where a block's sums are stored: rows lie further
  /// apart than the CPU would guess.
  void prefetchOut(const Piece &piece, mlir::Value token, int64_t blockTokens);

  /// Calls `body` with the first token of each block and its size: whole
  /// blocks, then the rest in blocks of halving size.
  void forEachBlock(mlir::Value tokens,
                    llvm::function_ref<void(mlir::Value, int64_t)> body);
  mlir::Value getSumOffset(const Piece &piece, mlir::Value token,
                           int64_t strip);
  mlir::Value getCodesOffset(const Piece &piece, mlir::Value step);

  const int64_t blockSteps; ///< decoded at a time
};

} // namespace tern::ternary

#endif // TERN_LIB_CONVERSION_TERNARYTOVECTOR_MATRIXPRODUCT_H

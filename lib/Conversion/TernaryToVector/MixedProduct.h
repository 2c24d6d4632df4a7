//===- MixedProduct.h - many tokens, by dot products and lookups *- C++ -*-===//
#ifndef TERN_LIB_CONVERSION_TERNARYTOVECTOR_MIXEDPRODUCT_H
#define TERN_LIB_CONVERSION_TERNARYTOVECTOR_MIXEDPRODUCT_H

#include "ProductBuilder.h"
#include "TripleTables.h"
#include "VNNI.h"

namespace tern::ternary {

/// Builds the product of many tokens for CPUs that look words up beside their
/// dot products: planes 1 to 3 of each step are looked up (TripleTables), the
/// others multiplied, so that all vector units have work.
///
/// A thread takes a part of the tokens and so many rows that tables are cheap,
/// being computed once for all of them. Of some columns, it computes the
/// tables of its tokens, which stay in its second-level cache; then, of four
/// strips after each other, it decodes the weights and adds products for all
/// its tokens.
class MixedProductBuilder : ProductBuilder {
public:
  MixedProductBuilder(mlir::OpBuilder &builder, mlir::Location loc,
                      const VnniTarget &target,
                      const ProductOperands &operands);

  /// Whether a product is faster than by dot products alone, from
  /// `leastTokens` tokens on: not where few rows share a table.
  static bool isFaster(MatrixType matrix);
  static constexpr int64_t leastTokens = 16;

  /// The pieces are shared out by an scf.parallel.
  void build(mlir::Value tokens);

private:
  class Step;

  /// Some rows for some tokens: what a thread does at a time.
  struct Piece {
    mlir::Value firstStrip, strips;
    mlir::Value firstToken, tokens;
    mlir::Value tables; ///< [block of tokens][step][table][token], then words
    mlir::Value codes;  ///< of the strips of a group: [step], then see decode
  };

  /// Strips whose weights are decoded together.
  struct Group {
    mlir::Value firstStrip;
    int64_t strips;
  };

  /// Columns whose tables are computed together.
  struct Columns {
    mlir::Value firstStep, steps;
    mlir::Value areLater; ///< i1s: sums of columns before are to be added to
  };

  /// The sums of a block of tokens for a group.
  struct Sums {
    /// Of the planes that are multiplied: [token][strip].
    llvm::SmallVector<mlir::Value> lanes;
    /// Of those that are looked up: [token][pair of strips].
    llvm::SmallVector<mlir::Value> words;
  };

  void buildPiece(const Piece &piece);
  void buildTables(const Piece &piece, const Columns &columns);
  void buildGroup(const Piece &piece, const Columns &columns,
                  const Group &group);
  /// Decodes a step to the codes of the planes that are multiplied, [plane]
  /// [strip], and the indices of the others, [table][pair of strips].
  void decode(const Piece &piece, const Columns &columns, const Group &group);
  /// Adds a block of `tokens` tokens' products to their sums in memory.
  void buildBlock(const Piece &piece, const Columns &columns,
                  const Group &group, mlir::Value token, int64_t tokens);
  void buildStep(const Piece &piece, const Columns &columns, const Group &group,
                 mlir::Value step, mlir::Value token, int64_t tokens,
                 Sums &sums);
  /// Adds a block's sums to those of the columns before, where there are such.
  void addToMemory(const Columns &columns, const Group &group,
                   mlir::Value firstToken, int64_t tokens, const Sums &sums);
  /// Where the packed weights of the strips begin that are decoded next.
  llvm::SmallVector<mlir::Value> getNextOffsets(const Piece &piece,
                                                const Columns &columns,
                                                const Group &group);

  int64_t getPairs(const Group &group);
  /// Bytes of what decode stores for a step.
  int64_t getStepBytes(const Group &group);
  mlir::Value getTableOffset(mlir::Value token, mlir::Value step);
  mlir::Value getSumsColumn(const Group &group, int64_t strip);
  void forEachGroup(const Piece &piece,
                    llvm::function_ref<void(const Group &)> body);

  const VnniTarget &vnni;
  TripleTables triples;
  const llvm::SmallVector<int64_t> dotPlanes;
  const mlir::VectorType wordsType;
  const int64_t blockSteps; ///< of a block of columns
};

} // namespace tern::ternary

#endif // TERN_LIB_CONVERSION_TERNARYTOVECTOR_MIXEDPRODUCT_H

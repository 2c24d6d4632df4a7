//===- VectorTarget.h - what a kernel needs of a target ---------*- C++ -*-===//
//
// A target is its vector length, the size of the blocks that its registers
// hold, and one primitive: the products of one step of the layout, added to
// 32-bit lanes. Each target is one file.
//
//===----------------------------------------------------------------------===//
#ifndef TERN_LIB_CONVERSION_TERNARYTOVECTOR_VECTORTARGET_H
#define TERN_LIB_CONVERSION_TERNARYTOVECTOR_VECTORTARGET_H

#include "tern/Conversion/Streams.h"
#include "tern/Dialect/Ternary/IR/Ternary.h"

#include "mlir/IR/Builders.h"

#include <array>
#include <memory>
#include <optional>

namespace tern::ternary {

/// The operands of one step of a block: 4 P columns of some strips, for some
/// tokens. A strip is the rows that the lanes of one vector hold.
class StepOperands {
public:
  virtual ~StepOperands() = default;

  /// The codes (0, 1 or 2) of one plane of a strip, as u8: four consecutive
  /// columns in each lane.
  virtual mlir::Value getCodes(int64_t strip, int64_t plane) = 0;

  /// The four activations of a token that meet a plane, in every lane, as i8.
  virtual mlir::Value getActivations(int64_t token, int64_t plane) = 0;

  int64_t tokens;
  int64_t strips;
  int64_t planes;
};

/// Accumulators of a block, vectors of i32, some for each token and strip.
struct Accumulators {
  mlir::Value &get(int64_t token, int64_t strip, int64_t plane) {
    return values[(token * strips + strip) * ways + plane % ways];
  }

  int64_t strips;
  /// Accumulators for a strip and a token, among which the planes take turns:
  /// where a block has few, one would wait for the other.
  int64_t ways;
  llvm::SmallVector<mlir::Value> values;
};

/// A product: `x` of [M, K'] times the matrix stored in `bytes` into `out` of
/// [M, N'], memrefs whose last dimension is contiguous.
struct ProductOperands {
  MatrixType matrix;
  mlir::Value x, bytes, out;
};

class VectorTarget {
public:
  VectorTarget(llvm::StringRef name, int64_t lanes, int64_t blockTokens,
               int64_t blockStrips, int64_t streams = 1)
      : name(name), lanes(lanes), blockTokens(blockTokens),
        blockStrips(blockStrips), streams(streams) {}
  virtual ~VectorTarget() = default;

  /// Whether a product is exact for codes of any u8, not only of 0, 1 and 2,
  /// and adds to the lanes directly. Then planes may have accumulators of their
  /// own and need not be shifted down.
  virtual bool hasWideDot() const { return false; }

  /// The high half of the products of 16-bit elements, unsigned.
  virtual mlir::Value buildHighProduct(mlir::OpBuilder &builder,
                                       mlir::Location loc, mlir::Value lhs,
                                       mlir::Value rhs) const = 0;

  /// Whether there are 32 registers, and instructions that leave out lanes.
  virtual bool hasMasks() const { return false; }

  /// Whether bytes can be looked up in one instruction.
  virtual bool hasLookup() const { return false; }

  /// The element of `table`, of 64, that the low six bits of each byte of
  /// `index` number.
  virtual mlir::Value buildLookup(mlir::OpBuilder &builder, mlir::Location loc,
                                  llvm::ArrayRef<int8_t> table,
                                  mlir::Value index) const {
    llvm_unreachable("the target has no lookup");
  }

  /// For targets with tiles: bytes whose bit i is 1 where an even number of the
  /// bits of `rows[i]` is set in those of `bytes`.
  virtual mlir::Value buildBitMatrix(mlir::OpBuilder &builder,
                                     mlir::Location loc,
                                     const std::array<uint8_t, 8> &rows,
                                     mlir::Value bytes) const {
    llvm_unreachable("the target has no matrices of bits");
  }

  /// How the product of one token fetches its streams.
  virtual StreamFetch getStreamFetch() const { return {}; }

  /// Adds the products of a step to the accumulators.
  virtual void buildStep(mlir::OpBuilder &builder, mlir::Location loc,
                         StepOperands &operands,
                         Accumulators &accumulators) const = 0;

  /// Whether `buildTiledProduct` builds products with `matrix`.
  virtual bool hasTiles(MatrixType matrix) const { return false; }

  /// Builds a product of one token or more by instructions that multiply
  /// matrices rather than vectors.
  virtual void buildTiledProduct(mlir::OpBuilder &builder, mlir::Location loc,
                                 const ProductOperands &operands) const;

  /// From how many tokens on `buildMixedProduct` is the fastest product with
  /// `matrix`; none if it never is.
  virtual std::optional<int64_t> getLeastMixedTokens(MatrixType matrix) const {
    return std::nullopt;
  }

  /// Builds a product of one token or more, of which `tokens` says how many, by
  /// dot products and by lookups of sums.
  virtual void buildMixedProduct(mlir::OpBuilder &builder, mlir::Location loc,
                                 const ProductOperands &operands,
                                 mlir::Value tokens) const;

  /// As the option of the pass spells it.
  const llvm::StringRef name;
  /// 32-bit lanes of a vector: a power of two up to the 16 rows of a tile.
  const int64_t lanes;
  /// Tokens of a block of the matrix-matrix product; a power of two.
  const int64_t blockTokens;
  /// Strips of a block: a multiple or a divisor of the strips of a tile.
  const int64_t blockStrips;
  /// Tiles that the product of one token reads at once: as many as there are
  /// registers for.
  const int64_t streams;
};

std::unique_ptr<VectorTarget> createGenericTarget();
std::unique_ptr<VectorTarget> createAvx2Target();
std::unique_ptr<VectorTarget> createAvxVnniTarget();
std::unique_ptr<VectorTarget> createAvx512VnniTarget();
std::unique_ptr<VectorTarget> createAvx512VbmiTarget();
std::unique_ptr<VectorTarget> createZen4Target();
std::unique_ptr<VectorTarget> createAmxTarget();

/// A splat of an integer in a vector type.
mlir::Value buildSplat(mlir::OpBuilder &builder, mlir::Location loc,
                       mlir::VectorType type, int64_t value);

/// The same bits as a vector of integers of `width` bits.
mlir::Value buildBitcast(mlir::OpBuilder &builder, mlir::Location loc,
                         mlir::Value vector, unsigned width);

} // namespace tern::ternary

#endif // TERN_LIB_CONVERSION_TERNARYTOVECTOR_VECTORTARGET_H

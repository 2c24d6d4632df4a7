//===- SymbolicEvaluator.h - elements and sizes, in symbols -----*- C++ -*-===//
#ifndef TERN_DIALECT_ONNX_ANALYSIS_SYMBOLICEVALUATOR_H
#define TERN_DIALECT_ONNX_ANALYSIS_SYMBOLICEVALUATOR_H

#include "tern/Dialect/Onnx/Analysis/GraphAssumptions.h"
#include "tern/Dialect/Onnx/Analysis/SymbolicElement.h"
#include "tern/Dialect/Onnx/Evaluate/Tensor.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"

#include <map>

namespace tern::onnx {

/// Works out what the tensors of a graph hold, for all sizes at once: the sizes
/// of every value, and any one element of a tensor that is made of sizes,
/// ranges, comparisons and constants, as a function of its index.
///
/// Evaluation is lazy: `getElement(mask, {b, h, s, t})` asks the operand of the
/// node that makes `mask` for the elements that it needs, and so on. What no
/// rule covers is a symbol that stands for "that element of that value", so an
/// answer is always right, if not always of use. Elements are those that the
/// graph gives where it runs without error.
///
/// Values must stay alive, and nodes unchanged, as long as the evaluator is
/// asked about them.
class SymbolicEvaluator {
public:
  /// An element of a tensor of which nothing else is known.
  struct UnknownElement {
    mlir::Value tensor;
    Polynomials index;
  };

  explicit SymbolicEvaluator(mlir::func::FuncOp graph,
                             GraphAssumptions assumptions = {});

  /// An index, at least 0 and less than `extent`: a new symbol, or 0 where that
  /// is all there is.
  Polynomial createCoordinate(const Polynomial &extent);

  /// The sizes of `value`, or nullopt where its rank is not known.
  std::optional<Polynomials> getShape(mlir::Value value);
  /// The element of `value` at `index`, which has as many entries as `value`
  /// has dimensions. The elements of `leaf` are not looked into.
  SymbolicElement getElement(mlir::Value value,
                             llvm::ArrayRef<Polynomial> index,
                             mlir::Value leaf = {});
  /// The only element of `value`, if it is known.
  std::optional<double> getScalar(mlir::Value value);

  /// Whether all symbols of `polynomial` are integers.
  bool isInteger(const Polynomial &polynomial) const;
  /// Whether `polynomial` is proven to be at least 0, whatever the sizes.
  bool isNonNegative(const Polynomial &polynomial) const;
  /// Whether `polynomial` is proven to lie in [0, extent).
  bool isWithin(const Polynomial &polynomial, const Polynomial &extent) const {
    return isNonNegative(polynomial) &&
           isNonNegative(extent - polynomial - Polynomial(1));
  }
  /// Whether two sizes are equal wherever the graph runs: a slice up to `total`
  /// of a table has that size, or the table is too short.
  bool isSameSize(const Polynomial &a, const Polynomial &b) const;
  /// Whether a tensor of size `own` that is broadcast to `size` may be read at
  /// an index into `size`: it has that size, or `size` is 1 if it is 1.
  bool covers(const Polynomial &own, const Polynomial &size) const;
  /// Dimension `dim` of `value`: the lesser of `size` and what there is.
  Polynomial getClampedSize(mlir::Value value, int64_t dim,
                            const Polynomial &size);
  /// The size of what `a` and `b` are broadcast to.
  Polynomial getBroadcastSize(const Polynomial &a, const Polynomial &b);
  /// Whether `size` is what `part` and another size are broadcast to, so that
  /// it is at least as large.
  bool isBroadcastOf(const Polynomial &size, const Polynomial &part) const;
  /// What `symbol` stands for, if it is an element; else null.
  const UnknownElement *getUnknownElement(Symbol symbol) const;
  /// Whether `polynomial` depends on the coordinate `coordinate`, be it within
  /// the index of an element.
  bool dependsOn(const Polynomial &polynomial, Symbol coordinate) const;

private:
  friend class SymbolicQuery;

  struct SymbolInfo {
    enum class Kind { Size, Coordinate, Integer, Float };
    Kind kind = Kind::Size;
    Polynomial extent; ///< of a Coordinate
    /// Of a Size: sizes that are 1 if it is 1.
    Polynomials covered;
    UnknownElement element; ///< of an Integer or Float
  };

  Symbol addSymbol(SymbolInfo info);
  Polynomial getNamedSize(llvm::StringRef name);
  Polynomial getUnknownSize(mlir::Value value, int64_t dim);
  Polynomial getUnknown(mlir::Value tensor, llvm::ArrayRef<Polynomial> index);
  Polynomial getPastLength();
  bool hasNonNegativeTerms(const Polynomial &polynomial) const;
  Polynomials inferShape(mlir::Value value, mlir::RankedTensorType type);

  GraphAssumptions assumptions;
  std::vector<SymbolInfo> symbols;
  llvm::StringMap<Symbol> namedSizes;
  std::map<std::pair<void *, int64_t>, Symbol> unknownSizes;
  llvm::DenseMap<mlir::Value, llvm::SmallVector<Symbol>> unknownElements;
  llvm::DenseMap<mlir::Value, Polynomials> shapes;
  /// Whether a float is made of integers and constants only.
  llvm::DenseMap<mlir::Value, bool> derived;
  /// The constants that were read, as i64 or f64.
  llvm::DenseMap<mlir::Value, Tensor> constants;
};

} // namespace tern::onnx

#endif // TERN_DIALECT_ONNX_ANALYSIS_SYMBOLICEVALUATOR_H

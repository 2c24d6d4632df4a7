//===- SequenceShapes.h - sizes in terms of the sequence --------*- C++ -*-===//
#ifndef TERN_DIALECT_ONNX_ANALYSIS_SEQUENCESHAPES_H
#define TERN_DIALECT_ONNX_ANALYSIS_SEQUENCESHAPES_H

#include "tern/Dialect/Onnx/Analysis/LanguageModel.h"

#include "llvm/ADT/DenseMap.h"

namespace tern::onnx {

/// The integer `constant + past * P + count * C`, where P >= 0 is the number of
/// positions in the cache and C >= 1 that of the tokens of a call.
struct Length {
  int64_t constant = 0, past = 0, count = 0;

  bool isConstant() const { return past == 0 && count == 0; }
  bool operator==(const Length &other) const {
    return constant == other.constant && past == other.past &&
           count == other.count;
  }
};

/// A length, or nullopt where it is not known, or no such sum.
using Size = std::optional<Length>;

Size addLengths(Size lhs, Size rhs);
Size subtractLengths(Size lhs, Size rhs);
/// Known only where one of the two is a constant.
Size multiplyLengths(Size lhs, Size rhs);
/// Known only where the quotient is exact for every P and C.
Size divideLengths(Size lhs, Size rhs);
/// Whether two lengths are equal for all P and C (true) or for none (false).
std::optional<bool> compareLengths(Size lhs, Size rhs);

/// What is known of a tensor's shape and, of integers, contents.
struct ShapeFacts {
  llvm::SmallVector<Size, 4> sizes;
  /// The elements, row-major, where they are few; booleans as 0 and 1.
  std::optional<llvm::SmallVector<Size, 4>> elements;
  /// What every element is, where they are all equal.
  Size splat;
};

/// The sizes of every value of a language model's graph, and the contents of
/// the small integer tensors that sizes are computed with, for one sequence:
/// every batch is 1, token ids and positions are [1, C], the mask is [1, P + C]
/// ones, caches that grow hold P positions. In a graph without a cache P is
/// meant to be 0, and C is the length of the sequence.
///
/// Operators that are not known here leave the sizes that the types declare.
class SequenceShapes {
public:
  /// Visits the graph once, in its order.
  SequenceShapes(mlir::func::FuncOp graph, const LanguageModel &model);

  const ShapeFacts &lookup(mlir::Value value) const;
  /// The elements of an integer tensor if they are constants, else nullopt.
  std::optional<llvm::SmallVector<int64_t>>
  getConstants(mlir::Value value) const;
  /// The value of a tensor of one element.
  Size getScalar(mlir::Value value) const;

private:
  void addArguments(mlir::func::FuncOp graph, const LanguageModel &model);
  void visit(mlir::Operation *op);

  llvm::DenseMap<mlir::Value, ShapeFacts> facts;
};

} // namespace tern::onnx

#endif // TERN_DIALECT_ONNX_ANALYSIS_SEQUENCESHAPES_H

//===- Repetition.h - equal stretches of a sequence -------------*- C++ -*-===//
#ifndef TERN_LIB_TRANSFORMS_REPETITION_H
#define TERN_LIB_TRANSFORMS_REPETITION_H

#include "mlir/IR/Operation.h"

namespace tern {

/// A stretch of a sequence in which every element equals the one a period
/// later: [begin, begin + period + matches), of which the first `matches` have
/// a counterpart.
struct Run {
  size_t begin = 0;
  size_t period = 1;
  size_t matches = 0;

  /// How often the period fits.
  size_t getCount() const { return matches / period + 1; }
  /// Elements that need not be there, were the period written once.
  size_t getSaving() const { return matches - matches % period; }
};

/// A hash of what an operation does, regardless of whose values it uses: equal
/// operations (name, attributes, types, regions) have equal hashes.
llvm::hash_code hashStructure(mlir::Operation *op);

/// The run with the most matches, the one with the shorter period where two
/// have as many; one without matches if there is none. Periods are at least 2,
/// as nothing is gained by a name for one element, and below `maxPeriod`.
Run findLongestRun(llvm::ArrayRef<llvm::hash_code> sequence, size_t maxPeriod);

/// The run that saves most, under the same conditions.
Run findBestRepetition(llvm::ArrayRef<llvm::hash_code> sequence,
                       size_t maxPeriod);

/// True if the operations of `b` do the same as those of `a`, with what
/// corresponds: where an operation of `a` uses a result of `a`, its counterpart
/// uses the counterpart. Values from outside may differ, but not in type.
bool areIsomorphic(llvm::ArrayRef<mlir::Operation *> a,
                   llvm::ArrayRef<mlir::Operation *> b);

} // namespace tern

#endif // TERN_LIB_TRANSFORMS_REPETITION_H

//===- LayoutChoice.h - the encoding that serves CPUs best ------*- C++ -*-===//
#ifndef TERN_DIALECT_TERNARY_TRANSFORMS_LAYOUTCHOICE_H
#define TERN_DIALECT_TERNARY_TRANSFORMS_LAYOUTCHOICE_H

#include "tern/Dialect/Ternary/IR/Ternary.h"

#include <string>

namespace tern::ternary {

/// Where a token finds the weights.
enum class WeightsPlace { Cache, Memory };

/// An estimate of the cycles that one core takes for the product of one token
/// by a tiled `matrix`: for each step of each tile, its instructions or the
/// arrival of its bytes, whichever takes longer. `target` is a target of
/// convert-ternary-to-vector; any other counts as "generic".
double estimateCycles(MatrixType matrix, llvm::StringRef target,
                      WeightsPlace place);

struct LayoutChoice {
  Encoding encoding;
  std::string reason; ///< "t5 takes 0.80 of the cycles of i2 on avx512vbmi"
};

/// The encoding for a matrix that all `targets` (at least one) read. Each has
/// a ratio of the cycles of t5 to those of i2; t5 is chosen if what is lost
/// where that is largest is less than what is gained where it is smallest, so
/// that no CPU pays more than another gains. At equal cycles it is i2.
LayoutChoice chooseLayout(MatrixType matrix,
                          llvm::ArrayRef<std::string> targets,
                          WeightsPlace place);

} // namespace tern::ternary

#endif // TERN_DIALECT_TERNARY_TRANSFORMS_LAYOUTCHOICE_H

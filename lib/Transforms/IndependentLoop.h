//===- IndependentLoop.h - loops of independent iterations ------*- C++ -*-===//
#ifndef TERN_LIB_TRANSFORMS_INDEPENDENTLOOP_H
#define TERN_LIB_TRANSFORMS_INDEPENDENTLOOP_H

#include "llvm/ADT/StringRef.h"

namespace tern {

/// A unit attribute of an scf.for: no iteration reads what another writes, nor
/// writes to the same place, as in the scf.parallel that it came from.
constexpr llvm::StringLiteral kIndependentLoop = "tern.independent";

} // namespace tern

#endif // TERN_LIB_TRANSFORMS_INDEPENDENTLOOP_H

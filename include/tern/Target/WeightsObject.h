//===- WeightsObject.h - a model's weights in an ELF file -------*- C++ -*-===//
//
// The linker never sees the weights: it would hold them in memory twice, as its
// input and as its output. It links an object that has room for them, a section
// without contents; then the weights are written straight into the result.
//
//===----------------------------------------------------------------------===//
#ifndef TERN_TARGET_WEIGHTSOBJECT_H
#define TERN_TARGET_WEIGHTSOBJECT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace tern {

/// The section of the weights in an object. Linked, it is called `.lrodata`.
constexpr llvm::StringLiteral kWeightsSection = ".lrodata.tern";

/// Where blobs lie within the section of the weights, in bytes.
struct WeightsLayout {
  llvm::SmallVector<uint64_t> offsets; ///< one a blob, multiples of 64
  uint64_t size = 0;                   ///< of the section
};

/// Lays the blobs out one after the other.
WeightsLayout layOutWeights(llvm::ArrayRef<llvm::ArrayRef<char>> blobs);

/// Writes a relocatable ELF64 object for `machine` (an llvm::ELF::EM_* value)
/// to `path`. It defines
///
///   tern_weights   an array of pointers, one to each blob
///
/// in `.data.rel.ro`. The section of the weights has no contents (SHT_NOBITS).
/// It is read-only, flagged large on x86-64, and aligned to 64 bytes, or, if it
/// has more than 64 MiB, to 2 MiB, the size of a huge page. Fails where the
/// file cannot be written.
llvm::Error writeWeightsObject(llvm::StringRef path, uint16_t machine,
                               const WeightsLayout &layout);

/// Gives the section of the weights in the linked ELF64 file at `path` its
/// contents: what follows in the file moves back, and program and section
/// headers follow suit. Calls `written` now and then, at the latest after every
/// 64 MiB. Memory is needed for the file without weights only. Does nothing if
/// there are no weights; fails where the file has no such section of the
/// layout's size, or cannot be written.
llvm::Error insertWeights(llvm::StringRef path, const WeightsLayout &layout,
                          llvm::ArrayRef<llvm::ArrayRef<char>> blobs,
                          llvm::function_ref<void()> written);

} // namespace tern

#endif // TERN_TARGET_WEIGHTSOBJECT_H

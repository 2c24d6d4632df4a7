//===- WeightsObject.h - an ELF object that holds a model's weights -*- C++
//-*-//
#ifndef TERN_TARGET_WEIGHTSOBJECT_H
#define TERN_TARGET_WEIGHTSOBJECT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace tern {

/// Writes a relocatable ELF64 object for `machine` (an llvm::ELF::EM_* value)
/// to `path`. It defines
///
///   tern_weights   an array of pointers, one to each of `blobs`
///
/// in `.data.rel.ro`. The blobs lie in a section of their own, flagged large on
/// x86-64, each aligned to 64 bytes; a model of more than 64 MiB is aligned to
/// 2 MiB, the size of a huge page. Bytes are written straight from the blobs:
/// nothing is copied in memory. Fails where the file cannot be written.
llvm::Error writeWeightsObject(llvm::StringRef path, uint16_t machine,
                               llvm::ArrayRef<llvm::ArrayRef<char>> blobs);

} // namespace tern

#endif // TERN_TARGET_WEIGHTSOBJECT_H

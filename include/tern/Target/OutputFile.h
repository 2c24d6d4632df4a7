//===- OutputFile.h - writing one file --------------------------*- C++ -*-===//
#ifndef TERN_TARGET_OUTPUTFILE_H
#define TERN_TARGET_OUTPUTFILE_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

namespace tern {

/// Opens the file at `path` as `disposition` says, has `write` fill it, and
/// closes it. Fails with what `write` returns, or with "cannot write 'PATH':
/// REASON".
llvm::Error
writeFile(llvm::StringRef path,
          llvm::function_ref<llvm::Error(llvm::raw_fd_ostream &)> write,
          llvm::sys::fs::CreationDisposition disposition =
              llvm::sys::fs::CD_CreateAlways);

} // namespace tern

#endif // TERN_TARGET_OUTPUTFILE_H

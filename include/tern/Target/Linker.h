//===- Linker.h - from objects to an executable or a library ----*- C++ -*-===//
#ifndef TERN_TARGET_LINKER_H
#define TERN_TARGET_LINKER_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>

namespace tern {

enum class LinkForm {
  Executable, ///< with the runtime and its main function
  Library,    ///< shared, with the C API
  Object      ///< one relocatable object: the model alone
};

/// What to link, and into what.
struct LinkJob {
  llvm::ArrayRef<std::string> objects;
  std::string output;
  LinkForm form = LinkForm::Executable;
  /// The folder of libTernRuntime.a.
  std::string runtimeDir;
  /// What an Object is for, if not for this machine: clang has to link then.
  std::string foreignTriple;
};

/// Links with the C++ compiler that Tern was built with and lld. The C library,
/// the maths library and libstdc++ stay dynamic; all else is static. The error
/// holds the linker's messages.
llvm::Error link(const LinkJob &job);

} // namespace tern

#endif // TERN_TARGET_LINKER_H

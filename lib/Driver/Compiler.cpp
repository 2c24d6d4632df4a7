//===- Compiler.cpp - from a model's file to an executable ----------------===//

#include "tern/Driver/Compiler.h"

#include "Compilation.h"

using namespace tern;

llvm::StringRef tern::getVersion() { return TERN_VERSION; }

ExitCode tern::compile(const CompileRequest &request,
                       llvm::raw_ostream &errors) {
  return Compilation(request, errors).run();
}

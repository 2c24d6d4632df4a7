//===- Linker.cpp - from objects to an executable or a library ------------===//

#include "tern/Target/Linker.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"

using namespace llvm;
using namespace tern;

/// The compiler driver that knows where the C library's start files are: the
/// one of the build, or any that a user's machine has.
static ErrorOr<std::string> findDriver() {
  ErrorOr<std::string> found =
      std::make_error_code(std::errc::no_such_file_or_directory);
  for (StringRef name : {TERN_LINK_DRIVER, "clang++-22", "c++"})
    if (found = sys::findProgramByName(name); found)
      return found;
  return found;
}

/// Runs `arguments`; the error holds what the program wrote to stderr.
static Error run(ArrayRef<StringRef> arguments) {
  SmallString<128> log;
  if (std::error_code code =
          sys::fs::createTemporaryFile("tern-link", "log", log))
    return createStringError(code, "cannot create a temporary file: " +
                                       code.message());
  FileRemover remover(log);
  std::optional<StringRef> redirects[] = {StringRef(""), StringRef(log),
                                          StringRef(log)};
  std::string message;
  int status = sys::ExecuteAndWait(arguments.front(), arguments, std::nullopt,
                                   redirects, /*SecondsToWait=*/0,
                                   /*MemoryLimit=*/0, &message);
  if (status == 0)
    return Error::success();
  if (auto text = MemoryBuffer::getFile(log))
    message += (*text)->getBuffer().rtrim().str();
  return createStringError("linking failed: " + message);
}

Error tern::link(const LinkJob &job) {
  ErrorOr<std::string> driver = findDriver();
  if (!driver)
    return createStringError(driver.getError(),
                             "no C++ compiler to link with: install clang-22");
  SmallVector<StringRef> arguments = {*driver, "-fuse-ld=lld", "-o",
                                      job.output};
  append_range(arguments, job.objects);
  if (job.form == LinkForm::Object) {
    append_range(arguments, ArrayRef<StringRef>{"-r", "-nostdlib"});
    std::string target = "--target=" + job.foreignTriple;
    if (!job.foreignTriple.empty())
      arguments.push_back(target);
    return run(arguments);
  }
  append_range(arguments, ArrayRef<StringRef>{
                              "-static-libgcc", "-Wl,--gc-sections",
                              "-Wl,--icf=all", "-Wl,-z,relro", "-Wl,-z,now",
                              "-Wl,-s", "-Wl,--build-id=none"});
  SmallString<128> runtime(job.runtimeDir), main(job.runtimeDir);
  sys::path::append(runtime, "libTernRuntime.a");
  sys::path::append(main, "libTernRuntimeMain.a");
  // A library exports the C API, which nothing in it calls.
  if (job.form == LinkForm::Library)
    append_range(arguments,
                 // Two models in one process keep their own tern_model.
                 ArrayRef<StringRef>{"-shared", "-Wl,-z,defs", "-Wl,-Bsymbolic",
                                     "-Wl,--whole-archive", runtime,
                                     "-Wl,--no-whole-archive"});
  else
    append_range(arguments, ArrayRef<StringRef>{"-pie", main, runtime});
  append_range(arguments, ArrayRef<StringRef>{"-l:libpcre2-8.a", "-l:libz.a",
                                              "-lm", "-pthread"});
  return run(arguments);
}

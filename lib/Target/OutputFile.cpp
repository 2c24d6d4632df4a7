//===- OutputFile.cpp - writing one file ----------------------------------===//

#include "tern/Target/OutputFile.h"

using namespace llvm;

Error tern::writeFile(StringRef path,
                      function_ref<Error(raw_fd_ostream &)> write,
                      sys::fs::CreationDisposition disposition) {
  std::error_code code;
  raw_fd_ostream os(path, code, disposition, sys::fs::FA_Write,
                    sys::fs::OF_None);
  if (!code) {
    Error error = write(os);
    os.close();
    code = os.error();
    // A stream that is destroyed with an error ends the program.
    os.clear_error();
    if (error)
      return error;
  }
  if (!code)
    return Error::success();
  return createStringError(code,
                           "cannot write '" + path + "': " + code.message());
}

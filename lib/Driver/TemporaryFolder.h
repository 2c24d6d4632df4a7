//===- TemporaryFolder.h - a folder that goes when it is left ---*- C++ -*-===//
#ifndef TERN_LIB_DRIVER_TEMPORARYFOLDER_H
#define TERN_LIB_DRIVER_TEMPORARYFOLDER_H

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <string>

namespace tern {

/// True for a device, pipe or socket: what data goes into, and what no file may
/// take the place of.
inline bool isSpecialFile(llvm::StringRef path) {
  llvm::sys::fs::file_status status;
  return !llvm::sys::fs::status(path, status) &&
         llvm::sys::fs::is_other(status);
}

/// A fresh folder, removed with all its files at the end of its life.
class TemporaryFolder {
public:
  /// Creates one next to `output`, so that a rename can move files there; in
  /// the system's folder for temporary files if output is "-" or a device.
  static llvm::Expected<TemporaryFolder> create(llvm::StringRef output) {
    llvm::SmallString<128> prefix, path;
    if (output != "-" && !isSpecialFile(output)) {
      prefix = output;
      llvm::sys::fs::make_absolute(prefix);
      llvm::sys::path::remove_filename(prefix);
    }
    // A prefix without a folder stands for the system's.
    llvm::sys::path::append(prefix, ".tern");
    if (std::error_code code =
            llvm::sys::fs::createUniqueDirectory(prefix, path))
      return llvm::createStringError(code, "cannot write beside '" + output +
                                               "': " + code.message());
    return TemporaryFolder(path.str().str());
  }
  TemporaryFolder(TemporaryFolder &&other) : path(std::move(other.path)) {
    other.path.clear();
  }
  TemporaryFolder &operator=(TemporaryFolder &&other) {
    std::swap(path, other.path);
    return *this;
  }
  ~TemporaryFolder() {
    if (!path.empty())
      llvm::sys::fs::remove_directories(path, /*IgnoreErrors=*/true);
  }

  llvm::StringRef getPath() const { return path; }

  /// The path of a file in the folder.
  std::string file(const llvm::Twine &name) const {
    llvm::SmallString<128> result(path);
    llvm::sys::path::append(result, name);
    return result.str().str();
  }

private:
  explicit TemporaryFolder(std::string path) : path(std::move(path)) {}
  std::string path;
};

} // namespace tern

#endif // TERN_LIB_DRIVER_TEMPORARYFOLDER_H

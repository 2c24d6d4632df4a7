//===- ExternalData.h - files beside the model ------------------*- C++ -*-===//
#ifndef TERN_LIB_IMPORT_EXTERNALDATA_H
#define TERN_LIB_IMPORT_EXTERNALDATA_H

#include "tern/Import/MappedFiles.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"

#include <memory>

namespace tern::importer {

/// Bytes of a file, and the mapping that keeps them in memory.
struct FileSlice {
  std::shared_ptr<llvm::MemoryBuffer> file;
  llvm::ArrayRef<char> bytes;
};

/// Maps the files that a model keeps its weights in, each once. Confined to the
/// model's folder: a model cannot make the compiler read any other file.
class ExternalData {
public:
  explicit ExternalData(llvm::StringRef modelPath);

  /// The `size` bytes at `offset` of the file at `location`, a path relative to
  /// the model's folder. The error names the file, the found and the expected.
  llvm::Expected<FileSlice> map(llvm::StringRef location, uint64_t offset,
                                uint64_t size);

  /// Adds the files that are open.
  void addFiles(MappedFiles &mapped) const {
    for (const auto &file : files)
      mapped.add(file.second);
  }

private:
  llvm::Expected<std::shared_ptr<llvm::MemoryBuffer>>
  open(llvm::StringRef location);

  /// The model's folder as given, for messages and for joining.
  std::string folder;
  /// Open files by location.
  llvm::StringMap<std::shared_ptr<llvm::MemoryBuffer>> files;
};

} // namespace tern::importer

#endif // TERN_LIB_IMPORT_EXTERNALDATA_H

//===- MappedFiles.h - files that constants lie in --------------*- C++ -*-===//
#ifndef TERN_IMPORT_MAPPEDFILES_H
#define TERN_IMPORT_MAPPEDFILES_H

#include "llvm/Support/MemoryBuffer.h"

#include <memory>
#include <vector>

namespace tern {

/// The files whose memory the resources of an imported module refer to.
class MappedFiles {
public:
  void add(std::shared_ptr<llvm::MemoryBuffer> file) {
    files.push_back(std::move(file));
  }

  /// Gives back the memory of what has been read. The bytes stay where they
  /// are: reading them again reads the file.
  void dropPages() const;

private:
  std::vector<std::shared_ptr<llvm::MemoryBuffer>> files;
};

} // namespace tern

#endif // TERN_IMPORT_MAPPEDFILES_H

//===- MappedFiles.cpp - files that constants lie in ----------------------===//

#include "tern/Import/MappedFiles.h"

#include <sys/mman.h>

void tern::MappedFiles::dropPages() const {
  // Not MemoryBuffer::dontNeedIfMmap, which calls posix_madvise: glibc's does
  // nothing. A file that was read instead of mapped would lose its contents.
  for (const std::shared_ptr<llvm::MemoryBuffer> &file : files)
    if (file->getBufferKind() == llvm::MemoryBuffer::MemoryBuffer_MMap)
      (void)madvise(const_cast<char *>(file->getBufferStart()),
                    file->getBufferSize(), MADV_DONTNEED);
}

//===- ColdPages.cpp - constants that are read here and there -------------===//

#include "tern/Runtime/ColdPages.h"

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <memory>

#ifdef __linux__
#include <sys/mman.h>
#include <unistd.h>
#endif

using namespace tern::runtime;

#ifdef __linux__

/// Whether [begin, end) lies in one mapping of a file that is only read. A
/// program that was packed or loaded into memory by other means fails this.
static bool isReadFromFile(uintptr_t begin, uintptr_t end) {
  std::unique_ptr<std::FILE, int (*)(std::FILE *)> maps(
      std::fopen("/proc/self/maps", "re"), std::fclose);
  if (!maps)
    return false;
  char line[512];
  while (std::fgets(line, sizeof(line), maps.get())) {
    uintptr_t first, last;
    char access[5];
    unsigned long inode;
    // "55d0c0000000-55d0c1000000 r--p 00000000 fe:00 5538947   /path"
    if (std::sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s %*s %*s %lu", &first,
                    &last, access, &inode) == 4 &&
        first <= begin && end <= last)
      return inode != 0 && access[0] == 'r' && access[1] == '-';
  }
  return false;
}

ColdPages::ColdPages(const void *data, size_t size) {
  uintptr_t page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  uintptr_t first =
      (reinterpret_cast<uintptr_t>(data) + page - 1) / page * page;
  uintptr_t last = (reinterpret_cast<uintptr_t>(data) + size) / page * page;
  if (!data || first >= last || !isReadFromFile(first, last))
    return;
  begin = reinterpret_cast<void *>(first);
  bytes = last - first;
}

// Failures change nothing but the memory that is used.
void ColdPages::drop() {
  if (bytes == 0)
    return;
  if (!areSmall)
    madvise(begin, bytes, MADV_NOHUGEPAGE);
  areSmall = true;
  madvise(begin, bytes, MADV_DONTNEED);
}

#else

ColdPages::ColdPages(const void *, size_t) {}

void ColdPages::drop() {}

#endif

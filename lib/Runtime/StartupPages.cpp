//===- StartupPages.cpp - what only the start of a program needs ----------===//

#include "tern/Runtime/StartupPages.h"

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#ifdef __linux__
#include <sys/mman.h>
#endif

using namespace tern::runtime;

#ifdef __linux__

namespace {
struct Mapping {
  uintptr_t begin, end;
};
} // namespace

/// The mappings of files that are only read, and whose pages are all as they
/// are in the file.
static std::vector<Mapping> findUnwritten() {
  std::vector<Mapping> found;
  std::ifstream smaps("/proc/self/smaps");
  std::optional<Mapping> mapping; // that the lines to come are about
  for (std::string line; std::getline(smaps, line);) {
    Mapping next;
    char access[5];
    unsigned long inode, written;
    // "55d0c0000000-55d0c1000000 r-xp 00000000 fe:00 5538947   /path", and
    // then what there is to say about it, such as "Anonymous:    4 kB".
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " %4s %*s %*s %lu",
                    &next.begin, &next.end, access, &inode) == 4) {
      mapping.reset();
      if (inode != 0 && access[0] == 'r' && access[1] == '-')
        mapping = next;
    } else if (mapping &&
               std::sscanf(line.c_str(), "Anonymous: %lu", &written) == 1 &&
               written == 0) {
      found.push_back(*mapping);
    }
  }
  return found;
}

// Failures change nothing but the memory that is used.
void tern::runtime::dropStartupPages() {
  for (const Mapping &mapping : findUnwritten())
    madvise(reinterpret_cast<void *>(mapping.begin),
            mapping.end - mapping.begin, MADV_DONTNEED);
}

#else

void tern::runtime::dropStartupPages() {}

#endif

//===- StartupPages.cpp - what only the start of a program needs ----------===//

#include "tern/Runtime/StartupPages.h"

#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <istream>
#include <optional>
#include <string>
#include <string_view>

#ifdef __linux__
#include <sys/mman.h>
#endif

using namespace tern::runtime;

namespace {
/// What smaps says of a mapping, in kB, as far as it does.
struct Entry {
  FileMapping mapping;
  bool isCandidate; ///< a file's, to be read and not to be written
  unsigned long resident = 0;
  std::optional<unsigned long> anonymous, swapped;
  unsigned long hugetlb = 0;

  /// Whether something is gained by dropping its pages, and nothing lost: all
  /// are as they are in the file. What does not say so has been written to.
  bool isUnwritten() const {
    return isCandidate && resident != 0 && hugetlb == 0 && anonymous == 0ul &&
           swapped == 0ul;
  }
};
} // namespace

std::vector<FileMapping>
tern::runtime::findUnwrittenMappings(std::istream &smaps) {
  std::vector<FileMapping> found;
  std::optional<Entry> entry; // that the lines to come are about
  auto finish = [&] {
    if (entry && entry->isUnwritten())
      found.push_back(entry->mapping);
    entry.reset();
  };
  for (std::string line; std::getline(smaps, line);) {
    FileMapping next;
    char access[5], name[32];
    unsigned long inode, size;
    // "55d0c0000000-55d0c1000000 r-xp 00000000 fe:00 5538947   /path", and
    // then what there is to say about it, such as "Anonymous:    4 kB".
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " %4s %*s %*s %lu",
                    &next.begin, &next.end, access, &inode) == 4) {
      finish();
      entry.emplace();
      entry->mapping = next;
      entry->isCandidate = inode != 0 && access[0] == 'r' && access[1] == '-';
    } else if (entry &&
               std::sscanf(line.c_str(), "%31[^:]: %lu", name, &size) == 2) {
      std::string_view field = name;
      if (field == "Rss")
        entry->resident = size;
      else if (field == "Anonymous")
        entry->anonymous = size;
      else if (field == "Swap")
        entry->swapped = size;
      else if (field == "Private_Hugetlb")
        entry->hugetlb = size;
    }
  }
  finish();
  return found;
}

#ifdef __linux__

// Failures change nothing but the memory that is used.
void tern::runtime::dropStartupPages() {
  std::ifstream smaps("/proc/self/smaps");
  for (const FileMapping &mapping : findUnwrittenMappings(smaps))
    madvise(reinterpret_cast<void *>(mapping.begin),
            mapping.end - mapping.begin, MADV_DONTNEED);
}

#else

void tern::runtime::dropStartupPages() {}

#endif

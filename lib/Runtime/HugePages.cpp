//===- HugePages.cpp - weights in huge pages ------------------------------===//

#include "tern/Runtime/HugePages.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#ifdef __linux__
#include <link.h>
#include <sys/mman.h>
#endif

using namespace tern::runtime;

#ifdef __linux__

namespace {

constexpr uintptr_t kHugePage = uintptr_t(2) << 20;

struct Range {
  uintptr_t begin, end;
};

/// Looks for the program or library that holds an address.
struct Search {
  uintptr_t address;
  std::vector<Range> found;
};

} // namespace

static Range getRange(const dl_phdr_info &info, const ElfW(Phdr) & segment) {
  uintptr_t begin = info.dlpi_addr + segment.p_vaddr;
  return {begin, begin + segment.p_memsz};
}

static int visitObject(dl_phdr_info *info, size_t, void *opaque) {
  auto &search = *static_cast<Search *>(opaque);
  bool isHolder = false;
  std::vector<Range> aligned;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr) &segment = info->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD)
      continue;
    Range range = getRange(*info, segment);
    isHolder |= range.begin <= search.address && search.address < range.end;
    if (segment.p_flags == PF_R && segment.p_align >= kHugePage)
      aligned.push_back(range);
  }
  if (isHolder)
    search.found = aligned;
  return isHolder;
}

/// Only huge pages that lie in the range as a whole are asked for.
static void adviseHuge(uintptr_t begin, uintptr_t end) {
  begin = (begin + kHugePage - 1) / kHugePage * kHugePage;
  end = end / kHugePage * kHugePage;
  if (begin < end)
    madvise(reinterpret_cast<void *>(begin), end - begin, MADV_HUGEPAGE);
}

void tern::runtime::useHugePages(const void *model, const void *apart,
                                 size_t bytes) {
  Search search{reinterpret_cast<uintptr_t>(model), {}};
  dl_iterate_phdr(visitObject, &search);
  auto apartBegin = reinterpret_cast<uintptr_t>(apart);
  uintptr_t apartEnd = apartBegin + bytes;
  for (const Range &range : search.found) {
    adviseHuge(range.begin, std::clamp(apartBegin, range.begin, range.end));
    adviseHuge(std::clamp(apartEnd, range.begin, range.end), range.end);
  }
}

#else

void tern::runtime::useHugePages(const void *, const void *, size_t) {}

#endif

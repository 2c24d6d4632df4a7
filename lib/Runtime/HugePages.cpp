//===- HugePages.cpp - weights in huge pages ------------------------------===//

#include "tern/Runtime/HugePages.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <new>
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

/// `ranges` without [begin, end).
static std::vector<Range> leaveOut(const std::vector<Range> &ranges,
                                   uintptr_t begin, uintptr_t end) {
  std::vector<Range> left;
  for (const Range &range : ranges) {
    left.push_back({range.begin, std::clamp(begin, range.begin, range.end)});
    left.push_back({std::clamp(end, range.begin, range.end), range.end});
  }
  return left;
}

std::vector<WeightSpan>
tern::runtime::findWeights(const void *model,
                           const std::vector<WeightSpan> &apart) {
  Search search{reinterpret_cast<uintptr_t>(model), {}};
  dl_iterate_phdr(visitObject, &search);
  for (WeightSpan span : apart) {
    auto begin = reinterpret_cast<uintptr_t>(span.data);
    search.found = leaveOut(search.found, begin, begin + span.bytes);
  }
  std::vector<WeightSpan> found;
  for (const Range &range : search.found) {
    uintptr_t begin = (range.begin + kHugePage - 1) / kHugePage * kHugePage;
    uintptr_t end = range.end / kHugePage * kHugePage;
    if (begin < end)
      found.push_back({reinterpret_cast<const void *>(begin), end - begin});
  }
  return found;
}

void tern::runtime::useHugePages(const void *model,
                                 const std::vector<WeightSpan> &apart) {
  for (WeightSpan span : findWeights(model, apart))
    madvise(const_cast<void *>(span.data), span.bytes, MADV_HUGEPAGE);
}

/// Puts a copy of [begin, begin + size) in its place, at once.
static void replaceByCopy(void *begin, size_t size) {
  // One huge page more, as what is mapped is aligned to small ones.
  void *mapped = mmap(nullptr, size + kHugePage, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED)
    throw std::bad_alloc();
  uintptr_t first = reinterpret_cast<uintptr_t>(mapped);
  uintptr_t aligned = (first + kHugePage - 1) / kHugePage * kHugePage;
  void *copy = reinterpret_cast<void *>(aligned);
  madvise(copy, size, MADV_HUGEPAGE);
  std::memcpy(copy, begin, size);
  mprotect(copy, size, PROT_READ);
  void *moved = mremap(copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, begin);
  if (aligned != first)
    munmap(mapped, aligned - first);
  if (moved == MAP_FAILED) {
    munmap(copy, first + size + kHugePage - aligned);
    throw std::bad_alloc();
  }
  munmap(reinterpret_cast<void *>(aligned + size), first + kHugePage - aligned);
}

size_t tern::runtime::copyWeights(const void *model,
                                  const std::vector<WeightSpan> &apart) {
  size_t copied = 0;
  for (WeightSpan span : findWeights(model, apart)) {
    replaceByCopy(const_cast<void *>(span.data), span.bytes);
    copied += span.bytes;
  }
  return copied;
}

#else

std::vector<WeightSpan>
tern::runtime::findWeights(const void *, const std::vector<WeightSpan> &) {
  return {};
}

void tern::runtime::useHugePages(const void *,
                                 const std::vector<WeightSpan> &) {}

size_t tern::runtime::copyWeights(const void *,
                                  const std::vector<WeightSpan> &) {
  return 0;
}

#endif

//===- HugePagesTest.cpp - huge pages are asked for -----------------------===//

#include "tern/Runtime/HugePages.h"

#include <gtest/gtest.h>

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>

#ifdef __linux__
#include <sys/mman.h>

using namespace tern::runtime;

namespace {

constexpr size_t kHugePage = size_t(2) << 20;

/// As weights are: in a segment that is only read, aligned to huge pages.
struct Weights {
  char first[2 * kHugePage], third[kHugePage];
};
alignas(kHugePage) const Weights segment = {{1, 2}, {3}};
const char *const weights = segment.first;

/// Whether huge pages were asked for the memory at `address`.
bool isAskedFor(const void *address) {
  auto wanted = reinterpret_cast<uintptr_t>(address);
  std::ifstream maps("/proc/self/smaps");
  bool isInside = false;
  for (std::string line; std::getline(maps, line);) {
    uintptr_t begin, end;
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " ", &begin, &end) ==
        2)
      isInside = begin <= wanted && wanted < end;
    else if (isInside && line.rfind("VmFlags:", 0) == 0)
      return line.find(" hg") != std::string::npos;
  }
  return false;
}

/// Whether the system knows of huge pages, and tells.
bool canAsk() {
  void *memory = mmap(nullptr, 2 * kHugePage, PROT_READ,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  madvise(memory, 2 * kHugePage, MADV_HUGEPAGE);
  bool result = isAskedFor(memory);
  munmap(memory, 2 * kHugePage);
  return result;
}

} // namespace

TEST(HugePages, AreAskedForButApart) {
  if (!canAsk())
    GTEST_SKIP() << "the system has no huge pages";
  // Other tests open the model that this program holds.
  madvise(const_cast<char *>(weights), sizeof(segment), MADV_NOHUGEPAGE);
  ASSERT_FALSE(isAskedFor(weights));
  // What is apart ends, and begins, within the second.
  useHugePages(weights, {{weights + kHugePage + 100, kHugePage / 2}});
  EXPECT_TRUE(isAskedFor(weights));
  EXPECT_FALSE(isAskedFor(weights + kHugePage));
  EXPECT_TRUE(isAskedFor(weights + 2 * kHugePage));

  useHugePages(weights, {});
  EXPECT_TRUE(isAskedFor(weights + kHugePage));
}

/// Whether the memory at `address` is a file's.
static bool isOfFile(const void *address) {
  auto wanted = reinterpret_cast<uintptr_t>(address);
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    uintptr_t begin, end;
    unsigned long inode;
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " %*s %*s %*s %lu",
                    &begin, &end, &inode) == 3 &&
        begin <= wanted && wanted < end)
      return inode != 0;
  }
  return false;
}

// The same bytes in other memory, as far as they are not apart.
TEST(HugePages, HoldACopy) {
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
  GTEST_SKIP() << "what lies between variables is copied too";
#endif
#endif
  const volatile char *read = weights;
  ASSERT_TRUE(isOfFile(weights));
  // The segment has other constants, too.
  EXPECT_GE(copyWeights(weights, {{weights + kHugePage + 100, kHugePage / 2}}),
            2 * kHugePage);
  EXPECT_FALSE(isOfFile(weights));
  EXPECT_TRUE(isOfFile(weights + kHugePage + 100));
  EXPECT_FALSE(isOfFile(weights + 2 * kHugePage));
  EXPECT_EQ(read[0], 1);
  EXPECT_EQ(read[1], 2);
  EXPECT_EQ(read[2 * kHugePage], 3);
}

// The first page and the third, in order; there may be other constants.
TEST(HugePages, FindWeights) {
  auto contains = [](const std::vector<WeightSpan> &spans, const char *begin,
                     size_t bytes) {
    for (WeightSpan span : spans) {
      auto *first = static_cast<const char *>(span.data);
      if (first <= begin && begin + bytes <= first + span.bytes)
        return true;
    }
    return false;
  };
  auto all = findWeights(weights, {});
  EXPECT_TRUE(contains(all, weights, 3 * kHugePage));
  auto some =
      findWeights(weights, {{weights + kHugePage + 100, kHugePage / 2}});
  EXPECT_TRUE(contains(some, weights, kHugePage));
  EXPECT_TRUE(contains(some, weights + 2 * kHugePage, kHugePage));
  EXPECT_FALSE(contains(some, weights + kHugePage, 1));
}

// Memory of no program, and segments that are not aligned.
TEST(HugePages, AreNotAskedForElsewhere) {
  int local = 0;
  useHugePages(&local, {});
  EXPECT_FALSE(isAskedFor(&local));
  auto *function = reinterpret_cast<const void *>(&isAskedFor);
  useHugePages(function, {});
  EXPECT_FALSE(isAskedFor(function)) << "it is executed";
  EXPECT_EQ(copyWeights(&local, {}), 0u);
}

#endif // __linux__

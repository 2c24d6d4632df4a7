//===- StartupPagesTest.cpp - what the start used is there again ----------===//

#include "tern/Runtime/StartupPages.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#ifdef __linux__
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace tern::runtime;

namespace {

/// A file of one page that holds "file", mapped.
class MappedPage {
public:
  explicit MappedPage(int protection) {
    std::string path = testing::TempDir() + "startup-pages-XXXXXX";
    int file = mkstemp(path.data());
    EXPECT_GE(file, 0);
    EXPECT_EQ(write(file, "file", 5), 5);
    EXPECT_EQ(ftruncate(file, size), 0);
    data = static_cast<char *>(mmap(nullptr, static_cast<size_t>(size),
                                    protection, MAP_PRIVATE, file, 0));
    close(file);
    unlink(path.c_str());
    EXPECT_STREQ(data, "file");
  }
  ~MappedPage() { munmap(data, static_cast<size_t>(size)); }

  /// Whether the process has the page; nothing if the system does not say.
  std::optional<bool> isPresent() const {
    int map = open("/proc/self/pagemap", O_RDONLY);
    uint64_t entry;
    ssize_t count = pread(map, &entry, sizeof(entry),
                          reinterpret_cast<intptr_t>(data) / size * 8);
    close(map);
    if (count != sizeof(entry))
      return std::nullopt;
    return entry >> 63;
  }

  long size = sysconf(_SC_PAGESIZE);
  char *data;
};

} // namespace

TEST(StartupPages, AreThoseOfUnwrittenFiles) {
  // What smaps says of one mapping after the other, each as large as its place.
  std::string text;
  int count = 0;
  auto add = [&](const char *access, const char *inode, const char *fields) {
    std::string begin = std::to_string(++count);
    text += begin + "000-" + begin + "800 " + access + " 00000000 fe:00 " +
            inode + "   /lib/libc.so.6\nSize:  4 kB\n" + fields;
  };
  constexpr const char *kUnwritten =
      "Rss:   4 kB\nAnonymous:   0 kB\nPrivate_Hugetlb:  0 kB\nSwap:  0 kB\n";
  add("r-xp", "55", kUnwritten);
  add("r--p", "55", kUnwritten);
  add("rw-p", "55", kUnwritten);
  add("---p", "55", kUnwritten);
  add("r--p", "0", kUnwritten);
  add("r--p", "55", "Rss:  4 kB\nAnonymous:  4 kB\nSwap:  0 kB\n");
  add("r--p", "55", "Rss:  4 kB\nAnonymous:  0 kB\nSwap:  4 kB\n");
  // An emulator that says nothing, or that knows no better.
  add("r--p", "55", "Rss:  0 kB\nAnonymous:  0 kB\nSwap:  0 kB\n");
  add("r--p", "55", "Rss:  4 kB\n");
  add("r--p", "55", "Rss:  4 kB\nAnonymous:  0 kB\n");
  add("r--p", "55",
      "Rss:  4 kB\nAnonymous:  0 kB\nPrivate_Hugetlb:  2 kB\nSwap:  0 kB\n");
  add("r--p", "55", kUnwritten); // the last
  std::istringstream smaps(text);
  std::vector<uintptr_t> begins;
  for (const FileMapping &mapping : findUnwrittenMappings(smaps)) {
    EXPECT_EQ(mapping.end, mapping.begin + 0x800);
    begins.push_back(mapping.begin);
  }
  EXPECT_EQ(begins, (std::vector<uintptr_t>{0x1000, 0x2000, 0x12000}));
}

TEST(StartupPages, AreDroppedAndReadAgain) {
  if (!std::ifstream("/proc/self/smaps"))
    GTEST_SKIP() << "the system does not tell what is mapped";
  MappedPage page(PROT_READ), code(PROT_READ | PROT_EXEC);
  EXPECT_TRUE(page.isPresent().value_or(true));
  dropStartupPages();
  EXPECT_FALSE(page.isPresent().value_or(false));
  EXPECT_FALSE(code.isPresent().value_or(false));
  EXPECT_STREQ(page.data, "file");
  EXPECT_STREQ(code.data, "file");
}

TEST(StartupPages, StayWhereTheyWereWrittenTo) {
  MappedPage writable(PROT_READ | PROT_WRITE), written(PROT_READ | PROT_WRITE);
  written.data[0] = 'F'; // as a debugger writes a breakpoint
  mprotect(written.data, static_cast<size_t>(written.size), PROT_READ);
  dropStartupPages();
  EXPECT_TRUE(writable.isPresent().value_or(true));
  EXPECT_STREQ(written.data, "File");
}

#endif // __linux__

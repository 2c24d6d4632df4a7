//===- StartupPagesTest.cpp - what the start used is there again ----------===//

#include "tern/Runtime/StartupPages.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>

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

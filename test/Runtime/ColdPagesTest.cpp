//===- ColdPagesTest.cpp - what is dropped is there again -----------------===//

#include "tern/Runtime/ColdPages.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#ifdef __linux__
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace tern::runtime;

namespace {

/// A file of four pages, whose bytes count up, that is mapped.
class MappedFile {
public:
  explicit MappedFile(int protection) : page(sysconf(_SC_PAGESIZE)) {
    for (size_t i = 0; i < size(); ++i)
      contents.push_back(expect(i));
    path = testing::TempDir() + "cold-pages-XXXXXX";
    int file = mkstemp(path.data());
    EXPECT_GE(file, 0);
    EXPECT_EQ(write(file, contents.data(), size()), ssize_t(size()));
    data = static_cast<char *>(
        mmap(nullptr, size(), protection, MAP_PRIVATE, file, 0));
    close(file);
  }
  ~MappedFile() {
    munmap(data, size());
    unlink(path.c_str());
  }

  static char expect(size_t i) { return static_cast<char>(i * 7 + i / 256); }
  size_t size() const { return 4 * static_cast<size_t>(page); }

  /// Whether the process has each page; nothing if the system does not say.
  std::vector<bool> findPresent() const {
    // Linux reads whole entries only, which a stream's buffer does not ask for.
    uint64_t entries[4];
    int map = open("/proc/self/pagemap", O_RDONLY);
    ssize_t count = pread(map, entries, sizeof(entries),
                          reinterpret_cast<intptr_t>(data) / page * 8);
    close(map);
    if (count != sizeof(entries))
      return {};
    std::vector<bool> present;
    for (uint64_t entry : entries)
      present.push_back(entry >> 63);
    return present;
  }

  long page;
  std::string path;
  std::vector<char> contents;
  char *data;
};

/// What `pages` reads of [begin, end) of the file.
std::vector<char> read(const ColdPages &pages, const MappedFile &file,
                       size_t begin, size_t end) {
  std::vector<char> bytes(end - begin);
  pages.read(file.data + begin, bytes.data(), bytes.size());
  return bytes;
}

std::vector<char> getContents(const MappedFile &file, size_t begin,
                              size_t end) {
  return {file.contents.begin() + begin, file.contents.begin() + end};
}

} // namespace

TEST(ColdPages, AreThereAgain) {
  MappedFile file(PROT_READ);
  // From within the first page to within the last.
  ColdPages pages(file.data + 1, file.size() - 2);
  EXPECT_EQ(pages.size(), 2 * static_cast<size_t>(file.page));
  for (int turn = 0; turn < 3; ++turn) {
    EXPECT_EQ(std::vector<char>(file.data, file.data + file.size()),
              file.contents);
    std::vector<bool> before = file.findPresent();
    pages.drop();
    std::vector<bool> after = file.findPresent();
    if (before.empty())
      continue;
    EXPECT_EQ(before, (std::vector<bool>{true, true, true, true}));
    EXPECT_EQ(after, (std::vector<bool>{true, false, false, true}));
  }
}

// Places at either end, and in the middle, across pages.
TEST(ColdPages, AreReadWithoutBeingMapped) {
  MappedFile file(PROT_READ);
  ColdPages pages(file.data, file.size());
  pages.drop();
  size_t page = static_cast<size_t>(file.page);
  for (auto [begin, end] : {std::pair<size_t, size_t>(0, 3),
                            {page - 1, 3 * page + 1},
                            {file.size() - 5, file.size()},
                            {7, 7}})
    EXPECT_EQ(read(pages, file, begin, end), getContents(file, begin, end));
  std::vector<bool> present = file.findPresent();
  if (!present.empty())
    EXPECT_EQ(present, std::vector<bool>(4, false));
}

// Rows of the first and the last page of a constant, and what is no constant.
TEST(ColdPages, ReadOtherMemory) {
  MappedFile file(PROT_READ);
  ColdPages pages(file.data + 1, file.size() - 2);
  size_t page = static_cast<size_t>(file.page);
  for (auto [begin, end] : {std::pair<size_t, size_t>(0, page),
                            {page + 1, 2 * page},
                            {page - 1, page + 1},
                            {3 * page - 1, 3 * page + 1},
                            {3 * page, 4 * page}})
    EXPECT_EQ(read(pages, file, begin, end), getContents(file, begin, end));
  EXPECT_TRUE(pages.holds(file.data + page, 2 * page));
  EXPECT_FALSE(pages.holds(file.data + page, 2 * page + 1));
  EXPECT_FALSE(pages.holds(file.data + page - 1, 1));
  EXPECT_FALSE(ColdPages().holds(file.data + page, 1));
  int value = 42, copy = 0;
  pages.read(&value, &copy, sizeof(value));
  ColdPages().read(&copy, &value, sizeof(value));
  EXPECT_EQ(copy, 42);
  EXPECT_EQ(value, 42);
}

// A program's constants do not begin where its file does.
TEST(ColdPages, AreReadAtTheirOffset) {
  MappedFile file(PROT_READ);
  size_t page = static_cast<size_t>(file.page), size = 3 * page;
  int again = open(file.path.c_str(), O_RDONLY);
  ASSERT_GE(again, 0);
  auto *data = static_cast<char *>(
      mmap(nullptr, size, PROT_READ, MAP_PRIVATE, again, file.page));
  close(again);
  std::vector<char> bytes(page);
  for (size_t first : {size_t(0), page}) {
    ColdPages pages(data + first, size - first);
    pages.drop();
    pages.read(data + first + 10, bytes.data(), page);
    size_t begin = page + first + 10;
    EXPECT_EQ(bytes, getContents(file, begin, begin + page));
  }
  munmap(data, size);
}

// The path names another file: a newer build, or none.
TEST(ColdPages, ReadWhatIsMapped) {
  MappedFile file(PROT_READ);
  std::string other = file.path + ".new";
  std::ofstream(other) << std::string(file.size(), 'x');
  ASSERT_EQ(rename(other.c_str(), file.path.c_str()), 0);
  ColdPages replaced(file.data, file.size());
  EXPECT_EQ(read(replaced, file, 0, file.size()), file.contents);
  unlink(file.path.c_str());
  ColdPages removed(file.data, file.size());
  EXPECT_EQ(read(removed, file, 0, file.size()), file.contents);
}

// What is written to memory is in no file.
TEST(ColdPages, LeaveOtherMemoryAlone) {
  MappedFile writable(PROT_READ | PROT_WRITE);
  EXPECT_EQ(ColdPages(writable.data, writable.size()).size(), 0u);
  void *memory = mmap(nullptr, writable.size(), PROT_READ,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  EXPECT_EQ(ColdPages(memory, writable.size()).size(), 0u);
  munmap(memory, writable.size());
  EXPECT_EQ(ColdPages(nullptr, 1 << 20).size(), 0u);
  MappedFile small(PROT_READ);
  EXPECT_EQ(ColdPages(small.data + 1, 100).size(), 0u) << "no whole page";
  ColdPages().drop();
}

#endif // __linux__

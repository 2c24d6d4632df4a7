//===- ColdPages.cpp - constants that are read here and there -------------===//

#include "tern/Runtime/ColdPages.h"

#include <cerrno>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <optional>

#ifdef __linux__
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#endif

using namespace tern::runtime;

#ifdef __linux__

namespace {
/// A mapping of a file: the path, and the offset of an address.
struct MappedFile {
  std::string path;
  dev_t device;
  ino_t inode;
  int64_t offset;
};
} // namespace

/// The one mapping, of a file that is only read, that holds [begin, end). A
/// program that was packed or loaded into memory by other means has none.
static std::optional<MappedFile> findMapping(uintptr_t begin, uintptr_t end) {
  std::ifstream maps("/proc/self/maps");
  std::string line;
  while (std::getline(maps, line)) {
    uintptr_t first, last;
    char access[5];
    unsigned long long offset;
    unsigned long inode;
    unsigned deviceMajor, deviceMinor;
    int path = 0;
    // "55d0c0000000-55d0c1000000 r--p 00000000 fe:00 5538947   /path"
    if (std::sscanf(line.c_str(),
                    "%" SCNxPTR "-%" SCNxPTR " %4s %llx %x:%x %lu %n", &first,
                    &last, access, &offset, &deviceMajor, &deviceMinor, &inode,
                    &path) < 7 ||
        begin < first || end > last)
      continue;
    if (inode == 0 || access[0] != 'r' || access[1] != '-')
      return std::nullopt;
    return MappedFile{line.substr(static_cast<size_t>(path)),
                      makedev(deviceMajor, deviceMinor), inode,
                      static_cast<int64_t>(offset + (begin - first))};
  }
  return std::nullopt;
}

/// Opens the file that is mapped; -1 if it is not there any more. The path may
/// name another by now, a newer program say, or something that is no file; the
/// program's own has a name that does not.
static int openMapped(const MappedFile &mapping) {
  for (const char *name : {mapping.path.c_str(), "/proc/self/exe"}) {
    int file = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;
    if (file >= 0 && fstat(file, &status) == 0 &&
        status.st_dev == mapping.device && status.st_ino == mapping.inode)
      return file;
    if (file >= 0)
      close(file);
  }
  return -1;
}

/// Reads `size` bytes at `offset`; false if the file does not give them.
static bool readAt(int file, void *target, size_t size, int64_t offset) {
  char *next = static_cast<char *>(target);
  while (size > 0) {
    ssize_t count = pread(file, next, size, offset);
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return false;
    next += count;
    size -= static_cast<size_t>(count);
    offset += count;
  }
  return true;
}

ColdPages::ColdPages(const void *data, size_t size) {
  uintptr_t page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  uintptr_t first =
      (reinterpret_cast<uintptr_t>(data) + page - 1) / page * page;
  uintptr_t last = (reinterpret_cast<uintptr_t>(data) + size) / page * page;
  if (!data || first >= last)
    return;
  std::optional<MappedFile> mapping = findMapping(first, last);
  if (!mapping)
    return;
  begin = reinterpret_cast<void *>(first);
  bytes = last - first;
  file = openMapped(*mapping);
  fileOffset = mapping->offset;
}

ColdPages::~ColdPages() {
  if (file >= 0)
    close(file);
}

bool ColdPages::holds(const void *place, size_t size) const {
  uintptr_t address = reinterpret_cast<uintptr_t>(place);
  uintptr_t first = reinterpret_cast<uintptr_t>(begin);
  return file >= 0 && first <= address && size <= bytes &&
         address - first <= bytes - size;
}

void ColdPages::read(const void *source, void *target, size_t size) const {
  auto place = static_cast<int64_t>(reinterpret_cast<uintptr_t>(source) -
                                    reinterpret_cast<uintptr_t>(begin));
  if (!holds(source, size) || !readAt(file, target, size, fileOffset + place))
    std::memcpy(target, source, size);
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

ColdPages::~ColdPages() = default;

bool ColdPages::holds(const void *, size_t) const { return false; }

void ColdPages::read(const void *source, void *target, size_t size) const {
  std::memcpy(target, source, size);
}

void ColdPages::drop() {}

#endif

ColdPages &ColdPages::operator=(ColdPages &&other) noexcept {
  std::swap(begin, other.begin);
  std::swap(bytes, other.bytes);
  std::swap(file, other.file);
  std::swap(fileOffset, other.fileOffset);
  std::swap(areSmall, other.areSmall);
  return *this;
}

//===- Files.cpp - whole files, read and replaced -------------------------===//

#include "tern/Runtime/Files.h"

#include "tern/Runtime/Error.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace tern::runtime;

namespace {

class Descriptor {
public:
  explicit Descriptor(int value) : value(value) {}
  ~Descriptor() {
    if (value >= 0)
      close(value);
  }
  int get() const { return value; }

private:
  int value;
};

} // namespace

std::string tern::runtime::readFile(const std::string &path) {
  auto fail = [&] {
    throw InputError("cannot read '" + path + "': " + std::strerror(errno));
  };
  Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0)
    fail();
  std::string contents;
  // Enough for the size that the system states, which may be wrong (a pipe).
  struct stat status;
  if (fstat(file.get(), &status) == 0 && status.st_size > 0)
    contents.reserve(static_cast<size_t>(status.st_size) + 1);
  char buffer[1 << 16];
  for (;;) {
    ssize_t count = read(file.get(), buffer, sizeof(buffer));
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      fail();
    if (count == 0)
      return contents;
    contents.append(buffer, static_cast<size_t>(count));
  }
}

bool tern::runtime::writeAll(int descriptor, const void *data, size_t size) {
  const char *bytes = static_cast<const char *>(data);
  while (size > 0) {
    ssize_t count = write(descriptor, bytes, size);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return false;
    bytes += count;
    size -= static_cast<size_t>(count);
  }
  return true;
}

AtomicFile::AtomicFile(std::string path) : path(std::move(path)) {
  struct stat status;
  bool isSpecial =
      stat(this->path.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
  int flags = O_WRONLY | O_CLOEXEC;
  if (isSpecial) {
    descriptor = open(this->path.c_str(), flags);
  } else {
    // In the same folder, so that renaming it is one step.
    temporary = this->path + ".tmp" + std::to_string(getpid());
    descriptor = open(temporary.c_str(), flags | O_CREAT | O_EXCL, 0666);
  }
  if (descriptor < 0) {
    temporary.clear(); // not ours
    fail();
  }
}

AtomicFile::~AtomicFile() {
  if (descriptor >= 0)
    close(descriptor);
  if (!temporary.empty())
    unlink(temporary.c_str());
}

void AtomicFile::fail() const {
  throw InputError("cannot write '" + path + "': " + std::strerror(errno));
}

void AtomicFile::write(const void *data, size_t size) {
  if (!writeAll(descriptor, data, size))
    fail();
}

void AtomicFile::commit() {
  // Some file systems report a full disk only now.
  int result = close(descriptor);
  descriptor = -1;
  if (result != 0)
    fail();
  if (temporary.empty())
    return;
  if (rename(temporary.c_str(), path.c_str()) != 0)
    fail();
  temporary.clear();
}

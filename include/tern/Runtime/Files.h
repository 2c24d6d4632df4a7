//===- Files.h - whole files, read and replaced -----------------*- C++ -*-===//
#ifndef TERN_RUNTIME_FILES_H
#define TERN_RUNTIME_FILES_H

#include <cstddef>
#include <string>

namespace tern::runtime {

/// Returns the contents of the file at `path`.
/// \throws InputError that says why it cannot be read.
std::string readFile(const std::string &path);

/// Writes all of the bytes to a file descriptor; returns false, with errno, if
/// it cannot.
bool writeAll(int descriptor, const void *data, size_t size);

/// A file that appears under its name only when it is complete. What already
/// exists and is no regular file (a pipe, a device) is written to directly.
class AtomicFile {
public:
  /// \throws InputError if the file cannot be created.
  explicit AtomicFile(std::string path);
  /// Removes what was written, unless committed.
  ~AtomicFile();
  AtomicFile(const AtomicFile &) = delete;
  AtomicFile &operator=(const AtomicFile &) = delete;

  /// \throws InputError if the disk is full, say.
  void write(const void *data, size_t size);
  /// Gives the file its name. \throws InputError
  void commit();

private:
  [[noreturn]] void fail() const;

  std::string path;
  std::string temporary; // empty: written to directly, or committed
  int descriptor = -1;
};

} // namespace tern::runtime

#endif // TERN_RUNTIME_FILES_H

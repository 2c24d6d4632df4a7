//===- Zip.h - archives of files --------------------------------*- C++ -*-===//
#ifndef TERN_LIB_RUNTIME_ZIP_H
#define TERN_LIB_RUNTIME_ZIP_H

#include "tern/Runtime/Files.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tern::runtime {

/// One file of an archive.
struct ZipEntry {
  std::string name;
  uint16_t method; ///< 0: stored, 8: deflated
  uint32_t checksum;
  uint64_t size;           ///< of the file
  std::string_view packed; ///< its bytes in the archive
};

/// Lists the files of an archive; the result refers to `archive`.
/// \throws InputError if it is malformed or encrypted.
std::vector<ZipEntry> listZip(std::string_view archive);

/// Returns the contents of a file. \throws InputError if it is malformed, of
/// another method, or its size is none that its packed bytes can have.
std::string unpack(const ZipEntry &entry);

/// Writes an archive of stored files.
class ZipWriter {
public:
  explicit ZipWriter(AtomicFile &file) : file(file) {}

  /// Adds a file that consists of `parts`.
  void add(const std::string &name, const std::vector<std::string_view> &parts);
  /// Writes the directory.
  void finish();

private:
  struct Written {
    std::string name;
    uint32_t checksum;
    uint64_t size, offset;
  };

  void write(std::string_view bytes);

  AtomicFile &file;
  uint64_t position = 0;
  std::vector<Written> entries;
};

} // namespace tern::runtime

#endif // TERN_LIB_RUNTIME_ZIP_H

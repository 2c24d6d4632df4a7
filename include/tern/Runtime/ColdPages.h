//===- ColdPages.h - constants that are read here and there -----*- C++ -*-===//
#ifndef TERN_RUNTIME_COLDPAGES_H
#define TERN_RUNTIME_COLDPAGES_H

#include <cstddef>
#include <cstdint>
#include <utility>

namespace tern::runtime {

/// A large constant in the program's file, of which a call reads a few places
/// that differ from call to call. The system maps the surroundings of each
/// place, up to 2 MiB, so that after some calls all of the constant counts as
/// memory of the process, and each place takes a page fault, some microseconds.
/// This reads places from the file instead, and gives back what was mapped
/// otherwise. Not copied: it owns a file.
class ColdPages {
public:
  ColdPages() = default;
  ColdPages(ColdPages &&other) noexcept { *this = std::move(other); }
  ColdPages &operator=(ColdPages &&other) noexcept;
  ~ColdPages();
  /// The whole pages within [data, data + bytes), constants without
  /// relocations. They are left alone unless they are mapped from a file and
  /// cannot be written to: what was dropped must be there when it is read
  /// again.
  ColdPages(const void *data, size_t bytes);

  /// Whether [place, place + size) can be read from the file.
  bool holds(const void *place, size_t size) const;

  /// Copies [source, source + size) to `target`: from the file if it can, else
  /// from memory. Any thread may call it.
  void read(const void *source, void *target, size_t size) const;

  /// Takes the pages from the process; they stay in the system's cache.
  void drop();

  size_t size() const { return bytes; } ///< 0 if they are left alone

private:
  void *begin = nullptr;
  size_t bytes = 0;
  int file = -1;          ///< closed: places are read from memory
  int64_t fileOffset = 0; ///< of `begin`
  bool areSmall = false;  ///< no page of 2 MiB is mapped any more
};

} // namespace tern::runtime

#endif // TERN_RUNTIME_COLDPAGES_H

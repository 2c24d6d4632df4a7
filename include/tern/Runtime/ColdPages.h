//===- ColdPages.h - constants that are read here and there -----*- C++ -*-===//
#ifndef TERN_RUNTIME_COLDPAGES_H
#define TERN_RUNTIME_COLDPAGES_H

#include <cstddef>

namespace tern::runtime {

/// A large constant in the program's file, of which a call reads a few places
/// that differ from call to call. The system maps the surroundings of each
/// place, up to 2 MiB, so that after some calls all of the constant counts as
/// memory of the process. This gives it back.
class ColdPages {
public:
  ColdPages() = default;
  /// The whole pages within [data, data + bytes), constants without
  /// relocations. They are left alone unless they are mapped from a file and
  /// cannot be written to: what was dropped must be there when it is read
  /// again.
  ColdPages(const void *data, size_t bytes);

  /// Takes the pages from the process; they stay in the system's cache. Reading
  /// one again takes a page fault, about a microsecond.
  void drop();

  size_t size() const { return bytes; } ///< 0 if they are left alone

private:
  void *begin = nullptr;
  size_t bytes = 0;
  bool areSmall = false; ///< no page of 2 MiB is mapped any more
};

} // namespace tern::runtime

#endif // TERN_RUNTIME_COLDPAGES_H

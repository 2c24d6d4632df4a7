//===- StartupPages.h - what only the start of a program needs --*- C++ -*-===//
#ifndef TERN_RUNTIME_STARTUPPAGES_H
#define TERN_RUNTIME_STARTUPPAGES_H

#include <cstdint>
#include <iosfwd>
#include <vector>

namespace tern::runtime {

/// Addresses [begin, end) at which a file is mapped.
struct FileMapping {
  uintptr_t begin, end;
};

/// Those of `smaps` (Linux, Documentation/filesystems/proc.rst) that are only
/// read, of which some pages are in memory, and all are as they are in the
/// file: none was written to, swapped out or not.
std::vector<FileMapping> findUnwrittenMappings(std::istream &smaps);

/// Takes from the process what is mapped by now of the code and constants of
/// the program and its libraries: they are read from their files again as they
/// are used. Symbols are looked up, options, a tokenizer and its patterns
/// parsed once. Mappings that somebody has written to, such as a debugger, are
/// left alone.
///
/// For a program to call, not for a library: it concerns the whole process, and
/// no other thread may load a library meanwhile.
void dropStartupPages();

} // namespace tern::runtime

#endif // TERN_RUNTIME_STARTUPPAGES_H

//===- StartupPages.h - what only the start of a program needs --*- C++ -*-===//
#ifndef TERN_RUNTIME_STARTUPPAGES_H
#define TERN_RUNTIME_STARTUPPAGES_H

namespace tern::runtime {

/// Takes from the process what is mapped by now of the code and constants of
/// the program and its libraries: they are read from their files again as they
/// are used. Symbols are looked up, options, a tokenizer and its patterns
/// parsed once. Mappings that somebody has written to, such as a debugger, are
/// left alone.
///
/// For a program to call, not for a library: it concerns the whole process.
void dropStartupPages();

} // namespace tern::runtime

#endif // TERN_RUNTIME_STARTUPPAGES_H

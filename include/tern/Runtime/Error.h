//===- Error.h - who is at fault when something fails -----------*- C++ -*-===//
//
// The runtime throws inside itself; the command line turns a class into an exit
// code and the C interface into a status. Anything else that derives from
// std::exception is our bug.
//
//===----------------------------------------------------------------------===//
#ifndef TERN_RUNTIME_ERROR_H
#define TERN_RUNTIME_ERROR_H

#include <cstdint>
#include <new>
#include <stdexcept>
#include <string>

namespace tern::runtime {

/// A file, a prompt or a tensor is at fault; the message says which and how.
class InputError : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// The command line asks for something that does not exist or contradicts
/// itself.
class UsageError : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// The system has no more memory. Where a std::bad_alloc says no more, this
/// says how much was asked for, and for what.
class MemoryError : public std::bad_alloc {
public:
  MemoryError(uint64_t bytes, const std::string &purpose)
      : message("not enough memory: " + std::to_string(bytes) + " bytes for " +
                purpose) {}

  const char *what() const noexcept override { return message.what(); }

private:
  std::runtime_error message; ///< copies without throwing
};

/// What to say of `error`, whose own text is a name of C++.
inline const char *describeOutOfMemory(const std::bad_alloc &error) {
  auto *described = dynamic_cast<const MemoryError *>(&error);
  return described ? described->what() : "out of memory";
}

} // namespace tern::runtime

#endif // TERN_RUNTIME_ERROR_H

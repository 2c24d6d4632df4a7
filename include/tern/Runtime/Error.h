//===- Error.h - who is at fault when something fails -----------*- C++ -*-===//
//
// The runtime throws inside itself; the command line turns a class into an exit
// code and the C interface into a status. Anything else that derives from
// std::exception is our bug.
//
//===----------------------------------------------------------------------===//
#ifndef TERN_RUNTIME_ERROR_H
#define TERN_RUNTIME_ERROR_H

#include <stdexcept>

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

} // namespace tern::runtime

#endif // TERN_RUNTIME_ERROR_H

//===- NpzFuzzer.cpp - hostile .npz and .npy files ------------------------===//
//
// Nothing but InputError may come out of the readers, and an array that was
// read must be the same after it was written and read once more.
//
//===----------------------------------------------------------------------===//

#include "tern/Runtime/Error.h"
#include "tern/Runtime/Npz.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>

using namespace tern::runtime;

static void checkRoundTrip(const Tensor &tensor) {
  if (tensor.dtype() == TERN_BF16) // written as float32
    return;
  std::string file = makeNpyHeader(tensor);
  if (tensor.numBytes() > 0)
    file.append(tensor.data<char>(), tensor.numBytes());
  Tensor copy = parseNpy(file);
  bool isSame =
      copy.dtype() == tensor.dtype() && copy.dims() == tensor.dims() &&
      (tensor.numBytes() == 0 ||
       std::memcmp(copy.data<char>(), tensor.data<char>(), tensor.numBytes()) ==
           0);
  if (!isSame)
    std::abort();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char *>(data), size);
  try {
    checkRoundTrip(parseNpy(bytes));
  } catch (const InputError &) {
  }
  try {
    for (const auto &[name, tensor] : parseNpz(bytes))
      checkRoundTrip(tensor);
  } catch (const InputError &) {
  }
  return 0;
}

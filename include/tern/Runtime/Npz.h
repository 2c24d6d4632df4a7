//===- Npz.h - NumPy's archives of arrays -----------------------*- C++ -*-===//
#ifndef TERN_RUNTIME_NPZ_H
#define TERN_RUNTIME_NPZ_H

#include "tern/Runtime/Tensor.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tern::runtime {

/// Parses the bytes of one .npy file (NumPy enhancement proposal 1; versions 1
/// to 3) of any byte order and either axis order. The type '|V2' is bfloat16.
/// \throws InputError if it is malformed, holds another element type or too
/// many dimensions.
Tensor parseNpy(std::string_view bytes);

/// The header of `tensor` as .npy, up to the elements. bfloat16, which NumPy
/// lacks, is announced as float32.
std::string makeNpyHeader(const Tensor &tensor);

using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

/// Reads every array of an archive (stored or deflated, ZIP64 too). Never
/// allocates more than deflate can have packed into `bytes`.
/// \throws InputError that names the array and what is wrong.
NamedTensors parseNpz(std::string_view bytes);

/// parseNpz of a file, which the messages name.
NamedTensors readNpz(const std::string &path);

/// Writes an archive as numpy.savez does: stored, one .npy an array. The file
/// appears only when complete. bfloat16 arrays become float32.
/// \throws InputError if it cannot be written.
void writeNpz(const std::string &path, const NamedTensors &arrays);

} // namespace tern::runtime

#endif // TERN_RUNTIME_NPZ_H

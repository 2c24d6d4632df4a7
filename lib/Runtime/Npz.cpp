//===- Npz.cpp - NumPy's archives of arrays -------------------------------===//

#include "tern/Runtime/Npz.h"

#include "Zip.h"

#include "tern/Runtime/Error.h"
#include "tern/Runtime/Files.h"

#include <algorithm>
#include <cstring>

using namespace tern::runtime;

void tern::runtime::writeNpz(const std::string &path,
                             const NamedTensors &arrays) {
  AtomicFile file(path);
  ZipWriter archive(file);
  for (const auto &[name, tensor] : arrays) {
    std::string header = makeNpyHeader(tensor);
    std::vector<float> widened;
    std::string_view elements(tensor.data<char>(), tensor.numBytes());
    if (tensor.dtype() == TERN_BF16) {
      widened.resize(static_cast<size_t>(tensor.numElements()));
      copyAsFloat(tensor, 0, tensor.numElements(), widened.data());
      elements = {reinterpret_cast<const char *>(widened.data()),
                  widened.size() * sizeof(float)};
    }
    archive.add(name + ".npy", {header, elements});
  }
  archive.finish();
  file.commit();
}

/// "layer/x.npy" holds the array "layer/x".
static std::string removeSuffix(std::string name) {
  constexpr std::string_view kSuffix = ".npy";
  size_t length = name.size() - std::min(name.size(), kSuffix.size());
  if (name.compare(length, kSuffix.size(), kSuffix) == 0)
    name.resize(length);
  return name;
}

NamedTensors tern::runtime::parseNpz(std::string_view bytes) {
  NamedTensors arrays;
  for (const ZipEntry &entry : listZip(bytes)) {
    std::string name = removeSuffix(entry.name);
    try {
      arrays.emplace_back(name, parseNpy(unpack(entry)));
    } catch (const InputError &error) {
      throw InputError("array '" + name + "': " + error.what());
    }
  }
  return arrays;
}

NamedTensors tern::runtime::readNpz(const std::string &path) {
  std::string bytes = readFile(path);
  try {
    return parseNpz(bytes);
  } catch (const InputError &error) {
    throw InputError(path + ": " + error.what());
  }
}

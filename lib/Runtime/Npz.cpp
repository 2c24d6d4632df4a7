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

NamedTensors tern::runtime::readNpz(const std::string &path) {
  std::string contents = readFile(path);
  NamedTensors arrays;
  std::string where = path;
  try {
    for (const ZipEntry &entry : listZip(contents)) {
      std::string name = entry.name;
      constexpr std::string_view kSuffix = ".npy";
      if (name.size() > kSuffix.size() &&
          name.compare(name.size() - kSuffix.size(), kSuffix.size(), kSuffix) ==
              0)
        name.resize(name.size() - kSuffix.size());
      where = path + ": array '" + name + "'";
      arrays.emplace_back(name, parseNpy(unpack(entry)));
      where = path;
    }
  } catch (const InputError &error) {
    throw InputError(where + ": " + error.what());
  }
  return arrays;
}

//===- ExternalData.cpp - files beside the model --------------------------===//

#include "ExternalData.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace llvm;
using namespace tern::importer;

namespace path = llvm::sys::path;
namespace fs = llvm::sys::fs;

static Error makeError(StringRef location, const Twine &message) {
  return createStringError("external data file '" + location + "' " + message);
}

// True where `file` lies in `folder` or below; both are real paths.
static bool isInside(StringRef file, StringRef folder) {
  if (!file.consume_front(folder))
    return false;
  return folder.ends_with("/") || file.starts_with("/");
}

ExternalData::ExternalData(StringRef modelPath)
    : folder(path::parent_path(modelPath)) {
  if (folder.empty())
    folder = ".";
}

Expected<std::shared_ptr<MemoryBuffer>> ExternalData::open(StringRef location) {
  if (auto it = files.find(location); it != files.end())
    return it->second;
  if (location.empty() || location.contains('\0'))
    return makeError(location, "has no usable name; expected a relative path");
  if (path::is_absolute(location))
    return makeError(location, "is an absolute path; expected one relative to "
                               "the model's folder");
  if (llvm::is_contained(make_range(path::begin(location), path::end(location)),
                         ".."))
    return makeError(location, "leaves the model's folder through '..'");

  SmallString<256> joined(folder), file, root;
  path::append(joined, location);
  if (std::error_code error = fs::real_path(joined, file))
    return makeError(location, "cannot be read: " + error.message());
  if (std::error_code error = fs::real_path(folder, root))
    return makeError(location, "cannot be read: " + error.message());
  if (!isInside(file, root))
    return makeError(location, "leaves the model's folder through a symbolic "
                               "link to '" +
                                   file + "'");
  if (!fs::is_regular_file(file))
    return makeError(location, "is not a regular file");
  auto buffer = MemoryBuffer::getFile(file, /*IsText=*/false,
                                      /*RequiresNullTerminator=*/false);
  if (std::error_code error = buffer.getError())
    return makeError(location, "cannot be read: " + error.message());
  return files[location] = std::move(*buffer);
}

Expected<FileSlice> ExternalData::map(StringRef location, uint64_t offset,
                                      uint64_t size) {
  Expected<std::shared_ptr<MemoryBuffer>> file = open(location);
  if (!file)
    return file.takeError();
  uint64_t fileSize = (*file)->getBufferSize();
  // Compared without adding: the sum may overflow.
  if (offset > fileSize || size > fileSize - offset)
    return makeError(location, "holds " + Twine(fileSize) +
                                   " bytes; expected " + Twine(size) +
                                   " bytes at offset " + Twine(offset));
  return FileSlice{*file, ArrayRef((*file)->getBufferStart() + offset, size)};
}

//===- Zip.cpp - archives of files ----------------------------------------===//
//
// PKWARE's APPNOTE.TXT 6.3.10: local headers (4.3.7), the central directory
// (4.3.12) and its end (4.3.14 to 4.3.16), ZIP64 fields (4.5.3). All numbers
// are little-endian.
//
//===----------------------------------------------------------------------===//

#include "Zip.h"

#include "tern/Runtime/Error.h"

#include <algorithm>

#include <zlib.h>

using namespace tern::runtime;

namespace {

constexpr uint32_t kLocalHeader = 0x04034b50;
constexpr uint32_t kCentralHeader = 0x02014b50;
constexpr uint32_t kEnd = 0x06054b50;
constexpr uint32_t kEnd64 = 0x06064b50;
constexpr uint32_t kEnd64Locator = 0x07064b50;
constexpr size_t kLocalHeaderSize = 30, kCentralHeaderSize = 46;
constexpr size_t kEndSize = 22, kEnd64Size = 56, kEnd64LocatorSize = 20;
constexpr uint16_t kZip64Field = 1;
constexpr uint16_t kUtf8Names = 1
                                << 11; // a flag: names are not in code page 437
constexpr uint32_t kInField64 = 0xFFFFFFFF; // the value is in the ZIP64 field
/// No byte of deflate's output stands for more bytes of text (zlib's manual).
constexpr uint64_t kMaxRatio = 1032;

[[noreturn]] void fail(const std::string &what) {
  throw InputError("malformed archive: " + what);
}

/// The `size` bytes at `offset`, if the archive has them.
std::string_view slice(std::string_view bytes, uint64_t offset, uint64_t size,
                       const char *what) {
  if (offset > bytes.size() || size > bytes.size() - offset)
    fail(std::string(what) + " lies outside the file");
  return bytes.substr(offset, size);
}

/// Reads numbers one after the other; the caller has checked the size.
class Fields {
public:
  explicit Fields(std::string_view bytes) : bytes(bytes) {}

  uint64_t read(size_t size) {
    uint64_t value = 0;
    for (size_t i = 0; i < size; ++i)
      value |= static_cast<uint64_t>(static_cast<uint8_t>(bytes[i])) << 8 * i;
    bytes.remove_prefix(size);
    return value;
  }
  uint16_t u16() { return static_cast<uint16_t>(read(2)); }
  uint32_t u32() { return static_cast<uint32_t>(read(4)); }
  uint64_t u64() { return read(8); }
  void skip(size_t size) { bytes.remove_prefix(size); }
  size_t left() const { return bytes.size(); }

private:
  std::string_view bytes;
};

/// Where the central directory is.
struct Directory {
  uint64_t count, offset;
};

Directory readEnd64(std::string_view archive, size_t endOffset) {
  if (endOffset < kEnd64LocatorSize)
    fail("no ZIP64 locator");
  Fields locator(archive.substr(endOffset - kEnd64LocatorSize));
  if (locator.u32() != kEnd64Locator)
    fail("no ZIP64 locator");
  locator.skip(4);
  Fields end(slice(archive, locator.u64(), kEnd64Size, "the ZIP64 end"));
  if (end.u32() != kEnd64)
    fail("no ZIP64 end record");
  end.skip(28);
  uint64_t count = end.u64();
  end.skip(8);
  return {count, end.u64()};
}

Directory findDirectory(std::string_view archive) {
  // The end record stands last, before a comment of up to 65,535 bytes.
  for (size_t back = kEndSize;
       back <= std::min<size_t>(archive.size(), kEndSize + 0xFFFF); ++back) {
    Fields end(archive.substr(archive.size() - back, kEndSize));
    if (end.u32() != kEnd)
      continue;
    end.skip(6);
    uint64_t count = end.u16();
    end.skip(4);
    uint64_t offset = end.u32();
    if (count == 0xFFFF || offset == kInField64)
      return readEnd64(archive, archive.size() - back);
    return {count, offset};
  }
  throw InputError("no .npz archive (a ZIP file): its end record is missing");
}

/// Replaces the values that a header moved into its ZIP64 field, in the order
/// in which the field holds them.
void readField64(std::string_view extra, std::vector<uint64_t *> moved) {
  Fields fields(extra);
  while (fields.left() >= 4) {
    uint16_t id = fields.u16();
    size_t size = fields.u16();
    if (size > fields.left())
      break;
    if (id != kZip64Field) {
      fields.skip(size);
      continue;
    }
    if (size < 8 * moved.size())
      break;
    for (uint64_t *value : moved)
      *value = fields.u64();
    return;
  }
  if (!moved.empty())
    fail("a ZIP64 field is missing");
}

/// The packed bytes behind the local header at `offset`.
std::string_view readLocal(std::string_view archive, uint64_t offset,
                           uint64_t packedSize) {
  Fields local(slice(archive, offset, kLocalHeaderSize, "a local header"));
  if (local.u32() != kLocalHeader)
    fail("no local header where the directory says");
  local.skip(22);
  uint64_t names = local.u16();
  names += local.u16();
  return slice(archive, offset + kLocalHeaderSize + names, packedSize,
               "a file's contents");
}

/// Reads the header at `offset` and moves `offset` behind it.
ZipEntry readCentral(std::string_view archive, uint64_t &offset) {
  Fields header(slice(archive, offset, kCentralHeaderSize, "the directory"));
  if (header.u32() != kCentralHeader)
    fail("no directory where the end record says");
  ZipEntry entry;
  header.skip(4);
  uint16_t flags = header.u16();
  entry.method = header.u16();
  header.skip(4);
  entry.checksum = header.u32();
  uint64_t packedSize = header.u32();
  entry.size = header.u32();
  uint64_t nameSize = header.u16(), extraSize = header.u16(),
           commentSize = header.u16();
  header.skip(8);
  uint64_t localOffset = header.u32();
  std::string_view tail =
      slice(archive, offset + kCentralHeaderSize,
            nameSize + extraSize + commentSize, "the directory");
  entry.name = tail.substr(0, nameSize);
  if (flags & 1)
    throw InputError("'" + entry.name + "' is encrypted");
  std::vector<uint64_t *> moved;
  for (uint64_t *value : {&entry.size, &packedSize, &localOffset})
    if (*value == kInField64)
      moved.push_back(value);
  readField64(tail.substr(nameSize, extraSize), moved);
  entry.packed = readLocal(archive, localOffset, packedSize);
  offset += kCentralHeaderSize + tail.size();
  return entry;
}

/// The checksum of what `checksum` is of, followed by `bytes`.
uint32_t computeChecksum(uint32_t checksum, std::string_view bytes) {
  if (bytes.empty()) // zlib starts afresh at a null pointer
    return checksum;
  return static_cast<uint32_t>(crc32_z(
      checksum, reinterpret_cast<const Bytef *>(bytes.data()), bytes.size()));
}

std::string inflateEntry(const ZipEntry &entry) {
  if (entry.size / kMaxRatio > entry.packed.size())
    fail("'" + entry.name + "' claims " + std::to_string(entry.size) +
         " bytes, more than " + std::to_string(entry.packed.size()) +
         " packed bytes can hold");
  std::string contents(entry.size, '\0');
  z_stream stream = {};
  // Negative: raw deflate, as ZIP has it.
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
    throw std::bad_alloc();
  size_t read = 0, written = 0;
  int result = Z_OK;
  // zlib counts in 32 bits: larger files go through in turns.
  constexpr size_t kTurn = size_t(1) << 30;
  while (result == Z_OK) {
    size_t input = std::min(kTurn, entry.packed.size() - read);
    size_t output = std::min(kTurn, contents.size() - written);
    stream.next_in = reinterpret_cast<Bytef *>(
        const_cast<char *>(entry.packed.data() + read));
    stream.avail_in = static_cast<uInt>(input);
    stream.next_out = reinterpret_cast<Bytef *>(&contents[written]);
    stream.avail_out = static_cast<uInt>(output);
    result = inflate(&stream, Z_NO_FLUSH);
    read += input - stream.avail_in;
    written += output - stream.avail_out;
  }
  inflateEnd(&stream);
  if (result != Z_STREAM_END || written != contents.size())
    fail("'" + entry.name + "' does not unpack to its " +
         std::to_string(entry.size) + " bytes");
  return contents;
}

/// Collects numbers for a header.
class Record {
public:
  Record &put(uint64_t value, size_t size) {
    for (size_t i = 0; i < size; ++i)
      bytes.push_back(static_cast<char>(value >> 8 * i));
    return *this;
  }
  Record &put16(uint64_t value) { return put(value, 2); }
  Record &put32(uint64_t value) { return put(value, 4); }
  Record &put64(uint64_t value) { return put(value, 8); }
  operator std::string_view() const { return bytes; }

private:
  std::string bytes;
};

} // namespace

std::vector<ZipEntry> tern::runtime::listZip(std::string_view archive) {
  Directory directory = findDirectory(archive);
  std::vector<ZipEntry> entries;
  uint64_t offset = directory.offset;
  // Each turn reads a header or fails, so the count need not be trusted.
  for (uint64_t i = 0; i < directory.count; ++i)
    entries.push_back(readCentral(archive, offset));
  return entries;
}

std::string tern::runtime::unpack(const ZipEntry &entry) {
  std::string contents;
  if (entry.method == 0 && entry.size == entry.packed.size())
    contents = entry.packed;
  else if (entry.method == 8)
    contents = inflateEntry(entry);
  else
    fail("'" + entry.name + "' is packed by method " +
         std::to_string(entry.method) + "; expected 0 or 8");
  if (computeChecksum(0, contents) != entry.checksum)
    fail("'" + entry.name + "' does not match its checksum");
  return contents;
}

void ZipWriter::write(std::string_view bytes) {
  file.write(bytes.data(), bytes.size());
  position += bytes.size();
}

// Every entry has a ZIP64 field: one form for files of every size, and the same
// that numpy.savez writes.

void ZipWriter::add(const std::string &name,
                    const std::vector<std::string_view> &parts) {
  Written entry = {name, 0, 0, position};
  for (std::string_view part : parts) {
    entry.checksum = computeChecksum(entry.checksum, part);
    entry.size += part.size();
  }
  Record header;
  header.put32(kLocalHeader).put16(45).put16(kUtf8Names).put16(0);
  header.put16(0).put16(0x21); // midnight, 1 January 1980
  header.put32(entry.checksum).put32(kInField64).put32(kInField64);
  header.put16(name.size()).put16(20);
  write(header);
  write(name);
  Record field;
  write(field.put16(kZip64Field).put16(16).put64(entry.size).put64(entry.size));
  for (std::string_view part : parts)
    write(part);
  entries.push_back(std::move(entry));
}

void ZipWriter::finish() {
  uint64_t start = position;
  for (const Written &entry : entries) {
    Record header;
    header.put32(kCentralHeader).put16(45).put16(45);
    header.put16(kUtf8Names).put16(0);
    header.put16(0).put16(0x21);
    header.put32(entry.checksum).put32(kInField64).put32(kInField64);
    header.put16(entry.name.size()).put16(28).put16(0).put16(0).put16(0);
    header.put32(0).put32(kInField64);
    write(header);
    write(entry.name);
    Record field;
    field.put16(kZip64Field).put16(24);
    write(field.put64(entry.size).put64(entry.size).put64(entry.offset));
  }
  uint64_t size = position - start, end = position;
  Record record;
  record.put32(kEnd64).put64(44).put16(45).put16(45).put32(0).put32(0);
  record.put64(entries.size()).put64(entries.size()).put64(size).put64(start);
  record.put32(kEnd64Locator).put32(0).put64(end).put32(1);
  record.put32(kEnd).put16(0).put16(0).put16(0xFFFF).put16(0xFFFF);
  record.put32(kInField64).put32(kInField64).put16(0);
  write(record);
}

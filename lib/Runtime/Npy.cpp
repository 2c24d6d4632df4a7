//===- Npy.cpp - NumPy's files of one array -------------------------------===//

#include "tern/Runtime/Npz.h"

#include "tern/Runtime/Error.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstring>

using namespace tern::runtime;

namespace {

constexpr std::string_view kMagic = "\x93NUMPY";

struct TypeCode {
  std::string_view code; ///< without the byte order
  int32_t dtype;
};

constexpr TypeCode kTypeCodes[] = {
    {"f4", TERN_F32}, {"f2", TERN_F16}, {"f8", TERN_F64}, {"i1", TERN_I8},
    {"i2", TERN_I16}, {"i4", TERN_I32}, {"i8", TERN_I64}, {"u1", TERN_U8},
    {"u2", TERN_U16}, {"u4", TERN_U32}, {"u8", TERN_U64}, {"b1", TERN_BOOL},
    {"V2", TERN_BF16}};

struct Header {
  int32_t dtype = 0;
  bool isBigEndian = false;
  bool isFortran = false; ///< the first dimension varies fastest
  std::vector<int64_t> dims;
};

/// Parses the Python dictionary {'descr': '<f4', 'fortran_order': False,
/// 'shape': (2, 3), } in any order of its keys.
class HeaderParser {
public:
  explicit HeaderParser(std::string_view text) : text(text) {}

  Header parse() {
    expect('{');
    while (!accept('}')) {
      std::string_view key = parseString();
      expect(':');
      if (key == "descr")
        parseType();
      else if (key == "fortran_order")
        header.isFortran = parseBool();
      else if (key == "shape")
        parseShape();
      else
        fail("key '" + std::string(key) + "'");
      accept(',');
    }
    if (header.dtype == 0 || !hasShape)
      fail("no 'descr' or no 'shape'");
    return std::move(header);
  }

private:
  [[noreturn]] void fail(const std::string &found) const {
    throw InputError("malformed array header: " + found + " in " +
                     std::string(whole.substr(0, 200)));
  }

  void skipSpace() {
    while (!text.empty() &&
           std::isspace(static_cast<unsigned char>(text.front())))
      text.remove_prefix(1);
  }

  bool accept(char c) {
    skipSpace();
    if (text.empty() || text.front() != c)
      return false;
    text.remove_prefix(1);
    return true;
  }

  void expect(char c) {
    if (!accept(c))
      fail(std::string("no '") + c + "'");
  }

  std::string_view parseString() {
    skipSpace();
    char quote = text.empty() ? '\0' : text.front();
    size_t end = quote == '\'' || quote == '"' ? text.find(quote, 1)
                                               : std::string_view::npos;
    if (end == std::string_view::npos)
      fail("no quoted string");
    std::string_view result = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    return result;
  }

  bool parseBool() {
    skipSpace();
    for (std::string_view word : {"True", "False"}) {
      if (text.substr(0, word.size()) != word)
        continue;
      text.remove_prefix(word.size());
      return word == "True";
    }
    fail("no truth value");
  }

  void parseType() {
    skipSpace();
    if (!text.empty() && text.front() == '[')
      throw InputError("arrays of structures are not supported");
    std::string_view code = parseString();
    char order = code.empty() ? '\0' : code.front();
    header.isBigEndian = order == '>';
    for (const TypeCode &type : kTypeCodes)
      if (!code.empty() && type.code == code.substr(1))
        header.dtype = type.dtype;
    if (header.dtype == 0 || !std::strchr("<>|=", order))
      throw InputError("element type '" + std::string(code) +
                       "' is not supported");
  }

  void parseShape() {
    expect('(');
    while (!accept(')')) {
      skipSpace();
      int64_t dim = -1;
      auto [end, error] =
          std::from_chars(text.data(), text.data() + text.size(), dim);
      if (error != std::errc() || dim < 0)
        fail("no dimension of at least 0");
      text.remove_prefix(static_cast<size_t>(end - text.data()));
      header.dims.push_back(dim);
      accept(',');
    }
    if (header.dims.size() > TERN_MAX_RANK)
      throw InputError("the array has " + std::to_string(header.dims.size()) +
                       " dimensions; at most " + std::to_string(TERN_MAX_RANK) +
                       " are supported");
    hasShape = true;
  }

  std::string_view text;
  std::string_view whole = text;
  Header header;
  bool hasShape = false;
};

/// Cuts the header off `bytes`, which then hold the elements.
Header readHeader(std::string_view &bytes) {
  if (bytes.substr(0, kMagic.size()) != kMagic || bytes.size() < 12)
    throw InputError("no NumPy array: its first bytes are not \\x93NUMPY");
  int version = bytes[6];
  if (version < 1 || version > 3)
    throw InputError("NumPy array format " + std::to_string(version) +
                     "; expected 1, 2 or 3");
  size_t lengthSize = version == 1 ? 2 : 4;
  size_t length = 0;
  for (size_t i = 0; i < lengthSize; ++i)
    length |= static_cast<size_t>(static_cast<uint8_t>(bytes[8 + i])) << 8 * i;
  bytes.remove_prefix(8 + lengthSize);
  if (length > bytes.size())
    throw InputError("the array's header is cut off");
  Header header = HeaderParser(bytes.substr(0, length)).parse();
  bytes.remove_prefix(length);
  return header;
}

/// \throws InputError unless `bytes` hold the elements that the header claims.
void checkSize(const Header &header, std::string_view bytes) {
  size_t expected = elementSize(header.dtype);
  bool overflows = false;
  for (int64_t dim : header.dims)
    overflows |=
        __builtin_mul_overflow(expected, static_cast<size_t>(dim), &expected);
  if (overflows || expected != bytes.size())
    throw InputError("the array's header claims " +
                     (overflows ? "too many" : std::to_string(expected)) +
                     " bytes, found " + std::to_string(bytes.size()));
}

/// Copies elements from Fortran's order into C's.
void copyTransposed(std::string_view bytes, Tensor &tensor) {
  std::vector<int64_t> dims = tensor.dims();
  std::vector<int64_t> index(dims.size());
  size_t size = elementSize(tensor.dtype());
  char *out = tensor.data<char>();
  for (int64_t i = 0; i < tensor.numElements(); ++i) {
    size_t source = 0;
    for (size_t d = dims.size(); d-- > 0;)
      source =
          source * static_cast<size_t>(dims[d]) + static_cast<size_t>(index[d]);
    std::memcpy(out + static_cast<size_t>(i) * size,
                bytes.data() + source * size, size);
    for (size_t d = dims.size(); d-- > 0;) {
      if (++index[d] < dims[d])
        break;
      index[d] = 0;
    }
  }
}

void swapBytes(Tensor &tensor) {
  size_t size = elementSize(tensor.dtype());
  char *bytes = tensor.data<char>();
  for (size_t i = 0; i < tensor.numBytes(); i += size)
    std::reverse(bytes + i, bytes + i + size);
}

} // namespace

Tensor tern::runtime::parseNpy(std::string_view bytes) {
  Header header = readHeader(bytes);
  checkSize(header, bytes);
  Tensor tensor(header.dtype, header.dims);
  if (header.isFortran)
    copyTransposed(bytes, tensor);
  else
    std::memcpy(tensor.data<char>(), bytes.data(), bytes.size());
  if (header.isBigEndian)
    swapBytes(tensor);
  // Generated code relies on 0 and 1.
  if (header.dtype == TERN_BOOL)
    for (size_t i = 0; i < tensor.numBytes(); ++i)
      tensor.data<uint8_t>()[i] = tensor.data<uint8_t>()[i] != 0;
  return tensor;
}

std::string tern::runtime::makeNpyHeader(const Tensor &tensor) {
  int32_t dtype = tensor.dtype() == TERN_BF16 ? TERN_F32 : tensor.dtype();
  std::string_view code;
  for (const TypeCode &type : kTypeCodes)
    if (type.dtype == dtype)
      code = type.code;
  char order = elementSize(dtype) == 1 ? '|' : '<';
  std::string text = "{'descr': '";
  text += order;
  text += code;
  text += "', 'fortran_order': False, 'shape': (";
  for (int64_t dim : tensor.dims())
    text += std::to_string(dim) + ", ";
  text += "), }";
  // Elements start at a multiple of 64 bytes.
  constexpr size_t kPrefix = 10;
  text.resize((kPrefix + text.size()) / 64 * 64 + 64 - kPrefix - 1, ' ');
  text += '\n';
  std::string header(kMagic);
  header += {1, 0, static_cast<char>(text.size() & 0xFF),
             static_cast<char>(text.size() >> 8)};
  return header + text;
}

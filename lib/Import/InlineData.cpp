//===- InlineData.cpp - large tensors of a model file, in place -----------===//

#include "InlineData.h"

#include <onnx/onnx_pb.h>

#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/LEB128.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace tern::importer;

namespace {

using ::onnx::GraphProto;
using ::onnx::ModelProto;
using ::onnx::TensorProto;

/// The wire types that onnx.proto3 uses; groups are none of them.
enum WireType : unsigned {
  Varint = 0,
  Fixed64 = 1,
  LengthDelimited = 2,
  Fixed32 = 5
};

/// One field of a message.
struct Field {
  unsigned number;
  unsigned type;
  StringRef whole;   ///< with its tag
  StringRef payload; ///< of a length-delimited field
};

/// Reads a message field by field. The bytes may be anything.
class FieldReader {
public:
  explicit FieldReader(StringRef message) : rest(message) {}

  bool atEnd() const { return rest.empty(); }
  /// The next field, or nullopt where the bytes are none.
  std::optional<Field> next();

private:
  std::optional<uint64_t> readVarint();

  StringRef rest;
};

} // namespace

std::optional<uint64_t> FieldReader::readVarint() {
  const char *error = nullptr;
  unsigned size = 0;
  // 64 bits take at most ten bytes.
  StringRef bytes = rest.take_front(10);
  uint64_t value =
      decodeULEB128(bytes.bytes_begin(), &size, bytes.bytes_end(), &error);
  if (error)
    return std::nullopt;
  rest = rest.drop_front(size);
  return value;
}

std::optional<Field> FieldReader::next() {
  StringRef begin = rest;
  std::optional<uint64_t> tag = readVarint();
  // No field has the number 0: protobuf's parser takes it for the end.
  if (!tag || *tag > UINT32_MAX || *tag >> 3 == 0)
    return std::nullopt;
  Field field = {static_cast<unsigned>(*tag >> 3),
                 static_cast<unsigned>(*tag & 7),
                 {},
                 {}};
  std::optional<uint64_t> size;
  switch (field.type) {
  case Varint:
    size = readVarint() ? std::optional<uint64_t>(0) : std::nullopt;
    break;
  case Fixed64:
    size = 8;
    break;
  case Fixed32:
    size = 4;
    break;
  case LengthDelimited:
    size = readVarint();
    break;
  }
  if (!size || *size > rest.size())
    return std::nullopt;
  field.payload = rest.take_front(*size);
  rest = rest.drop_front(*size);
  field.whole = begin.drop_back(rest.size());
  return field;
}

static bool isMessage(const Field &field, int number) {
  return field.number == static_cast<unsigned>(number) &&
         field.type == LengthDelimited;
}

/// Appends a length-delimited field.
static void append(raw_ostream &os, int number, StringRef payload) {
  encodeULEB128(static_cast<uint64_t>(number) << 3 | LengthDelimited, os);
  encodeULEB128(payload.size(), os);
  os << payload;
}

namespace {

/// Copies a model but for the data of its plain, large initializers.
class Stripper {
public:
  explicit Stripper(size_t minBytes) : minBytes(minBytes) {}

  std::optional<StrippedModel> run(StringRef model);

private:
  bool copyGraph(StringRef graph, raw_ostream &os);
  void copyInitializer(const Field &field, raw_ostream &os);

  size_t minBytes;
  int numInitializers = 0;
  StrippedModel result;
};

} // namespace

/// True for the fields, besides the data, that a plain initializer has.
static bool isDescription(const Field &field) {
  return field.number == TensorProto::kDimsFieldNumber ||
         field.number == TensorProto::kDataTypeFieldNumber ||
         field.number == TensorProto::kNameFieldNumber ||
         field.number == TensorProto::kDocStringFieldNumber;
}

/// Copies a plain tensor but for its data, which it returns; nullopt where the
/// tensor is anything else.
static std::optional<StringRef> stripTensor(StringRef tensor, raw_ostream &os) {
  FieldReader reader(tensor);
  std::optional<StringRef> data;
  while (!reader.atEnd()) {
    std::optional<Field> field = reader.next();
    if (!field)
      return std::nullopt;
    bool isData = isMessage(*field, TensorProto::kRawDataFieldNumber);
    if (isData ? data.has_value() : !isDescription(*field))
      return std::nullopt;
    if (isData)
      data = field->payload;
    else
      os << field->whole;
  }
  return data;
}

void Stripper::copyInitializer(const Field &field, raw_ostream &os) {
  std::string kept;
  raw_string_ostream keptOs(kept);
  std::optional<StringRef> data;
  if (field.payload.size() > minBytes)
    data = stripTensor(field.payload, keptOs);
  if (data && data->size() > minBytes) {
    append(os, GraphProto::kInitializerFieldNumber, kept);
    result.data[numInitializers] = ArrayRef(data->data(), data->size());
  } else {
    os << field.whole;
  }
  ++numInitializers;
}

bool Stripper::copyGraph(StringRef graph, raw_ostream &os) {
  FieldReader reader(graph);
  while (!reader.atEnd()) {
    std::optional<Field> field = reader.next();
    if (!field)
      return false;
    if (!isMessage(*field, GraphProto::kInitializerFieldNumber)) {
      os << field->whole;
      continue;
    }
    copyInitializer(*field, os);
  }
  return true;
}

std::optional<StrippedModel> Stripper::run(StringRef model) {
  FieldReader reader(model);
  raw_string_ostream os(result.bytes);
  bool hasGraph = false;
  while (!reader.atEnd()) {
    std::optional<Field> field = reader.next();
    if (!field)
      return std::nullopt;
    if (!isMessage(*field, ModelProto::kGraphFieldNumber)) {
      os << field->whole;
      continue;
    }
    // Parts of one graph, which protobuf would merge, come from no exporter.
    if (std::exchange(hasGraph, true))
      return std::nullopt;
    std::string graph;
    raw_string_ostream graphOs(graph);
    if (!copyGraph(field->payload, graphOs))
      return std::nullopt;
    append(os, ModelProto::kGraphFieldNumber, graph);
  }
  if (result.data.empty())
    return std::nullopt;
  return std::move(result);
}

std::optional<StrippedModel> tern::importer::stripInlineData(StringRef model,
                                                             size_t minBytes) {
  return Stripper(minBytes).run(model);
}

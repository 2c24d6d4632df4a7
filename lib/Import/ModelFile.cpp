//===- ModelFile.cpp - an ONNX model in memory ----------------------------===//

#include "ModelFile.h"

#include "InlineData.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"

#include <onnx/common/constants.h>
#include <onnx/defs/schema.h>
#include <onnx/proto_utils.h>

using namespace mlir;
using namespace tern::importer;

// Protobuf counts the bytes of a message in a signed 32-bit integer.
constexpr uint64_t kMaxProtobufBytes = 0x7fffffff;

// What ONNX calls its own domain in a message.
static std::string getDomainText(const std::string &domain) {
  return domain.empty() ? "ai.onnx" : domain;
}

const std::string &tern::importer::getNodeName(const onnxlib::NodeProto &node) {
  if (!node.name().empty() || node.output().empty())
    return node.name();
  return node.output(0);
}

std::string tern::importer::getOperatorName(const onnxlib::NodeProto &node) {
  if (node.domain().empty())
    return node.op_type();
  return node.domain() + "::" + node.op_type();
}

ModelFile::ModelFile(StringRef path, MLIRContext &context)
    : path(path), location(FileLineColLoc::get(&context, path, 0, 0)) {}

std::unique_ptr<ModelFile> ModelFile::load(StringRef path, MLIRContext &context,
                                           size_t maxCopiedBytes) {
  std::unique_ptr<ModelFile> file(new ModelFile(path, context));
  if (failed(file->parse(maxCopiedBytes)))
    return nullptr;
  file->normalizeDomains();
  if (failed(file->readOpsets()))
    return nullptr;
  return file;
}

LogicalResult ModelFile::parse(size_t maxCopiedBytes) {
  llvm::sys::fs::file_status status;
  if (std::error_code error = llvm::sys::fs::status(path, status))
    return emitError() << "cannot read the model: " << error.message();
  // A pipe or a device may never end.
  if (!llvm::sys::fs::is_regular_file(status))
    return emitError() << "cannot read the model: it is not a regular file";
  if (status.getSize() > kMaxProtobufBytes)
    return emitError()
           << "the model file holds " << status.getSize()
           << " bytes; a protobuf holds at most " << kMaxProtobufBytes
           << ": save the weights as external data beside the model";
  auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                          /*RequiresNullTerminator=*/false);
  if (std::error_code error = file.getError())
    return emitError() << "cannot read the model: " << error.message();
  buffer = std::move(*file);

  if (failed(parseBytes(maxCopiedBytes)))
    return emitError() << "not an ONNX model, or a truncated one: its "
                       << buffer->getBufferSize()
                       << " bytes are no ModelProto protobuf";
  if (!model.has_graph())
    return emitError() << "not an ONNX model: it holds no graph";
  if (model.ir_version() < 1 || model.ir_version() > onnxlib::IR_VERSION)
    return emitError() << "the model has IR version " << model.ir_version()
                       << "; expected 1 to " << int(onnxlib::IR_VERSION);
  return success();
}

LogicalResult ModelFile::parseBytes(size_t maxCopiedBytes) {
  StringRef bytes = buffer->getBuffer();
  std::optional<StrippedModel> stripped =
      stripInlineData(bytes, maxCopiedBytes);
  if (stripped)
    bytes = stripped->bytes;
  if (!onnxlib::ParseProtoFromBytes(&model, bytes.data(), bytes.size()))
    return failure();
  if (stripped)
    for (auto [index, data] : stripped->data)
      inlineData[&model.graph().initializer(index)] = data;
  return success();
}

std::optional<FileSlice>
ModelFile::findInlineData(const onnxlib::TensorProto &tensor) const {
  auto it = inlineData.find(&tensor);
  if (it == inlineData.end())
    return std::nullopt;
  return FileSlice{buffer, it->second};
}

void ModelFile::normalizeDomains() {
  auto normalize = [](std::string *domain) {
    if (*domain == onnxlib::AI_ONNX_DOMAIN)
      domain->clear();
  };
  for (auto &opset : *model.mutable_opset_import())
    normalize(opset.mutable_domain());
  for (auto &node : *model.mutable_graph()->mutable_node())
    normalize(node.mutable_domain());
  for (auto &function : *model.mutable_functions()) {
    normalize(function.mutable_domain());
    for (auto &opset : *function.mutable_opset_import())
      normalize(opset.mutable_domain());
    for (auto &node : *function.mutable_node())
      normalize(node.mutable_domain());
  }
}

LogicalResult ModelFile::readOpsets() {
  // Before IR version 3 there was one operator set, and nothing to import.
  if (model.ir_version() < 3 && model.opset_import().empty())
    addOpset("", 1);
  const auto &ranges =
      onnxlib::OpSchemaRegistry::DomainToVersionRange::Instance().Map();
  for (const auto &opset : model.opset_import()) {
    auto range = ranges.find(opset.domain());
    int64_t last = range == ranges.end() ? std::numeric_limits<int>::max()
                                         : range->second.second;
    if (opset.version() < 1 || opset.version() > last)
      return emitError() << "the model imports opset " << opset.version()
                         << " of domain '" << getDomainText(opset.domain())
                         << "'; expected 1 to " << last;
    int imported = getOpset(opset.domain());
    if (imported && imported != opset.version())
      return emitError() << "the model imports opsets " << imported << " and "
                         << opset.version() << " of domain '"
                         << getDomainText(opset.domain())
                         << "'; expected one version";
    opsets[opset.domain()] = static_cast<int>(opset.version());
  }
  return success();
}

int ModelFile::getOpset(const std::string &domain) const {
  auto it = opsets.find(domain);
  return it == opsets.end() ? 0 : it->second;
}

void ModelFile::addOpset(const std::string &domain, int version) {
  opsets[domain] = version;
}

Location ModelFile::getLoc(StringRef name) const {
  if (name.empty())
    return location;
  return NameLoc::get(StringAttr::get(location.getContext(), name), location);
}

Location ModelFile::getLoc(const onnxlib::NodeProto &node) const {
  return getLoc(getNodeName(node));
}

InFlightDiagnostic ModelFile::emitError() const {
  return mlir::emitError(location);
}

InFlightDiagnostic ModelFile::emitError(const onnxlib::NodeProto &node) const {
  InFlightDiagnostic diagnostic = mlir::emitError(getLoc(node));
  diagnostic << "node '" << getNodeName(node) << "' (" << getOperatorName(node);
  if (int opset = getOpset(node.domain()))
    diagnostic << ", opset " << opset;
  diagnostic << "): ";
  return diagnostic;
}

InFlightDiagnostic ModelFile::emitTensorError(StringRef name) const {
  InFlightDiagnostic diagnostic = mlir::emitError(getLoc(name));
  diagnostic << "tensor '" << name << "': ";
  return diagnostic;
}

//===- GraphBuilder.cpp - from a verified graph to a module ---------------===//

#include "GraphBuilder.h"

#include "NodeAttributes.h"

#include "tern/Dialect/Onnx/IR/Onnx.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tern::importer;

using onnxlib::NodeProto;
using onnxlib::TypeProto;

namespace {

class GraphBuilder {
public:
  GraphBuilder(ModelFile &file, const TypeMap &types, TensorReader &reader)
      : file(file), graph(file.getGraph()), types(types), reader(reader),
        builder(&file.getContext()) {}

  OwningOpRef<ModuleOp> build();

private:
  LogicalResult annotateModule(ModuleOp module);
  void findLiveValues();
  LogicalResult buildArguments(func::FuncOp function);
  void buildConstants();
  LogicalResult buildNode(NodeProto &node);
  LogicalResult buildReturn(func::FuncOp function);

  FailureOr<Type> getInputType(const std::string &name);
  FailureOr<Type> getOutputType(const NodeProto &node, const std::string &name);
  LogicalResult checkDeclaredType(const onnxlib::ValueInfoProto &output);
  DictionaryAttr getValueAttrs(const std::string &name);
  Location getLoc(const NodeProto &node);
  Value getNone();

  ModelFile &file;
  onnxlib::GraphProto &graph;
  const TypeMap &types;
  TensorReader &reader;
  OpBuilder builder;
  /// Names of the values that some output depends on.
  llvm::StringSet<> live;
  llvm::StringMap<Value> values;
  llvm::StringMap<unsigned> numNodes; ///< built so far, by name
  Value none;
};

} // namespace

// The type of a tensor; null where there is none. Unknown dimensions may be
// written as absent or as -1.
static Type convertType(const TypeProto &type, MLIRContext &context) {
  Type elementType = getElementType(type.tensor_type().elem_type(), context);
  if (!elementType)
    return {};
  if (!type.tensor_type().has_shape())
    return UnrankedTensorType::get(elementType);
  SmallVector<int64_t> shape;
  for (const auto &dim : type.tensor_type().shape().dim())
    shape.push_back(dim.has_dim_value() && dim.dim_value() >= 0
                        ? dim.dim_value()
                        : ShapedType::kDynamic);
  return RankedTensorType::get(shape, elementType);
}

// True where the product of the known dimensions fits 64 bits, with room for
// the widest element.
static bool isAddressable(Type type) {
  auto shaped = cast<ShapedType>(type);
  if (!shaped.hasRank())
    return true;
  int64_t bytes = 16;
  for (int64_t dim : shaped.getShape())
    if (!ShapedType::isDynamic(dim) && dim != 0 &&
        llvm::MulOverflow(bytes, dim, bytes))
      return false;
  return true;
}

OwningOpRef<ModuleOp> GraphBuilder::build() {
  OwningOpRef<ModuleOp> module = ModuleOp::create(file.getLoc());
  if (failed(annotateModule(*module)))
    return nullptr;
  findLiveValues();
  builder.setInsertionPointToEnd(module->getBody());
  auto function = func::FuncOp::create(builder, file.getLoc(), "main",
                                       builder.getFunctionType({}, {}));
  builder.setInsertionPointToEnd(function.addEntryBlock());
  if (failed(buildArguments(function)))
    return nullptr;
  buildConstants();
  for (NodeProto &node : *graph.mutable_node())
    if (failed(buildNode(node)))
      return nullptr;
  if (failed(buildReturn(function)))
    return nullptr;
  return module;
}

LogicalResult GraphBuilder::annotateModule(ModuleOp module) {
  const onnxlib::ModelProto &model = file.getModel();
  NamedAttrList opsets, metadata;
  for (const auto &[domain, version] : file.getOpsets())
    opsets.set(domain.empty() ? "ai.onnx" : domain,
               builder.getI64IntegerAttr(version));
  for (const auto &entry : model.metadata_props()) {
    if (entry.key().empty() || metadata.get(entry.key()))
      return file.emitError() << "the metadata has key '" << entry.key()
                              << "' twice, or an empty one";
    metadata.set(entry.key(), builder.getStringAttr(entry.value()));
  }
  module->setAttr("onnx.opsets", opsets.getDictionary(builder.getContext()));
  if (!graph.name().empty())
    module->setAttr("onnx.name", builder.getStringAttr(graph.name()));
  if (!model.producer_name().empty())
    module->setAttr("onnx.producer", builder.getStringAttr(
                                         StringRef(model.producer_name() + " " +
                                                   model.producer_version())
                                             .rtrim()));
  if (!metadata.empty())
    module->setAttr("onnx.metadata",
                    metadata.getDictionary(builder.getContext()));
  return success();
}

void GraphBuilder::findLiveValues() {
  for (const auto &output : graph.output())
    live.insert(output.name());
  for (const NodeProto &node : llvm::reverse(graph.node()))
    if (llvm::any_of(node.output(), [&](const std::string &output) {
          return live.contains(output);
        }))
      for (const std::string &input : node.input())
        live.insert(input);
}

// Adds what is wrong with `type`, which `convertType` refused or which holds
// more elements than can be counted.
static LogicalResult explainType(InFlightDiagnostic diagnostic,
                                 const std::string &name,
                                 const TypeProto &type) {
  diagnostic << "'" << name << "' has ";
  if (type.value_case() == TypeProto::VALUE_NOT_SET)
    diagnostic << "an unknown type";
  else if (!type.has_tensor_type())
    diagnostic << "a type other than tensor";
  else if (!getElementType(type.tensor_type().elem_type(),
                           *diagnostic.getUnderlyingDiagnostic()
                                ->getLocation()
                                .getContext()))
    diagnostic << "element type "
               << getDataTypeName(type.tensor_type().elem_type());
  else
    diagnostic << "more elements than 64 bits can count";
  return diagnostic << "; expected a tensor of numbers";
}

FailureOr<Type> GraphBuilder::getInputType(const std::string &name) {
  const TypeProto &type = types.at(name);
  Type converted = convertType(type, file.getContext());
  if (converted && isAddressable(converted))
    return converted;
  return explainType(mlir::emitError(file.getLoc(StringRef(name)))
                         << "graph input ",
                     name, type);
}

FailureOr<Type> GraphBuilder::getOutputType(const NodeProto &node,
                                            const std::string &name) {
  auto it = types.find(name);
  const TypeProto &type =
      it == types.end() ? TypeProto::default_instance() : it->second;
  Type converted = convertType(type, file.getContext());
  if (converted && isAddressable(converted))
    return converted;
  return explainType(file.emitError(node) << "output ", name, type);
}

// What the runtime needs to know of an input or output beside its type.
DictionaryAttr GraphBuilder::getValueAttrs(const std::string &name) {
  NamedAttrList attrs;
  attrs.set("onnx.name", builder.getStringAttr(name));
  const TypeProto &type = types.at(name);
  if (type.tensor_type().has_shape()) {
    SmallVector<StringRef> dims;
    for (const auto &dim : type.tensor_type().shape().dim())
      dims.push_back(dim.dim_param());
    attrs.set("onnx.dims", builder.getStrArrayAttr(dims));
  }
  return attrs.getDictionary(builder.getContext());
}

LogicalResult GraphBuilder::buildArguments(func::FuncOp function) {
  SmallVector<Type> argTypes;
  SmallVector<DictionaryAttr> argAttrs;
  for (const auto &input : graph.input()) {
    FailureOr<Type> type = getInputType(input.name());
    if (failed(type))
      return failure();
    argTypes.push_back(*type);
    argAttrs.push_back(getValueAttrs(input.name()));
    values[input.name()] = function.front().addArgument(
        *type, file.getLoc(StringRef(input.name())));
  }
  function.setType(builder.getFunctionType(argTypes, {}));
  function.setAllArgAttrs(argAttrs);
  return success();
}

void GraphBuilder::buildConstants() {
  for (auto &tensor : *graph.mutable_initializer()) {
    if (!live.contains(tensor.name()))
      continue;
    Location loc = file.getLoc(StringRef(tensor.name()));
    values[tensor.name()] = tern::onnx::ConstantOp::create(
        builder, loc, reader.read(tensor, tensor.name()));
  }
}

Value GraphBuilder::getNone() {
  if (!none) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(builder.getInsertionBlock());
    none = tern::onnx::NoneOp::create(builder, file.getLoc(),
                                      builder.getNoneType());
  }
  return none;
}

// Reports go by location: nodes of one name have one each.
Location GraphBuilder::getLoc(const NodeProto &node) {
  unsigned earlier = numNodes[getNodeName(node)]++;
  if (earlier == 0)
    return file.getLoc(node);
  auto within = cast<NameLoc>(file.getLoc(node));
  auto place = cast<FileLineColLoc>(file.getLoc());
  return NameLoc::get(within.getName(),
                      FileLineColLoc::get(place.getFilename(), 0, earlier));
}

LogicalResult GraphBuilder::buildNode(NodeProto &node) {
  auto isLive = [&](const std::string &name) {
    return !name.empty() && live.contains(name);
  };
  if (llvm::none_of(node.output(), isLive))
    return success();

  SmallVector<Value> inputs;
  for (const std::string &input : node.input())
    inputs.push_back(input.empty() ? getNone() : values.at(input));
  SmallVector<Type> outputTypes;
  for (const std::string &output : node.output()) {
    if (!isLive(output)) {
      outputTypes.push_back(builder.getNoneType());
      continue;
    }
    FailureOr<Type> type = getOutputType(node, output);
    if (failed(type))
      return failure();
    outputTypes.push_back(*type);
  }
  FailureOr<DictionaryAttr> attrs = convertAttributes(file, node, reader);
  if (failed(attrs))
    return failure();

  auto op = tern::onnx::NodeOp::create(builder, getLoc(node), outputTypes,
                                       getOperatorName(node), inputs, *attrs);
  for (auto [name, result] : llvm::zip_equal(node.output(), op.getOutputs()))
    if (!name.empty())
      values[name] = result;
  return success();
}

LogicalResult GraphBuilder::buildReturn(func::FuncOp function) {
  SmallVector<Value> results;
  SmallVector<DictionaryAttr> resultAttrs;
  for (const auto &output : graph.output()) {
    // An output may also be an initializer or an unused input.
    Value value = values.at(output.name());
    if (failed(checkDeclaredType(output)))
      return failure();
    results.push_back(value);
    resultAttrs.push_back(getValueAttrs(output.name()));
  }
  func::ReturnOp::create(builder, file.getLoc(), results);
  function.setType(builder.getFunctionType(function.getArgumentTypes(),
                                           ValueRange(results).getTypes()));
  function.setAllResultAttrs(resultAttrs);
  return success();
}

// An output whose element type the file gets wrong would be written and read as
// different types.
LogicalResult
GraphBuilder::checkDeclaredType(const onnxlib::ValueInfoProto &output) {
  int declared = output.type().tensor_type().elem_type();
  int derived = types.at(output.name()).tensor_type().elem_type();
  if (!declared || declared == derived)
    return success();
  return mlir::emitError(file.getLoc(StringRef(output.name())))
         << "graph output '" << output.name() << "' is declared as "
         << getDataTypeName(declared) << "; its value has type "
         << getDataTypeName(derived);
}

OwningOpRef<ModuleOp> tern::importer::buildModule(ModelFile &file,
                                                  const TypeMap &types,
                                                  TensorReader &reader) {
  return GraphBuilder(file, types, reader).build();
}

//===- FunctionInliner.cpp - model-local functions ------------------------===//

#include "FunctionInliner.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"

#include <onnx/common/proto_util.h>
#include <onnx/defs/schema.h>
#include <onnx/inliner/inliner.h>

#include <algorithm>
#include <map>

using namespace mlir;
using namespace tern::importer;

// Functions that call others twice each double the graph at every level.
constexpr uint64_t kMaxNodes = 1 << 20;
constexpr size_t kMaxDepth = 64;

namespace {

/// Walks the functions that the graph calls, checking that they can be inlined
/// and writing out what the inliner would overlook.
class FunctionChecker {
public:
  explicit FunctionChecker(ModelFile &file) : file(file) {}

  /// Checks every function reachable from the graph, and imports the domains
  /// that these need and the model lacks.
  LogicalResult check();

  bool isReachable(const onnxlib::FunctionProto &function) const {
    return sizes.count(onnxlib::GetFunctionImplId(function));
  }

private:
  using Nodes = google::protobuf::RepeatedPtrField<onnxlib::NodeProto>;

  LogicalResult checkNodes(Nodes &nodes, uint64_t &size);
  LogicalResult checkNode(onnxlib::NodeProto &node, uint64_t &size);
  LogicalResult addDefaults(onnxlib::NodeProto &call,
                            const onnxlib::FunctionProto &callee);
  LogicalResult checkCall(const onnxlib::NodeProto &call,
                          const onnxlib::FunctionProto &callee);
  LogicalResult checkCallee(const onnxlib::NodeProto &call,
                            onnxlib::FunctionProto &callee);
  LogicalResult adoptOpsets(onnxlib::FunctionProto &function);
  LogicalResult checkSameOperators(const onnxlib::FunctionProto &function,
                                   const std::string &domain, int64_t version);
  LogicalResult reportCycle(const onnxlib::NodeProto &call,
                            const onnxlib::FunctionProto &callee);

  ModelFile &file;
  std::map<std::string, onnxlib::FunctionProto *> functions;
  /// The functions being walked, outermost first.
  SmallVector<const onnxlib::FunctionProto *> path;
  /// The nodes that a call of each walked function becomes, by its id.
  std::map<std::string, uint64_t> sizes;
};

} // namespace

LogicalResult FunctionChecker::check() {
  for (auto &function : *file.getModel().mutable_functions())
    if (!functions.emplace(onnxlib::GetFunctionImplId(function), &function)
             .second)
      return file.emitError()
             << "function '" << onnxlib::GetFunctionImplId(function)
             << "' is defined twice";
  uint64_t size = 0;
  return checkNodes(*file.getGraph().mutable_node(), size);
}

LogicalResult FunctionChecker::checkNodes(Nodes &nodes, uint64_t &size) {
  for (onnxlib::NodeProto &node : nodes) {
    if (failed(checkNode(node, size)))
      return failure();
    if (size > kMaxNodes)
      return file.emitError(node)
             << "inlining functions makes more than " << kMaxNodes << " nodes";
  }
  return success();
}

LogicalResult FunctionChecker::checkNode(onnxlib::NodeProto &node,
                                         uint64_t &size) {
  for (const auto &attribute : node.attribute())
    if (attribute.has_g() || !attribute.graphs().empty())
      return file.emitError(node)
             << "unsupported control flow: attribute '" << attribute.name()
             << "' holds a graph; expected a node without subgraphs";
  auto callee = functions.find(onnxlib::GetCalleeId(node));
  if (callee == functions.end()) {
    ++size;
    return success();
  }
  if (failed(checkCall(node, *callee->second)) ||
      failed(addDefaults(node, *callee->second)) ||
      failed(checkCallee(node, *callee->second)))
    return failure();
  size += sizes[callee->first];
  return success();
}

LogicalResult FunctionChecker::checkCall(const onnxlib::NodeProto &call,
                                         const onnxlib::FunctionProto &callee) {
  if (call.input_size() > callee.input_size())
    return file.emitError(call)
           << "has " << call.input_size() << " inputs; its function takes "
           << callee.input_size();
  if (call.output_size() > callee.output_size())
    return file.emitError(call)
           << "has " << call.output_size() << " outputs; its function gives "
           << callee.output_size();
  return success();
}

// The inliner leaves out default values: gives `call` those that it needs.
LogicalResult
FunctionChecker::addDefaults(onnxlib::NodeProto &call,
                             const onnxlib::FunctionProto &callee) {
  for (const auto &parameter : callee.attribute_proto()) {
    auto given = llvm::find_if(call.attribute(), [&](const auto &attr) {
      return attr.name() == parameter.name();
    });
    if (given == call.attribute().end()) {
      *call.add_attribute() = parameter;
      continue;
    }
    // Whether a parameter without default has a value depends on the caller.
    if (!given->ref_attr_name().empty() && !path.empty() &&
        llvm::is_contained(path.back()->attribute(), given->ref_attr_name()))
      return file.emitError(call)
             << "attribute '" << given->name() << "' has a default, but is "
             << "given by parameter '" << given->ref_attr_name()
             << "' of function '" << onnxlib::GetFunctionImplId(*path.back())
             << "', which has none; expected a default for both";
  }
  return success();
}

LogicalResult FunctionChecker::checkCallee(const onnxlib::NodeProto &call,
                                           onnxlib::FunctionProto &callee) {
  if (llvm::is_contained(path, &callee))
    return reportCycle(call, callee);
  if (isReachable(callee))
    return success();
  if (path.size() == kMaxDepth)
    return file.emitError(call) << "functions call each other more than "
                                << kMaxDepth << " levels deep";
  path.push_back(&callee);
  uint64_t size = 0;
  if (failed(checkNodes(*callee.mutable_node(), size)) ||
      failed(adoptOpsets(callee)))
    return failure();
  path.pop_back();
  sizes[onnxlib::GetFunctionImplId(callee)] = size;
  return success();
}

LogicalResult
FunctionChecker::reportCycle(const onnxlib::NodeProto &call,
                             const onnxlib::FunctionProto &callee) {
  InFlightDiagnostic diagnostic = file.emitError(call);
  diagnostic << "functions call each other in a cycle: ";
  for (const auto *function :
       llvm::make_range(llvm::find(path, &callee), path.end()))
    diagnostic << onnxlib::GetFunctionImplId(*function) << " -> ";
  return diagnostic << onnxlib::GetFunctionImplId(callee);
}

// The inliner takes only functions that import what the model imports.
LogicalResult FunctionChecker::adoptOpsets(onnxlib::FunctionProto &function) {
  for (auto &opset : *function.mutable_opset_import()) {
    int imported = file.getOpset(opset.domain());
    if (!imported) {
      auto *import = file.getModel().add_opset_import();
      *import = opset;
      file.addOpset(opset.domain(), static_cast<int>(opset.version()));
      continue;
    }
    if (failed(checkSameOperators(function, opset.domain(), opset.version())))
      return failure();
    opset.set_version(imported);
  }
  return success();
}

// Most operators mean the same in many versions; then the versions that a
// function and the model import may differ.
LogicalResult
FunctionChecker::checkSameOperators(const onnxlib::FunctionProto &function,
                                    const std::string &domain,
                                    int64_t version) {
  int imported = file.getOpset(domain);
  if (version == imported)
    return success();
  const auto *registry = onnxlib::OpSchemaRegistry::Instance();
  for (const auto &node : function.node()) {
    if (node.domain() != domain || functions.count(onnxlib::GetCalleeId(node)))
      continue;
    const auto *meant =
        registry->GetSchema(node.op_type(), static_cast<int>(version), domain);
    const auto *found = registry->GetSchema(node.op_type(), imported, domain);
    if (!meant || meant != found)
      return file.emitError(node)
             << "function '" << onnxlib::GetFunctionImplId(function)
             << "' means the operator of opset " << version
             << "; expected one that is the same in the model's opset "
             << imported;
  }
  return success();
}

LogicalResult tern::importer::inlineFunctions(ModelFile &file) {
  FunctionChecker checker(file);
  if (failed(checker.check()))
    return failure();
  auto &functions = *file.getModel().mutable_functions();
  auto isUnused = [&](const auto &function) {
    return !checker.isReachable(function);
  };
  functions.erase(std::remove_if(functions.begin(), functions.end(), isUnused),
                  functions.end());
  if (functions.empty())
    return success();
  try {
    onnxlib::inliner::InlineLocalFunctions(file.getModel());
  } catch (const std::exception &error) {
    return file.emitError() << "cannot inline functions: " << error.what();
  }
  return success();
}

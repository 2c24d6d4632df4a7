//===- GraphVerifier.cpp - is the graph well formed? ----------------------===//

#include "GraphVerifier.h"

#include "NodeVerifier.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace tern::importer;

using onnxlib::NodeProto;

namespace {

class GraphVerifier {
public:
  explicit GraphVerifier(ModelFile &file)
      : file(file), graph(file.getGraph()) {}

  LogicalResult verify();

private:
  LogicalResult verifyInputs();
  LogicalResult collectProducers();
  LogicalResult verifyUses();
  LogicalResult verifyOutputs();
  LogicalResult reportUndefined(int index, StringRef input);
  SmallVector<int> findDependencyPath(int from, int to) const;

  ModelFile &file;
  const onnxlib::GraphProto &graph;
  /// Inputs and initializers.
  llvm::StringSet<> sources;
  /// The index of the node that defines each other value.
  llvm::StringMap<int> producers;
};

} // namespace

LogicalResult GraphVerifier::verify() {
  if (failed(verifyInputs()) || failed(collectProducers()))
    return failure();
  for (const NodeProto &node : graph.node())
    if (failed(verifyNode(file, node)))
      return failure();
  if (failed(verifyUses()))
    return failure();
  return verifyOutputs();
}

LogicalResult GraphVerifier::verifyInputs() {
  if (!graph.sparse_initializer().empty())
    return file.emitTensorError(graph.sparse_initializer(0).values().name())
           << "sparse initializers are not supported; expected a dense one";
  llvm::StringSet<> inputs;
  for (const auto &input : graph.input()) {
    if (input.name().empty())
      return file.emitError() << "the graph has an input without a name";
    if (!inputs.insert(input.name()).second)
      return file.emitError()
             << "the graph has input '" << input.name() << "' twice";
  }
  for (const auto &tensor : graph.initializer()) {
    if (tensor.name().empty())
      return file.emitError() << "the graph has an initializer without a name";
    if (!sources.insert(tensor.name()).second)
      return file.emitTensorError(tensor.name()) << "is initialized twice";
  }
  // An initializer may give the default value of an input of the same name.
  for (const auto &input : inputs)
    sources.insert(input.getKey());
  return success();
}

LogicalResult GraphVerifier::collectProducers() {
  for (int i = 0, e = graph.node_size(); i != e; ++i)
    for (const std::string &output : graph.node(i).output()) {
      if (output.empty())
        continue;
      if (sources.contains(output))
        return file.emitError(graph.node(i))
               << "defines value '" << output
               << "', which an input or initializer already defines";
      auto [it, isNew] = producers.try_emplace(output, i);
      if (!isNew)
        return file.emitError(graph.node(i))
               << "defines value '" << output << "', which node '"
               << getNodeName(graph.node(it->second)) << "' already defines";
    }
  return success();
}

LogicalResult GraphVerifier::verifyUses() {
  llvm::StringSet<> defined;
  for (int i = 0, e = graph.node_size(); i != e; ++i) {
    const NodeProto &node = graph.node(i);
    for (const std::string &input : node.input())
      if (!input.empty() && !sources.contains(input) &&
          !defined.contains(input))
        return reportUndefined(i, input);
    for (const std::string &output : node.output())
      defined.insert(output);
  }
  return success();
}

// The nodes on a path from node `from` to node `to`, each of which uses a
// result of the next; empty where there is none.
SmallVector<int> GraphVerifier::findDependencyPath(int from, int to) const {
  llvm::DenseMap<int, int> users = {{from, from}};
  SmallVector<int> worklist = {from};
  while (!worklist.empty() && !users.count(to)) {
    int user = worklist.pop_back_val();
    for (const std::string &input : graph.node(user).input())
      if (auto producer = producers.find(input); producer != producers.end())
        if (users.try_emplace(producer->second, user).second)
          worklist.push_back(producer->second);
  }
  SmallVector<int> path;
  if (!users.count(to))
    return path;
  for (int node = to; node != from; node = users[node])
    path.push_back(node);
  path.push_back(from);
  std::reverse(path.begin(), path.end());
  return path;
}

// Finds out why `input` is not defined before `node`.
LogicalResult GraphVerifier::reportUndefined(int index, StringRef input) {
  InFlightDiagnostic diagnostic = file.emitError(graph.node(index));
  diagnostic << "input '" << input << "' is ";
  auto producer = producers.find(input);
  if (producer == producers.end())
    return diagnostic << "undefined; expected an input or initializer of the "
                         "graph or the output of an earlier node";
  SmallVector<int> cycle = findDependencyPath(producer->second, index);
  auto printName = [&](int i) {
    diagnostic << "'" << getNodeName(graph.node(i)) << "'";
  };
  if (cycle.empty()) {
    diagnostic << "defined by the later node ";
    printName(producer->second);
    return diagnostic << "; expected nodes in the order of their uses";
  }
  diagnostic << "part of a cycle through nodes ";
  llvm::interleave(cycle, printName, [&] { diagnostic << ", "; });
  return diagnostic << "; expected an acyclic graph";
}

LogicalResult GraphVerifier::verifyOutputs() {
  if (graph.output().empty())
    return file.emitError() << "the graph has no outputs; expected at least 1";
  llvm::StringSet<> outputs;
  for (const auto &output : graph.output()) {
    if (!outputs.insert(output.name()).second)
      return file.emitError()
             << "the graph has output '" << output.name() << "' twice";
    if (!sources.contains(output.name()) && !producers.count(output.name()))
      return file.emitError()
             << "graph output '" << output.name()
             << "' is undefined; expected an input, an initializer or the "
                "output of a node";
  }
  return success();
}

LogicalResult tern::importer::verifyGraph(ModelFile &file) {
  return GraphVerifier(file).verify();
}

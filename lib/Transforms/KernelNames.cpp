//===- KernelNames.cpp - which nodes a loop computes ----------------------===//

#include "KernelNames.h"

#include "tern/Transforms/NodeLocation.h"
#include "tern/Transforms/Passes.h"

#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace tern;

/// Of the names of one kernel; more would only fill the screen.
static constexpr size_t kMostNames = 4;

static bool isSeparator(char c) { return c == '.' || c == '/'; }

/// `name` with "*" for each part that is a number: layers differ in nothing
/// else.
static std::string generalize(StringRef name) {
  std::string result;
  while (!name.empty()) {
    StringRef part = name.take_until(isSeparator);
    name = name.drop_front(part.size());
    bool isNumber = !part.empty() && llvm::all_of(part, llvm::isDigit);
    result += isNumber ? "*" : part.str();
    if (!name.empty()) {
      result += name.front();
      name = name.drop_front();
    }
  }
  return result;
}

/// How many characters all names begin with, up to the last separator.
static size_t findCommonPrefix(ArrayRef<std::string> names) {
  StringRef common = names.front();
  for (const std::string &name : names.drop_front()) {
    size_t same = 0;
    while (same < common.size() && same < name.size() &&
           common[same] == name[same])
      ++same;
    common = common.take_front(same);
  }
  while (!common.empty() && !isSeparator(common.back()))
    common = common.drop_back();
  return common.size();
}

/// How many characters all names end with, from the first separator on, of what
/// is behind `prefix`.
static size_t findCommonSuffix(ArrayRef<std::string> names, size_t prefix) {
  StringRef common = StringRef(names.front()).drop_front(prefix);
  for (const std::string &text : names.drop_front()) {
    StringRef name = StringRef(text).drop_front(prefix);
    size_t same = 0;
    while (same < common.size() && same < name.size() &&
           common[common.size() - 1 - same] == name[name.size() - 1 - same])
      ++same;
    common = common.take_back(same);
  }
  while (!common.empty() && !isSeparator(common.front()))
    common = common.drop_front();
  return common.size();
}

std::string tern::joinNames(ArrayRef<std::string> names) {
  if (names.size() == 1)
    return names.front();
  size_t prefix = findCommonPrefix(names);
  size_t suffix = findCommonSuffix(names, prefix);
  SmallVector<std::string> parts;
  for (StringRef name : names.take_front(kMostNames))
    parts.push_back(name.drop_front(prefix).drop_back(suffix).str());
  if (names.size() > kMostNames)
    parts.push_back("...");
  StringRef first = names.front();
  return (first.take_front(prefix) + "{" + llvm::join(parts, ",") + "}" +
          first.take_back(suffix))
      .str();
}

static void addName(SmallVectorImpl<std::string> &names, std::string name) {
  if (!llvm::is_contained(names, name))
    names.push_back(std::move(name));
}

KernelNames::KernelNames(ModuleOp module) {
  module.walk([&](func::CallOp call) {
    for (NameLoc node : findNodeLocations(call.getLoc()))
      addName(callers[call.getCalleeAttr().getAttr()],
              generalize(node.getName()));
  });
}

void KernelNames::add(func::FuncOp body, scf::ParallelOp loop,
                      func::FuncOp function) {
  Kernel &kernel = kernels[body];
  auto described = loop->getAttrOfType<DictionaryAttr>(kKernelAttr);
  // Who calls a kernel's function says what is computed; a layer's function is
  // called by whole layers.
  if (described) {
    kernel.described = described;
    for (const std::string &name : callers.lookup(function.getSymNameAttr()))
      addName(kernel.nodes, name);
  }
  if (described && !kernel.nodes.empty())
    return;
  SmallVector<NameLoc> own = findNodeLocations(loop.getLoc());
  for (NameLoc node : own)
    addName(kernel.nodes, generalize(node.getName()));
  if (own.empty())
    addName(kernel.nodes, function.getSymName().str());
}

void KernelNames::annotate() {
  for (auto &[body, kernel] : kernels) {
    NamedAttrList attributes(kernel.described);
    std::string name = joinNames(kernel.nodes);
    if (auto what = dyn_cast_or_null<StringAttr>(attributes.get("name")))
      name += " " + what.str();
    attributes.set("name", StringAttr::get(body->getContext(), name));
    body->setAttr(kKernelAttr, attributes.getDictionary(body->getContext()));
  }
}

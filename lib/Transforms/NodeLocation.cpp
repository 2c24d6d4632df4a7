//===- NodeLocation.cpp - the node that an operation comes from -----------===//

#include "tern/Transforms/NodeLocation.h"

#include "tern/Dialect/Ternary/IR/Ternary.h"

#include "mlir/IR/BuiltinAttributes.h"

using namespace mlir;

SmallVector<NameLoc> tern::findNodeLocations(Location location) {
  if (auto name = dyn_cast<NameLoc>(location))
    return {name};
  SmallVector<NameLoc> nodes;
  auto fused = dyn_cast<FusedLoc>(location);
  if (!fused)
    return nodes;
  auto metadata = dyn_cast_or_null<StringAttr>(fused.getMetadata());
  bool isMerged = metadata && metadata.getValue() == ternary::kMergedProducts;
  for (Location part : fused.getLocations()) {
    llvm::append_range(nodes, findNodeLocations(part));
    if (!isMerged && !nodes.empty())
      break;
  }
  return nodes;
}

NameLoc tern::findNodeLocation(Location location) {
  SmallVector<NameLoc> nodes = findNodeLocations(location);
  return nodes.empty() ? NameLoc() : nodes.front();
}

llvm::StringRef tern::getNodeName(Location location) {
  NameLoc node = findNodeLocation(location);
  return node ? node.getName().strref() : "";
}

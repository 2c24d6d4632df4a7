//===- NodeLocation.cpp - the node that an operation comes from -----------===//

#include "tern/Transforms/NodeLocation.h"

#include "mlir/IR/BuiltinAttributes.h"

using namespace mlir;

NameLoc tern::findNodeLocation(Location location) {
  if (auto name = dyn_cast<NameLoc>(location))
    return name;
  if (auto fused = dyn_cast<FusedLoc>(location))
    for (Location part : fused.getLocations())
      if (NameLoc name = findNodeLocation(part))
        return name;
  return NameLoc();
}

llvm::StringRef tern::getNodeName(Location location) {
  NameLoc node = findNodeLocation(location);
  return node ? node.getName().strref() : "";
}

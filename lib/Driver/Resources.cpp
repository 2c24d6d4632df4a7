//===- Resources.cpp - memory of constants that nothing uses --------------===//

#include "Resources.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

using namespace mlir;

tern::ResourceSet tern::collectResources(ModuleOp module) {
  ResourceSet resources;
  module.walk([&](Operation *op) {
    op->getAttrDictionary().walk([&](DenseResourceElementsAttr attr) {
      resources.insert(attr.getRawHandle().getResource());
    });
  });
  return resources;
}

void tern::releaseResources(const ResourceSet &resources, ModuleOp module) {
  ResourceSet used = collectResources(module);
  for (DialectResourceBlobManager::BlobEntry *resource : resources)
    if (!used.contains(resource))
      resource->setBlob(AsmResourceBlob(ArrayRef<char>(), /*dataAlignment=*/1,
                                        AsmResourceBlob::DeleterFn(),
                                        /*dataIsMutable=*/false));
#ifdef __GLIBC__
  // What is freed in the middle of the heap would stay.
  malloc_trim(0);
#endif
}

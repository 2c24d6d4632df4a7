#include "mlir/IR/Value.h"
#include "tern/Import/OnnxImporter.h"
#include "tern/Runtime/ModelABI.h"

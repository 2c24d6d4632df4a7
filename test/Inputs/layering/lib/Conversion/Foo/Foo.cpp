#include "mlir/IR/Value.h"
#include "tern/Driver/Compiler.h"

//===- ProtectArguments.cpp - inputs are only read ------------------------===//

#include "tern/Transforms/Passes.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"

namespace tern {
#define GEN_PASS_DEF_PROTECTARGUMENTS
#include "tern/Transforms/Passes.h.inc"
} // namespace tern

using namespace mlir;

namespace {
struct ProtectArgumentsPass
    : tern::impl::ProtectArgumentsBase<ProtectArgumentsPass> {
  using Base::Base;

  void runOnOperation() override {
    StringRef name = bufferization::BufferizationDialect::kWritableAttrName;
    func::FuncOp function = getOperation();
    // A declaration says nothing of what happens inside.
    if (function.isExternal())
      return;
    for (unsigned i = 0, e = function.getNumArguments(); i < e; ++i)
      if (isa<TensorType>(function.getArgumentTypes()[i]) &&
          !function.getArgAttr(i, name))
        function.setArgAttr(i, name, BoolAttr::get(&getContext(), false));
  }
};
} // namespace

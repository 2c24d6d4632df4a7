//===- MakeBF16Bits.cpp - bf16 is 16 bits ---------------------------------===//

#include "tern/Transforms/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/IR/DialectResourceBlobManager.h"

namespace tern {
#define GEN_PASS_DEF_MAKEBF16BITS
#include "tern/Transforms/Passes.h.inc"
} // namespace tern

using namespace mlir;

// `type` of i16 where its elements are bf16, else null.
static ShapedType getBitsType(ShapedType type) {
  if (!type.getElementType().isBF16())
    return {};
  return type.clone(IntegerType::get(type.getContext(), 16));
}

static void addReplacements(AttrTypeReplacer &replacer) {
  replacer.addReplacement([](BFloat16Type type) -> Type {
    return IntegerType::get(type.getContext(), 16);
  });
  replacer.addReplacement([](FloatAttr value) -> Attribute {
    if (!value.getType().isBF16())
      return value;
    auto type = IntegerType::get(value.getContext(), 16);
    return IntegerAttr::get(type, value.getValue().bitcastToAPInt());
  });
  // Elements keep their bytes.
  replacer.addReplacement([](DenseElementsAttr value) -> Attribute {
    ShapedType type = getBitsType(value.getType());
    return type ? value.bitcast(type.getElementType()) : value;
  });
  replacer.addReplacement([](DenseResourceElementsAttr value) -> Attribute {
    ShapedType type = getBitsType(value.getType());
    return type ? DenseResourceElementsAttr::get(type, value.getRawHandle())
                : value;
  });
}

namespace {
struct MakeBF16BitsPass : tern::impl::MakeBF16BitsBase<MakeBF16BitsPass> {
  using Base::Base;

  void runOnOperation() override {
    AttrTypeReplacer replacer;
    addReplacements(replacer);
    replacer.recursivelyReplaceElementsIn(getOperation(), /*replaceAttrs=*/true,
                                          /*replaceLocs=*/false,
                                          /*replaceTypes=*/true);
    getOperation().walk([](LLVM::BitcastOp cast) {
      if (cast.getArg().getType() != cast.getType())
        return;
      cast.replaceAllUsesWith(cast.getArg());
      cast.erase();
    });
  }
};
} // namespace

//===- ExternalizeConstants.cpp - the weights table -----------------------===//

#include "tern/Transforms/Passes.h"

#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace tern {
#define GEN_PASS_DEF_EXTERNALIZECONSTANTS
#include "tern/Transforms/Passes.h.inc"
} // namespace tern

using namespace mlir;

/// Bytes that the global's elements take, one byte for types below a byte.
static uint64_t getByteSize(memref::GlobalOp global) {
  MemRefType type = global.getType();
  unsigned bits = type.getElementTypeBitWidth();
  return type.getNumElements() * llvm::divideCeil(bits, 8);
}

namespace {
struct ExternalizeConstantsPass
    : tern::impl::ExternalizeConstantsBase<ExternalizeConstantsPass> {
  using Base::Base;

  void runOnOperation() override {
    llvm::StringMap<memref::GlobalOp> weights = markWeights();
    if (weights.empty())
      return;
    auto tableType = LLVM::LLVMArrayType::get(
        LLVM::LLVMPointerType::get(&getContext()), weights.size());
    OpBuilder builder = OpBuilder::atBlockBegin(getOperation().getBody());
    LLVM::GlobalOp::create(builder, getOperation().getLoc(), tableType,
                           /*isConstant=*/true, LLVM::Linkage::External,
                           tern::kWeightsTable, Attribute());
    LLVMTypeConverter converter(&getContext());
    getOperation().walk([&](memref::GetGlobalOp get) {
      if (auto it = weights.find(get.getName()); it != weights.end())
        replaceRead(get, it->second, converter);
    });
  }

private:
  /// Gives every large constant its index, in the order of the module.
  llvm::StringMap<memref::GlobalOp> markWeights() {
    llvm::StringMap<memref::GlobalOp> weights;
    Builder builder(&getContext());
    for (auto global : getOperation().getOps<memref::GlobalOp>()) {
      // The size of an index, say, is the target's affair.
      if (!global.getConstantInitValue() ||
          !global.getType().getElementType().isIntOrFloat() ||
          getByteSize(global) < minBytes)
        continue;
      global->setAttr(tern::kWeightIndexAttr,
                      builder.getI64IntegerAttr(weights.size()));
      weights[global.getSymName()] = global;
    }
    return weights;
  }

  /// Replaces `get` by a descriptor around the pointer in the table.
  void replaceRead(memref::GetGlobalOp get, memref::GlobalOp global,
                   const LLVMTypeConverter &converter) {
    OpBuilder builder(get);
    Location loc = get.getLoc();
    auto pointer = LLVM::LLVMPointerType::get(&getContext());
    int32_t index =
        global->getAttrOfType<IntegerAttr>(tern::kWeightIndexAttr).getInt();
    Value table =
        LLVM::AddressOfOp::create(builder, loc, pointer, tern::kWeightsTable);
    Value slot =
        LLVM::GEPOp::create(builder, loc, pointer, pointer, table,
                            ArrayRef<LLVM::GEPArg>{LLVM::GEPArg(index)});
    Value data = LLVM::LoadOp::create(builder, loc, pointer, slot,
                                      /*alignment=*/8, /*isVolatile=*/false,
                                      /*isNonTemporal=*/false,
                                      /*isInvariant=*/true);
    Value descriptor = MemRefDescriptor::fromStaticShape(
        builder, loc, converter, get.getType(), data);
    Value memref = UnrealizedConversionCastOp::create(builder, loc,
                                                      get.getType(), descriptor)
                       .getResult(0);
    get.replaceAllUsesWith(memref);
    get.erase();
  }
};
} // namespace

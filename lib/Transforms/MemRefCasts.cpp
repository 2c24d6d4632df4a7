//===- MemRefCasts.cpp - memrefs to and from pointers ---------------------===//

#include "MemRefCasts.h"

#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;

Value tern::createMemRef(ImplicitLocOpBuilder &b,
                         const LLVMTypeConverter &converter, MemRefType type,
                         Value data, ValueRange sizes) {
  Location loc = b.getLoc();
  auto descriptor =
      MemRefDescriptor::poison(b, loc, converter.convertType(type));
  descriptor.setAllocatedPtr(b, loc, data);
  descriptor.setAlignedPtr(b, loc, data);
  descriptor.setConstantOffset(b, loc, 0);
  auto constant = [&](int64_t value) -> Value {
    return LLVM::ConstantOp::create(b, b.getI64Type(),
                                    b.getI64IntegerAttr(value));
  };
  Value stride = constant(1);
  size_t dynamic = sizes.size();
  for (int64_t dim = type.getRank() - 1; dim >= 0; --dim) {
    Value size = type.isDynamicDim(dim) ? sizes[--dynamic]
                                        : constant(type.getDimSize(dim));
    descriptor.setSize(b, loc, dim, size);
    descriptor.setStride(b, loc, dim, stride);
    stride = LLVM::MulOp::create(b, stride, size);
  }
  return UnrealizedConversionCastOp::create(b, type, Value(descriptor))
      .getResult(0);
}

Value tern::convertToLLVM(ImplicitLocOpBuilder &b,
                          const LLVMTypeConverter &converter, Value value) {
  return UnrealizedConversionCastOp::create(
             b, converter.convertType(value.getType()), value)
      .getResult(0);
}

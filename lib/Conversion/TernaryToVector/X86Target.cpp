//===- X86Target.cpp - what the x86 targets share -------------------------===//

#include "X86Target.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace tern::ternary;

Value X86Target::buildHighProduct(OpBuilder &b, Location loc, Value lhs,
                                  Value rhs) const {
  StringRef name =
      lanes == 16 ? "llvm.x86.avx512.pmulhu.w.512" : "llvm.x86.avx2.pmulhu.w";
  return buildIntrinsic(b, loc, name, lhs.getType(), {lhs, rhs});
}

Value X86Target::buildIntrinsic(OpBuilder &b, Location loc, StringRef name,
                                Type type, ValueRange operands) {
  return LLVM::CallIntrinsicOp::create(b, loc, type, b.getStringAttr(name),
                                       operands)
      .getResult(0);
}

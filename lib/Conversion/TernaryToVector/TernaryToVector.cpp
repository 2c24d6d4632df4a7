//===- TernaryToVector.cpp -------------------------------------------------------===//

#include "tern/Conversion/Passes.h"

#include "tern/Dialect/Onnx/IR/Onnx.h"
#include "tern/Dialect/Ternary/IR/Ternary.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace tern {
#define GEN_PASS_DEF_CONVERTTERNARYTOVECTOR
#include "tern/Conversion/Passes.h.inc"
} // namespace tern

namespace {
struct ConvertTernaryToVectorPass
    : tern::impl::ConvertTernaryToVectorBase<ConvertTernaryToVectorPass> {
  using Base::Base;
  void runOnOperation() override {}
};
} // namespace

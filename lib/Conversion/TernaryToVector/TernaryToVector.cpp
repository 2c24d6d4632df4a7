//===- TernaryToVector.cpp - packed products as vector kernels ------------===//

#include "Kernel.h"
#include "VectorTarget.h"

#include "tern/Conversion/Passes.h"
#include "tern/Dialect/Ternary/IR/Ternary.h"
#include "tern/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace tern {
#define GEN_PASS_DEF_CONVERTTERNARYTOVECTOR
#include "tern/Conversion/Passes.h.inc"
} // namespace tern

using namespace mlir;
using namespace tern;
using namespace tern::ternary;

static std::unique_ptr<VectorTarget> createTarget(StringRef name) {
  using Factory = std::unique_ptr<VectorTarget> (*)();
  for (Factory create :
       {createGenericTarget, createAvx2Target, createAvxVnniTarget,
        createAvx512VnniTarget, createAvx512VbmiTarget, createZen4Target,
        createAmxTarget}) {
    std::unique_ptr<VectorTarget> target = create();
    if (target->name == name)
      return target;
  }
  return nullptr;
}

/// `type` as a kernel takes it: the number of tokens unknown, the layout only
/// as known as it has to be. Null if its rows are not contiguous.
static MemRefType getKernelType(MemRefType type) {
  SmallVector<int64_t> shape(type.getShape());
  if (type.getRank() == 2)
    shape[0] = ShapedType::kDynamic;
  if (type.getLayout().isIdentity())
    return MemRefType::get(shape, type.getElementType(),
                           MemRefLayoutAttrInterface(), type.getMemorySpace());
  int64_t offset;
  SmallVector<int64_t> strides;
  if (failed(type.getStridesAndOffset(strides, offset)) || strides.back() != 1)
    return {};
  if (type.getRank() == 2)
    strides[0] = ShapedType::kDynamic;
  auto layout =
      StridedLayoutAttr::get(type.getContext(), ShapedType::kDynamic, strides);
  return MemRefType::get(shape, type.getElementType(), layout,
                         type.getMemorySpace());
}

/// Checks what the kernels rely on.
static LogicalResult verifyLowerable(PackedMatmulOp op) {
  if (!op.hasPureBufferSemantics())
    return op.emitOpError("is on tensors; expected memrefs: bufferise first");
  int64_t tile = op.getMatrixType().getLayout().getTile();
  if (tile != kernelTile)
    return op.emitOpError()
           << "has tiles of " << tile << " rows; the vector lowering expects "
           << kernelTile;
  for (Value operand : op->getOperands()) {
    auto type = cast<MemRefType>(operand.getType());
    if (!getKernelType(type))
      return op.emitOpError() << "has an operand of type " << type
                              << "; expected a last dimension of stride 1";
  }
  return success();
}

namespace {
/// The kernels of a module, one for each matrix type and types of operands.
class Kernels {
public:
  Kernels(ModuleOp module, const VectorTarget &target)
      : module(module), symbols(module), target(target) {}

  func::FuncOp getOrCreate(PackedMatmulOp op, TypeRange types) {
    auto signature = FunctionType::get(module.getContext(), types, TypeRange());
    func::FuncOp &kernel = kernels[{op.getMatrixType(), signature}];
    if (!kernel)
      kernel = create(op, signature);
    return kernel;
  }

private:
  func::FuncOp create(PackedMatmulOp op, FunctionType signature) {
    MatrixType matrix = op.getMatrixType();
    std::string name =
        ("ternary_packed_matmul_" +
         stringifyEncoding(matrix.getLayout().getEncoding()) + "_" +
         Twine(matrix.getRows()) + "x" + Twine(matrix.getCols()) + "_" +
         target.name + (hasFloats(op) ? "_f32" : ""))
            .str();
    OpBuilder builder(module.getContext());
    auto kernel = func::FuncOp::create(builder, op.getLoc(), name, signature);
    kernel.setPrivate();
    symbols.insert(kernel); // makes the name unique
    builder.setInsertionPointToStart(kernel.addEntryBlock());
    buildKernel(builder, op.getLoc(), target, matrix, kernel.getArgument(0),
                kernel.getArgument(1), kernel.getArgument(2));
    func::ReturnOp::create(builder, op.getLoc());
    describeLoops(kernel, matrix);
    return kernel;
  }

  static bool hasFloats(PackedMatmulOp op) {
    return getElementTypeOrSelf(op.getX().getType()).isF32();
  }

  /// Each loop of a kernel is a whole product, for some number of tokens.
  static void describeLoops(func::FuncOp kernel, MatrixType matrix) {
    Builder b(kernel.getContext());
    std::string shape =
        (Twine(matrix.getRows()) + "x" + Twine(matrix.getCols()) + " " +
         stringifyEncoding(matrix.getLayout().getEncoding()))
            .str();
    auto description = b.getDictionaryAttr(
        {b.getNamedAttr("name", b.getStringAttr(shape)),
         b.getNamedAttr("bytes", b.getI64IntegerAttr(matrix.getStorageBytes())),
         b.getNamedAttr(
             "macs_per_token",
             b.getI64IntegerAttr(matrix.getRows() * matrix.getCols()))});
    kernel.walk<WalkOrder::PreOrder>([&](scf::ParallelOp loop) {
      loop->setAttr(kKernelAttr, description);
      return WalkResult::skip();
    });
  }

  ModuleOp module;
  SymbolTable symbols;
  const VectorTarget &target;
  llvm::DenseMap<std::pair<Type, Type>, func::FuncOp> kernels;
};

struct ConvertTernaryToVectorPass
    : tern::impl::ConvertTernaryToVectorBase<ConvertTernaryToVectorPass> {
  using Base::Base;

  void runOnOperation() override {
    std::unique_ptr<VectorTarget> vectorTarget = createTarget(target);
    if (!vectorTarget) {
      emitError(getOperation().getLoc())
          << "unknown target '" << target
          << "'; expected generic, avx2, avxvnni, avx512vnni, avx512vbmi, zen4 "
             "or amx";
      return signalPassFailure();
    }
    SmallVector<PackedMatmulOp> products;
    WalkResult result = getOperation().walk([&](PackedMatmulOp op) {
      products.push_back(op);
      return WalkResult(verifyLowerable(op));
    });
    if (result.wasInterrupted())
      return signalPassFailure();

    Kernels kernels(getOperation(), *vectorTarget);
    for (PackedMatmulOp op : products)
      replaceByCall(op, kernels);
  }

  static void replaceByCall(PackedMatmulOp op, Kernels &kernels) {
    OpBuilder builder(op);
    SmallVector<Value> operands;
    for (Value operand : op->getOperands()) {
      MemRefType type = getKernelType(cast<MemRefType>(operand.getType()));
      if (type != operand.getType())
        operand = memref::CastOp::create(builder, op.getLoc(), type, operand);
      operands.push_back(operand);
    }
    func::FuncOp kernel =
        kernels.getOrCreate(op, ValueRange(operands).getTypes());
    func::CallOp::create(builder, op.getLoc(), kernel, operands);
    op.erase();
  }
};
} // namespace

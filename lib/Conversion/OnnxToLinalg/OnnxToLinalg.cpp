//===- OnnxToLinalg.cpp - lower ONNX nodes in the graph's order -----------===//

#include "tern/Conversion/Passes.h"

#include "Lowering.h"

#include "tern/Dialect/Ternary/IR/Ternary.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/StringSwitch.h"

namespace tern {
#define GEN_PASS_DEF_CONVERTONNXTOLINALG
#include "tern/Conversion/Passes.h.inc"
} // namespace tern

using namespace mlir;
using namespace tern::onnx;

// The type that has a static size wherever one of two types has it, or failure
// where they contradict.
static FailureOr<RankedTensorType> mergeTypes(RankedTensorType lhs,
                                              RankedTensorType rhs) {
  if (lhs.getRank() != rhs.getRank() ||
      lhs.getElementType() != rhs.getElementType())
    return failure();
  SmallVector<int64_t> shape(lhs.getShape());
  for (auto [size, other] : llvm::zip_equal(shape, rhs.getShape())) {
    if (ShapedType::isDynamic(size))
      size = other;
    else if (!ShapedType::isDynamic(other) && size != other)
      return failure();
  }
  return RankedTensorType::get(shape, lhs.getElementType());
}

static Value castTo(ImplicitLocOpBuilder &b, Value value, Type type) {
  if (value.getType() == type)
    return value;
  return b.createOrFold<tensor::CastOp>(type, value);
}

namespace {
/// Lowers one function. Values of the onnx dialect keep their uses until the
/// end; `lowered` says what stands for them.
class GraphLowering {
public:
  GraphLowering(func::FuncOp func, const LoweringTable &table)
      : func(func), table(table) {}

  LogicalResult run() {
    lowerSignature();
    for (Block &block : func.getBody())
      for (Operation &op : llvm::make_early_inc_range(block))
        if (failed(lower(&op)))
          return failure();
    for (Operation *op : llvm::reverse(done))
      op->erase();
    return success();
  }

private:
  // Integers become signless; the sizes stay as declared.
  void lowerSignature() {
    auto lowerTypes = [](TypeRange types) {
      return llvm::map_to_vector(types, lowerType);
    };
    FunctionType type = func.getFunctionType();
    func.setFunctionType(FunctionType::get(func.getContext(),
                                           lowerTypes(type.getInputs()),
                                           lowerTypes(type.getResults())));
    for (Block &block : func.getBody())
      for (BlockArgument arg : block.getArguments())
        setLoweredType(arg);
  }

  LogicalResult lower(Operation *op) {
    ImplicitLocOpBuilder b(op->getLoc(), op);
    if (auto constant = dyn_cast<ConstantOp>(op)) {
      Value value = lowerConstant(constant, b);
      lowered[constant] = value;
      done.push_back(op);
      return success(value != nullptr);
    }
    if (isa<NoneOp>(op)) {
      done.push_back(op);
      return success();
    }
    if (auto node = dyn_cast<NodeOp>(op))
      return lowerNode(node, b);
    keep(op, b);
    return success();
  }

  LogicalResult lowerNode(NodeOp node, ImplicitLocOpBuilder &b) {
    SmallVector<Value> inputs;
    SmallVector<Type> inputTypes;
    for (Value input : node.getInputs()) {
      bool isOmitted = isa<NoneType>(input.getType());
      inputs.push_back(isOmitted ? Value() : valueFor(input));
      inputTypes.push_back(declaredType(input));
    }
    LoweringContext ctx{node, inputs, inputTypes, b};
    auto entry = table.find(node.getKind());
    if (entry == table.end())
      return ctx.error() << "the operator is not supported";
    if (failed(checkTypes(ctx)))
      return failure();
    LoweringResult outputs = entry->second(ctx);
    if (failed(outputs))
      return failure();
    done.push_back(node);
    return replaceOutputs(ctx, *outputs);
  }

  LogicalResult checkTypes(LoweringContext &ctx) {
    for (auto [index, input] : llvm::enumerate(ctx.inputs))
      if (input && !isa<RankedTensorType>(input.getType()))
        return ctx.error() << "input " << index << " has type "
                           << input.getType()
                           << "; expected a tensor of known rank";
    return checkFloats(ctx);
  }

  // The importer only checks that types agree. These operators compute on
  // floats, as all of onnxruntime's do.
  LogicalResult checkFloats(LoweringContext &ctx) {
    StringRef kind = ctx.node.getKind();
    if (!kind.starts_with("com.microsoft::") &&
        !llvm::is_contained({"LayerNormalization", "QLinearMatMul",
                             "RMSNormalization", "RotaryEmbedding",
                             "SimplifiedLayerNormalization"},
                            kind))
      return success();
    // Codes and zero points, positions, lengths and masks.
    auto others = llvm::StringSwitch<SmallVector<size_t>>(kind)
                      .Case("QLinearMatMul", {0, 2, 3, 5, 7})
                      .Case("RotaryEmbedding", {3})
                      .Case("com.microsoft::MatMulNBits", {1, 3, 4})
                      .Case("com.microsoft::RotaryEmbedding", {1})
                      .Case("com.microsoft::GroupQueryAttention", {5, 6, 9})
                      .Case("com.microsoft::MultiHeadAttention", {4, 8, 9})
                      .Default({});
    for (auto [index, input] : llvm::enumerate(ctx.inputs))
      if (input && !isa<FloatType>(getElementTypeOrSelf(input)) &&
          !llvm::is_contained(others, index))
        return ctx.error() << "input " << index << " has type "
                           << input.getType() << "; expected floats";
    return success();
  }

  // What shape inference knew and the lowering did not is added by a cast.
  LogicalResult replaceOutputs(LoweringContext &ctx, ArrayRef<Value> outputs) {
    for (auto [index, output] : llvm::enumerate(ctx.node.getOutputs())) {
      Value value = index < outputs.size() ? outputs[index] : Value();
      if (!value) {
        if (!output.use_empty())
          return ctx.error() << "output " << index << " is not supported";
        continue;
      }
      auto declared = dyn_cast<RankedTensorType>(lowerType(output.getType()));
      if (declared) {
        FailureOr<RankedTensorType> type =
            mergeTypes(cast<RankedTensorType>(value.getType()), declared);
        if (failed(type))
          return ctx.error()
                 << "output " << index << " has type " << value.getType()
                 << "; the graph declares " << declared;
        value = castTo(ctx.b, value, *type);
      }
      lowered[output] = value;
    }
    return success();
  }

  // An operation of another dialect stays. It sees its operands with the types
  // that it was built for.
  void keep(Operation *op, ImplicitLocOpBuilder &b) {
    if (auto linear = dyn_cast<tern::ternary::BitLinearOp>(op)) {
      refine(linear);
      return;
    }
    bool isReturn = isa<func::ReturnOp>(op);
    op->walk([&](Operation *nested) {
      for (OpOperand &operand : nested->getOpOperands()) {
        Type type = isReturn ? func.getResultTypes()[operand.getOperandNumber()]
                             : lowerType(operand.get().getType());
        operand.set(castTo(b, valueFor(operand.get()), type));
      }
      for (OpResult result : nested->getResults())
        setLoweredType(result);
    });
  }

  // All dimensions of the result but the last are those of the activations.
  void refine(tern::ternary::BitLinearOp op) {
    for (OpOperand &operand : op->getOpOperands())
      operand.set(valueFor(operand.get()));
    RankedTensorType type = cast<RankedTensorType>(op.getType());
    SmallVector<int64_t> shape(
        cast<RankedTensorType>(op.getX().getType()).getShape());
    shape.back() = type.getShape().back();
    op.getResult().setType(type.clone(shape));
  }

  Value valueFor(Value value) const {
    Value found = lowered.lookup(value);
    return found ? found : value;
  }

  // Values that stay lose their signedness, which nodes may still ask for.
  void setLoweredType(Value value) {
    declared[value] = value.getType();
    value.setType(lowerType(value.getType()));
  }

  Type declaredType(Value value) const {
    Type type = declared.lookup(value);
    return type ? type : value.getType();
  }

  func::FuncOp func;
  const LoweringTable &table;
  DenseMap<Value, Type> declared;
  DenseMap<Value, Value> lowered;
  SmallVector<Operation *> done;
};

struct ConvertOnnxToLinalgPass
    : tern::impl::ConvertOnnxToLinalgBase<ConvertOnnxToLinalgPass> {
  using Base::Base;

  void runOnOperation() override {
    LoweringTable table;
    addElementwiseLowerings(table);
    addMathLowerings(table);
    addCastLowerings(table);
    addReductionLowerings(table);
    addContractionLowerings(table);
    addNormalizationLowerings(table);
    addQuantizationLowerings(table);
    addMatMulNBitsLowering(table);
    addShapeLowerings(table);
    addMovementLowerings(table);
    addIndexingLowerings(table);
    addAttentionLowerings(table);
    for (auto func : getOperation().getOps<func::FuncOp>())
      if (failed(GraphLowering(func, table).run()))
        return signalPassFailure();
  }
};
} // namespace

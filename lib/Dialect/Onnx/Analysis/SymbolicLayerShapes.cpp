//===- SymbolicLayerShapes.cpp - the sizes of layers' results -------------===//

#include "SymbolicRules.h"

#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace tern::onnx;

static Polynomials getInputShape(SymbolicQuery &query, NodeOp node,
                                 unsigned input) {
  if (Value value = node.getInput(input))
    return query.getShape(value).value_or(Polynomials());
  return {};
}

/// The first input's shape, but for the last dimension: the type has it. Other
/// outputs, as an attention's presents, have shapes of their own.
static Polynomials inferRows(SymbolicQuery &query, NodeOp node,
                             unsigned output) {
  if (output != 0)
    return {};
  Polynomials shape = getInputShape(query, node, 0);
  if (!shape.empty())
    shape.back() = Polynomial::getInvalid();
  return shape;
}

/// Output 3 of a norm with a skip is the sum of its inputs.
static Polynomials inferSame(SymbolicQuery &query, NodeOp node,
                             unsigned output) {
  return output == 0 || output == 3 ? getInputShape(query, node, 0)
                                    : Polynomials();
}

/// Operands 0 and `rhs`. Where there are more matrices than one of the right
/// hand's, nothing is known of the left hand's.
template <unsigned rhs>
static Polynomials inferProduct(SymbolicQuery &query, NodeOp node,
                                unsigned output) {
  if (getInputShape(query, node, rhs).size() > 2)
    return {};
  return inferRows(query, node, output);
}

static Polynomials inferGemm(SymbolicQuery &query, NodeOp node, unsigned) {
  Polynomials a = getInputShape(query, node, 0);
  if (a.size() != 2)
    return {};
  return {a[node.getInt("transA", 0) ? 1 : 0], Polynomial::getInvalid()};
}

/// All but the axis stays; its part is in the type where it is constant.
static Polynomials inferSplit(SymbolicQuery &query, NodeOp node, unsigned) {
  Polynomials shape = getInputShape(query, node, 0);
  std::optional<int64_t> axis =
      normalizeAxis(node.getInt("axis", 0), shape.size());
  if (!axis)
    return {};
  shape[*axis] = Polynomial::getInvalid();
  return shape;
}

static Polynomials inferReduction(SymbolicQuery &query, NodeOp node, unsigned) {
  Polynomials input = getInputShape(query, node, 0), shape;
  std::optional<SmallVector<int64_t>> axes = getAxes(query, node, input.size());
  if (!axes || axes->empty())
    return {};
  for (auto [dim, size] : llvm::enumerate(input)) {
    if (!llvm::is_contained(*axes, static_cast<int64_t>(dim)))
      shape.push_back(size);
    else if (node.getInt("keepdims", 1))
      shape.push_back(1);
  }
  return shape;
}

LayerShapeRule tern::onnx::getLayerShapeRule(StringRef kind) {
  return llvm::StringSwitch<LayerShapeRule>(kind)
      .Cases({"DequantizeLinear", "QuantizeLinear", "BitwiseNot"}, inferSame)
      .Cases({"Elu", "Gelu", "HardSigmoid", "HardSwish", "IsInf"}, inferSame)
      .Cases({"LeakyRelu", "LogSoftmax", "Mish", "Selu"}, inferSame)
      .Cases({"Softplus", "Softsign", "Swish", "Tan"}, inferSame)
      .Case("com.microsoft::Gelu", inferSame)
      .Case("com.microsoft::QuickGelu", inferSame)
      .Case("com.microsoft::RotaryEmbedding", inferSame)
      .Case("com.microsoft::SkipLayerNormalization", inferSame)
      .Case("com.microsoft::SkipSimplifiedLayerNormalization", inferSame)
      .Case("com.microsoft::GroupQueryAttention", inferRows)
      .Case("com.microsoft::MatMulNBits", inferRows)
      .Case("Attention", inferRows)
      .Case("MatMulInteger", inferProduct<1>)
      .Case("QLinearMatMul", inferProduct<3>)
      .Case("Gemm", inferGemm)
      .Case("Split", inferSplit)
      .Cases({"ReduceL1", "ReduceL2", "ReduceLogSum"}, inferReduction)
      .Cases({"ReduceMax", "ReduceMean", "ReduceMin"}, inferReduction)
      .Cases({"ReduceProd", "ReduceSum", "ReduceSumSquare"}, inferReduction)
      .Default(nullptr);
}

//===- Linear.cpp - MatMul and Gemm with ternary weights ------------------===//

#include "Raising.h"

using namespace mlir;
using namespace tern;
using tern::onnx::NodeOp;

//===----------------------------------------------------------------------===//
// Activations behind a Reshape
//===----------------------------------------------------------------------===//

/// A Reshape that merges or splits tokens and leaves rows as they are: it
/// commutes with everything that happens to a row.
static NodeOp matchRowReshape(const Matcher &matcher, Value value) {
  NodeOp reshape = matcher.match(value, "Reshape");
  if (!reshape || !reshape.getInput(0))
    return {};
  auto from = dyn_cast<RankedTensorType>(reshape.getInput(0).getType());
  auto to = dyn_cast<RankedTensorType>(reshape->getResult(0).getType());
  if (!from || !to || from.getRank() == 0 || to.getRank() == 0)
    return {};
  int64_t size = to.getShape().back();
  bool keepsRows =
      size == from.getShape().back() && !ShapedType::isDynamic(size);
  return keepsRows && size != 0 ? reshape : NodeOp();
}

/// `value` reshaped as `reshape`, if any, reshapes its input.
static Value applyReshape(ImplicitLocOpBuilder &b, NodeOp reshape,
                          Value value) {
  if (!reshape || !value)
    return value;
  auto type = cast<RankedTensorType>(reshape->getResult(0).getType());
  SmallVector<Value> inputs(reshape.getInputs());
  inputs[0] = value;
  return buildNode(b, "Reshape",
                   type.clone(getElementTypeOrSelf(value.getType())), inputs,
                   reshape.getAttrs().getValue());
}

//===----------------------------------------------------------------------===//
// The three ways to raise a layer
//===----------------------------------------------------------------------===//

/// Builds the layer `x * weight^T` at the end of the chain that `output`
/// covers, and gives that end's users its result, with the bias.
static void replaceWithBitLinear(LinearLayer &layer, Value x, NodeOp reshape,
                                 ternary::QuantizationAttr quantization,
                                 const OutputScale &output) {
  ImplicitLocOpBuilder b(layer.node.getLoc(), output.end.getDefiningOp());
  bool divides = foldScales(layer.weight, output);
  x = withLastDim(b, applyReshape(b, reshape, x), layer.weight.cols);
  auto type = cast<RankedTensorType>(x.getType());
  SmallVector<int64_t> shape(type.getShape());
  shape.back() = layer.weight.rows;
  auto op = ternary::BitLinearOp::create(
      b, type.clone(shape), x, buildMatrix(b, layer.weight),
      buildScales(b, layer.weight), quantization, divides);
  op->setAttr("form", b.getStringAttr(layer.form));
  Value result = op;
  if (layer.bias) {
    // Activations quantised in f32 give f32, whatever the node computes in.
    Type element = type.getElementType();
    Value bias = buildCast(b, layer.bias, element);
    result = buildElementwise(b, "Add", result, element, {result, bias});
  }
  replaceWithCast(b, output.end, result);
  reportRaised(layer.node, layer.form, "ternary.bit_linear");
}

/// What follows the layer's node, as far as it can be folded into the layer.
static std::optional<OutputScale> getOutput(const Matcher &matcher,
                                            LinearLayer &layer,
                                            const AbsmaxQuantization *pending) {
  Value product = layer.node->getResult(0);
  // A bias comes before the rest of the chain.
  std::optional<OutputScale> output =
      layer.bias ? std::nullopt
                 : followOutput(matcher, product, layer.weight.rows, pending);
  if (!output && !pending)
    output = OutputScale{product, {}, {}};
  return output;
}

static bool raiseWithQuantization(const Matcher &matcher, LinearLayer &layer,
                                  const CodedActivation &activation,
                                  NodeOp reshape) {
  if (!activation.absmax)
    return false;
  const AbsmaxQuantization &absmax = *activation.absmax;
  bool isDequantized = activation.isDequantized(matcher);
  if (!isDequantized && activation.factor != CodedActivation::Factor::None)
    return false;
  // The scale is a row's: behind a Reshape it would have another shape, and
  // the chain after the product cannot be told to hold it.
  if (!isDequantized && reshape)
    return false;
  std::optional<OutputScale> output =
      getOutput(matcher, layer, isDequantized ? nullptr : &absmax);
  if (!output)
    return false;
  replaceWithBitLinear(layer, absmax.source, reshape, absmax.attr, *output);
  return true;
}

/// Multiplies the codes exactly and leaves the rest of the graph as it is.
static bool raiseOnCodes(LinearLayer &layer, const CodedActivation &activation,
                         NodeOp reshape) {
  bool hasFactor = activation.factor != CodedActivation::Factor::None;
  if (hasFactor && reshape)
    return false;
  Value old = layer.node->getResult(0);
  ImplicitLocOpBuilder b(layer.node.getLoc(), layer.node);
  Value codes = buildCast(b, activation.codes, b.getI8Type());
  Value result = buildProduct(b, applyReshape(b, reshape, codes), layer.weight,
                              layer.form);
  if (hasFactor) {
    Type type = getElementTypeOrSelf(activation.factorValue.getType());
    result = buildCast(b, result, type);
    bool divides = activation.factor == CodedActivation::Factor::Divides;
    result = buildElementwise(b, divides ? "Div" : "Mul", result, type,
                              {result, activation.factorValue});
  }
  Type type = getElementTypeOrSelf(old.getType());
  result = buildCast(b, result, type);
  if (layer.bias)
    result = buildElementwise(b, "Add", result, type, {result, layer.bias});
  replaceWithCast(b, old, result);
  reportRaised(layer.node, layer.form, "ternary.matmul");
  return true;
}

void tern::raiseFloatLayer(const Matcher &matcher, LinearLayer &layer) {
  NodeOp reshape = matchRowReshape(matcher, layer.activation);
  for (NodeOp around : {NodeOp(), reshape}) {
    Value value = around ? around.getInput(0) : layer.activation;
    std::optional<CodedActivation> activation = matchActivation(matcher, value);
    if (activation && isa<RankedTensorType>(activation->codes.getType()) &&
        (raiseWithQuantization(matcher, layer, *activation, around) ||
         raiseOnCodes(layer, *activation, around)))
      return;
    if (!reshape)
      break;
  }
  std::optional<OutputScale> output = getOutput(matcher, layer, nullptr);
  replaceWithBitLinear(layer, layer.activation, NodeOp(), {}, *output);
}

//===----------------------------------------------------------------------===//
// MatMul, Gemm
//===----------------------------------------------------------------------===//

/// Whether a layer can take `value` as its activations: floats of known rank,
/// with rows of `cols` elements.
static bool isActivation(Value value, int64_t cols) {
  auto type =
      value ? dyn_cast<RankedTensorType>(value.getType()) : RankedTensorType();
  if (!type || type.getRank() == 0 ||
      !(isF32(value) || type.getElementType().isF16() ||
        type.getElementType().isBF16()))
    return false;
  int64_t last = type.getShape().back();
  return last == cols || ShapedType::isDynamic(last);
}

/// Proves the weights of `node` and raises it.
static LogicalResult raiseWithWeights(const Matcher &matcher, NodeOp node,
                                      Value weights, bool isOutputMajor,
                                      Value bias, float alpha) {
  ProofResult proof = proveWeights(matcher, node, weights, isOutputMajor);
  if (failed(proof) || !*proof)
    return success(succeeded(proof));
  TernaryWeight &weight = **proof;
  Value activation = node.getInput(0);
  if (!isActivation(activation, weight.cols))
    return keepFloat(node, "activations are no float tensor of known rank");
  if (alpha != 1.0f)
    for (float &scale : weight.scales)
      scale *= alpha;
  LinearLayer layer{node, activation, std::move(weight), bias,
                    getWeightForm(weights)};
  raiseFloatLayer(matcher, layer);
  return success();
}

/// Whether `value` is of a type that a weight matrix may have.
static bool isMatrix(Value value) {
  auto type =
      value ? dyn_cast<RankedTensorType>(value.getType()) : RankedTensorType();
  // The evaluator knows the rank where the type does not say it.
  return value && (!type || type.getRank() == 2);
}

/// Whether `weights` are one matrix behind dimensions of 1 which the product
/// with `x` has anyway.
static bool isStackOfOne(Value weights, Value x) {
  auto type = dyn_cast<RankedTensorType>(weights.getType());
  auto other = dyn_cast<RankedTensorType>(x.getType());
  return type && other && type.getRank() > 2 &&
         other.getRank() >= type.getRank() &&
         llvm::all_of(type.getShape().drop_back(2),
                      [](int64_t dim) { return dim == 1; });
}

/// Whether `value` is the same in each run, also where it is computed by what
/// the evaluator does not know.
static bool needsNoInput(Value value) {
  SmallVector<Value> worklist{value};
  llvm::DenseSet<Value> seen{value};
  while (!worklist.empty()) {
    Value next = worklist.pop_back_val();
    if (isa<BlockArgument>(next))
      return false;
    for (Value operand : next.getDefiningOp()->getOperands())
      if (seen.insert(operand).second)
        worklist.push_back(operand);
  }
  return true;
}

/// Whether a product with `value`, summing over its dimension `dim` from the
/// back, is a layer: constant, and no vector of factors as that of a rotary
/// embedding's frequencies.
static bool isLayerWeight(Value value, int64_t dim) {
  if (!value || !needsNoInput(value))
    return false;
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || type.getRank() < 1)
    return false;
  int64_t rank = type.getRank();
  return type.getDimSize(rank - std::min(dim, rank)) > 1;
}

/// Reports weights where no layer of ours has them: what stays is said. One of
/// `dims` each, of the first and the second factor, is summed over.
static LogicalResult keepOtherProduct(const Matcher &matcher, NodeOp node,
                                      std::pair<int64_t, int64_t> dims) {
  Value first = node.getInput(0), second = node.getInput(1);
  if (isLayerWeight(second, dims.second)) {
    if (!matcher.getEvaluator().isConstant(second))
      return keepFloat(node, "constant weights cannot be evaluated", second);
    return keepFloat(node,
                     isMatrix(second) ? "activations are transposed"
                                      : "weights are no matrix",
                     second);
  }
  if (isLayerWeight(first, dims.first))
    return keepFloat(node, "weights are the first factor", first);
  return success();
}

LogicalResult tern::raiseMatMul(const Matcher &matcher, NodeOp node) {
  if (node.getInputs().size() != 2)
    return success();
  Value weights = node.getInput(1);
  if (matcher.getEvaluator().isConstant(weights) &&
      (isMatrix(weights) || isStackOfOne(weights, node.getInput(0))))
    return raiseWithWeights(matcher, node, weights, /*isOutputMajor=*/false,
                            /*bias=*/{}, /*alpha=*/1.0f);
  return keepOtherProduct(matcher, node, {1, 2});
}

LogicalResult tern::raiseGemm(const Matcher &matcher, NodeOp node) {
  bool isTransposed = node.getInt("transA", 0) != 0;
  bool isOutputMajor = node.getInt("transB", 0) != 0;
  Value weights = node.getInput(1);
  if (isTransposed || !isMatrix(weights) ||
      !matcher.getEvaluator().isConstant(weights))
    return keepOtherProduct(matcher, node,
                            {isTransposed ? 2 : 1, isOutputMajor ? 1 : 2});
  Value bias = node.getInput(2);
  if (bias && node.getFloat("beta", 1.0f) != 1.0f)
    return keepFloat(node, "beta is not 1");
  return raiseWithWeights(matcher, node, weights, isOutputMajor, bias,
                          node.getFloat("alpha", 1.0f));
}

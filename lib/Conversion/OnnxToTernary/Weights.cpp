//===- Weights.cpp - evaluating and judging the weights of a layer --------===//

#include "Raising.h"

#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>
#include <cstring>

using namespace mlir;
using namespace tern;
using tern::onnx::ElementKind;
using tern::onnx::NodeOp;
using tern::onnx::Tensor;

//===----------------------------------------------------------------------===//
// Reports
//===----------------------------------------------------------------------===//

static constexpr llvm::StringLiteral kCategory = "tern-raise";

void tern::reportRaised(NodeOp node, StringRef form, StringRef operation) {
  remark::passed(node.getLoc(),
                 remark::RemarkOpts::name("raised").category(kCategory))
      << operation << remark::metric("form", form);
}

/// Sizes and element type of `weights`.
static std::string describeWeights(Value weights) {
  auto type = weights ? dyn_cast<RankedTensorType>(weights.getType())
                      : RankedTensorType();
  if (!type)
    return "of unknown shape";
  std::string text;
  llvm::raw_string_ostream os(text);
  for (int64_t size : type.getShape())
    os << (ShapedType::isDynamic(size) ? "?" : std::to_string(size)) << 'x';
  os << type.getElementType();
  return text;
}

void tern::reportMissed(NodeOp node, const Twine &reason, Value weights) {
  if (!weights)
    weights = node.getInput(node.is("QLinearMatMul") ? 3 : 1);
  std::string text = (node.getKind() + ": " + reason).str();
  remark::missed(node.getLoc(),
                 remark::RemarkOpts::name("kept").category(kCategory))
      << remark::reason("{0}", text)
      << remark::metric("weights", describeWeights(weights));
}

static ProofResult notTernary(NodeOp node, const Twine &reason) {
  reportMissed(node, reason);
  return std::optional<TernaryWeight>();
}

/// Nine digits tell any float from its neighbours.
static std::string formatFloat(float value) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.9g", value);
  return text;
}

// A layer with such codes is damaged, or no ternary layer in spite of its form;
// neither is to be guessed.
static LogicalResult reportStrayCodes(NodeOp node, const NearMiss &miss) {
  float scale = std::fabs(miss.expected);
  auto error = node.emitError()
               << "weights of " << node.getKind()
               << " hold codes that are no trits: found "
               << (miss.found < 0 ? -2 : 2) << " times the scale "
               << formatFloat(scale) << " at [" << miss.row << ", " << miss.col
               << "], expected -1, 0 or 1 times";
  if (miss.count > 1)
    error << ", and " << miss.count - 1 << " more such elements";
  return error;
}

ProofResult tern::proveOrReport(NodeOp node, const Tensor &weights,
                                WeightCodes codes) {
  if (std::optional<TernaryWeight> weight = proveTernary(weights))
    return weight;
  if (std::optional<NearMiss> miss = findNearMiss(weights, codes)) {
    if (miss->isStrayCode && codes == WeightCodes::TwoBit)
      return reportStrayCodes(node, *miss);
    auto warning = node.emitWarning()
                   << "weights of " << node.getKind()
                   << " are nearly ternary, so the layer stays float: found "
                   << formatFloat(miss->found) << " at [" << miss->row << ", "
                   << miss->col << "], expected "
                   << formatFloat(miss->expected);
    if (miss->count > 1)
      warning << ", and " << miss->count - 1 << " more such elements";
  }
  return notTernary(node, "weights are not ternary");
}

//===----------------------------------------------------------------------===//
// Evaluation
//===----------------------------------------------------------------------===//

/// The kinds whose values f32 holds exactly.
static bool fitsF32(ElementKind kind) {
  return kind == ElementKind::F32 || kind == ElementKind::F16 ||
         kind == ElementKind::BF16 ||
         (!onnx::isFloat(kind) && onnx::getBitWidth(kind) <= 16);
}

/// Looks at one output feature only, so that a large float matrix is turned
/// down without being converted or transposed. `data` holds the elements of a
/// matrix, which need not be aligned.
static bool isFirstRowPlausible(const char *data, ElementKind kind,
                                int64_t rows, int64_t cols, bool isOutputMajor,
                                WeightCodes codes) {
  int64_t count = isOutputMajor ? cols : rows;
  int64_t stride = isOutputMajor ? 1 : cols;
  if (rows * cols == 0)
    return true;
  std::optional<Tensor> row = Tensor::allocate(kind, {1, count});
  if (!row)
    return false;
  unsigned bytes = getStorageBytes(kind);
  for (int64_t k = 0; k < count; ++k)
    std::memcpy(row->getMutableData<char>() + k * bytes,
                data + k * stride * bytes, bytes);
  row = onnx::castTensor(std::move(*row), ElementKind::F32);
  return row && (proveTernary(*row) || findNearMiss(*row, codes));
}

/// The same for a matrix of floats that is in the model's file: an embedding
/// that serves as the last layer is not even read. True for everything else.
static bool isStoredRowPlausible(const Matcher &matcher, Value value,
                                 bool isOutputMajor, WeightCodes codes) {
  DenseResourceElementsAttr stored;
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || type.getRank() != 2 ||
      !matchPattern(matcher.strip(value), m_Constant(&stored)))
    return true;
  std::optional<ElementKind> kind = onnx::getElementKind(type.getElementType());
  const AsmResourceBlob *blob = stored.getRawHandle().getBlob();
  int64_t bytes = kind ? type.getNumElements() * getStorageBytes(*kind) : 0;
  if (!kind || !onnx::isFloat(*kind) || !fitsF32(*kind) || !blob ||
      static_cast<int64_t>(blob->getData().size()) != bytes)
    return true;
  return isFirstRowPlausible(blob->getData().data(), *kind, type.getDimSize(0),
                             type.getDimSize(1), isOutputMajor, codes);
}

/// The input of a transpose of a matrix, or null.
static Value getTransposed(const Matcher &matcher, Value value) {
  NodeOp transpose = matcher.match(value, "Transpose");
  Value input = transpose ? transpose.getInput(0) : Value();
  auto type =
      input ? dyn_cast<RankedTensorType>(input.getType()) : RankedTensorType();
  if (!type || type.getRank() != 2)
    return {};
  auto perm = transpose.getInts("perm");
  return !perm || *perm == ArrayRef<int64_t>{1, 0} ? input : Value();
}

/// The input of a cast from f16 or bf16 to f32, or null.
static Value getWidened(const Matcher &matcher, Value value) {
  NodeOp cast = matcher.match(value, "Cast");
  Value input = cast ? cast.getInput(0) : Value();
  if (!input || !getElementTypeOrSelf(value.getType()).isF32())
    return {};
  Type from = getElementTypeOrSelf(input.getType());
  return from.isF16() || from.isBF16() ? input : Value();
}

/// The matrix behind transposes, which would only be undone again, and behind
/// casts to f32, which a large float matrix need not be put through to be
/// turned down.
static Value skipMovement(const Matcher &matcher, Value value,
                          bool &isOutputMajor) {
  while (true) {
    if (Value transposed = getTransposed(matcher, value)) {
      value = transposed;
      isOutputMajor = !isOutputMajor;
    } else if (Value widened = getWidened(matcher, value)) {
      value = widened;
    } else {
      return value;
    }
  }
}

/// A stack of one matrix as the matrix.
static Tensor dropUnitDims(Tensor weights) {
  ArrayRef<int64_t> shape = weights.getShape();
  if (shape.size() <= 2 ||
      llvm::any_of(shape.drop_back(2), [](int64_t dim) { return dim != 1; }))
    return weights;
  return weights.withShape(SmallVector<int64_t>(shape.take_back(2)));
}

ProofResult tern::proveWeights(const Matcher &matcher, NodeOp node, Value value,
                               bool isOutputMajor) {
  if (!value || !matcher.getEvaluator().isConstant(value))
    return std::optional<TernaryWeight>();
  value = skipMovement(matcher, value, isOutputMajor);
  WeightCodes codes = getWeightCodes(value);
  if (!isStoredRowPlausible(matcher, value, isOutputMajor, codes))
    return notTernary(node, "weights are not ternary");
  std::optional<Tensor> weights = matcher.getEvaluator().evaluate(value);
  if (!weights)
    return notTernary(node, "constant weights cannot be evaluated");
  weights = dropUnitDims(std::move(*weights));
  if (weights->getRank() != 2 || !fitsF32(weights->getKind()))
    return notTernary(node,
                      "weights are no matrix of floats or small integers");
  if (!isFirstRowPlausible(weights->getData<char>(), weights->getKind(),
                           weights->getShape()[0], weights->getShape()[1],
                           isOutputMajor, codes))
    return notTernary(node, "weights are not ternary");
  weights = onnx::castTensor(std::move(*weights), ElementKind::F32);
  if (weights && !isOutputMajor)
    weights = onnx::transposeTensor(*weights, {1, 0});
  if (!weights)
    return notTernary(node, "not enough memory to read the weights");
  return proveOrReport(node, *weights, codes);
}

/// Calls `visit` with every node that `value` is computed from.
static void forEachProducer(Value value,
                            llvm::function_ref<void(NodeOp)> visit) {
  SmallVector<Value> worklist{value};
  llvm::DenseSet<Value> seen{value};
  while (!worklist.empty()) {
    auto node = worklist.pop_back_val().getDefiningOp<NodeOp>();
    if (!node)
      continue;
    visit(node);
    for (Value input : node.getInputs())
      if (seen.insert(input).second)
        worklist.push_back(input);
  }
}

StringRef tern::getWeightForm(Value value) {
  StringRef form = "baked";
  forEachProducer(value, [&](NodeOp node) {
    StringRef found =
        llvm::StringSwitch<StringRef>(node.getKind())
            .Case("DequantizeLinear", "dequantize")
            .Cases({"BitShift", "BitwiseAnd", "Mod", "ScatterND"}, "packed")
            .Case("Round", "fake_quant")
            .Default("");
    if (!found.empty())
      form = found;
  });
  return form;
}

WeightCodes tern::getWeightCodes(Value value) {
  WeightCodes codes = WeightCodes::Any;
  forEachProducer(value, [&](NodeOp node) {
    Value input = node.getInput(0);
    Type type = input ? getElementTypeOrSelf(input.getType()) : Type();
    bool isTwoBit = node.getKind() == "DequantizeLinear"
                        ? type && type.isInteger(2)
                        : node.getKind() == "BitShift";
    if (isTwoBit)
      codes = WeightCodes::TwoBit;
  });
  return codes;
}

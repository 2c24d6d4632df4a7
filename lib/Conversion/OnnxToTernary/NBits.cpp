//===- NBits.cpp - MatMulNBits with ternary weights -----------------------===//

#include "Raising.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tern;
using tern::onnx::ElementKind;
using tern::onnx::NodeOp;
using tern::onnx::Tensor;

namespace {

/// The operands of `com.microsoft::MatMulNBits` that make up its weights:
/// codes `[N, blocks, block * bits / 8]`, the lowest k in the lowest bits;
/// scales, one a row and block; zero points, packed the same way in whole
/// bytes a row, or one float a row and block.
struct BlockedWeights {
  int64_t n, k, bits, block;
  Tensor codes, scales, zeros;

  int64_t getBlocks() const { return llvm::divideCeil(k, block); }
  int64_t getBlockBytes() const { return llvm::divideCeil(block * bits, 8); }
  int64_t getZeroBytes() const {
    return llvm::divideCeil(getBlocks() * bits, 8);
  }
};

} // namespace

/// Field `index` of `bits` bits in `bytes`.
static unsigned getField(const uint8_t *bytes, int64_t index, int64_t bits) {
  int64_t perByte = 8 / bits;
  return bytes[index / perByte] >> (index % perByte * bits) &
         ((1u << bits) - 1);
}

/// Evaluates input `index`; an empty tensor where it is omitted.
static std::optional<Tensor> evaluateInput(const Matcher &matcher, NodeOp node,
                                           unsigned index) {
  Value value = node.getInput(index);
  return value ? matcher.getEvaluator().evaluate(value) : Tensor();
}

static std::optional<BlockedWeights> readWeights(const Matcher &matcher,
                                                 NodeOp node) {
  BlockedWeights w;
  w.n = node.getInt("N", 0);
  w.k = node.getInt("K", 0);
  w.bits = node.getInt("bits", 4);
  w.block = node.getInt("block_size", 0);
  constexpr int64_t limit = int64_t(1) << 31;
  if (w.n < 1 || w.k < 1 || w.n > limit || w.k > limit || w.block < 1 ||
      w.block > limit || (w.bits != 2 && w.bits != 4 && w.bits != 8))
    return std::nullopt;
  std::optional<Tensor> codes = evaluateInput(matcher, node, 1);
  std::optional<Tensor> scales = evaluateInput(matcher, node, 2);
  std::optional<Tensor> zeros = evaluateInput(matcher, node, 3);
  if (!codes || !*codes || !scales || !*scales || !zeros)
    return std::nullopt;
  scales = onnx::castTensor(std::move(*scales), ElementKind::F32);
  if (*zeros && onnx::isFloat(zeros->getKind()))
    zeros = onnx::castTensor(std::move(*zeros), ElementKind::F32);
  if (!scales || !zeros)
    return std::nullopt;
  w.codes = std::move(*codes);
  w.scales = std::move(*scales);
  w.zeros = std::move(*zeros);

  int64_t blocks = w.n * w.getBlocks();
  bool fits = w.codes.getKind() == ElementKind::U8 &&
              w.codes.getNumElements() == blocks * w.getBlockBytes() &&
              w.scales.getNumElements() == blocks;
  if (w.zeros && w.zeros.getKind() == ElementKind::F32)
    fits &= w.zeros.getNumElements() == blocks;
  else if (w.zeros)
    fits &= w.zeros.getKind() == ElementKind::U8 &&
            w.zeros.getNumElements() == w.n * w.getZeroBytes();
  return fits ? std::optional(w) : std::nullopt;
}

/// The zero point of a row's block; 2^(bits - 1) where none are given.
static float getZero(const BlockedWeights &w, int64_t row, int64_t block) {
  if (!w.zeros)
    return static_cast<float>(1 << (w.bits - 1));
  if (w.zeros.getKind() == ElementKind::F32)
    return w.zeros.getData<float>()[row * w.getBlocks() + block];
  const uint8_t *bytes = w.zeros.getData<uint8_t>() + row * w.getZeroBytes();
  return static_cast<float>(getField(bytes, block, w.bits));
}

/// The weights `(code - zero) * scale` as `[N, K]` of F32.
static std::optional<Tensor> dequantize(const BlockedWeights &w) {
  std::optional<Tensor> result = Tensor::allocate(ElementKind::F32, {w.n, w.k});
  if (!result)
    return std::nullopt;
  auto *out = result->getMutableData<float>();
  const auto *codes = w.codes.getData<uint8_t>();
  const auto *scales = w.scales.getData<float>();
  for (int64_t row = 0; row < w.n; ++row)
    for (int64_t block = 0; block < w.getBlocks(); ++block) {
      float scale = *scales++, zero = getZero(w, row, block);
      int64_t count = std::min(w.block, w.k - block * w.block);
      for (int64_t i = 0; i < count; ++i)
        *out++ =
            (static_cast<float>(getField(codes, i, w.bits)) - zero) * scale;
      codes += w.getBlockBytes();
    }
  return result;
}

/// Two-bit weights with scales that differ from block to block come from
/// general quantisation, which uses all four codes: there, none is malformed.
static WeightCodes getCodes(const BlockedWeights &w) {
  ArrayRef<float> scales(w.scales.getData<float>(), w.scales.getNumElements());
  return w.bits == 2 && llvm::all_equal(scales) ? WeightCodes::TwoBit
                                                : WeightCodes::Any;
}

LogicalResult tern::raiseMatMulNBits(const Matcher &matcher, NodeOp node) {
  constexpr unsigned groupIndex = 4, biasIndex = 5;
  if (node.getInput(groupIndex))
    return keepFloat(node, "columns are reordered by g_idx");
  std::optional<BlockedWeights> blocked = readWeights(matcher, node);
  if (!blocked)
    return keepFloat(
        node, "weights are not constant or do not have the size of N x K");
  std::optional<Tensor> weights = dequantize(*blocked);
  if (!weights)
    return keepFloat(node, "not enough memory to read the weights");
  ProofResult proof = proveOrReport(node, *weights, getCodes(*blocked));
  if (failed(proof) || !*proof)
    return success(succeeded(proof));
  TernaryWeight &weight = **proof;
  Value x = node.getInput(0);
  auto type = x ? dyn_cast<RankedTensorType>(x.getType()) : RankedTensorType();
  if (!type || type.getRank() == 0 || !isFloat(x) ||
      (type.getShape().back() != weight.cols &&
       !ShapedType::isDynamic(type.getShape().back())))
    return keepFloat(node, "activations are no float tensor of known rank");
  LinearLayer layer{node, x, std::move(weight), node.getInput(biasIndex),
                    "matmul_nbits"};
  raiseFloatLayer(matcher, layer);
  return success();
}

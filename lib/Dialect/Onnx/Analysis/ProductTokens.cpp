//===- ProductTokens.cpp - linear layers and attention --------------------===//

#include "TokenRules.h"

#include "tern/Dialect/Onnx/IR/Attention.h"
#include "tern/Dialect/Onnx/IR/GroupQueryAttention.h"

using namespace mlir;
using namespace tern::onnx;

using Answer = std::optional<TokenDependence>;

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// Whether an operand of a product has one matrix for all tokens, which the
/// other counts in dimension `dim` from the end.
static bool isShared(TokenQuery &query, unsigned operand, unsigned fromEnd) {
  unsigned rank = query.rank(operand);
  return fromEnd <= 2 || fromEnd > rank ||
         query.isOne(query.input(operand), rank - fromEnd);
}

/// Tokens times parameters: rows, or matrices, stay apart.
static Answer multiplyByParameters(TokenQuery &query, unsigned lhs,
                                   unsigned rhs) {
  unsigned fromEnd = query.rank(lhs) - query.dim(lhs);
  if (fromEnd == 1)
    return query.fail("it sums over tokens");
  if (!isShared(query, rhs, fromEnd))
    return query.fail("an operand has a fixed number of tokens");
  if (query.rank(rhs) == 1)
    return query.get(lhs);
  unsigned rank = std::max(query.rank(lhs), query.rank(rhs));
  return query.tokens(rank - fromEnd);
}

/// Parameters times tokens: columns, or matrices, stay apart.
static Answer multiplyParameters(TokenQuery &query, unsigned lhs,
                                 unsigned rhs) {
  unsigned fromEnd = query.rank(rhs) - query.dim(rhs);
  if (fromEnd == 2 || query.rank(rhs) == 1)
    return query.fail("it sums over tokens");
  if (!isShared(query, lhs, fromEnd))
    return query.fail("an operand has a fixed number of tokens");
  if (query.rank(lhs) == 1) // The rows' dimension goes.
    return query.tokens(query.dim(rhs) - (fromEnd == 1));
  unsigned rank = std::max(query.rank(lhs), query.rank(rhs));
  return query.tokens(rank - fromEnd);
}

/// Tokens times tokens, where both count them among their matrices.
static Answer multiplyTokens(TokenQuery &query, unsigned lhs, unsigned rhs) {
  unsigned fromEnd = query.rank(lhs) - query.dim(lhs);
  if (fromEnd <= 2 || fromEnd != query.rank(rhs) - query.dim(rhs))
    return query.fail("it multiplies tokens by each other; expected attention "
                      "that is recognised as causal");
  return query.tokens(std::max(query.rank(lhs), query.rank(rhs)) - fromEnd);
}

/// Whether `value` has one element: rows may have a scale or zero point each.
static bool isSingle(TokenQuery &query, Value value) {
  unsigned rank = cast<RankedTensorType>(value.getType()).getRank();
  return llvm::all_of(llvm::seq(rank),
                      [&](unsigned dim) { return query.isOne(value, dim); });
}

static Answer multiply(TokenQuery &query, unsigned lhs, unsigned rhs) {
  for (unsigned i = 0; i < query.op->getNumOperands(); ++i) {
    if (i == lhs || i == rhs || !query.input(i))
      continue;
    if (!query.isNone(i))
      return query.fail("a scale or zero point depends on tokens");
    // Two zero points follow, or each operand is followed by its own two.
    unsigned owner = rhs == 1 ? i - 2 : i - i % 3;
    bool isOfWeights = (owner == lhs || owner == rhs) && query.isNone(owner);
    if (!isOfWeights && !isSingle(query, query.input(i)))
      return query.fail("it has a scale or zero point for each token");
  }
  if (query.isTokens(lhs) && query.isTokens(rhs))
    return multiplyTokens(query, lhs, rhs);
  if (query.isTokens(lhs) && query.isNone(rhs))
    return multiplyByParameters(query, lhs, rhs);
  if (query.isNone(lhs) && query.isTokens(rhs))
    return multiplyParameters(query, lhs, rhs);
  return query.fail("it computes with the length of the sequence");
}

static Answer mapMatMul(TokenQuery &query) { return multiply(query, 0, 1); }
static Answer mapQLinearMatMul(TokenQuery &query) {
  return multiply(query, 0, 3);
}

static Answer mapGemm(TokenQuery &query) {
  unsigned rows = query.node().getInt("transA", 0) ? 1 : 0;
  if (!query.isTokens(0) || !query.isNone(1))
    return query.fail("its weights depend on tokens");
  if (query.dim(0) != rows)
    return query.fail("it sums over tokens");
  if (Value bias = query.input(2)) {
    if (!query.isNone(2) || (query.rank(2) == 2 && !query.isOne(bias, 0)))
      return query.fail("its bias depends on tokens");
  }
  return query.tokens(0);
}

/// Weights in blocks: the last dimension is summed over.
static Answer mapMatMulNBits(TokenQuery &query) {
  if (!query.isTokens(0) || query.dim(0) + 1 == query.rank(0))
    return query.fail("it sums over tokens");
  for (unsigned i = 1; i < query.op->getNumOperands(); ++i)
    if (query.input(i) && !query.isNone(i))
      return query.fail("its weights depend on tokens");
  return query.get(0u);
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

/// True where a result other than the first is used.
static bool hasOtherUses(Operation *op) {
  return llvm::any_of(op->getResults().drop_front(),
                      [](OpResult result) { return !result.use_empty(); });
}

/// The dimension that counts tokens where heads come first, or are joined.
static bool countsTokens(TokenQuery &query, unsigned index) {
  return query.isTokens(index) &&
         query.dim(index) == (query.rank(index) == 4 ? 2u : 1u);
}

static Answer mapRotation(TokenQuery &query, unsigned cos, unsigned sin,
                          unsigned positions) {
  if (!countsTokens(query, 0))
    return query.fail("its input is not understood");
  bool hasPositions = query.input(positions) != nullptr;
  if (hasPositions && (query.rank(positions) != 2 ||
                       query.dim(positions) != 1 || !query.isTokens(positions)))
    return query.fail("its positions are not understood");
  for (unsigned angles : {cos, sin})
    if (hasPositions ? !query.isNone(angles)
                     : !query.isTokens(angles) || query.dim(angles) != 1)
      return query.fail("its angles are not understood");
  return query.get(0u);
}

static Answer mapRotary(TokenQuery &query) {
  return mapRotation(query, 1, 2, 3);
}
static Answer mapContribRotary(TokenQuery &query) {
  return mapRotation(query, 2, 3, 1);
}

static Answer mapAttention(TokenQuery &query) {
  using Port = AttentionPort;
  for (unsigned i : {Port::Query, Port::Key, Port::Value})
    if (!query.input(i) || !countsTokens(query, i))
      return query.fail("its queries, keys or values are not one row a token");
  if (query.input(Port::Mask))
    return query.fail("its mask is not proven to be causal");
  if (query.input(Port::PastKey) || query.input(Port::PastValue) ||
      query.input(Port::KeyCounts))
    return query.fail("it has a past that is no cache of the graph");
  if (query.node().getInt("is_causal", 0) == 0)
    return query.fail("it reads later tokens");
  if (hasOtherUses(query.op))
    return query.fail("its scores or presents are used");
  query.addAttention();
  return query.get(0u);
}

/// onnxruntime's, which is causal always and may rotate. Without a past, its
/// lengths have to be those of the sequence.
static Answer mapGroupQueryAttention(TokenQuery &query) {
  using Port = GroupQueryAttentionPort;
  for (unsigned i : {Port::Query, Port::Key, Port::Values})
    if (query.input(i) && (query.rank(i) != 3 || !countsTokens(query, i)))
      return query.fail("its queries, keys or values are not one row a token");
  if (query.input(Port::PastKey) || query.input(Port::PastValue))
    return query.fail("it has a past that is no cache of the graph");
  if (!query.isLengthOf(Port::SeqLens, SequenceRole::LastPosition) ||
      !query.isLengthOf(Port::TotalLength, SequenceRole::TotalLength))
    return query.fail("seqlens_k or total_sequence_length is not understood; "
                      "expected the length of the sequence");
  if (query.input(Port::PositionIds) && !countsTokens(query, Port::PositionIds))
    return query.fail("its positions are not understood");
  if (query.input(Port::AttentionBias))
    return query.fail("its bias is added to all pairs of tokens");
  for (unsigned i : {Port::CosCache, Port::SinCache, Port::HeadSink})
    if (query.input(i) && !query.isNone(i))
      return query.fail("a parameter depends on tokens");
  if (hasOtherUses(query.op))
    return query.fail("its scores or presents are used");
  query.addAttention();
  return query.get(0u);
}

void tern::onnx::addProductTokenRules(TokenRules &rules) {
  rules["MatMul"] = mapMatMul;
  rules["MatMulInteger"] = mapMatMul;
  rules["QLinearMatMul"] = mapQLinearMatMul;
  rules["Gemm"] = mapGemm;
  rules["com.microsoft::MatMulNBits"] = mapMatMulNBits;
  rules["RotaryEmbedding"] = mapRotary;
  rules["com.microsoft::RotaryEmbedding"] = mapContribRotary;
  rules["Attention"] = mapAttention;
  rules["com.microsoft::GroupQueryAttention"] = mapGroupQueryAttention;
}

//===- ComputationShapes.cpp - shapes of products and reductions ----------===//

#include "ShapeRules.h"

using namespace mlir;
using namespace tern::onnx;

//===----------------------------------------------------------------------===//
// What rules share
//===----------------------------------------------------------------------===//

std::optional<unsigned> tern::onnx::getAxis(int64_t axis, size_t rank) {
  int64_t signedRank = static_cast<int64_t>(rank);
  axis = axis < 0 ? axis + signedRank : axis;
  if (axis < 0 || axis >= signedRank)
    return std::nullopt;
  return static_cast<unsigned>(axis);
}

Size tern::onnx::getProduct(ArrayRef<Size> sizes) {
  Size product = constantSize(1);
  for (Size size : sizes)
    product = multiplyLengths(product, size);
  return product;
}

std::optional<SmallVector<int64_t>> ShapeQuery::ints(StringRef name,
                                                     unsigned index) {
  if (std::optional<ArrayRef<int64_t>> list = node.getInts(name))
    return SmallVector<int64_t>(*list);
  return has(index) ? shapes.getConstants(node.getInput(index)) : std::nullopt;
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

static std::optional<ShapeFacts> multiply(ArrayRef<Size> lhs,
                                          ArrayRef<Size> rhs) {
  if (lhs.empty() || rhs.empty())
    return std::nullopt;
  ShapeFacts facts;
  facts.sizes = broadcastShapes(lhs.drop_back(std::min<size_t>(lhs.size(), 2)),
                                rhs.drop_back(std::min<size_t>(rhs.size(), 2)));
  if (lhs.size() > 1)
    facts.sizes.push_back(lhs[lhs.size() - 2]);
  if (rhs.size() > 1)
    facts.sizes.push_back(rhs.back());
  return facts;
}

template <unsigned Rhs>
static std::optional<ShapeFacts> inferMatMul(ShapeQuery &query) {
  if (!query.has(0) || !query.has(Rhs))
    return std::nullopt;
  return multiply(query.input(0).sizes, query.input(Rhs).sizes);
}

static std::optional<ShapeFacts> inferGemm(ShapeQuery &query) {
  const Sizes &lhs = query.input(0).sizes, &rhs = query.input(1).sizes;
  if (lhs.size() != 2 || rhs.size() != 2)
    return std::nullopt;
  ShapeFacts facts;
  facts.sizes = {lhs[query.attr("transA", 0) ? 1 : 0],
                 rhs[query.attr("transB", 0) ? 0 : 1]};
  return facts;
}

static std::optional<ShapeFacts> inferMatMulNBits(ShapeQuery &query) {
  ShapeFacts facts;
  facts.sizes = query.input(0).sizes;
  if (facts.sizes.empty())
    return std::nullopt;
  facts.sizes.back() = constantSize(query.attr("N", 0));
  return facts;
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

/// The axes that a reduction goes over; nullopt where they are not known.
static std::optional<SmallVector<bool>> getReduced(ShapeQuery &query) {
  size_t rank = query.input(0).sizes.size();
  std::optional<SmallVector<int64_t>> axes = query.ints("axes", 1);
  if (!axes && query.has(1))
    return std::nullopt;
  bool isNoop = query.attr("noop_with_empty_axes", 0) != 0;
  if (!axes || axes->empty())
    return SmallVector<bool>(rank, !isNoop);
  SmallVector<bool> reduced(rank);
  for (int64_t axis : *axes) {
    std::optional<unsigned> dim = getAxis(axis, rank);
    if (!dim)
      return std::nullopt;
    reduced[*dim] = true;
  }
  return reduced;
}

static std::optional<ShapeFacts> dropReduced(ShapeQuery &query,
                                             ArrayRef<bool> reduced) {
  ShapeFacts facts;
  bool keeps = query.attr("keepdims", 1) != 0;
  for (auto [size, isReduced] :
       llvm::zip_equal(query.input(0).sizes, reduced)) {
    if (!isReduced)
      facts.sizes.push_back(size);
    else if (keeps)
      facts.sizes.push_back(constantSize(1));
  }
  return facts;
}

static std::optional<ShapeFacts> inferReduction(ShapeQuery &query) {
  std::optional<SmallVector<bool>> reduced = getReduced(query);
  return reduced ? dropReduced(query, *reduced) : std::nullopt;
}

/// A sum of equal integers is one of them times their number.
static std::optional<ShapeFacts> inferReduceSum(ShapeQuery &query) {
  std::optional<SmallVector<bool>> reduced = getReduced(query);
  if (!reduced)
    return std::nullopt;
  std::optional<ShapeFacts> facts = dropReduced(query, *reduced);
  Size sum = query.input(0).splat;
  for (auto [size, isReduced] : llvm::zip_equal(query.input(0).sizes, *reduced))
    if (isReduced)
      sum = multiplyLengths(sum, size);
  facts->splat = sum;
  if (isConstantSize(getProduct(facts->sizes), 1))
    facts->elements = Sizes{sum};
  return facts;
}

static std::optional<ShapeFacts> inferReduceProd(ShapeQuery &query) {
  std::optional<ShapeFacts> facts = inferReduction(query);
  const ShapeFacts &input = query.input(0);
  if (facts && input.elements && isConstantSize(getProduct(facts->sizes), 1)) {
    facts->splat = getProduct(*input.elements);
    facts->elements = Sizes{facts->splat};
  }
  return facts;
}

static std::optional<ShapeFacts> inferArgMax(ShapeQuery &query) {
  SmallVector<bool> reduced(query.input(0).sizes.size());
  std::optional<unsigned> axis = getAxis(query.attr("axis", 0), reduced.size());
  if (!axis)
    return std::nullopt;
  reduced[*axis] = true;
  return dropReduced(query, reduced);
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

/// The output has the query's shape where values are as large as keys; the
/// types say so otherwise.
static std::optional<ShapeFacts> inferAttention(ShapeQuery &query) {
  if (query.output != 0 || !query.has(0))
    return std::nullopt;
  ShapeFacts facts;
  facts.sizes = query.input(0).sizes;
  if (facts.sizes.empty())
    return std::nullopt;
  facts.sizes.back() = Size();
  return facts;
}

void tern::onnx::addComputationShapeRules(ShapeRules &rules) {
  rules["MatMul"] = inferMatMul<1>;
  rules["MatMulInteger"] = inferMatMul<1>;
  rules["QLinearMatMul"] = inferMatMul<3>;
  rules["Gemm"] = inferGemm;
  rules["com.microsoft::MatMulNBits"] = inferMatMulNBits;
  for (StringRef kind :
       {"ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax",
        "ReduceMean", "ReduceMin", "ReduceSumSquare"})
    rules[kind] = inferReduction;
  rules["ReduceSum"] = inferReduceSum;
  rules["ReduceProd"] = inferReduceProd;
  rules["ArgMax"] = inferArgMax;
  rules["ArgMin"] = inferArgMax;
  rules["Attention"] = inferAttention;
  rules["com.microsoft::GroupQueryAttention"] = inferAttention;
}

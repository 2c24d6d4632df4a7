//===- MovementTokens.cpp - operators that move tokens --------------------===//

#include "TokenRules.h"

using namespace mlir;
using namespace tern::onnx;

using Answer = std::optional<TokenDependence>;
using Kind = TokenDependence::Kind;

static const TokenDependence kLength{Kind::Length, 0};

static bool hasTokens(TokenQuery &query) {
  for (unsigned i = 0; i < query.op->getNumOperands(); ++i)
    if (query.input(i) && query.isTokens(i))
      return true;
  return false;
}

static Answer takeLength(TokenQuery &) { return kLength; }

/// What a result that sizes decide the shape of is like: the tokens, if its
/// shape has them once. `dim` is where the input has them, if it does. A size
/// that is not known may depend on the length.
static Answer readResultShape(TokenQuery &query, std::optional<unsigned> dim) {
  std::optional<Polynomials> shape =
      query.evaluator.getShape(query.op->getResult(0));
  if (!shape)
    return query.fail("its shape is not understood");
  for (auto [i, size] : llvm::enumerate(*shape)) {
    if (size.getConstant() && dim != i)
      continue;
    if (!query.isLength(size) || (dim && *dim != i))
      return query.fail("its shape pairs tokens with each other");
    dim = i;
  }
  return dim ? query.tokens(*dim) : TokenDependence();
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

static Answer moveReshape(TokenQuery &query) {
  if (!query.isTokens(0))
    return query.isNone(0)
               ? query.fail("it gives a constant the length of the sequence")
               : Answer(kLength);
  std::optional<unsigned> dim =
      mapReshaped(query, query.input(0), query.dim(0), query.op->getResult(0));
  if (!dim)
    return query.fail("its shape does not keep tokens apart");
  return query.tokens(*dim);
}

/// A constant that is repeated for each token, or tokens that are repeated
/// along another dimension.
static Answer moveExpand(TokenQuery &query) {
  if (!query.isTokens(0) && !query.isNone(0))
    return query.fail("it computes with the length of the sequence");
  std::optional<unsigned> dim;
  unsigned rank =
      cast<RankedTensorType>(query.op->getResult(0).getType()).getRank();
  if (query.isTokens(0))
    dim = query.dim(0) + rank - query.rank(0);
  return readResultShape(query, dim);
}

static Answer moveConstantOfShape(TokenQuery &query) {
  if (hasTokens(query))
    return query.fail("its shape depends on tokens");
  return readResultShape(query, std::nullopt);
}

static Answer moveTranspose(TokenQuery &query) {
  if (!query.isTokens(0))
    return query.get(0u);
  unsigned rank = query.rank(0);
  std::optional<ArrayRef<int64_t>> order = query.node().getInts("perm");
  if (!order)
    return query.tokens(rank - 1 - query.dim(0));
  const int64_t *found = llvm::find(*order, query.dim(0));
  if (found == order->end())
    return query.fail("its permutation is not understood");
  return query.tokens(found - order->begin());
}

//===----------------------------------------------------------------------===//
// Parts
//===----------------------------------------------------------------------===//

static Answer moveConcat(TokenQuery &query) {
  if (!hasTokens(query))
    return kLength;
  std::optional<unsigned> axis = query.axis("axis", 0, query.rank(0)), dim;
  for (unsigned i = 0; i < query.op->getNumOperands(); ++i) {
    if (!query.isTokens(i))
      return query.fail("it joins tokens with what is none");
    if (!axis || *axis == query.dim(i) || (dim && *dim != query.dim(i)))
      return query.fail("it joins tokens along the sequence");
    dim = query.dim(i);
  }
  return query.tokens(*dim);
}

static Answer moveSplit(TokenQuery &query) {
  if (!query.isTokens(0))
    return kLength;
  std::optional<unsigned> axis = query.axis("axis", 0, query.rank(0));
  if (!axis || *axis == query.dim(0) || (query.input(1) && !query.isNone(1)))
    return query.fail("it splits the sequence");
  return query.get(0u);
}

static Answer moveTile(TokenQuery &query) {
  if (!query.isTokens(0))
    return query.fail("it computes with the length of the sequence");
  return readResultShape(query, query.dim(0));
}

/// The only axis that a Slice cuts, if it is one, from the front; its steps
/// are 1.
static std::optional<unsigned> getOnlyAxis(TokenQuery &query) {
  int64_t rank = query.rank(0);
  SmallVector<int64_t> axes = {0}, steps = {1};
  for (auto [input, list] : {std::pair(3u, &axes), std::pair(4u, &steps)}) {
    if (!query.input(input))
      continue;
    std::optional<SmallVector<int64_t>> constants = query.constants(input);
    if (!constants || constants->size() != 1)
      return std::nullopt;
    *list = *constants;
  }
  int64_t axis = axes.front() < 0 ? axes.front() + rank : axes.front();
  auto starts = dyn_cast<RankedTensorType>(query.input(1).getType());
  if (axis < 0 || axis >= rank || steps.front() != 1 || !starts ||
      !starts.hasStaticShape() || starts.getNumElements() != 1)
    return std::nullopt;
  return static_cast<unsigned>(axis);
}

/// Rows [0, length) of a table.
static Answer sliceTable(TokenQuery &query) {
  std::optional<Polynomials> shape =
      query.evaluator.getShape(query.op->getResult(0));
  std::optional<SmallVector<int64_t>> starts = query.constants(1);
  std::optional<unsigned> axis = getOnlyAxis(query);
  if (!starts || starts->front() != 0 || !axis || !shape ||
      !query.isLength((*shape)[*axis]))
    return query.fail("it cuts a table at the length of the sequence");
  query.addTableSlice(*axis);
  return query.tokens(*axis);
}

static Answer moveSlice(TokenQuery &query) {
  if (!query.input(1) || !query.input(2))
    return query.fail("its bounds are not understood");
  if (query.isNone(0))
    return hasTokens(query) ? query.fail("its bounds depend on tokens")
                            : sliceTable(query);
  if (!query.isTokens(0))
    return kLength;
  std::optional<Polynomials> shape =
      query.evaluator.getShape(query.op->getResult(0));
  // Bounds that depend on the length may cut the sequence only.
  bool isConstant = query.isNone(1) && query.isNone(2);
  if (!isConstant && getOnlyAxis(query) != query.dim(0))
    return query.fail("its bounds depend on the length of the sequence");
  // All of the sequence is left only where nothing of it is cut.
  if (!shape || (*shape)[query.dim(0)] != query.length)
    return query.fail("it cuts the sequence");
  return query.get(0u);
}

//===----------------------------------------------------------------------===//
// Rows of tables
//===----------------------------------------------------------------------===//

/// Whether all elements of `indices` are proven to be at least 0.
static bool countsFromBeginning(TokenQuery &query, Value indices) {
  std::optional<Polynomials> shape = query.evaluator.getShape(indices);
  if (!shape)
    return false;
  Polynomials index;
  for (const Polynomial &size : *shape)
    index.push_back(query.evaluator.createCoordinate(size));
  SymbolicElement element = query.evaluator.getElement(indices, index);
  const Polynomial *integer = element.getInteger();
  return integer && query.evaluator.isNonNegative(*integer);
}

static Answer moveGather(TokenQuery &query) {
  std::optional<unsigned> axis = query.axis("axis", 0, query.rank(0));
  if (!axis)
    return query.fail("its axis is not understood");
  if (!hasTokens(query))
    return kLength;
  if (!query.isTokens(1)) {
    if (query.dim(0) == *axis || !query.isNone(1))
      return query.fail("it picks tokens");
    bool isBefore = query.dim(0) < *axis;
    return query.tokens(isBefore ? query.dim(0)
                                 : query.dim(0) + query.rank(1) - 1);
  }
  // A slice of a table may as well be the table: positions are within it, and
  // count from its beginning.
  bool isTable = query.isTokens(0) && query.dim(0) == *axis &&
                 query.isTableSlice(query.input(0)) &&
                 countsFromBeginning(query, query.input(1));
  if (isTable)
    query.addTableGather();
  else if (!query.isNone(0))
    return query.fail("it picks tokens");
  return query.tokens(*axis + query.dim(1));
}

void tern::onnx::addMovementTokenRules(TokenRules &rules) {
  rules["Shape"] = takeLength;
  rules["Size"] = takeLength;
  for (StringRef kind : {"Reshape", "Flatten", "Squeeze", "Unsqueeze"})
    rules[kind] = moveReshape;
  rules["Expand"] = moveExpand;
  rules["ConstantOfShape"] = moveConstantOfShape;
  rules["Transpose"] = moveTranspose;
  rules["Concat"] = moveConcat;
  rules["Split"] = moveSplit;
  rules["Tile"] = moveTile;
  rules["Slice"] = moveSlice;
  rules["Gather"] = moveGather;
}

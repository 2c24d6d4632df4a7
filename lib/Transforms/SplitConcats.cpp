//===- SplitConcats.cpp - elementwise loops over what is concatenated -----===//
//
// A loop over a concatenation becomes a loop for each part, which reads the
// part where it lies. What the loop reads elsewhere is cut likewise, so that
// all pieces have the loop's size. Short arithmetic that others alone would
// read is done again for each part: that takes less time than writing its
// results.
//
//===----------------------------------------------------------------------===//

#include "Concatenation.h"

#include "tern/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/SetVector.h"

namespace tern {
#define GEN_PASS_DEF_SPLITCONCATS
#include "tern/Transforms/Passes.h.inc"
} // namespace tern

using namespace mlir;
using namespace tern;

/// Parts beyond which too much would be done again.
constexpr size_t kMostParts = 2;

/// Whether `op` computes each element of its only result from elements alone,
/// by arithmetic, in a tensor of its own.
static bool isElementwise(linalg::GenericOp op) {
  return op.getNumResults() == 1 && op.getNumReductionLoops() == 0 &&
         !op.hasIndexSemantics() &&
         op.getIndexingMapsArray().back().isIdentity() &&
         op.getDpsInits()[0].getDefiningOp<tensor::EmptyOp>() &&
         !op.payloadUsesValueFromOperand(op.getDpsInitOperand(0)) &&
         llvm::all_of(op.getBody()->without_terminator(),
                      [](Operation &nested) {
                        return isa<arith::ArithDialect>(nested.getDialect());
                      }) &&
         llvm::all_of(op.getIndexingMapsArray(), [](AffineMap map) {
           return map.isProjectedPermutation(/*allowZeroInResults=*/true);
         });
}

namespace {
/// What a loop reads: elements of `tensor` by a map of the loop's indices, of
/// one part if `part` is not negative.
struct Piece {
  Value tensor;
  AffineMap map;
  int64_t part;
};

/// Makes a loop of `op` for each part.
class Splitter {
public:
  /// `concat` is what the operand with the map `map` concatenates.
  Splitter(linalg::GenericOp op, const Concatenation &concat, unsigned loop)
      : b(op.getContext()), op(op), concat(concat), loop(loop) {
    absorb();
  }

  void run();

private:
  /// Finds the operations that nobody but `op` needs; their elements are
  /// computed in the loop.
  void absorb();
  void visit(Value tensor, AffineMap map);

  /// The concatenation of the parts that `tensor` is, if it is cut as the
  /// loop's `map` asks for.
  std::optional<Concatenation> matchParts(Value tensor, AffineMap map);
  /// The part that `slice` takes, with all that other dimensions have.
  std::optional<int64_t> matchPart(tensor::ExtractSliceOp slice, AffineMap map);
  /// Whether `map` reads along the loop that is split.
  bool isCut(AffineMap map) { return map.isFunctionOfDim(loop); }
  unsigned cutDim(AffineMap map) {
    for (auto [dim, expr] : llvm::enumerate(map.getResults()))
      if (expr.isFunctionOfDim(loop))
        return static_cast<unsigned>(dim);
    llvm_unreachable("the map does not read along the loop");
  }

  /// Emits the loop for a part; returns `whole` with its result.
  Value emitPart(int64_t part, Value whole);
  Value emit(Piece piece);
  Value emitBody(linalg::GenericOp generic, AffineMap map, int64_t part);
  Value emitInput(const Piece &piece);
  /// The slice of `tensor` that is part `part` of dimension `dim`.
  Value slice(Value tensor, unsigned dim, int64_t part);
  SmallVector<OpFoldResult> offsetsOf(unsigned rank, unsigned dim,
                                      int64_t part);

  IRRewriter b;
  linalg::GenericOp op;
  const Concatenation concat;
  const unsigned loop;
  llvm::SetVector<Operation *> absorbed;

  /// Of the loop that is being emitted.
  std::unique_ptr<Block> body;
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  /// What it computes already.
  SmallVector<std::pair<Piece, Value>> emitted;
};
} // namespace

//===----------------------------------------------------------------------===//
// What the loop computes
//===----------------------------------------------------------------------===//

std::optional<Concatenation> Splitter::matchParts(Value tensor, AffineMap map) {
  std::optional<Concatenation> found = matchConcatenation(tensor);
  if (!found || !isCut(map) || found->dim != cutDim(map) ||
      found->partSize != concat.partSize ||
      found->parts.size() != concat.parts.size())
    return std::nullopt;
  return found;
}

std::optional<int64_t> Splitter::matchPart(tensor::ExtractSliceOp slice,
                                           AffineMap map) {
  if (!isCut(map))
    return std::nullopt;
  return matchPartOf(slice, cutDim(map), concat.partSize,
                     static_cast<int64_t>(concat.parts.size()));
}

void Splitter::visit(Value tensor, AffineMap map) {
  Operation *def = tensor.getDefiningOp();
  if (!def || def->getBlock() != op->getBlock())
    return;
  if (std::optional<Concatenation> found = matchParts(tensor, map)) {
    absorbed.insert_range(found->insertions);
    for (Value part : found->parts)
      visit(part, map);
    return;
  }
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(def)) {
    if (!matchPart(slice, map))
      return;
    absorbed.insert(slice);
    return visit(slice.getSource(), map);
  }
  auto generic = dyn_cast<linalg::GenericOp>(def);
  // With another map, elements would be computed once for each of many.
  if (!generic || !map.isPermutation() || !isElementwise(generic))
    return;
  absorbed.insert(generic);
  for (OpOperand *input : generic.getDpsInputOperands())
    visit(input->get(), generic.getMatchingIndexingMap(input).compose(map));
}

void Splitter::absorb() {
  for (OpOperand *input : op.getDpsInputOperands())
    visit(input->get(), op.getMatchingIndexingMap(input));
  auto isNeededElsewhere = [&](Operation *candidate) {
    return llvm::any_of(candidate->getUsers(), [&](Operation *user) {
      return user != op && !absorbed.contains(user);
    });
  };
  while (absorbed.remove_if(isNeededElsewhere)) {
  }
}

//===----------------------------------------------------------------------===//
// The loop
//===----------------------------------------------------------------------===//

SmallVector<OpFoldResult> Splitter::offsetsOf(unsigned rank, unsigned dim,
                                              int64_t part) {
  SmallVector<OpFoldResult> offsets(rank, b.getIndexAttr(0));
  offsets[dim] = b.getIndexAttr(part * concat.partSize);
  return offsets;
}

Value Splitter::slice(Value tensor, unsigned dim, int64_t part) {
  Location loc = op.getLoc();
  SmallVector<OpFoldResult> sizes = getStatedSizes(tensor);
  if (sizes.empty())
    sizes = tensor::getMixedSizes(b, loc, tensor);
  sizes[dim] = b.getIndexAttr(concat.partSize);
  SmallVector<OpFoldResult> strides(sizes.size(), b.getIndexAttr(1));
  return tensor::ExtractSliceOp::create(
      b, loc, tensor, offsetsOf(static_cast<unsigned>(sizes.size()), dim, part),
      sizes, strides);
}

Value Splitter::emitInput(const Piece &piece) {
  Value tensor = piece.tensor;
  if (piece.part >= 0)
    tensor = slice(tensor, cutDim(piece.map), piece.part);
  inputs.push_back(tensor);
  maps.push_back(piece.map);
  return body->addArgument(getElementTypeOrSelf(tensor), op.getLoc());
}

Value Splitter::emitBody(linalg::GenericOp generic, AffineMap map,
                         int64_t part) {
  IRMapping mapping;
  for (OpOperand *input : generic.getDpsInputOperands()) {
    Value element =
        emit({input->get(), generic.getMatchingIndexingMap(input).compose(map),
              part});
    mapping.map(generic.getMatchingBlockArgument(input), element);
  }
  OpBuilder inner(generic.getContext());
  inner.setInsertionPointToEnd(body.get());
  for (Operation &operation : generic.getBody()->without_terminator())
    inner.clone(operation, mapping);
  return mapping.lookupOrDefault(
      generic.getBody()->getTerminator()->getOperand(0));
}

Value Splitter::emit(Piece piece) {
  if (!isCut(piece.map))
    piece.part = -1;
  for (auto &[known, value] : emitted)
    if (known.tensor == piece.tensor && known.map == piece.map &&
        known.part == piece.part)
      return value;
  auto compute = [&]() -> Value {
    Operation *def = piece.tensor.getDefiningOp();
    if (!def || !absorbed.contains(def))
      return emitInput(piece);
    if (auto generic = dyn_cast<linalg::GenericOp>(def))
      return emitBody(generic, piece.map, piece.part);
    if (auto slice = dyn_cast<tensor::ExtractSliceOp>(def);
        slice && piece.part < 0) {
      // It was absorbed for another map, which this one need not cut as well.
      std::optional<int64_t> part = matchPart(slice, piece.map);
      return part ? emit({slice.getSource(), piece.map, *part})
                  : emitInput(piece);
    }
    std::optional<Concatenation> found = matchParts(piece.tensor, piece.map);
    if (!found || piece.part < 0)
      return emitInput(piece);
    return emit({found->parts[piece.part], piece.map, -1});
  };
  Value value = compute();
  emitted.push_back({piece, value});
  return value;
}

Value Splitter::emitPart(int64_t part, Value whole) {
  Location loc = op.getLoc();
  body = std::make_unique<Block>();
  inputs.clear();
  maps.clear();
  emitted.clear();
  AffineMap identity = b.getMultiDimIdentityMap(op.getNumLoops());
  Value element = emitBody(op, identity, part);
  auto output =
      slice(whole, loop, part).getDefiningOp<tensor::ExtractSliceOp>();
  body->addArgument(element.getType(), loc);
  maps.push_back(identity);
  auto split = linalg::GenericOp::create(b, loc, output.getType(), inputs,
                                         ValueRange{output}, maps,
                                         op.getIteratorTypesArray());
  split.getRegion().push_back(body.release());
  OpBuilder inner = OpBuilder::atBlockEnd(&split.getRegion().front());
  linalg::YieldOp::create(inner, loc, element);
  return tensor::InsertSliceOp::create(
      b, loc, split.getResult(0), whole, output.getMixedOffsets(),
      output.getMixedSizes(), output.getMixedStrides());
}

void Splitter::run() {
  b.setInsertionPoint(op);
  // A tensor of its own: one that others write to as well would be copied.
  auto empty = op.getDpsInits()[0].getDefiningOp<tensor::EmptyOp>();
  Value whole = b.clone(*empty)->getResult(0);
  for (int64_t part = 0, end = static_cast<int64_t>(concat.parts.size());
       part < end; ++part)
    whole = emitPart(part, whole);
  b.replaceOp(op, whole);
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

/// Splits `op` if it reads a concatenation.
static void splitConcat(linalg::GenericOp op) {
  // What another loop took in is not needed any more.
  if (op.use_empty() || !isElementwise(op))
    return;
  for (OpOperand *input : op.getDpsInputOperands()) {
    std::optional<Concatenation> concat = matchConcatenation(input->get());
    if (!concat || concat->parts.size() > kMostParts)
      continue;
    auto loop = dyn_cast<AffineDimExpr>(
        op.getMatchingIndexingMap(input).getResult(concat->dim));
    if (!loop)
      continue;
    return Splitter(op, *concat, loop.getPosition()).run();
  }
}

namespace {
struct SplitConcatsPass : tern::impl::SplitConcatsBase<SplitConcatsPass> {
  using Base::Base;
  void runOnOperation() override {
    if (getOperation().isExternal())
      return;
    Block &block = getOperation().getBody().front();
    SmallVector<linalg::GenericOp> ops(block.getOps<linalg::GenericOp>());
    // From the end, so that a reader takes in what it reads as it was.
    for (linalg::GenericOp op : llvm::reverse(ops))
      splitConcat(op);
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
      if (isOpTriviallyDead(&op))
        op.erase();
  }
};
} // namespace

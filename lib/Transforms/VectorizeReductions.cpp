//===- VectorizeReductions.cpp - sums and maxima of rows in registers -----===//

#include "VectorLanes.h"

#include "tern/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/TypeSwitch.h"

namespace tern {
#define GEN_PASS_DEF_VECTORIZEREDUCTIONS
#include "tern/Transforms/Passes.h.inc"
} // namespace tern

using namespace mlir;

/// Vectors of partial results: what one addition after the other would wait for
/// is done four at a time.
constexpr int64_t kPartials = 4;

namespace {
/// A reduction of contiguous elements.
struct RowReduction {
  linalg::GenericOp op;
  /// Combines the accumulator with what the rest of the body computes.
  Operation *combiner;
  Value term;
  vector::CombiningKind kind;
};
} // namespace

//===----------------------------------------------------------------------===//
// Matching
//===----------------------------------------------------------------------===//

/// How `op` combines, if it may do so in any order.
static std::optional<vector::CombiningKind> getCombiningKind(Operation *op) {
  using vector::CombiningKind;
  if (auto sum = dyn_cast<arith::AddFOp>(op))
    return arith::bitEnumContainsAll(sum.getFastmath(),
                                     arith::FastMathFlags::reassoc)
               ? std::optional(CombiningKind::ADD)
               : std::nullopt;
  return llvm::TypeSwitch<Operation *, std::optional<CombiningKind>>(op)
      .Case<arith::AddIOp>([](auto) { return CombiningKind::ADD; })
      .Case<arith::MaximumFOp>([](auto) { return CombiningKind::MAXIMUMF; })
      .Case<arith::MinimumFOp>([](auto) { return CombiningKind::MINIMUMF; })
      .Case<arith::MaxSIOp>([](auto) { return CombiningKind::MAXSI; })
      .Case<arith::MinSIOp>([](auto) { return CombiningKind::MINSI; })
      .Default([](auto) { return std::nullopt; });
}

/// Whether `expr` is the loop `dim`.
static bool isLoop(AffineExpr expr, unsigned dim) {
  auto loop = dyn_cast<AffineDimExpr>(expr);
  return loop && loop.getPosition() == dim;
}

/// Whether the reads of `operand` follow each other as the last loop runs, or
/// stay. An i1 fills a byte in memory, but a bit in a vector.
static bool isContiguousOrConstant(linalg::GenericOp op, OpOperand &operand) {
  auto type = dyn_cast<MemRefType>(operand.get().getType());
  AffineMap map = op.getMatchingIndexingMap(&operand);
  if (!type || !map.isProjectedPermutation(/*allowZeroInResults=*/true))
    return false;
  unsigned last = op.getNumLoops() - 1;
  return !map.isFunctionOfDim(last) ||
         (isLoop(map.getResults().back(), last) && type.isLastDimUnitStride() &&
          type.getElementTypeBitWidth() % 8 == 0);
}

/// Whether the body computes numbers of 32 bits at most by elementwise
/// operations.
static bool isElementwise(linalg::GenericOp op) {
  auto isNarrow = [](Type type) {
    return type.isIntOrFloat() && type.getIntOrFloatBitWidth() <= 32;
  };
  return llvm::all_of(
      op.getBody()->without_terminator(), [&](Operation &nested) {
        return OpTrait::hasElementwiseMappableTraits(&nested) &&
               llvm::all_of(nested.getOperandTypes(), isNarrow) &&
               llvm::all_of(nested.getResultTypes(), isNarrow);
      });
}

static std::optional<RowReduction> matchReduction(linalg::GenericOp op) {
  SmallVector<utils::IteratorType> loops = op.getIteratorTypesArray();
  if (!op.hasPureBufferSemantics() || op.getNumReductionLoops() != 1 ||
      loops.back() != utils::IteratorType::reduction ||
      op.getNumDpsInits() != 1 || op.hasIndexSemantics() || !isElementwise(op))
    return std::nullopt;
  bool isContiguous = false;
  for (OpOperand *input : op.getDpsInputOperands()) {
    if (!isContiguousOrConstant(op, *input))
      return std::nullopt;
    isContiguous |=
        op.getMatchingIndexingMap(input).isFunctionOfDim(op.getNumLoops() - 1);
  }
  BlockArgument accumulator = op.getRegionOutputArgs().front();
  Operation *combiner =
      op.getBody()->getTerminator()->getOperand(0).getDefiningOp();
  if (!isContiguous || !combiner || combiner->getBlock() != op.getBody() ||
      combiner->getNumOperands() != 2 || !accumulator.hasOneUse() ||
      *accumulator.user_begin() != combiner)
    return std::nullopt;
  std::optional<vector::CombiningKind> kind = getCombiningKind(combiner);
  if (!kind)
    return std::nullopt;
  bool isFirst = combiner->getOperand(0) == accumulator;
  return RowReduction{op, combiner, combiner->getOperand(isFirst ? 1 : 0),
                      *kind};
}

//===----------------------------------------------------------------------===//
// Rewriting
//===----------------------------------------------------------------------===//

namespace {
class RowEmitter {
public:
  RowEmitter(const RowReduction &reduction, int64_t lanes)
      : b(linalg::GenericOp(reduction.op).getLoc(), reduction.op),
        reduction(reduction), op(reduction.op), lanes(lanes),
        type(VectorType::get(lanes, reduction.term.getType())) {
    auto loops = cast<linalg::LinalgOp>(op.getOperation());
    for (Range range : loops.createLoopRanges(b, b.getLoc()))
      sizes.push_back(
          getValueOrCreateConstantIndexOp(b, b.getLoc(), range.size));
  }

  void emit();

private:
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }
  SmallVector<Value> indicesOf(OpOperand &operand, ValueRange loops);
  void emitRow(SmallVector<Value> &loops);
  /// The vectors from `begin` to `end`, a whole number of groups of `count`.
  SmallVector<Value> emitVectors(SmallVector<Value> &loops, Value begin,
                                 Value end, SmallVector<Value> partials);
  /// What the body, without its combiner, makes of the vector at `loops`.
  Value emitTerm(ValueRange loops, Value mask);
  Value loadVector(OpOperand &operand, ValueRange loops, Value mask);
  Value combine(Value lhs, Value rhs);
  /// What changes nothing when it is combined with.
  TypedAttr getNeutral();

  ImplicitLocOpBuilder b;
  const RowReduction &reduction;
  linalg::GenericOp op;
  int64_t lanes;
  VectorType type;
  SmallVector<Value> sizes;
};
} // namespace

TypedAttr RowEmitter::getNeutral() {
  Type element = type.getElementType();
  if (auto floats = dyn_cast<FloatType>(element)) {
    const llvm::fltSemantics &semantics = floats.getFloatSemantics();
    bool isSum = reduction.kind == vector::CombiningKind::ADD;
    bool isNegative = reduction.kind != vector::CombiningKind::MINIMUMF;
    return b.getFloatAttr(floats, isSum
                                      ? APFloat::getZero(semantics, true)
                                      : APFloat::getInf(semantics, isNegative));
  }
  unsigned width = element.getIntOrFloatBitWidth();
  APInt value = reduction.kind == vector::CombiningKind::MAXSI
                    ? APInt::getSignedMinValue(width)
                : reduction.kind == vector::CombiningKind::MINSI
                    ? APInt::getSignedMaxValue(width)
                    : APInt::getZero(width);
  return b.getIntegerAttr(element, value);
}

SmallVector<Value> RowEmitter::indicesOf(OpOperand &operand, ValueRange loops) {
  SmallVector<Value> indices;
  for (AffineExpr expr : op.getMatchingIndexingMap(&operand).getResults()) {
    auto loop = dyn_cast<AffineDimExpr>(expr);
    indices.push_back(loop ? loops[loop.getPosition()] : index(0));
  }
  return indices;
}

Value RowEmitter::loadVector(OpOperand &operand, ValueRange loops, Value mask) {
  auto memref = cast<MemRefType>(operand.get().getType());
  auto stored = VectorType::get(lanes, memref.getElementType());
  SmallVector<Value> indices = indicesOf(operand, loops);
  AffineMap map = op.getMatchingIndexingMap(&operand);
  if (!map.isFunctionOfDim(op.getNumLoops() - 1)) {
    Value scalar = memref::LoadOp::create(b, operand.get(), indices);
    return vector::BroadcastOp::create(b, stored, scalar);
  }
  if (!mask)
    return vector::LoadOp::create(b, stored, operand.get(), indices);
  Value zeros = arith::ConstantOp::create(b, b.getZeroAttr(stored));
  return vector::MaskedLoadOp::create(b, stored, operand.get(), indices, mask,
                                      zeros);
}

Value RowEmitter::emitTerm(ValueRange loops, Value mask) {
  IRMapping mapping;
  for (auto [argument, operand] :
       llvm::zip(op.getRegionInputArgs(), op.getDpsInputOperands()))
    mapping.map(argument, loadVector(*operand, loops, mask));
  auto vectorOf = [&](Value value) -> Value {
    if (Value mapped = mapping.lookupOrNull(value))
      return mapped;
    return vector::BroadcastOp::create(
        b, VectorType::get(lanes, value.getType()), value);
  };
  for (Operation &nested : op.getBody()->without_terminator()) {
    if (&nested == reduction.combiner)
      continue;
    SmallVector<Value> operands;
    for (Value operand : nested.getOperands())
      operands.push_back(vectorOf(operand));
    SmallVector<Type> types;
    for (Type result : nested.getResultTypes())
      types.push_back(VectorType::get(lanes, result));
    Operation *created =
        b.create(OperationState(b.getLoc(), nested.getName().getStringRef(),
                                operands, types, nested.getAttrs()));
    mapping.map(nested.getResults(), created->getResults());
  }
  return vectorOf(reduction.term);
}

Value RowEmitter::combine(Value lhs, Value rhs) {
  Operation *created = b.create(OperationState(
      b.getLoc(), reduction.combiner->getName().getStringRef(), {lhs, rhs},
      {lhs.getType()}, reduction.combiner->getAttrs()));
  return created->getResult(0);
}

SmallVector<Value> RowEmitter::emitVectors(SmallVector<Value> &loops,
                                           Value begin, Value end,
                                           SmallVector<Value> partials) {
  int64_t count = partials.size();
  auto loop = scf::ForOp::create(
      b, begin, end, index(count * lanes), partials,
      [&](OpBuilder &, Location, Value first, ValueRange carried) {
        SmallVector<Value> next;
        for (auto [i, partial] : llvm::enumerate(carried)) {
          loops.back() = b.createOrFold<arith::AddIOp>(
              first, index(static_cast<int64_t>(i) * lanes));
          next.push_back(combine(partial, emitTerm(loops, /*mask=*/{})));
        }
        scf::YieldOp::create(b, next);
      });
  return SmallVector<Value>(loop.getResults());
}

void RowEmitter::emitRow(SmallVector<Value> &loops) {
  Value neutral = arith::ConstantOp::create(
      b, DenseElementsAttr::get(type, ArrayRef<Attribute>{getNeutral()}));
  Value size = sizes.back();
  auto floorTo = [&](int64_t step) {
    return b.createOrFold<arith::SubIOp>(
        size, b.createOrFold<arith::RemUIOp>(size, index(step)));
  };
  Value groups = floorTo(kPartials * lanes), vectors = floorTo(lanes);
  SmallVector<Value> partials = emitVectors(
      loops, index(0), groups, SmallVector<Value>(kPartials, neutral));
  while (partials.size() > 1) {
    SmallVector<Value> halves;
    for (size_t i = 0; i < partials.size(); i += 2)
      halves.push_back(combine(partials[i], partials[i + 1]));
    partials = std::move(halves);
  }
  Value partial = emitVectors(loops, groups, vectors, partials).front();
  std::optional<int64_t> length = getConstantIntValue(size);
  if (!length || *length % lanes != 0) {
    Value mask = vector::CreateMaskOp::create(
        b, VectorType::get(lanes, b.getI1Type()),
        b.createOrFold<arith::SubIOp>(size, vectors));
    loops.back() = vectors;
    Value term = emitTerm(loops, mask);
    term = arith::SelectOp::create(b, mask, term, neutral);
    partial = combine(partial, term);
  }
  auto flags = isa<FloatType>(type.getElementType())
                   ? arith::FastMathFlags::reassoc
                   : arith::FastMathFlags::none;
  Value result = vector::ReductionOp::create(b, reduction.kind, partial, flags);
  OpOperand &out = *op.getDpsInitOperand(0);
  SmallVector<Value> indices = indicesOf(out, loops);
  Value before = memref::LoadOp::create(b, out.get(), indices);
  memref::StoreOp::create(b, combine(before, result), out.get(), indices);
}

void RowEmitter::emit() {
  SmallVector<Value> outer = llvm::to_vector(ArrayRef(sizes).drop_back());
  auto emitIteration = [&](ValueRange indices) {
    SmallVector<Value> loops(indices);
    loops.push_back({});
    emitRow(loops);
  };
  if (outer.empty())
    return emitIteration({});
  SmallVector<Value> zeros(outer.size(), index(0)),
      ones(outer.size(), index(1));
  scf::ParallelOp::create(b, zeros, outer, ones,
                          [&](OpBuilder &, Location, ValueRange indices) {
                            emitIteration(indices);
                          });
}

namespace {
struct VectorizeReductionsPass
    : tern::impl::VectorizeReductionsBase<VectorizeReductionsPass> {
  using Base::Base;
  void runOnOperation() override {
    if (failed(tern::checkLanes(getOperation().getLoc(), lanes)))
      return signalPassFailure();
    SmallVector<linalg::GenericOp> found;
    getOperation().walk([&](linalg::GenericOp op) { found.push_back(op); });
    for (linalg::GenericOp op : found) {
      std::optional<RowReduction> reduction = matchReduction(op);
      if (!reduction)
        continue;
      RowEmitter(*reduction, static_cast<int64_t>(lanes)).emit();
      op.erase();
    }
  }
};
} // namespace

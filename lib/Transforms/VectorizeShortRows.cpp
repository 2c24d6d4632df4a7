//===- VectorizeShortRows.cpp - short rows as vectors ---------------------===//
//
//   for each iteration of the loops but the last
//     for each vector of the row        (up to eight are written out)
//       the body, in vectors
//
//===----------------------------------------------------------------------===//

#include "VectorLanes.h"

#include "tern/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

#include <numeric>

namespace tern {
#define GEN_PASS_DEF_VECTORIZESHORTROWS
#include "tern/Transforms/Passes.h.inc"
} // namespace tern

using namespace mlir;

/// Elements that a row has at most: LLVM does well with longer ones.
constexpr int64_t kMostElements = 256;
/// Vectors that are written out one after the other.
constexpr int64_t kVectorsInStep = 8;

//===----------------------------------------------------------------------===//
// Matching
//===----------------------------------------------------------------------===//

/// Whether the last loop of `op` runs along a row of `operand`, or stays on an
/// element of it. An i1 fills a byte in memory, but a bit in a vector.
static bool isRowOrConstant(linalg::LinalgOp op, OpOperand &operand) {
  auto type = dyn_cast<MemRefType>(operand.get().getType());
  AffineMap map = op.getMatchingIndexingMap(&operand);
  if (!type)
    return true;
  unsigned last = op.getNumLoops() - 1;
  Type element = type.getElementType();
  if (!map.isProjectedPermutation(/*allowZeroInResults=*/true) ||
      !element.isIntOrFloat() || element.getIntOrFloatBitWidth() % 8 != 0)
    return false;
  if (!map.isFunctionOfDim(last))
    return true;
  auto dim = dyn_cast<AffineDimExpr>(map.getResults().back());
  return dim && dim.getPosition() == last && type.isLastDimUnitStride();
}

static bool isVectorisable(Operation &op) {
  auto isScalar = [](Type type) {
    return type.isIndex() ||
           (type.isIntOrFloat() && type.getIntOrFloatBitWidth() <= 32);
  };
  if (isa<linalg::IndexOp>(op))
    return true;
  return OpTrait::hasElementwiseMappableTraits(&op) &&
         (isa<arith::ArithDialect>(op.getDialect()) || isa<math::ExpOp>(op)) &&
         llvm::all_of(op.getOperandTypes(), isScalar) &&
         llvm::all_of(op.getResultTypes(), isScalar);
}

/// Whether `op` reads nothing that another of its iterations writes, as far as
/// the same memref tells.
static bool readsAtItsPlace(linalg::LinalgOp op) {
  for (OpOperand *input : op.getDpsInputOperands())
    for (OpOperand &init : op.getDpsInitsMutable())
      if (input->get() == init.get() &&
          op.getMatchingIndexingMap(input) != op.getMatchingIndexingMap(&init))
        return false;
  return true;
}

/// Whether `op` computes rows of a few whole vectors, by itself on a thread.
static bool hasShortRows(linalg::LinalgOp op, int64_t lanes) {
  if (!op.hasPureBufferSemantics() || op.getNumLoops() == 0 ||
      (!op->getParentOfType<scf::ForallOp>() &&
       !op->getParentOfType<scf::ParallelOp>()))
    return false;
  int64_t length = op.getStaticLoopRanges().back();
  if (ShapedType::isDynamic(length) || length == 0 || length % lanes != 0 ||
      length > kMostElements)
    return false;
  unsigned last = op.getNumLoops() - 1;
  for (OpOperand &init : op.getDpsInitsMutable())
    if (!op.getMatchingIndexingMap(&init).isFunctionOfDim(last))
      return false;
  return readsAtItsPlace(op) &&
         llvm::all_of(op->getOpOperands(),
                      [&](OpOperand &operand) {
                        return isRowOrConstant(op, operand);
                      }) &&
         llvm::all_of(op.getBlock()->without_terminator(), isVectorisable);
}

//===----------------------------------------------------------------------===//
// Rewriting
//===----------------------------------------------------------------------===//

namespace {
class RowEmitter {
public:
  RowEmitter(linalg::LinalgOp op, int64_t lanes)
      : b(op.getLoc(), op), op(op), lanes(lanes) {
    for (Range range : op.createLoopRanges(b, b.getLoc()))
      sizes.push_back(
          getValueOrCreateConstantIndexOp(b, b.getLoc(), range.size));
  }

  /// Emits the loops from `loop` on; `indices` has those before it.
  void emit(unsigned loop = 0);

private:
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }
  VectorType vectorOf(Type element) { return VectorType::get(lanes, element); }
  SmallVector<Value> indicesOf(OpOperand &operand);
  Value load(OpOperand &operand);
  /// The values that linalg.index of `dim` has in the lanes.
  Value emitIndex(uint64_t dim);
  void emitVector();

  ImplicitLocOpBuilder b;
  linalg::LinalgOp op;
  int64_t lanes;
  SmallVector<Value> sizes;
  SmallVector<Value> indices;
};
} // namespace

SmallVector<Value> RowEmitter::indicesOf(OpOperand &operand) {
  SmallVector<Value> result;
  for (AffineExpr expr : op.getMatchingIndexingMap(&operand).getResults()) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    result.push_back(dim ? indices[dim.getPosition()] : index(0));
  }
  return result;
}

Value RowEmitter::load(OpOperand &operand) {
  auto type = dyn_cast<MemRefType>(operand.get().getType());
  if (!type)
    return vector::BroadcastOp::create(b, vectorOf(operand.get().getType()),
                                       operand.get());
  VectorType vector = vectorOf(type.getElementType());
  if (op.getMatchingIndexingMap(&operand).isFunctionOfDim(op.getNumLoops() - 1))
    return vector::LoadOp::create(b, vector, operand.get(), indicesOf(operand));
  Value element = memref::LoadOp::create(b, operand.get(), indicesOf(operand));
  return vector::BroadcastOp::create(b, vector, element);
}

Value RowEmitter::emitIndex(uint64_t dim) {
  Value first =
      vector::BroadcastOp::create(b, vectorOf(b.getIndexType()), indices[dim]);
  if (dim + 1 != op.getNumLoops())
    return first;
  return arith::AddIOp::create(
      b, first, vector::StepOp::create(b, vectorOf(b.getIndexType())));
}

void RowEmitter::emitVector() {
  IRMapping mapping;
  Block *body = op.getBlock();
  for (auto [argument, operand] :
       llvm::zip(body->getArguments(), op->getOpOperands()))
    if (!argument.use_empty())
      mapping.map(argument, load(operand));
  auto find = [&](Value value) -> Value {
    if (Value mapped = mapping.lookupOrNull(value))
      return mapped;
    return vector::BroadcastOp::create(b, vectorOf(value.getType()), value);
  };
  for (Operation &nested : body->without_terminator()) {
    if (auto index = dyn_cast<linalg::IndexOp>(nested)) {
      mapping.map(index.getResult(), emitIndex(index.getDim()));
      continue;
    }
    SmallVector<Value> operands =
        llvm::map_to_vector(nested.getOperands(), find);
    SmallVector<Type> types;
    for (Type result : nested.getResultTypes())
      types.push_back(vectorOf(result));
    Operation *created =
        b.create(OperationState(b.getLoc(), nested.getName().getStringRef(),
                                operands, types, nested.getAttrs()));
    mapping.map(nested.getResults(), created->getResults());
  }
  for (auto [yielded, init] :
       llvm::zip(body->getTerminator()->getOperands(), op.getDpsInitsMutable()))
    vector::StoreOp::create(b, find(yielded), init.get(), indicesOf(init));
}

void RowEmitter::emit(unsigned loop) {
  indices.resize(op.getNumLoops());
  if (loop + 1 < op.getNumLoops()) {
    scf::ForOp::create(b, index(0), sizes[loop], index(1), ValueRange(),
                       [&](OpBuilder &, Location, Value i, ValueRange) {
                         indices[loop] = i;
                         emit(loop + 1);
                         scf::YieldOp::create(b);
                       });
    return;
  }
  int64_t length = op.getStaticLoopRanges().back(), vectors = length / lanes;
  int64_t inStep =
      vectors <= kVectorsInStep ? vectors : std::gcd(vectors, kVectorsInStep);
  auto emitStep = [&](Value first) {
    for (int64_t i = 0; i < inStep; ++i) {
      indices[loop] = b.createOrFold<arith::AddIOp>(first, index(i * lanes));
      emitVector();
    }
  };
  if (inStep == vectors)
    return emitStep(index(0));
  scf::ForOp::create(b, index(0), index(length), index(inStep * lanes),
                     ValueRange(),
                     [&](OpBuilder &, Location, Value first, ValueRange) {
                       emitStep(first);
                       scf::YieldOp::create(b);
                     });
}

namespace {
struct VectorizeShortRowsPass
    : tern::impl::VectorizeShortRowsBase<VectorizeShortRowsPass> {
  using Base::Base;
  void runOnOperation() override {
    if (failed(tern::checkLanes(getOperation().getLoc(), lanes)))
      return signalPassFailure();
    SmallVector<linalg::LinalgOp> found;
    getOperation().walk([&](linalg::LinalgOp op) {
      if (hasShortRows(op, static_cast<int64_t>(lanes)))
        found.push_back(op);
    });
    for (linalg::LinalgOp op : found) {
      RowEmitter(op, static_cast<int64_t>(lanes)).emit();
      op.erase();
    }
  }
};
} // namespace

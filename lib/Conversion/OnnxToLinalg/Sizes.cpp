//===- Sizes.cpp - sizes of tensors, and proofs about them ----------------===//

#include "Sizes.h"

#include "tern/Dialect/Ternary/IR/Ternary.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"

#include <map>

using namespace mlir;
using namespace tern::onnx;

//===----------------------------------------------------------------------===//
// Reading sizes off the operations that make tensors
//===----------------------------------------------------------------------===//

static OpFoldResult staticSize(ImplicitLocOpBuilder &b, int64_t size) {
  return b.getIndexAttr(size);
}

// The symbol of dimension `dim` of a function argument, or nothing.
static StringRef symbolOf(BlockArgument arg, int64_t dim) {
  auto func = dyn_cast_or_null<func::FuncOp>(arg.getOwner()->getParentOp());
  if (!func || !arg.getOwner()->isEntryBlock())
    return {};
  auto dims = func.getArgAttrOfType<ArrayAttr>(arg.getArgNumber(), "onnx.dims");
  if (!dims || dim >= static_cast<int64_t>(dims.size()))
    return {};
  auto symbol = dyn_cast<StringAttr>(dims[dim]);
  return symbol ? symbol.getValue() : StringRef();
}

// The first dimension of the function's arguments that has the same symbol.
static std::pair<BlockArgument, int64_t> firstWithSymbol(BlockArgument arg,
                                                         int64_t dim) {
  StringRef symbol = symbolOf(arg, dim);
  if (symbol.empty())
    return {arg, dim};
  for (BlockArgument other : arg.getOwner()->getArguments()) {
    auto type = dyn_cast<RankedTensorType>(other.getType());
    if (!type)
      continue;
    for (int64_t otherDim = 0; otherDim < type.getRank(); ++otherDim)
      if (symbolOf(other, otherDim) == symbol)
        return {other, otherDim};
  }
  return {arg, dim};
}

// A tensor.dim right after the definition of `tensor`; one for each dimension.
static Value dimRightAfter(ImplicitLocOpBuilder &b, Value tensor, int64_t dim) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointAfterValue(tensor);
  Block *block = b.getInsertionBlock();
  for (Operation &op : llvm::make_range(b.getInsertionPoint(), block->end())) {
    auto dimOp = dyn_cast<tensor::DimOp>(op);
    if (!dimOp && !isa<arith::ConstantOp>(op))
      break;
    if (dimOp && dimOp.getSource() == tensor && dimOp.getConstantIndex() == dim)
      return dimOp;
  }
  return tensor::DimOp::create(b, tensor, dim);
}

static OpFoldResult sizeOfConcat(ImplicitLocOpBuilder &b,
                                 tensor::ConcatOp concat, int64_t dim) {
  OpFoldResult size = sizeOf(b, concat.getInputs().front(), dim);
  if (dim != static_cast<int64_t>(concat.getDim()))
    return size;
  for (Value input : concat.getInputs().drop_front())
    size = addSizes(b, size, sizeOf(b, input, dim));
  return size;
}

// What an operation in destination style writes to `tensor`'s place, or null.
static Value getDestination(Value tensor) {
  auto style = tensor.getDefiningOp<DestinationStyleOpInterface>();
  return style ? style.getTiedOpOperand(cast<OpResult>(tensor))->get()
               : Value();
}

// What both branches write result `index` to, or null.
static Value getDestination(scf::IfOp choice, unsigned index) {
  if (!choice.elseBlock())
    return nullptr;
  Value dest = getDestination(choice.thenYield().getOperand(index));
  return dest == getDestination(choice.elseYield().getOperand(index)) ? dest
                                                                      : Value();
}

// The size of `dim` where the operation that makes `tensor` says it, else null.
static OpFoldResult sizeFromDefinition(ImplicitLocOpBuilder &b, OpResult tensor,
                                       int64_t dim) {
  Operation *def = tensor.getOwner();
  if (auto empty = dyn_cast<tensor::EmptyOp>(def))
    return empty.getMixedSizes()[dim];
  if (auto generate = dyn_cast<tensor::GenerateOp>(def))
    return generate
        .getDynamicExtents()[generate.getType().getDynamicDimIndex(dim)];
  if (auto style = dyn_cast<DestinationStyleOpInterface>(def))
    return sizeOf(b, style.getTiedOpOperand(tensor)->get(), dim);
  if (auto choice = dyn_cast<scf::IfOp>(def))
    if (Value dest = getDestination(choice, tensor.getResultNumber()))
      return sizeOf(b, dest, dim);
  if (auto cast = dyn_cast<tensor::CastOp>(def))
    return isa<RankedTensorType>(cast.getSource().getType())
               ? sizeOf(b, cast.getSource(), dim)
               : OpFoldResult();
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(def))
    return expand.getMixedOutputShape()[dim];
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(def)) {
    OpFoldResult product = staticSize(b, 1);
    ReassociationIndices group = collapse.getReassociationIndices()[dim];
    for (int64_t source : group)
      product = multiplySizes(b, product, sizeOf(b, collapse.getSrc(), source));
    return product;
  }
  if (auto reshape = dyn_cast<tensor::ReshapeOp>(def))
    if (auto shape = reshape.getShape().getDefiningOp<tensor::FromElementsOp>())
      if (Value size = shape.getElements()[dim]; size.getType().isIndex())
        return size;
  if (auto insert = dyn_cast<tensor::InsertSliceOp>(def))
    return sizeOf(b, insert.getDest(), dim);
  if (auto insert = dyn_cast<tensor::InsertOp>(def))
    return sizeOf(b, insert.getDest(), dim);
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(def))
    if (slice.getSourceType().getRank() == slice.getType().getRank())
      return slice.getMixedSizes()[dim];
  if (auto concat = dyn_cast<tensor::ConcatOp>(def))
    return sizeOfConcat(b, concat, dim);
  if (auto reshape = dyn_cast<tensor::ReshapeOp>(def))
    return sizeFromScalar(b, scalarsOf(b, reshape.getShape())[dim]);
  // All dimensions but the last are those of the activations.
  if (auto linear = dyn_cast<tern::ternary::BitLinearOp>(def))
    return sizeOf(b, linear.getX(), dim);
  return {};
}

OpFoldResult tern::onnx::sizeOf(ImplicitLocOpBuilder &b, Value tensor,
                                int64_t dim) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (!type.isDynamicDim(dim))
    return staticSize(b, type.getDimSize(dim));
  if (auto arg = dyn_cast<BlockArgument>(tensor)) {
    auto [first, firstDim] = firstWithSymbol(arg, dim);
    auto firstType = cast<RankedTensorType>(first.getType());
    if (!firstType.isDynamicDim(firstDim))
      return staticSize(b, firstType.getDimSize(firstDim));
    return dimRightAfter(b, first, firstDim);
  }
  if (OpFoldResult size = sizeFromDefinition(b, cast<OpResult>(tensor), dim)) {
    // What defined the size may have become constant since.
    if (std::optional<int64_t> constant = getConstantIntValue(size))
      return staticSize(b, *constant);
    return size;
  }
  return dimRightAfter(b, tensor, dim);
}

SmallVector<OpFoldResult> tern::onnx::sizesOf(ImplicitLocOpBuilder &b,
                                              Value tensor) {
  SmallVector<OpFoldResult> sizes;
  int64_t rank = cast<RankedTensorType>(tensor.getType()).getRank();
  for (int64_t dim = 0; dim < rank; ++dim)
    sizes.push_back(sizeOf(b, tensor, dim));
  return sizes;
}

//===----------------------------------------------------------------------===//
// Proofs
//===----------------------------------------------------------------------===//

// Whether two values are computed alike from the same values.
static bool isSameComputation(Value lhs, Value rhs, unsigned depth = 8) {
  if (lhs == rhs)
    return true;
  Operation *left = lhs.getDefiningOp(), *right = rhs.getDefiningOp();
  if (!left || !right || depth == 0)
    return false;
  if (left->getName() != right->getName() || left->getNumRegions() != 0 ||
      left->getRawDictionaryAttrs() != right->getRawDictionaryAttrs() ||
      left->getPropertiesAsAttribute() != right->getPropertiesAsAttribute() ||
      left->getResultTypes() != right->getResultTypes() ||
      left->getNumOperands() != right->getNumOperands() ||
      cast<OpResult>(lhs).getResultNumber() !=
          cast<OpResult>(rhs).getResultNumber() ||
      !isMemoryEffectFree(left))
    return false;
  return llvm::all_of(
      llvm::zip_equal(left->getOperands(), right->getOperands()),
      [&](auto pair) {
        return isSameComputation(std::get<0>(pair), std::get<1>(pair),
                                 depth - 1);
      });
}

namespace {
/// Writes sizes as polynomials over `atoms`: values that are no sums, products
/// or differences. Sizes are far from overflowing, so i64 and index agree.
class Polynomials {
public:
  /// Coefficients by monomial: the sorted indices of its atoms.
  using Polynomial = std::map<SmallVector<unsigned>, int64_t>;

  Polynomial of(OpFoldResult size) {
    if (std::optional<int64_t> constant = getConstantIntValue(size))
      return normalized({{{}, *constant}});
    return ofValue(cast<Value>(size));
  }

private:
  Polynomial ofValue(Value value) {
    APInt constant;
    if (matchPattern(value, m_ConstantInt(&constant)))
      return normalized({{{}, constant.getSExtValue()}});
    Operation *def = value.getDefiningOp();
    if (isa_and_nonnull<arith::IndexCastOp>(def))
      return ofValue(def->getOperand(0));
    if (isa_and_nonnull<arith::AddIOp, arith::SubIOp, arith::MulIOp>(def)) {
      Polynomial lhs = ofValue(def->getOperand(0));
      Polynomial rhs = ofValue(def->getOperand(1));
      if (isa<arith::MulIOp>(def))
        return product(lhs, rhs);
      return sum(lhs, rhs, isa<arith::SubIOp>(def) ? -1 : 1);
    }
    return {{{atomIndex(value)}, 1}};
  }

  unsigned atomIndex(Value value) {
    auto *found = llvm::find_if(
        atoms, [&](Value atom) { return isSameComputation(atom, value); });
    unsigned index = std::distance(atoms.begin(), found);
    if (found == atoms.end())
      atoms.push_back(value);
    return index;
  }

  static Polynomial normalized(Polynomial terms) {
    for (auto it = terms.begin(); it != terms.end();)
      it = it->second == 0 ? terms.erase(it) : std::next(it);
    return terms;
  }

  static Polynomial sum(Polynomial lhs, const Polynomial &rhs, int64_t sign) {
    for (const auto &[monomial, coefficient] : rhs)
      lhs[monomial] += sign * coefficient;
    return normalized(std::move(lhs));
  }

  static Polynomial product(const Polynomial &lhs, const Polynomial &rhs) {
    Polynomial terms;
    for (const auto &[left, leftCoefficient] : lhs)
      for (const auto &[right, rightCoefficient] : rhs) {
        SmallVector<unsigned> monomial(left);
        monomial.append(right.begin(), right.end());
        llvm::sort(monomial);
        terms[monomial] += leftCoefficient * rightCoefficient;
      }
    return normalized(std::move(terms));
  }

  SmallVector<Value> atoms;
};
} // namespace

// `size` without a guard against values that are no sizes: `max(x, 0)` (Range)
// and `x == -1 ? y : x` (shapes for Expand) are x wherever x is a size. This
// holds for a whole size only, since a term of one may be negative.
static OpFoldResult withoutGuard(OpFoldResult size) {
  auto value = dyn_cast<Value>(size);
  if (!value)
    return size;
  if (auto cast = value.getDefiningOp<arith::IndexCastOp>())
    return withoutGuard(cast.getIn());
  if (auto max = value.getDefiningOp<arith::MaxSIOp>())
    return matchPattern(max.getRhs(), m_Zero()) ? withoutGuard(max.getLhs())
                                                : size;
  auto select = value.getDefiningOp<arith::SelectOp>();
  auto compare =
      select ? select.getCondition().getDefiningOp<arith::CmpIOp>() : nullptr;
  APInt guarded;
  if (compare && compare.getPredicate() == arith::CmpIPredicate::eq &&
      compare.getLhs() == select.getFalseValue() &&
      matchPattern(compare.getRhs(), m_ConstantInt(&guarded)) &&
      guarded.isNegative())
    return withoutGuard(select.getFalseValue());
  return size;
}

bool tern::onnx::areSameSize(OpFoldResult lhs, OpFoldResult rhs) {
  if (lhs == rhs)
    return true;
  lhs = withoutGuard(lhs);
  rhs = withoutGuard(rhs);
  Polynomials polynomials;
  return polynomials.of(lhs) == polynomials.of(rhs);
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

static Value asValue(ImplicitLocOpBuilder &b, OpFoldResult size) {
  return getValueOrCreateConstantIndexOp(b, b.getLoc(), size);
}

template <typename Op>
static OpFoldResult computeSize(ImplicitLocOpBuilder &b, OpFoldResult lhs,
                                OpFoldResult rhs) {
  Value result = b.createOrFold<Op>(asValue(b, lhs), asValue(b, rhs));
  return getAsOpFoldResult(result);
}

OpFoldResult tern::onnx::addSizes(ImplicitLocOpBuilder &b, OpFoldResult lhs,
                                  OpFoldResult rhs) {
  return computeSize<arith::AddIOp>(b, lhs, rhs);
}

OpFoldResult tern::onnx::subtractSizes(ImplicitLocOpBuilder &b,
                                       OpFoldResult lhs, OpFoldResult rhs) {
  return computeSize<arith::SubIOp>(b, lhs, rhs);
}

OpFoldResult tern::onnx::multiplySizes(ImplicitLocOpBuilder &b,
                                       OpFoldResult lhs, OpFoldResult rhs) {
  return computeSize<arith::MulIOp>(b, lhs, rhs);
}

//===----------------------------------------------------------------------===//
// Tensors of given sizes
//===----------------------------------------------------------------------===//

RankedTensorType tern::onnx::typeWithSizes(ArrayRef<OpFoldResult> sizes,
                                           Type elementType) {
  SmallVector<int64_t> shape;
  for (OpFoldResult size : sizes)
    shape.push_back(getConstantIntValue(size).value_or(ShapedType::kDynamic));
  return RankedTensorType::get(shape, elementType);
}

Value tern::onnx::emptyTensor(ImplicitLocOpBuilder &b,
                              ArrayRef<OpFoldResult> sizes, Type elementType) {
  SmallVector<OpFoldResult> mixed;
  for (OpFoldResult size : sizes) {
    std::optional<int64_t> constant = getConstantIntValue(size);
    mixed.push_back(constant ? staticSize(b, *constant) : size);
  }
  return tensor::EmptyOp::create(b, mixed, elementType);
}

Value tern::onnx::filledTensor(ImplicitLocOpBuilder &b,
                               ArrayRef<OpFoldResult> sizes, Value scalar) {
  Value init = emptyTensor(b, sizes, scalar.getType());
  return linalg::FillOp::create(b, scalar, init).getResult(0);
}

SmallVector<utils::IteratorType> tern::onnx::parallelLoops(int64_t rank) {
  return SmallVector<utils::IteratorType>(rank, utils::IteratorType::parallel);
}

//===----------------------------------------------------------------------===//
// Small tensors, element by element
//===----------------------------------------------------------------------===//

static SmallVector<Value> scalarsOfConstant(ImplicitLocOpBuilder &b,
                                            DenseElementsAttr elements) {
  SmallVector<Value> scalars;
  for (Attribute element : elements.getValues<Attribute>())
    scalars.push_back(arith::ConstantOp::create(b, cast<TypedAttr>(element)));
  return scalars;
}

std::optional<SmallVector<Value>>
tern::onnx::knownScalars(ImplicitLocOpBuilder &b, Value tensor) {
  auto type = dyn_cast<RankedTensorType>(tensor.getType());
  if (!type)
    return std::nullopt;
  Operation *def = tensor.getDefiningOp();
  if (isa_and_nonnull<tensor::CastOp, tensor::ExpandShapeOp,
                      tensor::CollapseShapeOp, tensor::ReshapeOp>(def))
    return knownScalars(b, def->getOperand(0));
  if (!type.hasStaticShape() || type.getNumElements() > maxKnownScalars)
    return std::nullopt;
  if (auto elements = tensor.getDefiningOp<tensor::FromElementsOp>())
    return SmallVector<Value>(elements.getElements());
  DenseElementsAttr constant;
  if (matchPattern(tensor, m_Constant(&constant)))
    return scalarsOfConstant(b, constant);
  return std::nullopt;
}

SmallVector<Value> tern::onnx::scalarsOf(ImplicitLocOpBuilder &b,
                                         Value tensor) {
  if (std::optional<SmallVector<Value>> known = knownScalars(b, tensor))
    return *known;
  auto type = cast<RankedTensorType>(tensor.getType());
  if (type.getRank() == 0)
    return {tensor::ExtractOp::create(b, tensor, ValueRange())};
  SmallVector<Value> scalars;
  for (int64_t index = 0; index < type.getDimSize(0); ++index) {
    Value position = arith::ConstantIndexOp::create(b, index);
    scalars.push_back(tensor::ExtractOp::create(b, tensor, position));
  }
  return scalars;
}

Value tern::onnx::tensorOfScalars(ImplicitLocOpBuilder &b,
                                  RankedTensorType type, ValueRange scalars) {
  SmallVector<Attribute> constants;
  for (Value scalar : scalars) {
    Attribute constant;
    if (!matchPattern(scalar, m_Constant(&constant)))
      return tensor::FromElementsOp::create(b, type, scalars);
    constants.push_back(constant);
  }
  return arith::ConstantOp::create(b, DenseElementsAttr::get(type, constants));
}

OpFoldResult tern::onnx::sizeFromScalar(ImplicitLocOpBuilder &b, Value scalar) {
  if (!scalar.getType().isIndex())
    scalar = b.createOrFold<arith::IndexCastOp>(b.getIndexType(), scalar);
  return getAsOpFoldResult(scalar);
}

Value tern::onnx::scalarFromSize(ImplicitLocOpBuilder &b, OpFoldResult size,
                                 Type type) {
  Value value = asValue(b, size);
  if (type.isIndex())
    return value;
  return b.createOrFold<arith::IndexCastOp>(type, value);
}

Value tern::onnx::foldScalar(ImplicitLocOpBuilder &b, Value scalar) {
  Operation *def = scalar.getDefiningOp();
  if (!def || def->getNumRegions() != 0 || def->getNumResults() != 1 ||
      !isPure(def) || def->hasTrait<OpTrait::ConstantLike>())
    return scalar;
  for (OpOperand &operand : def->getOpOperands())
    operand.set(foldScalar(b, operand.get()));
  // Users of the folded value may stand anywhere behind `def`.
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(def);
  SmallVector<Value> folded;
  if (failed(b.tryFold(def, folded)) || folded.empty())
    return scalar;
  return folded.front();
}

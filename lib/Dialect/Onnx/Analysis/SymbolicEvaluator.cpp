//===- SymbolicEvaluator.cpp - symbols, and proofs about them -------------===//

#include "tern/Dialect/Onnx/Analysis/SymbolicEvaluator.h"

#include "SymbolicQuery.h"

#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace tern::onnx;

SymbolicEvaluator::SymbolicEvaluator(func::FuncOp graph,
                                     GraphAssumptions assumptions)
    : assumptions(std::move(assumptions)) {
  // In order, so that no question about sizes goes far back.
  for (Operation &op : graph.getOps())
    for (Value result : op.getResults())
      getShape(result);
}

//===----------------------------------------------------------------------===//
// Symbols
//===----------------------------------------------------------------------===//

Symbol SymbolicEvaluator::addSymbol(SymbolInfo info) {
  symbols.push_back(std::move(info));
  return symbols.size() - 1;
}

Polynomial SymbolicEvaluator::createCoordinate(const Polynomial &extent) {
  if (extent == Polynomial(1))
    return 0;
  return Polynomial::getSymbol(
      addSymbol({SymbolInfo::Kind::Coordinate, extent, {}, {}}));
}

Polynomial SymbolicEvaluator::getNamedSize(StringRef name) {
  auto [it, isNew] = namedSizes.try_emplace(name, 0);
  if (isNew)
    it->second = addSymbol({});
  return Polynomial::getSymbol(it->second);
}

Polynomial SymbolicEvaluator::getUnknownSize(Value value, int64_t dim) {
  if (auto argument = dyn_cast<BlockArgument>(value))
    if (auto graph = dyn_cast<func::FuncOp>(argument.getOwner()->getParentOp()))
      if (auto dims = graph.getArgAttrOfType<ArrayAttr>(argument.getArgNumber(),
                                                        "onnx.dims"))
        if (StringRef name = cast<StringAttr>(dims[dim]).getValue();
            !name.empty())
          return getNamedSize(name);
  auto [it, isNew] =
      unknownSizes.try_emplace({value.getAsOpaquePointer(), dim}, 0);
  if (isNew)
    it->second = addSymbol({});
  return Polynomial::getSymbol(it->second);
}

Polynomial SymbolicEvaluator::getClampedSize(Value value, int64_t dim,
                                             const Polynomial &size) {
  Polynomial clamped = getUnknownSize(value, dim);
  // It is less than `size` only where the table is too short.
  symbols[*clamped.getSymbol()].covered = {size};
  return clamped;
}

Polynomial SymbolicEvaluator::getBroadcastSize(const Polynomial &a,
                                               const Polynomial &b) {
  if (!a.isValid() || !b.isValid())
    return Polynomial::getInvalid();
  if (b == Polynomial(1) || covers(a, b))
    return a;
  if (a == Polynomial(1) || covers(b, a))
    return b;
  // One of them is more than 1, and so is the result.
  if (isNonNegative(a - Polynomial(2)))
    return a;
  if (isNonNegative(b - Polynomial(2)))
    return b;
  for (const auto &[symbol, info] : llvm::enumerate(symbols))
    if (info.covered == Polynomials{a, b})
      return Polynomial::getSymbol(symbol);
  return Polynomial::getSymbol(
      addSymbol({SymbolInfo::Kind::Size, {}, {a, b}, {}}));
}

Polynomial SymbolicEvaluator::getUnknown(Value tensor,
                                         ArrayRef<Polynomial> index) {
  for (Symbol symbol : unknownElements[tensor])
    if (ArrayRef(symbols[symbol].element.index) == index)
      return Polynomial::getSymbol(symbol);
  Type type = getElementTypeOrSelf(tensor.getType());
  auto kind = isa<FloatType>(type) ? SymbolInfo::Kind::Float
                                   : SymbolInfo::Kind::Integer;
  Symbol symbol = addSymbol({kind, {}, {}, {tensor, Polynomials(index)}});
  unknownElements[tensor].push_back(symbol);
  return Polynomial::getSymbol(symbol);
}

Polynomial SymbolicEvaluator::getPastLength() {
  if (!assumptions.past.cache)
    return 0;
  std::optional<Polynomials> shape = getShape(assumptions.past.cache);
  return (*shape)[assumptions.past.axis];
}

const SymbolicEvaluator::UnknownElement *
SymbolicEvaluator::getUnknownElement(Symbol symbol) const {
  const SymbolInfo &info = symbols[symbol];
  return info.element.tensor ? &info.element : nullptr;
}

bool SymbolicEvaluator::dependsOn(const Polynomial &polynomial,
                                  Symbol coordinate) const {
  return polynomial.mentions([&](Symbol symbol) {
    return symbol == coordinate ||
           llvm::any_of(symbols[symbol].element.index,
                        [&](const Polynomial &index) {
                          return dependsOn(index, coordinate);
                        });
  });
}

//===----------------------------------------------------------------------===//
// Proofs
//===----------------------------------------------------------------------===//

bool SymbolicEvaluator::isSameSize(const Polynomial &a,
                                   const Polynomial &b) const {
  auto isCut = [&](const Polynomial &size, const Polynomial &to) {
    std::optional<Symbol> symbol = size.getSymbol();
    return symbol && symbols[*symbol].covered == Polynomials{to};
  };
  return a == b || isCut(a, b) || isCut(b, a);
}

bool SymbolicEvaluator::covers(const Polynomial &own,
                               const Polynomial &size) const {
  if (own == size)
    return true;
  std::optional<Symbol> symbol = own.getSymbol();
  return symbol &&
         llvm::any_of(symbols[*symbol].covered, [&](const Polynomial &covered) {
           return covers(covered, size);
         });
}

bool SymbolicEvaluator::isBroadcastOf(const Polynomial &size,
                                      const Polynomial &part) const {
  std::optional<Symbol> symbol = size.getSymbol();
  return symbol && symbols[*symbol].covered.size() == 2 &&
         llvm::is_contained(symbols[*symbol].covered, part);
}

bool SymbolicEvaluator::isInteger(const Polynomial &polynomial) const {
  return polynomial.isValid() && !polynomial.mentions([&](Symbol symbol) {
    return symbols[symbol].kind == SymbolInfo::Kind::Float;
  });
}

/// True where every term is at least 0: sizes and coordinates are.
bool SymbolicEvaluator::hasNonNegativeTerms(
    const Polynomial &polynomial) const {
  auto mayBeNegative = [&](Symbol symbol) {
    return symbols[symbol].kind != SymbolInfo::Kind::Size &&
           symbols[symbol].kind != SymbolInfo::Kind::Coordinate;
  };
  return polynomial.isValid() && !polynomial.mentions(mayBeNegative) &&
         llvm::all_of(polynomial.getTerms(),
                      [](const auto &term) { return term.second > 0; });
}

bool SymbolicEvaluator::isNonNegative(const Polynomial &polynomial) const {
  // The least value: each coordinate at the end where it makes most difference.
  SmallVector<Symbol> coordinates;
  for (const auto &[monomial, coefficient] : polynomial.getTerms())
    for (Symbol symbol : monomial)
      if (symbols[symbol].kind == SymbolInfo::Kind::Coordinate &&
          !llvm::is_contained(coordinates, symbol))
        coordinates.push_back(symbol);
  Polynomial least = polynomial;
  for (Symbol symbol : coordinates) {
    std::optional<Polynomial::Line> line = least.splitLinear(symbol);
    if (!line)
      return false;
    if (hasNonNegativeTerms(line->slope))
      least = line->rest;
    else if (hasNonNegativeTerms(-line->slope))
      least =
          line->slope * (symbols[symbol].extent - Polynomial(1)) + line->rest;
    else
      return false;
  }
  if (hasNonNegativeTerms(least))
    return true;
  // Where there is an index, there is an element: extents are at least 1.
  return llvm::any_of(coordinates, [&](Symbol symbol) {
    return hasNonNegativeTerms(least - symbols[symbol].extent + Polynomial(1));
  });
}

//===----------------------------------------------------------------------===//
// Questions
//===----------------------------------------------------------------------===//

std::optional<Polynomials> SymbolicEvaluator::getShape(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type)
    return std::nullopt;
  if (auto it = shapes.find(value); it != shapes.end())
    return it->second;
  Polynomials shape = inferShape(value, type);
  shapes[value] = shape;
  return shape;
}

Polynomials SymbolicEvaluator::inferShape(Value value, RankedTensorType type) {
  Polynomials inferred;
  if (!type.hasStaticShape())
    if (auto result = dyn_cast<OpResult>(value)) {
      SymbolicQuery query(*this, {});
      inferred = inferNodeShape(query, result);
    }
  Polynomials shape;
  for (int64_t dim = 0; dim < type.getRank(); ++dim) {
    if (!type.isDynamicDim(dim))
      shape.push_back(type.getDimSize(dim));
    else if (inferred.size() == static_cast<size_t>(type.getRank()) &&
             inferred[dim].isValid())
      shape.push_back(inferred[dim]);
    else
      shape.push_back(getUnknownSize(value, dim));
  }
  return shape;
}

SymbolicElement SymbolicEvaluator::getElement(Value value,
                                              ArrayRef<Polynomial> index,
                                              Value leaf) {
  return SymbolicQuery(*this, leaf).getElement(value, index);
}

std::optional<double> SymbolicEvaluator::getScalar(Value value) {
  std::optional<Polynomials> shape = getShape(value);
  if (!shape || !llvm::all_of(*shape, [](const Polynomial &size) {
        return size == Polynomial(1);
      }))
    return std::nullopt;
  return getElement(value, Polynomials(shape->size())).getConstant();
}

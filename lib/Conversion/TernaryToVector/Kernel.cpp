//===- Kernel.cpp - the body of a packed product --------------------------===//
//
// Codes are trits plus one, so a sum of products of codes exceeds the sum of
// products of trits by the sum of the token's activations, which is computed
// once for a call and taken off each row. Padding holds code 1: its
// activations, whatever they are, are in both sums. Sums of floats are of the
// activations that meet a trit other than 0, and of no other.
//
//===----------------------------------------------------------------------===//

#include "Kernel.h"

#include "FloatProduct.h"
#include "MatrixProduct.h"
#include "VectorProduct.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace tern::ternary;

void VectorTarget::buildMixedProduct(OpBuilder &, Location,
                                     const ProductOperands &, Value) const {
  llvm_unreachable("the target has no lookups of words");
}

void VectorTarget::buildTiledProduct(OpBuilder &, Location,
                                     const ProductOperands &) const {
  llvm_unreachable("the target builds no tiled products");
}

static Value compare(OpBuilder &b, Location loc, arith::CmpIPredicate predicate,
                     Value tokens, int64_t limit) {
  Value constant = arith::ConstantIndexOp::create(b, loc, limit);
  return arith::CmpIOp::create(b, loc, predicate, tokens, constant);
}

/// The product of another number of tokens than one, in tiles where there are
/// such.
static void buildManyTokens(OpBuilder &b, Location loc,
                            const VectorTarget &target,
                            const ProductOperands &operands, Value tokens) {
  auto buildDots = [&] {
    MatrixProductBuilder(b, loc, target, operands.matrix, operands.x,
                         operands.bytes, operands.out)
        .build(tokens);
  };
  if (std::optional<int64_t> least =
          target.getLeastMixedTokens(operands.matrix)) {
    Value areMany = compare(b, loc, arith::CmpIPredicate::uge, tokens, *least);
    scf::IfOp::create(
        b, loc, areMany,
        [&](OpBuilder &, Location) {
          target.buildMixedProduct(b, loc, operands, tokens);
          scf::YieldOp::create(b, loc);
        },
        [&](OpBuilder &, Location) {
          buildDots();
          scf::YieldOp::create(b, loc);
        });
    return;
  }
  if (!target.hasTiles(operands.matrix))
    return buildDots();
  Value areSome = compare(b, loc, arith::CmpIPredicate::ne, tokens, 0);
  scf::IfOp::create(b, loc, areSome, [&](OpBuilder &, Location) {
    target.buildTiledProduct(b, loc, operands);
    scf::YieldOp::create(b, loc);
  });
}

void tern::ternary::buildKernel(OpBuilder &b, Location loc,
                                const VectorTarget &target, MatrixType matrix,
                                Value x, Value bytes, Value out) {
  Value tokens = memref::DimOp::create(b, loc, x, 0);
  if (cast<MemRefType>(x.getType()).getElementType().isF32()) {
    FloatProductBuilder(b, loc, target, matrix, x, bytes, out).build(tokens);
    return;
  }
  Value isOne = compare(b, loc, arith::CmpIPredicate::eq, tokens, 1);
  scf::IfOp::create(
      b, loc, isOne,
      [&](OpBuilder &, Location) {
        VectorProductBuilder(b, loc, target, matrix, x, bytes, out).build();
        scf::YieldOp::create(b, loc);
      },
      [&](OpBuilder &, Location) {
        buildManyTokens(b, loc, target, {matrix, x, bytes, out}, tokens);
        scf::YieldOp::create(b, loc);
      });
}

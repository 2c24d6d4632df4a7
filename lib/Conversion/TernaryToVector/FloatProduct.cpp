//===- FloatProduct.cpp - the product of float activations ----------------===//
//
// A lane holds the codes of four columns, one a byte: 0 for trit -1, 1 for 0
// and 2 for 1. Two tests for 0, of the codes and of the codes with their higher
// bit flipped, say which lanes add an activation to their sum or take it off.
//
//===----------------------------------------------------------------------===//

#include "FloatProduct.h"

#include "Codes.h"
#include "Kernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace tern::ternary;

/// Strips of one token's product that are read at once: an addition takes a few
/// cycles, during which others go on.
static constexpr int64_t kStripsOfToken = 4;
/// The same where there are more tokens, and sums for each of them.
static constexpr int64_t kStripsOfTokens = 2;

/// Tokens whose sums, one for each strip, fit the registers beside activations,
/// codes and masks.
static int64_t getTokensAtOnce(const VectorTarget &target) {
  return target.hasMasks() ? 6 : 2;
}

Value FloatProductBuilder::loadActivation(Value token, Value column) {
  Value scalar = memref::LoadOp::create(b, loc, x, ValueRange{token, column});
  return vector::BroadcastOp::create(
      b, loc, VectorType::get(target.lanes, b.getF32Type()), scalar);
}

void FloatProductBuilder::buildStep(ArrayRef<Value> offsets, Value column,
                                    ArrayRef<Value> tokens,
                                    MutableArrayRef<Value> sums) {
  // 0 would do for both, as no sum is -0, but of neutral values LLVM knows that
  // an addition may be masked itself, where there are masks; elsewhere an AND
  // makes 0.
  auto splat = [&](float value) -> Value {
    auto type = VectorType::get(target.lanes, b.getF32Type());
    return arith::ConstantOp::create(b, loc,
                                     DenseElementsAttr::get(type, value));
  };
  Value neutralToAdd = splat(target.hasMasks() ? -0.0f : 0.0f);
  Value neutralToSubtract = splat(0.0f);
  auto select = [&](Value mask, Value lhs, Value rhs) -> Value {
    return arith::SelectOp::create(b, loc, mask, lhs, rhs);
  };
  SmallVector<CodeDecoder> decoders;
  for (Value offset : offsets)
    decoders.emplace_back(target, layout.getEncoding(), /*inPlace=*/false,
                          loadPacked(offset));
  // Lanes whose code, in byte `byte`, is 0.
  auto isZero = [&](Value codes, int64_t byte) -> Value {
    Value code = arith::AndIOp::create(
        b, loc, codes, buildSplat(b, loc, accType, 3 << (8 * byte)));
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, code,
                                 buildSplat(b, loc, accType, 0));
  };
  for (int64_t plane = 0; plane < planes; ++plane) {
    SmallVector<Value> minusIsZero, plusIsZero;
    for (CodeDecoder &decoder : decoders) {
      Value codes = buildBitcast(b, loc, decoder.getCodes(b, loc, plane), 32);
      minusIsZero.push_back(codes);
      plusIsZero.push_back(arith::XOrIOp::create(
          b, loc, codes, buildSplat(b, loc, accType, 0x02020202)));
    }
    for (int64_t byte = 0; byte < 4; ++byte) {
      SmallVector<Value> activations;
      for (Value token : tokens)
        activations.push_back(
            loadActivation(token, add(column, 4 * plane + byte)));
      for (size_t strip = 0; strip < offsets.size(); ++strip) {
        Value isPlus = isZero(plusIsZero[strip], byte);
        Value isMinus = isZero(minusIsZero[strip], byte);
        for (auto [token, activation] : llvm::enumerate(activations)) {
          Value &sum = sums[token * offsets.size() + strip];
          Value added = select(isPlus, activation, neutralToAdd);
          Value taken = select(isMinus, activation, neutralToSubtract);
          sum = arith::AddFOp::create(b, loc, sum, added);
          sum = arith::SubFOp::create(b, loc, sum, taken);
        }
      }
    }
  }
}

void FloatProductBuilder::buildBlock(Value strip, int64_t count, Value token,
                                     int64_t tokenCount) {
  SmallVector<Value> offsets, tokens;
  for (int64_t i = 0; i < count; ++i)
    offsets.push_back(getStripOffset(add(strip, i)));
  for (int64_t i = 0; i < tokenCount; ++i)
    tokens.push_back(add(token, i));
  Value zeros = arith::ConstantOp::create(
      b, loc, b.getZeroAttr(VectorType::get(target.lanes, b.getF32Type())));
  SmallVector<Value> start(count * tokenCount, zeros);
  auto loop = scf::ForOp::create(
      b, loc, getIndex(0), getIndex(steps), getIndex(1), start,
      [&](OpBuilder &, Location, Value step, ValueRange carried) {
        SmallVector<Value> sums(carried);
        Value stepOffset = mul(step, stripsPerTile * stripBytes);
        SmallVector<Value> at;
        for (auto [stream, offset] : llvm::enumerate(offsets)) {
          at.push_back(add(offset, stepOffset));
          // The strips of a tile share lines.
          if (tokenCount == 1 && stream % stripsPerTile == 0)
            prefetchAhead(at.back(), stream);
        }
        buildStep(at, mul(step, stepColumns), tokens, sums);
        scf::YieldOp::create(b, loc, sums);
      });
  for (auto [i, sum] : llvm::enumerate(loop.getResults()))
    storeSums(sum, tokens[i / count], add(strip, i % count));
}

void FloatProductBuilder::buildStrips(Value strip, int64_t count, Value tokens,
                                      int64_t most) {
  Value rest = getIndex(0);
  if (most > 1) {
    Value left = arith::RemUIOp::create(b, loc, tokens, getIndex(most));
    rest = arith::SubIOp::create(b, loc, tokens, left);
    forEach(getIndex(0), rest, most,
            [&](Value token) { buildBlock(strip, count, token, most); });
  }
  forEach(rest, tokens, 1,
          [&](Value token) { buildBlock(strip, count, token, 1); });
}

void FloatProductBuilder::build(Value tokens) {
  auto buildAll = [&](int64_t atOnce, int64_t most) {
    if (strips < atOnce)
      atOnce = 1;
    int64_t whole = strips / atOnce * atOnce;
    forEachOnThreads(getIndex(whole), atOnce, [&](Value strip) {
      buildStrips(strip, atOnce, tokens, most);
    });
    // Fewer than a block has, and no work to share.
    forEach(getIndex(whole), getIndex(strips), 1,
            [&](Value strip) { buildStrips(strip, 1, tokens, most); });
    scf::YieldOp::create(b, loc);
  };
  Value isOne = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, tokens,
                                      getIndex(1));
  scf::IfOp::create(
      b, loc, isOne,
      [&](OpBuilder &, Location) { buildAll(kStripsOfToken, /*most=*/1); },
      [&](OpBuilder &, Location) {
        buildAll(kStripsOfTokens, getTokensAtOnce(target));
      });
}

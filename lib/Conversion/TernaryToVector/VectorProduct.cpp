//===- VectorProduct.cpp - the product of one token -----------------------===//

#include "VectorProduct.h"

#include "Codes.h"

#include "tern/Conversion/Streams.h"
#include "tern/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace tern::ternary;

namespace tern::ternary {
/// Decodes one step of some strips.
class VectorProductBuilder::Step : public StepOperands {
public:
  Step(VectorProductBuilder &product, ArrayRef<Value> offsets, Value column)
      : product(product), column(column), activations(product.planes) {
    tokens = 1;
    strips = offsets.size();
    planes = product.planes;
    for (Value offset : offsets)
      decoders.emplace_back(product.target, product.layout.getEncoding(),
                            product.inPlace, product.loadPacked(offset));
  }

  Value getCodes(int64_t strip, int64_t plane) override {
    return decoders[strip].getCodes(product.b, product.loc, plane);
  }

  Value getActivations(int64_t, int64_t plane) override {
    Value &result = activations[plane];
    if (!result)
      result = product.loadActivations(product.getIndex(0),
                                       product.add(column, 4 * plane));
    return result;
  }

private:
  VectorProductBuilder &product;
  Value column;
  SmallVector<CodeDecoder> decoders;
  SmallVector<Value> activations;
};
} // namespace tern::ternary

Value VectorProductBuilder::buildPlaneSum(Accumulators &accumulators,
                                          int64_t strip) {
  Value sum;
  for (int64_t plane = 0; plane < accumulators.ways; ++plane) {
    Value part = accumulators.get(0, strip, plane);
    int64_t shift = CodeDecoder::getShift(target, layout.getEncoding(), plane);
    // Every term is a multiple of 2^shift: exact.
    if (inPlace && shift)
      part = arith::ShRSIOp::create(b, loc, part,
                                    buildSplat(b, loc, accType, shift));
    sum = sum ? add(sum, part) : part;
  }
  return sum;
}

// A thread that did not compute the activations gets them from the caches of
// the one that did, when it first reads them.
void VectorProductBuilder::prefetchActivations(Value column) {
  constexpr int64_t ahead = 512; // columns, of one byte
  prefetch(x, {getIndex(0), add(column, ahead)}, /*isWrite=*/false);
}

void VectorProductBuilder::buildTiles(ArrayRef<Value> tiles, Value rowSum) {
  SmallVector<Value> blockStrips, offsets;
  for (Value firstStrip : tiles)
    for (int64_t strip = 0; strip < stripsPerTile; ++strip) {
      blockStrips.push_back(add(firstStrip, strip));
      offsets.push_back(getStripOffset(blockStrips.back()));
    }
  Accumulators accumulators;
  accumulators.strips = blockStrips.size();
  // Codes that are at different bits of a byte have their own.
  accumulators.ways = target.hasWideDot() ? CodeDecoder::fields : 1;
  accumulators.values.assign(accumulators.strips * accumulators.ways,
                             buildSplat(b, loc, accType, 0));

  auto loop = scf::ForOp::create(
      b, loc, getIndex(0), getIndex(steps), getIndex(1), accumulators.values,
      [&](OpBuilder &, Location, Value step, ValueRange sums) {
        accumulators.values.assign(sums.begin(), sums.end());
        Value stepOffset = mul(step, stripsPerTile * stripBytes);
        SmallVector<Value> at;
        for (Value offset : offsets)
          at.push_back(add(offset, stepOffset));
        for (size_t stream = 0; stream < tiles.size(); ++stream)
          prefetchAhead(at[stream * stripsPerTile], stream,
                        target.getStreamFetch());
        prefetchActivations(mul(step, stepColumns));
        Step operands(*this, at, mul(step, stepColumns));
        target.buildStep(b, loc, operands, accumulators);
        scf::YieldOp::create(b, loc, accumulators.values);
      });
  accumulators.values.assign(loop->result_begin(), loop->result_end());

  for (auto [index, strip] : llvm::enumerate(blockStrips)) {
    Value sum = buildPlaneSum(accumulators, index);
    sum = arith::SubIOp::create(b, loc, sum, rowSum);
    storeSums(sum, getIndex(0), strip);
  }
}

// A core fetches several streams of bytes at once faster than one. Streams are
// a part of the tiles apart, so that each goes on from block to block of a
// thread. Fewer tiles than there are streams may be left; they are no work to
// share.
void VectorProductBuilder::build() {
  // The sum of a field has to fit i32. Of t5, the highest has two codes of
  // five: at most 2 K / 5 * 128 * 2 * 64.
  inPlace = target.hasWideDot() && matrix.getPaddedCols() <= (int64_t(1) << 18);
  Value rowSum = broadcast(buildRowSum(getIndex(0)));
  int64_t tiles = strips / stripsPerTile;
  int64_t streams = countStreams(tiles, target.streams);
  int64_t streamStrips = tiles / streams * stripsPerTile;
  auto loop =
      forEachOnThreads(getIndex(streamStrips), stripsPerTile, [&](Value strip) {
        SmallVector<Value> firstStrips;
        for (int64_t stream = 0; stream < streams; ++stream)
          firstStrips.push_back(add(strip, stream * streamStrips));
        buildTiles(firstStrips, rowSum);
      });
  loop->setAttr(kStreamsAttr, b.getI64IntegerAttr(streams));
  SmallVector<Value> rest;
  for (int64_t strip = streams * streamStrips; strip < strips;
       strip += stripsPerTile)
    rest.push_back(getIndex(strip));
  if (!rest.empty())
    buildTiles(rest, rowSum);
}

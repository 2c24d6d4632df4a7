//===- BlockRange.h - blocks that are taken from both ends ------*- C++ -*-===//
#ifndef TERN_RUNTIME_BLOCKRANGE_H
#define TERN_RUNTIME_BLOCKRANGE_H

#include <atomic>
#include <cstdint>

namespace tern::runtime {

/// Consecutive blocks [first, last) of a loop.
struct Blocks {
  int32_t first = 0, last = 0;
  int32_t size() const { return last - first; }
};

/// The blocks of a loop that nobody has begun. Its owner takes them from the
/// front, one after the other, so that it reads memory in one stream; threads
/// that have run out of their own take them from the back.
///
/// Each takes a part of those that are left, at least one: a few large parts
/// first, and at the end small ones, so that all threads are done at about the
/// same time (guided self-scheduling; Polychronopoulos and Kuck, IEEE
/// Transactions on Computers C-36, 1987).
///
/// Both bounds are in one number: a block is taken once, whoever tries. Whoever
/// comes late, with bounds read before a new range was posted, takes nothing
/// unless the new bounds are the same, and then blocks of the new range.
class alignas(64) BlockRange {
public:
  /// Of `left` > 0 blocks, how many are taken at a time.
  static constexpr int32_t getPart(int32_t left) {
    constexpr int32_t kParts = 8;
    return (left + kParts - 1) / kParts;
  }

  /// Requires 0 <= first <= last. What was written before is visible to whoever
  /// takes a block.
  void post(Blocks blocks) { bounds = pack(blocks); }
  /// Returns the blocks taken, none if there are none left.
  Blocks takeFirst() { return take(/*fromFront=*/true); }
  Blocks takeLast() { return take(/*fromFront=*/false); }

private:
  static constexpr uint64_t pack(Blocks blocks) {
    return uint64_t(uint32_t(blocks.first)) << 32 | uint32_t(blocks.last);
  }

  Blocks take(bool fromFront) {
    uint64_t seen = bounds;
    for (;;) {
      Blocks left = {int32_t(seen >> 32), int32_t(uint32_t(seen))};
      if (left.size() == 0)
        return {};
      int32_t cut = fromFront ? left.first + getPart(left.size())
                              : left.last - getPart(left.size());
      Blocks front = {left.first, cut}, back = {cut, left.last};
      if (bounds.compare_exchange_weak(seen, pack(fromFront ? back : front)))
        return fromFront ? front : back;
    }
  }

  std::atomic<uint64_t> bounds{0};
};

} // namespace tern::runtime

#endif // TERN_RUNTIME_BLOCKRANGE_H

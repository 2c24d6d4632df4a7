//===- BlockRange.h - blocks that are taken from both ends ------*- C++ -*-===//
#ifndef TERN_RUNTIME_BLOCKRANGE_H
#define TERN_RUNTIME_BLOCKRANGE_H

#include <atomic>
#include <cstdint>

namespace tern::runtime {

/// The blocks [first, last) of a loop that nobody has begun. Its owner takes
/// them from the front, one after the other, so that it reads memory in one
/// stream; threads that have run out of their own take them from the back.
///
/// Both bounds are in one number: a block is taken once, whoever tries. Whoever
/// comes late, with bounds read before a new range was posted, takes nothing
/// unless the new bounds are the same, and then a block of the new range.
class alignas(64) BlockRange {
public:
  static constexpr int32_t kNone = -1;

  /// Requires 0 <= first <= last. What was written before is visible to whoever
  /// takes a block.
  void post(int32_t first, int32_t last) { bounds = pack(first, last); }
  /// Returns the block taken, or kNone.
  int32_t takeFirst() { return take(/*fromFront=*/true); }
  int32_t takeLast() { return take(/*fromFront=*/false); }

private:
  static constexpr uint64_t pack(int32_t first, int32_t last) {
    return uint64_t(uint32_t(first)) << 32 | uint32_t(last);
  }

  int32_t take(bool fromFront) {
    uint64_t seen = bounds;
    for (;;) {
      int32_t first = int32_t(seen >> 32), last = int32_t(uint32_t(seen));
      if (first == last)
        return kNone;
      uint64_t rest = fromFront ? pack(first + 1, last) : pack(first, last - 1);
      if (bounds.compare_exchange_weak(seen, rest))
        return fromFront ? first : last - 1;
    }
  }

  std::atomic<uint64_t> bounds{0};
};

} // namespace tern::runtime

#endif // TERN_RUNTIME_BLOCKRANGE_H

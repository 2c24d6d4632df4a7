//===- Streams.h - how a thread reads weights from memory -------*- C++ -*-===//
#ifndef TERN_CONVERSION_STREAMS_H
#define TERN_CONVERSION_STREAMS_H

#include <algorithm>
#include <cstdint>

namespace tern {

/// How streams of weights are fetched ahead of use.
struct StreamFetch {
  /// How far ahead, in bytes: far enough for memory's latency, and at first
  /// near enough to be within a short tile.
  int64_t bytes = 2048;
  /// Into which cache, as `memref.prefetch` says it: 3 is the first, 2 the
  /// second.
  unsigned locality = 3;

  /// Returns how far ahead to fetch stream `stream` >= 0, in bytes. Streams are
  /// whole pages apart more often than not: at one distance all of them would
  /// come to the end of a page, where the CPU's own prefetching begins anew, at
  /// the same time.
  constexpr int64_t getDistance(int64_t stream) const {
    constexpr int64_t kStagger = 512;
    return bytes + stream * kStagger;
  }
};

/// Returns how many of `tiles` >= 0 tiles to read at once, one from each of as
/// many equal parts of a matrix: at most `most` >= 1, which the registers
/// allow, and so few that the parts have tiles for a number of threads.
inline int64_t countStreams(int64_t tiles, int64_t most) {
  constexpr int64_t kLeastTiles = 16; // of a part
  return std::clamp<int64_t>(tiles / kLeastTiles, 1, most);
}

} // namespace tern

#endif // TERN_CONVERSION_STREAMS_H

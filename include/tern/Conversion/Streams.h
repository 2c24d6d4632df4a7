//===- Streams.h - how a thread reads weights from memory -------*- C++ -*-===//
#ifndef TERN_CONVERSION_STREAMS_H
#define TERN_CONVERSION_STREAMS_H

#include <algorithm>
#include <cstdint>

namespace tern {

/// How many bytes ahead of use a stream is fetched: far enough for memory's
/// latency, near enough to be within a short tile.
constexpr int64_t kPrefetchBytes = 2048;

/// Returns how far ahead to fetch stream `stream` >= 0, in bytes. Streams are
/// whole pages apart more often than not: at one distance all of them would
/// come to the end of a page, where the CPU's own prefetching begins anew, at
/// the same time.
constexpr int64_t getPrefetchBytes(int64_t stream) {
  constexpr int64_t kStagger = 512;
  return kPrefetchBytes + stream * kStagger;
}

/// Returns how many of `tiles` >= 0 tiles to read at once, one from each of as
/// many equal parts of a matrix: at most `most` >= 1, which the registers
/// allow, and so few that the parts have tiles for a number of threads.
inline int64_t countStreams(int64_t tiles, int64_t most) {
  constexpr int64_t kLeastTiles = 16; // of a part
  return std::clamp<int64_t>(tiles / kLeastTiles, 1, most);
}

} // namespace tern

#endif // TERN_CONVERSION_STREAMS_H

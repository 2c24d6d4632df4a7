//===- Streams.h - how many tiles one thread reads at once ------*- C++ -*-===//
#ifndef TERN_CONVERSION_STREAMS_H
#define TERN_CONVERSION_STREAMS_H

#include <algorithm>
#include <cstdint>

namespace tern {

/// Returns how many of `tiles` >= 0 tiles to read at once, one from each of as
/// many equal parts of a matrix: at most `most` >= 1, which the registers
/// allow, and so few that the parts have tiles for a number of threads.
inline int64_t countStreams(int64_t tiles, int64_t most) {
  constexpr int64_t kLeastTiles = 16; // of a part
  return std::clamp<int64_t>(tiles / kLeastTiles, 1, most);
}

} // namespace tern

#endif // TERN_CONVERSION_STREAMS_H

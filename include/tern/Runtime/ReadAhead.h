//===- ReadAhead.h - what threads fetch while they wait ---------*- C++ -*-===//
#ifndef TERN_RUNTIME_READAHEAD_H
#define TERN_RUNTIME_READAHEAD_H

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace tern::runtime {

/// Memory that a loop to come reads: `streams` >= 1 equal parts of `bytes`
/// bytes at once, each from its beginning, of which each thread has an equal
/// share.
struct Announcement {
  const void *data;
  int64_t bytes;
  int64_t streams;
};

/// What the threads of a team fetch into their second caches while they wait.
/// One token's loops take some 35 to 250 microseconds each, and between two of
/// them stand 5 to 8 of serial code, in which memory would have nothing to do.
///
/// Fetching is a hint: a thread that reads an announcement while the next one
/// replaces it fetches lines that nobody asked for, which does no harm.
class alignas(64) ReadAhead {
public:
  /// How far a thread has come. One thread's, and for one ReadAhead.
  struct Place {
    uint32_t number = 0; // of the announcement
    int64_t done = 0;    // bytes of each stream
  };

  /// A line of each stream: `count` addresses, `stride` bytes apart.
  struct Lines {
    uintptr_t first;
    int64_t stride;
    int64_t count; // 0: nothing to fetch
  };

  /// From now on `next` is fetched, and nothing that was announced before. For
  /// one thread.
  void announce(const Announcement &next) {
    data.store(reinterpret_cast<uintptr_t>(next.data),
               std::memory_order_relaxed);
    bytes.store(next.bytes, std::memory_order_relaxed);
    streams.store(next.streams, std::memory_order_relaxed);
    number.fetch_add(1, std::memory_order_release);
  }

  /// The next lines for thread `index` of `threads`, which begins each stream
  /// at its share of it.
  Lines takeLines(Place &place, size_t index, size_t threads) const {
    uint32_t seen = number.load(std::memory_order_acquire);
    if (place.number != seen)
      place = {seen, 0};
    int64_t count = streams.load(std::memory_order_relaxed);
    int64_t stride = bytes.load(std::memory_order_relaxed) / count;
    int64_t share = stride / static_cast<int64_t>(threads);
    if (place.done >= std::min(share, kBytes / count))
      return {0, 0, 0};
    int64_t offset = static_cast<int64_t>(index) * share + place.done;
    place.done += kLine;
    return {data.load(std::memory_order_relaxed) +
                static_cast<uintptr_t>(offset),
            stride, count};
  }

  static constexpr int64_t kLine = 64;
  /// What a thread fetches at most: a quarter of a second cache of 1 MiB, and
  /// more than memory gives while it waits.
  static constexpr int64_t kBytes = 256 << 10;

private:
  std::atomic<uint32_t> number{0};
  std::atomic<uintptr_t> data{0};
  std::atomic<int64_t> bytes{0};
  std::atomic<int64_t> streams{1};
};

} // namespace tern::runtime

#endif // TERN_RUNTIME_READAHEAD_H

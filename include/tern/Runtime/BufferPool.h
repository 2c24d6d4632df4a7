//===- BufferPool.h - memory for a call's temporaries -----------*- C++ -*-===//
#ifndef TERN_RUNTIME_BUFFERPOOL_H
#define TERN_RUNTIME_BUFFERPOOL_H

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace tern::runtime {

/// The buffers that generated code needs during a call: TernHost.allocate.
///
/// A prompt's activations are megabytes each, and a layer has a dozen: from
/// malloc, their pages come anew from the system again and again, in small
/// ones. The pool keeps large buffers in huge pages, one layer's where the
/// last one's were. Small ones come from malloc.
class BufferPool {
public:
  BufferPool() = default;
  BufferPool(const BufferPool &) = delete;
  BufferPool &operator=(const BufferPool &) = delete;
  ~BufferPool();

  /// From this size on, in bytes, a buffer is large.
  static constexpr size_t kLarge = size_t(64) << 10;
  /// What buffers are aligned to, in bytes.
  static constexpr size_t kAlignment = 64;

  /// Memory of `bytes` bytes, not cleared; null if there is none. Several
  /// threads may call this and `release` at once.
  void *allocate(size_t bytes) noexcept;
  /// Takes back what `allocate(bytes)` returned.
  void release(void *address, size_t bytes) noexcept;

  /// Gives what is free above the buffers in use back to the system, as the
  /// call needs no large buffers any more, and the next, one token's, few.
  void trim() noexcept;

  /// Takes back all large buffers, released or not. Memory that none of them
  /// used since the last time, or `trim`, goes back to the system: what a
  /// prompt has left, after the first token that follows. One chunk's addresses
  /// are kept.
  void endCall() noexcept;

private:
  struct Range {
    uintptr_t begin, end;
  };
  /// A mapping, aligned to huge pages.
  struct Chunk {
    Range all;
    std::vector<Range> free; ///< in order, none next to another
    uintptr_t used;          ///< end of what the current call used since trim
    uintptr_t kept;          ///< end of what may be resident
  };

  static void unmap(Range range);
  static void *takeFrom(Chunk &chunk, size_t size);
  static void giveBack(Chunk &chunk, Range range);
  /// Nothing of the chunk is resident, or used, from the huge page on in which
  /// no byte lies before `end`.
  static void cut(Chunk &chunk, uintptr_t end);
  /// Maps a chunk with room for `size` bytes; false if there is no memory.
  bool addChunk(size_t size);

  std::mutex mutex;
  std::vector<Chunk> chunks;
};

} // namespace tern::runtime

#endif // TERN_RUNTIME_BUFFERPOOL_H

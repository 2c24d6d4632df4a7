//===- BufferPool.cpp - memory for a call's temporaries -------------------===//

#include "tern/Runtime/BufferPool.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <new>

#include <sys/mman.h>

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size)                             \
  ((void)(address), (void)(size))
#endif

using namespace tern::runtime;

namespace {

constexpr size_t kHugePage = size_t(2) << 20;
/// Address space of a chunk, which costs memory only where it is used: enough
/// for what most models need, so that free ranges can join.
constexpr size_t kChunk = size_t(64) << 20;
/// No larger buffer can be had; sums of sizes below do not overflow.
constexpr size_t kLargest = SIZE_MAX / 4;

constexpr size_t roundUp(size_t size, size_t unit) {
  return (size + unit - 1) / unit * unit;
}

void *toPointer(uintptr_t address) { return reinterpret_cast<void *>(address); }

} // namespace

/// `size` bytes, aligned to huge pages, of the system; 0 if it has none.
static uintptr_t mapAligned(size_t size) {
  size_t mapped = size + kHugePage;
  void *address = mmap(nullptr, mapped, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (address == MAP_FAILED)
    return 0;
  uintptr_t first = reinterpret_cast<uintptr_t>(address);
  uintptr_t begin = roundUp(first, kHugePage);
  if (begin != first)
    munmap(address, begin - first);
  if (begin + size != first + mapped)
    munmap(toPointer(begin + size), first + mapped - begin - size);
  return begin;
}

void BufferPool::unmap(Range range) {
  size_t size = range.end - range.begin;
  // Whatever is mapped here next is nobody's to poison.
  ASAN_UNPOISON_MEMORY_REGION(toPointer(range.begin), size);
  munmap(toPointer(range.begin), size);
}

BufferPool::~BufferPool() {
  for (Chunk &chunk : chunks)
    unmap(chunk.all);
}

bool BufferPool::addChunk(size_t size) {
  size_t least = roundUp(size, kHugePage);
  size_t bytes = std::max(least, kChunk);
  uintptr_t begin = mapAligned(bytes);
  // Address space may be limited too.
  if (!begin && least < bytes)
    begin = mapAligned(bytes = least);
  if (!begin)
    return false;
  Range all = {begin, begin + bytes};
  try {
    chunks.push_back({all, {all}, begin, begin});
  } catch (const std::bad_alloc &) {
    munmap(toPointer(begin), bytes);
    return false;
  }
#ifdef MADV_HUGEPAGE
  // But the first, which would be one token's alone, and mostly empty.
  madvise(toPointer(begin + kHugePage), bytes - kHugePage, MADV_HUGEPAGE);
#endif
  ASAN_POISON_MEMORY_REGION(toPointer(begin), bytes);
  return true;
}

/// The lowest place that is large enough: it is the likeliest to be in a cache,
/// and what is above may go back to the system.
void *BufferPool::takeFrom(Chunk &chunk, size_t size) {
  for (Range &range : chunk.free) {
    if (range.end - range.begin < size)
      continue;
    uintptr_t address = range.begin;
    range.begin += size;
    chunk.used = std::max(chunk.used, range.begin);
    if (range.begin == range.end)
      chunk.free.erase(chunk.free.begin() + (&range - chunk.free.data()));
    return toPointer(address);
  }
  return nullptr;
}

void BufferPool::giveBack(Chunk &chunk, Range range) {
  auto next = std::lower_bound(
      chunk.free.begin(), chunk.free.end(), range,
      [](const Range &lhs, const Range &rhs) { return lhs.begin < rhs.begin; });
  bool joinsNext = next != chunk.free.end() && next->begin == range.end;
  bool joinsLast =
      next != chunk.free.begin() && std::prev(next)->end == range.begin;
  if (joinsLast && joinsNext) {
    std::prev(next)->end = next->end;
    chunk.free.erase(next);
  } else if (joinsLast) {
    std::prev(next)->end = range.end;
  } else if (joinsNext) {
    next->begin = range.begin;
  } else {
    chunk.free.insert(next, range);
  }
}

void *BufferPool::allocate(size_t bytes) noexcept {
  if (bytes > kLargest)
    return nullptr;
  size_t size = roundUp(std::max<size_t>(bytes, 1), kAlignment);
  if (size < kLarge)
    return std::aligned_alloc(kAlignment, size);
  std::lock_guard<std::mutex> lock(mutex);
  void *address = nullptr;
  for (Chunk &chunk : chunks)
    if ((address = takeFrom(chunk, size)))
      break;
  if (!address && addChunk(size))
    address = takeFrom(chunks.back(), size);
  if (address)
    ASAN_UNPOISON_MEMORY_REGION(address, bytes);
  return address;
}

void BufferPool::release(void *address, size_t bytes) noexcept {
  size_t size = roundUp(std::max<size_t>(bytes, 1), kAlignment);
  if (size < kLarge)
    return std::free(address);
  std::lock_guard<std::mutex> lock(mutex);
  ASAN_POISON_MEMORY_REGION(address, size);
  uintptr_t begin = reinterpret_cast<uintptr_t>(address);
  for (Chunk &chunk : chunks)
    if (chunk.all.begin <= begin && begin < chunk.all.end) {
      try {
        giveBack(chunk, {begin, begin + size});
      } catch (const std::bad_alloc &) {
        // No room to note it down: it is free again when the call ends.
      }
      return;
    }
}

void BufferPool::cut(Chunk &chunk, uintptr_t end) {
  uintptr_t used =
      chunk.all.begin + roundUp(chunk.used - chunk.all.begin, kHugePage);
  uintptr_t resident = std::max(used, chunk.kept);
  uintptr_t kept = chunk.all.begin + roundUp(end - chunk.all.begin, kHugePage);
  if (kept < resident)
    madvise(toPointer(kept), resident - kept, MADV_DONTNEED);
  chunk.kept = kept;
  chunk.used = end;
}

void BufferPool::trim() noexcept {
  std::lock_guard<std::mutex> lock(mutex);
  for (Chunk &chunk : chunks) {
    bool isTopFree =
        !chunk.free.empty() && chunk.free.back().end == chunk.all.end;
    cut(chunk, isTopFree ? chunk.free.back().begin : chunk.all.end);
  }
}

void BufferPool::endCall() noexcept {
  std::lock_guard<std::mutex> lock(mutex);
  // A text that grows asks for a larger buffer in each call, so chunks too
  // small for it would pile up.
  for (size_t i = chunks.size(); i-- > 0 && chunks.size() > 1;)
    if (chunks[i].used == chunks[i].all.begin) {
      unmap(chunks[i].all);
      chunks.erase(chunks.begin() + static_cast<ptrdiff_t>(i));
    }
  for (Chunk &chunk : chunks) {
    // One range always has room: the chunk began with one.
    chunk.free.clear();
    chunk.free.push_back(chunk.all);
    ASAN_POISON_MEMORY_REGION(toPointer(chunk.all.begin),
                              chunk.all.end - chunk.all.begin);
    cut(chunk, chunk.used);
    chunk.used = chunk.all.begin;
  }
}

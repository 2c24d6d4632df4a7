//===- WaitWord.h - a number that threads sleep on --------------*- C++ -*-===//
#ifndef TERN_RUNTIME_WAITWORD_H
#define TERN_RUNTIME_WAITWORD_H

#include <atomic>
#include <chrono>
#include <cstdint>

#ifndef __linux__
#include <condition_variable>
#include <mutex>
#endif

namespace tern::runtime {

/// What C++20's atomic wait does: an atomic number on which threads sleep until
/// it changes. By futex on Linux, elsewhere by a condition variable.
class WaitWord {
public:
  std::atomic<int32_t> value{0};

  /// Sleeps until woken, but not at all if `value` is not `seen` any more. May
  /// return early: look at the number again.
  void wait(int32_t seen);
  /// The same, for at most `time`. Returns false if that has passed.
  bool waitFor(int32_t seen, std::chrono::nanoseconds time);
  /// Wakes up to `threads` of those that sleep. Change `value` first.
  void wake(int32_t threads);

#ifndef __linux__
private:
  std::mutex mutex;
  std::condition_variable changed;
#endif
};

} // namespace tern::runtime

#endif // TERN_RUNTIME_WAITWORD_H

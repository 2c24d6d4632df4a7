//===- Cores.cpp - where threads run --------------------------------------===//

#include "tern/Runtime/Cores.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <thread>

#ifdef __linux__
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

using namespace tern::runtime;

namespace {
constexpr size_t kBitsPerWord = sizeof(unsigned long) * CHAR_BIT;
/// More cores than any system has: where to stop asking.
constexpr size_t kMostCores = size_t(1) << 20;
} // namespace

int tern::runtime::numAvailableCores() {
  if (int count = CoreSet::findAllowed().size())
    return count;
  return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

CoreSet CoreSet::makeSingle(int core) {
  CoreSet set;
  size_t index = static_cast<size_t>(core);
  set.words.resize(index / kBitsPerWord + 1);
  set.words[index / kBitsPerWord] = 1ul << index % kBitsPerWord;
  return set;
}

CoreSet CoreSet::without(int core) const {
  CoreSet set = *this;
  size_t index = static_cast<size_t>(core);
  if (index / kBitsPerWord < set.words.size())
    set.words[index / kBitsPerWord] &= ~(1ul << index % kBitsPerWord);
  return set;
}

int CoreSet::size() const {
  int count = 0;
  for (unsigned long word : words)
    count += __builtin_popcountl(word);
  return count;
}

#ifdef __linux__

// The system calls, as the C library's wrappers know 1,024 cores at most unless
// told otherwise by macros.

CoreSet CoreSet::findAllowed() {
  CoreSet set;
  for (size_t cores = 1024; cores <= kMostCores; cores *= 2) {
    set.words.assign(cores / kBitsPerWord, 0);
    if (syscall(SYS_sched_getaffinity, 0, cores / CHAR_BIT, set.words.data()) >
        0)
      return set;
    if (errno != EINVAL) // other than too small
      break;
  }
  return {};
}

void CoreSet::confine(ThreadId thread) const {
  if (size() > 0)
    syscall(SYS_sched_setaffinity, thread, words.size() * sizeof(words[0]),
            words.data());
}

int tern::runtime::findCurrentCore() { return sched_getcpu(); }

ThreadId tern::runtime::getThreadId() {
  return static_cast<ThreadId>(syscall(SYS_gettid));
}

#else

CoreSet CoreSet::findAllowed() { return {}; }

void CoreSet::confine(ThreadId) const {}

int tern::runtime::findCurrentCore() { return -1; }

ThreadId tern::runtime::getThreadId() { return 0; }

#endif

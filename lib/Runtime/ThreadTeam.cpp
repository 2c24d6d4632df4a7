//===- ThreadTeam.cpp - the threads that kernels run on -------------------===//

#include "tern/Runtime/ThreadTeam.h"

#include <algorithm>
#include <chrono>

#include <sched.h>

using namespace tern::runtime;

namespace {

/// Long enough for the serial code between two loops of a decoding step, short
/// enough that a competing process gets the core back.
constexpr std::chrono::microseconds kSpinTime{50};

/// Enough chunks that the last one a slow thread holds is short.
constexpr int64_t kChunksPerThread = 8;

void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Spins until `done()` or kSpinTime has passed; returns the last `done()`.
template <typename Predicate>
bool spinUntil(Predicate done) {
  auto deadline = std::chrono::steady_clock::now() + kSpinTime;
  do {
    for (int i = 0; i < 32; ++i) {
      if (done())
        return true;
      relax();
    }
  } while (std::chrono::steady_clock::now() < deadline);
  return done();
}

} // namespace

int tern::runtime::numAvailableCores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0)
    return std::max(1, CPU_COUNT(&set));
  return std::max(1u, std::thread::hardware_concurrency());
}

ThreadTeam::ThreadTeam(int numThreads) {
  try {
    workers.reserve(static_cast<size_t>(numThreads - 1));
    for (int i = 1; i < numThreads; ++i)
      workers.emplace_back([this] { work(); });
  } catch (...) {
    stop();
    throw;
  }
}

ThreadTeam::~ThreadTeam() { stop(); }

void ThreadTeam::stop() {
  stopping = true;
  ++epoch;
  wakeWorkers();
  for (std::thread &worker : workers)
    worker.join();
  workers.clear();
}

void ThreadTeam::parallelFor(int64_t newCount, Body newBody, void *newContext) {
  if (newCount <= 0)
    return;
  if (workers.empty() || newCount == 1 || busy.exchange(true)) {
    newBody(newContext, 0, newCount);
    return;
  }
  count = newCount;
  chunk = std::max<int64_t>(1, newCount / (numThreads() * kChunksPerThread));
  body = newBody;
  context = newContext;
  next = 0;
  open = true;
  ++epoch;
  wakeWorkers();
  runChunks();
  // Nothing is left to claim: let no more workers in and wait for those inside.
  open = false;
  waitForWorkers();
  busy = false;
}

void ThreadTeam::runChunks() {
  for (;;) {
    int64_t begin = next.fetch_add(chunk, std::memory_order_relaxed);
    if (begin >= count)
      return;
    body(context, begin, std::min(count, begin + chunk));
  }
}

void ThreadTeam::wakeWorkers() {
  if (sleepers == 0)
    return;
  std::lock_guard<std::mutex> lock(mutex);
  jobPosted.notify_all();
}

void ThreadTeam::waitForWorkers() {
  auto allLeft = [this] { return active == 0; };
  if (spinUntil(allLeft))
    return;
  std::unique_lock<std::mutex> lock(mutex);
  callerSleeps = true;
  jobLeft.wait(lock, allLeft);
  callerSleeps = false;
}

bool ThreadTeam::waitForJob(uint64_t seen) {
  auto posted = [&] { return epoch != seen; };
  if (!spinUntil(posted)) {
    std::unique_lock<std::mutex> lock(mutex);
    ++sleepers;
    jobPosted.wait(lock, posted);
    --sleepers;
  }
  return !stopping;
}

void ThreadTeam::work() {
  uint64_t seen = 0;
  while (waitForJob(seen)) {
    seen = epoch;
    // Announce first, look second: the caller closes first, counts second.
    ++active;
    if (open)
      runChunks();
    if (--active == 0 && callerSleeps) {
      std::lock_guard<std::mutex> lock(mutex);
      jobLeft.notify_one();
    }
  }
}

//===- ThreadTeam.cpp - the threads that kernels run on -------------------===//
//
// A job is published by posting the threads' shares of its blocks, and is over
// when `unfinished` is zero. A worker that comes late finds no block, or one of
// the next job, which is as good: it reads what the job is only after it has
// taken a block, and no job ends while a block that was taken is unfinished.
//
// When another process competes for the cores, the system may put a worker on
// the caller's core, where each only takes the other's time, or take the core
// away from a worker in the middle of a block. Against the first, a worker that
// finds itself on the caller's core leaves it; against the second, the caller
// lends its core, which it has no use for while it waits.
//
//===----------------------------------------------------------------------===//

#include "tern/Runtime/ThreadTeam.h"

#include <algorithm>

using namespace tern::runtime;

namespace {

using Clock = std::chrono::steady_clock;

/// Longer than the serial code between two loops of a decoding step, 20 us for
/// the longest norm of the 2B4T shape: to be woken takes a worker as long. A
/// thread that spins on uses up the time that the system gives it beside a
/// competing process.
constexpr std::chrono::microseconds kSpinTime{100};

/// Enough blocks that the last one, which others wait for, is short.
constexpr int64_t kBlocksPerThread = 128;

/// The least time after which a worker that has not come back is taken to have
/// lost its core. Moving one that runs costs it its cache.
constexpr std::chrono::microseconds kLeastPatience{100};

/// In `unfinished`: more than there can be blocks.
constexpr int32_t kCallerSleeps = int32_t(1) << 30;

void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Fetches lines into the second cache; returns false if there are none.
bool fetch(const ReadAhead::Lines &lines) {
  for (int64_t i = 0; i < lines.count; ++i)
    __builtin_prefetch(
        reinterpret_cast<const void *>(
            lines.first + static_cast<uintptr_t>(i * lines.stride)),
        /*rw=*/0, /*locality=*/2);
  return lines.count > 0;
}

/// Spins until `done()` or kSpinTime has passed, and meanwhile does `work()`,
/// which returns false if there is none; returns the last `done()`.
template <typename Predicate, typename Work>
bool spinUntil(Predicate done, Work work) {
  auto deadline = Clock::now() + kSpinTime;
  do {
    for (int i = 0; i < 32; ++i) {
      if (done())
        return true;
      if (!work())
        relax();
    }
  } while (Clock::now() < deadline);
  return done();
}

} // namespace

ThreadTeam::ThreadTeam(int numThreads) : allowed(CoreSet::findAllowed()) {
  try {
    // All of them first: a worker looks for blocks in everybody's share.
    for (int i = 1; i < numThreads; ++i)
      workers.push_back(std::make_unique<Worker>());
    for (size_t i = 0; i < workers.size(); ++i)
      workers[i]->thread = std::thread([this, i] { work(i + 1); });
  } catch (...) {
    stop();
    throw;
  }
}

ThreadTeam::~ThreadTeam() { stop(); }

void ThreadTeam::stop() {
  stopping = true;
  ++posted.value;
  posted.wake(INT32_MAX);
  for (auto &worker : workers)
    if (worker->thread.joinable())
      worker->thread.join();
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
  numBlocks = std::min<int64_t>(newCount, numThreads() * kBlocksPerThread);
  body = newBody;
  context = newContext;
  callersCore.store(findCurrentCore(), std::memory_order_relaxed);
  int32_t blocks = static_cast<int32_t>(numBlocks);
  unfinished.value.store(blocks, std::memory_order_relaxed);
  postShares();
  ++posted.value;
  if (sleepers != 0)
    posted.wake(blocks - 1);

  auto start = Clock::now();
  int32_t done = runBlocks(0);
  auto blockTime = (Clock::now() - start) / std::max(done, 1);
  finishBlocks(done);
  waitForWorkers(blockTime * BlockRange::getPart(blocks / numThreads() + 1));
  busy = false;
}

void ThreadTeam::postShares() {
  int64_t threads = numThreads();
  for (int64_t i = 0; i < threads; ++i)
    getShare(static_cast<size_t>(i))
        .post({static_cast<int32_t>(i * numBlocks / threads),
               static_cast<int32_t>((i + 1) * numBlocks / threads)});
}

void ThreadTeam::run(Blocks blocks) {
  // Where count is no multiple, some blocks are one longer: they are spread
  // over the loop, so that shares are equally long.
  auto getBegin = [this](int64_t block) {
    return block * (count / numBlocks) +
           block * (count % numBlocks) / numBlocks;
  };
  body(context, getBegin(blocks.first), getBegin(blocks.last));
}

int32_t ThreadTeam::runBlocks(size_t self) {
  int32_t done = 0;
  auto runSome = [&](Blocks blocks) {
    if (blocks.size() == 0)
      return false;
    run(blocks);
    done += blocks.size();
    return true;
  };
  while (runSome(getShare(self).takeFirst())) {
  }
  size_t threads = workers.size() + 1;
  for (size_t i = 1; i < threads; ++i)
    while (runSome(getShare((self + i) % threads).takeLast())) {
    }
  return done;
}

void ThreadTeam::finishBlocks(int32_t done) {
  if (done > 0 && unfinished.value.fetch_sub(done) - done == kCallerSleeps)
    unfinished.wake(1);
}

bool ThreadTeam::fetchAhead(size_t self, ReadAhead::Place &place) {
  return fetch(readAhead.takeLines(place, self, workers.size() + 1));
}

void ThreadTeam::waitForWorkers(Duration partTime) {
  if (spinUntil([this] { return unfinished.value == 0; },
                [this] { return fetchAhead(0, callersPlace); }))
    return;
  // A worker that runs is done by then.
  Duration patience = std::max<Duration>(2 * partTime, kLeastPatience);
  size_t next = 0;
  unfinished.value += kCallerSleeps;
  for (;;) {
    int32_t left = unfinished.value;
    if (left == kCallerSleeps)
      break;
    if (next == workers.size())
      unfinished.wait(left);
    else if (!unfinished.waitFor(left, patience))
      lendCore(next);
  }
  if (next > 0)
    for (auto &worker : workers)
      if (worker->id != 0)
        allowed.confine(worker->id);
}

/// Moves a worker that may hold a block here, the first from `next` on.
void ThreadTeam::lendCore(size_t &next) {
  int core = findCurrentCore();
  while (next < workers.size()) {
    Worker &worker = *workers[next++];
    if (core < 0 || !worker.inside)
      continue;
    CoreSet::makeSingle(core).confine(worker.id);
    return;
  }
}

void ThreadTeam::leaveCallersCore(ThreadId self) {
  int core = callersCore.load(std::memory_order_relaxed);
  // With more threads than cores they have to share.
  if (core >= 0 && core == findCurrentCore() && numThreads() <= allowed.size())
    allowed.without(core).confine(self);
}

bool ThreadTeam::waitForJob(int32_t &job, size_t self,
                            ReadAhead::Place &place) {
  auto isPosted = [&] { return posted.value != job; };
  while (!spinUntil(isPosted, [&] { return fetchAhead(self, place); })) {
    // Announce first, look second. The caller publishes first and looks for
    // sleepers second; all of these accesses are sequentially consistent, so
    // one of the two notices.
    ++sleepers;
    if (!isPosted())
      posted.wait(job);
    --sleepers;
  }
  job = posted.value;
  return !stopping;
}

void ThreadTeam::work(size_t index) {
  Worker &self = *workers[index - 1];
  self.id = getThreadId();
  ReadAhead::Place place;
  for (int32_t job = 0; waitForJob(job, index, place);) {
    leaveCallersCore(self.id);
    self.inside = true;
    int32_t done = runBlocks(index);
    self.inside = false;
    finishBlocks(done);
  }
}

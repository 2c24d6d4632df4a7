//===- ThreadTeam.h - the threads that kernels run on -----------*- C++ -*-===//
#ifndef TERN_RUNTIME_THREADTEAM_H
#define TERN_RUNTIME_THREADTEAM_H

#include "tern/Runtime/BlockRange.h"
#include "tern/Runtime/Cores.h"
#include "tern/Runtime/ReadAhead.h"
#include "tern/Runtime/WaitWord.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

namespace tern::runtime {

/// A fixed set of threads that share loops. The thread that calls parallelFor
/// takes part, so a team of one starts no thread.
///
/// A loop is cut into blocks, and each thread begins with a share of its own:
/// it reads memory in one stream, and the same part of a loop's data each time,
/// so that what fits stays in its cache. A thread that is done takes blocks
/// from the ends of the others' shares: a core that another process slows down
/// holds up what it has taken, and a worker that does not come is not waited
/// for. Waiting spins briefly, as the serial code between two loops is short,
/// and then sleeps: an idle team costs nothing, and a competing process gets
/// the core.
class ThreadTeam {
public:
  using Body = void (*)(void *context, int64_t begin, int64_t end);

  /// Requires `numThreads >= 1`. \throws std::system_error if the system has no
  /// more threads.
  explicit ThreadTeam(int numThreads);
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam &) = delete;
  ThreadTeam &operator=(const ThreadTeam &) = delete;

  int numThreads() const { return static_cast<int>(workers.size()) + 1; }

  /// Calls `body` on disjoint ranges that cover [0, count) and returns when all
  /// are done. Called from inside a body it runs the whole range there. One
  /// thread at a time may call it from outside. `body` does not throw.
  void parallelFor(int64_t count, Body body, void *context);

  /// Says what a loop to come reads, for threads to fetch while they wait,
  /// until something else is announced. For the thread that calls parallelFor.
  void announce(const Announcement &next) { readAhead.announce(next); }

private:
  using Duration = std::chrono::steady_clock::duration;

  struct alignas(64) Worker {
    BlockRange share;
    std::atomic<ThreadId> id{0};
    std::atomic<bool> inside{false}; // may hold a block
    std::thread thread;
  };

  void work(size_t self);
  /// Waits for a job other than `job`, and sets it to that one's number;
  /// meanwhile fetches what thread `self` begins with in a loop to come, from
  /// `place` on. Returns false if there will be no job.
  bool waitForJob(int32_t &job, size_t self, ReadAhead::Place &place);
  /// Fetches the next lines for thread `self`; returns false if it has enough.
  bool fetchAhead(size_t self, ReadAhead::Place &place);
  void postShares();
  /// Runs blocks until none is left, those of thread `self`'s share first (0:
  /// the caller, i: worker i - 1); returns how many.
  int32_t runBlocks(size_t self);
  void run(Blocks blocks);
  /// The share of thread `index`.
  BlockRange &getShare(size_t index) {
    return index == 0 ? callersShare : workers[index - 1]->share;
  }
  void finishBlocks(int32_t done);
  /// `partTime`: what the largest part of a share takes.
  void waitForWorkers(Duration partTime);
  void leaveCallersCore(ThreadId self);
  void lendCore(size_t &next);
  void stop();

  // The job. Written while no block is left to take or to finish; read by
  // whoever has taken a block.
  int64_t count = 0;
  int64_t numBlocks = 1;
  Body body = nullptr;
  void *context = nullptr;

  // All threads write these: a cache line for each.

  /// Counts jobs, modulo 2^32; changes when one is posted, and at the end.
  alignas(64) WaitWord posted;
  std::atomic<bool> stopping{false};
  /// Blocks to finish, plus kCallerSleeps while the caller sleeps until there
  /// are none.
  alignas(64) WaitWord unfinished;
  /// Workers that sleep or are about to.
  alignas(64) std::atomic<int32_t> sleepers{0};
  std::atomic<int> callersCore{-1};
  std::atomic<bool> busy{false}; // a parallelFor is running
  BlockRange callersShare;

  ReadAhead readAhead;
  alignas(64) ReadAhead::Place callersPlace;

  CoreSet allowed;
  std::vector<std::unique_ptr<Worker>> workers;
};

} // namespace tern::runtime

#endif // TERN_RUNTIME_THREADTEAM_H

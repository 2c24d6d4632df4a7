//===- ThreadTeam.h - the threads that kernels run on -----------*- C++ -*-===//
#ifndef TERN_RUNTIME_THREADTEAM_H
#define TERN_RUNTIME_THREADTEAM_H

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace tern::runtime {

/// Cores that this process may run on, at least 1.
int numAvailableCores();

/// A fixed set of threads that share loops. The thread that calls parallelFor
/// takes part, so a team of one starts no thread.
///
/// Threads claim chunks from a counter instead of being dealt equal shares, so
/// a core that another process slows down holds up at most one chunk. Waiting
/// spins briefly (a fork-join of a few microseconds is the common case) and
/// then sleeps, so an idle team costs nothing.
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

private:
  void work();
  void runChunks();
  void wakeWorkers();
  void waitForWorkers();
  bool waitForJob(uint64_t seen);
  void stop();

  // The job. Written while `open` is false and no worker is active.
  int64_t count = 0;
  int64_t chunk = 1;
  Body body = nullptr;
  void *context = nullptr;
  std::atomic<int64_t> next{0};

  std::atomic<bool> busy{false};  // a parallelFor is running
  std::atomic<bool> open{false};  // workers may join the job
  std::atomic<int> active{0};     // workers that have joined or are trying
  std::atomic<uint64_t> epoch{0}; // jobs posted so far
  std::atomic<bool> stopping{false};

  // The slow path. A side first announces that it sleeps, then looks again; the
  // other first changes the state, then looks for sleepers. All of these
  // accesses are sequentially consistent, so one of the two notices.
  std::mutex mutex;
  std::condition_variable jobPosted, jobLeft;
  std::atomic<int> sleepers{0};
  std::atomic<bool> callerSleeps{false};

  std::vector<std::thread> workers;
};

} // namespace tern::runtime

#endif // TERN_RUNTIME_THREADTEAM_H

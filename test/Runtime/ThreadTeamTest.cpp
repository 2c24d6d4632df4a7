//===- ThreadTeamTest.cpp - every index once, whoever runs it -------------===//

#include "tern/Runtime/ThreadTeam.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <set>

using namespace tern::runtime;

namespace {

/// How often each index of [0, count) was visited.
struct Visits {
  explicit Visits(int64_t count) : counts(static_cast<size_t>(count)) {}

  static void visit(void *context, int64_t begin, int64_t end) {
    auto &counts = static_cast<Visits *>(context)->counts;
    for (int64_t i = begin; i < end; ++i)
      ++counts[static_cast<size_t>(i)];
  }
  void expectOneEach() const {
    for (size_t i = 0; i < counts.size(); ++i)
      ASSERT_EQ(counts[i], 1) << "index " << i << " of " << counts.size();
  }

  std::vector<std::atomic<int>> counts;
};

} // namespace

TEST(ThreadTeam, CoversEveryIndexOnce) {
  for (int threads : {1, 2, 3, 7}) {
    ThreadTeam team(threads);
    EXPECT_EQ(team.numThreads(), threads);
    for (int64_t count : {1, 2, 3, 15, 16, 17, 255, 1000}) {
      Visits visits(count);
      team.parallelFor(count, Visits::visit, &visits);
      visits.expectOneEach();
    }
  }
}

TEST(ThreadTeam, DoesNothingForNothing) {
  ThreadTeam team(2);
  auto neverCalled = [](void *, int64_t, int64_t) { FAIL(); };
  team.parallelFor(0, neverCalled, nullptr);
  team.parallelFor(-1, neverCalled, nullptr);
}

TEST(ThreadTeam, FinishesEachLoopBeforeTheNext) {
  ThreadTeam team(4);
  for (int round = 0; round < 2000; ++round) {
    Visits visits(37);
    team.parallelFor(37, Visits::visit, &visits);
    visits.expectOneEach();
  }
}

TEST(ThreadTeam, WakesAfterSleeping) {
  ThreadTeam team(3);
  for (int round = 0; round < 5; ++round) {
    // Far longer than a team spins.
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    Visits visits(100);
    team.parallelFor(100, Visits::visit, &visits);
    visits.expectOneEach();
  }
}

TEST(ThreadTeam, CallerWaitsForASlowWorker) {
  struct Context {
    std::atomic<int> done{0};
  } context;
  ThreadTeam team(4);
  team.parallelFor(
      4,
      [](void *opaque, int64_t begin, int64_t end) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        static_cast<Context *>(opaque)->done += static_cast<int>(end - begin);
      },
      &context);
  EXPECT_EQ(context.done, 4);
}

TEST(ThreadTeam, WorkersTakePart) {
  struct Context {
    std::mutex mutex;
    std::set<std::thread::id> ids;
  } context;
  ThreadTeam team(2);
  // Each of the two chunks waits until both threads have one.
  team.parallelFor(
      2,
      [](void *opaque, int64_t, int64_t) {
        auto *shared = static_cast<Context *>(opaque);
        for (size_t count = 0; count < 2;) {
          std::lock_guard<std::mutex> lock(shared->mutex);
          shared->ids.insert(std::this_thread::get_id());
          count = shared->ids.size();
        }
      },
      &context);
  EXPECT_EQ(context.ids.size(), 2u);
}

// A caller that waits too long lends its core to a worker; the worker's block
// has to be done all the same, and later loops must not miss it.
TEST(ThreadTeam, GoesOnAfterLendingItsCore) {
  struct Context {
    std::thread::id caller = std::this_thread::get_id();
    std::atomic<bool> hasWorker{false};
    std::atomic<int> done{0};
  };
  ThreadTeam team(3);
  for (int round = 0; round < 20; ++round) {
    Context context;
    team.parallelFor(
        3,
        [](void *opaque, int64_t begin, int64_t end) {
          auto *shared = static_cast<Context *>(opaque);
          if (std::this_thread::get_id() != shared->caller) {
            shared->hasWorker = true;
            // Far longer than the caller's blocks take.
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
          }
          while (!shared->hasWorker)
            std::this_thread::yield();
          shared->done += static_cast<int>(end - begin);
        },
        &context);
    ASSERT_EQ(context.done, 3);
  }
  Visits visits(1000);
  team.parallelFor(1000, Visits::visit, &visits);
  visits.expectOneEach();
}

// Loops of all lengths in a row, so that workers come late to one and find the
// next, with more threads than cores, and pauses in which they fall asleep.
TEST(ThreadTeam, KeepsLoopsApart) {
  struct Context {
    int64_t count;
    std::atomic<int64_t> sum{0};
  };
  ThreadTeam team(5);
  for (int64_t round = 1; round <= 20000; ++round) {
    Context context;
    context.count = round * 7919 % 131;
    team.parallelFor(
        context.count,
        [](void *opaque, int64_t begin, int64_t end) {
          auto *shared = static_cast<Context *>(opaque);
          int64_t sum = 0;
          for (int64_t i = begin; i < end; ++i)
            sum += i + 1;
          shared->sum += sum;
        },
        &context);
    ASSERT_EQ(context.sum, context.count * (context.count + 1) / 2)
        << "round " << round;
    if (round % 2000 == 0)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

TEST(ThreadTeam, TeamsDoNotDisturbEachOther) {
  auto useTeam = [](int threads) {
    ThreadTeam team(threads);
    for (int round = 0; round < 300; ++round) {
      Visits visits(100 + round);
      team.parallelFor(100 + round, Visits::visit, &visits);
      visits.expectOneEach();
    }
  };
  std::thread other(useTeam, 3);
  useTeam(2);
  other.join();
}

// Nobody takes more than an eighth of a share at once, and the last parts are
// blocks of which a share has 128, so that no thread waits long for another.
TEST(ThreadTeam, CutsFinerAtTheEnd) {
  struct Context {
    std::mutex mutex;
    int64_t shortest = INT64_MAX, longest = 0;
  };
  ThreadTeam team(2);
  for (int64_t count : {2, 31, 33, 1000, 12345}) {
    Context context;
    team.parallelFor(
        count,
        [](void *opaque, int64_t begin, int64_t end) {
          auto *shared = static_cast<Context *>(opaque);
          std::lock_guard<std::mutex> lock(shared->mutex);
          shared->shortest = std::min(shared->shortest, end - begin);
          shared->longest = std::max(shared->longest, end - begin);
        },
        &context);
    EXPECT_LE(context.shortest, count / 256 + 1) << count;
    EXPECT_LE(context.longest, count / 16 + 2) << count;
  }
}

// A thread that is done as early as others does not have to help.
TEST(ThreadTeam, SharesAreEqual) {
  struct Context {
    std::mutex mutex;
    std::set<int64_t> begins;
  };
  for (int threads : {2, 3, 7}) {
    ThreadTeam team(threads);
    for (int64_t count : {56, 80, 216, 1001}) {
      Context context;
      team.parallelFor(
          count,
          [](void *opaque, int64_t begin, int64_t) {
            auto *shared = static_cast<Context *>(opaque);
            std::lock_guard<std::mutex> lock(shared->mutex);
            shared->begins.insert(begin);
          },
          &context);
      for (int64_t i = 0; i < threads; ++i)
        EXPECT_EQ(context.begins.count(i * count / threads), 1u)
            << "thread " << i << " of " << threads << ", " << count;
    }
  }
}

TEST(ThreadTeam, RunsNestedLoopsInline) {
  struct Context {
    ThreadTeam team{3};
    std::vector<std::unique_ptr<Visits>> inner;
  } context;
  for (int i = 0; i < 20; ++i)
    context.inner.push_back(std::make_unique<Visits>(50));
  context.team.parallelFor(
      20,
      [](void *opaque, int64_t begin, int64_t end) {
        auto *shared = static_cast<Context *>(opaque);
        for (int64_t i = begin; i < end; ++i)
          shared->team.parallelFor(50, Visits::visit,
                                   shared->inner[static_cast<size_t>(i)].get());
      },
      &context);
  for (const auto &visits : context.inner)
    visits->expectOneEach();
}

TEST(ThreadTeam, EndsWithoutAnyWork) {
  for (int i = 0; i < 20; ++i)
    ThreadTeam team(3);
}

// A worker that looked for a block before the loop ended may still count down
// when the team is told to stop.
TEST(ThreadTeam, EndsRightAfterALoop) {
  for (int i = 0; i < 200; ++i) {
    Visits visits(8);
    {
      ThreadTeam team(4);
      team.parallelFor(8, Visits::visit, &visits);
    }
    visits.expectOneEach();
  }
}

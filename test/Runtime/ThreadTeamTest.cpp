//===- ThreadTeamTest.cpp - every index once, whoever runs it -------------===//

#include "tern/Runtime/ThreadTeam.h"

#include <gtest/gtest.h>

#include <chrono>
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

//===- ReadAheadTest.cpp - which lines are fetched, and when --------------===//

#include "tern/Runtime/ReadAhead.h"
#include "tern/Runtime/ThreadTeam.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

using namespace tern::runtime;

namespace {

uintptr_t getAddress(const void *data) {
  return reinterpret_cast<uintptr_t>(data);
}

/// How often each line of a whole announcement is taken by one of `threads`,
/// by its offset from `data`.
std::map<uintptr_t, int> takeAll(const ReadAhead &readAhead, const void *data,
                                 size_t threads) {
  std::map<uintptr_t, int> taken;
  for (size_t index = 0; index < threads; ++index) {
    ReadAhead::Place place;
    for (;;) {
      auto lines = readAhead.takeLines(place, index, threads);
      if (lines.count == 0)
        break;
      for (int64_t i = 0; i < lines.count; ++i)
        ++taken[lines.first + static_cast<uintptr_t>(i * lines.stride) -
                getAddress(data)];
    }
  }
  return taken;
}

} // namespace

TEST(ReadAhead, GoesOnUntilTheNextAnnouncement) {
  ReadAhead readAhead;
  ReadAhead::Place place;
  std::vector<char> data(4096);
  EXPECT_EQ(readAhead.takeLines(place, 0, 1).count, 0);
  readAhead.announce({data.data(), 4096, 2});
  auto lines = readAhead.takeLines(place, 0, 1);
  EXPECT_EQ(lines.first, getAddress(data.data()));
  EXPECT_EQ(lines.stride, 2048);
  EXPECT_EQ(lines.count, 2);
  EXPECT_EQ(readAhead.takeLines(place, 0, 1).first,
            getAddress(data.data()) + 64);
  readAhead.announce({data.data() + 64, 1024, 1});
  lines = readAhead.takeLines(place, 0, 1);
  EXPECT_EQ(lines.first, getAddress(data.data()) + 64);
  EXPECT_EQ(lines.count, 1);
}

TEST(ReadAhead, SharesEachStream) {
  std::vector<char> data(4 * 3 * 1024);
  ReadAhead readAhead;
  readAhead.announce({data.data(), 4 * 3 * 1024, 4});
  // The second of three threads begins a third behind each stream's beginning.
  ReadAhead::Place place;
  auto lines = readAhead.takeLines(place, 1, 3);
  EXPECT_EQ(lines.first, getAddress(data.data()) + 1024);
  EXPECT_EQ(lines.stride, 3 * 1024);
  EXPECT_EQ(lines.count, 4);
  // Together they have every line once.
  auto taken = takeAll(readAhead, data.data(), 3);
  EXPECT_EQ(taken.size(), size_t(4 * 3 * 1024 / 64));
  for (auto [offset, times] : taken) {
    EXPECT_EQ(offset % 64, 0u);
    EXPECT_LT(offset, data.size());
    EXPECT_EQ(times, 1) << offset;
  }
}

TEST(ReadAhead, LeavesTheCacheToOthers) {
  // Only addresses: nothing is read.
  ReadAhead readAhead;
  char begin;
  readAhead.announce({&begin, int64_t(1) << 30, 4});
  auto taken = takeAll(readAhead, &begin, 2);
  EXPECT_EQ(int64_t(taken.size()) * ReadAhead::kLine, 2 * ReadAhead::kBytes);
}

TEST(ReadAhead, TakesNothingOfNothing) {
  ReadAhead readAhead;
  char begin;
  readAhead.announce({&begin, 0, 4});
  EXPECT_TRUE(takeAll(readAhead, &begin, 2).empty());
  // Less than a line for each.
  readAhead.announce({&begin, 40, 4});
  for (auto [offset, times] : takeAll(readAhead, &begin, 2))
    EXPECT_LT(offset, 40u);
}

// Whatever is announced, also what nobody could read, loops are as before.
TEST(ReadAhead, DoesNotTouchLoops) {
  ThreadTeam team(3);
  struct Sum {
    std::atomic<int64_t> value{0};
  } sum;
  std::vector<char> data(1 << 20);
  for (int round = 0; round < 300; ++round) {
    team.announce({data.data(), int64_t(data.size()), 1 + round % 4});
    if (round % 3 == 0)
      team.announce(
          {reinterpret_cast<const void *>(uintptr_t(64)), int64_t(1) << 40, 4});
    team.parallelFor(
        100,
        [](void *context, int64_t begin, int64_t end) {
          for (int64_t i = begin; i < end; ++i)
            static_cast<Sum *>(context)->value += i;
        },
        &sum);
  }
  EXPECT_EQ(sum.value, 300 * 4950);
}

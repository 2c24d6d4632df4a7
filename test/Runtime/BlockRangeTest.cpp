//===- BlockRangeTest.cpp - each block once, from either end --------------===//

#include "tern/Runtime/BlockRange.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

using namespace tern::runtime;

TEST(BlockRange, IsEmptyAtFirst) {
  BlockRange range;
  EXPECT_EQ(range.takeFirst(), BlockRange::kNone);
  EXPECT_EQ(range.takeLast(), BlockRange::kNone);
}

TEST(BlockRange, GivesBothEnds) {
  BlockRange range;
  range.post(3, 7);
  EXPECT_EQ(range.takeFirst(), 3);
  EXPECT_EQ(range.takeLast(), 6);
  EXPECT_EQ(range.takeLast(), 5);
  EXPECT_EQ(range.takeFirst(), 4);
  EXPECT_EQ(range.takeFirst(), BlockRange::kNone);
  EXPECT_EQ(range.takeLast(), BlockRange::kNone);
  range.post(0, 1);
  EXPECT_EQ(range.takeLast(), 0);
  EXPECT_EQ(range.takeFirst(), BlockRange::kNone);
}

// An owner and thieves at once: every block is taken by exactly one.
TEST(BlockRange, GivesEachBlockOnce) {
  constexpr int32_t count = 200000;
  BlockRange range;
  range.post(0, count);
  std::vector<std::atomic<int>> taken(count);
  auto takeAll = [&](int32_t (BlockRange::*take)()) {
    for (int32_t i; (i = (range.*take)()) != BlockRange::kNone;)
      ++taken[static_cast<size_t>(i)];
  };
  std::thread thief(takeAll, &BlockRange::takeLast);
  std::thread other(takeAll, &BlockRange::takeLast);
  takeAll(&BlockRange::takeFirst);
  thief.join();
  other.join();
  for (int32_t i = 0; i < count; ++i)
    ASSERT_EQ(taken[static_cast<size_t>(i)], 1) << i;
}

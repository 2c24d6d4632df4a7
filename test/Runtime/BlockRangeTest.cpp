//===- BlockRangeTest.cpp - each block once, from either end --------------===//

#include "tern/Runtime/BlockRange.h"

#include <gtest/gtest.h>

#include <thread>
#include <utility>
#include <vector>

using namespace tern::runtime;

static std::pair<int32_t, int32_t> getBounds(Blocks blocks) {
  return {blocks.first, blocks.last};
}

TEST(BlockRange, IsEmptyAtFirst) {
  BlockRange range;
  EXPECT_EQ(range.takeFirst().size(), 0);
  EXPECT_EQ(range.takeLast().size(), 0);
}

// An eighth of what is left, rounded up, from either end.
TEST(BlockRange, GivesPartsOfWhatIsLeft) {
  BlockRange range;
  range.post({3, 27});
  EXPECT_EQ(getBounds(range.takeFirst()), std::pair(3, 6));
  EXPECT_EQ(getBounds(range.takeLast()), std::pair(24, 27));
  EXPECT_EQ(getBounds(range.takeLast()), std::pair(21, 24));
  EXPECT_EQ(getBounds(range.takeFirst()), std::pair(6, 8));
  EXPECT_EQ(getBounds(range.takeFirst()), std::pair(8, 10));
  EXPECT_EQ(getBounds(range.takeLast()), std::pair(19, 21));
  EXPECT_EQ(getBounds(range.takeFirst()), std::pair(10, 12));
  EXPECT_EQ(getBounds(range.takeFirst()), std::pair(12, 13));
  for (int32_t i = 13; i < 19; ++i)
    EXPECT_EQ(getBounds(range.takeFirst()), std::pair(i, i + 1));
  EXPECT_EQ(range.takeFirst().size(), 0);
  EXPECT_EQ(range.takeLast().size(), 0);
  range.post({0, 1});
  EXPECT_EQ(getBounds(range.takeLast()), std::pair(0, 1));
  EXPECT_EQ(range.takeFirst().size(), 0);
}

// An owner and thieves at once, many times: every block is taken by exactly
// one.
TEST(BlockRange, GivesEachBlockOnce) {
  constexpr int32_t count = 1000;
  for (int turn = 0; turn < 200; ++turn) {
    BlockRange range;
    range.post({0, count});
    std::vector<std::atomic<int>> taken(count);
    auto takeAll = [&](Blocks (BlockRange::*take)()) {
      for (Blocks blocks; (blocks = (range.*take)()).size() > 0;)
        for (int32_t i = blocks.first; i < blocks.last; ++i)
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
}

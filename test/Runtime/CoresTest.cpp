//===- CoresTest.cpp - sets of cores, and threads that sleep on a word ----===//

#include "tern/Runtime/Cores.h"
#include "tern/Runtime/WaitWord.h"

#include <gtest/gtest.h>

#include <thread>

using namespace tern::runtime;

TEST(Cores, SetsHoldAnyNumber) {
  // Both sides of a word's end, and more than a machine word has bits.
  for (int core : {0, 1, 63, 64, 65, 1023, 1024, 5000}) {
    CoreSet set = CoreSet::makeSingle(core);
    EXPECT_EQ(set.size(), 1) << core;
    EXPECT_EQ(set.without(core).size(), 0) << core;
    EXPECT_EQ(set.without(core + 1).size(), 1) << core;
    EXPECT_EQ(set.without(100000).size(), 1) << core;
  }
  EXPECT_EQ(CoreSet().size(), 0);
}

TEST(Cores, AreAvailable) {
  EXPECT_GE(numAvailableCores(), 1);
  EXPECT_LE(CoreSet::findAllowed().size(), numAvailableCores());
}

TEST(Cores, ConfineAThread) {
  CoreSet before = CoreSet::findAllowed();
  int core = findCurrentCore();
  if (before.size() == 0 || core < 0)
    GTEST_SKIP() << "the system does not say where threads run";
  std::thread([&] {
    CoreSet::makeSingle(core).confine(getThreadId());
    EXPECT_EQ(CoreSet::findAllowed().size(), 1);
    EXPECT_EQ(findCurrentCore(), core);
    CoreSet().confine(getThreadId()); // ignored
    EXPECT_EQ(CoreSet::findAllowed().size(), 1);
    before.confine(getThreadId());
    EXPECT_EQ(CoreSet::findAllowed().size(), before.size());
  }).join();
  EXPECT_EQ(CoreSet::findAllowed().size(), before.size());
}

TEST(WaitWord, DoesNotSleepOnAnotherNumber) {
  WaitWord word;
  word.value = 1;
  word.wait(0);
  EXPECT_TRUE(word.waitFor(0, std::chrono::hours(1)));
}

TEST(WaitWord, SleepsUntilWoken) {
  WaitWord word;
  std::thread sleeper([&] {
    while (word.value == 0)
      word.wait(0);
  });
  word.value = 1;
  word.wake(1);
  sleeper.join();
}

TEST(WaitWord, GivesUpAfterATime) {
  WaitWord word;
  // Anything may wake it early, but not for ever.
  while (word.waitFor(0, std::chrono::microseconds(100)))
    ;
}

//===- BufferPoolTest.cpp - buffers share memory, and give it back --------===//

#include "tern/Runtime/BufferPool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <map>
#include <random>
#include <thread>

#include <unistd.h>

using namespace tern::runtime;

namespace {

constexpr size_t kMiB = size_t(1) << 20;

char *allocate(BufferPool &pool, size_t bytes) {
  auto *address = static_cast<char *>(pool.allocate(bytes));
  if (address) {
    EXPECT_EQ(reinterpret_cast<uintptr_t>(address) % BufferPool::kAlignment,
              0u);
  }
  return address;
}

/// Takes `bytes`, writes all of them, and gives them back.
void use(BufferPool &pool, size_t bytes) {
  char *address = allocate(pool, bytes);
  std::memset(address, 1, bytes);
  pool.release(address, bytes);
}

/// How many bytes from the pool's begin on hold what was written there, of
/// `bytes`: what went back to the system is 0.
int64_t countKept(BufferPool &pool, size_t bytes) {
  char *address = allocate(pool, bytes);
  int64_t kept = std::count(address, address + bytes, 1);
  pool.release(address, bytes);
  return kept;
}

/// Bytes from `seed` on that no other buffer has.
void fill(char *address, size_t bytes, uint32_t seed) {
  for (size_t i = 0; i < bytes; i += 61)
    address[i] = static_cast<char>(seed * 37 + i);
}

bool isFilled(const char *address, size_t bytes, uint32_t seed) {
  for (size_t i = 0; i < bytes; i += 61)
    if (address[i] != static_cast<char>(seed * 37 + i))
      return false;
  return true;
}

} // namespace

TEST(BufferPool, GivesTheSamePlaceAgain) {
  BufferPool pool;
  char *first = allocate(pool, 3 * kMiB);
  char *second = allocate(pool, kMiB);
  EXPECT_GE(second, first + 3 * kMiB);
  pool.release(first, 3 * kMiB);
  // The lowest place with room, be it in the middle.
  char *third = allocate(pool, 2 * kMiB);
  EXPECT_EQ(third, first);
  char *fourth = allocate(pool, kMiB);
  EXPECT_EQ(fourth, first + 2 * kMiB);
  // What is free on both sides joins.
  pool.release(third, 2 * kMiB);
  pool.release(second, kMiB);
  pool.release(fourth, kMiB);
  EXPECT_EQ(allocate(pool, 4 * kMiB), first);
}

TEST(BufferPool, EverySizeIsABufferOfItsOwn) {
  BufferPool pool;
  for (size_t bytes :
       {size_t(0), size_t(1), BufferPool::kLarge - 64, BufferPool::kLarge - 1,
        BufferPool::kLarge, BufferPool::kLarge + 1, 64 * kMiB, 100 * kMiB}) {
    char *first = allocate(pool, bytes), *second = allocate(pool, bytes);
    ASSERT_TRUE(first && second) << bytes;
    EXPECT_TRUE(first + bytes <= second || second + bytes <= first) << bytes;
    if (bytes > 0)
      first[bytes - 1] = second[bytes - 1] = 1;
    pool.release(second, bytes);
    pool.release(first, bytes);
  }
}

TEST(BufferPool, SaysWhereThereIsNoMemory) {
  BufferPool pool;
  EXPECT_EQ(pool.allocate(SIZE_MAX), nullptr);
  EXPECT_EQ(pool.allocate(SIZE_MAX / 2), nullptr);
  EXPECT_EQ(pool.allocate(SIZE_MAX / 8), nullptr);
  use(pool, kMiB);
}

TEST(BufferPool, KeepsWhatCallsUseAndGivesBackTheRest) {
  BufferPool pool;
  use(pool, 16 * kMiB);
  pool.endCall();
  // The next call may be the next part of the prompt.
  EXPECT_EQ(countKept(pool, 16 * kMiB), int64_t(16 * kMiB));
  pool.endCall();
  use(pool, 6 * kMiB);
  pool.endCall();
  EXPECT_EQ(countKept(pool, 16 * kMiB), int64_t(6 * kMiB));
  pool.endCall();
  // Small buffers do not count.
  use(pool, BufferPool::kLarge - 64);
  pool.endCall();
  EXPECT_EQ(countKept(pool, 16 * kMiB), 0);
}

TEST(BufferPool, TrimGivesBackWhatIsAboveTheBuffersInUse) {
  BufferPool pool;
  use(pool, 16 * kMiB);
  pool.trim();
  EXPECT_EQ(countKept(pool, 16 * kMiB), 0);
  pool.endCall();

  char *held = allocate(pool, kMiB);
  std::memset(held, 1, kMiB);
  use(pool, 16 * kMiB);
  pool.trim();
  EXPECT_EQ(std::count(held, held + kMiB, 1), int64_t(kMiB));
  pool.release(held, kMiB);
  // Whole huge pages only, of which the first is held in part.
  EXPECT_EQ(countKept(pool, 16 * kMiB), int64_t(2 * kMiB));
  pool.endCall();

  // What an earlier call left, too.
  use(pool, 16 * kMiB);
  pool.endCall();
  use(pool, kMiB);
  pool.trim();
  EXPECT_EQ(countKept(pool, 16 * kMiB), 0);
}

TEST(BufferPool, TrimKeepsWhatFillsItsMapping) {
  BufferPool pool;
  pool.trim();
  char *held = allocate(pool, 64 * kMiB);
  std::memset(held, 1, 64 * kMiB);
  use(pool, 8 * kMiB);
  pool.trim();
  EXPECT_EQ(std::count(held, held + 64 * kMiB, 1), int64_t(64 * kMiB));
  EXPECT_EQ(countKept(pool, 8 * kMiB), 0);
}

/// The address space of this process, in bytes.
size_t countAddresses() {
  size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

// As of a model that reads a growing text anew in each call.
TEST(BufferPool, KeepsNoAddressesThatCallsHaveOutgrown) {
  BufferPool pool;
  size_t before = countAddresses();
  for (size_t call = 0; call < 64; ++call) {
    size_t bytes = (66 + 2 * call) * kMiB;
    pool.release(allocate(pool, bytes), bytes);
    pool.endCall();
  }
  EXPECT_LT(countAddresses() - before, 1024 * kMiB);
  // The last one's are still there.
  size_t after = countAddresses();
  pool.release(allocate(pool, 192 * kMiB), 192 * kMiB);
  EXPECT_EQ(countAddresses(), after);
}

TEST(BufferPool, AFailedCallKeepsNothing) {
  BufferPool pool;
  char *first = allocate(pool, kMiB);
  allocate(pool, kMiB);
  pool.endCall();
  EXPECT_EQ(allocate(pool, 2 * kMiB), first);
}

TEST(BufferPool, ServesThreadsAtOnce) {
  BufferPool pool;
  auto work = [&pool](uint32_t seed) {
    std::minstd_rand random(seed);
    std::map<char *, size_t> mine;
    for (int turn = 0; turn < 400; ++turn) {
      if (mine.size() < 6 && random() % 2) {
        size_t bytes = random() % (256 << 10);
        char *address = allocate(pool, bytes);
        fill(address, bytes, seed);
        mine[address] = bytes;
      } else if (!mine.empty()) {
        auto [address, bytes] = *mine.begin();
        ASSERT_TRUE(isFilled(address, bytes, seed));
        mine.erase(address);
        pool.release(address, bytes);
      }
    }
    for (auto [address, bytes] : mine) {
      EXPECT_TRUE(isFilled(address, bytes, seed));
      pool.release(address, bytes);
    }
  };
  std::thread others[] = {std::thread(work, 1), std::thread(work, 2),
                          std::thread(work, 3)};
  for (std::thread &other : others)
    other.join();
  // All of it is one range again.
  char *first = allocate(pool, 32 * kMiB);
  EXPECT_EQ(allocate(pool, kMiB), first + 32 * kMiB);
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
TEST(BufferPoolDeathTest, FaultsAreSeenAsThoseOfMalloc) {
  BufferPool pool;
  char *first = allocate(pool, kMiB - 8);
  allocate(pool, kMiB);
  EXPECT_DEATH(first[kMiB - 8] = 1, "AddressSanitizer");
  pool.release(first, kMiB - 8);
  EXPECT_DEATH(first[0] = 1, "AddressSanitizer");
}
#endif
#endif

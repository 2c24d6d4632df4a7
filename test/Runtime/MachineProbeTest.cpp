//===- MachineProbeTest.cpp - the loops that measure compute --------------===//

#include "tern/Runtime/MachineProbe.h"
#include "tern/Runtime/CpuFeatures.h"
#include "tern/Runtime/ModelABI.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

using namespace tern::runtime;

namespace {

/// Codes 0, 1 and 2, without a period that divides the loops' strides.
std::vector<uint8_t> makeData(int64_t bytes) {
  std::vector<uint8_t> data(static_cast<size_t>(bytes));
  uint32_t state = 1;
  for (uint8_t &value : data) {
    state = state * 1664525 + 1013904223;
    value = static_cast<uint8_t>((state >> 16) % 3);
  }
  return data;
}

/// The products of one round, from the definition of the layout.
template <typename T>
int64_t multiplyOnce(int64_t tokens, int64_t rows, const std::vector<T> &data) {
  int64_t sum = 0;
  for (int64_t token = 0; token < tokens; ++token)
    for (int64_t column = 0; column < 64; ++column)
      for (int64_t row = 0; row < rows; ++row) {
        int64_t code = (column / 4 * rows + row) * 4;
        sum += data[static_cast<size_t>(code + column % 4)] *
               data[static_cast<size_t>(token * 64 + column)];
      }
  return sum;
}

/// Those that run here.
std::vector<Probe> getSupported() {
  std::vector<Probe> supported;
  for (const Probe &probe : getProbes())
    if ((probe.features & ~detectCpuFeatures()) == 0)
      supported.push_back(probe);
  return supported;
}

} // namespace

TEST(MachineProbe, ReadsAllOfIt) {
  for (const Probe &probe : getSupported())
    for (int64_t bytes : {0, 1024, 8192}) {
      // Aligned as the loops require.
      alignas(64) uint8_t data[8192 + 64];
      std::vector<uint8_t> random = makeData(sizeof(data));
      std::memcpy(data, random.data(), sizeof(data));
      uint32_t expected = 0;
      for (int64_t i = 0; i < bytes; i += 4) {
        uint32_t word;
        std::memcpy(&word, data + i, 4);
        expected += word;
      }
      EXPECT_EQ(probe.read(data, bytes), expected) << probe.level << bytes;
    }
}

TEST(MachineProbe, MultipliesWhatItCounts) {
  std::vector<uint8_t> data = makeData(Probe::kDotBytes);
  for (const Probe &probe : getSupported()) {
    EXPECT_LE(probe.strips * probe.lanes * 64, Probe::kDotBytes);
    EXPECT_EQ(probe.dot(data.data(), 0), 0u) << probe.level;
    for (int64_t rounds : {1, 3})
      EXPECT_EQ(probe.dot(data.data(), rounds),
                static_cast<uint32_t>(
                    rounds * multiplyOnce(probe.tokens,
                                          probe.strips * probe.lanes, data)))
          << probe.level;
    EXPECT_EQ(probe.getProductsPerRound(),
              probe.tokens * probe.strips * probe.lanes * 64);
  }
}

TEST(MachineProbe, MultipliesInTiles) {
  std::vector<uint8_t> data = makeData(2048);
  for (size_t i = 0; i < data.size(); i += 3)
    data[i] = static_cast<uint8_t>(-1); // tiles are signed
  std::vector<int8_t> trits(data.begin(), data.end());
  for (const Probe &probe : getSupported()) {
    if (!probe.tiles)
      continue;
    EXPECT_EQ(probe.tiles(data.data(), 0), 0u) << probe.level;
    for (int64_t rounds : {1, 3})
      EXPECT_EQ(probe.tiles(data.data(), rounds),
                static_cast<uint32_t>(rounds * multiplyOnce(32, 32, trits)))
          << probe.level;
  }
  EXPECT_EQ(Probe::kTileProducts, 32 * 32 * 64);
}

TEST(MachineProbe, SelectsWhatTheCpuRuns) {
  const Probe &best = getProbes().front();
  EXPECT_STREQ(selectProbe(0, "").level, "generic");
  EXPECT_STREQ(selectProbe(0, best.level).level, "generic");
  EXPECT_STREQ(selectProbe(~uint64_t(0), best.level).level, best.level);
  EXPECT_STREQ(selectProbe(~uint64_t(0), "generic").level, "generic");
}

// Tiles are for code that has them; for all other, the best of the rest.
TEST(MachineProbe, SelectsTilesByNameAlone) {
  size_t first = 0;
  while (getProbes()[first].tiles)
    ++first;
  const char *best = getProbes()[first].level;
  for (const char *level : {"", "portable", "avx512vbmi"})
    EXPECT_STREQ(selectProbe(~uint64_t(0), level).level, best);
  EXPECT_STREQ(selectProbe(~uint64_t(TERN_FEATURE_AMX), "amx").level, best);
}

TEST(MachineProbe, MeasuresSomething) {
  MachineSpeed speed = measureMachine(selectProbe(0, "generic"), 2);
  EXPECT_STREQ(speed.level, "generic");
  EXPECT_EQ(speed.threads, 2);
  EXPECT_GT(speed.readBytesPerSecond, 0);
  EXPECT_GT(speed.productsPerSecond, 0);
  EXPECT_EQ(speed.tileProductsPerSecond, 0);
  EXPECT_EQ(speed.weightBytesPerSecond, 0);
  EXPECT_EQ(speed.getWeightLimit(), speed.readBytesPerSecond);
}

// Two pieces, as an end of less than one is left out; without one, nothing.
TEST(MachineProbe, ReadsWeights) {
  std::vector<char> weights((size_t(2) << 20) + 1000);
  const Probe &probe = selectProbe(0, "generic");
  MachineSpeed speed =
      measureMachine(probe, 1, {{weights.data(), weights.size()}});
  EXPECT_GT(speed.weightBytesPerSecond, 0);
  EXPECT_EQ(speed.getWeightLimit(), speed.weightBytesPerSecond);
  MachineSpeed none = measureMachine(probe, 1, {{weights.data(), 1000}});
  EXPECT_EQ(none.weightBytesPerSecond, 0);
}

TEST(MachineProbe, MeasuresTilesWhereThereAreSome) {
  for (const Probe &probe : getSupported())
    if (probe.tiles) {
      MachineSpeed speed = measureMachine(probe, 1);
      EXPECT_GT(speed.tileProductsPerSecond, 0);
      EXPECT_GT(speed.productsPerSecond, 0);
    }
}

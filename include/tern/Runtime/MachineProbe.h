//===- MachineProbe.h - how fast this machine reads and multiplies -*- C++ -*-//
//
// The two limits of a ternary product: the weights that a token has to read,
// and the products that a prompt has to compute. lib/Runtime/Probes has the
// loops.
//
//===----------------------------------------------------------------------===//
#ifndef TERN_RUNTIME_MACHINEPROBE_H
#define TERN_RUNTIME_MACHINEPROBE_H

#include "tern/Runtime/HugePages.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

namespace tern::runtime {

/// The loops for one level of CPU.
struct Probe {
  const char *level; ///< as TernVariant.name
  uint64_t features; ///< TERN_FEATURE_* bits that it needs
  /// Products in a round: of tokens x 64 activations with 64 columns of
  /// strips x lanes rows.
  int64_t lanes, tokens, strips;

  /// Bytes that `dot` reads, and that `read` reads a multiple of.
  static constexpr int64_t kDotBytes = 16384, kReadUnit = 1024;
  /// Sums the 32-bit words of `data`, modulo 2^32.
  uint32_t (*read)(const void *data, int64_t bytes);
  /// Adds up the products of `rounds` rounds, modulo 2^32. Activations lie in
  /// `data` as i8 [tokens, 64], codes as u8 [16, strips, lanes, 4], both from
  /// its begin on; requires codes up to 2.
  uint32_t (*dot)(const void *data, int64_t rounds);
  /// Null if the level has no instructions that multiply matrices. Adds up the
  /// products of `rounds` rounds, modulo 2^32, of activations i8 [32, 64] and
  /// trits i8 [16, 32, 4], both from the begin of `data` on.
  uint32_t (*tiles)(const void *data, int64_t rounds);
  static constexpr int64_t kTileProducts = 32 * 64 * 32;

  int64_t getProductsPerRound() const { return 64 * tokens * strips * lanes; }
};

/// Those of this build, best first.
const std::vector<Probe> &getProbes();

/// That of `level` if this CPU runs it, else the best without tiles that it
/// runs: whose code has none cannot come near them.
const Probe &selectProbe(uint64_t features, std::string_view level);

struct MachineSpeed {
  const char *level;
  int threads;
  double readBytesPerSecond;
  double productsPerSecond; ///< of a code and an int8, in vectors
  /// Of two int8, in tiles; 0 if the level has none.
  double tileProductsPerSecond = 0;
  /// Of a model's weights, where they lie; 0 if unknown.
  double weightBytesPerSecond = 0;

  double getMostProductsPerSecond() const {
    return std::max(productsPerSecond, tileProductsPerSecond);
  }
  /// What limits code that reads weights.
  double getWeightLimit() const {
    return weightBytesPerSecond > 0 ? weightBytesPerSecond : readBytesPerSecond;
  }
};

/// Measures for some seconds at most, on `threads` >= 1 threads, and takes the
/// best of what it saw: an undisturbed machine. Uses 256 MiB for that time.
/// Reads `weights`, too, in pieces of 1 MiB, at most the first GiB.
/// \throws std::bad_alloc, std::system_error
MachineSpeed measureMachine(const Probe &probe, int threads,
                            const std::vector<WeightSpan> &weights = {});

} // namespace tern::runtime

#endif // TERN_RUNTIME_MACHINEPROBE_H

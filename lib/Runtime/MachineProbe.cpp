//===- MachineProbe.cpp - how fast this machine reads and multiplies ------===//

#include "tern/Runtime/MachineProbe.h"

#include "tern/Runtime/Error.h"
#include "tern/Runtime/ModelABI.h"
#include "tern/Runtime/Stopwatch.h"
#include "tern/Runtime/ThreadTeam.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>

#include <sys/mman.h>

using namespace tern::runtime;

#define PROBE(LEVEL, LANES, TOKENS, STRIPS, NEEDS, TILES)                      \
  extern "C" uint32_t tern_probe_read_##LEVEL(const void *, int64_t);          \
  extern "C" uint32_t tern_probe_dot_##LEVEL(const void *, int64_t);           \
  extern "C" uint32_t tern_probe_tiles_##LEVEL(const void *, int64_t);
#include "Probes/Probes.inc"
#undef PROBE

const std::vector<Probe> &tern::runtime::getProbes() {
  static const std::vector<Probe> probes = {
#define PROBE(LEVEL, LANES, TOKENS, STRIPS, NEEDS, TILES)                      \
  {#LEVEL,                                                                     \
   NEEDS,                                                                      \
   LANES,                                                                      \
   TOKENS,                                                                     \
   STRIPS,                                                                     \
   tern_probe_read_##LEVEL,                                                    \
   tern_probe_dot_##LEVEL,                                                     \
   TILES},
#include "Probes/Probes.inc"
#undef PROBE
  };
  return probes;
}

const Probe &tern::runtime::selectProbe(uint64_t features,
                                        std::string_view level) {
  const Probe *best = nullptr;
  for (const Probe &probe : getProbes()) {
    if ((probe.features & ~features) != 0)
      continue;
    if (probe.level == level)
      return probe;
    if (!best && !probe.tiles)
      best = &probe;
  }
  // The last needs nothing.
  return best ? *best : getProbes().back();
}

namespace {

/// Beyond the caches of a core. Not beyond every shared cache, where a model
/// may lie as well.
constexpr int64_t kReadBytes = int64_t(256) << 20;
/// What a thread takes at a time; long against the cost of taking it.
constexpr int64_t kPieceBytes = int64_t(1) << 20;
/// What is measured of weights: more than caches hold, and little to wait for.
constexpr size_t kMostPieces = 1024;
constexpr int64_t kRoundsPerPiece = 2000;
/// Enough to find the machine undisturbed once, and its clock up.
constexpr double kSecondsEach = 0.25;
constexpr int kLeastRuns = 3;
constexpr size_t kHugePage = size_t(2) << 20;

struct Free {
  void operator()(void *data) const { std::free(data); }
};
using Buffer = std::unique_ptr<void, Free>;

/// Filled, so that the pages are there; huge ones, or a virtual machine would
/// spend most of the time on their addresses.
Buffer makeBuffer(int64_t bytes) {
  size_t size = static_cast<size_t>(bytes);
  Buffer buffer(std::aligned_alloc(kHugePage, size));
  if (!buffer)
    throw MemoryError(size, "the measurement");
#ifdef MADV_HUGEPAGE
  madvise(buffer.get(), size, MADV_HUGEPAGE);
#endif
  std::memset(buffer.get(), 1, size);
  return buffer;
}

struct Job {
  const Probe *probe;
  const char *data;
  std::vector<const char *> pieces;
  // Keeps what the loops return from being dropped.
  std::atomic<uint32_t> sum{0};
};

/// The most units a second, of several runs of `count` pieces of `perPiece`.
double findBestRate(ThreadTeam &team, ThreadTeam::Body body, Job &job,
                    int64_t count, int64_t perPiece) {
  double best = 0;
  Stopwatch all;
  for (int run = 0; run < kLeastRuns || all.seconds() < kSecondsEach; ++run) {
    Stopwatch time;
    team.parallelFor(count, body, &job);
    best = std::max(
        best, perSecond(static_cast<double>(count * perPiece), time.seconds()));
  }
  return best;
}

/// The bytes a second that the team reads of `spans`, in whole pieces; 0 if
/// they have none.
double measureReading(ThreadTeam &team, Job &job,
                      const std::vector<WeightSpan> &spans) {
  job.pieces.clear();
  for (WeightSpan span : spans)
    for (size_t begin = 0;
         begin + kPieceBytes <= span.bytes && job.pieces.size() < kMostPieces;
         begin += kPieceBytes)
      job.pieces.push_back(static_cast<const char *>(span.data) + begin);
  if (job.pieces.empty())
    return 0;
  return findBestRate(
      team,
      [](void *context, int64_t begin, int64_t end) {
        Job &job = *static_cast<Job *>(context);
        for (int64_t piece = begin; piece < end; ++piece)
          job.sum += job.probe->read(job.pieces[static_cast<size_t>(piece)],
                                     kPieceBytes);
      },
      job, static_cast<int64_t>(job.pieces.size()), kPieceBytes);
}

} // namespace

MachineSpeed
tern::runtime::measureMachine(const Probe &probe, int threads,
                              const std::vector<WeightSpan> &weights) {
  ThreadTeam team(threads);
  Buffer buffer = makeBuffer(kReadBytes);
  Job job;
  job.probe = &probe;
  job.data = static_cast<const char *>(buffer.get());
  MachineSpeed speed = {probe.level, threads, 0, 0};
  const int64_t pieces = int64_t(threads) * 16;
  speed.productsPerSecond = findBestRate(
      team,
      [](void *context, int64_t begin, int64_t end) {
        Job &job = *static_cast<Job *>(context);
        job.sum += job.probe->dot(job.data, (end - begin) * kRoundsPerPiece);
      },
      job, pieces, kRoundsPerPiece * probe.getProductsPerRound());
  if (probe.tiles)
    speed.tileProductsPerSecond = findBestRate(
        team,
        [](void *context, int64_t begin, int64_t end) {
          Job &job = *static_cast<Job *>(context);
          job.sum +=
              job.probe->tiles(job.data, (end - begin) * kRoundsPerPiece);
        },
        job, pieces, kRoundsPerPiece * Probe::kTileProducts);
  speed.readBytesPerSecond = measureReading(
      team, job, {{buffer.get(), static_cast<size_t>(kReadBytes)}});
  speed.weightBytesPerSecond = measureReading(team, job, weights);
  return speed;
}

//===- LayoutChoice.cpp - the encoding that serves CPUs best --------------===//

#include "tern/Dialect/Ternary/Transforms/LayoutChoice.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace tern::ternary;

namespace {
/// Cycles that the instructions of one step of a tile of 16 rows take.
struct StepCost {
  llvm::StringLiteral target;
  double i2, t5;
};
} // namespace

/// Counted in the code for one token: vector instructions, two or three of
/// which execute in a cycle. Without a table, t5 is divided by powers of three.
static constexpr StepCost stepCosts[] = {
    {"amx", 6, 8},         {"zen4", 6, 8},      {"avx512vbmi", 6, 8},
    {"avx512vnni", 6, 38}, {"avxvnni", 11, 61}, {"avx2", 14, 74},
    {"generic", 40, 126},
};

/// A step is 64 bytes, a cache line. From memory it takes a core as long as 4
/// bytes a cycle do, 14 GB/s at 3.5 GHz; four streams reach 17.
static constexpr double lineFromMemory = 16, lineFromCache = 2;

static const StepCost &getStepCost(llvm::StringRef target) {
  for (const StepCost &cost : stepCosts)
    if (cost.target == target)
      return cost;
  // "generic" is the last.
  return std::end(stepCosts)[-1];
}

double tern::ternary::estimateCycles(MatrixType matrix, llvm::StringRef target,
                                     WeightsPlace place) {
  const StepCost &cost = getStepCost(target);
  double lines = static_cast<double>(matrix.getStorageBytes()) / 64;
  double computing =
      matrix.getLayout().getEncoding() == Encoding::I2 ? cost.i2 : cost.t5;
  double reading =
      place == WeightsPlace::Memory ? lineFromMemory : lineFromCache;
  return lines * std::max(computing, reading);
}

LayoutChoice tern::ternary::chooseLayout(MatrixType matrix,
                                         llvm::ArrayRef<std::string> targets,
                                         WeightsPlace place) {
  auto estimate = [&](Encoding encoding, llvm::StringRef target) {
    auto layout = LayoutAttr::get(matrix.getContext(), encoding,
                                  matrix.getLayout().getTile());
    return estimateCycles(matrix.withLayout(layout), target, place);
  };
  double best = 0, worst = 0;
  llvm::StringRef bestTarget, worstTarget;
  for (const std::string &target : targets) {
    double ratio = 1;
    if (double base = estimate(Encoding::I2, target))
      ratio = estimate(Encoding::T5, target) / base;
    if (bestTarget.empty() || ratio < best) {
      best = ratio;
      bestTarget = target;
    }
    if (worstTarget.empty() || ratio > worst) {
      worst = ratio;
      worstTarget = target;
    }
  }
  bool takesT5 = best * worst < 1;
  auto [ratio, target] =
      takesT5 ? std::pair(best, bestTarget) : std::pair(worst, worstTarget);
  return {
      takesT5 ? Encoding::T5 : Encoding::I2,
      llvm::formatv("t5 takes {0:F2} of the cycles of i2 on {1}", ratio, target)
          .str()};
}

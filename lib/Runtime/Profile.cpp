//===- Profile.cpp - adds up where a model spends its time ----------------===//

#include "tern/Runtime/Profile.h"

#include <algorithm>

using namespace tern::runtime;

Profile::Profile(const TernKernel *kernels) {
  std::vector<Kernel> none;
  for (; kernels && kernels->body; ++kernels) {
    // Of equal functions a linker may have made one: the first names it.
    if (indices.try_emplace(kernels->body, none.size()).second)
      none.push_back({kernels});
  }
  none.push_back({nullptr});
  current.resize(none.size());
  for (Summary &total : totals)
    total.kernels = none;
}

void Profile::addLoop(ThreadTeam::Body body, double seconds) noexcept {
  auto it = indices.find(body);
  Loops &loops = it == indices.end() ? current.back() : current[it->second];
  ++loops.calls;
  loops.seconds += seconds;
}

void Profile::dropLoops() { current.assign(current.size(), {}); }

void Profile::addCall(int64_t tokens, double seconds) {
  Summary &total = totals[tokens > 1 ? Prefill : Decode];
  ++total.calls;
  total.tokens += tokens;
  total.seconds += seconds;
  for (size_t i = 0; i < current.size(); ++i) {
    Kernel &kernel = total.kernels[i];
    double calls = static_cast<double>(current[i].calls);
    kernel.calls += current[i].calls;
    kernel.seconds += current[i].seconds;
    if (const TernKernel *known = kernel.description) {
      kernel.bytes += calls * static_cast<double>(known->bytes);
      kernel.macs += calls * (static_cast<double>(known->macs) +
                              static_cast<double>(tokens) *
                                  static_cast<double>(known->macs_per_token));
    }
    current[i] = {};
  }
}

Profile::Summary Profile::summarize(Phase phase) const {
  Summary summary = totals[phase];
  auto &kernels = summary.kernels;
  kernels.erase(
      std::remove_if(kernels.begin(), kernels.end(),
                     [](const Kernel &kernel) { return kernel.calls == 0; }),
      kernels.end());
  std::stable_sort(
      kernels.begin(), kernels.end(),
      [](const Kernel &a, const Kernel &b) { return a.seconds > b.seconds; });
  return summary;
}

double Profile::Summary::getSerialSeconds() const {
  double rest = seconds;
  for (const Kernel &kernel : kernels)
    rest -= kernel.seconds;
  return std::max(rest, 0.0);
}

//===- Profile.h - where a model spends its time ----------------*- C++ -*-===//
#ifndef TERN_RUNTIME_PROFILE_H
#define TERN_RUNTIME_PROFILE_H

#include "tern/Runtime/MachineProbe.h"
#include "tern/Runtime/ModelABI.h"
#include "tern/Runtime/ThreadTeam.h"

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace tern::runtime {

/// Adds up the time of a model's calls by kernel: a kernel is a loop that
/// generated code hands to the team of threads, known by its body. What remains
/// of a call is serial code: small loops, and what lies between loops.
///
/// Calls on several tokens (reading a prompt) are kept apart from those on one
/// (generating). Used by one thread at a time.
class Profile {
public:
  enum Phase { Prefill, Decode, NumPhases };

  struct Kernel {
    const TernKernel *description; ///< null: loops that are in no table
    int64_t calls = 0;
    double seconds = 0;
    double bytes = 0; ///< of constants; 0: unknown
    double macs = 0;  ///< 0: unknown
  };

  /// Of the calls of one phase.
  struct Summary {
    int64_t calls = 0;           ///< of the model
    int64_t tokens = 0;          ///< in all calls
    double seconds = 0;          ///< of the calls
    std::vector<Kernel> kernels; ///< those that ran, the longest first

    /// What lies outside of kernels.
    double getSerialSeconds() const;
  };

  /// `kernels` ends with a null body, and outlives this; it may be null.
  explicit Profile(const TernKernel *kernels);

  /// Forgets the loops of a call that failed.
  void dropLoops();
  /// A loop of the next addCall took `seconds`. Does not throw.
  void addLoop(ThreadTeam::Body body, double seconds) noexcept;
  /// A call of the model on `tokens` >= 1 tokens took `seconds`.
  void addCall(int64_t tokens, double seconds);

  Summary summarize(Phase phase) const;

private:
  struct Loops {
    int64_t calls = 0;
    double seconds = 0;
  };

  std::unordered_map<ThreadTeam::Body, size_t> indices; // into the others
  std::vector<Loops> current;                           // since the last call
  Summary totals[NumPhases]; // kernels as in the table, then all others
};

/// A table for people, or an object of JSON in one line; both end with a
/// newline. Compares with what the machine can do at most: the share of a
/// kernel is that of the limit (reading, multiplying) it is nearer to. Where
/// the machine could not be measured, says so, and no shares.
std::string formatProfile(const Profile &profile,
                          const std::optional<MachineSpeed> &machine,
                          bool json);

} // namespace tern::runtime

#endif // TERN_RUNTIME_PROFILE_H

//===- Cores.h - where threads run ------------------------------*- C++ -*-===//
//
// Placement is a matter of speed alone: where the system does not support it,
// these functions know nothing and do nothing.
//
//===----------------------------------------------------------------------===//
#ifndef TERN_RUNTIME_CORES_H
#define TERN_RUNTIME_CORES_H

#include <vector>

namespace tern::runtime {

/// Cores that this process may run on, at least 1.
int numAvailableCores();

/// The core that this thread is running on, or -1.
int findCurrentCore();

/// As the system names a thread to others.
using ThreadId = int;
ThreadId getThreadId();

/// Some of the machine's cores, of which there may be any number.
class CoreSet {
public:
  /// Those that this thread may run on; none if the system does not say.
  static CoreSet findAllowed();
  static CoreSet makeSingle(int core);

  int size() const;
  /// The others of the set; requires `core >= 0`.
  CoreSet without(int core) const;

  /// Has a thread of this process run on these alone. An empty set is ignored.
  void confine(ThreadId thread) const;

private:
  // A bit a core, as the system takes them.
  std::vector<unsigned long> words;
};

} // namespace tern::runtime

#endif // TERN_RUNTIME_CORES_H

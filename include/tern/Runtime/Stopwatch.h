//===- Stopwatch.h - measures wall-clock time -------------------*- C++ -*-===//
#ifndef TERN_RUNTIME_STOPWATCH_H
#define TERN_RUNTIME_STOPWATCH_H

#include <chrono>

namespace tern::runtime {

/// Starts when it is made.
class Stopwatch {
public:
  double seconds() const {
    return std::chrono::duration<double>(Clock::now() - start).count();
  }

private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start = Clock::now();
};

/// Events per second; 0 if no time has passed.
inline double perSecond(double count, double seconds) {
  return seconds > 0 ? count / seconds : 0;
}

} // namespace tern::runtime

#endif // TERN_RUNTIME_STOPWATCH_H

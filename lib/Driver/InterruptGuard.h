//===- InterruptGuard.h - leaves no folder behind a signal ------*- C++ -*-===//
#ifndef TERN_LIB_DRIVER_INTERRUPTGUARD_H
#define TERN_LIB_DRIVER_INTERRUPTGUARD_H

#include <atomic>
#include <csignal>
#include <string>
#include <thread>

namespace tern {

/// While it lives, SIGINT, SIGTERM and SIGHUP remove the folder it watches
/// before they end the process; until it watches one they wait. Writing to a
/// closed pipe or past a limit of the file size is an error to report instead
/// of a signal.
///
/// Create it before other threads: they must inherit its mask. A thread waits
/// for the signals, since a handler could hardly remove a folder.
class InterruptGuard {
public:
  InterruptGuard();
  ~InterruptGuard();
  /// To be called once, right after the folder was made.
  void watch(std::string newFolder);
  InterruptGuard(const InterruptGuard &) = delete;
  InterruptGuard &operator=(const InterruptGuard &) = delete;

private:
  void wait();

  std::string folder;
  sigset_t waited;   ///< what the thread waits for
  sigset_t previous; ///< the mask to restore
  std::atomic<bool> finished{false};
  std::thread waiter;
};

} // namespace tern

#endif // TERN_LIB_DRIVER_INTERRUPTGUARD_H

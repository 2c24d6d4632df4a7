//===- InterruptGuard.cpp - leaves no folder behind a signal --------------===//

#include "InterruptGuard.h"

#include "llvm/Support/FileSystem.h"

#include <pthread.h>
#include <unistd.h>

using namespace tern;

/// Wakes the thread at the end of the guard's life.
static constexpr int kWakeUp = SIGUSR2;

InterruptGuard::InterruptGuard() {
  sigemptyset(&waited);
  for (int signal : {SIGINT, SIGTERM, SIGHUP, kWakeUp})
    sigaddset(&waited, signal);
  sigset_t blocked = waited;
  sigaddset(&blocked, SIGPIPE);
  sigaddset(&blocked, SIGXFSZ);
  pthread_sigmask(SIG_BLOCK, &blocked, &previous);
}

void InterruptGuard::watch(std::string newFolder) {
  folder = std::move(newFolder);
  waiter = std::thread([this] { wait(); });
}

InterruptGuard::~InterruptGuard() {
  finished = true;
  if (waiter.joinable()) {
    pthread_kill(waiter.native_handle(), kWakeUp);
    waiter.join();
  }
  // Faults that were reported as errors are not to end the process now.
  sigset_t pending;
  sigpending(&pending);
  for (int signal : {SIGPIPE, SIGXFSZ})
    if (sigismember(&pending, signal)) {
      sigset_t one;
      sigemptyset(&one);
      sigaddset(&one, signal);
      int taken;
      sigwait(&one, &taken);
    }
  pthread_sigmask(SIG_SETMASK, &previous, nullptr);
}

void InterruptGuard::wait() {
  int signal = 0;
  do {
    if (sigwait(&waited, &signal) != 0)
      return;
    if (finished)
      return;
  } while (signal == kWakeUp);
  // Code generators may still write: a file that appears meanwhile would keep
  // the folder.
  for (int attempt = 0; attempt < 100 && llvm::sys::fs::exists(folder);
       ++attempt)
    llvm::sys::fs::remove_directories(folder, /*IgnoreErrors=*/true);
  std::signal(signal, SIG_DFL);
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, signal);
  pthread_sigmask(SIG_UNBLOCK, &one, nullptr);
  // Ends the process as the signal does, so that a shell sees which it was.
  kill(getpid(), signal);
}

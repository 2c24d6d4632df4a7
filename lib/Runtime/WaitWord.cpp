//===- WaitWord.cpp - a number that threads sleep on ----------------------===//

#include "tern/Runtime/WaitWord.h"

#ifdef __linux__
#include <cerrno>
#include <ctime>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

using namespace tern::runtime;

#ifdef __linux__

// The system reads the number itself.
static_assert(sizeof(std::atomic<int32_t>) == sizeof(int32_t) &&
              std::atomic<int32_t>::is_always_lock_free);

static long callFutex(std::atomic<int32_t> &value, int operation,
                      int32_t argument, const timespec *time = nullptr) {
  return syscall(SYS_futex, reinterpret_cast<int32_t *>(&value),
                 operation | FUTEX_PRIVATE_FLAG, argument, time, nullptr, 0);
}

void WaitWord::wait(int32_t seen) { callFutex(value, FUTEX_WAIT, seen); }

bool WaitWord::waitFor(int32_t seen, std::chrono::nanoseconds time) {
  timespec left = {static_cast<time_t>(time.count() / 1000000000),
                   static_cast<long>(time.count() % 1000000000)};
  return callFutex(value, FUTEX_WAIT, seen, &left) == 0 || errno != ETIMEDOUT;
}

void WaitWord::wake(int32_t threads) { callFutex(value, FUTEX_WAKE, threads); }

#else

void WaitWord::wait(int32_t seen) {
  std::unique_lock<std::mutex> lock(mutex);
  // Once only: whoever waits looks at the number again.
  if (value == seen)
    changed.wait(lock);
}

bool WaitWord::waitFor(int32_t seen, std::chrono::nanoseconds time) {
  std::unique_lock<std::mutex> lock(mutex);
  return value != seen ||
         changed.wait_for(lock, time) == std::cv_status::no_timeout;
}

void WaitWord::wake(int32_t) {
  // The lock keeps a change from falling between a look and the sleep.
  std::lock_guard<std::mutex> lock(mutex);
  changed.notify_all();
}

#endif

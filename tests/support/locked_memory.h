// What the process has locked into memory.
#pragma once

#include <sys/resource.h>

#include <fstream>
#include <string>

namespace cnplay::testing {

inline long locked_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    long kib = 0;
    if (word == "VmLck:" && status >> kib) return kib;
  }
  return -1;
}

inline bool may_lock() {
#ifdef __SANITIZE_ADDRESS__
  return false;  // its runtime makes mlock do nothing
#endif
  rlimit limit{};
  return ::getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur >= 4 * 1024 * 1024;
}

}  // namespace cnplay::testing

// How much a piece of work computes. By the thread's own CPU time: what else the machine does is no
// part of it.
#pragma once

#include <gtest/gtest.h>

#include <ctime>
#include <functional>

namespace cnplay::testing {

inline double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

inline double cpu_seconds_of(const std::function<void()>& work) {
  const double begin = cpu_seconds();
  work();
  return cpu_seconds() - begin;
}

// Four times the input takes about four times the time; a quadratic step would show as sixteen.
inline void expect_linear(double quarter, double whole) {
  EXPECT_LT(whole, 10 * quarter + 0.5) << "a quarter: " << quarter << " s, all: " << whole << " s";
}

}  // namespace cnplay::testing

// A command that runs in the process of the test.
#pragma once

#include <gtest/gtest.h>

#include <string>

namespace cnplay::testing {

struct Answer {
  int code = 0;
  std::string out;
  std::string err;
};

// `command`: prints, and returns its exit code.
template <class Command>
Answer captured(const Command& command) {
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  Answer answer;
  answer.code = command();
  answer.out = ::testing::internal::GetCapturedStdout();
  answer.err = ::testing::internal::GetCapturedStderr();
  return answer;
}

}  // namespace cnplay::testing

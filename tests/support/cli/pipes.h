// What is typed and what is shown, over two pipes: no terminal is needed to talk.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

namespace cnplay::cli::test {

class Pipes : public ::testing::Test {
 protected:
  Pipes() {
    EXPECT_EQ(::pipe(in_), 0);
    EXPECT_EQ(::pipe(out_), 0);
  }
  ~Pipes() override {
    for (const int fd : {in_[0], in_[1], out_[0], out_[1]}) ::close(fd);
  }
  void type(const std::string& text) {
    ASSERT_EQ(::write(in_[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  std::string shown() {
    std::string text(4096, '\0');
    const ssize_t n = ::read(out_[0], text.data(), text.size());
    text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return text;
  }
  int in_[2]{}, out_[2]{};
};

}  // namespace cnplay::cli::test

// Where all that is printed passes: std::cout and std::cerr while this lives. Texts are made safe
// for a terminal (base/terminal_text.h), and output that cannot be written is noticed.
#pragma once

#include <memory>
#include <streambuf>
#include <string>
#include <string_view>

#include "base/result.h"

namespace cnplay::cli {

// The exit code of a command that did what it was to do, and could not print it.
inline constexpr int kNoOutput = 74;

class Output {
 public:
  Output();
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output();

  // Writes what is left. An Error if something could not be written; a reader that has gone away
  // is none.
  Status finish();

  // Past all that: exactly these bytes, for a value that was asked for.
  static Status exactly(std::string_view bytes);

 private:
  class Gate;
  std::unique_ptr<Gate> out_;
  std::unique_ptr<Gate> err_;
  std::streambuf* before_out_;
  std::streambuf* before_err_;
};

}  // namespace cnplay::cli

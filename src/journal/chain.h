// The checksums that hold the lines of a record together.
//
// Each line ends in `,"chain":"1a2b3c4d"}`: the CRC-32 of the value of the line before it ("" for
// the first) and of its own bytes before that comma. So a line that is missing, repeated or changed
// shows in the next one. The former format ends in `,"crc":"1a2b3c4d"}`, of the line's own bytes
// alone; a record that was begun with it is continued with the chain.
#pragma once

#include <string>
#include <string_view>

namespace cnplay::journal {

class Chain {
 public:
  // The object `{...}` as the next line, without its newline.
  std::string seal(std::string object);
  // Whether `line` is whole and follows the last one; then it is the last one from now on.
  bool follow(std::string_view line);

 private:
  std::string last_;
  bool chained_ = false;
};

}  // namespace cnplay::journal

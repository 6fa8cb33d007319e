// Forms of bash in the text of a script that a POSIX sh does not have. A reader that knows quotes,
// comments and here-documents, and where a command begins; it never fails.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace cnplay::compile {

struct Bashism {
  std::size_t offset = 0;
  std::string form;     // as it is written: `[[`
  std::string help;     // the form of POSIX sh
  std::string instead;  // what to write in its place, where that alone is the remedy
};

// The first of each form.
std::vector<Bashism> bashisms_in(std::string_view script);

}  // namespace cnplay::compile

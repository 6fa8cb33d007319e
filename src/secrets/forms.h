// The forms in which a secret is looked for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cnplay::secrets {

struct Form {
  std::string symbols;  // as a Reader tells them: lower case, without blanks
  std::string exact;    // as a screen shows it
};

// Of a value and of each of its lines that has 8 characters or more: as it is, backwards, in
// base64 (at all three alignments, both alphabets), in hex, quoted for a shell.
std::vector<Form> forms_of(std::string_view value);

}  // namespace cnplay::secrets

#include "diag/codes.h"

#include <algorithm>
#include <cctype>
#include <string>

namespace cnplay::diag {

const std::vector<CodeText>& codes() {
  static const std::vector<CodeText> all = [] {
    constexpr std::string_view kHead = "# E0101: ";
    std::vector<CodeText> out;
    for (const EmbeddedFile& file : code_files()) {
      const std::size_t line = file.text.find('\n');
      out.push_back({file.text.substr(2, 5), file.text.substr(kHead.size(), line - kHead.size()),
                     file.text.substr(line + 2)});
    }
    std::ranges::sort(out, {}, &CodeText::code);
    return out;
  }();
  return all;
}

const CodeText* find_code(std::string_view code) {
  std::string wanted(code);
  for (char& c : wanted) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  const auto at = std::ranges::lower_bound(codes(), wanted, {}, &CodeText::code);
  return at != codes().end() && at->code == wanted ? &*at : nullptr;
}

}  // namespace cnplay::diag

#include "diag/codes.h"

#include <algorithm>
#include <cctype>
#include <string>

#include "diag/code_tables.h"

namespace cnplay::diag {

const std::vector<CodeText>& codes() {
  // Sorted here rather than in the tables' order: a room may own codes of several hundreds.
  static const std::vector<CodeText> all = [] {
    std::vector<CodeText> joined;
    for (const auto* table :
         {&syntax_codes(), &compile_codes(), &catalog_codes(), &inventory_codes(), &text_codes()}) {
      joined.insert(joined.end(), table->begin(), table->end());
    }
    std::ranges::stable_sort(joined, {}, &CodeText::code);
    return joined;
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

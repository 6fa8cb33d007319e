#include "diag/code_tables.h"

namespace cnplay::diag {

const std::vector<CodeText>& catalog_codes() {
  static const std::vector<CodeText> table = {};
  return table;
}

}  // namespace cnplay::diag

// The parts of the register of codes, one for each room that finds errors. Each table is in the
// order of its codes; codes.cc lays them end to end.
#pragma once

#include <vector>

#include "diag/codes.h"

namespace cnplay::diag {

const std::vector<CodeText>& syntax_codes();     // E00xx
const std::vector<CodeText>& compile_codes();    // E01xx, E02xx, E03xx, E05xx, E09xx
const std::vector<CodeText>& catalog_codes();    // E04xx
const std::vector<CodeText>& inventory_codes();  // E06xx
const std::vector<CodeText>& text_codes();       // E07xx

}  // namespace cnplay::diag

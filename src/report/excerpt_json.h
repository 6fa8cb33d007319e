// An Excerpt as a member of a JSON object. Inside of report/.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "report/excerpt.h"

namespace cnplay::report {

// A text of which the middle may be left out; then the text says so, and how much it is stands in
// KEY_left_out_bytes.
inline void put(nlohmann::ordered_json& object, const char* key, const Excerpt& text) {
  if (text.left_out() == 0) {
    object[key] = std::string(text.head()) + std::string(text.tail());
    return;
  }
  object[key] = std::string(text.head()) + "... (" + std::to_string(text.left_out()) +
                " bytes left out here)\n" + std::string(text.tail());
  object[std::string(key) + "_left_out_bytes"] = text.left_out();
}

}  // namespace cnplay::report

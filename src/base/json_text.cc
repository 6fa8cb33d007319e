#include "base/json_text.h"

#include <nlohmann/json.hpp>

namespace cnplay {
namespace {

template <class Json>
std::string dump(const Json& value, int indent, JsonCharacters characters) {
  return value.dump(indent, ' ', characters == JsonCharacters::ascii,
                    Json::error_handler_t::replace);
}

}  // namespace

nlohmann::json parse_json(std::string_view text) { return nlohmann::json::parse(text); }

nlohmann::ordered_json parse_ordered_json(std::string_view text) {
  return nlohmann::ordered_json::parse(text);
}

nlohmann::json parse_json_or_discard(std::string_view text) {
  return nlohmann::json::parse(text, nullptr, false);
}

std::string dump_json(const nlohmann::json& value, int indent, JsonCharacters characters) {
  return dump(value, indent, characters);
}

std::string dump_json(const nlohmann::ordered_json& value, int indent, JsonCharacters characters) {
  return dump(value, indent, characters);
}

}  // namespace cnplay

#include "base/json_text.h"

#include <nlohmann/json.hpp>

namespace cnplay {
namespace {

// Escapes the characters beyond ASCII that some readers take for the end of a line. They stand in
// strings only.
std::string without_line_ends(std::string text) {
  struct Escape {
    std::string_view utf8, json;
  };
  constexpr Escape kEscapes[] = {
      {"\xC2\x85", "\\u0085"}, {"\xE2\x80\xA8", "\\u2028"}, {"\xE2\x80\xA9", "\\u2029"}};
  for (const auto& [utf8, json] : kEscapes) {
    for (std::size_t at = 0; (at = text.find(utf8, at)) != std::string::npos; at += json.size()) {
      text.replace(at, utf8.size(), json);
    }
  }
  return text;
}

template <class Json>
std::string dump(const Json& value, int indent, JsonCharacters characters) {
  return without_line_ends(
      value.dump(indent, ' ', characters == JsonCharacters::ascii, Json::error_handler_t::replace));
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

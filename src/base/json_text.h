// JSON text to values and back. nlohmann's parser and writer take two seconds to compile in each
// file that uses them; they are compiled once, in json_text.cc, and called through this header.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace cnplay {

// The value of a JSON text. Throws nlohmann::json::parse_error when the text is not valid JSON.
nlohmann::json parse_json(std::string_view text);
nlohmann::ordered_json parse_ordered_json(std::string_view text);

// As parse_json(), but a text that is not valid JSON gives a value that is_discarded().
nlohmann::json parse_json_or_discard(std::string_view text);

enum class JsonCharacters { utf8, ascii };  // ascii: everything else as \u escapes

// The text of a value: on one line, or with `indent` spaces a level. Bytes that are not valid UTF-8
// become U+FFFD.
std::string dump_json(const nlohmann::json& value, int indent = -1,
                      JsonCharacters characters = JsonCharacters::utf8);
std::string dump_json(const nlohmann::ordered_json& value, int indent = -1,
                      JsonCharacters characters = JsonCharacters::utf8);

}  // namespace cnplay

// Base64 (RFC 4648, standard alphabet, padded), for bytes that no text format can hold.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cnplay {

std::string base64_encode(std::string_view bytes);
// nullopt if `text` is not exactly what base64_encode makes.
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace cnplay

// Questions that cnplay itself asks the person who is there; they block.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"

namespace cnplay::cli {

// Somebody can read what is asked, and answer it.
bool somebody_is_there();
// `y` or `yes`; everything else, the end of the input too, is no.
bool ask_yes_no(const std::string& question);
// What `-y` says; the question is shown all the same.
bool say_yes(const std::string& question);
// One line; nullopt at the end of the input.
std::optional<std::string> ask_line(const std::string& question);

// The ticket of an incident, as it goes on record: one line of text, trimmed.
Result<std::string> read_ticket(const std::string& text);

}  // namespace cnplay::cli

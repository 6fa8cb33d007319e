// What a play or an inventory may put in the environment of the scripts on a host.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cnplay {

// Why something is refused: `what` is wrong with it, in a few words, and what to do instead.
struct Unfit {
  std::string what;
  std::string help;
};

// Of a variable's name. Refused, besides names that no shell takes: those that change how the
// shells of the protocol and the scripts work.
std::optional<Unfit> unfit_variable(std::string_view name);

// Of a folder for PATH: it begins with `/` or `~/`, or is `~`, and holds no `:`.
std::optional<Unfit> unfit_folder(std::string_view folder);

}  // namespace cnplay

// Files that are part of the program, embedded at build time by cmake/embed.cmake.
#pragma once

#include <string_view>

namespace cnplay {

struct EmbeddedFile {
  std::string_view name;  // "modules/git.play"
  std::string_view text;
};

}  // namespace cnplay

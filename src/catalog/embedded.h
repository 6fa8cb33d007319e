// The standard modules, embedded at build time from modules/*.play.
#pragma once

#include <string_view>
#include <vector>

namespace cnplay::catalog {

struct EmbeddedFile {
  std::string_view name;  // "modules/git.play"
  std::string_view text;
};

const std::vector<EmbeddedFile>& embedded_modules();

}  // namespace cnplay::catalog

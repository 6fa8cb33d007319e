// What the language has and the run does not carry out yet: refused, never ignored.
#include "compile/builder.h"

namespace cnplay::compile {

bool Builder::unsupported(const syntax::Item& item, const Position&) {
  const auto* mode = std::get_if<syntax::Mode>(&item.node);
  if (mode == nullptr) return false;
  context_.error("E0904", "`mode " + mode->mode.text + "` is not supported yet", item.keyword,
                 "cannot be carried out yet",
                 "leave it out; for an incident take a copy of the play without `require`");
  return true;
}

}  // namespace cnplay::compile

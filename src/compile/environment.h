// What scripts find in their environment, as it holds at one place of a play.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "compile/entity.h"

namespace cnplay::compile {

struct Environment {
  struct Variable {
    Evaluated value;              // a text; none on hosts for which nothing was said
    Span at;                      // of its name; unknown: in the inventory
    const void* block = nullptr;  // that set it
  };
  std::map<std::string, Variable> variables;
  std::optional<Evaluated> folders;  // those of the innermost place first
  Span folders_at;
  const void* folders_block = nullptr;
};
using EnvironmentPtr = std::shared_ptr<const Environment>;

}  // namespace cnplay::compile

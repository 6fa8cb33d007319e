#include "compile/scope.h"

#include <algorithm>

namespace cnplay::compile {

const Variable* Scope::find(const std::string& name) const {
  for (const Scope* scope = this; scope; scope = scope->parent_) {
    if (const auto at = scope->names_.find(name); at != scope->names_.end()) return &at->second;
  }
  return nullptr;
}

bool Scope::declare(const std::string& name, Variable variable) {
  if (find(name)) return false;
  names_.emplace(name, std::move(variable));
  return true;
}

void Scope::add_names(std::vector<std::string>& out) const {
  for (const Scope* scope = this; scope; scope = scope->parent_) {
    for (const auto& [name, variable] : scope->names_) out.push_back(name);
  }
  std::ranges::sort(out);
}

const Span* Scope::find_later(const std::string& name) const {
  for (const Scope* scope = this; scope; scope = scope->parent_) {
    if (const auto at = scope->later.find(name); at != scope->later.end()) return &at->second;
  }
  return nullptr;
}

}  // namespace cnplay::compile

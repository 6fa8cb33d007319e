// Names and what they stand for, block within block.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "compile/entity.h"

namespace cnplay::compile {

struct Variable {
  EvaluatedPtr value;
  Span declared;
  std::string_view what;  // "parameter", "host variable", ...: for messages
};

class Scope {
 public:
  explicit Scope(const Scope* parent = nullptr) : parent_(parent) {}

  const Scope* parent() const { return parent_; }
  // nullptr if no block that is open declares it.
  const Variable* find(const std::string& name) const;
  // False if the name is taken already, here or further out.
  bool declare(const std::string& name, Variable variable);
  void replace(const std::string& name, Variable variable) { names_[name] = std::move(variable); }
  void add_names(std::vector<std::string>& out) const;

  // Names that are declared further down in this block: for better messages.
  std::unordered_map<std::string, Span> later;
  const Span* find_later(const std::string& name) const;

 private:
  const Scope* parent_;
  std::unordered_map<std::string, Variable> names_;
};

}  // namespace cnplay::compile

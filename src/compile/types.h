// The types of the language, as compile/ knows them. A plan holds none of them: there they have
// done their work.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plan/value.h"

namespace cnplay::compile {

enum class Kind {
  poison,  // of what was reported already: fits everywhere, says nothing
  none,
  string,
  int_,
  bool_,
  duration,
  time,
  size,
  path,
  percent,
  enum_,
  list,
  map,
  record,
  secret,
  optional,
  hosts,
  host,
  facts,  // of one action: `moved`
  step,   // `code`: the facts of its actions by name
};

struct Type;
using TypePtr = std::shared_ptr<const Type>;

struct Type {
  Kind kind = Kind::poison;
  TypePtr of;                                           // list, map, secret, optional
  std::vector<std::string> alternatives;                // enum
  std::vector<std::pair<std::string, TypePtr>> fields;  // record
};

// The types without parts are shared.
TypePtr simple(Kind kind);
TypePtr list_of(TypePtr of);
TypePtr map_of(TypePtr of);
TypePtr secret_of(TypePtr of);    // secret<secret<T>> is secret<T>
TypePtr optional_of(TypePtr of);  // T?? is T?
TypePtr type_of_fact(plan::FactType type);

inline bool is(const TypePtr& type, Kind kind) { return type->kind == kind; }
inline bool is_poison(const TypePtr& type) { return type->kind == Kind::poison; }

// Whether a value of the type holds a secret anywhere.
bool holds_secret(const TypePtr& type);
// Without `secret` and `?` around it.
TypePtr bare(const TypePtr& type);
TypePtr without_optional(const TypePtr& type);

bool same(const TypePtr& a, const TypePtr& b);
// Whether a value of type `from` may stand where `to` is asked for. Not more than: T for T?, T for
// secret<T>, a host for hosts, a record for a map, an enum for a wider one.
bool assignable(const TypePtr& from, const TypePtr& to);
// The type that both branches of a conditional have, or nullptr.
TypePtr unify(const TypePtr& a, const TypePtr& b);

// `list<path>`, as it is written.
std::string name_of(const TypePtr& type);
// "a duration", "an int", "a list<path>".
std::string with_article(const TypePtr& type);

// Whether `"${x}"` can show a value of this type.
bool has_text(const TypePtr& type);
// Whether values of the type are ordered: `<`.
bool is_ordered(const TypePtr& type);
// Whether a value of the type can be a shell variable.
bool is_shell_value(const TypePtr& type);

}  // namespace cnplay::compile

#include "compile/types.h"

#include <algorithm>
#include <array>

namespace cnplay::compile {
namespace {

constexpr std::size_t kKinds = static_cast<std::size_t>(Kind::step) + 1;

std::string_view word(Kind kind) {
  constexpr std::array<std::string_view, kKinds> words = {
      "unknown", "none",     "string",  "int",  "bool",  "duration", "time",
      "size",    "path",     "percent", "enum", "list",  "map",      "record",
      "secret",  "optional", "hosts",   "host", "facts", "step"};
  return words[static_cast<std::size_t>(kind)];
}

TypePtr wrap(Kind kind, TypePtr of) {
  auto type = std::make_shared<Type>();
  type->kind = kind;
  type->of = std::move(of);
  return type;
}

}  // namespace

TypePtr simple(Kind kind) {
  static const std::array<TypePtr, kKinds> all = [] {
    std::array<TypePtr, kKinds> made;
    for (std::size_t i = 0; i < kKinds; ++i) made[i] = wrap(static_cast<Kind>(i), nullptr);
    return made;
  }();
  return all[static_cast<std::size_t>(kind)];
}

TypePtr list_of(TypePtr of) { return wrap(Kind::list, std::move(of)); }
TypePtr map_of(TypePtr of) { return wrap(Kind::map, std::move(of)); }
TypePtr secret_of(TypePtr of) {
  if (is(of, Kind::secret) || is_poison(of)) return of;
  return wrap(Kind::secret, std::move(of));
}
TypePtr optional_of(TypePtr of) {
  if (is(of, Kind::optional) || is_poison(of)) return of;
  return wrap(Kind::optional, std::move(of));
}

TypePtr type_of_fact(plan::FactType type) {
  switch (type) {
    case plan::FactType::string:
      return simple(Kind::string);
    case plan::FactType::int_:
      return simple(Kind::int_);
    case plan::FactType::bool_:
      return simple(Kind::bool_);
    case plan::FactType::path:
      return simple(Kind::path);
    case plan::FactType::duration:
      return simple(Kind::duration);
    case plan::FactType::size:
      return simple(Kind::size);
    case plan::FactType::time:
      return simple(Kind::time);
    case plan::FactType::list_of_string:
      return list_of(simple(Kind::string));
  }
  return simple(Kind::poison);
}

bool holds_secret(const TypePtr& type) {
  if (is(type, Kind::secret)) return true;
  if (type->of && holds_secret(type->of)) return true;
  return std::ranges::any_of(type->fields, [](const auto& f) { return holds_secret(f.second); });
}

TypePtr bare(const TypePtr& type) {
  return is(type, Kind::secret) || is(type, Kind::optional) ? bare(type->of) : type;
}

TypePtr without_optional(const TypePtr& type) { return is(type, Kind::optional) ? type->of : type; }

bool same(const TypePtr& a, const TypePtr& b) {
  if (a == b) return true;
  if (a->kind != b->kind || a->alternatives != b->alternatives) return false;
  if ((a->of == nullptr) != (b->of == nullptr) || (a->of && !same(a->of, b->of))) return false;
  return std::ranges::equal(a->fields, b->fields, [](const auto& x, const auto& y) {
    return x.first == y.first && same(x.second, y.second);
  });
}

bool assignable(const TypePtr& from, const TypePtr& to) {
  if (is_poison(from) || is_poison(to)) return true;
  if (is(to, Kind::optional)) {
    if (is(from, Kind::none)) return true;
    return assignable(is(from, Kind::optional) ? from->of : from, to->of);
  }
  if (is(to, Kind::secret)) return assignable(is(from, Kind::secret) ? from->of : from, to->of);
  if (is(to, Kind::hosts)) return is(from, Kind::hosts) || is(from, Kind::host);
  if (is(to, Kind::map) && is(from, Kind::record)) {
    return std::ranges::all_of(from->fields,
                               [&](const auto& f) { return assignable(f.second, to->of); });
  }
  if (from->kind != to->kind) return false;
  switch (to->kind) {
    case Kind::list:
    case Kind::map:
      return assignable(from->of, to->of);
    case Kind::enum_:
      return std::ranges::all_of(from->alternatives, [&](const std::string& alternative) {
        return std::ranges::find(to->alternatives, alternative) != to->alternatives.end();
      });
    case Kind::record:
      return same(from, to);
    default:
      return true;
  }
}

TypePtr unify(const TypePtr& a, const TypePtr& b) {
  if (is_poison(a) || is_poison(b)) return simple(Kind::poison);
  if (assignable(a, b)) return b;
  if (assignable(b, a)) return a;
  if (is(a, Kind::none)) return optional_of(b);
  if (is(b, Kind::none)) return optional_of(a);
  return nullptr;
}

std::string name_of(const TypePtr& type) {
  switch (type->kind) {
    case Kind::optional:
      return name_of(type->of) + "?";
    case Kind::list:
    case Kind::map:
    case Kind::secret:
      if (is_poison(type->of)) return std::string(word(type->kind));
      return std::string(word(type->kind)) + "<" + name_of(type->of) + ">";
    case Kind::enum_: {
      std::string out = "enum(";
      for (const auto& alternative : type->alternatives) {
        if (out.back() != '(') out += ", ";
        out += alternative;
      }
      return out + ")";
    }
    default:
      return std::string(word(type->kind));
  }
}

std::string with_article(const TypePtr& type) {
  if (is(type, Kind::none)) return "none";
  if (is(type, Kind::hosts)) return "a set of hosts";
  if (is(type, Kind::facts)) return "the facts of an action";
  const std::string name = name_of(type);
  const bool vowel = std::string_view("aeiou").find(name[0]) != std::string_view::npos;
  return (vowel ? "an " : "a ") + name;
}

bool has_text(const TypePtr& type) {
  switch (type->kind) {
    case Kind::poison:
    case Kind::string:
    case Kind::int_:
    case Kind::bool_:
    case Kind::duration:
    case Kind::time:
    case Kind::size:
    case Kind::path:
    case Kind::percent:
    case Kind::enum_:
    case Kind::host:
      return true;
    case Kind::list:
    case Kind::secret:
      return has_text(type->of);
    default:
      return false;
  }
}

bool is_ordered(const TypePtr& type) {
  switch (type->kind) {
    case Kind::poison:
    case Kind::string:
    case Kind::int_:
    case Kind::duration:
    case Kind::time:
    case Kind::size:
    case Kind::percent:
      return true;
    case Kind::secret:
      return is_ordered(type->of);
    default:
      return false;
  }
}

bool is_shell_value(const TypePtr& type) {
  const TypePtr inner = bare(type);
  switch (inner->kind) {
    case Kind::list:
    case Kind::map: {
      const TypePtr item = bare(inner->of);
      return !is(item, Kind::list) && !is(item, Kind::map) && is_shell_value(item);
    }
    case Kind::host:
      return false;
    default:
      return has_text(inner);
  }
}

}  // namespace cnplay::compile

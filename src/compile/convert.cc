#include "compile/convert.h"

#include <algorithm>
#include <charconv>

namespace cnplay::compile {

using plan::Value;

namespace {

Result<Value> enum_value(const std::string& text, const TypePtr& type) {
  if (std::ranges::find(type->alternatives, text) != type->alternatives.end()) return Value(text);
  const std::string near = diag::did_you_mean(text, type->alternatives);
  std::vector<std::string> all;
  for (const auto& alternative : type->alternatives) all.push_back("\"" + alternative + "\"");
  return fail("\"" + text + "\" is none of the alternatives",
              near.empty() ? "write " + enumerate(all, "or") : "did you mean \"" + near + "\"?");
}

Result<Value> path_value(const std::string& text) {
  if (text.empty()) return fail("a path cannot be empty", "write an absolute path: \"/srv/www\"");
  if (text.find('\0') != std::string::npos || text.find('\n') != std::string::npos) {
    return fail("a path cannot hold a line break or a NUL", "write one path");
  }
  if (text[0] == '/' || text == "~" || text.starts_with("~/")) return Value(text);
  return fail("a path must be absolute",
              "begin it with `/`, or with `~/` for the home directory: \"/" + text + "\"");
}

Result<Value> time_value(const std::string& text) {
  if (const auto time = parse_time(text)) return Value(*time);
  return fail("not a time with a zone",
              "write it as \"2026-12-01 22:00 America/Los_Angeles\" or \"2026-12-01T22:00Z\"");
}

}  // namespace

Result<Value> value_of_text(const std::string& text, const TypePtr& type) {
  const TypePtr inner = bare(type);
  switch (inner->kind) {
    case Kind::path:
      return path_value(text);
    case Kind::time:
      return time_value(text);
    case Kind::enum_:
      return enum_value(text, inner);
    default:
      return Value(text);
  }
}

Result<Value> value_of_extra(const std::string& text, const TypePtr& type) {
  const TypePtr inner = bare(type);
  if (is(type, Kind::optional) && text == "none") return Value();
  const auto wrong = [&]() -> Result<Value> {
    return fail("this is not " + with_article(inner), "write it as " + example_of(inner));
  };
  switch (inner->kind) {
    case Kind::bool_:
      if (text == "true") return Value(true);
      if (text == "false") return Value(false);
      return wrong();
    case Kind::int_: {
      std::int64_t n = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
      if (error != std::errc() || end != text.data() + text.size()) return wrong();
      return Value(n);
    }
    case Kind::percent: {
      std::int64_t n = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
      if (error != std::errc() || end + 1 != text.data() + text.size() || *end != '%') {
        return wrong();
      }
      return Value(Percent{n});
    }
    case Kind::duration:
      if (const auto d = parse_duration(text)) return Value(*d);
      return wrong();
    case Kind::size:
      if (const auto s = parse_size(text)) return Value(*s);
      return wrong();
    default:
      return value_of_text(text, inner);
  }
}

std::string example_of(const TypePtr& type) {
  const TypePtr inner = bare(type);
  switch (inner->kind) {
    case Kind::string:
      return "`\"text\"`";
    case Kind::int_:
      return "`10`";
    case Kind::bool_:
      return "`true` or `false`";
    case Kind::duration:
      return "`10s` or `10m`";
    case Kind::time:
      return "`\"2026-12-01 22:00 Europe/Berlin\"`";
    case Kind::size:
      return "`512MiB`";
    case Kind::path:
      return "`\"/srv/www\"`";
    case Kind::percent:
      return "`25%`";
    case Kind::enum_:
      return "`\"" + inner->alternatives[0] + "\"`";
    case Kind::list:
      return "`[...]`";
    case Kind::map:
    case Kind::record:
      return "`{ name: value }`";
    case Kind::hosts:
    case Kind::host:
      return "`group(\"web\")`";
    default:
      return "a value";
  }
}

namespace {

std::string kind_of(const inventory::Value& value) {
  static const char* const names[] = {"none",   "a bool",    "an int",   "a string", "a duration",
                                      "a size", "a percent", "a secret", "a list",   "a record"};
  return names[value.data.index()];
}

Result<Value> secret_value(Context& context, const std::string& name,
                           const inventory::Value::Secret& secret, Span span, const TypePtr& type) {
  if (!is(without_optional(type), Kind::secret)) {
    return fail("comes from a source of secrets",
                "declare it: `hostvar " + name + ": secret<" + name_of(type) + ">`");
  }
  if (!is(bare(type), Kind::string)) {
    return fail("a secret is read as a text", "declare it: `hostvar " + name + ": secret<string>`");
  }
  return Value(secret_of_inventory(context, name, secret, span));
}

}  // namespace

Result<Value> value_of_inventory(Context& context, const std::string& name,
                                 const inventory::Value& value, const TypePtr& type) {
  using V = inventory::Value;
  if (is(type, Kind::optional) && std::holds_alternative<std::monostate>(value.data)) {
    return Value();
  }
  if (const auto* secret = std::get_if<V::Secret>(&value.data)) {
    return secret_value(context, name, *secret, value.span, type);
  }
  const TypePtr inner = bare(type);
  const auto wrong = [&]() -> Result<Value> {
    return fail("this is " + kind_of(value) + ", not " + with_article(inner),
                "write it as " + example_of(inner));
  };
  if (is(without_optional(type), Kind::secret)) {
    return fail("a secret does not belong in an inventory in clear text",
                "name its source: `env(\"X\")`, `command([...])`, `ask(\"prompt\")` or "
                "`vault(\"path\")`");
  }
  switch (inner->kind) {
    case Kind::string:
    case Kind::path:
    case Kind::time:
    case Kind::enum_:
      if (const auto* text = std::get_if<std::string>(&value.data)) {
        return value_of_text(*text, inner);
      }
      return wrong();
    case Kind::int_:
      if (const auto* n = std::get_if<std::int64_t>(&value.data)) return Value(*n);
      return wrong();
    case Kind::bool_:
      if (const auto* b = std::get_if<bool>(&value.data)) return Value(*b);
      return wrong();
    case Kind::duration:
      if (const auto* d = std::get_if<V::Duration>(&value.data)) {
        return Value(Duration(d->milliseconds));
      }
      return wrong();
    case Kind::size:
      if (const auto* s = std::get_if<V::Size>(&value.data)) return Value(Size{s->bytes});
      return wrong();
    case Kind::percent:
      if (const auto* p = std::get_if<V::Percent>(&value.data)) return Value(Percent{p->value});
      return wrong();
    case Kind::list: {
      const auto* list = std::get_if<V::List>(&value.data);
      if (!list) return wrong();
      plan::List out;
      for (const auto& item : *list) {
        auto one = value_of_inventory(context, name, item, inner->of);
        if (!one) return one.error();
        out.push_back(std::move(*one));
      }
      return Value(std::move(out));
    }
    case Kind::map: {
      const auto* record = std::get_if<V::Record>(&value.data);
      if (!record) return wrong();
      plan::Record out;
      for (const auto& [key, item] : *record) {
        auto one = value_of_inventory(context, name, item, inner->of);
        if (!one) return one.error();
        out.emplace_back(key, std::move(*one));
      }
      return Value(std::move(out));
    }
    default:
      return wrong();
  }
}

}  // namespace cnplay::compile

#include "catalog/touch_clauses.h"

#include <algorithm>

#include "catalog/named_param.h"

namespace cnplay::catalog {
namespace {

bool names_path(const syntax::TypeExpr& type) {
  return type.name.text == "path" ||
         (type.name.text == "list" && type.args.size() == 1 && type.args[0].name.text == "path");
}

// Whether its values can stand in the name of a thing: one text, or a list of these.
bool names_thing(const syntax::TypeExpr& type) {
  const std::string& word = type.name.text;
  if (word == "list") return type.args.size() == 1 && names_thing(type.args[0]);
  return word == "string" || word == "path" || word == "int" || word == "enum";
}

// `service:` of `service:${name}`; "" if there is none.
std::string kind_of(const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos || colon == 0) return "";
  const bool word = std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(colon),
                                [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
  return word ? text.substr(0, colon) : "";
}

}  // namespace

void TouchClauses::read(const syntax::Clause& clause) {
  const std::string& word = clause.word.text;
  const bool touches = word == "touches";
  for (const auto& value : clause.values) {
    if (const auto* ref = std::get_if<syntax::NameRef>(&value.node); ref != nullptr && !touches) {
      paths_.push_back({ref->name, word == "writes"});
      continue;
    }
    const auto* text = std::get_if<syntax::StringLit>(&value.node);
    if (text != nullptr && word != "writes") {
      things_.push_back({text, value.span, touches});
      continue;
    }
    diags_.error("E0416", backquoted(word) + " cannot be understood",
                 {value.span, "not one of its values"},
                 touches ? "name a thing: `touches \"service:${name}\"`"
                         : "name a parameter: `" + word + " dir`");
  }
}

void TouchClauses::check(Module& module) {
  for (const Named& named : paths_) check_path(module, named);
  for (const Said& said : things_) check_thing(module, said);
}

void TouchClauses::check_path(Module& module, const Named& named) {
  const Param* param = named_param(module, named.name, diags_);
  if (param == nullptr) return;
  if (param->type != nullptr && !names_path(*param->type)) {
    diag::Diagnostic d;
    d.code = "E0415";
    d.summary = backquoted(named.name.text) + " is not a path";
    d.subject = {named.name.span,
                 std::string(named.writes ? "`writes`" : "`reads`") + " names paths"};
    d.context.push_back({param->span, "declared here"});
    d.help = "declare it `path` or `list<path>`";
    diags_.add(std::move(d));
    return;
  }
  (named.writes ? module.writes : module.reads).push_back(named.name.text);
}

void TouchClauses::check_thing(Module& module, const Said& said) {
  const std::size_t before = diags_.errors();
  const std::string word = said.touches ? "touches" : "reads";
  const auto& parts = said.thing->parts;
  bool path = !parts.empty() && parts.front().text.starts_with('/');
  for (const syntax::StringPart& part : parts) {
    if (!part.expr) continue;
    const auto* ref = std::get_if<syntax::NameRef>(&part.expr->node);
    if (ref == nullptr) {
      diags_.error("E0416", backquoted(word) + " cannot be understood",
                   {part.expr->span, "not a parameter"}, "name a parameter: `${name}`");
      continue;
    }
    const Param* param = named_param(module, ref->name, diags_);
    if (param == nullptr || param->type == nullptr) continue;
    if (!names_thing(*param->type)) {
      diag::Diagnostic d;
      d.code = "E0415";
      d.summary = backquoted(ref->name.text) + " cannot be part of a thing's name";
      d.subject = {part.expr->span, "not a text"};
      d.context.push_back({param->span, "declared here"});
      d.help = "declare it `string`, `path` or `int`, or a list of these";
      diags_.add(std::move(d));
      continue;
    }
    if (&part == &parts.front()) path = names_path(*param->type);
  }
  if (diags_.errors() != before) return;
  if (!path && (parts.empty() || kind_of(parts.front().text).empty())) {
    diags_.error("E0416", backquoted(word) + " cannot be understood",
                 {said.span, "neither a path nor KIND:NAME"},
                 "name a path, or a thing by its kind: `" + word + " \"service:${name}\"`");
    return;
  }
  if (said.touches && !module.apply) {
    diags_.error("E0417", "`touches` without `apply`: nothing is changed",
                 {said.span, "who would change it?"}, "write `reads`, or add `apply`");
    return;
  }
  (said.touches ? module.touches : module.looks).push_back(said.thing);
}

}  // namespace cnplay::catalog

#include "catalog/file_clauses.h"

#include <algorithm>

#include "catalog/named_param.h"

namespace cnplay::catalog {
void FileClauses::read(const syntax::Clause& clause) {
  const std::string& word = clause.word.text;
  std::vector<syntax::Name> names;
  for (const auto& value : clause.values) {
    if (const auto* ref = std::get_if<syntax::NameRef>(&value.node)) names.push_back(ref->name);
  }
  const std::size_t wanted = word == "fetches" || word == "sends_tree" ? 2 : 1;
  if (names.size() != wanted || clause.values.size() != wanted) {
    diags_.error("E0416", backquoted(word) + " cannot be understood",
                 {clause.word.span, "not one of its values"},
                 word == "fetches" ? "name the parameter of the host's file, then that of the "
                                     "controller's file: `fetches src, to`"
                 : wanted == 2 ? "name the parameter of the directory, then that of the patterns "
                                 "to exclude: `sends_tree src, exclude`"
                               : "name a parameter: `" + word + " src`");
    return;
  }
  if (!word_.empty()) {
    diags_.error("E0416", backquoted(word) + " does not go with " + backquoted(word_),
                 {clause.word.span, "a second file"}, "a module moves one file");
    return;
  }
  word_ = word;
  names_ = std::move(names);
}

void FileClauses::check(Module& module) {
  if (word_ == "sends") check_name(module, names_[0], "string", module.sends);
  if (word_ == "sends_tree") {
    check_name(module, names_[0], "string", module.sends_tree);
    check_name(module, names_[1], "list<string>", module.sends_tree_without);
  }
  if (word_ == "renders") check_name(module, names_[0], "string", module.renders);
  if (word_ == "fetches") {
    check_name(module, names_[0], "path", module.fetches);
    check_name(module, names_[1], "string", module.fetches_to);
  }
  for (const std::string& name : given_with_files(module)) {
    const auto param = std::ranges::find(module.params, name, &Param::name);
    if (param == module.params.end()) continue;
    diags_.error("E0418", backquoted(name) + " is declared twice in one module",
                 {param->span, "given to the scripts already"}, "choose another name");
  }
}

void FileClauses::check_name(Module& module, const syntax::Name& name, std::string_view type,
                             std::string& to) {
  const Param* param = named_param(module, name, diags_);
  if (param == nullptr) return;
  const auto is = [&](const syntax::TypeExpr& declared) {
    if (declared.optional) return false;
    if (type != "list<string>") return declared.name.text == type;
    return declared.name.text == "list" && declared.args.size() == 1 &&
           declared.args[0].name.text == "string" && !declared.args[0].optional;
  };
  if (param->type && !is(*param->type)) {
    diag::Diagnostic d;
    d.code = "E0415";
    d.summary =
        backquoted(name.text) + (type == "path"     ? " does not name a file of the host"
                                 : type == "string" ? " does not name a file beside the play"
                                                    : " is not a list of patterns");
    d.subject = {name.span, "`" + word_ + "` asks for one"};
    d.context.push_back({param->span, "declared here"});
    d.help = "declare it " + backquoted(type);
    diags_.add(std::move(d));
    return;
  }
  to = name.text;
}

std::vector<std::string> given_with_files(const Module& module) {
  std::vector<std::string> names;
  if (!module.sends.empty()) {
    for (const char* part : {"_sum", "_size", "_mode"}) names.push_back(module.sends + part);
  }
  if (!module.sends_tree.empty()) {
    for (const char* part : {"_manifest", "_size", "_seen"})
      names.push_back(module.sends_tree + part);
  }
  if (!module.renders.empty()) {
    for (const char* part : {"_text", "_mode"}) names.push_back(module.renders + part);
  }
  if (!module.fetches.empty()) names.push_back(module.fetches_to + "_sum");
  return names;
}

}  // namespace cnplay::catalog

#include "catalog/file_clauses.h"

#include <algorithm>

namespace cnplay::catalog {
namespace {

std::string quoted(std::string_view text) { return "`" + std::string(text) + "`"; }

}  // namespace

void FileClauses::read(const syntax::Clause& clause) {
  const std::string& word = clause.word.text;
  std::vector<syntax::Name> names;
  for (const auto& value : clause.values) {
    if (const auto* ref = std::get_if<syntax::NameRef>(&value.node)) names.push_back(ref->name);
  }
  const std::size_t wanted = word == "fetches" ? 2 : 1;
  if (names.size() != wanted || clause.values.size() != wanted) {
    diags_.error("E0416", quoted(word) + " cannot be understood",
                 {clause.word.span, "not what it takes"},
                 wanted == 2 ? "name the parameter with the host's file, then the one with ours: "
                               "`fetches src, to`"
                             : "name a parameter: `" + word + " src`");
    return;
  }
  if (!word_.empty()) {
    diags_.error("E0416", quoted(word) + " does not go with " + quoted(word_),
                 {clause.word.span, "a second file"}, "a module moves one file");
    return;
  }
  word_ = word;
  names_ = std::move(names);
}

void FileClauses::check(Module& module) {
  if (word_ == "sends") check_name(module, names_[0], false, module.sends);
  if (word_ == "renders") check_name(module, names_[0], false, module.renders);
  if (word_ == "fetches") {
    check_name(module, names_[0], true, module.fetches);
    check_name(module, names_[1], false, module.fetches_to);
  }
  for (const std::string& name : given_with_files(module)) {
    const auto param = std::ranges::find(module.params, name, &Param::name);
    if (param == module.params.end()) continue;
    diags_.error("E0418", quoted(name) + " stands twice in one module",
                 {param->span, "given to the scripts already"}, "choose another name");
  }
}

void FileClauses::check_name(Module& module, const syntax::Name& name, bool of_host,
                             std::string& to) {
  const auto param = std::ranges::find(module.params, name.text, &Param::name);
  if (param == module.params.end()) {
    std::vector<std::string> names;
    std::string list;
    for (const Param& p : module.params) {
      names.push_back(p.name);
      list += (list.empty() ? "" : ", ") + p.name;
    }
    const std::string near = diag::did_you_mean(name.text, names);
    diags_.error("E0415", quoted(name.text) + " is no parameter of this module",
                 {name.span, "unknown parameter"},
                 near.empty() ? "its parameters are: " + list : "did you mean `" + near + "`?");
    return;
  }
  const std::string type = of_host ? "path" : "string";
  if (param->type && (param->type->name.text != type || param->type->optional)) {
    diag::Diagnostic d;
    d.code = "E0415";
    d.summary = quoted(name.text) + " does not name a file " +
                (of_host ? "of the host" : "beside the play");
    d.subject = {name.span, "`" + word_ + "` asks for one"};
    d.context.push_back({param->span, "declared here"});
    d.help = "declare it `" + type + "`";
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
  if (!module.renders.empty()) {
    for (const char* part : {"_text", "_mode"}) names.push_back(module.renders + part);
  }
  if (!module.fetches.empty()) names.push_back(module.fetches_to + "_sum");
  return names;
}

}  // namespace cnplay::catalog

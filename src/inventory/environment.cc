#include "inventory/environment.h"

#include <string>

#include "base/environment.h"
#include "base/words.h"
#include "inventory/evaluate.h"

namespace cnplay::inventory {
namespace {

class EnvironmentReader {
 public:
  EnvironmentReader(const HostContext& context, Definition& into, diag::Diagnostics& diags)
      : context_(context), into_(into), diags_(diags) {}

  void variable(const syntax::Argument& argument) {
    if (argument.spread || argument.name.text.empty() || !argument.value) {
      diags_.error("E0610", "an inventory holds values, not computations",
                   {argument.span, "a name and a value are needed here"},
                   "write `NAME: \"value\"`");
      return;
    }
    const std::string& name = argument.name.text;
    if (const auto unfit = unfit_variable(name)) {
      diags_.error("E0541", "`env` cannot set " + backquoted(name),
                   {argument.name.span, unfit->what}, unfit->help);
      return;
    }
    Setting setting{argument.value.get(), argument.name.span};
    setting.valid = check(*argument.value, setting) && is_text(name, *argument.value);
    const auto [at, fresh] = into_.environment.emplace(name, setting);
    if (!fresh) twice(backquoted(name), argument.name.span, at->second.name_span);
  }

  void folders(const syntax::SearchPath& path) {
    const Span span = path.folders.span;
    Setting setting{&path.folders, span};
    setting.valid = check(path.folders, setting) && are_folders(path.folders);
    if (into_.search_path) {
      twice("`path`", span, into_.search_path->name_span);
    } else {
      into_.search_path = setting;
    }
  }

 private:
  bool check(const syntax::Expr& value, Setting& setting) {
    Uses uses;
    const bool valid = check_expression(value, diags_, uses);
    setting.uses_index = uses.index;
    return valid;
  }

  bool refuse(Span span, std::string what, std::string label, std::string help) {
    diags_.error("E0618", std::move(what), {span, std::move(label)}, std::move(help));
    return false;
  }

  bool is_text(const std::string& name, const syntax::Expr& expr) {
    const Value value = evaluate(expr, context_);
    if (std::holds_alternative<std::string>(value.data)) return true;
    if (std::holds_alternative<Value::Secret>(value.data)) {
      return refuse(expr.span, "a secret does not belong in `env`",
                    "other programs on the host can read it there",
                    "declare it in `vars`, and hand it to a script on stdin: `sh(token: token) "
                    "\"\"\"printf '%s' \"$token\" | login --password-stdin\"\"\"`");
    }
    return refuse(expr.span, "environment variable " + backquoted(name) + " must be a string",
                  "this is " + std::string(describe_kind(value)),
                  "write it in quotes: `" + name + ": \"...\"`");
  }

  bool are_folders(const syntax::Expr& expr) {
    const Value value = evaluate(expr, context_);
    const auto* list = std::get_if<Value::List>(&value.data);
    if (list == nullptr) {
      return refuse(expr.span, "`path` must be a list of folders",
                    "this is " + std::string(describe_kind(value)),
                    "write `path [\"/opt/tool/bin\", \"~/.local/bin\"]`");
    }
    bool good = true;
    for (const Value& item : *list) {
      const auto* folder = std::get_if<std::string>(&item.data);
      if (folder == nullptr) {
        good = refuse(item.span, "`path` must be a list of folders",
                      "this is " + std::string(describe_kind(item)), "write it in quotes");
      } else if (const auto unfit = unfit_folder(*folder)) {
        diags_.error("E0541", "`path` cannot hold " + backquoted(*folder), {item.span, unfit->what},
                     unfit->help);
        good = false;
      }
    }
    return good;
  }

  void twice(const std::string& what, Span again, Span first) {
    diag::Diagnostic d;
    d.code = "E0606";
    d.summary = what + " is set twice";
    d.subject = {again, "set again here"};
    d.context.push_back({first, "first set here"});
    d.help = "keep one of the two";
    diags_.add(std::move(d));
  }

  const HostContext& context_;
  Definition& into_;
  diag::Diagnostics& diags_;
};

}  // namespace

void read_environment(const std::vector<syntax::Environment>& variables,
                      const std::vector<syntax::SearchPath>& folders, const HostContext& context,
                      Definition& into, diag::Diagnostics& diags) {
  EnvironmentReader reader(context, into, diags);
  for (const auto& block : variables) {
    for (const auto& argument : block.variables) reader.variable(argument);
  }
  for (const auto& path : folders) reader.folders(path);
}

}  // namespace cnplay::inventory

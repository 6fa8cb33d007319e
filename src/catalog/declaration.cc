#include "catalog/declaration.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "catalog/file_clauses.h"
#include "catalog/restart_clause.h"
#include "catalog/touch_clauses.h"
#include "shell/scan.h"

namespace cnplay::catalog {
namespace {

template <class Range>
std::string listed(const Range& words) {
  std::string out;
  for (const auto& word : words) {
    if (!out.empty()) out += ", ";
    out += word;
  }
  return out;
}

class DeclarationReader {
 public:
  DeclarationReader(const syntax::Module& node, diag::Diagnostics& diags)
      : node_(node),
        diags_(diags),
        errors_before_(diags.errors()),
        files_(diags),
        touches_(diags),
        restart_(diags) {}

  Module read() {
    module_.name = node_.name.text;
    module_.span = node_.name.span;
    module_.whole = node_.span;
    module_.title = literal_text(node_.title ? &*node_.title : nullptr);
    for (const auto& item : node_.body.items) read_item(item);
    touches_.check(module_);
    files_.check(module_);
    restart_.check(module_);
    check_stages();
    check_scripts();
    module_.valid = diags_.errors() == errors_before_;
    return std::move(module_);
  }

 private:
  static std::string literal_text(const syntax::Expr* expr) {
    const auto* lit = expr ? std::get_if<syntax::StringLit>(&expr->node) : nullptr;
    std::string out;
    if (lit) {
      for (const auto& part : lit->parts) out += part.text;
    }
    return out;
  }

  void read_item(const syntax::Item& item) {
    if (const auto* param = std::get_if<syntax::ParamDecl>(&item.node)) {
      read_param(*param);
    } else if (const auto* returns = std::get_if<syntax::Returns>(&item.node)) {
      read_returns(*returns);
    } else if (const auto* clause = std::get_if<syntax::Clause>(&item.node)) {
      read_clause(*clause, item);
    } else if (const auto* script = std::get_if<syntax::ScriptClause>(&item.node)) {
      read_script(*script, item);
    } else {
      diags_.error("E0420", "this does not belong in a module",
                   {item.keyword.known() ? item.keyword : item.span, "not part of a declaration"},
                   "a module has `param`, `returns`, `needs`, `uses`, `writes`, `reads`, "
                   "`touches`, `sends`, `sends_tree`, "
                   "`renders`, `fetches`, `check`, `apply`, `verify`, `preview`, `preflight` and "
                   "`commands`");
    }
  }

  void twice(std::string_view what, const std::string& name, diag::Span second, diag::Span first) {
    diag::Diagnostic d;
    d.code = "E0418";
    d.summary = std::string(what) + " " + backquoted(name) + " is declared twice in one module";
    d.subject = {second, "again here"};
    d.context.push_back({first, "first here"});
    d.help = "keep one of the two";
    diags_.add(std::move(d));
  }

  void read_param(const syntax::ParamDecl& param) {
    const auto same = std::ranges::find(module_.params, param.name.text, &Param::name);
    if (same != module_.params.end()) {
      twice("parameter", param.name.text, param.name.span, same->span);
      return;
    }
    if (is_shell_reserved(param.name.text)) {
      diags_.error("E0421", "a parameter cannot be called " + backquoted(param.name.text),
                   {param.name.span, "the shell's own variable"}, "choose another name");
    }
    check_type(param.type, false);
    module_.params.push_back({param.name.text, &param.type,
                              param.fallback ? &*param.fallback : nullptr,
                              param.where ? &*param.where : nullptr,
                              literal_text(param.doc ? &*param.doc : nullptr), param.name.span});
  }

  // Types of parameters, or (`fact`) the few that a fact's text can be read as.
  void check_type(const syntax::TypeExpr& type, bool fact) {
    static const std::vector<std::string> values = {"string", "int",  "bool", "duration",
                                                    "time",   "size", "path", "percent"};
    static const std::vector<std::string> wrapped = {"list", "map", "secret"};
    const std::string& word = type.name.text;
    if (fact) {
      const bool list = word == "list" && type.args.size() == 1 &&
                        type.args[0].name.text == "string" && !type.args[0].optional;
      const bool plain =
          type.args.empty() && word != "percent" && std::ranges::find(values, word) != values.end();
      if (type.optional || !(list || plain)) {
        diags_.error("E0419", "a fact cannot have this type", {type.span, "not for facts"},
                     "facts are string, int, bool, path, duration, size, time or list<string>");
      }
      return;
    }
    if (std::ranges::find(values, word) != values.end() && type.args.empty()) return;
    if (word == "enum" && !type.alternatives.empty()) return;
    if (std::ranges::find(wrapped, word) != wrapped.end() && type.args.size() == 1) {
      check_type(type.args[0], false);
      return;
    }
    std::vector<std::string> all = values;
    all.insert(all.end(), {"list", "map", "enum", "secret"});
    const std::string near = diag::did_you_mean(word, all);
    std::string help =
        "types are " + listed(values) + ", list<T>, map<T>, enum(a, b), secret<T>, T?";
    if (word == "list" || word == "map" || word == "secret") {
      help = "write `" + word + "<string>`";
    } else if (word == "enum") {
      help = "write `enum(a, b)`";
    } else if (!near.empty() && near != word) {
      help = "did you mean `" + near + "`?";
    }
    diags_.error("E0419", backquoted(word) + " is not a type of parameter",
                 {type.span, "unknown type"}, std::move(help));
  }

  void read_returns(const syntax::Returns& returns) {
    for (const auto& [name, type] : returns.fields) {
      const auto same = std::ranges::find_if(
          module_.returns,
          [&known = name.text](const auto& field) { return field.first == known; });
      if (same != module_.returns.end()) {
        twice("fact", name.text, name.span,
              return_spans_[static_cast<std::size_t>(same - module_.returns.begin())]);
        continue;
      }
      if (is_shell_reserved(name.text)) {
        diags_.error("E0421", "a fact cannot be called " + backquoted(name.text),
                     {name.span, "the shell's own variable"}, "choose another name");
      }
      check_type(type, true);
      module_.returns.emplace_back(name.text, &type);
      return_spans_.push_back(name.span);
    }
  }

  void read_clause(const syntax::Clause& clause, const syntax::Item& item) {
    const std::string& word = clause.word.text;
    const auto malformed = [&](diag::Span span, std::string help) {
      diags_.error("E0416", backquoted(word) + " cannot be understood",
                   {span, "not one of its values"}, std::move(help));
    };
    if (word == "needs") {
      for (const auto& value : clause.values) {
        const auto* call = std::get_if<syntax::Call>(&value.node);
        const auto* callee = call ? std::get_if<syntax::NameRef>(&call->callee->node) : nullptr;
        const std::string command = call && call->args.size() == 1 && call->args[0].value
                                        ? literal_text(call->args[0].value.get())
                                        : "";
        if (!callee || callee->name.text != "command" || command.empty()) {
          malformed(value.span, "write `needs command(\"git\")`");
        } else {
          module_.needs.push_back(command);
        }
      }
    } else if (word == "uses") {
      for (const auto& value : clause.values) {
        const std::string resource = literal_text(&value);
        if (resource.empty()) {
          malformed(value.span, "write `uses \"dpkg\"`");
        } else {
          module_.uses.push_back(resource);
        }
      }
    } else if (word == "sends" || word == "sends_tree" || word == "renders" || word == "fetches") {
      return files_.read(clause);
    } else if (word == "reboots") {
      return restart_.read(clause);
    } else if (word == "writes" || word == "reads" || word == "touches") {
      touches_.read(clause);
    } else {
      const std::string near = diag::did_you_mean(
          word, {"needs", "uses", "writes", "reads", "touches", "sends", "sends_tree", "renders",
                 "fetches", "returns", "param", "check", "apply", "verify", "preview", "preflight",
                 "commands", "native"});
      diags_.error(
          "E0416", "unknown clause " + backquoted(word),
          {clause.word.span.known() ? clause.word.span : item.span, "not part of a module"},
          near.empty()
              ? "clauses are needs, uses, writes, reads, touches, sends, sends_tree, renders, "
                "fetches and reboots"
              : "did you mean `" + near + "`?");
      return;
    }
    if (clause.values.empty()) malformed(clause.word.span, "say what: see `cnplay explain E0416`");
  }

  void read_script(const syntax::ScriptClause& clause, const syntax::Item& item) {
    const std::string& word = clause.word.text;
    const diag::Span span = clause.word.span.known() ? clause.word.span : item.span;
    for (const auto& [known, place] : stages_) {
      if (known == word) {
        twice("stage", word, span, place);
        return;
      }
    }
    stages_.emplace_back(word, span);
    std::optional<Script> script;
    if (clause.script) {
      script = Script{clause.script->text, clause.script->span, &clause.script->line_offsets};
    }
    if (word == "native") {
      module_.native = true;
    } else if (word == "verify") {
      module_.verify = script ? Verify::by_script : Verify::none;
      module_.verify_script = std::move(script);
    } else if (!script) {
      diags_.error("E0416", backquoted(word) + " cannot be understood",
                   {span, "its script is missing"},
                   "write `" + word + " sh \"\"\"...\"\"\"`, or leave it out");
    } else if (word == "check") {
      module_.check = std::move(script);
    } else if (word == "apply") {
      module_.apply = std::move(script);
    } else if (word == "preview") {
      module_.preview = std::move(script);
    } else if (word == "preflight") {
      module_.preflight = std::move(script);
    } else if (word == "commands") {
      module_.commands = std::move(script);
    } else {
      const std::string near =
          diag::did_you_mean(word, {"check", "apply", "verify", "preview", "preflight"});
      diags_.error("E0416", "unknown stage " + backquoted(word), {span, "not part of a module"},
                   near.empty() ? "stages are check, apply, verify, preview and preflight"
                                : "did you mean `" + near + "`?");
    }
  }

  std::vector<std::string> param_names() const {
    std::vector<std::string> names;
    for (const auto& param : module_.params) names.push_back(param.name);
    return names;
  }

  diag::Span stage_span(std::string_view word) const {
    for (const auto& [known, span] : stages_) {
      if (known == word) return span;
    }
    return module_.span;
  }

  // Which stages make sense together.
  void check_stages() {
    if (module_.native) {
      if (module_.check || module_.apply || module_.preview || module_.verify_script ||
          module_.commands) {
        diags_.error("E0417", "a native module has no scripts",
                     {stage_span("native"), "its code is in C++"}, "take its scripts away");
      }
      return;
    }
    if (!module_.fetches.empty() && (module_.apply || !module_.check)) {
      diags_.error("E0417", "a module that fetches has a `check`, and no `apply`",
                   {module_.apply ? stage_span("apply") : module_.span, "has no meaning here"},
                   "fetching the file is the apply, if `check` reports a change");
      return;
    }
    if (!module_.sends.empty() && !module_.apply) {
      diags_.error("E0417", "`sends` without `apply`: nothing would use the file",
                   {module_.span, "has no `apply`"}, "add `apply`, or take `sends` away");
    }
    if (!module_.sends_tree.empty() && (!module_.apply || !module_.check)) {
      diags_.error("E0417", "`sends_tree` needs a `check` that says what is wanted, and an `apply`",
                   {module_.span, module_.check ? "has no `apply`" : "has no `check`"},
                   "ask for files with `wanted` in `check`, and unpack them in `apply`");
    }
    const auto refuse = [&](std::string_view stage, std::string summary, std::string help) {
      diags_.error("E0417", std::move(summary), {stage_span(stage), "has no meaning here"},
                   std::move(help));
    };
    if (!module_.check && !module_.apply) {
      if (stages_.empty() || !diags_has_stage_errors()) {
        diags_.error("E0411", "module " + backquoted(module_.name) + " does nothing",
                     {module_.span, "neither `check` nor `apply`"},
                     "add `check sh \"\"\"...\"\"\"`, `apply sh \"\"\"...\"\"\"` or both");
      }
      return;
    }
    const bool has_verify = stage_span("verify") != module_.span;
    if (has_verify && !module_.apply) {
      refuse("verify", "`verify` without `apply`: there is nothing to verify",
             "take `verify` away, or add `apply`");
    }
    if (module_.preview && (!module_.check || !module_.apply)) {
      refuse("preview", "`preview` needs `check` and `apply`",
             "a preview shows what `apply` would make once `check` has said change");
    } else if (module_.preview && module_.writes.empty()) {
      refuse("preview", "`preview` without `writes`",
             "name the path that it previews: `writes dir`");
    }
    if (!module_.check && !module_.returns.empty()) {
      diags_.error("E0414", "facts are set in `check`, and there is none",
                   {return_spans_[0], "never set"}, "add a `check`, or take `returns` away");
    }
  }

  bool diags_has_stage_errors() const { return diags_.errors() != errors_before_; }

  void check_scripts() {
    std::set<std::string, std::less<>> set_facts;
    bool computed = false;
    if (module_.check) {
      const shell::ShellScan scan = shell::scan_shell(module_.check->text);
      computed = scan.computed_fact;
      for (const auto& fact : scan.facts) set_facts.insert(fact.name);
      check_facts(*module_.check, scan);
      check_verdict(*module_.check, scan);
      check_names(*module_.check, "check", false);
    }
    const auto later = [&](const std::optional<Script>& script, std::string_view stage) {
      if (!script) return;
      check_names(*script, stage, stage != "preflight" && stage != "commands");
      for (const auto& fact : shell::scan_shell(script->text).commands) {
        if (fact.name == "fact") {
          diags_.error("E0413", "`fact` is for `check` only",
                       {place(*script, fact.offset, 4), "in `" + std::string(stage) + "`"},
                       "set the fact in `check`: it must be known before anything is changed");
        }
      }
    };
    later(module_.apply, "apply");
    later(module_.verify_script, "verify");
    later(module_.preview, "preview");
    later(module_.preflight, "preflight");
    later(module_.commands, "commands");
    if (computed || !module_.check) return;
    for (std::size_t i = 0; i < module_.returns.size(); ++i) {
      if (set_facts.contains(module_.returns[i].first)) continue;
      diags_.error("E0414", "no script sets the fact " + backquoted(module_.returns[i].first),
                   {return_spans_[i], "declared here, never set"},
                   "in `check` write `fact " + module_.returns[i].first + " \"$value\"`");
    }
  }

  diag::Span place(const Script& script, std::size_t offset, std::size_t length) const {
    return span_in_script(script.text, *script.line_offsets, offset, length, script.span);
  }

  void check_facts(const Script& script, const shell::ShellScan& scan) {
    std::vector<std::string> names;
    for (const auto& [name, type] : module_.returns) names.push_back(name);
    for (const auto& fact : scan.facts) {
      if (std::ranges::find(names, fact.name) != names.end()) continue;
      const std::string near = diag::did_you_mean(fact.name, names);
      diags_.error("E0413", "`returns` has no fact " + backquoted(fact.name),
                   {place(script, fact.offset, fact.name.size()), "not declared"},
                   near.empty() ? "declare it: `returns { " + fact.name + ": string }`"
                                : "did you mean `" + near + "`?");
    }
  }

  void check_verdict(const Script& script, const shell::ShellScan& scan) {
    const auto calls = [&](std::string_view name) {
      return std::ranges::find(scan.commands, name, &shell::ShellWord::name);
    };
    const auto none = scan.commands.end();
    if (calls("ok") == none && calls("change") == none && calls("fail") == none &&
        calls("skip") == none) {
      diags_.error("E0422", "this check never gives a verdict",
                   {stage_span("check"), "ends without `ok`, `change`, `fail` or `skip`"},
                   "end it with `ok` where nothing is to be done, else `change \"what\"`");
    } else if (const auto change = calls("change");
               change != none && !module_.apply && module_.fetches.empty()) {
      diags_.error("E0422", "this check says `change`, but there is no `apply`",
                   {place(script, change->offset, 6), "who would make the change?"},
                   "say `fail \"why\"`, or add `apply`");
    }
  }

  void check_names(const Script& script, std::string_view stage, bool sees_facts) {
    std::vector<std::string> known = param_names();
    const std::vector<std::string> given = given_with_files(module_);
    known.insert(known.end(), given.begin(), given.end());
    const bool sees_files = stage == "apply" || stage == "commands";
    if (sees_files && !module_.sends.empty()) known.push_back(module_.sends + "_file");
    if (sees_files && !module_.sends_tree.empty()) known.push_back(module_.sends_tree + "_file");
    if (sees_facts) {
      for (const auto& [name, type] : module_.returns) known.push_back(name);
    }
    for (const auto& free : shell::free_names(script.text)) {
      if (std::ranges::find(known, free.name) != known.end()) continue;
      std::vector<std::string> candidates = shell::assigned_names(script.text);
      candidates.insert(candidates.end(), known.begin(), known.end());
      const std::string near = diag::did_you_mean(free.name, candidates);
      const bool braces =
          free.offset + 1 < script.text.size() && script.text[free.offset + 1] == '{';
      const bool bare = script.text[free.offset] != '$';
      diags_.error("E0412", "`$" + free.name + "` has no value in this script",
                   {place(script, free.offset,
                          free.name.size() + (bare     ? 0
                                              : braces ? 3
                                                       : 1)),
                    "neither a parameter nor set in `" + std::string(stage) + "`"},
                   near.empty()
                       ? "declare it: `param " + free.name +
                             ": string`; a variable that may be unset is `${" + free.name + ":-}`"
                       : "did you mean `$" + near + "`?");
    }
  }

  const syntax::Module& node_;
  diag::Diagnostics& diags_;
  std::size_t errors_before_;
  FileClauses files_;
  TouchClauses touches_;
  RestartClause restart_;
  Module module_;
  std::vector<diag::Span> return_spans_;
  std::vector<std::pair<std::string, diag::Span>> stages_;
};

}  // namespace

diag::Span span_in_script(std::string_view text, const std::vector<std::uint32_t>& line_offsets,
                          std::size_t offset, std::size_t length, diag::Span otherwise) {
  std::size_t line = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < offset && i < text.size(); ++i) {
    if (text[i] == '\n') {
      ++line;
      begin = i + 1;
    }
  }
  if (line >= line_offsets.size()) return otherwise;
  const auto at = static_cast<std::uint32_t>(line_offsets[line] + (offset - begin));
  return {at, at + static_cast<std::uint32_t>(length)};
}

Module read_declaration(const syntax::Module& node, diag::Diagnostics& diags) {
  return DeclarationReader(node, diags).read();
}

}  // namespace cnplay::catalog

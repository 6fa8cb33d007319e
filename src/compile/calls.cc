#include "compile/calls.h"

#include <algorithm>

#include "base/text.h"
#include "compile/things.h"
#include "diag/habits.h"
#include "shell/scan.h"

namespace cnplay::compile {

std::string dotted_name(const syntax::Expr& callee) {
  if (const auto* ref = std::get_if<syntax::NameRef>(&callee.node)) return ref->name.text;
  if (const auto* member = std::get_if<syntax::Member>(&callee.node)) {
    const std::string object = dotted_name(*member->object);
    return object.empty() ? "" : object + "." + member->name.text;
  }
  return "";
}

bool Calls::is_action(const syntax::Expr& callee) const {
  const std::string name = dotted_name(callee);
  return name.find('.') != std::string::npos || context_.input.catalog->find(name) != nullptr;
}

void Calls::unknown_module(const std::string& name, Span at) {
  const auto names = context_.input.catalog->names();
  const std::string near = diag::did_you_mean(name, names);
  std::string help;
  if (const std::string habit = diag::module_habit(name); !habit.empty()) {
    help = habit;
  } else if (!near.empty()) {
    help = "did you mean " + code(near) + "?";
  } else {
    const std::string space = name.substr(0, name.find('.') + 1);
    std::vector<std::string> siblings;
    for (const auto& other : names) {
      if (!space.empty() && other.starts_with(space)) siblings.push_back(code(other));
    }
    help = siblings.empty() ? "`cnplay modules` lists them; a module of your own goes to `modules/`"
                            : "there are " + enumerate(siblings);
  }
  context_.error("E0401", "unknown module " + code(name), at, "there is no such module",
                 std::move(help));
}

namespace {

plan::FactType fact_type(const syntax::TypeExpr& type) {
  const std::string& word = type.name.text;
  if (word == "int") return plan::FactType::int_;
  if (word == "bool") return plan::FactType::bool_;
  if (word == "path") return plan::FactType::path;
  if (word == "duration") return plan::FactType::duration;
  if (word == "size") return plan::FactType::size;
  if (word == "time") return plan::FactType::time;
  if (word == "list") return plan::FactType::list_of_string;
  return plan::FactType::string;
}

bool is_path(const TypePtr& type) {
  const TypePtr inner = bare(type);
  return is(inner, Kind::path) || (is(inner, Kind::list) && is(bare(inner->of), Kind::path));
}

}  // namespace

const Signature* Calls::find(const syntax::Expr& callee) {
  const std::string name = dotted_name(callee);
  const catalog::Module* module = context_.input.catalog->find(name);
  if (!module) {
    unknown_module(name.empty() ? context_.text(callee.span) : name, callee.span);
    return nullptr;
  }
  if (module->native) {
    context_.error_with("E0908", "native modules are not supported yet", callee.span,
                        "needs the controller's own code", module->span, "declared `native`",
                        "use a module with scripts, or `sh`");
    return nullptr;
  }
  const auto [at, fresh] = signatures_.try_emplace(module);
  Signature& signature = at->second;
  if (!fresh) return &signature;
  signature.module = module;
  // A declaration sees none of the play's names.
  const Scope nothing;
  const Scope* scope = std::exchange(evaluator_.scope, &nothing);
  auto find_step = std::exchange(evaluator_.find_step, nullptr);
  auto step_names = std::exchange(evaluator_.step_names, nullptr);
  for (const auto& param : module->params) {
    Signature::Param out;
    // A faulty declaration was reported by the catalog.
    out.type = module->valid && param.type ? evaluator_.type(*param.type) : simple(Kind::poison);
    if (param.fallback && module->valid) {
      out.fallback = evaluator_.check(*param.fallback, out.type);
      if (!out.fallback->poison()) {
        evaluator_.constant(*out.fallback, param.fallback->span,
                            {"the default of a parameter", "write a value"});
      }
    } else if (is(out.type, Kind::optional)) {
      out.fallback = known(out.type, plan::Value());
    }
    signature.params.push_back(std::move(out));
  }
  evaluator_.scope = scope;
  evaluator_.find_step = std::move(find_step);
  evaluator_.step_names = std::move(step_names);
  for (const auto& [fact, type] : module->returns) {
    signature.returns.push_back({fact, fact_type(*type)});
  }
  context_.program_texts[module->source] = context_.input.sources->find(module->span)->text;
  return &signature;
}

Evaluated Calls::argument(const syntax::Expr& expr, const TypePtr& expected) {
  const auto key = std::tuple(&expr, epoch, expected.get());
  if (const auto at = cache_.find(key); at != cache_.end()) return at->second;
  Evaluated value = evaluator_.check(expr, expected);
  if (!value.depends.fact && !value.depends.in_batch) cache_.emplace(key, value);
  return value;
}

bool Calls::collect(const syntax::Call& call, const Signature& signature, GivenMap& given) {
  const catalog::Module& module = *signature.module;
  bool clear = true;
  const auto index_of = [&](const std::string& name) -> std::optional<std::size_t> {
    const auto at = std::ranges::find(module.params, name, &catalog::Param::name);
    if (at == module.params.end()) return std::nullopt;
    return static_cast<std::size_t>(at - module.params.begin());
  };
  const auto twice = [&](const std::string& name, Span at, const Given& first) {
    context_.error_with("E0404", code(name) + " is given twice", at, "again here", first.name,
                        "first here", "keep one of the two");
  };
  for (const auto& argument : call.args) {
    if (!argument.value) continue;
    if (argument.spread) {
      const Evaluated record = this->argument(*argument.value, nullptr);
      if (record.poison()) clear = false;
      if (record.poison()) continue;
      if (record.fields.empty()) {
        context_.error("E0406", "`..` takes a record, found " + with_article(record.type),
                       argument.value->span, "not a record",
                       "name the parameter: `dir: " + context_.text(argument.value->span) + "`");
        continue;
      }
      // One record serves several modules: what this one does not take is left aside.
      bool used = false;
      for (const auto& [name, field] : record.fields) {
        const auto at = index_of(name);
        if (!at) continue;
        used = true;
        if (const auto first = given.find(name); first != given.end()) {
          twice(name, argument.span, first->second);
          continue;
        }
        Evaluated value = field->poison() ? *field
                                          : evaluator_.fit(*field, signature.params[*at].type,
                                                           argument.value->span);
        given.emplace(name, Given{std::move(value), argument.value->span, argument.span, true});
      }
      if (!used) {
        std::vector<std::string> names;
        for (const auto& param : module.params) names.push_back(param.name);
        context_.error(
            "E0402", code(module.name) + " takes none of these fields", argument.span,
            "none of its fields is a parameter",
            names.empty() ? "it takes no parameters" : "its parameters: " + enumerate(names));
      }
      continue;
    }
    if (argument.name.text.empty()) {
      clear = false;
      evaluator_.check(*argument.value);
      context_.error("E0405", "an argument without a name", argument.value->span,
                     "of which parameter?",
                     module.params.empty() ? code(module.name) + " takes no parameters"
                                           : "write `" + module.params[0].name + ": " +
                                                 context_.text(argument.value->span) + "`");
      continue;
    }
    const std::string& name = argument.name.text;
    const auto at = index_of(name);
    if (!at) {
      clear = false;
      evaluator_.check(*argument.value);
      std::vector<std::string> names;
      for (const auto& param : module.params) names.push_back(param.name);
      const std::string near = diag::did_you_mean(name, names);
      context_.error_with("E0402", code(module.name) + " has no parameter " + code(name),
                          argument.name.span, "unknown parameter", module.span, "declared here",
                          !near.empty()   ? "did you mean " + code(near) + "?"
                          : names.empty() ? "it takes no parameters"
                                          : "its parameters: " + enumerate(names));
      continue;
    }
    if (const auto first = given.find(name); first != given.end()) {
      evaluator_.check(*argument.value);
      twice(name, argument.name.span, first->second);
      continue;
    }
    evaluator_.secret_note = code(name) + " of " + code(module.name) +
                             " is not a secret: it is shown in plans and recorded";
    evaluator_.secret_help =
        "pass it to a parameter of type secret<string>, or read it on the host from a file";
    Evaluated value = this->argument(*argument.value, signature.params[*at].type);
    evaluator_.secret_note.clear();
    evaluator_.secret_help.clear();
    given.emplace(name, Given{std::move(value), argument.value->span, argument.name.span, false});
  }
  return clear;
}

plan::Action Calls::action(const syntax::Call& call, const Signature* signature,
                           const std::vector<HostIndex>& hosts, const std::string& label, Span at) {
  plan::Action out;
  out.where = context_.where(at);
  if (!signature) {
    // Its arguments may hold faults of their own.
    for (const auto& argument : call.args) {
      if (argument.value) evaluator_.check(*argument.value);
    }
    return out;
  }
  const catalog::Module& module = *signature->module;
  GivenMap given;
  const bool clear = collect(call, *signature, given);
  out.module = module.name;
  std::vector<std::string> missing;
  for (std::size_t i = 0; i < module.params.size(); ++i) {
    const catalog::Param& param = module.params[i];
    const Signature::Param& wanted = signature->params[i];
    const auto found = given.find(param.name);
    if (found == given.end() && !wanted.fallback) {
      if (!is_poison(wanted.type)) missing.push_back(code(param.name));
      continue;
    }
    const Evaluated& value = found != given.end() ? found->second.value : *wanted.fallback;
    const Span place = found != given.end() ? found->second.at : at;
    if (found != given.end() && param.where) {
      evaluator_.check_where(*param.where, value, place, code(param.name));
    }
    auto column = evaluator_.column(value, hosts, label, place);
    if (!column) continue;
    out.params.push_back({param.name, std::move(*column),
                          holds_secret(wanted.type) || holds_secret(value.type),
                          is_path(wanted.type)});
    if (param.name == module.sends) send_file(out, place);
    if (param.name == module.renders) render_file(out, hosts, label, place);
    if (param.name == module.fetches_to) fetch_file(out, hosts, place);
  }
  if (!module.sends_tree.empty() && missing.empty()) {
    const auto tree = given.find(module.sends_tree);
    send_tree(out, module, hosts, tree == given.end() ? at : tree->second.at);
  }
  // An argument that was not understood may be the one that is missing.
  if (!missing.empty() && module.valid && clear) {
    context_.error_with(
        "E0403", code(module.name) + " needs " + enumerate(missing), call.callee->span,
        missing.size() == 1 ? "this parameter is missing" : "these parameters are missing",
        module.span, "declared here",
        "add `" + missing[0].substr(1, missing[0].size() - 2) + ": ...`");
  }
  const auto intern = [&](const std::optional<catalog::Script>& script) {
    if (!script) return plan::kNone;
    const Span first = script->line_offsets && !script->line_offsets->empty()
                           ? Span{script->line_offsets->front(), script->line_offsets->front() + 1}
                           : script->span;
    return context_.script(script->text, context_.where(first));
  };
  out.check = intern(module.check);
  out.apply = intern(module.apply);
  out.verify_script = intern(module.verify_script);
  out.preview = intern(module.preview);
  out.preflight = intern(module.preflight);
  out.verify = module.verify == catalog::Verify::none        ? plan::Verify::none
               : module.verify == catalog::Verify::by_script ? plan::Verify::by_script
                                                             : plan::Verify::by_check;
  out.returns = signature->returns;
  out.needs = module.needs;
  out.uses = module.uses;
  out.writes = module.writes;
  out.reads = module.reads;
  out.touches = touched(module);
  out.sends = module.sends;
  out.sends_tree = module.sends_tree;
  out.renders = module.renders;
  out.fetches = module.fetches;
  out.fetches_to = module.fetches_to;
  out.reboots = module.reboots;
  return out;
}

// ---- inline scripts

void Calls::check_shell_names(const syntax::ShellItem& item, const syntax::ShellText& script,
                              const std::vector<std::string>& params) {
  for (const auto& free : shell::free_names(script.text)) {
    if (std::ranges::find(params, free.name) != params.end()) continue;
    if (std::ranges::find(environment, free.name) != environment.end()) continue;
    Span at = script.span;
    std::size_t line = 0;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < free.offset; ++i) {
      if (script.text[i] == '\n') {
        ++line;
        begin = i + 1;
      }
    }
    if (line < script.line_offsets.size()) {
      at.begin = script.line_offsets[line] + static_cast<std::uint32_t>(free.offset - begin);
      const bool braces =
          free.offset + 1 < script.text.size() && script.text[free.offset + 1] == '{';
      const bool bare = script.text[free.offset] != '$';
      at.end = at.begin + static_cast<std::uint32_t>(free.name.size() + (bare     ? 0
                                                                         : braces ? 3
                                                                                  : 1));
    }
    const std::string near = diag::did_you_mean(free.name, params);
    const bool visible = evaluator_.scope && evaluator_.scope->find(free.name);
    diag::Diagnostic d;
    d.code = "E0412";
    d.summary = "`$" + free.name + "` has no value in this script";
    d.subject = {at, "neither passed to the script nor set in it"};
    d.help = visible        ? "pass it: `sh(" + free.name + ": " + free.name + ") \"\"\"...\"\"\"`"
             : near.empty() ? "pass it: `sh(" + free.name +
                                  ": ...) \"\"\"...\"\"\"`; a variable that may be unset is `${" +
                                  free.name + ":-}`"
                            : "did you mean `$" + near + "`?";
    if (visible) {
      const std::string argument = free.name + ": " + free.name;
      const Span place = item.args.empty() ? item.script.span : item.args.back().span;
      if (item.args.empty()) d.edits = {{{place.begin, place.begin}, "(" + argument + ") "}};
      if (!item.args.empty()) d.edits = {{{place.end, place.end}, ", " + argument}};
    }
    context_.diags.add(std::move(d));
  }
}

plan::Action Calls::shell(const syntax::ShellItem& item, const std::vector<HostIndex>& hosts,
                          const std::string& label, Span at) {
  plan::Action out;
  out.where = context_.where(at);
  out.module = "sh";
  std::vector<std::string> names;
  std::map<std::string, Span> seen;
  const auto add = [&](const std::string& name, const Evaluated& value, Span place,
                       Span name_span) {
    const auto [first, fresh] = seen.emplace(name, name_span);
    if (!fresh) {
      context_.error_with("E0404", code(name) + " is given twice", name_span, "again here",
                          first->second, "first here", "keep one of the two");
      return;
    }
    names.push_back(name);
    if (is_shell_reserved(name)) {
      context_.error("E0421", "a variable of a script cannot be called " + code(name), name_span,
                     "the shell's own variable", "choose another name");
      return;
    }
    if (value.poison()) return;
    if (!is_shell_value(value.type)) {
      context_.error("E0203", with_article(value.type) + " cannot be a shell variable", place,
                     with_article(value.type), "pass a text, a number or a list of these");
      return;
    }
    auto column = evaluator_.column(value, hosts, label, place);
    if (!column) return;
    out.params.push_back({name, std::move(*column), holds_secret(value.type), is_path(value.type)});
  };
  for (const auto& argument : item.args) {
    if (!argument.value) continue;
    if (argument.name.text.empty() && !argument.spread) {
      evaluator_.check(*argument.value);
      context_.error("E0405", "an argument without a name", argument.value->span,
                     "as which variable?",
                     "write `dir: " + context_.text(argument.value->span) + "`");
      continue;
    }
    const Evaluated value = evaluator_.check(*argument.value);
    if (!argument.spread) {
      add(argument.name.text, value, argument.value->span, argument.name.span);
      continue;
    }
    if (value.poison()) continue;
    if (value.fields.empty()) {
      context_.error("E0406", "`..` takes a record, found " + with_article(value.type),
                     argument.value->span, "not a record", "name the variable: `dir: ...`");
    }
    for (const auto& [name, field] : value.fields) {
      add(name, *field, argument.value->span, argument.span);
    }
  }
  check_shell_names(item, item.script, names);
  const auto where = [&](const syntax::ShellText& script) {
    return context_.where(script.line_offsets.empty()
                              ? script.span
                              : Span{script.line_offsets[0], script.line_offsets[0] + 1});
  };
  out.apply = context_.script(item.script.text, where(item.script));
  if (item.unless) {
    check_shell_names(item, *item.unless, names);
    // What the check says it would do is the script's first line, as data.
    std::string_view first = item.script.text;
    first.remove_prefix(std::min(first.find_first_not_of(" \t\n"), first.size()));
    first = first.substr(0, first.find('\n'));
    const auto title = quote(first);
    out.check =
        context_.script("if (\n" + item.unless->text + "\n) >/dev/null; then ok; else change " +
                            (title ? title->str() : "'the script'") + "; fi\n",
                        where(*item.unless));
  }
  return out;
}

}  // namespace cnplay::compile

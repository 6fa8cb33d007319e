// Procedures, inlined where they are done.
#include <algorithm>

#include "compile/builder.h"

namespace cnplay::compile {

const syntax::Procedure* Builder::find_procedure(const syntax::Call& call, LoadedFile*& file) {
  const std::string name = dotted_name(*call.callee);
  const auto dot = name.find('.');
  std::string own = name;
  file = frame_->file;
  if (dot != std::string::npos) {
    const std::string alias = name.substr(0, dot);
    own = name.substr(dot + 1);
    const auto at = file->aliases.find(alias);
    if (at == file->aliases.end()) {
      std::vector<std::string> aliases;
      for (const auto& [known, loaded] : file->aliases) aliases.push_back(known);
      const std::string near = diag::did_you_mean(alias, aliases);
      context_.error(
          "E0111", "unknown library " + code(alias), call.callee->span, "not in use here",
          !near.empty() ? "did you mean `" + near + "." + own + "`?"
                        : "bring it in: `use \"lib/" + alias + ".play\" as " + alias + "`");
      return nullptr;
    }
    if (!at->second) return nullptr;  // could not be read, reported
    file = at->second;
  }
  const auto at = file->procedures.find(own);
  if (at != file->procedures.end()) return at->second;
  std::vector<std::string> names;
  for (const auto& [known, procedure] : file->procedures) names.push_back(known);
  const std::string near = diag::did_you_mean(own, names);
  const std::string lead = dot == std::string::npos ? "" : name.substr(0, dot + 1);
  context_.error("E0111", "unknown procedure " + code(name), call.callee->span,
                 "no procedure of " + code(file->name),
                 !near.empty()   ? "did you mean " + code(lead + near) + "?"
                 : names.empty() ? "declare it: `procedure " + own + "() { ... }`"
                                 : "there are " + enumerate(names));
  return nullptr;
}

void Builder::bind_arguments(const syntax::Procedure& procedure, const syntax::Call& call,
                             Scope& scope) {
  std::map<std::string, Span> given;
  std::map<std::string, Evaluated> values;
  std::vector<TypePtr> types;
  std::vector<std::string> names;
  for (const auto& param : procedure.params) {
    types.push_back(evaluator_.type(param.type, true));
    names.push_back(param.name.text);
  }
  bool clear = true;  // every argument could be told to be for a parameter
  const auto take = [&](const std::string& name, Span name_span, const syntax::Argument& argument,
                        const Evaluated* field) {
    const auto at = std::ranges::find(names, name);
    if (at == names.end()) {
      if (field) return;  // a record may hold more than this procedure takes
      clear = false;
      evaluator_.check(*argument.value);
      const std::string near = diag::did_you_mean(name, names);
      context_.error_with("E0117", code(procedure.name.text) + " has no parameter " + code(name),
                          name_span, "unknown parameter", procedure.name.span, "declared here",
                          !near.empty()   ? "did you mean " + code(near) + "?"
                          : names.empty() ? "it takes no parameters"
                                          : "its parameters: " + enumerate(names));
      return;
    }
    const auto [first, fresh] = given.emplace(name, name_span);
    if (!fresh) {
      context_.error_with("E0117", code(name) + " is given twice", name_span, "again here",
                          first->second, "first here", "keep one of the two");
      return;
    }
    const TypePtr& type = types[static_cast<std::size_t>(at - names.begin())];
    evaluator_.secret_note =
        "parameter " + code(name) + " of " + code(procedure.name.text) + " is not a secret";
    evaluator_.secret_help = "declare it: `" + name + ": secret<string>`";
    values[name] = field ? evaluator_.fit(*field, type, argument.value->span)
                         : evaluator_.check(*argument.value, type);
    evaluator_.secret_note.clear();
    evaluator_.secret_help.clear();
  };
  for (const auto& argument : call.args) {
    if (!argument.value) continue;
    if (argument.spread) {
      const Evaluated record = evaluator_.check(*argument.value);
      if (record.poison()) clear = false;
      if (record.poison()) continue;
      if (record.fields.empty()) {
        context_.error("E0406", "`..` takes a record, found " + with_article(record.type),
                       argument.value->span, "not a record", "name the parameter");
      }
      for (const auto& [name, field] : record.fields)
        take(name, argument.span, argument, field.get());
    } else if (argument.name.text.empty()) {
      clear = false;
      evaluator_.check(*argument.value);
      context_.error(
          "E0117", "an argument without a name", argument.value->span, "of which parameter?",
          names.empty() ? code(procedure.name.text) + " takes no parameters"
                        : "write `" + names[0] + ": " + context_.text(argument.value->span) + "`");
    } else {
      take(argument.name.text, argument.name.span, argument, nullptr);
    }
  }
  std::vector<std::string> missing;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const syntax::ParamDecl& param = procedure.params[i];
    Evaluated value;
    Span at = call.callee->span;
    if (const auto found = values.find(names[i]); found != values.end()) {
      value = found->second;
      at = given[names[i]];
    } else if (param.fallback) {
      const Scope nothing;
      const Scope* outer = std::exchange(evaluator_.scope, &nothing);
      value = evaluator_.check(*param.fallback, types[i]);
      evaluator_.scope = outer;
      at = param.fallback->span;
    } else if (is(types[i], Kind::optional)) {
      value = known(types[i], plan::Value());
    } else {
      missing.push_back(code(names[i]));
    }
    if (param.where) evaluator_.check_where(*param.where, value, at, code(names[i]));
    if (holds_secret(value.type) && !value.depends.secret_declared.known()) {
      value.depends.secret_declared = param.name.span;
    }
    auto held = std::make_shared<const Evaluated>(std::move(value));
    if (context_.is_reserved(names[i], param.name.span, "parameter")) continue;
    if (!scope.declare(names[i], {held, param.name.span, "parameter"})) {
      context_.error_with("E0104", code(names[i]) + " is declared twice", param.name.span,
                          "again here", scope.find(names[i])->declared, "first declared here",
                          "give one another name");
    }
  }
  if (!missing.empty() && clear) {
    context_.error_with(
        "E0117", code(procedure.name.text) + " needs " + enumerate(missing), call.callee->span,
        missing.size() == 1 ? "this parameter is missing" : "these parameters are missing",
        procedure.name.span, "declared here",
        "add `" + missing[0].substr(1, missing[0].size() - 2) + ": ...`");
  }
}

void Builder::do_call(const syntax::Do& node, const syntax::Item& item, const Position& position) {
  const Modifiers modifiers(context_, node.modifiers, kDoPlace);
  const auto* call = std::get_if<syntax::Call>(&node.call.node);
  if (!call) return;
  LoadedFile* file = nullptr;
  const syntax::Procedure* procedure = find_procedure(*call, file);
  if (!procedure) {
    for (const auto& argument : call->args) {
      if (argument.value) evaluator_.check(*argument.value);
    }
    return;
  }
  std::string chain = procedure->name.text;
  for (const Frame* f = frame_; f && f->procedure; f = f->caller) {
    chain = f->procedure->name.text + " -> " + chain;
    if (f->procedure == procedure) {
      context_.error("E0112", "procedures call each other in a circle: " + chain,
                     call->callee->span, "closes the circle",
                     "a runbook ends: use a `for` over a list instead");
      return;
    }
  }
  Frame frame;
  frame.file = file;
  frame.procedure = procedure;
  frame.caller = frame_;
  const std::uint64_t outer_epoch = std::exchange(calls_.epoch, epoch_of(&node, 0));
  Scope parameters;
  bind_arguments(*procedure, *call, parameters);
  Frame* outer = std::exchange(frame_, &frame);
  {
    OpenScope scope(*this, &parameters);
    Position inner = tagged(position, modifiers);
    inner.place = Place::procedure;
    inner.prefix = unique_path(position.prefix, procedure->name.text + position.key);
    inner.key.clear();
    inner.iteration.clear();
    inner.turns.clear();
    if (position.base == Place::on_failure || position.base == Place::always ||
        position.place == Place::on_failure || position.place == Place::always) {
      inner.base = position.place == Place::control ? position.base : position.place;
      inner.place = Place::control;
    }
    find_handlers(procedure->body);
    items(procedure->body, inner);
    handlers(inner);
  }
  frame_ = outer;
  calls_.epoch = outer_epoch;
  remember_call(node, *procedure, item.keyword, position, std::move(frame.steps));
}

}  // namespace cnplay::compile

// `env { NAME: "value" }` and `path [...]`: what the scripts of steps find in their environment.
#include "base/environment.h"

#include <algorithm>
#include <unordered_map>

#include "compile/builder.h"

namespace cnplay::compile {

using plan::Value;

namespace {

// A column of the inventory's hosts from one value each, equal ones held once.
class Cells {
 public:
  explicit Cells(std::size_t hosts) : index_(hosts, 0) { cells_.push_back({Value(), nullptr}); }

  template <class T>
  void put(HostIndex host, const std::string& key, T value) {
    const auto [at, fresh] = known_.emplace(key, static_cast<std::uint32_t>(cells_.size()));
    if (fresh) cells_.push_back({Value(std::move(value)), nullptr});
    index_[host] = at->second;
  }
  Values take() { return {std::move(cells_), std::move(index_)}; }

 private:
  std::vector<Cell> cells_;  // the first: nothing was said
  std::vector<std::uint32_t> index_;
  std::unordered_map<std::string, std::uint32_t> known_;
};

// The folders of `inner`, then those of `outer`.
Values joined(const Values& inner, const Values& outer) {
  const Values both[] = {inner, outer};
  return combine(both, [](std::span<const Cell* const> row) -> Cell {
    plan::List out;
    for (const Cell* cell : row) {
      if (const auto* list = cell->value.as<plan::List>()) {
        out.insert(out.end(), list->begin(), list->end());
      }
    }
    return {Value(std::move(out)), nullptr};
  });
}

constexpr const char* kByStdin =
    "hand it over on stdin: `sh(token: token) \"\"\"printf '%s' \"$token\" | login "
    "--password-stdin\"\"\"`";

}  // namespace

// What the inventory says for its hosts.
EnvironmentPtr Builder::inventory_environment() const {
  const inventory::Inventory& inventory = *context_.input.inventory;
  const std::size_t hosts = context_.host_count();
  std::map<std::string, Cells> variables;
  Cells folders(hosts);
  bool any = false;
  for (HostIndex h = 0; h < hosts; ++h) {
    const inventory::Environment said = inventory.environment(h);
    for (const auto& [name, text] : said.variables) {
      variables.try_emplace(name, hosts).first->second.put(h, text, text);
    }
    if (said.folders.empty()) continue;
    any = true;
    std::string key;
    plan::List list;
    for (const std::string& folder : said.folders) {
      key += folder + ":";
      list.emplace_back(folder);
    }
    folders.put(h, key, std::move(list));
  }
  if (variables.empty() && !any) return nullptr;
  auto out = std::make_shared<Environment>();
  for (auto& [name, cells] : variables) {
    Evaluated value;
    value.type = simple(Kind::string);
    value.values = cells.take();
    out->variables[name].value = std::move(value);
  }
  if (any) {
    Evaluated value;
    value.type = list_of(simple(Kind::string));
    value.values = folders.take();
    out->folders = std::move(value);
  }
  return out;
}

bool Builder::environment_item(const syntax::Item& item, EnvironmentPtr& now, const void* block,
                               bool too_late) {
  const auto* variables = std::get_if<syntax::Environment>(&item.node);
  const auto* folders = std::get_if<syntax::SearchPath>(&item.node);
  if (variables == nullptr && folders == nullptr) return false;
  if (too_late) {
    context_.error("E0502", code(context_.text(item.keyword)) + " is not allowed below a step",
                   item.keyword, "holds for the whole block, not from here on",
                   "put it at the head of the block, above its first step or action");
    return true;
  }
  auto out = now ? std::make_shared<Environment>(*now) : std::make_shared<Environment>();
  if (variables != nullptr) set_variables(*variables, *out, block);
  if (folders != nullptr) set_folders(*folders, *out, block);
  now = std::move(out);
  return true;
}

void Builder::set_variables(const syntax::Environment& node, Environment& out, const void* block) {
  const auto set = [&](const std::string& name, Evaluated value, Span at, Span name_at) {
    if (const auto unfit = unfit_variable(name)) {
      context_.error("E0541", "`env` cannot set " + code(name), name_at, unfit->what, unfit->help);
      return;
    }
    if (const auto known = out.variables.find(name);
        known != out.variables.end() && known->second.block == block) {
      context_.error_with("E0104", code(name) + " is set twice", name_at, "again here",
                          known->second.at, "first here", "keep one of the two");
      return;
    }
    if (!value.poison() && (value.depends.fact || value.depends.now)) {
      context_.error("E0115", "what `env` sets must be known before the run",
                     value.depends.cause.known() ? value.depends.cause : at,
                     value.depends.fact ? "a fact: known only during the run"
                                        : "`now` is known only when the run starts",
                     "hand it to the script as a variable: `sh(x: x) \"\"\"NAME=\"$x\" "
                     "command\"\"\"`");
      value = {};
    }
    out.variables[name] = {std::move(value), name_at, block};
  };
  const std::string outer_note =
      std::exchange(evaluator_.secret_note, "other programs on the host can read an environment");
  const std::string outer_help = std::exchange(evaluator_.secret_help, kByStdin);
  for (const auto& argument : node.variables) {
    if (!argument.value) continue;
    if (!argument.spread) {
      set(argument.name.text, evaluator_.check(*argument.value, simple(Kind::string)),
          argument.value->span, argument.name.span);
      continue;
    }
    const Evaluated record = evaluator_.check(*argument.value);
    if (record.poison()) continue;
    if (record.fields.empty()) {
      context_.error("E0406", "`..` takes a record, found " + with_article(record.type),
                     argument.value->span, "not a record", "name the variable: `NAME: ...`");
    }
    for (const auto& [name, field] : record.fields) {
      set(name, evaluator_.fit(*field, simple(Kind::string), argument.value->span),
          argument.value->span, argument.span);
    }
  }
  evaluator_.secret_note = outer_note;
  evaluator_.secret_help = outer_help;
}

void Builder::set_folders(const syntax::SearchPath& node, Environment& out, const void* block) {
  const Span at = node.folders.span;
  if (out.folders && out.folders_block == block) {
    context_.error_with("E0104", "`path` is set twice", at, "again here", out.folders_at,
                        "first here", "write one list of folders");
    return;
  }
  const std::string outer_note =
      std::exchange(evaluator_.secret_note, "other programs on the host can read a search path");
  Evaluated value = evaluator_.check(node.folders, list_of(simple(Kind::string)));
  evaluator_.secret_note = outer_note;
  if (value.poison()) return;
  if (value.depends.fact || value.depends.now) {
    context_.error("E0115", "what `path` sets must be known before the run",
                   value.depends.cause.known() ? value.depends.cause : at,
                   value.depends.fact ? "a fact: known only during the run"
                                      : "`now` is known only when the run starts",
                   "call the program by its whole path");
    return;
  }
  const auto* items = std::get_if<syntax::ListLit>(&node.folders.node);
  for (const Cell& cell : value.values.cells()) {
    const auto* list = cell.trouble ? nullptr : cell.value.as<plan::List>();
    for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
      const auto* folder = (*list)[i].as<std::string>();
      const auto unfit = folder != nullptr ? unfit_folder(*folder) : std::nullopt;
      if (!unfit) continue;
      context_.error("E0541", "`path` cannot hold " + code(*folder),
                     items != nullptr && i < items->items.size() ? items->items[i].span : at,
                     unfit->what, unfit->help);
      return;
    }
  }
  if (out.folders) {
    value.values = joined(value.values, out.folders->values);
    value.depends.add(out.folders->depends);
  }
  out.folders = std::move(value);
  out.folders_at = at;
  out.folders_block = block;
}

void Builder::give_environment(plan::Node& node, const EnvironmentPtr& environment,
                               const std::vector<HostIndex>& hosts, const std::string& label) {
  if (!environment || hosts.empty()) return;
  for (const auto& [name, variable] : environment->variables) {
    refuse_shadowed(node, name, variable.at);
    auto column = evaluator_.column(variable.value, hosts, label, variable.at);
    if (!column) continue;
    const bool said =
        std::ranges::any_of(column->values(), [](const Value& v) { return !v.is_none(); });
    if (said) node.environment.push_back({name, std::move(*column)});
  }
  if (!environment->folders) return;
  auto column = evaluator_.column(*environment->folders, hosts, label, environment->folders_at);
  if (!column) return;
  bool said = false;
  std::vector<Value> values = column->values();
  for (Value& value : values) {
    if (value.is_none()) value = Value(plan::List{});
    said = said || !value.as<plan::List>()->empty();
  }
  if (said) node.search_path = plan::Column(std::move(values), column->index());
}

// The names that are set on all of these hosts.
std::vector<std::string> Builder::names_in(const EnvironmentPtr& environment,
                                           const std::vector<HostIndex>& hosts) {
  std::vector<std::string> names;
  if (!environment) return names;
  for (const auto& [name, variable] : environment->variables) {
    const Values& values = variable.value.values;
    const bool everywhere = std::ranges::all_of(hosts, [&values](HostIndex h) {
      return values.at(h).trouble != nullptr || !values.at(h).value.is_none();
    });
    if (everywhere) names.push_back(name);
  }
  return names;
}

// A script's own variable would be exported if it had the name of an exported one, secrets too.
void Builder::refuse_shadowed(const plan::Node& node, const std::string& name, Span at) {
  for (const auto* actions : {&node.actions, &node.undo}) {
    for (const plan::Action& action : *actions) {
      const bool param =
          std::ranges::find(action.params, name, &plan::Param::name) != action.params.end();
      const bool fact =
          std::ranges::find(action.returns, name, &plan::FactDecl::name) != action.returns.end();
      if (!param && !fact) continue;
      const Span step = spans_[node.id];
      const std::string what = "`env` sets " + code(name) + ", which is also a " +
                               (param ? "parameter" : "fact") + " of " + code(action.module);
      const std::string help = "rename one of the two; names in `env` are usually in capitals";
      if (at.known()) {
        context_.error_with("E0542", what, at, "set here", step, "in this step", help);
      } else {
        context_.error("E0542", what, step, "in this step; the inventory sets it", help);
      }
      return;
    }
  }
}

}  // namespace cnplay::compile

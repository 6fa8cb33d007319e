#include "run/task_builder.h"

#include <algorithm>
#include <charconv>

#include "base/digest.h"
#include "plan/controller_path.h"
#include "run/conditions.h"
#include "run/recall.h"
#include "run/variables.h"

namespace cnplay::run {

using events::Outcome;
using events::Part;

namespace {

remote::Verify verify_of(plan::Verify verify) {
  switch (verify) {
    case plan::Verify::by_check:
      return remote::Verify::by_check;
    case plan::Verify::by_script:
      return remote::Verify::by_script;
    case plan::Verify::none:
      return remote::Verify::none;
  }
  return remote::Verify::by_check;
}

// Scripts are given durations in whole seconds, and so is this.
Duration reboot_within(const remote::Task& task, const std::string& param) {
  const auto it = std::ranges::find(task.variables, param, &remote::Variable::name);
  std::int64_t seconds = 0;
  if (it != task.variables.end()) {
    std::from_chars(it->value.data(), it->value.data() + it->value.size(), seconds);
  }
  return std::chrono::seconds(seconds);
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  for (const std::string& n : names) {
    if (n == name) return true;
  }
  return false;
}

}  // namespace

plan::Environment TaskBuilder::environment(const StepRun& run) const {
  plan::Environment environment;
  environment.now = context_.options.now;
  const bool undo = run.unit.part == Part::undo;
  const plan::NodeId self = run.unit.node;
  const FactStore& facts = context_.facts;
  const Context& context = context_;
  const bool back = run.unit.part == Part::rollback;
  environment.fact = [&facts, &context, undo, back, self](const plan::FactRef& ref,
                                                          plan::HostIndex host) {
    const bool before = undo ? ref.node == self : back && of_the_way_forward(context, ref);
    return before ? facts.saved(ref, host) : facts.get(ref, host);
  };
  return environment;
}

bool TaskBuilder::reads_unapplied(const StepRun& run, const plan::Value& value) const {
  if (!context_.dry()) return false;
  return plan::reads_fact(value, [&](const plan::FactRef& ref) {
    return context_.facts.unapplied(ref, run.unit.host);
  });
}

std::string TaskBuilder::because(plan::NodeId node) const {
  return "depends on what `" + context_.plan.node(node).title + "` would change";
}

std::optional<Instead> TaskBuilder::condition(const StepRun& run, const plan::Column& when,
                                              const char* whose) const {
  if (when.empty()) return std::nullopt;
  const plan::Value& asked = when.at(run.position);
  const Condition own =
      condition_of(asked, reads_unapplied(run, asked), run.unit.host, environment(run));
  const auto outcome = outcome_of(own);
  if (!outcome) return std::nullopt;
  const bool depends = *outcome == Outcome::depends;
  return Instead{*outcome,
                 (depends ? "its `when`" : std::string("the `when` of the ") + whose) + own.why};
}

std::optional<Instead> TaskBuilder::phase_condition(const StepRun& run) const {
  const Condition phases = condition_of_phases(context_, run.node->phase);
  const auto outcome = outcome_of(phases);
  return outcome ? std::optional(Instead{*outcome, phases.why}) : std::nullopt;
}

std::optional<Instead> TaskBuilder::nothing_to_roll_back(const StepRun& run) const {
  if (run.unit.part != Part::rollback) return std::nullopt;
  const plan::Environment known = environment(run);
  std::optional<plan::NodeId> missing;
  const auto look = [&](const plan::Column& column) -> std::optional<plan::Value> {
    if (column.empty()) return std::nullopt;
    const plan::Value& value = column.at(run.position);
    if (auto resolved = plan::resolve(value, run.unit.host, known)) return *std::move(resolved);
    // Which one it is.
    plan::reads_fact(value, [&](const plan::FactRef& ref) {
      if (!missing && of_the_way_forward(context_, ref) && !known.fact(ref, run.unit.host) &&
          !context_.facts.touched(ref, run.unit.host)) {
        missing = ref.node;
      }
      return false;
    });
    return std::nullopt;
  };
  const auto is_false = [](const std::optional<plan::Value>& value) {
    const bool* holds = value ? value->as<bool>() : nullptr;
    return holds != nullptr && !*holds;
  };
  if (is_false(look(run.node->when))) return std::nullopt;
  for (const plan::Action& a : run.node->actions) {
    if (is_false(look(a.when))) continue;
    for (const plan::Param& param : a.params) look(param.value);
  }
  if (!missing) return std::nullopt;
  return Instead{Outcome::skipped, "`" + context_.plan.node(*missing).title +
                                       "` has done nothing that could be undone"};
}

// The file that goes to the host, or comes from it, by what the variables say.
std::optional<Instead> TaskBuilder::move_file(const StepRun& run, remote::Task& task) const {
  const plan::Action& a = run.current();
  const auto value_of = [&](const std::string& name) -> const std::string& {
    return std::ranges::find(task.variables, name, &remote::Variable::name)->value;
  };
  if (!a.sends.empty()) {
    const std::string& name = value_of(a.sends);
    const auto& files = context_.plan.files;
    const auto file = std::ranges::find(files, name, &plan::File::name);
    if (file == files.end()) {
      return Instead{Outcome::failed, "the plan does not have the file " + name};
    }
    task.upload = {.name = a.sends,
                   .path = file->found_at,
                   .size = static_cast<std::uint64_t>(file->size),
                   .sha256 = file->sha256};
  }
  if (!a.sends_tree.empty()) {
    const std::string& name = value_of(a.sends_tree);
    const auto& trees = context_.plan.trees;
    const auto tree = std::ranges::find(trees, name, &plan::Tree::name);
    if (tree == trees.end()) {
      return Instead{Outcome::failed, "the plan does not have the directory " + name};
    }
    const std::string& manifest = value_of(a.sends_tree + "_manifest");
    task.upload = {.name = a.sends_tree,
                   .path = tree->found_at,
                   .size = 0,
                   .sha256 = sha256_hex(manifest),
                   .manifest = manifest};
  }
  if (a.fetches.empty()) return std::nullopt;
  const std::string& from = value_of(a.fetches);
  std::string to = value_of(a.fetches_to);
  const plan::Value& given =
      std::ranges::find(a.params, a.fetches_to, &plan::Param::name)->value.at(run.position);
  const plan::Environment facts = environment(run);
  const Status safe = plan::check_below_a_place(
      given, [&](const plan::Value& part) { return plan::resolve(part, run.unit.host, facts); });
  if (!safe) return Instead{Outcome::failed, safe.error().what + ": " + safe.error().help};
  if (to.ends_with('/')) {
    const std::string name = from.substr(from.rfind('/') + 1);
    if (!plan::is_file_name(name)) {
      return Instead{Outcome::failed,
                     "`" + Untrusted(from).display(200) + "` is not a path of a file"};
    }
    to += context_.name(run.unit.host) + "/" + name;
  }
  task.download = {.from = from, .to = to};
  task.variables.push_back(
      {.name = a.fetches_to + "_sum",
       .value = context_.options.local_sum ? context_.options.local_sum(to) : std::string()});
  return std::nullopt;
}

std::optional<Instead> TaskBuilder::prepare(StepRun& run, remote::Task& task) const {
  const plan::Action& a = run.current();
  const plan::NodeId node = run.unit.node;
  const bool dry = context_.dry();
  if (dry && run.unit.instead) {
    return Instead{*run.unit.instead, "its notifier has not run"};
  }
  std::optional<Instead> depends;
  if (const plan::Dependence* unmet = dry ? dry_.unmet(a.depends_on, run.unit.host) : nullptr) {
    depends = Instead{Outcome::depends, because(unmet->node) + ", " + unmet->thing};
  }
  plan::Environment facts = environment(run);
  const auto& secrets = context_.secrets;
  facts.secret = [&secrets](const plan::SecretRef& ref) { return reveal(ref, secrets); };
  for (const plan::Param& param : a.params) {
    const bool writes = contains(a.writes, param.name);
    const plan::Value& given = param.value.at(run.position);
    if (reads_unapplied(run, given)) {
      if (!depends)
        depends = Instead{Outcome::depends,
                          "`" + param.name + "` reads a fact of a change that was not made"};
      if (writes) run.written.emplace_back();  // a path nobody knows yet
      continue;
    }
    auto value = plan::resolve(given, run.unit.host, facts);
    if (!value) return Instead{Outcome::failed, value.error().what};
    if (dry) {
      if (writes) {
        const auto paths = paths_of(*value);
        // The first `writes` parameter is what a preview stands for.
        const bool first = param.name == a.writes.front();
        run.written.insert(first ? run.written.begin() : run.written.end(), paths.begin(),
                           paths.end());
      }
      const bool named = writes || contains(a.reads, param.name);
      if (auto d = dry_paths(run, param, named, *value); d && !depends) depends = std::move(d);
    }
    auto made = variable(param, *value, context_.secrets);
    if (!made) return Instead{Outcome::failed, made.error().what};
    task.variables.push_back(*std::move(made));
  }
  if (dry && !depends && a.apply == plan::kNone && !a.alone) {
    if (const auto first = dry_.changed_before(node, run.action)) {
      depends = Instead{Outcome::depends, because(*first)};
    }
  }
  if (depends) return depends;
  if (dry && a.check == plan::kNone) return Instead{Outcome::would_run, ""};
  if (auto unfit = move_file(run, task)) return unfit;

  const auto text = [&](plan::ScriptId id) {
    return id == plan::kNone ? std::string() : context_.plan.scripts[id].text;
  };
  set_environment(task, *run.node, run.position);
  task.mode = dry || a.alone ? remote::Mode::check : remote::Mode::apply;
  task.check = text(a.check);
  if (dry) {
    if (!a.writes.empty()) task.preview = text(a.preview);
  } else if (!a.alone) {
    task.apply = text(a.apply);
    task.verify_script = text(a.verify_script);
    task.verify = verify_of(a.verify);
    if (!a.reboots.empty()) task.reboots = reboot_within(task, a.reboots);
  }
  return std::nullopt;
}

void TaskBuilder::note_written(StepRun& run) const {
  for (const plan::Param& param : run.current().params) {
    if (!contains(run.current().writes, param.name)) continue;
    const plan::Value& given = param.value.at(run.position);
    const auto value = reads_unapplied(run, given)
                           ? Result<plan::Value>(plan::Value(std::string()))
                           : plan::resolve(given, run.unit.host, environment(run));
    const auto paths = paths_of(value ? *value : plan::Value(std::string()));
    run.written.insert(run.written.end(), paths.begin(), paths.end());
  }
}

// Puts a preview's path in the place of one that a run would have changed before, or says that
// nobody can judge it.
std::optional<Instead> TaskBuilder::dry_paths(const StepRun& run, const plan::Param& param,
                                              bool named, plan::Value& value) const {
  if (!param.path && !named) return std::nullopt;
  std::optional<plan::NodeId> depends;
  const auto shown = [&](const std::string& path) {
    const DryRun::View view = dry_.view(run.unit.host, path);
    if (view.depends) depends = view.depends;
    return view.path;
  };
  if (auto* text = std::get_if<std::string>(&value.data)) {
    *text = shown(*text);
  } else if (auto* list = std::get_if<plan::List>(&value.data)) {
    for (plan::Value& item : *list) {
      if (auto* path = std::get_if<std::string>(&item.data)) *path = shown(*path);
    }
  }
  if (depends) return Instead{Outcome::depends, because(*depends)};
  return std::nullopt;
}

}  // namespace cnplay::run

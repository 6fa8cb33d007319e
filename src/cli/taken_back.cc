#include "cli/taken_back.h"

#include "cli/execute.h"
#include "cli/project.h"
#include "cli/vault_access.h"
#include "cli/views.h"
#include "cli/wiring.h"
#include "events/last.h"
#include "run/people.h"
#include "run/run.h"

namespace cnplay::cli {

Status can_be_taken_back(const std::string& id, const journal::Record& record) {
  const auto& events = record.events;
  const auto* began =
      events.empty() ? nullptr : std::get_if<events::RunStarted>(&events.front().what);
  if (began == nullptr) {
    return fail(id + " was interrupted before it began: nothing was done",
                "there is nothing to roll back");
  }
  if (began->rollback) {
    const std::string of = began->rollback_of.value_or("");
    if (*began->rollback == run::kUndo) {
      return fail(id + " is the undo of " + of + " itself", "there is nothing to undo");
    }
    return fail(id + " is the rollback `" + *began->rollback + "` of " + of + " itself",
                "to repeat it: cnplay rollback " + of + " " + *began->rollback + " --again");
  }
  if (began->mode == events::Mode::check || began->only_preflight.value_or(false)) {
    return fail(id + " is a " +
                    (began->mode == events::Mode::check ? "dry run" : "preflight alone") +
                    ": it has changed nothing",
                "there is nothing to roll back");
  }
  const auto* ended = std::get_if<events::RunEnded>(&events::last_of(events)->what);
  if (ended == nullptr) {
    if (run::asked_in(record.plan, events)) {
      return fail(id + " has not ended: it waits for people",
                  "`cnplay show " + id + "` says for what: answer it, then cnplay resume " + id);
    }
    return fail(id + " has not ended: it is still running, or was interrupted",
                "what it has done is not known yet: cnplay resume " + id);
  }
  if (ended->verdict == events::Verdict::refused) {
    return fail(id + " was refused before its first change", "there is nothing to roll back");
  }
  if (!record.plans_fit) {
    return fail(id + ": its plan.json is not the one that it was begun with",
                "it was changed, or written by another version of cnplay: roll back by hand; "
                "`cnplay show " +
                    id + "` says what was done");
  }
  return {};
}

std::vector<WayTaken> ways_taken(const Disk& disk, const std::string& root, const std::string& id,
                                 const journal::Record& record) {
  std::vector<WayTaken> ways;
  for (const events::Event& event : record.events) {
    if (const auto* e = std::get_if<events::RollbackEnded>(&event.what)) {
      ways.push_back({id, e->name, true, e->complete, false});
    }
  }
  for (const journal::Summary& run : journal::finished_runs(disk, root)) {
    if (run.rollback_of != id || run.rollback.empty()) continue;
    ways.push_back({run.id, run.rollback, true, run.verdict == "success", run.mode == "check"});
  }
  for (const std::string& other : journal::unfinished_runs(disk, root)) {
    const auto unfinished = journal::read_run(disk, root + "/" + other);
    if (!unfinished || unfinished->events.empty()) continue;
    const auto* began = std::get_if<events::RunStarted>(&unfinished->events.front().what);
    if (began == nullptr || began->rollback_of != id || !began->rollback) continue;
    ways.push_back({other, *began->rollback, false, false, began->mode == events::Mode::check});
  }
  return ways;
}

int take_back(const Options& options, const journal::Record& record, run::WayBack way) {
  auto without = hosts_without(record.in_force(), options.without);
  if (!without) return usage_error(without.error());
  const auto vault = VaultAccess::make(options, record.in_force().vault_file);
  if (!vault) return usage_error(vault.error());
  const auto view = [](const plan::Plan& plan, const Options& how) {
    return make_view(plan, how, Moment::now);
  };
  const TakenBack taken_back{std::move(way), *std::move(without)};
  return execute(record.in_force(), options, **vault, view, true, std::nullopt, taken_back);
}

}  // namespace cnplay::cli

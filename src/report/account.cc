#include "report/account.h"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include "events/about.h"
#include "report/account_outage.h"

namespace cnplay::report {
namespace {

using namespace events;

constexpr std::size_t kMaxStages = 16;  // sections of output of one task

// Reads a record from its first event to its last.
class Reader {
 public:
  Reader(const plan::Plan& plan, About about) {
    account_.plan = &plan;
    account_.about = std::move(about);
    account_.hosts.resize(plan.hosts.size());
  }

  Status read(const std::vector<Event>& record) {
    if (record.empty() || !std::holds_alternative<RunStarted>(record.front().what)) {
      return fail("the run was interrupted before it began: there is nothing to report",
                  "nothing was done; start a new run");
    }
    for (const Event& event : record) {
      if (auto status = in_sequence(event); !status) return status;
      at_ = event.at;
      if (!std::holds_alternative<NotificationFailed>(event.what)) {
        account_.until = std::max(account_.until, at_);  // sent after the end of the run
      }
      std::visit([&](const auto& e) { take(e); }, event.what);
      if (is_incident(event)) account_.incidents.push_back(&event);
      if (!problem_.empty()) {
        return fail("event " + std::to_string(event.seq) + ": " + problem_,
                    "plan.json or events.jsonl was changed, or written by another version");
      }
    }
    return {};
  }

  Account finish() {
    Account& a = account_;
    // After a resume with a changed play, plan.json holds the newer plan.
    a.other_plan = a.taken.empty() && a.started->plan_hash != plan::hash(*a.plan);
    a.state = a.ended != nullptr    ? State::ended
              : a.about.at_work     ? State::running
              : a.parked != nullptr ? State::parked
                                    : State::interrupted;
    // The time of a parked run passes, too: an outage continues while people are waited for.
    if (a.state == State::running || a.state == State::parked)
      a.until = std::max(a.until, a.about.written);
    for (Step& step : a.steps) finish(step);
    std::erase_if(a.incidents, [&](const Event* event) {
      return a.held != nullptr && std::get_if<Held>(&event->what) == a.held;
    });
    for (const plan::Section& section : a.plan->sections) {
      if (!is_the_way(section)) continue;
      for (const plan::NodeId id : section.nodes) {
        const bool is_step = a.plan->node(id).kind == plan::NodeKind::step;
        if (is_step && !begun(id)) a.not_begun.push_back(id);
      }
    }
    a.outage = outage_of(a);
    return std::move(account_);
  }

 private:
  // What the run was to carry out: the way forward, or the way back that it was begun for.
  bool is_the_way(const plan::Section& section) const {
    if (!account_.started->rollback) return section.kind == plan::SectionKind::main;
    const plan::Rollback* way = plan::find_rollback(*account_.plan, *account_.started->rollback);
    return way != nullptr && &section == &account_.plan->sections[way->section];
  }

  // Lines that were taken out leave no trace but this.
  Status in_sequence(const Event& event) {
    const std::uint64_t next = seq_ + 1;
    if (event.seq == next) {
      seq_ = event.seq;
      return {};
    }
    return fail("event " + std::to_string(event.seq) + " follows event " + std::to_string(seq_) +
                    (event.seq > next ? ": what was between them is missing" : ""),
                "the record was changed; it is left as it is");
  }

  static bool is_incident(const Event& event) {
    const auto& what = event.what;
    return std::holds_alternative<RunResumed>(what) || std::holds_alternative<PlanTaken>(what) ||
           std::holds_alternative<HostUnreachable>(what) ||
           std::holds_alternative<HostReconnecting>(what) ||
           std::holds_alternative<HostReconnected>(what) ||
           std::holds_alternative<HostLost>(what) || std::holds_alternative<PreflightEnded>(what) ||
           std::holds_alternative<PhaseStarted>(what) || std::holds_alternative<PhaseEnded>(what) ||
           std::holds_alternative<RetryScheduled>(what) || std::holds_alternative<RanAhead>(what) ||
           std::holds_alternative<HumanAnswered>(what) ||
           std::holds_alternative<AssertionChecked>(what) ||
           std::holds_alternative<HumanEnded>(what) || std::holds_alternative<StepChosen>(what) ||
           std::holds_alternative<RunParked>(what) || std::holds_alternative<WaitStarted>(what) ||
           std::holds_alternative<WaitEnded>(what) || std::holds_alternative<Pivoted>(what) ||
           std::holds_alternative<FailureDeclared>(what) ||
           std::holds_alternative<UndoStarted>(what) || std::holds_alternative<UndoEnded>(what) ||
           std::holds_alternative<Held>(what) || std::holds_alternative<RollbackOffered>(what) ||
           std::holds_alternative<DeadlinePassed>(what) ||
           std::holds_alternative<WindowClosed>(what) ||
           std::holds_alternative<WindowAnswered>(what) ||
           std::holds_alternative<RollbackStarted>(what) ||
           std::holds_alternative<RollbackEnded>(what) ||
           std::holds_alternative<AbortRequested>(what) || std::holds_alternative<Notice>(what);
  }

  template <class E>
  void take(const E&) {}

  void take(const RunStarted& e) {
    if (account_.started != nullptr) {
      problem_ = "the run begins a second time";
      return;
    }
    account_.started = &e;
    account_.began = at_;
  }
  void take(const RunResumed& e) {
    account_.resumes.push_back({at_, &e});
    account_.parked = nullptr;
  }
  void take(const RunParked& e) { account_.parked = &e; }
  void take(const Held& e) { account_.held = &e; }
  void take(const PlanTaken& e) {
    account_.taken.push_back({at_, &e});
    account_.ended = nullptr;  // it continues, and so do its phases
    account_.held = nullptr;
    account_.parked = nullptr;
    for (PhaseRun& phase : account_.phases) {
      if (!phase.complete) phase.to.reset();
    }
  }
  void take(const HumanAnswered& e) { account_.answers.emplace_back(at_, &e); }
  void take(const HumanStarted& e) { account_.humans.push_back({e.node, at_, {}, {}}); }
  void take(const HumanEnded& e) {
    for (HumanRun& human : account_.humans) {
      if (human.node != e.node || human.to) continue;
      human.to = at_;
      human.how = e.how;
    }
  }
  void take(const WindowClosed& e) { account_.closed_windows.emplace_back(at_, &e); }
  void take(const WindowAnswered& e) { account_.window_answers.emplace_back(at_, &e); }
  void take(const NotificationFailed& e) { account_.not_told.emplace_back(at_, &e); }
  void take(const RunEnded& e) {
    account_.ended = &e;
    account_.parked = nullptr;
  }
  void take(const HostConnected& e) { account_.hosts[e.host].remote_user = e.remote_user; }
  void take(const HostReconnected& e) { ++account_.hosts[e.host].reconnects; }
  void take(const PreflightProblem& e) { account_.problems.push_back(&e); }
  void take(const PhaseStarted& e) { account_.phases.push_back({e.phase, at_, {}, false}); }
  void take(const PhaseEnded& e) {
    for (auto phase = account_.phases.rbegin(); phase != account_.phases.rend(); ++phase) {
      if (phase->phase != e.phase || phase->to) continue;
      phase->to = at_;
      phase->complete = e.complete;
      return;
    }
  }
  void take(const WaitStarted& e) { account_.waits.push_back({e.node, e.until, at_, {}}); }
  void take(const WaitEnded& e) {
    for (WaitRun& wait : account_.waits) {
      if (wait.node == e.node && !wait.to) wait.to = at_;
    }
  }
  void take(const StepStarted& e) {
    StepRun& run = step_run(e.node, e.host, e.part);
    run.attempts = std::max(run.attempts, e.attempt);
  }
  void take(const StepEnded& e) {
    StepRun& run = step_run(e.node, e.host, e.part);
    run.to = at_;
    run.outcome = e.outcome;
    run.reason = e.reason;
  }
  void take(const ActionStarted& e) {
    if (!fits(e.node, e.action, e.part)) return;
    open_[e.task] = {};
    step_run(e.node, e.host, e.part).actions.push_back({e.action, e.task, at_, nullptr, {}});
  }
  void take(const Output& e) {
    const auto open = open_.find(e.task);
    if (open == open_.end()) return;  // of a preflight
    auto& stages = open->second;
    if (stages.empty() || (stages.back().stage != e.stage && stages.size() < kMaxStages)) {
      stages.push_back({e.stage, {}});
    }
    stages.back().text.add(e.bytes.raw());
  }
  void take(const ActionEnded& e) {
    if (!fits(e.node, e.action, e.part)) return;
    auto& actions = step_run(e.node, e.host, e.part).actions;
    auto action = std::find_if(actions.rbegin(), actions.rend(), [&](const ActionRun& a) {
      return a.task == e.task && a.action == e.action && a.end == nullptr;
    });
    // An action that was skipped, or found to depend on another, was never started.
    if (action == actions.rend()) {
      actions.push_back({e.action, e.task, at_ - e.took, nullptr, {}});
      action = actions.rbegin();
    }
    action->end = &e;
    const auto open = open_.find(e.task);
    if (open == open_.end()) return;
    if (is_bad(e.outcome)) action->output = std::move(open->second);
    open_.erase(open);
  }

  bool fits(NodeId node, std::uint32_t action, Part part) {
    const plan::Node& n = account_.plan->node(node);
    if (action < actions_of(n, part).size()) return true;
    problem_ = "the plan has no action " + std::to_string(action) + " in " + n.path;
    return false;
  }

  StepRun& step_run(NodeId node, HostIndex host, Part part) {
    const auto [place, fresh] = places_.try_emplace({node, part}, account_.steps.size());
    if (fresh) {
      const plan::Node& n = account_.plan->node(node);
      Step step;
      step.node = node;
      step.part = part;
      step.from = at_;
      if (part != Part::undo) {
        step.test = n.testing;
        step.expect = expected_of(account_, n.expect);
        step.past = plan::past_of(past_of(account_), node);
      }
      account_.steps.push_back(std::move(step));
    }
    Step& step = account_.steps[place->second];
    const auto [at, fresh_host] = runs_.try_emplace({node, part, host}, step.runs.size());
    if (fresh_host) {
      StepRun run;
      run.host = host;
      run.from = at_;
      step.runs.push_back(std::move(run));
    }
    return step.runs[at->second];
  }

  bool begun(NodeId node) const {
    return std::any_of(std::begin(kAhead), std::end(kAhead), [&](Part part) {
      return places_.contains({node, part});
    });
  }

  // What is known of a step once all is read.
  void finish(Step& step) {
    std::sort(step.runs.begin(), step.runs.end(),
              [](const StepRun& a, const StepRun& b) { return a.host < b.host; });
    std::optional<Instant> last = Instant{};
    for (StepRun& run : step.runs) {
      last = last && run.to ? std::optional(std::max(*last, *run.to)) : std::nullopt;
      for (ActionRun& action : run.actions) {
        const auto open = open_.find(action.task);
        if (action.end != nullptr || open == open_.end()) continue;
        action.output = std::move(open->second);
        open_.erase(open);
      }
    }
    step.to = last;
  }

  static constexpr std::array kAhead{Part::forward, Part::on_failure, Part::always, Part::handler,
                                     Part::rollback};

  Account account_;
  Instant at_{};
  std::uint64_t seq_ = 0;
  std::string problem_;
  std::map<std::pair<NodeId, Part>, std::size_t> places_;  // into account_.steps
  std::map<std::tuple<NodeId, Part, HostIndex>, std::size_t> runs_;
  std::map<std::uint64_t, std::vector<StageOutput>> open_;  // output of what has not ended, by task
};

}  // namespace

const char* name(State state) {
  switch (state) {
    case State::ended:
      return "ended";
    case State::running:
      return "running";
    case State::parked:
      return "parked";
    case State::interrupted:
      return "interrupted";
  }
  return "";
}

bool is_bad(Outcome outcome) {
  return outcome == Outcome::failed || outcome == Outcome::unreachable ||
         outcome == Outcome::unknown || outcome == Outcome::aborted;
}

bool is_dry(const Account& account) { return account.started->mode == events::Mode::check; }

std::optional<Duration> expected_of(const Account& account, const std::optional<Duration>& expect) {
  return is_dry(account) ? std::nullopt : expect;
}

const plan::Past* past_of(const Account& account) {
  const auto& past = account.started->past;
  return past && !past->steps.empty() && !is_dry(account) ? &*past : nullptr;
}

Duration took(const Account& account, Instant from, const std::optional<Instant>& to) {
  return std::max(Duration{0}, to.value_or(account.until) - from);
}

Result<Account> account_of(const plan::Plan& plan, const std::vector<Event>& record, About about) {
  Reader reader(plan, std::move(about));
  if (auto status = reader.read(record); !status) return status.error();
  return reader.finish();
}

}  // namespace cnplay::report

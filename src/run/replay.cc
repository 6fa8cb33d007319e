#include "run/replay.h"

#include <algorithm>
#include <tuple>
#include <type_traits>

#include "events/about.h"

namespace cnplay::run {

using namespace events;  // all that this is about

namespace {

// What makes an event the same one, whenever it happens: its type, and what it is about. Absent:
// it is no part of the story.
template <class E>
auto about(const E& e) {
  if constexpr (std::is_same_v<E, PhaseStarted>) {
    return std::tuple(e.phase);
  } else if constexpr (std::is_same_v<E, RunContinued>) {
    return std::tuple(e.without);
  } else if constexpr (std::is_same_v<E, PhaseEnded>) {
    return std::tuple(e.phase, e.complete);
  } else if constexpr (std::is_same_v<E, StepStarted>) {
    return std::tuple(e.node, e.host, e.part, e.attempt);
  } else if constexpr (std::is_same_v<E, ActionStarted>) {
    return std::tuple(e.node, e.host, e.action, e.part, e.task);
  } else if constexpr (std::is_same_v<E, ActionEnded>) {
    return std::tuple(e.node, e.host, e.action, e.part, e.task, e.outcome);
  } else if constexpr (std::is_same_v<E, RanAhead>) {
    return std::tuple(e.node, e.host, e.action, e.task);
  } else if constexpr (std::is_same_v<E, RetryScheduled>) {
    return std::tuple(e.node, e.host, e.attempt);
  } else if constexpr (std::is_same_v<E, StepEnded>) {
    return std::tuple(e.node, e.host, e.part, e.outcome);
  } else if constexpr (std::is_same_v<E, BarrierPassed> || std::is_same_v<E, WaitStarted> ||
                       std::is_same_v<E, WaitEnded> || std::is_same_v<E, Pivoted> ||
                       std::is_same_v<E, FailureDeclared>) {
    return std::tuple(e.node);
  } else if constexpr (std::is_same_v<E, AssertionChecked>) {
    return std::tuple(e.node, e.how);
  } else if constexpr (std::is_same_v<E, HumanStarted>) {
    return std::tuple(e.node);
  } else if constexpr (std::is_same_v<E, HumanAnswered>) {
    return std::tuple(e.node, e.user, e.yes);
  } else if constexpr (std::is_same_v<E, HumanEnded>) {
    return std::tuple(e.node, e.how);
  } else if constexpr (std::is_same_v<E, StepChosen>) {
    return std::tuple(e.node, e.choice);
  } else if constexpr (std::is_same_v<E, UndoStarted>) {
    return std::tuple(e.nodes);
  } else if constexpr (std::is_same_v<E, UndoEnded>) {
    return std::tuple(e.complete);
  } else if constexpr (std::is_same_v<E, Held>) {
    return std::tuple(true);  // its text may have been redacted
  } else if constexpr (std::is_same_v<E, RollbackOffered>) {
    return std::tuple(e.name);
  } else if constexpr (std::is_same_v<E, DeadlinePassed>) {
    return std::tuple(e.phase, e.rollback);
  } else if constexpr (std::is_same_v<E, WindowClosed>) {
    return std::tuple(e.past_pivot);
  } else if constexpr (std::is_same_v<E, WindowAnswered>) {
    return std::tuple(e.choice);
  } else if constexpr (std::is_same_v<E, RollbackStarted>) {
    return std::tuple(e.name);
  } else if constexpr (std::is_same_v<E, RollbackEnded>) {
    return std::tuple(e.name, e.complete);
  } else if constexpr (std::is_same_v<E, AbortRequested>) {
    return std::tuple(e.times);
  } else if constexpr (std::is_same_v<E, HostLost>) {
    return std::tuple(e.host);
  }
}

template <class E>
constexpr bool kInStory = !std::is_void_v<decltype(about(std::declval<const E&>()))>;

bool in_story(const Event& event) {
  return std::visit([]<class E>(const E&) { return kInStory<E>; }, event.what);
}

bool same(const Event& a, const Event& b) {
  return std::visit(
      [&]<class E>(const E& e) {
        const E* other = std::get_if<E>(&b.what);
        if constexpr (kInStory<E>) return other != nullptr && about(e) == about(*other);
        return false;
      },
      a.what);
}

}  // namespace

Replay::Replay(const plan::Plan& plan, const std::vector<Event>* record)
    : plan_(plan),
      record_(record),
      story_(plan),
      hosts_(plan.hosts.size()),
      boots_(plan.hosts.size()) {
  if (record_ == nullptr) return;
  for (const Event& event : *record_) read(event);
  // Hosts that a later plan has added: the run meets them where it goes on.
  const auto* first = record_->empty() ? nullptr : std::get_if<RunStarted>(&record_->front().what);
  if (!begun_ || first == nullptr) return;
  const std::set<std::string> named(first->hosts.begin(), first->hosts.end());
  for (plan::HostIndex h = 0; h < hosts_.size(); ++h) {
    if (!named.contains(plan.hosts[h].name)) hosts_[h].connected = true;
  }
}

void Replay::read(const Event& event) {
  latest_ = std::max(latest_, event.at);
  if (std::holds_alternative<PlanTaken>(event.what)) return go_forward_again();
  ended_ = ended_ || std::holds_alternative<RunEnded>(event.what);
  const auto* connected = std::get_if<HostConnected>(&event.what);
  const auto* anew = std::get_if<HostReconnected>(&event.what);
  if (connected != nullptr) boots_.at(connected->host) = connected->boot_id;
  if (anew != nullptr) boots_.at(anew->host) = anew->boot_id;
  if (const auto* action = std::get_if<ActionStarted>(&event.what)) {
    last_task_ = std::max(last_task_, action->task);
    boot_ids_.emplace(action->task, boots_.at(action->host));
    const auto& actions = actions_of(plan_.node(action->node), action->part);
    const bool restarts = !actions.at(action->action).reboots.empty();
    if (restarts) host_reboots_.insert_or_assign(action->host, HostReboot{action, event.at});
    std::erase_if(ahead_, [&](const SentAhead& sent) {
      return sent.node == action->node && sent.host == action->host &&
             sent.action == action->action && action->part == Part::forward;
    });
  }
  if (const auto* sent = std::get_if<SentAhead>(&event.what)) {
    last_task_ = std::max(last_task_, sent->task);
    boot_ids_.emplace(sent->task, boots_.at(sent->host));
    ahead_.push_back(*sent);
  }
  const auto* ran = std::get_if<RanAhead>(&event.what);
  if (ran != nullptr) {
    std::erase_if(ahead_, [&](const SentAhead& sent) { return sent.task == ran->task; });
  }
  if (std::holds_alternative<RunStarted>(event.what) ||
      std::holds_alternative<RunResumed>(event.what)) {
    in_preflight_ = true;
    asked_for_.reset();
    if (const auto* resumed = std::get_if<RunResumed>(&event.what)) asked_for_ = resumed->from;
    if (!begun_) hosts_.assign(hosts_.size(), {});
  }
  const auto look_for_secrets = [&](const auto& values, const char* what) {
    for (const auto& [name, value] : values) {
      if (value.raw().find("[secret ") == std::string::npos) continue;
      problem_ =
          "the " + std::string(what) + " `" + name + "` of event " + std::to_string(event.seq) +
          " holds a secret, and secrets are not recorded: later steps would read a wrong value";
    }
  };
  if (const auto* ended = std::get_if<ActionEnded>(&event.what)) {
    const auto restart = host_reboots_.find(ended->host);
    if (restart != host_reboots_.end() && restart->second.began->task == ended->task) {
      host_reboots_.erase(restart);
    }
    look_for_secrets(ended->facts, "fact");
  }
  if (ran != nullptr) look_for_secrets(ran->facts, "fact");
  const auto* answered = std::get_if<HumanAnswered>(&event.what);
  if (answered != nullptr) look_for_secrets(answered->values, "answer");
  // People answer without a controller as well, wherever the last one stopped.
  if (!in_preflight_ || answered != nullptr) {
    if (in_story(event)) story_.add(event);
    return;
  }
  if (const auto* ended = std::get_if<PreflightEnded>(&event.what)) {
    in_preflight_ = false;
    begun_ = begun_ || ended->ok;
    if (ended->ok && asked_for_) story_.rerun_from(*asked_for_);
  }
  if (begun_) return;  // of a later controller: it looked whether all is still there
  if (connected != nullptr)
    hosts_.at(connected->host) = {.connected = true, .failed = false, .why = {}};
  if (const auto* e = std::get_if<HostUnreachable>(&event.what))
    hosts_.at(e->host).why = e->message;
  if (const auto* e = std::get_if<HostLost>(&event.what)) {
    hosts_.at(e->host).connected = false;
    hosts_.at(e->host).why = e->message;
  }
  if (const auto* e = std::get_if<PreflightProblem>(&event.what); e && e->host) {
    hosts_.at(*e->host).failed = true;
  }
}

void Replay::go_forward_again() {
  if (begun_) story_.go_forward_again();  // else it begins from its beginning
  if (begun_ && ended_) ahead_.clear();   // each had ended, or was never begun
  ended_ = false;
}

bool Replay::defers(plan::NodeId node, std::optional<plan::HostIndex> host, bool live) const {
  return story_.defers(node, host, live, running_ ? std::optional(at_) : std::nullopt);
}

std::optional<std::vector<const ActionEnded*>> Replay::take_rerun() {
  if (!running_ || !problem_.empty()) return std::nullopt;
  return story_.take_rerun(at_);
}

std::uint64_t Replay::last_seq() const { return record_ == nullptr ? 0 : record_->back().seq; }

std::optional<Replay::HostReboot> Replay::rebooting(plan::HostIndex host) const {
  const auto it = host_reboots_.find(host);
  return it == host_reboots_.end() ? std::nullopt : std::optional(it->second);
}

std::string Replay::boot_id(remote::TaskId task) const {
  const auto it = boot_ids_.find(task);
  return it == boot_ids_.end() ? std::string() : it->second;
}

std::optional<std::vector<plan::HostIndex>> Replay::pass_seam() {
  if (const auto* earlier = upcoming<RunContinued>()) {
    ++at_;
    return earlier->without;
  }
  continued_ = true;
  return std::nullopt;
}

bool Replay::follow(const Event& event) {
  if (!active() || !in_story(event)) return true;
  // A story may leave events out, and so the seam may come early.
  while (upcoming<RunContinued>() != nullptr) ++at_;
  if (!active()) return false;
  if (same(event, story_[at_])) {
    ++at_;
    return true;
  }
  if (is_unrecorded_flush(event)) return true;
  problem_ = "event " + std::to_string(story_[at_].seq) +
             " of the record does not follow from the program: it was run by another version, with "
             "other options, or changed";
  return true;
}

// Former versions recorded no event for a flush.
bool Replay::is_unrecorded_flush(const Event& event) const {
  const auto* passed = std::get_if<BarrierPassed>(&event.what);
  if (passed == nullptr || plan_.node(passed->node).kind != plan::NodeKind::flush) return false;
  return std::ranges::none_of(story_.events(), [&](const Event* e) { return same(event, *e); });
}

std::optional<remote::Event> Replay::next() const {
  if (const auto* lost = upcoming<HostLost>()) return remote::HostLost{lost->host, lost->message};
  if (const auto* ended = upcoming<ActionEnded>(); ended != nullptr && ended->task != 0) {
    remote::TaskEnded event;
    event.task = ended->task;
    event.host = ended->host;
    event.result.ended = remote::Ended::finished;
    event.result.facts = ended->facts;
    return event;
  }
  if (const auto* ran = upcoming<RanAhead>()) {
    remote::TaskEnded event;
    event.task = ran->task;
    event.host = ran->host;
    event.result.ended = remote::Ended::finished;
    event.result.facts = ran->facts;
    return event;
  }
  return std::nullopt;
}

const RanAhead* Replay::ran_ahead(remote::TaskId task) const {
  const auto* next = upcoming<RanAhead>();
  return next != nullptr && next->task == task ? next : nullptr;
}

std::vector<SentAhead> Replay::on_their_way() const { return ahead_; }

void Replay::idle() {
  if (!active()) return;
  if (at_ != idle_at_) idle_ = 0;
  idle_at_ = at_;
  // One round of the runner's loop may only prepare the next one.
  constexpr unsigned kRounds = 3;
  if (++idle_ > kRounds) end();
}

void Replay::end() {
  if (!active()) return;
  problem_ = "nothing in the program leads to event " + std::to_string(story_[at_].seq) +
             " of the record: it was run by another version, with other options, or changed";
}

remote::TaskId Replay::task(const ActionStarted& e) const {
  const auto* next = upcoming<ActionStarted>();
  const bool is = next != nullptr && next->node == e.node && next->host == e.host &&
                  next->action == e.action && next->part == e.part;
  return is ? next->task : 0;
}

const ActionEnded* Replay::ended(remote::TaskId task) const {
  const auto* next = upcoming<ActionEnded>();
  return next != nullptr && next->task == task ? next : nullptr;
}

bool Replay::out_of_time(plan::NodeId node, plan::HostIndex host) const {
  if (const auto* end = upcoming<StepEnded>()) return end->node == node && end->host == host;
  const auto* retry = upcoming<RetryScheduled>();
  return retry != nullptr && retry->node == node && retry->host == host;
}

std::optional<Replay::StepDue> Replay::due() const {
  if (const auto* began = upcoming<StepStarted>(); began != nullptr && began->attempt > 1) {
    return StepDue{began->node, began->host, began->attempt};
  }
  if (const auto* end = upcoming<StepEnded>()) return StepDue{end->node, end->host, 0};
  if (const auto* retry = upcoming<RetryScheduled>()) return StepDue{retry->node, retry->host, 0};
  return std::nullopt;
}

const WaitEnded* Replay::wait_ended(plan::NodeId node) const {
  const auto* next = upcoming<WaitEnded>();
  return next != nullptr && next->node == node ? next : nullptr;
}

bool Replay::fails_at(plan::NodeId node) const {
  const auto* declared = upcoming<FailureDeclared>();
  return upcoming<RollbackEnded>() != nullptr || (declared != nullptr && declared->node == node);
}

const DeadlinePassed* Replay::deadline_passed() const { return upcoming<DeadlinePassed>(); }

const WindowClosed* Replay::window_closed() const { return upcoming<WindowClosed>(); }

std::optional<AtWindow> Replay::at_window() const {
  const auto* next = upcoming<WindowAnswered>();
  return next != nullptr ? std::optional(next->choice) : std::nullopt;
}

const HumanAnswered* Replay::answered(plan::NodeId node) const {
  const auto* next = upcoming<HumanAnswered>();
  return next != nullptr && next->node == node ? next : nullptr;
}

std::optional<Time> Replay::until(plan::NodeId node) const {
  const auto* next = upcoming<HumanStarted>();
  return next != nullptr && next->node == node ? next->until : std::nullopt;
}

std::optional<HumanEnd> Replay::time_over(plan::NodeId node) const {
  const auto* next = upcoming<HumanEnded>();
  const bool over = next != nullptr && next->node == node &&
                    (next->how == HumanEnd::fell_back || next->how == HumanEnd::timed_out);
  return over ? std::optional(next->how) : std::nullopt;
}

std::optional<Choice> Replay::chosen(plan::NodeId node) const {
  const auto* next = upcoming<StepChosen>();
  return next != nullptr && next->node == node ? std::optional(next->choice) : std::nullopt;
}

int Replay::aborts(int so_far) const {
  const auto* abort = upcoming<AbortRequested>();
  return abort != nullptr && abort->times == so_far + 1 ? so_far + 1 : so_far;
}

}  // namespace cnplay::run

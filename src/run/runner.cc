#include "run/runner.h"

#include <algorithm>
#include <utility>

#include "run/parking.h"
#include "run/recall.h"
#include "run/undo_left.h"

namespace cnplay::run {
namespace {

constexpr int kMostAtOnce = 1000;  // events between two looks outside
// Output of tasks that were sent ahead: with more, the run first comes to them, and hands it on.
constexpr std::size_t kMostKept = 256 * 1024;

}  // namespace

Runner::Runner(const plan::Plan& plan, remote::Hosts& hosts, events::Sink& sink, Clock& clock,
               const Options& options, std::atomic<int>& abort_requests)
    : context_(plan, hosts, sink, clock, options),
      abort_requests_(abort_requests),
      undo_(context_.plan),
      steps_(context_, undo_),
      summary_(context_),
      section_(context_, steps_, undo_, summary_, ending_,
               [this] {
                 abort_requests_.fetch_add(1);
                 look_outside();
               }),
      recovery_(context_, undo_, ending_, section_, [this] { drive(); }),
      last_tick_(clock.steady()) {}

RunResult Runner::run(bool only_preflight) {
  const plan::Plan& plan = context_.plan;
  const Options& options = context_.options;
  if (context_.replay.resumed()) {
    if (!context_.replay.problem().empty()) return finish();
    events::RunResumed resumed{options.user, options.controller, options.from, std::nullopt};
    if (!options.changed.empty()) resumed.changed = options.changed;
    if (plan::find_local(plan)) resumed.machine = options.machine;
    context_.emit(std::move(resumed));
    ending_.only_preflight = only_preflight;
    if (options.end_here && !context_.replay.started()) {
      ending_.aborted = true;
      ending_.preflight = events::Verdict::aborted;
      return finish();
    }
    if (!look_before(only_preflight)) {
      if (!context_.replay.started()) return finish();
      return not_resumed("the run lacks something that it needs to continue",
                         "fix it and resume again; or continue without a host: --without HOST");
    }
    return go();
  }
  events::RunStarted started;
  started.run = options.run_id;
  started.play = plan.play;
  started.title = plan.title;
  started.inventory = plan.inventory;
  started.user = options.user;
  started.controller = options.controller;
  started.plan_hash = plan::hash(plan);
  started.program_hash = plan.program_hash;
  started.mode = options.mode;
  started.now = options.now.at;
  for (const plan::Host& host : plan.hosts) started.hosts.push_back(host.name);
  if (options.forks > 0) started.forks = options.forks;
  if (only_preflight) started.only_preflight = true;
  if (!only_preflight) started.past = options.past;
  if (options.way_back != nullptr) {
    started.rollback = options.way_back->rollback;
    started.rollback_of = options.way_back->of;
  }
  started.incident = options.incident;
  started.reviewed = options.reviewed;
  if (options.stepwise) started.stepwise = true;
  if (!options.inside.empty()) started.inside = options.inside.front();
  if (plan::find_local(plan)) started.machine = options.machine;
  context_.emit(std::move(started));

  ending_.only_preflight = only_preflight;
  if (!look_before(only_preflight) || only_preflight) return finish();
  return go();
}

RunResult Runner::go() {
  if (context_.options.way_back != nullptr) return go_back();
  section_.open_main();
  drive();
  section_.close_main();
  if (section_.begin_handlers()) drive();
  if (ending_.failed_at && !ending_.aborted && !ending_.sick && !context_.dry()) {
    recovery_.respond();
  }
  if (ending_.is_parked() && context_.replay.problem().empty()) return parked();
  const bool back =
      (ending_.undo_ran && ending_.undo_complete && !undo_.left_all()) || ending_.rollback_complete;
  summary_.close_phases(back);
  run_always_sections();
  summary_.close_phases(back);
  return finish();
}

// A run that rolls back or undoes another one.
RunResult Runner::go_back() {
  const WayBack& way = *context_.options.way_back;
  const plan::Plan& recorded = way.recorded != nullptr ? *way.recorded : context_.plan;
  recall(context_.plan, recorded, *way.record, context_.facts);
  if (way.undo()) {
    recall_undo(context_.plan, recorded, *way.record, way.undone, undo_);
    section_.reset();
    recovery_.undo_all();
    summary_.close_phases(ending_.undo_complete);
    return finish();
  }
  recovery_.roll_back(*plan::find_rollback(context_.plan, way.rollback));
  if (ending_.is_parked() && context_.replay.problem().empty()) return parked();
  summary_.close_phases(ending_.rollback_complete);
  return finish();
}

// Whatever happened before.
void Runner::run_always_sections() {
  for (const plan::Section& section : context_.plan.sections) {
    if (section.kind != plan::SectionKind::always || section.nodes.empty()) continue;
    if (aborts_ >= 2 || ending_.sick) return;
    section_.reset();
    recovery_.run_section(section, events::Part::always);
  }
}

RunResult Runner::parked() {
  events::RunParked parked = parked_event(context_, *ending_.parked, summary_.in_outage());
  RunResult result{events::Verdict::parked, parked.advice, std::nullopt, false};
  context_.emit(std::move(parked));
  return result;
}

Status Runner::follow() {
  only_follows_ = true;
  // Nothing of it is sent.
  context_.secrets.assign(context_.plan.secrets.size(), Secret("0"));
  if (context_.replay.started()) {
    begin_record();
    section_.count_missing_hosts();
    go();
  }
  if (context_.replay.problem().empty()) return {};
  return fail(context_.replay.problem());
}

RunResult Runner::not_resumed(std::string what, std::string help) const {
  RunResult result;
  result.verdict = ending_.aborted ? events::Verdict::aborted : events::Verdict::refused;
  result.not_resumed = fail(std::move(what), std::move(help));
  return result;
}

RunResult Runner::finish() {
  context_.replay.end();  // a problem, if something is left of the record
  if (!context_.replay.problem().empty()) {
    return not_resumed(context_.replay.problem(),
                       "finish it by hand: `cnplay show` says how far it came");
  }
  events::RunEnded ended = summary_.build(ending_, undo_);
  if (section_.partial()) ended.partial = true;
  RunResult result{ended.verdict, ended.advice, std::nullopt, true};
  context_.emit(std::move(ended));
  return result;
}

bool Runner::look_before(bool only_preflight) {
  Preflight preflight(context_, only_preflight, context_.replay.started());
  if (preflight.look_here()) {
    preflight.look_there();
    while (!preflight.done()) {
      look_outside();
      if (ending_.aborted || ending_.sick) {
        preflight.cancel();
        break;
      }
      if (auto event = context_.remote.next(context_.options.tick)) {
        preflight.take(*std::move(event));
      }
    }
  }
  const Preflight::Answer answer = preflight.answer();
  if (answer == Preflight::Answer::go && context_.replay.started()) begin_record();
  section_.count_missing_hosts();
  if (answer == Preflight::Answer::go) return true;
  ending_.preflight = ending_.aborted                            ? events::Verdict::aborted
                      : answer == Preflight::Answer::unreachable ? events::Verdict::unreachable
                                                                 : events::Verdict::refused;
  return false;
}

// The one loop, as in ninja's Builder::Build: start what is ready, then take what has ended. It
// returns when nothing is in flight and nothing can be started: the section at hand is through, or
// the run has stopped.
void Runner::drive() {
  for (;;) {
    if (!context_.replay.problem().empty()) return;
    if (only_follows_ && context_.replay.over()) return;
    section_.begin_reruns();
    while (context_.replay.at_seam()) pass_seam();
    look_outside();
    section_.take_ended_steps();
    section_.check_deadlines();
    section_.check_window();
    section_.start_ready();
    section_.ask_before_steps();
    // Steps that were skipped have ended already, and others may be ready for it.
    if (section_.take_ended_steps()) continue;
    if (context_.replay.window_closed() != nullptr) continue;
    send_intents();
    if (steps_.count() > 0 || steps_.withdrawing() || section_.waits()) {
      wait_and_take();
    } else if (auto event = next_event(Duration{0})) {
      // What has come already counts before the run turns to other work: a host whose last task
      // was lost is reported as lost right after it.
      take(*std::move(event));
    } else if (!context_.replay.at_seam()) {
      break;
    }
  }
  work_ = std::max(work_, section_.work());
}

// One write to disk for all that has become ready since the last one, over all hosts.
void Runner::send_intents() {
  if (context_.intents.empty()) return;
  const Status durable = context_.sink.commit();
  if (durable) {
    for (const auto& [host, task] : std::exchange(context_.results, {})) {
      context_.remote.on_record(host, task);
    }
  }
  const std::vector<remote::TaskId> withdrawn = std::exchange(context_.withdrawn, {});
  for (remote::Task& task : std::exchange(context_.intents, {})) {
    if (!steps_.awaits(task.id)) continue;  // given up
    const bool cancelled =
        std::find(withdrawn.begin(), withdrawn.end(), task.id) != withdrawn.end();
    if (durable && !cancelled) {
      context_.remote.start(std::move(task));
      continue;
    }
    remote::TaskEnded ended;
    ended.task = task.id;
    ended.host = task.host;
    ended.result.ended = cancelled ? remote::Ended::cancelled : remote::Ended::not_started;
    if (!durable) ended.result.error = "the run can no longer be recorded";
    steps_.task_ended(std::move(ended));
  }
}

// What comes from outside of the hosts: a person's Ctrl-C, a sink that lost an event.
void Runner::look_outside() {
  const Duration now = context_.clock.steady();
  if (!context_.replay.active() && now - last_tick_ >= context_.options.tick) {
    last_tick_ = now;
    context_.sink.tick(context_.clock.now());
  }
  if (!ending_.sick) {
    if (const Status healthy = context_.sink.healthy(); !healthy) {
      ending_.sick = healthy.error();
      section_.stop();
      steps_.halt("the run can no longer be recorded");
    }
  }
  const int asked = context_.replay.active() ? context_.replay.aborts(aborts_)
                                             : aborts_before_ + abort_requests_.load();
  if (ending_.parked && ending_.parked->at == Parked::At::wait) return;
  // Ctrl-C while the run only waits, or a terminal that is closed: the run is parked.
  if (aborts_ < asked && section_.only_waits()) return section_.leave_wait();
  while (aborts_ < asked) {
    ++aborts_;
    ending_.aborted = true;
    context_.emit(events::AbortRequested{aborts_});
    // An abort runs the `always` sections anyway: the first request does not stop them.
    if (aborts_ == 1 && section_.part() != events::Part::always) section_.stop();
    if (aborts_ == 2) {
      section_.stop();
      steps_.kill("killed on request");
    }
    if (aborts_ > 2) steps_.give_up();
  }
}

void Runner::wait_and_take() {
  const Duration now = context_.clock.steady();
  Duration wait = context_.options.tick;
  if (const auto timer = steps_.next_timer()) wait = std::min(wait, *timer - now);
  wait = std::min(wait, section_.until_next());
  if (auto event = next_event(std::max(wait, Duration{0}))) {
    std::size_t kept = take(*std::move(event));
    // What has come meanwhile from other hosts shares the next commit.
    for (int more = 0; more < kMostAtOnce && kept < kMostKept; ++more) {
      event = next_event(Duration{0});
      if (!event) break;
      kept += take(*std::move(event));
    }
  } else if (!context_.replay.active()) {
    context_.sink.tick(context_.clock.now());
    last_tick_ = context_.clock.steady();
  }
  // First the hosts are what they are now (pass_seam).
  if (context_.replay.at_seam()) return;
  // On record it came before whatever else was due.
  if (context_.replay.deadline_passed() != nullptr) return context_.replay.idle();
  if (context_.replay.window_closed() != nullptr) return;
  steps_.fire_timers();
  section_.check_people_and_time();
  context_.replay.idle();
}

// Of the hosts; or of the record, as long as there is one to follow.
std::optional<remote::Event> Runner::next_event(Duration wait) {
  if (!context_.replay.active()) {
    // Between the record's last event and the first one of today stands what it left in flight.
    if (context_.replay.at_seam()) return std::nullopt;
    if (auto early = steps_.take_early()) return early;
    return context_.remote.next(wait);
  }
  return context_.replay.next();
}

// The run begins once more, as it began: with the hosts that it had then.
void Runner::begin_record() {
  reached_ = std::exchange(context_.hosts, context_.replay.hosts());
  summary_.began(context_.clock.steady_at(context_.replay.began()));
  for (const events::SentAhead& sent : context_.replay.on_their_way()) steps_.expect_ahead(sent);
  if (context_.options.from) context_.replay.rerun_from(*context_.options.from);
  context_.replay.begin();
}

// Of an earlier controller: what became of the hosts that it had not reached comes before all else,
// as it did then (end_record).
void Runner::pass_seam() {
  const auto without = context_.replay.pass_seam();
  if (!without) return end_record();
  const auto is_of_them = [&](const remote::Event& event) {
    const auto* ended = std::get_if<remote::TaskEnded>(&event);
    const auto* lost = std::get_if<remote::HostLost>(&event);
    return (ended != nullptr && std::ranges::find(*without, ended->host) != without->end()) ||
           (lost != nullptr && std::ranges::find(*without, lost->host) != without->end());
  };
  for (auto event = context_.replay.next(); event && is_of_them(*event);
       event = context_.replay.next()) {
    const std::size_t at = context_.replay.at();
    take(*std::move(event));
    if (context_.replay.at() == at) break;  // it does not fit: found by whatever comes next
  }
}

// The run stands where it was cut off. What was in flight is started under its ids, on the hosts
// that are there; the others are lost now.
void Runner::end_record() {
  events::RunContinued continued;
  for (plan::HostIndex h = 0; h < context_.hosts.size(); ++h) {
    if (context_.hosts[h].connected && !reached_[h].connected) continued.without.push_back(h);
  }
  context_.emit(std::move(continued));
  summary_.taken_up(context_.clock.steady());
  aborts_before_ = aborts_;
  steps_.continue_for_real();
  std::vector<remote::TaskEnded> lost;
  for (auto& [id, task] : std::exchange(context_.unsettled, {})) {
    if (!steps_.awaits(id)) continue;
    if (reached_[task.host].connected) {
      task.sent_under = context_.replay.boot_id(id);
      context_.start(std::move(task));
      continue;
    }
    remote::TaskEnded& ended = lost.emplace_back();
    ended.task = id;
    ended.host = task.host;
    ended.result.ended = remote::Ended::lost;
    ended.result.error = "the run continued without " + context_.name(task.host);
    ended.result.apply_possible = task.mode == remote::Mode::apply && !task.apply.empty();
  }
  for (remote::TaskEnded& ended : lost) steps_.task_ended(std::move(ended));
  steps_.hand_over_ahead(reached_);
  for (plan::HostIndex h = 0; h < context_.hosts.size(); ++h) {
    if (context_.hosts[h].connected && !reached_[h].connected) {
      section_.host_lost({h, "the run continued without it"});
    }
  }
  // What answers a failure comes to its end by itself.
  if (!context_.options.end_here || ending_.failed_at || ending_.aborted) return;
  ending_.aborted = true;
  aborts_before_ = ++aborts_;
  context_.emit(events::AbortRequested{aborts_});
  if (section_.part() != events::Part::always) section_.stop();
}

// Returns how many bytes of it are kept until the run comes to their task.
std::size_t Runner::take(remote::Event event) {
  if (auto* ended = std::get_if<remote::TaskEnded>(&event)) {
    steps_.task_ended(std::move(*ended));
  } else if (auto* output = std::get_if<remote::TaskOutput>(&event)) {
    return steps_.output(std::move(*output));
  } else if (const auto* progress = std::get_if<remote::TaskProgress>(&event)) {
    steps_.progress(*progress);
  } else if (const auto* lost = std::get_if<remote::HostLost>(&event)) {
    section_.host_lost(*lost);
  } else if (const auto* broken = std::get_if<remote::HostReconnecting>(&event)) {
    context_.emit(events::HostReconnecting{broken->host, broken->message});
  } else if (const auto* anew = std::get_if<remote::HostReconnected>(&event)) {
    context_.emit(events::HostReconnected{anew->host, anew->boot_id});
  } else if (const auto* lock = std::get_if<remote::LockEnded>(&event)) {
    lock_lost(*lock);
  }
  // The rest belongs to the preflight, or only woke the loop.
  return 0;
}

// Somebody else may be at work there now: what is in flight ends, nothing more starts.
void Runner::lock_lost(const remote::LockEnded& lock) {
  if (lock.acquired) return;
  context_.emit.notice(
      "the lock \"" + lock.name + "\" on " + context_.name(lock.host) +
      " was lost, the run stops: " +
      (lock.error.empty() ? "it is held by " + lock.holder.display(200) : lock.error));
  if (aborts_ == aborts_before_) abort_requests_.fetch_add(1);
}

RunResult run(const plan::Plan& plan, remote::Hosts& hosts, events::Sink& sink, Clock& clock,
              const Options& options, std::atomic<int>& abort_requests) {
  return Runner(plan, hosts, sink, clock, options, abort_requests).run(false);
}

RunResult preflight(const plan::Plan& plan, remote::Hosts& hosts, events::Sink& sink, Clock& clock,
                    const Options& options, std::atomic<int>& abort_requests) {
  return Runner(plan, hosts, sink, clock, options, abort_requests).run(true);
}

}  // namespace cnplay::run

// What happened in a run, as facts: one variant, told to sinks as it happens. Nobody who emits
// an event knows who listens.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/text.h"
#include "base/units.h"
#include "plan/plan.h"
#include "plan/prediction.h"

namespace cnplay::events {

using plan::HostIndex;
using plan::NodeId;

// `would_change`, `would_run` and `depends` occur in a dry run only.
enum class Outcome {
  ok,
  changed,
  skipped,
  failed,
  unreachable,
  unknown,
  aborted,
  would_change,
  would_run,
  depends
};
const char* name(Outcome outcome);
std::optional<Outcome> outcome_of(std::string_view name);

enum class Mode { apply, check };
const char* name(Mode mode);
enum class Stage { check, apply, verify, preview, preflight };
const char* name(Stage stage);
enum class Stream { out, err };

struct RunStarted {
  std::string run;                                       // id: 20261120-213005-update_code-4f2a
  std::string play, title, inventory, user, controller;  // who, and on which machine
  std::string plan_hash, program_hash;
  Mode mode{};
  Instant now{};  // the run's fixed `now`
  std::vector<std::string> hosts;
  std::optional<std::uint32_t> forks{};  // hosts that work at once, if limited
  std::optional<bool> only_preflight{};  // no run was to follow
  std::optional<plan::Past> past{};      // what past runs took, as far as it was known then
  // It carries out this rollback of the plan, and nothing else, for a run that has ended.
  std::optional<std::string> rollback{}, rollback_of{};
  std::optional<std::string> incident{};  // the ticket for which requirements are not held
  std::optional<bool> stepwise{};         // a person is asked before each step
  // A task of that run has started this one, which so shares the locks that it holds.
  std::optional<std::string> inside{};
  // It carries out a reviewed plan: when the plan's file was written, and by whom.
  std::optional<std::string> reviewed{};
  // Of a plan with `local`: the controller's machine id, where the claims of its tasks are.
  std::optional<std::string> machine{};
};
// Another controller goes on with a run whose own was cut off. What is recorded before it stays as
// it is; what follows is new.
struct RunResumed {
  std::string user, controller;
  // What was done from this point of the graph on is done again; its events before this count no
  // more.
  std::optional<NodeId> from{};
  // What has changed in the play since: the run goes on with its recorded plan all the same.
  std::optional<std::vector<std::string>> changed{};
  std::optional<std::string> machine{};  // as in RunStarted
};
// A later controller has replayed the record to its end, and acts from here on. Between the last
// event of the earlier controller and this one stands only what follows from that event.
struct RunContinued {
  std::vector<HostIndex> without;  // hosts that the earlier controller had, and this one has not
};
// A run goes forward once more, by a plan that may be another one than before: what of the record
// was about its failure, and what answered that, counts no more. A RunResumed follows.
struct PlanTaken {
  std::string user, controller;
  std::string before, after;         // hashes of the plans; the same where nothing had changed
  std::string file;                  // of the run's directory: the plan that holds from here on
  std::vector<std::string> changes;  // for people, one line each
};
struct HostConnecting {
  HostIndex host{};
};
struct HostConnected {
  HostIndex host{};
  std::string remote_user;
  std::string boot_id;
};
struct HostUnreachable {
  HostIndex host{};
  std::string message;
  std::string help;
};
// The connection broke, and is being made anew; tasks in flight go on on the host.
struct HostReconnecting {
  HostIndex host{};
  std::string message;
};
struct HostReconnected {
  HostIndex host{};
  std::string boot_id;
};
// The connection died after it had stood. Tasks in flight end on their own, as unknown.
struct HostLost {
  HostIndex host{};
  std::string message;
};
struct PreflightStarted {};
struct PreflightProblem {
  std::optional<HostIndex> host;
  std::string message;
  std::string help;
  std::optional<bool> lock{};  // a lock could not be taken: the host itself lacks nothing
};
struct PreflightEnded {
  bool ok{};
  Duration took{};
  // Hosts with a problem that `tolerate` allows for: the run continues without them.
  std::optional<std::uint32_t> left_out{};
};
struct PhaseStarted {
  std::uint32_t phase{};
};
struct PhaseEnded {
  std::uint32_t phase{};
  Duration took{};
  bool complete{};
};
// What part of the run a step belongs to.
enum class Part { forward, handler, undo, on_failure, always, rollback };
const char* name(Part part);
struct StepStarted {
  NodeId node{};
  HostIndex host{};
  Part part{};
  std::uint32_t attempt = 1;
};
struct ActionStarted {
  NodeId node{};
  HostIndex host{};
  std::uint32_t action{};
  Part part{};
  std::uint64_t task{};
};
// The task goes to its host before the run has come to it: the host begins it when the one that was
// sent before it has ended well. Its ActionStarted follows once the run is there.
struct SentAhead {
  NodeId node{};
  HostIndex host{};
  std::uint32_t action{};
  std::uint64_t task{};
};
// One that was sent ahead had begun on its host when the run stopped short of it.
struct RanAhead {
  NodeId node{};
  HostIndex host{};
  std::uint32_t action{};
  std::uint64_t task{};
  Outcome outcome{};
  Untrusted message;   // the host's words
  std::string reason;  // ours
  std::vector<std::pair<std::string, Untrusted>> facts;
  bool applied{};
};
struct Output {
  std::uint64_t task{};
  HostIndex host{};
  Stage stage{};
  Stream stream{};
  Untrusted bytes;
};
struct ActionEnded {
  NodeId node{};
  HostIndex host{};
  std::uint32_t action{};
  Part part{};
  std::uint64_t task{};
  Outcome outcome{};
  Untrusted message;   // "1a2b -> 3c4d", "conflict while rebasing"
  std::string reason;  // the controller's own words where it judges: "applied but not converged"
  Untrusted diff;
  std::vector<std::pair<std::string, Untrusted>> facts;
  std::optional<int> exit_code;
  Untrusted tail;  // the last output, for what failed
  Duration took{};
  bool applied{};  // apply ran, or may have: there may be something to undo
};
struct RetryScheduled {
  NodeId node{};
  HostIndex host{};
  std::uint32_t attempt{};
  std::uint32_t of{};
  Duration in{};
};
struct StepEnded {
  NodeId node{};
  HostIndex host{};
  Part part{};
  Outcome outcome{};
  std::string reason;
  Duration took{};
};
struct BarrierPassed {
  NodeId node{};
};
struct WaitStarted {
  NodeId node{};
  Time until;
};
struct WaitEnded {
  NodeId node{};
  bool late{};
};
// An `assert` was looked at. `depends`: in a dry run, on a change that was not made.
enum class AssertionEnd { holds, fails, depends };
const char* name(AssertionEnd end);
struct AssertionChecked {
  NodeId node{};
  AssertionEnd how{};
  std::string message;  // what is wrong; "" if it holds
};
// People are asked; all hosts wait. The texts are as they were shown.
struct HumanStarted {
  NodeId node{};
  std::vector<std::string> items;      // of plan::Human::items
  std::vector<std::string> questions;  // of plan::Human::questions
  std::optional<Time> until{};         // then its default is taken, or the step fails
};
// What one person said.
struct HumanAnswered {
  NodeId node{};
  std::string user, controller;  // who, and on which machine
  std::string by;                // which entry of plan::Human::by lets them: their name or `@group`
  bool yes{};                    // done, approved, answered; false: refused, cannot be done
  std::vector<std::pair<std::string, Untrusted>> values;  // evidence, the answer
  Untrusted remark;                                       // why not
};
// `skipped`: its `when` does not hold, nobody was asked.
enum class HumanEnd { answered, refused, fell_back, timed_out, skipped };
const char* name(HumanEnd end);
struct HumanEnded {
  NodeId node{};
  HumanEnd how{};
  Duration took{};
};
// A run that asks before each step: what was said of this one.
enum class Choice { run, skip, run_all };
const char* name(Choice choice);
struct StepChosen {
  NodeId node{};
  std::string user;
  Choice choice{};  // run_all: and nothing is asked any more
};
// The run waits for people without a controller. Not its end: no RunEnded follows but another
// controller's RunResumed.
struct RunParked {
  std::optional<NodeId> node{};  // the human step, or the wait; absent: its window has closed
  std::string reason;
  std::string advice;  // what a person does next
};
struct Pivoted {
  NodeId node{};
  std::string title;
};
// The run has stopped going forward: which nodes and hosts, against which tolerance.
struct FailureDeclared {
  NodeId node{};
  std::vector<HostIndex> hosts;
  bool after_pivot{};
};
struct UndoStarted {
  std::vector<NodeId> nodes;
};  // in the order they will be undone
struct UndoEnded {
  bool complete{};
};
struct Held {
  std::string message;
};
struct RollbackOffered {
  std::string name;
};
// A phase (its path; "": the play) has not ended in time. Nothing more of the way forward is
// started; the rollback follows.
struct DeadlinePassed {
  std::string phase;
  Time until;
  std::string rollback;
};
// The window is over, and the run is not. Before a point of no return no new step begins until
// somebody has said what comes of it; behind one it goes on. Told once.
struct WindowClosed {
  Time until;
  bool past_pivot{};
  // By how much the clock had been set since the run began, if that decides it.
  std::optional<Duration> clock_set{};
};
enum class AtWindow { go_on, roll_back };
const char* name(AtWindow choice);
struct WindowAnswered {
  std::string user, controller;  // who, and on which machine
  AtWindow choice{};
};
struct RollbackStarted {
  std::string name;
};
struct RollbackEnded {
  std::string name;
  bool complete{};
};
struct AbortRequested {
  int times{};
};  // 1: finish what is in flight; 2: stop at once
struct Notice {
  std::string text;
};  // for people, from the controller
// Somebody was to be told how the run ended, and was not. Behind RunEnded or RunParked; of the run
// itself nothing depends on it.
struct NotificationFailed {
  std::string way;    // "the webhook", "the mail to ops@example.org"
  std::string where;  // "file:line"
  std::string message;
  std::string help;
};
// `parked` is never a RunEnded's: the run has not ended (RunParked).
enum class Verdict { success, failed, unreachable, unknown, aborted, refused, parked };
const char* name(Verdict verdict);
struct HostSummary {
  HostIndex host{};
  std::uint32_t ok{}, changed{}, skipped{}, failed{}, unknown{}, would_change{}, depends{};
  bool unreachable{};
};
struct StepTiming {
  NodeId node{};
  std::optional<Duration> expect;
  std::optional<Duration> took;
  std::optional<Outcome> outcome{};   // the worst of its hosts
  std::optional<Duration> usual{};    // the median of past runs, if there were some
  std::optional<bool> interrupted{};  // a controller was gone while it ran: `took` says little
};
// How a line of RunEnded::advice begins that names what remains on hosts: a report shows these
// lines first.
inline constexpr std::string_view kUnknownWhether = "Unknown whether it was done";
inline constexpr std::string_view kInterrupted = "Interrupted: look at";
inline constexpr std::string_view kChangedAnd = "Changed, and";
inline constexpr std::string_view kFailedAnd = "Failed, perhaps half done, and";
inline bool names_what_remains(std::string_view line) {
  return line.starts_with(kUnknownWhether) || line.starts_with(kInterrupted) ||
         line.starts_with(kChangedAnd) || line.starts_with(kFailedAnd);
}
struct RunEnded {
  Verdict verdict{};
  Duration took{};
  std::vector<HostSummary> hosts;
  std::vector<StepTiming> steps;   // of nodes that ran
  std::optional<Duration> outage;  // length of the outage phases, absent if there is none
  std::optional<Duration> outage_expect;
  bool outage_open{};             // the outage goes on: the run was held or stopped inside
  std::optional<bool> partial{};  // steps were left out: by tags, a later beginning, or a person
  // A person has given it up (`cnplay runs --forget`): its hosts know nothing of it any more.
  std::optional<bool> forgotten{};
  std::string advice;  // what a person does next
};

using AnyEvent = std::variant<
    RunStarted, RunResumed, RunContinued, PlanTaken, HostConnecting, HostConnected, HostUnreachable,
    HostReconnecting, HostReconnected, HostLost, PreflightStarted, PreflightProblem, PreflightEnded,
    PhaseStarted, PhaseEnded, StepStarted, SentAhead, ActionStarted, Output, ActionEnded, RanAhead,
    RetryScheduled, StepEnded, BarrierPassed, WaitStarted, WaitEnded, AssertionChecked,
    HumanStarted, HumanAnswered, HumanEnded, StepChosen, RunParked, Pivoted, FailureDeclared,
    UndoStarted, UndoEnded, Held, RollbackOffered, DeadlinePassed, WindowClosed, WindowAnswered,
    RollbackStarted, RollbackEnded, AbortRequested, Notice, RunEnded, NotificationFailed>;

// AnyEvent, but its copies are compiled once, not in each file that copies an event.
struct What : AnyEvent {
  using AnyEvent::AnyEvent;
  using AnyEvent::operator=;
  What();
  What(const What&);
  What(What&&) noexcept;
  What& operator=(const What&);
  What& operator=(What&&) noexcept;
  ~What();
};

struct Event {
  std::uint64_t seq = 0;  // from 1, without gaps
  Instant at{};
  What what;
};

// Of a file that is on its way to or from a host, now and then, for who looks on while it happens.
// No event: it has no number, is not on record, and a resumed run knows nothing of it.
struct Progress {
  std::uint64_t task{};
  HostIndex host{};
  std::uint64_t done{}, size{};  // bytes; `done` falls if the way has to begin anew
};

// Receives events on the runner's thread, in order. May not throw; a sink that cannot go on
// (a full disk) says so through `healthy`.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void on(const Event& event) = 0;
  // Of a run that is resumed: happened before, and was told then. A view takes note of it.
  virtual void recall(const Event& event) { (void)event; }
  // Between events. Whoever writes down what happened leaves it as it is.
  virtual void progress(const Progress& progress, Instant now) {
    (void)progress;
    (void)now;
  }
  // Called by the runner when it is idle and at least every 200 ms: views redraw here.
  virtual void tick(Instant now) { (void)now; }
  // Makes all that was told so far durable, and says whether it is: nothing that may change a host
  // is sent before. Costs a disk's write, so it is called once for many events.
  virtual Status commit() { return healthy(); }
  // An Error once the sink has lost an event. The runner then starts nothing more.
  virtual Status healthy() const { return {}; }
};

// Hands each event to several sinks, the durable one first.
class Tee final : public Sink {
 public:
  explicit Tee(std::vector<Sink*> sinks) : sinks_(std::move(sinks)) {}
  void on(const Event& event) override;
  void progress(const Progress& progress, Instant now) override;
  void tick(Instant now) override;
  Status commit() override;
  Status healthy() const override;

 private:
  std::vector<Sink*> sinks_;  // not owned
};

// One JSON object, without a newline: {"v":1,"seq":..,"at":"..","type":"StepStarted",...}. Hosts
// by name, nodes by path. Bytes of hosts: as text if valid UTF-8, else {"base64": "..."}.
std::string to_json(const Event& event, const plan::Plan& plan);
// The inverse. An Error says what is wrong with the line. For many lines: events/decoder.h.
Result<Event> from_json(const std::string& line, const plan::Plan& plan);

}  // namespace cnplay::events

// A run as its record tells it, put in order for a report: by step and host, what was expected
// beside what came. Every report (HTML, JUnit, JSON lines) is written from this alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "events/event.h"
#include "plan/plan.h"
#include "report/excerpt.h"

namespace cnplay::report {

// How the run stands, as far as the record and the machine tell.
enum class State {
  ended,
  running,      // a controller is at work on it
  parked,       // it waits for a person or a time with no controller attached
  interrupted,  // no controller on this machine is at work on it: it can be resumed
};
const char* name(State state);

// What the record does not say.
struct About {
  Instant written{};       // when the report is made
  bool at_work = false;    // a controller holds the run
  std::string controller;  // whose: "kim on desk"; "" if nobody knows
  std::string zone = "UTC";
};

// Output of one stage of an action, both streams in the order in which they came.
struct StageOutput {
  events::Stage stage{};
  Excerpt text;
};

struct ActionRun {
  std::uint32_t action = 0;
  std::uint64_t task = 0;
  Instant from{};
  const events::ActionEnded* end = nullptr;  // into the record; nullptr: its end is not on record
  std::vector<StageOutput> output;           // of what did not end well alone
};

// A step on one host, all of its attempts.
struct StepRun {
  plan::HostIndex host = 0;
  std::uint32_t attempts = 1;
  Instant from{};
  std::optional<Instant> to;               // unset: it runs, or its end is not on record
  std::optional<events::Outcome> outcome;  // set together with `to`
  std::string reason;
  std::vector<ActionRun> actions;
};

struct Step {
  plan::NodeId node = 0;
  events::Part part{};
  bool test = false;          // `testing` stands at it
  std::vector<StepRun> runs;  // by host, in the order of the plan
  Instant from{};
  std::optional<Instant> to;  // set when it has ended on all hosts that began it
  std::optional<Duration> expect;
  const plan::PastStep* past = nullptr;  // into the record: what earlier runs took
};

struct PhaseRun {
  std::uint32_t phase = 0;
  Instant from{};
  std::optional<Instant> to;
  bool complete = false;
};

struct WaitRun {
  plan::NodeId node = 0;
  Time until;
  Instant from{};
  std::optional<Instant> to;
};

struct HostNote {
  std::string remote_user;       // "" if it was never connected
  std::uint32_t reconnects = 0;  // connections made anew
};

// How long the site was down. Of real runs (not dry ones) that have entered an outage phase.
struct Outage {
  Duration total{0};
  Duration excluding_testing{0};  // without the time in which nothing but tests was at work
  std::optional<Duration> expect;
  std::optional<Duration> expect_excluding_testing;  // unset if a test has no `expect`
  std::optional<Duration> median, worst;             // by earlier runs, as predicted at the start
  std::optional<Duration> median_excluding_testing, worst_excluding_testing;
  bool open = false;  // it continues
};

// People were asked. `to` and `how` unset: they still are, or the record ends there.
struct HumanRun {
  plan::NodeId node = 0;
  Instant from{};
  std::optional<Instant> to;
  std::optional<events::HumanEnd> how;
};

struct Account {
  const plan::Plan* plan = nullptr;
  const events::RunStarted* started = nullptr;
  const events::RunEnded* ended = nullptr;  // nullptr: the record has no end
  State state = State::ended;
  About about;
  Instant began{};
  Instant until{};  // the run's end, or as far as is known
  std::vector<std::pair<Instant, const events::RunResumed*>> resumes;
  // Where it went forward again, perhaps with another plan: steps before it went by the former one.
  std::vector<std::pair<Instant, const events::PlanTaken*>> taken;
  std::vector<Step> steps;  // in the order in which they began
  std::vector<PhaseRun> phases;
  std::vector<WaitRun> waits;
  std::vector<plan::NodeId> not_begun;  // steps of the way forward
  std::vector<HostNote> hosts;          // as in the plan
  std::vector<const events::PreflightProblem*> problems;
  // What `hold` told people when the run stopped. nullptr: it did not, or the run was resumed.
  const events::Held* held = nullptr;
  const events::RunParked* parked = nullptr;  // set with State::parked
  std::vector<std::pair<Instant, const events::HumanAnswered*>> answers;
  std::vector<HumanRun> humans;
  // The window closed before the run had ended; what was said of it.
  std::vector<std::pair<Instant, const events::WindowClosed*>> closed_windows;
  std::vector<std::pair<Instant, const events::WindowAnswered*>> window_answers;
  std::vector<std::pair<Instant, const events::NotificationFailed*>> not_told;
  // What people are told of besides steps: lost connections, retries, the point of no return,
  // undoing, notices. Not what another member holds that a report shows elsewhere: problems of the
  // preflight, `held`, `not_told`.
  std::vector<const events::Event*> incidents;
  std::optional<Outage> outage;
  // The plan on record does not have the hash that the run began with.
  bool other_plan = false;
};

// Both must outlive the account. An Error says where the record contradicts itself or the plan.
Result<Account> account_of(const plan::Plan& plan, const std::vector<events::Event>& record,
                           About about);

// Whether something went wrong that a person has to look at.
bool is_bad(events::Outcome outcome);
bool is_dry(const Account& account);
// nullopt in a dry run, whose times are those of checks: nothing is expected of them.
std::optional<Duration> expected_of(const Account& account, const std::optional<Duration>& expect);
// What earlier runs took. nullptr: nothing is known, or it is a dry run.
const plan::Past* past_of(const Account& account);
// For how long it ran, up to `account.until` if its end is not on record.
Duration took(const Account& account, Instant from, const std::optional<Instant>& to);

}  // namespace cnplay::report

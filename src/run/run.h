// Carries out a plan: starts what is ready on each host, takes what has ended, and answers for
// order, barriers, retries, undo and time. Tells what happens as events; knows nothing of the
// language the plan came from, of SSH, of journals or terminals.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/result.h"
#include "base/text.h"
#include "base/units.h"
#include "events/event.h"
#include "plan/plan.h"
#include "remote/remote.h"

namespace cnplay::run {

class Prompter;      // people.h
class StepPrompter;  // stepwise.h

// The name of a way back that undoes what is registered for undo. No rollback has it: it is a word
// of the language.
inline constexpr const char* kUndo = "undo";

// A run that takes another one back, which has ended.
struct WayBack {
  std::string of;                                      // its id
  std::string rollback;                                // which of the plan's; or kUndo
  const std::vector<events::Event>* record = nullptr;  // its own, from RunStarted to RunEnded
  // The plan with what else that record tells of (journal::Record::plan); null: there is nothing.
  const plan::Plan* recorded = nullptr;
  // Of kUndo: what other runs have undone before.
  std::set<std::pair<plan::NodeId, plan::HostIndex>> undone{};

  bool undo() const { return rollback == kUndo; }
};

struct Options {
  events::Mode mode = events::Mode::apply;
  std::string run_id;
  // The run's fixed `now`, and the zone that times derived from it are shown in.
  Time now;
  // Who runs it, and from which machine: for RunStarted and for the holder of a lock.
  std::string user;
  std::string controller;
  // Its machine id: recorded if the plan has steps on `local`.
  std::string machine;
  // The groups of users that they belong to there: for steps that ask for `@group`.
  std::vector<std::string> groups;
  // The value of a secret of Plan::secrets. Called once each, on the calling thread, before the
  // first connection. Needed only if the plan has secrets.
  std::function<Result<Secret>(std::uint32_t secret_index)> secret;
  // Whether a precondition holds, and by what (for people, one line; "": nothing to tell); an Error
  // says why not. Needed only if the plan has some.
  std::function<Result<std::string>(const plan::Requirement&)> requirement;
  // The ticket of the incident that it is for: preconditions are not held then.
  std::optional<std::string> incident;
  // The plan is a reviewed one: when its file was written, and by whom. For the record.
  std::optional<std::string> reviewed;
  // A person is asked before each step of the main section.
  bool stepwise = false;
  StepPrompter* stepper = nullptr;  // asks them; null: nobody is there, and no step is begun
  // The checksum (SHA-256, hex) of a file of the controller; "" if it is not there. Needed only if
  // the plan fetches files.
  std::function<std::string(const std::string& path)> local_sum;
  // A yes/no question to a person who is there; blocks. Absent: nobody is there, the answer is no.
  std::function<bool(const std::string& question)> ask;
  // The window's end changes nothing: somebody has said so beforehand.
  bool past_window = false;
  // The runs that have started this one in a task of theirs, the innermost first (remote/around.h).
  std::vector<std::string> inside;
  // Why a run that was named as such is none; "": none was.
  std::string not_inside;
  // Asks the person who is there, at human steps and when the window has closed. Null: nobody is
  // there, and the run parks.
  Prompter* prompter = nullptr;
  // The record of a run that was cut off or parked, from its RunStarted on: it is taken up where it
  // ends. What is said above must be as it was then. Null: a new run.
  const std::vector<events::Event>* record = nullptr;
  // The plan's rollback alone is carried out, on the hosts that it needs, with the facts of that
  // other run. `now` is that run's. Null: the way forward.
  const WayBack* way_back = nullptr;
  // Of a run that is taken up: hosts to go on without, as if they had been lost now. Of a way back:
  // hosts to begin without.
  std::vector<plan::HostIndex> without;
  // What past runs took: goes on record, so that what is expected stands beside what came.
  std::optional<plan::Past> past;
  // Of a run that is taken up: what it has done from this step on, in source order, is done again.
  // can_rerun (rerun.h) has said that it can be.
  std::optional<plan::NodeId> from;
  // Of such a run: it ends where its record ends, as after a first Ctrl-C.
  bool end_here = false;
  // Of such a run: what has changed in the play since, for the record.
  std::vector<std::string> changed;
  // At most this many bytes of output of one task are told; a Notice says so where there is more.
  std::uint64_t output_cap = 64u << 20;
  // Hosts that work at once; 0: no limit.
  std::uint32_t forks = 0;
  // Sinks are ticked, clocks looked at and abort_requests read at least this often.
  Duration tick{200};
  // Whether locks that others hold are waited for: then they are taken one after the other, in the
  // same order by every run, so that no two wait for each other.
  bool wait_for_locks = false;
  // Bounds each task of the preflight.
  Duration preflight_timeout{120'000};
  // How long after its timeout, or after it was cancelled, a task is awaited before it is given
  // up as unknown. Only a remote that breaks its contract lets it come to that.
  Duration grace{15'000};
};

struct RunResult {
  events::Verdict verdict = events::Verdict::failed;
  // What RunEnded said a person does next.
  std::string advice;
  // Why an interrupted run cannot be resumed. Nothing was done, and it may be resumed later.
  std::optional<Error> not_resumed;
  // RunEnded was emitted. Once that is on disk, what the run has left on its hosts may go.
  bool ended = false;
};

// Runs the plan to its end and emits RunStarted first and RunEnded last, each exactly once,
// whatever happens between (RunResumed first if it is one that is taken up, and no RunEnded if that
// cannot be; RunParked last where it waits for people who are not there: it can be taken up later).
// Neither connects before preconditions and secrets are known to be good, nor changes anything
// before the preflight of all hosts is. Does not close `hosts`.
//
// `abort_requests` is counted up by others (with Hosts::wake() so that it is seen at once): 1 lets
// what is in flight finish, then runs the `always` sections; 2 cancels all tasks; 3 does
// not wait for them any more.
RunResult run(const plan::Plan& plan, remote::Hosts& hosts, events::Sink& sink, Clock& clock,
              const Options& options, std::atomic<int>& abort_requests);

// The preflight alone: every problem of every host is listed, nothing is tolerated, nothing is
// changed (locks are taken, and let go with the connections). Same events, up to RunEnded.
RunResult preflight(const plan::Plan& plan, remote::Hosts& hosts, events::Sink& sink, Clock& clock,
                    const Options& options, std::atomic<int>& abort_requests);

}  // namespace cnplay::run

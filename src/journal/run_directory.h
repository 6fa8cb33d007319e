// The record of runs on disk: one directory a run.
//
//   <root>/<run id>/plan.json     the plan, as it was run
//   <root>/<run id>/events.jsonl  what happened: one JSON object a line, append-only, each written
//                                 as it happens (events/event.h has the format, "v": 1); its last
//                                 member holds the lines together (chain.h)
//   <root>/<run id>/run.json      written at the end: verdict and totals
//   <root>/<run id>/plan-2.json   and so on: the plan that took the place of the former one, if the
//                                 run was taken up with a changed play (PlanTaken)
//   <root>/<run id>/controller    locked (flock) by the controller that works on the run; says who
//
// A run directory without run.json is one that was cut off, or still goes on. A controller that
// takes up a run appends, and so does who answers a human step of one that is parked: nothing that
// was written is ever changed. A line that a crash has torn stays, and the next one is a
// RunResumed, a PlanTaken or a HumanAnswered. Only run.json, which can be made from the rest, gives
// way to a mark if a run that has ended goes on after all (PlanTaken).
#pragma once

#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/result.h"
#include "events/event.h"
#include "journal/chain.h"
#include "plan/plan.h"

namespace cnplay::journal {

// A new run's id: `20261120-213005-update_code-4f2a`; sorts by time. `salt` tells apart runs that
// begin in the same second.
std::string new_run_id(Instant now, const std::string& play, std::uint16_t salt);

// Writes a run's directory, and keeps other controllers away from it while it lives. Once a write
// has failed, nothing more is written and healthy() says why: what is on disk stays a true prefix
// of what happened.
class RunDirectory final : public events::Sink {
 public:
  // How the disk is waited for. `beside`: a thread of its own brings the plan and the directory to
  // the disk while the hosts are connected to, and run.json while they are parted from; commit()
  // waits for the former, settled() for both.
  enum class Waits { inline_, beside };

  // Creates the directory and writes the plan. `disk` and `plan` must outlive the sink; with
  // Waits::beside, `disk` is used by two threads.
  static Result<std::unique_ptr<RunDirectory>> create(Disk& disk, const std::string& root,
                                                      const std::string& run_id,
                                                      const plan::Plan& plan,
                                                      const std::string& controller,
                                                      Waits waits = Waits::inline_);

  // Takes up a run that was cut off. An Error names the controller that is at work on it, if there
  // is one. Read the run after this, not before.
  static Result<std::unique_ptr<RunDirectory>> reopen(Disk& disk, const std::string& path,
                                                      const std::string& controller);
  // Makes `plan` durable beside those that the run has, for a PlanTaken that names it: the name of
  // its file. Until that is told it counts for nothing.
  Result<std::string> add_plan(const plan::Plan& plan);
  // Of a run that was reopened: the plan, and when it began, before anything is told.
  void go_on(const plan::Plan& plan, const events::RunStarted& started, Instant started_at);

  void on(const events::Event& event) override;
  Status commit() override;
  Status healthy() const override { return status_; }
  // Once nothing more is told: whether all of it is on disk.
  Status settled();
  const std::string& path() const { return path_; }

 private:
  RunDirectory(Disk& disk, std::string path, const plan::Plan* plan, std::unique_ptr<FileLock> lock,
               std::unique_ptr<AppendFile> file);
  static Result<std::unique_ptr<FileLock>> take(Disk& disk, const std::string& path,
                                                const std::string& controller);
  void cannot_write(const Error& error);
  void await(std::future<Status>& work);
  void goes_on();
  void finish(const events::Event& event, const events::RunEnded& end);

  Disk& disk_;
  std::string path_;
  const plan::Plan* plan_;
  std::unique_ptr<FileLock> lock_;
  std::unique_ptr<AppendFile> file_;
  Chain chain_;
  bool dirty_ = false;  // something was appended since the last sync
  std::optional<events::RunStarted> started_;
  Instant started_at_{};
  Status status_;
  Waits waits_ = Waits::inline_;
  // Last: their end is waited for while the rest is still there.
  std::future<Status> opening_, closing_;
};

// A run as it was recorded.
struct Record {
  // The plan in force. If another one was before (PlanTaken), what that alone had, and the events
  // tell of, stands at its end, in no section.
  plan::Plan plan;
  std::vector<events::Event> events;
  // The last line was cut off (a crash, a full disk): it is not in `events`.
  bool torn = false;
  // Whether its plans are those that it was begun, and gone on, with.
  bool plans_fit = true;
  // If another plan was before: the one in force, alone.
  std::optional<plan::Plan> taken = {};
  const plan::Plan& in_force() const { return taken ? *taken : plan; }
};

// The record once `taken`, a PlanTaken, has been told: `plan` is in force.
void take_plan(Record& record, plan::Plan plan, events::Event taken);

// An Error names the file, the line and what is wrong with it: a line that is changed, missing or
// repeated. Missing lines at the end are those of an interrupted run, unless run.json says that it
// has ended. A line torn by a crash is no error: it is the last, or a RunResumed, PlanTaken or
// HumanAnswered follows it.
Result<Record> read_run(const Disk& disk, const std::string& directory);

// The runs that were cut off or still go on, oldest first: those with events and without a
// run.json, or with the mark in its place.
std::vector<std::string> unfinished_runs(const Disk& disk, const std::string& root);

// What `run.json` says.
struct Summary {
  std::string id;
  std::string play;
  std::string inventory;
  std::string program_hash;
  std::string verdict;
  std::string mode;
  std::string incident;  // its ticket; "": none
  bool partial = false;  // steps were left out
  Instant started{};
  Instant ended{};
  // Of a run that has taken another one back: which of its plans for it, and which run.
  std::string rollback{};
  std::string rollback_of{};
};

// The runs that have ended, oldest first. Directories that hold no readable run.json are left out.
std::vector<Summary> finished_runs(const Disk& disk, const std::string& root);

// The newest real (not dry) run of the same program that succeeded on `inventory`, left no step
// out, and began at most `within` before `now`: what `require rehearsed` asks for. The second is
// the newest successful run of another program, age or extent, for the message; both may be absent.
struct Rehearsal {
  std::optional<Summary> valid;
  std::optional<Summary> nearest;
};
Rehearsal find_rehearsal(const std::vector<Summary>& runs, const std::string& play,
                         const std::string& inventory, const std::string& program_hash,
                         Duration within, Instant now);

}  // namespace cnplay::journal

// Resuming a run that was interrupted: the runner runs again from the beginning, and gets from the
// record what hosts had said; the events that it would emit are compared with the record instead.
// At the record's end it stands where the earlier controller stood, and continues for real.
//
// So there is no second path through the rules of the language, and a record that does not fit the
// program is found before anything is sent.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "events/event.h"
#include "plan/plan.h"
#include "remote/remote.h"
#include "run/story.h"

namespace cnplay::run {

struct HostState {
  bool connected = false;  // logged in to, and not lost since
  bool failed = false;     // counts against `tolerate`; takes no further part in the main section
  std::string why;         // connected is false: what the remote said
};

class Replay {
 public:
  // `record`: of a run, from its RunStarted on; not owned. Null: there is nothing to take up.
  Replay(const plan::Plan& plan, const std::vector<events::Event>* record);

  // Whether there is a run to take up at all; whether it had got past its preflight.
  bool resumed() const { return record_ != nullptr; }
  bool started() const { return begun_; }
  // The record is being followed: nothing is sent, nothing is told.
  bool active() const { return running_ && at_ < story_.size() && problem_.empty(); }
  void begin() { running_ = true; }
  // It has been followed to its end.
  bool over() const { return running_ && at_ == story_.size() && problem_.empty(); }
  // Where a controller reaches the end of the record that it found, this one or an earlier one:
  // nothing is begun here, and no time is over, until it has continued (RunContinued).
  bool at_seam() const {
    return (over() && !continued_) || upcoming<events::RunContinued>() != nullptr;
  }
  // Nothing is followed, or this controller has continued: from here on clocks and people decide.
  bool live() const { return !running_ || continued_; }
  // How far it has been followed.
  std::size_t at() const { return at_; }
  // Past the seam at hand. nullopt: it is this controller that continues. Else the hosts that an
  // earlier one continued without.
  std::optional<std::vector<plan::HostIndex>> pass_seam();
  // Why the record cannot be followed; "" as long as it can.
  const std::string& problem() const { return problem_; }

  std::uint64_t last_seq() const;
  remote::TaskId last_task() const { return last_task_; }
  Instant began() const { return record_->front().at; }
  // The latest time on record; the epoch if there is none.
  Instant latest() const { return latest_; }
  // The hosts as they were after the preflight.
  const std::vector<HostState>& hosts() const { return hosts_; }
  // The boot id of its host when the task was started first; "" if that is not on record.
  std::string boot_id(remote::TaskId task) const;

  // When the next event was recorded. Active only. For durations that are shown, never to decide
  // what comes next: times are recorded to the millisecond, and clocks are set.
  Instant now() const { return story_[at_].at; }

  // What the runner is about to tell; it is on record, and the record moves on, or there is a
  // problem from now on. False: there was nothing left but a seam, and the event is new.
  bool follow(const events::Event& event);
  // What comes next, if it is something that happened to the runner: a task that ended, a host that
  // was lost. nullopt: it is for the runner to act.
  std::optional<remote::Event> next() const;
  // The runner would wait for time to pass, or has come to its end. In a replay it is a recorded
  // event that ends each pause, so there is a problem if this happens without progress.
  void idle();
  void end();

  // --- what the record says where the runner would have to ask
  // The id of the task that is about to be started.
  remote::TaskId task(const events::ActionStarted& about) const;
  // How this task ended, if that comes next.
  const events::ActionEnded* ended(remote::TaskId task) const;
  // A task that had begun though the run stopped short of it, if that comes next.
  const events::RanAhead* ran_ahead(remote::TaskId task) const;
  // The task that reboots this host: begun, and not over at the record's end.
  struct HostReboot {
    const events::ActionStarted* began;
    Instant at;
  };
  std::optional<HostReboot> rebooting(plan::HostIndex host) const;
  // What had been sent ahead, and the run had not come to yet, at the record's end.
  std::vector<events::SentAhead> on_their_way() const;
  // Whether the step's attempt ends here, its time being over.
  bool out_of_time(plan::NodeId node, plan::HostIndex host) const;
  // A step that stops waiting, if that comes next: its next attempt starts, or its time is over.
  struct StepDue {
    plan::NodeId node;
    plan::HostIndex host;
    std::uint32_t attempt;  // 0: its time is over
  };
  std::optional<StepDue> due() const;
  // The end of this wait, if that comes next; and whether the run fails there next, for being late.
  const events::WaitEnded* wait_ended(plan::NodeId node) const;
  bool fails_at(plan::NodeId node) const;
  // What a person said next about this human step; until when it was asked, if that comes next; and
  // whether its time is over next.
  const events::HumanAnswered* answered(plan::NodeId node) const;
  std::optional<Time> until(plan::NodeId node) const;
  std::optional<events::HumanEnd> time_over(plan::NodeId node) const;
  // A deadline that was missed, if that comes next.
  const events::DeadlinePassed* deadline_passed() const;
  // Whether the window closes next; and what was said of that, if that comes next.
  const events::WindowClosed* window_closed() const;
  std::optional<events::AtWindow> at_window() const;
  // What a person said next about this step, if they were asked before it.
  std::optional<events::Choice> chosen(plan::NodeId node) const;

  // --- a run that does again what it had done: as Story says
  void rerun_from(plan::NodeId from) { story_.rerun_from(from); }
  bool defers(plan::NodeId node, std::optional<plan::HostIndex> host, bool live) const;
  std::optional<std::vector<const events::ActionEnded*>> take_rerun();
  const events::ActionEnded* done(plan::NodeId node, plan::HostIndex host,
                                  std::uint32_t action) const {
    return story_.done(node, host, action);
  }
  // What is followed, as far as it still counts.
  const std::vector<const events::Event*>& story() const { return story_.events(); }

  // What is on record cannot be.
  void refuse(std::string why) { problem_ = std::move(why); }
  // How often an abort has been asked for by now, `so_far` being known.
  int aborts(int so_far) const;

 private:
  template <class T>
  const T* upcoming() const {
    return active() ? std::get_if<T>(&story_[at_].what) : nullptr;
  }
  void read(const events::Event& event);
  void go_forward_again();
  bool is_unrecorded_flush(const events::Event& event) const;

  const plan::Plan& plan_;
  const std::vector<events::Event>* record_;
  Story story_;
  std::vector<HostState> hosts_;
  std::vector<std::string> boots_;
  std::map<remote::TaskId, std::string> boot_ids_;
  std::map<plan::HostIndex, HostReboot> host_reboots_;
  std::vector<events::SentAhead> ahead_;  // of these: sent ahead, and not come to
  remote::TaskId last_task_ = 0;
  Instant latest_{};
  bool ended_ = false;                     // there is a RunEnded, and no later one goes on
  std::optional<plan::NodeId> asked_for_;  // of the RunResumed at hand
  bool begun_ = false;
  bool in_preflight_ = true;
  bool running_ = false;
  bool continued_ = false;
  std::size_t at_ = 0;
  std::size_t idle_at_ = 0;
  unsigned idle_ = 0;
  std::string problem_;
};

// The clock of a run: the real one, but while a record is followed that of the record. Then it
// goes on from the real one, so the time between is time that has passed.
class RunClock final : public Clock {
 public:
  RunClock(const Clock& real, const Replay& replay)
      : real_(real),
        replay_(replay),
        base_(real.steady() - std::max(real.now(), replay.latest()).time_since_epoch()) {}

  Instant now() const override { return replay_.active() ? replay_.now() : real_.now(); }
  // Never goes back, whatever the clock on the wall was set to in the run or since.
  Duration steady() const override {
    if (!replay_.active()) return real_.steady();
    return followed_ = std::max(followed_, steady_at(replay_.now()));
  }
  // The steady clock's reading at a point in time of the record.
  Duration steady_at(Instant at) const { return base_ + at.time_since_epoch(); }

 private:
  const Clock& real_;
  const Replay& replay_;
  Duration base_;
  mutable Duration followed_ = Duration::min();
};

}  // namespace cnplay::run

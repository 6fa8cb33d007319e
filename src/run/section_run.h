// One section of the plan while it is carried out: which of its points may start, which hosts take
// part, and what comes of points that have ended. The runner's loop says when.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "run/context.h"
#include "run/deadlines.h"
#include "run/ending.h"
#include "run/graph.h"
#include "run/handler_rounds.h"
#include "run/handlers.h"
#include "run/host_slots.h"
#include "run/human_steps.h"
#include "run/pivots.h"
#include "run/reruns.h"
#include "run/section_control.h"
#include "run/step.h"
#include "run/step_confirmation.h"
#include "run/summary.h"
#include "run/undo_log.h"
#include "run/waits.h"
#include "run/window.h"

namespace cnplay::run {

class SectionRun final : public SectionControl {
 public:
  // `abort`: as if the user had pressed Ctrl-C.
  SectionRun(Context& context, Steps& steps, UndoLog& undo, Summary& summary, Ending& ending,
             std::function<void()> abort);

  // --- which section
  // The main section, on the hosts that are there and have not failed.
  void open_main();
  void close_main();
  // Another one, on all hosts that are there.
  void open(const plan::Section& section, events::Part part);
  void close() { walk_.reset(); }
  // No section: undos and handlers that queue() and begin_handlers() give.
  void open_undo() { part_ = events::Part::undo; }
  void include_failed_hosts() { live_ = live_hosts(true); }
  void queue(const Unit& unit) { ready_.push_back(unit); }
  // Begins all handlers that are notified. False: there are none, or the section stops.
  bool begin_handlers();
  // Other work is about to begin: whatever stopped the section does not stop that.
  void reset();
  // Nothing more is started. Handlers that have not begun count as notified again.
  void stop();

  // --- called by the loop, in this order
  void begin_reruns() { reruns_.check(); }
  bool take_ended_steps();
  void check_deadlines() { deadlines_.check(); }
  void check_window();
  void start_ready();
  void ask_before_steps() { confirmation_.check(); }
  // Ends waits and human steps whose time has come, or that were answered.
  void check_people_and_time();
  // How long the loop may wait for events.
  Duration until_next() const;
  // Something that waits will continue the section.
  bool waits() const;

  // --- what happened to hosts
  // Those that the preflight did not reach.
  void count_missing_hosts();
  void host_lost(const remote::HostLost& lost);

  // Nothing is at work, and nothing will be before the clock says so. Then the run can be left
  // there: it ends, and whoever resumes it waits on.
  bool only_waits() const;
  void leave_wait();

  const Pivots& pivots() const { return pivots_; }
  // Whether a host has failed in a rollback.
  bool failed_in_rollback() const { return !failed_in_rollback_.empty(); }
  HumanSteps& human_steps() { return human_steps_; }
  // Whether a step with work was left out or skipped, or a `check` had nothing to do.
  bool partial() const;
  // Counts and edges that the graph walk touched: for the test that growth is linear.
  std::uint64_t work() const { return walk_ ? walk_->work() : 0; }

  events::Part part() const override { return part_; }
  bool stopping() const override { return stopping_; }
  bool going_forward() const override;
  bool done() const override { return !walk_ || walk_->done(); }
  void begin(const Ready& ready) override;
  void finish(const Ready& point) override { walk_->finish(point); }
  void fail_at(plan::NodeId node) override;
  void miss_deadline(std::uint32_t deadline) override;
  void park(Parked parked) override;
  void abort() override { abort_(); }

 private:
  void report_skipped(std::uint32_t phase);
  void pass_skipped(const Ready& point);
  void begin_unit(const Unit& unit);
  void start_unit(const Unit& unit);
  bool is_gone(const Unit& unit) const;
  void pass(const Ready& point);
  void begin_round(Handlers::Round queues, std::optional<Ready> after);
  void round_over(const HandlerRounds::Over& over);
  std::uint32_t phase_ended_by(plan::NodeId node) const;
  void step_ended(const StepEnd& ended);
  void host_failed(plan::NodeId node, plan::HostIndex host);
  void host_failed_in_rollback(plan::NodeId node, plan::HostIndex host);
  std::string out_of_run(const plan::Node& node) const;
  void end_batch(const Ready& point);
  bool fails_without_hosts(const plan::Node& end);
  void step_is_gone(const Ready& ready, bool left_out);
  void declare(plan::NodeId node);
  std::vector<bool> live_hosts(bool failed_too) const;
  bool nothing_ready() const { return ready_.empty() && slots_.empty(); }

  Context& context_;
  Steps& steps_;
  UndoLog& undo_;
  Summary& summary_;
  Ending& ending_;
  std::function<void()> abort_;

  std::optional<Walk> walk_;
  events::Part part_ = events::Part::forward;
  bool stopping_ = false;
  std::vector<bool> live_;  // hosts that take part
  std::deque<Unit> ready_;  // handlers and undos; the walk has its own
  Pivots pivots_;
  std::set<std::uint32_t> skipped_phases_;  // reported
  std::size_t failed_hosts_ = 0;
  std::set<plan::HostIndex> failed_in_rollback_;  // where all hosts take part again

  Handlers handlers_;
  HandlerRounds rounds_;
  HostSlots slots_;
  Waits waits_;
  HumanSteps human_steps_;
  StepConfirmation confirmation_;
  Reruns reruns_;
  Window window_;
  Deadlines deadlines_;
};

}  // namespace cnplay::run

// One run from its first event to its last. The loop is in run.cc, going forward in forward.cc,
// what answers a failure in failure.cc.
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "run/context.h"
#include "run/graph.h"
#include "run/handlers.h"
#include "run/people.h"
#include "run/preflight.h"
#include "run/step.h"
#include "run/summary.h"
#include "run/undo_log.h"

namespace cnplay::run {

class Runner {
 public:
  Runner(const plan::Plan& plan, remote::Hosts& hosts, events::Sink& sink, Clock& clock,
         const Options& options, std::atomic<int>& abort_requests);

  RunResult run(bool only_preflight);
  // Follows the record, and does nothing behind its end. An Error: it cannot be followed.
  Status follow();
  // Counts and edges that the graph walk touched: for the test that growth is linear.
  std::uint64_t work() const { return work_; }

 private:
  // run.cc
  void drive();
  void look_outside();
  void send_intents();
  void wait_and_take();
  std::size_t take(remote::Event event);
  std::optional<remote::Event> next_event(Duration wait);
  void begin_record();
  void pass_seam();
  void end_record();
  RunResult not_resumed(std::string what, std::string help) const;
  bool take_ended_steps();
  bool busy() const;
  bool look_before(bool only_preflight);
  void count_missing_hosts();
  RunResult go();
  RunResult finish();

  // forward.cc
  void go_forward();
  void start_ready();
  void begin(const Ready& ready);
  void say_skipped(std::uint32_t phase);
  void pass_skipped(const Ready& point);
  void begin_unit(const Unit& unit);
  void start_unit(const Unit& unit);
  std::optional<Unit> next_in_place();
  bool is_gone(const Unit& unit) const;  // its host has dropped out
  void pass(const Ready& point);
  void begin_wait(const Ready& point);
  void look_at_waits();
  void begin_round(Handlers::Round round, std::optional<Ready> after);
  void next_of_round(std::uint32_t round, plan::HostIndex host);
  void round_over(std::uint32_t round);
  std::uint32_t phase_ended_by(plan::NodeId node) const;
  void step_ended(StepEnd ended);
  void lock_lost(const remote::LockEnded& lock);
  void host_failed(plan::NodeId node, plan::HostIndex host);
  void host_lost(const remote::HostLost& lost);
  std::string out_of(const plan::Node& node) const;
  void end_batch(const Ready& point);
  bool fails_without_hosts(const plan::Node& end);
  void step_is_gone(const Ready& ready, bool left_out);
  void declare(plan::NodeId node);
  void run_section(const plan::Section& section, events::Part part);
  std::vector<bool> live_hosts(bool failed_too) const;

  // asking.cc
  void begin_human(const Ready& point);
  void look_at_human();
  void ask_people();
  void take_answer(events::HumanAnswered answer);
  void end_human(events::HumanEnd how);
  void park(std::string reason);
  RunResult parked();
  RunResult end_parked(events::RunParked parked);
  bool only_waits() const;
  void leave_wait();

  // way_back.cc
  bool offer(const plan::Response& response);
  std::optional<std::string> chosen(const plan::Response& response) const;
  void roll_back(const plan::Rollback& way);
  void fail_at(plan::NodeId node);
  void host_failed_on_the_way_back(plan::NodeId node, plan::HostIndex host);
  RunResult take_back();

  // deadline.cc
  void look_at_deadlines();
  Duration until_deadline() const;
  void say_deadlines();
  bool has_ended(std::uint32_t phase) const;

  // window.cc
  void look_at_window();
  bool behind_window(const Ready& ready);
  void ask_at_window();
  void decide_at_window(events::AtWindow choice);
  void park_at_window(std::string reason);
  void leave_window();
  std::optional<Time> window_end() const;
  Instant steady_now() const;
  Duration until_window() const;

  // stepwise.cc
  bool kept_back(const Ready& ready);
  void look_at_choices();
  void choose(plan::NodeId node, events::Choice choice);
  std::string skipped_by_choice(plan::NodeId node) const;
  std::string question(plan::NodeId node) const;
  std::string reader_of(plan::NodeId node) const;
  bool partial() const;

  // restart.cc
  bool held_back(const Ready& ready);
  void look_at_restarts();

  // failure.cc
  void stop();
  void resume();
  void respond();
  void closers();
  const plan::OnFailure* answer_for(plan::NodeId node) const;
  bool past_pivot(std::uint32_t phase) const;
  void undo_all();

  struct Wait {
    Ready point;
    Time until;
    bool late_at_start = false;
  };
  struct HumanWait {
    Ready point;
    Asked asked;
    Duration since{};
    bool begun = false;  // the prompter asks
  };
  // Closed: what becomes ready stays behind it until somebody has decided.
  enum class WindowState { open, closed, decided };
  struct WindowWait {
    WindowState state = WindowState::open;
    std::deque<Ready> behind;
    std::optional<plan::Node> question;  // that a person is being asked
    // What the two clocks said when it was looked at first.
    mutable std::optional<std::pair<Instant, Duration>> anchor;
  };
  struct RoundState {
    Handlers::Round queues;
    std::size_t hosts_left = 0;
    std::optional<Ready> after;
  };

  Context context_;
  std::atomic<int>& abort_requests_;
  UndoLog undo_;
  Steps steps_;
  Summary summary_;
  Handlers handlers_;
  Ending ending_;

  std::optional<Walk> walk_;
  events::Part part_ = events::Part::forward;
  std::vector<bool> live_;  // hosts that take part in the section at hand
  std::deque<Unit> ready_;  // handlers and undos; the walk has its own
  // With `forks`: the hosts that have a place, what is ready on them, and on the others.
  std::vector<plan::HostIndex> places_;
  std::deque<Unit> placed_;
  std::deque<Unit> parked_;
  std::deque<Wait> waits_;
  std::optional<HumanWait> human_;  // a barrier: there is never a second one
  bool asks_ = false;               // a person is asked before each step
  bool asking_step_ = false;        // about the first of these:
  std::deque<Ready> undecided_;     // ready, until the person has spoken
  std::map<plan::NodeId, events::Choice> choices_;
  std::deque<Ready> held_;  // of a record: ready, but it is done again behind it
  WindowWait window_;
  std::map<std::uint32_t, RoundState> rounds_;
  std::uint32_t last_round_ = 0;
  std::vector<bool> pivots_;                // passed, by node
  std::set<std::uint32_t> skipped_phases_;  // reported
  std::size_t failed_hosts_ = 0;
  std::set<plan::HostIndex> failed_back_;      // on the way back, which takes all hosts up anew
  std::optional<events::HumanEnd> human_end_;  // of the last human step
  bool stopping_ = false;                      // of the work at hand nothing more is started
  int aborts_ = 0;
  int aborts_before_ = 0;           // of these: asked of an earlier controller
  std::vector<HostState> reached_;  // of a run that is taken up: the hosts as they are now
  bool only_follows_ = false;       // and never goes past it
  Duration last_tick_{};
  std::uint64_t work_ = 0;
};

}  // namespace cnplay::run

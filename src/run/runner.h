// One run from its first event to its last, and the loop that drives it.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "run/context.h"
#include "run/ending.h"
#include "run/preflight.h"
#include "run/recovery.h"
#include "run/section_run.h"
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
  // The loop, and what it calls.
  void drive();
  void look_outside();
  void send_intents();
  void wait_and_take();
  std::size_t take(remote::Event event);
  void lock_lost(const remote::LockEnded& lock);
  std::optional<remote::Event> next_event(Duration wait);
  // Where the record of an earlier controller begins and ends.
  void begin_record();
  void pass_seam();
  void end_record();
  // The course of the run.
  bool look_before(bool only_preflight);
  RunResult go();
  RunResult go_back();
  void run_always_sections();
  RunResult parked();
  RunResult finish();
  RunResult not_resumed(std::string what, std::string help) const;

  Context context_;
  std::atomic<int>& abort_requests_;
  UndoLog undo_;
  Steps steps_;
  Summary summary_;
  Ending ending_;
  SectionRun section_;
  Recovery recovery_;

  int aborts_ = 0;
  int aborts_before_ = 0;           // of these: asked of an earlier controller
  std::vector<HostState> reached_;  // of a resumed run: the hosts as they are now
  bool only_follows_ = false;       // and never goes past the record
  Duration last_tick_{};
  std::uint64_t work_ = 0;
};

}  // namespace cnplay::run

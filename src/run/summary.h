// The figures of a run: outcomes by host, times by step, the length of the outage, the verdict, and
// what a person does next.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "events/event.h"
#include "run/context.h"
#include "run/ending.h"
#include "run/step.h"
#include "run/undo_log.h"

namespace cnplay::run {

class Summary {
 public:
  explicit Summary(Context& context);

  // When the run began, on the steady clock, if that was before this was made.
  void began(Duration at) { started_ = at; }
  void step_ended(const StepEnd& ended);
  void human_ended(plan::NodeId node, Duration from, Duration to, bool well) {
    timings_[node] = {from, to, well ? events::Outcome::ok : events::Outcome::failed};
  }
  // Another controller goes on here: what spans this moment took longer than it takes.
  void taken_up(Duration at) { gaps_.push_back(at); }
  void host_unreachable(plan::HostIndex host) { hosts_[host].unreachable = true; }

  // Opens the phases around a node that are not open yet, outermost first.
  void enter(std::uint32_t phase);
  void phase_ended(std::uint32_t phase);
  bool has_ended(std::uint32_t phase) const {
    return opened_[phase] && std::find(open_.begin(), open_.end(), phase) == open_.end();
  }
  bool in_outage() const { return outages_ > 0; }
  // Closes what the run leaves behind; `undone`: an outage that began is over all the same.
  void close_phases(bool undone);

  events::RunEnded build(const Ending& ending, const UndoLog& undo) const;

 private:
  struct Timing {
    Duration from{};
    Duration to{};
    events::Outcome outcome{};
  };
  void outage_began(Duration now);
  void outage_ended(Duration now);
  bool outermost_outage(std::uint32_t phase) const;
  events::Verdict verdict(const Ending& ending) const;
  struct Change {
    plan::NodeId node = 0;
    std::vector<plan::HostIndex> hosts;
    Fate fate{};
    bool half = false;  // the step failed there: it may have changed a part
  };
  std::vector<Change> changes_of(const UndoLog& undo) const;
  void say_changes(const std::vector<Change>& changes,
                   const std::function<void(const std::string&)>& say) const;
  std::string advice(const Ending& ending, events::Verdict verdict, const UndoLog& undo) const;
  std::optional<Duration> outage_expected(const Ending& ending) const;
  void say_next(const Ending& ending, bool all_undone, bool undoable, const std::string& left,
                const std::function<void(const std::string&)>& say) const;
  void say_ways_back(const Ending& ending,
                     const std::function<void(const std::string&)>& say) const;
  // "`code` (update_code.play:12) on web1, web2", on one line whatever the title holds.
  std::string place(plan::NodeId id, const std::vector<plan::HostIndex>& hosts) const;

  Context& context_;
  Duration started_;
  std::vector<events::HostSummary> hosts_;
  std::map<plan::NodeId, Timing> timings_;
  std::vector<Duration> gaps_;
  std::vector<std::optional<Duration>> opened_;  // by phase
  std::vector<std::uint32_t> open_;              // in order of opening
  std::uint32_t outages_ = 0;                    // outage phases open
  Duration outage_since_{};
  Duration outage_total_{};
  bool outage_any_ = false;
  bool outage_open_ = false;
  bool any_failed_ = false;
  bool any_unreachable_ = false;
  bool any_unapplied_ = false;
  struct Unknown {
    plan::NodeId node;
    plan::HostIndex host;
  };
  std::vector<Unknown> unknown_;
  std::set<std::pair<plan::NodeId, plan::HostIndex>> failed_;
  std::vector<Unknown> aborted_;
};

}  // namespace cnplay::run

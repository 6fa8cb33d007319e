// Before the first change: everything that can be known to fail is looked at on all hosts at once,
// and all of it is told in one list.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "remote/remote.h"
#include "run/context.h"
#include "run/undo_log.h"

namespace cnplay::run {

class Preflight {
 public:
  // `alone`: no run follows. `again`: the run has begun already, and is taken up: it is looked
  // whether its hosts, users, secrets and locks are there, and every one that is missing is a
  // reason to wait.
  Preflight(Context& context, bool alone, bool again)
      : context_(context), alone_(alone), again_(again) {}

  // Preconditions and secrets: what needs no host. False: the run is refused.
  bool look_here();
  // Begins to connect to all hosts. Then feed events to take() until done().
  void look_there();
  bool done() const { return begun_ && outstanding_ == 0; }
  void take(remote::Event event);
  // Kills what is in flight (it only reads) and looks at nothing more: answer() may be asked at
  // once, and is not `go`.
  void cancel();

  // Emits the problems, sorted, and PreflightEnded. Hosts with a problem that every step which
  // needs them tolerates are marked failed in the context, and the run goes on.
  enum class Answer { go, unreachable, refused };
  Answer answer();
  // The number of problems, for advice.
  std::size_t problems() const { return problems_.size(); }
  // The first one, for a message of one line.
  std::string first_problem() const { return problems_.empty() ? "" : problems_.front().message; }

 private:
  enum class Kind { here, host, lock };
  struct Problem {
    std::optional<plan::HostIndex> host;
    Kind kind{};
    std::string message;
    std::string help;
  };
  // What is still to do on a host: one task at a time, so that preflight opens no more shells
  // than the run.
  struct Queue {
    std::deque<remote::Task> tasks;
    std::deque<std::string> what;  // for messages, one each
    std::size_t locks = 0;         // asked for, not answered
    bool over = false;
    bool told_lost = false;  // its problem is listed already
  };
  // The commands that a user needs on hosts that take part in the same steps, looked for along the
  // search path of this node (kNone: along the host's own).
  using Needs = std::map<std::pair<std::string, plan::NodeId>, std::vector<std::string>>;

  void problem(std::optional<plan::HostIndex> host, Kind kind, std::string message,
               std::string help = {});
  void look_at_requirements();
  void group_hosts();
  // preflight_scope.cc: of a run that takes another one back, what it needs of the plan.
  void find_scope();
  bool uses(std::uint32_t secret) const;
  void look_at_the_clock();
  Duration reboot_patience(plan::HostIndex host) const;
  void fill(plan::HostIndex host);
  void add_scripts(plan::HostIndex host, const plan::Node& node);
  void next_task(plan::HostIndex host);
  std::vector<std::string> lock_names() const;
  void ask_for_lock(plan::HostIndex host, const std::string& name);
  void next_lock();
  void no_more_locks();
  void host_over(plan::HostIndex host);
  void task_ended(remote::TaskEnded ended);
  void lock_ended(const remote::LockEnded& ended);
  void tell_joined();
  bool tolerated() const;
  bool given_up(plan::HostIndex host) const;

  Context& context_;
  const bool alone_;
  const bool again_;
  bool begun_ = false;
  bool cancelled_ = false;
  Duration started_{};
  std::size_t outstanding_ = 0;            // hosts not over
  std::vector<plan::HostIndex> at_locks_;  // where locks are what is left, if they are waited for
  std::optional<plan::HostIndex> lock_asked_of_;
  std::vector<Queue> queues_;                        // by host
  std::vector<std::vector<plan::NodeId>> nodes_of_;  // by host
  std::vector<bool> takes_part_;                     // by node
  std::vector<UndoLog::Step> to_undo_;               // of a run that undoes another one
  std::vector<bool> answers_failure_;  // by node: it stands in what only a failure brings about
  std::map<std::vector<plan::NodeId>, Needs> needs_;
  std::set<std::string> shared_;         // locks that a run around this one holds; told
  std::vector<plan::HostIndex> joined_;  // where this run holds a lock through another host
  std::unordered_map<remote::TaskId, std::string> tasks_;  // in flight: what is looked at
  std::vector<Problem> problems_;
};

// How many hosts may have failed in all without stopping the run at this node. A `once` step has no
// other host to fall back on: only `tolerate all` lets the run go on without it.
std::uint32_t tolerance(const plan::Plan& plan, const plan::Node& node);

}  // namespace cnplay::run

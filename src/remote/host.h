// One host: its connection, its shells, what waits for them. All of it on the connection's strand;
// Hosts posts to it, and it answers through the queue of events.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "remote/event_queue.h"
#include "remote/host_lock.h"
#include "remote/job.h"
#include "remote/session.h"
#include "remote/shell.h"
#include "remote/shipment.h"
#include "remote/sources.h"

namespace cnplay::remote {

class HostSession final : public ShellOwner, public std::enable_shared_from_this<HostSession> {
 public:
  HostSession(std::shared_ptr<ssh::Connection> connection, HostIndex index, HostSettings settings,
              const Options& options, std::shared_ptr<EventQueue> events,
              std::shared_ptr<Sources> sources);

  void connect(Duration within);
  // `recorded`: tasks whose results are on disk since the last call.
  void start(Task task, const std::vector<TaskId>& recorded);
  void adopt(TaskId id);
  void withdraw(TaskId id);
  void cancel(TaskId id);
  void lock(std::string name, std::string owner);
  void note(std::string step);
  void output_drained();
  // Ends what runs, the shells, then the connection, as Hosts::close says. `done` receives whether
  // all ended well; after `within` the connection is closed at once.
  void close(Duration within, Traces traces, std::function<void(bool)> done);
  // At once and without a word: the owner is gone.
  void drop();

  void shell_ready(Shell& shell, const std::string& boot_id) override;
  void shell_failed(Shell& shell, const ShellFailure& failure) override;
  void shell_job_ended(Shell& shell) override;
  void shell_job_moved(Shell& shell) override;
  void shell_gone(Shell& shell, const std::string& why, bool lost) override;

 private:
  enum class Phase {
    fresh,
    connecting,
    ready,
    losing,  // a channel has said that the connection is gone; the connection has not yet
    reconnecting,
    failed,
    lost,
    closing,
    closed
  };
  using JobPtr = std::shared_ptr<Job>;
  struct LockWish {
    std::string name;
    std::string owner;
    bool held = false;
    bool again = false;  // it was held when the connection was lost
    int tries = 0;
    std::optional<std::chrono::steady_clock::time_point> asked;  // first, if it is waited for
  };
  struct Spool {
    std::string user;
    std::set<TaskId> tasks;  // whose results are not yet on record
    bool closed = false;     // its shell is no more
  };

  // host.cc: shells and jobs
  void connected(const std::optional<ssh::TransportError>& error);
  void watch_connection();
  void log_in();
  void failed(Unreachable kind, const std::string& what, const std::string& help);
  // Whether the task may be started but once: one of the runner that can change something.
  static bool once(const Job& job);
  void pump();
  bool send_to_idle(const JobPtr& job);
  void open_shell(const std::string& user, bool urgent);
  bool room(bool urgent) const;
  bool may_open(const std::string& user) const;
  void make_room(const std::string& for_user, bool fresh = false);
  void send(const JobPtr& job, const std::shared_ptr<Shell>& shell);
  void bound(const JobPtr& job);
  std::string old_spools(const std::string& user);
  void follow_ended(const JobPtr& job);
  void finish(const JobPtr& job, Ended ended, std::string error, std::string help);
  void refuse_waiting(const std::string& user, const ShellFailure& failure);
  std::shared_ptr<Shell> remove_shell(Shell& shell);
  void pump_locks();

  void run_scripts(const JobPtr& job, std::string shipment);
  void collect(const JobPtr& job);
  void begin_time(const JobPtr& job);
  void note_claim(const Job& job, const Shell& shell);
  static Claim claim_of(const Job& job);
  Result<std::string> shipment_of(const Job& job, Claim claim, const Due& due = {}) const;

  // host_ahead.cc: tasks that the runner has not come to
  bool send_ahead(const JobPtr& job);
  void send_held_back(const Job& before);
  JobPtr take_parked(TaskId id);
  void ask_back(const JobPtr& job);
  void lost_place(const JobPtr& job, bool may_have_begun);

  // host_transfer.cc: files that go before apply, or are it
  static bool moves_file(const Job& job);
  bool transfer_due(const JobPtr& job) const;
  void begin_transfer(const JobPtr& job);
  void transfer_ended(const JobPtr& job);

  // reconnect.cc
  bool may_reconnect() const;
  void hold_all(const std::string& why);
  void try_again();
  void try_later(const std::string& why);
  bool log_in_later(Unreachable kind);
  void take_up(Shell& shell, const std::string& boot_id);
  void lost_by_restart(const JobPtr& job);
  void know_parent(const Shell& shell);
  void lock_again(const std::shared_ptr<LockWish>& wish, Duration pause);
  void end_idle_shell();
  void lock_ended(const std::shared_ptr<LockWish>& wish, LockEnded ended, bool with_connection);

  // restart.cc: a task that restarts the host
  static bool restarts(const Job& job);
  bool restart_due(const Job& job) const;
  std::optional<std::chrono::steady_clock::time_point> restart_until() const;
  bool waits_for_restart(const Job& job) const;
  void await_restart(const JobPtr& job);
  void look_at_restart(std::chrono::steady_clock::time_point when);
  void restart_overdue();
  void has_restarted(const JobPtr& job);
  void end_restart(const std::optional<StageResult>& verify);
  void lose_restart(Ended ended, const std::string& why);
  void tell_restart(const JobPtr& job, TaskResult result);

  // host_end.cc: kills, losses, the end
  void kill(const JobPtr& job, Ended as, std::string why);
  void kill_when_known(const JobPtr& job, Ended as, std::string why);
  void killed(const JobPtr& job, const TaskResult& result);
  void lose_connection(const std::string& why);
  void give_up(const std::string& why);
  void advance_close();
  void closed(bool well);

  std::shared_ptr<ssh::Connection> connection_;
  HostIndex index_;
  HostSettings settings_;
  Options options_;
  std::shared_ptr<EventQueue> events_;
  std::shared_ptr<Sources> sources_;
  Phase phase_ = Phase::fresh;

  std::vector<std::shared_ptr<Shell>> shells_;
  std::deque<JobPtr> waiting_;
  std::deque<JobPtr> parked_;    // ahead of the runner, and not sent, or without a place
  std::vector<JobPtr> running_;  // sent, not yet reported
  std::vector<std::shared_ptr<HostLock>> locks_;
  std::deque<std::shared_ptr<LockWish>> waiting_locks_;
  std::string step_;  // at hand, for those who read the locks
  unsigned max_channels_;
  TaskId last_task_;  // no task of the run on this host has a higher id
  SudoMemory sudo_;
  std::map<std::string, ShellFailure> refused_;  // users that cannot be become, and why
  std::set<std::string> scratch_;                // users whose run directory may exist
  std::set<std::string> kept_;                   // of these: what a task that was lost has left
  std::map<std::string, Spool> spools_;          // by name

  JobPtr restart_;          // its apply is done, and the host is to go and come back
  bool restarted_ = false;  // it has, and is being verified
  std::string boot_id_;
  long parent_ = 0;  // the sshd of the connection, on the host
  long long parent_since_ = 0;
  std::chrono::steady_clock::time_point lost_at_;
  std::chrono::steady_clock::time_point back_at_;  // the last time it was made anew
  bool moved_ = true;                              // a task has ended since then
  std::string lost_why_;
  Duration pause_{0};
  std::chrono::steady_clock::time_point connect_until_;
  boost::asio::steady_timer retry_timer_;

  bool closing_well_ = true;
  Traces traces_ = Traces::keep;  // once it is closing
  std::function<void(bool)> close_done_;
  boost::asio::steady_timer close_timer_;
};

}  // namespace cnplay::remote

// One host: its connection from the first login to the end, and what that means for its shells,
// jobs and locks. All of it on the connection's strand; Hosts posts to it, and it answers through
// the queue of events.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "remote/host_context.h"
#include "remote/host_jobs.h"
#include "remote/host_locks.h"
#include "remote/host_traces.h"
#include "remote/retry_schedule.h"
#include "remote/shell_pool.h"

namespace cnplay::remote {

class HostSession final : public ShellOwner,
                          public LockOwner,
                          public JobsOwner,
                          public std::enable_shared_from_this<HostSession> {
 public:
  HostSession(std::shared_ptr<ssh::Connection> connection, HostIndex index, HostSettings settings,
              const Options& options, std::shared_ptr<EventQueue> events,
              std::shared_ptr<Sources> sources);

  void connect(Duration within);
  // `recorded`: tasks whose results are on disk since the last call.
  void start(Task task, const std::vector<TaskId>& recorded);
  void adopt(TaskId id) { jobs_.adopt(id); }
  void withdraw(TaskId id) { jobs_.withdraw(id); }
  void cancel(TaskId id) { jobs_.cancel(id); }
  void lock(std::string name, std::string owner);
  void note(std::string step) { locks_.note(std::move(step)); }
  void output_drained() { shells_.resume_output(); }
  // Ends what runs, the shells, then the connection, as Hosts::close says. `done` receives whether
  // all ended well; after `within` the connection is closed at once.
  void close(Duration within, Traces traces, std::function<void(bool)> done);
  // At once and without a word: the owner is gone.
  void drop();

  void shell_ready(Shell& shell, const std::string& boot_id) override;
  void shell_failed(Shell& shell, const ShellFailure& failure) override;
  void shell_job_ended(Shell& shell) override { jobs_.shell_job_ended(shell); }
  void shell_job_moved(Shell& shell) override { jobs_.shell_job_moved(shell); }
  void shell_gone(Shell& shell, const std::string& why, bool lost) override;

  void lock_gone() override { advance(); }
  void lock_due() override { jobs_.pump(); }
  bool has_shell_to_spare() const override { return shells_.all().size() > 1; }
  void spare_shell() override { shells_.end_one_idle(); }

  void advance() override;
  void give_up_reconnecting(const std::string& why) override;

 private:
  void log_in();
  void watch_connection();
  void replace_connection();
  void connected(const std::optional<ssh::TransportError>& error);
  void failed(Unreachable kind, const std::string& what, const std::string& help);
  bool log_in_later(Unreachable kind);

  void lose_connection(const std::string& why);
  void reconnect(const std::string& why);
  void try_again();
  void tried_again(const std::optional<ssh::TransportError>& error);
  void try_later(const std::string& why);
  void reconnected(Shell& shell, const std::string& boot_id);
  void give_up(const std::string& why);
  void know_parent(const Shell& shell);

  void advance_close();
  bool remove_directories();
  void closed(bool well);

  HostContext context_;
  HostTraces traces_;
  HostLocks locks_;
  ShellPool shells_;
  RetrySchedule retry_;
  HostJobs jobs_;
  boost::asio::steady_timer retry_timer_;

  bool closing_well_ = true;
  std::function<void(bool)> close_done_;
  boost::asio::steady_timer close_timer_;
};

}  // namespace cnplay::remote

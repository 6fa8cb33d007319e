// The tasks of one host on their way: waiting for a shell, sent, sent ahead, killed, over.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "remote/file_transfers.h"
#include "remote/host_context.h"
#include "remote/host_locks.h"
#include "remote/host_traces.h"
#include "remote/job_control.h"
#include "remote/killer.h"
#include "remote/reboot.h"
#include "remote/retry_schedule.h"
#include "remote/shell_pool.h"
#include "remote/task_sender.h"

namespace cnplay::remote {

// The session, as its jobs see it.
class JobsOwner {
 public:
  // Starts what there is room for; a session that is being closed goes on with that.
  virtual void advance() = 0;
  // The connection, which was lost, is given up. `why`: what to add to why it was lost.
  virtual void give_up_reconnecting(const std::string& why) = 0;

 protected:
  ~JobsOwner() = default;
};

class HostJobs final : public JobControl {
 public:
  HostJobs(HostContext& context, JobsOwner& owner, HostTraces& traces, ShellPool& shells,
           HostLocks& locks, RetrySchedule& retry);

  // As Hosts says.
  void start(Task task);
  void adopt(TaskId id);
  void withdraw(TaskId id);
  void cancel(TaskId id);

  // The job of the shell has said its end.
  void shell_job_ended(Shell& shell);
  void shell_job_moved(Shell& shell);
  // The shell's channel is closed: what was sent ahead to it loses its place. The shell lives as
  // long as the result.
  std::shared_ptr<Shell> remove_shell(Shell& shell);
  // The shell has ended under its job. True: the job is being killed.
  bool shell_died(const JobPtr& job, const std::string& why);
  // There will be no shell of the user.
  void refuse_waiting(const std::string& user, const ShellFailure& failure);

  // The connection is lost, and another one will be tried. The tasks continue on the host; each is
  // sent again then, under its id, and the host knows by its claim whether to start or follow it.
  void connection_lost(const std::string& why);
  // `rebooted`: to another boot of the host.
  void reconnected(bool rebooted);
  // Ends all jobs: those that were sent as lost, others as not started. Each with its reason.
  void end_all(const std::string& sent, const std::string& unsent, const std::string& rebooting);
  // The session is being closed. Tasks that may continue without us do, unless nothing may stay.
  void close(Traces traces);
  bool empty() const { return running_.empty() && waiting_.empty(); }
  // No task of the run on this host has a higher id.
  TaskId last_task() const { return last_task_; }
  // As Reboot::until().
  std::optional<Reboot::TimePoint> reboot_until() const { return reboot_.until(); }
  bool awaits_reboot() const { return reboot_.under_way(); }

  const std::deque<JobPtr>& waiting() const override { return waiting_; }
  void finish(const JobPtr& job, Ended ended, std::string error, std::string help) override;
  void report(const JobPtr& job, TaskResult result) override;
  void queue_first(JobPtr job) override { waiting_.push_front(std::move(job)); }
  void forget_waiting(const JobPtr& job) override;
  void detach(const JobPtr& job) override;
  void drop_shell(const std::shared_ptr<Shell>& shell) override { remove_shell(*shell); }
  void pump() override;
  void advance() override { owner_.advance(); }
  void give_up(const std::string& why) override { owner_.give_up_reconnecting(why); }

 private:
  bool send_to_idle(const JobPtr& job);
  void send(const JobPtr& job, const std::shared_ptr<Shell>& shell);
  void follow_ended(const JobPtr& job);
  void release_shell(const JobPtr& job);
  void end_deferred(const std::string& why);
  // Tasks that are sent before the runner has come to them: after the one that they follow, in the
  // same shell, which begins them by itself if that one has ended well. What has lost its place
  // there is deferred until the runner comes to it, or says that it will not.
  bool send_ahead(const JobPtr& job);
  void send_deferred(const Job& before);
  JobPtr take_deferred(TaskId id);
  void forbid(const Job& job);
  void settle_withdrawn(const JobPtr& job);
  void lost_place(const JobPtr& job, bool may_have_begun);

  HostContext& context_;
  JobsOwner& owner_;
  HostTraces& traces_;
  ShellPool& shells_;
  HostLocks& locks_;
  RetrySchedule& retry_;
  Killer killer_;
  TaskSender sender_;
  FileTransfers transfers_;
  Reboot reboot_;

  std::deque<JobPtr> waiting_;
  std::deque<JobPtr> deferred_;  // ahead of the runner, and not sent, or without a place
  std::vector<JobPtr> running_;  // sent, not yet reported
  TaskId last_task_;
};

}  // namespace cnplay::remote

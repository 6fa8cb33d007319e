// A task whose apply reboots its host. That the host has rebooted is known only by another boot id:
// the task is not over when its apply is, but when the host is back and its verify stage has been
// run there. A task that was sent and finds another boot id has had its reboot, whoever saw it: so
// the host is never rebooted twice for it.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "remote/host_context.h"
#include "remote/job_control.h"

namespace cnplay::remote {

class Reboot {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  Reboot(HostContext& context, JobControl& jobs) : context_(context), jobs_(jobs) {}

  // The job is of a task that reboots its host.
  static bool reboots(const Job& job);
  // Whether the task has done what it can on this boot, so that await() is next. A shell that is
  // killed while the host goes down has not failed.
  bool is_due(const Job& job) const;
  void await(const JobPtr& job);
  // A reboot is awaited. Nothing else is begun on the host then.
  bool under_way() const { return job_ != nullptr; }
  // This task's reboot is awaited.
  bool is_for(TaskId id) const { return job_ && job_->task.id == id; }
  // By when the host must be back. nullopt: no reboot is under way, nor may be.
  std::optional<TimePoint> until() const;

  // There is a connection again; `rebooted`: to another boot.
  void reconnected(bool rebooted);
  // The job was sent on a boot that is over: that was its reboot, or the job is lost.
  void lost_by_reboot(const JobPtr& job);
  // Ends the task without a verdict, if a reboot is awaited.
  void lose(Ended ended, const std::string& why);

 private:
  void check_at(TimePoint when);
  void overdue();
  void done(const JobPtr& job);
  void end(const std::optional<StageResult>& verify);
  void report(const JobPtr& job, TaskResult result);

  HostContext& context_;
  JobControl& jobs_;
  JobPtr job_;             // its apply is done, and the host is to go and come back
  bool rebooted_ = false;  // it has, and is being verified
};

}  // namespace cnplay::remote

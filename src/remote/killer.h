// Kills tasks on a host: on request, after their timeout, or because their shell died.
#pragma once

#include <string>

#include "remote/host_context.h"
#include "remote/job_control.h"

namespace cnplay::remote {

class Killer {
 public:
  Killer(HostContext& context, JobControl& jobs) : context_(context), jobs_(jobs) {}

  // Kills the process group of the job, which ends with `as` then, or as it was, if it is faster.
  // The shell leads its process group, so the group is all that the task has started and that has
  // not left it of its own will. Another shell of the same user kills it.
  void kill(const JobPtr& job, Ended as, std::string why);
  // The same as soon as the process group is known: after a reconnect the host's first word names
  // it.
  void kill_when_known(const JobPtr& job, Ended as, std::string why);
  // The job's shell says that the job has ended. False: a kill is on its way already, which may be
  // the very reason of this end, and decides how the job ended.
  bool spare(const JobPtr& job);

 private:
  void ended(const JobPtr& job, const TaskResult& result);

  HostContext& context_;
  JobControl& jobs_;
};

}  // namespace cnplay::remote

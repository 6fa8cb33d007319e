// Hands tasks to shells: the request, who takes in what the host says, and the timeout.
#pragma once

#include <string>

#include "remote/host_context.h"
#include "remote/job_control.h"
#include "remote/killer.h"
#include "remote/request.h"

namespace cnplay::remote {

class TaskSender {
 public:
  TaskSender(HostContext& context, Killer& killer) : context_(context), killer_(killer) {}

  Result<std::string> request_of(const Job& job, Claim claim, const Previous& previous = {}) const;
  // Sends the request to the shell that has the job already.
  void run(const JobPtr& job, std::string request);
  // What the host says of the job from now on is collected from the beginning.
  void collect(const JobPtr& job);
  // The host begins the job now: its time runs.
  void begin_time(const JobPtr& job);

 private:
  HostContext& context_;
  Killer& killer_;
};

}  // namespace cnplay::remote

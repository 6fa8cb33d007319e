// What the parts of a host's session do to its jobs.
#pragma once

#include <deque>
#include <memory>
#include <string>

#include "remote/job.h"
#include "remote/remote.h"

namespace cnplay::remote {

using JobPtr = std::shared_ptr<Job>;

class JobControl {
 public:
  // Jobs that have not been sent on this connection, in the order in which they are to be.
  virtual const std::deque<JobPtr>& waiting() const = 0;
  // Ends a job, and reports what is known of it.
  virtual void finish(const JobPtr& job, Ended ended, std::string error, std::string help) = 0;
  // Reports the result of a job that is in no queue.
  virtual void report(const JobPtr& job, TaskResult result) = 0;
  // The job waits, before all others.
  virtual void queue_first(JobPtr job) = 0;
  // The job is given up without a word, if it has not been sent.
  virtual void forget_waiting(const JobPtr& job) = 0;
  // Takes the job out of its shell and out of the queues. It is not over.
  virtual void detach(const JobPtr& job) = 0;
  // The shell is closed, and what was sent ahead to it loses its place.
  virtual void drop_shell(const std::shared_ptr<Shell>& shell) = 0;
  // Starts what there is room for.
  virtual void pump() = 0;
  // The same, and a session that is being closed goes on with that.
  virtual void advance() = 0;
  // The connection is lost for good.
  virtual void give_up(const std::string& why) = 0;

 protected:
  ~JobControl() = default;
};

}  // namespace cnplay::remote

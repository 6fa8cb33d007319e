// Files that go to the host before apply, and files that are brought from it. The job stays with
// its shell: scripts, then the file, then (for one that was sent) the scripts again, which now find
// it.
#pragma once

#include "remote/host_context.h"
#include "remote/host_traces.h"
#include "remote/job_control.h"
#include "remote/task_sender.h"

namespace cnplay::remote {

class FileTransfers {
 public:
  FileTransfers(HostContext& context, HostTraces& traces, TaskSender& sender, JobControl& jobs)
      : context_(context), traces_(traces), sender_(sender), jobs_(jobs) {}

  static bool moves_file(const Job& job);
  // Whether the scripts have ended, and the file is next.
  static bool is_due(const Job& job);
  void begin(const JobPtr& job);
  // Reports how far the job's file is, now and then.
  void progress(const Job& job);
  // The shell says that the file's way is over.
  void ended(const JobPtr& job);

 private:
  void report(const Job& job, std::uint64_t done);

  HostContext& context_;
  HostTraces& traces_;
  TaskSender& sender_;
  JobControl& jobs_;
};

}  // namespace cnplay::remote

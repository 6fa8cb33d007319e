#include "remote/task_sender.h"

#include <algorithm>
#include <utility>

#include "remote/shell.h"

namespace cnplay::remote {

Result<std::string> TaskSender::request_of(const Job& job, Claim claim,
                                           const Previous& previous) const {
  std::int64_t watch = 0;
  if (job.task.timeout) {
    const Duration bound = *job.task.timeout + context_.options.host_grace;
    watch = std::max<std::int64_t>(1, (bound.count() + 999) / 1000);
  }
  return make_request(job.task, watch, claim, previous);
}

void TaskSender::run(const JobPtr& job, std::string request) {
  collect(job);
  job->transferring = false;
  job->shell->run(job, std::move(request));
}

void TaskSender::collect(const JobPtr& job) {
  Collector::Output output = [](Stage, Stream, std::string_view) {};
  if (!job->done) {
    output = [this, id = job->task.id, raw = job->shell.get(), job = job.get()](
                 Stage stage, Stream stream, std::string_view bytes) {
      if (job->kill) return;  // nobody waits for it, and the channel must run dry
      if (!context_.events->push_output({.task = id,
                                         .host = context_.index,
                                         .stage = stage,
                                         .stream = stream,
                                         .bytes = Untrusted(std::string(bytes))})) {
        raw->pause();
      }
    };
  }
  job->collector =
      std::make_unique<Collector>(job->task, context_.options.tail_bytes, std::move(output));
  job->collector->skip(job->passed);
}

void TaskSender::begin_time(const JobPtr& job) {
  job->sent = std::chrono::steady_clock::now();
  if (!job->task.timeout) return;
  job->timer = std::make_unique<boost::asio::steady_timer>(context_.executor());
  job->timer->expires_after(*job->task.timeout);
  job->timer->async_wait([this, alive = context_.session, weak_job = std::weak_ptr<Job>(job)](
                             const boost::system::error_code& error) {
    const auto session = alive.lock();
    const auto late = weak_job.lock();
    if (error || !session || !late || late->over || late->kill) return;
    killer_.kill_when_known(late, Ended::timed_out,
                            "killed after its timeout of " + human_duration(*late->task.timeout));
  });
}

}  // namespace cnplay::remote

#include "remote/file_transfers.h"

#include <utility>

#include "remote/shell.h"
#include "remote/transfer.h"

namespace cnplay::remote {
namespace {

Result<std::shared_ptr<Transfer>> opened(const Job& job, const std::shared_ptr<Sources>& sources) {
  const Task& task = job.task;
  if (!task.upload) return Transfer::from_host(task.id, *task.download);
  if (task.upload->manifest.empty()) return Transfer::to_host(task.id, *task.upload, sources);
  return Transfer::tree_to_host(task.id, *task.upload, job.collector->wanted());
}

}  // namespace

bool FileTransfers::moves_file(const Job& job) {
  return job.task.upload.has_value() || job.task.download.has_value();
}

bool FileTransfers::is_due(const Job& job) {
  if (job.done || job.kill || job.task.mode != Mode::apply) return false;
  const Collector& said = *job.collector;
  if (said.followed() || !said.started()) return false;
  return job.task.upload ? said.wants_upload() : job.task.download && said.says_change();
}

void FileTransfers::begin(const JobPtr& job) {
  if (job->shell->terminal()) {
    return jobs_.finish(
        job, Ended::refused,
        context_.name() + ": a file cannot go through the terminal that sudo asks for there",
        "take `requiretty` out of its sudoers, or log in as the user");
  }
  if (!job->transfer) {
    auto transfer = opened(*job, context_.sources);
    if (!transfer) {
      return jobs_.finish(job, Ended::refused, transfer.error().what, transfer.error().help);
    }
    job->transfer = std::move(*transfer);
    // What there will be of a tree on the host is known only now.
    if (job->task.upload) job->task.upload->sha256 = job->transfer->name();
  }
  auto request = job->transfer->request();
  if (!request) {
    return jobs_.finish(job, Ended::refused, request.error().what, request.error().help);
  }
  traces_.used(job->task.become);
  job->passed = job->collector->passed();
  job->transferring = true;
  job->shell->send_more(std::move(*request));
}

void FileTransfers::progress(const Job& job) {
  if (job.transfer && job.transfer->progress_due()) report(job, job.transfer->done());
}

void FileTransfers::report(const Job& job, std::uint64_t done) {
  context_.events->push(TaskProgress{
      .task = job.task.id, .host = context_.index, .done = done, .size = job.transfer->size()});
}

void FileTransfers::ended(const JobPtr& job) {
  const Status well = job->transfer->finish();
  const auto shell = job->shell;
  const bool spoilt = job->transfer->spoils_shell();
  if (!well) {
    jobs_.finish(job, Ended::refused, context_.name() + ": " + well.error().what,
                 well.error().help);
    if (spoilt) shell->end();
    return;
  }
  // Whoever was shown that it is on its way is shown that it has arrived.
  if (job->transfer->progress_told()) report(*job, job->transfer->size());
  if (job->task.download) return jobs_.finish(job, Ended::finished, {}, {});
  auto request = sender_.request_of(*job, Claim::once);
  if (!request) {
    return jobs_.finish(job, Ended::refused, request.error().what, request.error().help);
  }
  sender_.run(job, std::move(*request));
}

}  // namespace cnplay::remote

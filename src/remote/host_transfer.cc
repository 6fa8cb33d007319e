// Files that go to the host before apply, and files that are brought from it. The job stays with
// its shell: scripts, then the file, then (for one that was sent) the scripts again, which now find
// it.
#include "remote/host.h"
#include "remote/shipment.h"
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

bool HostSession::moves_file(const Job& job) {
  return job.task.upload.has_value() || job.task.download.has_value();
}

bool HostSession::transfer_due(const JobPtr& job) const {
  if (job->done || job->kill || job->task.mode != Mode::apply) return false;
  const Collector& said = *job->collector;
  if (said.followed() || !said.started()) return false;
  return job->task.upload ? said.wants_upload() : job->task.download && said.says_change();
}

void HostSession::begin_transfer(const JobPtr& job) {
  const std::string& host = settings_.ssh.name;
  if (job->shell->terminal()) {
    return finish(job, Ended::refused,
                  host + ": a file cannot go through the terminal that sudo asks for there",
                  "take `requiretty` out of its sudoers, or log in as the user");
  }
  if (!job->transfer) {
    auto transfer = opened(*job, sources_);
    if (!transfer) return finish(job, Ended::refused, transfer.error().what, transfer.error().help);
    job->transfer = std::move(*transfer);
    // What there will be of a tree on the host is known only now.
    if (job->task.upload) job->task.upload->sha256 = job->transfer->name();
  }
  auto request = job->transfer->request();
  if (!request) return finish(job, Ended::refused, request.error().what, request.error().help);
  scratch_.insert(job->task.become);
  job->passed = job->collector->passed();
  job->transferring = true;
  job->shell->go_on(std::move(*request));
}

void HostSession::shell_job_moved(Shell& shell) {
  const JobPtr& job = shell.job();
  if (!job || !job->transfer || !job->transfer->progress_due()) return;
  events_->push(TaskProgress{.task = job->task.id,
                             .host = index_,
                             .done = job->transfer->done(),
                             .size = job->transfer->size()});
}

void HostSession::transfer_ended(const JobPtr& job) {
  const Status well = job->transfer->finish();
  const auto shell = job->shell;
  const bool spoilt = job->transfer->spoils_shell();
  if (!well) {
    finish(job, Ended::refused, settings_.ssh.name + ": " + well.error().what, well.error().help);
    if (spoilt) shell->end();
    return;
  }
  // Whoever was shown that it is on its way is shown that it has arrived.
  if (job->transfer->progress_told()) {
    events_->push(TaskProgress{.task = job->task.id,
                               .host = index_,
                               .done = job->transfer->size(),
                               .size = job->transfer->size()});
  }
  if (job->task.download) return finish(job, Ended::finished, {}, {});
  auto shipment = shipment_of(*job, Claim::once);
  if (!shipment) return finish(job, Ended::refused, shipment.error().what, shipment.error().help);
  run_scripts(job, std::move(*shipment));
}

}  // namespace cnplay::remote

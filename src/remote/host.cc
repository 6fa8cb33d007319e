#include "remote/host.h"

#include <algorithm>

#include "remote/shipment.h"

namespace cnplay::remote {
namespace {

Unreachable kind_of(ssh::Failure failure) {
  switch (failure) {
    case ssh::Failure::resolve:
      return Unreachable::resolve;
    case ssh::Failure::refused:
      return Unreachable::refused;
    case ssh::Failure::timeout:
      return Unreachable::timeout;
    case ssh::Failure::host_key_unknown:
    case ssh::Failure::host_key_changed:
    case ssh::Failure::host_key_revoked:
      return Unreachable::host_key;
    case ssh::Failure::authentication:
      return Unreachable::authentication;
    case ssh::Failure::lost:
      return Unreachable::lost;
    case ssh::Failure::no_channel:
      return Unreachable::shell;
    case ssh::Failure::protocol:
      break;
  }
  return Unreachable::other;
}

}  // namespace

HostSession::HostSession(std::shared_ptr<ssh::Connection> connection, HostIndex index,
                         HostSettings settings, const Options& options,
                         std::shared_ptr<EventQueue> events, std::shared_ptr<Sources> sources)
    : connection_(std::move(connection)),
      index_(index),
      settings_(std::move(settings)),
      options_(options),
      events_(std::move(events)),
      sources_(std::move(sources)),
      max_channels_(std::max(2U, options.max_channels)),
      last_task_(options.last_before),
      retry_timer_(connection_->executor()),
      close_timer_(connection_->executor()) {}

void HostSession::connect(Duration within) {
  if (phase_ != Phase::fresh) return;
  phase_ = Phase::connecting;
  connect_until_ = std::chrono::steady_clock::now() + within;
  log_in();
}

void HostSession::log_in() {
  watch_connection();
  connection_->connect([weak = weak_from_this()](const std::optional<ssh::TransportError>& error) {
    if (const auto self = weak.lock()) self->connected(error);
  });
}

void HostSession::watch_connection() {
  connection_->set_on_lost(
      [weak = weak_from_this(), raw = connection_.get()](const ssh::TransportError& error) {
        const auto self = weak.lock();
        if (self && self->connection_.get() == raw) self->lose_connection(error.what);
      });
}

void HostSession::connected(const std::optional<ssh::TransportError>& error) {
  if (phase_ != Phase::connecting) return;
  if (error) return failed(kind_of(error->kind), error->what, error->help);
  open_shell({}, false);
}

void HostSession::failed(Unreachable kind, const std::string& what, const std::string& help) {
  for (const auto& shell : std::exchange(shells_, {})) shell->abandon();
  if (log_in_later(kind)) return;
  phase_ = Phase::failed;
  connection_->close();
  events_->push(HostFailed{.host = index_, .kind = kind, .message = what, .help = help});
}

bool HostSession::once(const Job& job) {
  return !job.done && job.task.mode == Mode::apply && !job.task.apply.empty();
}

void HostSession::start(Task task, const std::vector<TaskId>& recorded) {
  for (const TaskId id : recorded) {
    for (auto& [name, spool] : spools_) spool.tasks.erase(id);
  }
  auto job = std::make_shared<Job>();
  job->task = std::move(task);
  last_task_ = std::max(last_task_, job->task.id);
  if (job->task.become == settings_.ssh.user) job->task.become.clear();
  if (phase_ != Phase::ready && phase_ != Phase::losing && phase_ != Phase::reconnecting) {
    const char* why = phase_ == Phase::lost      ? ": the connection is lost"
                      : phase_ == Phase::closing ? ": the connection is being closed"
                                                 : ": there is no connection";
    return finish(job, Ended::not_started, settings_.ssh.name + why, {});
  }
  if (!job->task.become.empty() && !is_user_name(job->task.become)) {
    return finish(job, Ended::not_started,
                  settings_.ssh.name + ": `" + job->task.become + "` is not a valid user name",
                  "correct the name after `as`");
  }
  if (job->task.after != 0) {
    job->ahead = true;
    job->sent_before = job->task.after == job->task.id;
    if (!send_ahead(job)) parked_.push_back(std::move(job));
    return;
  }
  waiting_.push_back(std::move(job));
  pump();
}

// Gives each waiting job a shell: an idle one, or one on its way, or a new one if there is room.
void HostSession::pump() {
  if (phase_ != Phase::ready && phase_ != Phase::closing) return;
  pump_locks();
  std::map<std::string, int> coming;
  for (const auto& shell : shells_) {
    if (shell->state() == Shell::State::opening) ++coming[shell->user()];
  }
  const std::deque<JobPtr> jobs = waiting_;
  for (const JobPtr& job : jobs) {
    const std::string& user = job->task.become;
    if (std::find(waiting_.begin(), waiting_.end(), job) == waiting_.end()) continue;
    if (waits_for_restart(*job)) continue;
    if (const auto refused = refused_.find(user); refused != refused_.end()) {
      const ShellFailure failure = refused->second;
      refuse_waiting(user, failure);
      continue;
    }
    if (send_to_idle(job)) continue;
    if (int& n = coming[user]; n > 0) {
      --n;
    } else if (!room(job->urgent)) {
      make_room(user, job->task.download.has_value());
    } else if (may_open(user)) {
      open_shell(user, job->urgent);
    }
  }
}

bool HostSession::send_to_idle(const JobPtr& job) {
  for (const auto& shell : shells_) {
    if (shell->state() != Shell::State::idle || shell->user() != job->task.become) continue;
    // All that a shell prints after its first claim is kept on the host as well: no place for
    // files.
    if (job->task.download && spools_.contains(shell->spool())) continue;
    std::erase(waiting_, job);
    send(job, std::shared_ptr<Shell>(shell));
    return true;
  }
  return false;
}

bool HostSession::room(bool urgent) const {
  // One channel stays free for a kill, unless locks and the server's limit leave only one.
  const std::size_t left = max_channels_ > locks_.size() ? max_channels_ - locks_.size() : 1;
  return shells_.size() < (urgent || left == 1 ? left : left - 1);
}

// Sudo is asked by one shell at a time: a wrong password must not be tried twice.
bool HostSession::may_open(const std::string& user) const {
  return user.empty() || std::none_of(shells_.begin(), shells_.end(), [](const auto& shell) {
           return shell->state() == Shell::State::opening && !shell->user().empty();
         });
}

// Ends an idle shell of a user for whom nothing waits; or, where a fresh one is wanted, a used one.
void HostSession::make_room(const std::string& for_user, bool fresh) {
  for (const auto& shell : shells_) {
    if (shell->state() == Shell::State::ending) return;  // room is on its way
  }
  for (const auto& shell : shells_) {
    if (shell->state() != Shell::State::idle) continue;
    if (shell->user() != for_user || (fresh && spools_.contains(shell->spool()))) {
      return shell->end();
    }
  }
}

void HostSession::open_shell(const std::string& user, bool urgent) {
  (void)urgent;
  auto opener = std::make_shared<Opener>(connection_, settings_, options_.ready_timeout, user,
                                         sudo_, options_.run_id, options_.around);
  shells_.push_back(
      std::make_shared<Shell>(*this, connection_->executor(), std::move(opener), user));
  std::shared_ptr<Shell>(shells_.back())->open();
}

Claim HostSession::claim_of(const Job& job) {
  if (job.withdrawn) return Claim::withdraw;
  return once(job) ? Claim::once : Claim::none;
}

Result<std::string> HostSession::shipment_of(const Job& job, Claim claim, const Due& due) const {
  std::int64_t watch = 0;
  if (job.task.timeout) {
    const Duration bound = *job.task.timeout + options_.host_grace;
    watch = std::max<std::int64_t>(1, (bound.count() + 999) / 1000);
  }
  return make_shipment(job.task, watch, claim, due);
}

// What the host keeps of a task that is claimed in this shell.
void HostSession::note_claim(const Job& job, const Shell& shell) {
  scratch_.insert(job.task.become);
  Spool& spool = spools_[shell.spool()];
  spool.user = job.task.become;
  spool.tasks.insert(job.task.id);
}

void HostSession::send(const JobPtr& job, const std::shared_ptr<Shell>& shell) {
  const bool claim = once(*job);
  auto shipment = shipment_of(*job, claim_of(*job));
  if (!shipment) {
    return finish(job, Ended::not_started, shipment.error().what, shipment.error().help);
  }
  const std::string& before = job->task.sent_under;
  if (claim && !before.empty() && !boot_id_.empty() && before != boot_id_) {
    job->sent = std::chrono::steady_clock::now();
    return lost_by_restart(job);
  }
  if (job->task.mode == Mode::check && !job->task.preview.empty()) {
    scratch_.insert(job->task.become);
  }
  if (claim) {
    note_claim(*job, *shell);
    shipment->insert(0, old_spools(job->task.become));
  }
  job->shell = shell;
  running_.push_back(job);
  if (!job->sent_before || job->sent == std::chrono::steady_clock::time_point{}) begin_time(job);
  run_scripts(job, std::move(*shipment));
  send_held_back(*job);
}

void HostSession::begin_time(const JobPtr& job) {
  job->sent = std::chrono::steady_clock::now();
  bound(job);
}

// To the shell that has the job already.
void HostSession::run_scripts(const JobPtr& job, std::string shipment) {
  collect(job);
  job->transferring = false;
  job->shell->run(job, std::move(shipment));
}

// What it says from now on is taken in anew.
void HostSession::collect(const JobPtr& job) {
  Collector::Output output = [](Stage, Stream, std::string_view) {};
  if (!job->done) {
    output = [this, id = job->task.id, raw = job->shell.get(), job = job.get()](
                 Stage stage, Stream stream, std::string_view bytes) {
      if (job->kill) return;  // nobody waits for it, and the channel must run dry
      if (!events_->push_output({.task = id,
                                 .host = index_,
                                 .stage = stage,
                                 .stream = stream,
                                 .bytes = Untrusted(std::string(bytes))})) {
        raw->pause();
      }
    };
  }
  job->collector = std::make_unique<Collector>(job->task, options_.tail_bytes, std::move(output));
  job->collector->skip(job->passed);
}

void HostSession::bound(const JobPtr& job) {
  if (!job->task.timeout) return;
  job->timer = std::make_unique<boost::asio::steady_timer>(connection_->executor());
  job->timer->expires_after(*job->task.timeout);
  job->timer->async_wait([weak = weak_from_this(), weak_job = std::weak_ptr<Job>(job)](
                             const boost::system::error_code& error) {
    const auto self = weak.lock();
    const auto late = weak_job.lock();
    if (error || !self || !late || late->over || late->kill) return;
    self->kill_when_known(late, Ended::timed_out,
                          "killed after its timeout of " + human_duration(*late->task.timeout));
  });
}

// The lines that remove what shells have left behind whose results are all on record.
std::string HostSession::old_spools(const std::string& user) {
  std::string lines;
  std::erase_if(spools_, [&](const auto& entry) {
    const Spool& spool = entry.second;
    if (!spool.closed || !spool.tasks.empty() || spool.user != user) return false;
    lines += make_removal(entry.first);
    return true;
  });
  return lines;
}

// Reports a job, and forgets it.
void HostSession::finish(const JobPtr& job, Ended ended, std::string error, std::string help) {
  if (job->over) return;
  job->over = true;
  if (job->timer) job->timer->cancel();
  // Of what was sent before nobody can say that it was never begun.
  if (ended == Ended::not_started && job->sent_before && once(*job)) ended = Ended::lost;
  TaskResult result;
  if (job->collector) {
    result = job->collector->take();
  } else {
    result.apply_possible = once(*job);
  }
  if (ended == Ended::lost && once(*job)) kept_.insert(job->task.become);
  result.ended = ended;
  result.error = std::move(error);
  result.help = std::move(help);
  if (ended == Ended::not_started || ended == Ended::refused) result.apply_possible = false;
  // That the file came is what a download applies.
  if (job->transferring && ended == Ended::finished) {
    result.stages.push_back(
        {.stage = Stage::apply, .exit_code = 0, .verdict = Verdict::none, .message = {}});
  }
  if (job->sent != std::chrono::steady_clock::time_point{}) {
    result.took =
        std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - job->sent);
  }
  std::erase(running_, job);
  std::erase(waiting_, job);
  if (const auto shell = std::exchange(job->shell, nullptr); shell && shell->job() == job) {
    shell->release();
    if (shell->job()) begin_time(shell->job());
  }
  job->collector.reset();
  moved_ = moved_ || ended == Ended::finished;
  if (job->done) return job->done(std::move(result));
  events_->push(TaskEnded{.task = job->task.id, .host = index_, .result = std::move(result)});
}

void HostSession::refuse_waiting(const std::string& user, const ShellFailure& failure) {
  const std::deque<JobPtr> jobs = waiting_;
  for (const JobPtr& job : jobs) {
    if (job->task.become == user) {
      finish(job, Ended::not_started, failure.what, failure.help);
    }
  }
}

std::shared_ptr<Shell> HostSession::remove_shell(Shell& shell) {
  auto self = shell.shared_from_this();
  if (const auto spool = spools_.find(shell.spool()); spool != spools_.end()) {
    spool->second.closed = true;
  }
  std::erase(shells_, self);
  for (const auto& job : shell.take_followers()) lost_place(job, true);
  return self;
}

void HostSession::shell_ready(Shell& shell, const std::string& boot_id) {
  if (phase_ == Phase::reconnecting) take_up(shell, boot_id);
  if (phase_ == Phase::connecting) {
    phase_ = Phase::ready;
    boot_id_ = boot_id;
    know_parent(shell);
    events_->push(HostReady{.host = index_, .user = settings_.ssh.user, .boot_id = boot_id});
  }
  pump();
  if (phase_ == Phase::closing) advance_close();
}

void HostSession::shell_failed(Shell& shell, const ShellFailure& failure) {
  const auto keep = remove_shell(shell);
  const std::string& user = shell.user();
  if (phase_ == Phase::connecting) return failed(failure.kind, failure.what, failure.help);
  if (failure.kind == Unreachable::lost) return;  // on_lost comes, and tells everybody
  if (phase_ == Phase::reconnecting) return try_later(failure.what);
  const auto live = [&](const auto& other) {
    return other->state() == Shell::State::idle || other->state() == Shell::State::busy;
  };
  const std::size_t channels = shells_.size() + locks_.size();
  if (failure.no_channel && !shells_.empty()) {
    // The server allows fewer than we thought. What waits goes on when one comes free.
    max_channels_ = std::max<unsigned>(1, static_cast<unsigned>(channels));
    make_room(user);
  } else if (phase_ == Phase::closing && scratch_.erase(user) > 0) {
    closing_well_ = false;  // what the run has left there stays
    refuse_waiting(user, failure);
  } else if (failure.kind == Unreachable::authentication) {
    refused_.emplace(user, failure);
  } else if (std::none_of(shells_.begin(), shells_.end(), [&](const auto& other) {
               return other->user() == user && live(other);
             })) {
    refuse_waiting(user, failure);
  }
  pump();
  if (phase_ == Phase::closing) advance_close();
}

void HostSession::shell_job_ended(Shell& shell) {
  const JobPtr job = shell.job();
  if (!job) return;
  const std::optional<Ended> asked = job->kill;
  if (job->kill) {
    const auto killer = job->killer.lock();
    // A kill that is on its way already may be the very reason of this end: it decides.
    if (!killer || killer->shell) return;
    std::erase(waiting_, killer);
    killer->over = true;
    job->kill.reset();
    shell.spare();
  }
  const Collector& said = *job->collector;
  if (job->transferring) {
    transfer_ended(job);
  } else if (transfer_due(job)) {
    begin_transfer(job);
  } else if (said.held_back()) {
    const auto keep = job->shell;
    ++job->held_back;
    keep->release();
    if (keep->job()) begin_time(keep->job());
    lost_place(job, false);
  } else if (restart_due(*job)) {
    await_restart(job);
    if (asked) lose_restart(*asked, job->kill_why);
  } else if (said.followed()) {
    follow_ended(job);
  } else if (said.started()) {
    finish(job, Ended::finished, {}, {});
  } else if (!said.refusal().empty()) {
    finish(job, job->withdrawn ? Ended::lost : Ended::not_started,
           settings_.ssh.name + ": " + Untrusted(said.refusal()).display(500),
           "the host must be able to record that it started a task: the user needs a home that is "
           "writable and has free space");
  } else {
    finish(job, Ended::not_started,
           settings_.ssh.name + ": the shell refused the variables of the task", {});
  }
  if (shell.printed() > options_.spool_limit && spools_.contains(shell.spool()) &&
      shell.state() == Shell::State::idle) {
    shell.end();
  }
  pump();
  if (phase_ == Phase::closing) advance_close();
}

// What became of a task that had been claimed before.
void HostSession::follow_ended(const JobPtr& job) {
  const Collector& said = *job->collector;
  if (said.followed_to_end()) return finish(job, Ended::finished, {}, {});
  const std::string& host = settings_.ssh.name;
  const std::string& state = said.state();
  if (state == "withdrawn") {
    job->sent_before = false;
    return finish(job, Ended::not_started, {}, {});
  }
  if (state == "restarted") return lost_by_restart(job);
  if (state == "killed") {
    return finish(job, Ended::timed_out, "killed by " + host + " itself after its timeout", {});
  }
  std::string why = host + ": the task was begun, and its process is gone without a result";
  if (state == "ended") {
    why =
        host +
        ": the task has ended, but its output on the host is incomplete: its result cannot be read";
  } else if (state == "gone") {
    why = host + ": the task was begun, and its output there has been removed";
  } else if (state == "own") {
    why = host + ": the task was begun once already, by the same shell";
  } else if (state == "unclaimed") {
    why = host + ": the task may have been begun: its claim is empty";
  }
  finish(job, Ended::lost, std::move(why), "look on " + host + " for what it has done");
}

void HostSession::lock(std::string name, std::string owner) {
  if (phase_ != Phase::ready && phase_ != Phase::losing && phase_ != Phase::reconnecting) {
    events_->push(LockEnded{.host = index_,
                            .name = std::move(name),
                            .acquired = false,
                            .holder = {},
                            .error = settings_.ssh.name + ": there is no connection"});
    return;
  }
  waiting_locks_.push_back(std::make_shared<LockWish>());
  waiting_locks_.back()->name = std::move(name);
  waiting_locks_.back()->owner = std::move(owner);
  pump();
}

// A lock is asked for whatever room there is: it must not wait for a shell to end while the run
// goes on without it. If the server gives no channel, see lock_ended().
void HostSession::pump_locks() {
  while (!waiting_locks_.empty() && phase_ == Phase::ready) {
    const auto wish = std::move(waiting_locks_.front());
    waiting_locks_.pop_front();
    auto lock =
        std::make_shared<HostLock>(connection_, index_, settings_.ssh.name, wish->name, wish->owner,
                                   LockTerms{.beat = options_.lock_beat,
                                             .expiry = options_.lock_expiry,
                                             .take = options_.take_locks,
                                             .around = options_.around,
                                             .absence = options_.lock_absence});
    lock->note(step_);
    locks_.push_back(lock);
    lock->take(
        options_.ready_timeout,
        [this, wish](LockEnded ended, bool with_connection) {
          lock_ended(wish, std::move(ended), with_connection);
        },
        [this, raw = lock.get()] {
          std::erase_if(locks_, [&](const auto& other) { return other.get() == raw; });
          pump();
          if (phase_ == Phase::closing) advance_close();
        });
  }
}

void HostSession::output_drained() {
  for (const auto& shell : shells_) shell->resume();
}

}  // namespace cnplay::remote

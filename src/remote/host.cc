#include "remote/host.h"

#include <algorithm>
#include <utility>

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

// sshd does not notice a broken network for hours: until then the old session would hold its locks,
// and a task would wait for somebody to read its output. Ended only if it is the same process
// still.
std::string end_of_sshd(long pid, long long since) {
  const std::string process = std::to_string(pid);
  return "{ _cn_since " + process + " && [ \"$_cn_at\" = " + std::to_string(since) +
         " ] && read -r _cn_x </proc/" + process + "/comm && case $_cn_x in sshd*) kill " +
         process + " ;; esac; } 2>/dev/null\n";
}

}  // namespace

HostSession::HostSession(std::shared_ptr<ssh::Connection> connection, HostIndex index,
                         HostSettings settings, const Options& options,
                         std::shared_ptr<EventQueue> events, std::shared_ptr<Sources> sources)
    : context_{.connection = std::move(connection),
               .index = index,
               .settings = std::move(settings),
               .options = options,
               .events = std::move(events),
               .sources = std::move(sources)},
      locks_(context_, *this),
      shells_(context_, *this, traces_, locks_),
      jobs_(context_, *this, traces_, shells_, locks_, retry_),
      retry_timer_(context_.executor()),
      close_timer_(context_.executor()) {}

// --- the first connection

void HostSession::connect(Duration within) {
  if (context_.phase != Phase::fresh) return;
  context_.session = weak_from_this();
  context_.phase = Phase::connecting;
  retry_.begin(within);
  log_in();
}

void HostSession::log_in() {
  watch_connection();
  context_.connection->connect(
      [weak = weak_from_this()](const std::optional<ssh::TransportError>& error) {
        if (const auto self = weak.lock()) self->connected(error);
      });
}

void HostSession::watch_connection() {
  context_.connection->set_on_lost(
      [weak = weak_from_this(), raw = context_.connection.get()](const ssh::TransportError& error) {
        const auto self = weak.lock();
        if (self && self->context_.connection.get() == raw) self->lose_connection(error.what);
      });
}

void HostSession::replace_connection() {
  context_.connection->close();
  context_.connection = context_.connection->again();
}

void HostSession::connected(const std::optional<ssh::TransportError>& error) {
  if (context_.phase != Phase::connecting) return;
  if (error) return failed(kind_of(error->kind), error->what, error->help);
  shells_.open({});
}

void HostSession::failed(Unreachable kind, const std::string& what, const std::string& help) {
  shells_.abandon_all();
  if (log_in_later(kind)) return;
  context_.phase = Phase::failed;
  context_.connection->close();
  context_.events->push(
      HostFailed{.host = context_.index, .kind = kind, .message = what, .help = help});
}

// A host that may be on its way down or up when the run is resumed.
bool HostSession::log_in_later(Unreachable kind) {
  const bool down = kind == Unreachable::refused || kind == Unreachable::timeout ||
                    kind == Unreachable::lost || kind == Unreachable::shell;
  // While it starts, many a host lets in root alone (pam_nologin).
  const bool starting = kind == Unreachable::authentication;
  if (!down && !starting) return false;
  if (starting) retry_.slow_down();
  const auto next = retry_.next();
  if (!retry_.may_begin_at(next)) return false;
  retry_timer_.expires_at(next);
  retry_timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (error || !self || self->context_.phase != Phase::connecting) return;
    self->replace_connection();
    self->log_in();
  });
  return true;
}

// --- work

void HostSession::start(Task task, const std::vector<TaskId>& recorded) {
  traces_.recorded(recorded);
  jobs_.start(std::move(task));
}

void HostSession::lock(std::string name, std::string owner) {
  locks_.add(std::move(name), std::move(owner));
  if (!context_.takes_work()) {
    return locks_.refuse_waiting(context_.name() + ": there is no connection");
  }
  jobs_.pump();
}

void HostSession::advance() {
  jobs_.pump();
  if (context_.phase == Phase::closing) advance_close();
}

// --- shells

void HostSession::shell_ready(Shell& shell, const std::string& boot_id) {
  if (context_.phase == Phase::reconnecting) reconnected(shell, boot_id);
  if (context_.phase == Phase::connecting) {
    context_.phase = Phase::ready;
    context_.boot_id = boot_id;
    know_parent(shell);
    context_.events->push(
        HostReady{.host = context_.index, .user = context_.settings.ssh.user, .boot_id = boot_id});
  }
  advance();
}

void HostSession::shell_failed(Shell& shell, const ShellFailure& failure) {
  const auto keep = jobs_.remove_shell(shell);
  const std::string& user = shell.user();
  if (context_.phase == Phase::connecting) {
    return failed(failure.kind, failure.what, failure.help);
  }
  if (failure.kind == Unreachable::lost) return;  // the connection reports it, for everybody
  if (context_.phase == Phase::reconnecting) return try_later(failure.what);
  if (failure.no_channel && !shells_.empty()) {
    // What waits continues when a channel comes free.
    shells_.lower_limit();
    shells_.make_room(user);
  } else if (context_.phase == Phase::closing && traces_.take(user)) {
    closing_well_ = false;  // what the run has left there stays
    jobs_.refuse_waiting(user, failure);
  } else if (failure.kind == Unreachable::authentication) {
    shells_.refuse(user, failure);
  } else if (!shells_.has_live(user)) {
    jobs_.refuse_waiting(user, failure);
  }
  advance();
}

void HostSession::shell_gone(Shell& shell, const std::string& why, bool lost) {
  const auto keep = jobs_.remove_shell(shell);
  const JobPtr job = shell.job();
  if (lost) {
    // All channels of a dead connection say so before the connection does; nothing is to be opened
    // now.
    if (context_.may_reconnect()) {
      context_.phase = Phase::losing;
      return;
    }
    if (job) jobs_.finish(job, Ended::lost, why, {});
    if (context_.phase == Phase::ready) context_.phase = Phase::lost;
    return;
  }
  if (context_.phase == Phase::closing && !job && !why.empty()) closing_well_ = false;
  if (!jobs_.shell_died(job, why)) advance();
}

// --- a connection that is lost, and replaced

void HostSession::lose_connection(const std::string& why) {
  if (context_.phase == Phase::closed || context_.phase == Phase::failed) return;
  if (context_.phase == Phase::connecting) return failed(Unreachable::lost, why, {});
  if (context_.may_reconnect()) return reconnect(why);
  if (context_.phase == Phase::reconnecting) {
    shells_.abandon_all();
    return try_later(why);
  }
  give_up(why);
}

void HostSession::reconnect(const std::string& why) {
  context_.phase = Phase::reconnecting;
  const bool another = retry_.lost(why);
  jobs_.connection_lost(why);
  shells_.abandon_all();
  traces_.all_shells_gone();
  locks_.abandon_all();
  context_.events->push(HostReconnecting{.host = context_.index, .message = why});
  if (!another) return try_later("it broke again at once");
  try_again();
}

void HostSession::try_again() {
  if (context_.phase != Phase::reconnecting) return;
  replace_connection();
  watch_connection();
  context_.connection->connect(
      [weak = weak_from_this()](const std::optional<ssh::TransportError>& error) {
        const auto self = weak.lock();
        if (self && self->context_.phase == Phase::reconnecting) self->tried_again(error);
      });
}

void HostSession::tried_again(const std::optional<ssh::TransportError>& error) {
  if (!error) return shells_.open({});
  // Do not retry after an authentication failure: servers ban repeat offenders. But while it
  // starts, many a host lets in root alone (pam_nologin).
  const bool starting =
      error->kind == ssh::Failure::authentication && jobs_.reboot_until().has_value();
  if (starting) retry_.slow_down();
  const bool refused = (error->kind == ssh::Failure::authentication && !starting) ||
                       error->kind == ssh::Failure::host_key_unknown ||
                       error->kind == ssh::Failure::host_key_changed ||
                       error->kind == ssh::Failure::host_key_revoked;
  if (refused) return give_up_reconnecting("then: " + error->what);
  try_later(error->what);
}

void HostSession::try_later(const std::string& why) {
  const auto next = retry_.next();
  const auto reboot = jobs_.reboot_until();
  const Duration within = context_.options.reconnect_within;
  const bool over = retry_.lost_for(within, next) && (!reboot || next > *reboot);
  if (over && !jobs_.awaits_reboot()) {  // a reboot that is awaited has a timer of its own
    return give_up_reconnecting((reboot ? "it was rebooting, and did not come back in time"
                                        : "not reached again in " + human_duration(within)) +
                                ": " + why);
  }
  retry_timer_.expires_at(next);
  retry_timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    if (const auto self = weak.lock(); self && !error) self->try_again();
  });
}

void HostSession::reconnected(Shell& shell, const std::string& boot_id) {
  const bool rebooted =
      !boot_id.empty() && !context_.boot_id.empty() && boot_id != context_.boot_id;
  if (!rebooted && context_.parent > 0) {
    shell.say(end_of_sshd(context_.parent, context_.parent_since));
  }
  context_.phase = Phase::ready;
  context_.boot_id = boot_id;
  know_parent(shell);
  retry_.reconnected();
  context_.events->push(HostReconnected{.host = context_.index, .boot_id = boot_id});
  jobs_.reconnected(rebooted);
}

void HostSession::know_parent(const Shell& shell) {
  context_.parent = shell.opened_as().parent;
  context_.parent_since = shell.opened_as().parent_since;
}

void HostSession::give_up_reconnecting(const std::string& why) {
  give_up(retry_.why() + "; " + why);
}

void HostSession::give_up(const std::string& why) {
  retry_timer_.cancel();
  const bool closing = context_.phase == Phase::closing;
  context_.phase = Phase::lost;
  jobs_.end_all(why, why, why);
  locks_.refuse_waiting(why);
  shells_.abandon_all();
  locks_.abandon_all();
  context_.connection->close();
  context_.events->push(HostLost{.host = context_.index, .message = why});
  if (closing) closed(false);
}

// --- the end

void HostSession::close(Duration within, Traces traces, std::function<void(bool)> done) {
  const Phase phase = context_.phase;
  if (phase == Phase::closed || phase == Phase::closing) return done(true);
  for (const std::string& user : context_.settings.users_before) {
    traces_.used(user == context_.settings.ssh.user ? std::string() : user);
  }
  if (traces == Traces::keep) traces_.keep_all();
  close_done_ = std::move(done);
  if (phase != Phase::ready) {
    return closed(phase != Phase::losing && phase != Phase::reconnecting);
  }
  context_.phase = Phase::closing;
  close_timer_.expires_after(within);
  close_timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (!error && self && self->context_.phase == Phase::closing) self->closed(false);
  });
  locks_.forget_waiting();
  jobs_.close(traces);
  advance_close();
}

// First the jobs, then (Traces::remove) the run's directories, then the shells and locks, then the
// connection.
void HostSession::advance_close() {
  if (context_.phase != Phase::closing || !jobs_.empty()) return;
  if (!remove_directories()) return;
  for (const auto& shell : std::vector<std::shared_ptr<Shell>>(shells_.all())) {
    if (shell->state() == Shell::State::idle) shell->end();
    if (shell->state() == Shell::State::opening) {
      jobs_.remove_shell(*shell);
      shell->abandon();
    }
  }
  locks_.release_all();
  if (shells_.empty() && locks_.size() == 0) closed(closing_well_);
}

// One shell of each user that may have left something removes it; where there is none any more,
// one is opened for it. False: that is under way.
bool HostSession::remove_directories() {
  for (const auto& shell : std::vector<std::shared_ptr<Shell>>(shells_.all())) {
    if (shell->state() != Shell::State::idle || !traces_.take(shell->user())) continue;
    shell->end(traces_.is_kept(shell->user()) ? std::nullopt : std::optional(jobs_.last_task()));
  }
  const auto user = traces_.next_user();
  if (!user) return true;
  if (shells_.has_opening()) return false;
  if (shells_.refusal(*user) != nullptr) {
    traces_.keep_all();
    closing_well_ = false;
    return true;
  }
  if (shells_.has_room(true)) shells_.open(*user);
  return false;  // else a shell that ends makes room
}

void HostSession::closed(bool well) {
  const Phase phase = context_.phase;
  if (phase == Phase::closed) return;
  const bool open = phase == Phase::closing || phase == Phase::connecting ||
                    phase == Phase::reconnecting || phase == Phase::losing;
  retry_timer_.cancel();
  context_.phase = Phase::closed;
  close_timer_.cancel();
  jobs_.end_all("the connection was closed before its end was known", "the connection was closed",
                "the connection was closed before it was known");
  shells_.abandon_all();
  locks_.abandon_all();
  if (open) context_.connection->close();
  if (const auto done = std::exchange(close_done_, nullptr)) done(well);
}

void HostSession::drop() {
  close_done_ = nullptr;
  closed(false);
  context_.connection->close();
}

}  // namespace cnplay::remote

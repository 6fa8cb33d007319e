#include "run/preflight.h"

#include <algorithm>

#include "events/about.h"
#include "plan/eval.h"
#include "run/decide.h"
#include "run/position.h"
#include "run/variables.h"

namespace cnplay::run {

using plan::HostIndex;
using plan::NodeId;

namespace {

// Reaching its verdict proves the shell of the user, and with it sudo. What a host lacks is named
// with Debian's package, where that has another name.
constexpr const char* kNeeds = R"SH(missing=
IFS=$nl; set -f
for c in $commands; do
  command -v "$c" >/dev/null 2>&1 && continue
  case $c in
  psql | pg_dump | pg_restore) c="$c (package postgresql-client)" ;;
  nft) c="nft (package nftables)" ;;
  aws) c="aws (package awscli)" ;;
  supervisorctl) c="supervisorctl (package supervisor)" ;;
  redis-cli) c="redis-cli (package redis-tools)" ;;
  ssh | ssh-keygen) c="$c (package openssh-client)" ;;
  sysctl | pgrep) c="$c (package procps)" ;;
  systemctl | systemd-run) c="$c (package systemd)" ;;
  ss) c="ss (package iproute2)" ;;
  cmp) c="cmp (package diffutils)" ;;
  awk) c="awk (package mawk)" ;;
  find | xargs) c="$c (package findutils)" ;;
  useradd | usermod | userdel | groupadd | chpasswd) c="$c (package passwd)" ;;
  findmnt) c="findmnt (package util-linux)" ;;
  umount) c="umount (package mount)" ;;
  getent) c="getent (package libc-bin)" ;;
  debconf-*) c="$c (package debconf)" ;;
  apt-*) c="$c (package apt)" ;;
  stat | sha256sum | sha1sum | tail | head | od | base64) c="$c (package coreutils)" ;;
  esac
  missing="$missing${missing:+,} $c"
done
[ -z "$missing" ] || fail "not found:$missing: install it first"
ok
)SH";

// How long a host may be away if its restart does not say by a value known here; and, however
// long ago it began, at least.
constexpr Duration kUnknownRestart = std::chrono::minutes(10);
constexpr Duration kLeastRestart = std::chrono::seconds(30);

// "ana@desk, run 2026..., for 12 min, at update_code/code; last sign of life 8 s ago".
std::string holder_of(const remote::LockEnded& lock) {
  if (lock.holder.empty()) return "somebody whose name is not in its file";
  std::string text = lock.holder.display(200);
  if (lock.held_for) text += ", for " + human_duration(*lock.held_for);
  if (!lock.step.empty()) text += ", at " + lock.step.display(200);
  if (lock.silent_for) text += "; last sign of life " + human_duration(*lock.silent_for) + " ago";
  return text;
}

std::string lock_help(const remote::LockEnded& lock) {
  if (lock.kept == "alive") {
    return "its controller is alive, so the lock is not taken over: wait for it with --wait-lock "
           "10m";
  }
  if (lock.kept == "elsewhere") {
    return "it is held on another machine that shares this home directory: end it there";
  }
  if (lock.kept == "unreadable") {
    return "its file does not name the process that holds it, so it is not taken over; to find "
           "that process: `fuser -v` on the file in ~/.local/state/cnplay/locks on that host";
  }
  if (lock.kept == "stays")
    return "the process that holds it could not be ended: look on that host";
  return "wait for that run (--wait-lock 10m), or ask its owner; if its controller is dead: "
         "--take-lock";
}

std::string as_user(const std::string& user) { return user.empty() ? "" : " as " + user; }

}  // namespace

std::uint32_t tolerance(const plan::Plan& plan, const plan::Node& node) {
  if (node.once && node.tolerate < plan.hosts.size()) return 0;
  return node.tolerate;
}

void Preflight::problem(std::optional<HostIndex> host, Kind kind, std::string message,
                        std::string help) {
  problems_.push_back({host, kind, std::move(message), std::move(help)});
}

bool Preflight::look_here() {
  const plan::Plan& plan = context_.plan;
  started_ = context_.clock.steady();
  context_.emit(events::PreflightStarted{});
  find_scope();
  look_at_the_clock();
  if (plan.hosts.empty()) {
    problem(std::nullopt, Kind::here, "the plan has no hosts",
            "look at the host sets of the play, and at --limit");
  }
  // They held when it began; and a way back is never refused for them.
  if (!again_ && context_.options.way_back == nullptr) look_at_requirements();
  for (std::uint32_t i = 0; i < plan.secrets.size(); ++i) {
    if (!uses(i)) {
      context_.secrets.emplace_back();
      continue;
    }
    auto value = context_.options.secret ? context_.options.secret(i)
                                         : Result<Secret>(fail("nothing here can resolve it"));
    context_.secrets.push_back(value ? *value : Secret());
    if (value) continue;
    problem(std::nullopt, Kind::here,
            "the secret `" + plan.secrets[i].name + "`: " + value.error().what, value.error().help);
  }
  return problems_.empty();
}

// What a run needs to have been shown before. An incident needs none of it, but a ticket.
void Preflight::look_at_requirements() {
  const plan::Plan& plan = context_.plan;
  const Options& options = context_.options;
  const bool runs = !context_.dry() && !alone_;
  const bool waived = options.incident.has_value() || plan.incident;
  if (plan.incident && !options.incident) {
    const char* const what = "the play says `mode incident`, and no ticket was given";
    if (runs) {
      problem(std::nullopt, Kind::here, what, "say which incident it is for: --incident TICKET");
    } else {
      context_.emit.notice("a run would be refused: " + std::string(what));
    }
  }
  for (const plan::Requirement& requirement : plan.requirements) {
    const std::string name = "`require rehearsed(on: \"" + requirement.on +
                             "\", within: " + format_duration(requirement.within) + ")`";
    if (waived) {
      context_.emit.notice(requirement.where + ": " + name + " is waived: incident" +
                           (options.incident ? " " + *options.incident : ""));
      continue;
    }
    const auto holds = options.requirement
                           ? options.requirement(requirement)
                           : Result<std::string>(fail("nothing here can tell whether it holds"));
    if (holds) {
      if (!holds->empty()) context_.emit.notice(requirement.where + ": " + name + ": " + *holds);
    } else if (context_.dry()) {
      // A dry run is how one gets ready: it is told, and goes on.
      context_.emit.notice("a run would be refused: " + holds.error().what);
    } else {
      problem(std::nullopt, Kind::here, requirement.where + ": " + holds.error().what,
              holds.error().help);
    }
  }
}

void Preflight::look_there() {
  begun_ = true;
  group_hosts();
  queues_.resize(context_.hosts.size());
  outstanding_ = context_.hosts.size();
  for (HostIndex h = 0; h < context_.hosts.size(); ++h) {
    if (given_up(h)) {
      host_over(h);
      continue;
    }
    context_.emit(events::HostConnecting{h});
    context_.remote.connect_within(h, reboot_patience(h));
  }
}

// For how long this host may be away: a task of the run restarts it, and the controller that sent
// it is gone. Zero: there is no such task.
Duration Preflight::reboot_patience(HostIndex host) const {
  const auto restart = again_ ? context_.replay.rebooting(host) : std::nullopt;
  if (!restart) return Duration::zero();
  const plan::Node& node = context_.plan.node(restart->began->node);
  const plan::Action& action =
      events::actions_of(node, restart->began->part).at(restart->began->action);
  Duration within = kUnknownRestart;
  for (const plan::Param& param : action.params) {
    if (param.name != action.reboots) continue;
    const auto* said = param.value.at(position_of(node, host)).as<Duration>();
    if (said != nullptr) within = *said;
  }
  const auto gone = std::chrono::duration_cast<Duration>(context_.clock.now() - restart->at);
  within = std::max(within - gone, kLeastRestart);
  context_.emit.notice("`" + node.title + "` may be rebooting " + context_.name(host) +
                       ": it has " + human_duration(within) + " to be back");
  return within;
}

// Which commands each user needs depends on the steps a host takes part in, and most hosts take
// part in the same: put together once for each such group.
void Preflight::group_hosts() {
  nodes_of_.resize(context_.hosts.size());
  // What only a failure brings about may look for what is not there yet.
  answers_failure_.assign(context_.plan.nodes.size(), false);
  for (const plan::Section& section : context_.plan.sections) {
    const bool back =
        section.kind == plan::SectionKind::rollback && &section != context_.way_back();
    if (section.kind != plan::SectionKind::on_failure && !back) continue;
    for (const NodeId id : section.nodes) answers_failure_[id] = true;
  }
  const bool undo = context_.options.way_back != nullptr && context_.options.way_back->undo();
  for (const UndoLog::Step& step : to_undo_) {
    for (const HostIndex h : step.hosts) nodes_of_[h].push_back(step.node);
  }
  for (const plan::Node& node : context_.plan.nodes) {
    if (undo || !takes_part_[node.id]) continue;
    for (const HostIndex h : node.hosts) nodes_of_[h].push_back(node.id);
  }
  for (const auto& nodes : nodes_of_) {
    const auto [it, fresh] = needs_.try_emplace(nodes);
    if (!fresh) continue;
    std::vector<NodeId> with_path;  // each with a search path of its own
    for (const NodeId id : nodes) {
      const plan::Node& node = context_.plan.node(id);
      if (!node.left_out.empty()) continue;
      NodeId along = plan::kNone;
      if (!node.search_path.empty()) {
        const auto same = std::find_if(with_path.begin(), with_path.end(), [&](NodeId other) {
          const plan::Node& o = context_.plan.node(other);
          return o.search_path == node.search_path &&
                 (node.search_path.uniform() || o.hosts == node.hosts);
        });
        along = same == with_path.end() ? with_path.emplace_back(id) : *same;
      }
      for (const auto* actions : {&node.actions, &node.undo}) {
        if (undo && actions == &node.actions) continue;
        for (const plan::Action& action : *actions) {
          // Where nothing is looked for, a shell of the user is all that is asked for.
          auto& commands = it->second[{action.become, action.needs.empty() ? plan::kNone : along}];
          commands.insert(commands.end(), action.needs.begin(), action.needs.end());
        }
      }
    }
    for (auto& [whose, commands] : it->second) {
      std::sort(commands.begin(), commands.end());
      commands.erase(std::unique(commands.begin(), commands.end()), commands.end());
    }
  }
}

// A host that the run goes on without, or went on without before.
bool Preflight::given_up(HostIndex host) const {
  const auto& without = context_.options.without;
  if (context_.options.way_back != nullptr) {
    // What the way back does not need is left alone.
    if (nodes_of_[host].empty()) return true;
    if (!again_) return std::find(without.begin(), without.end(), host) != without.end();
  }
  if (!again_) return false;
  return !context_.replay.hosts()[host].connected ||
         std::find(without.begin(), without.end(), host) != without.end();
}

void Preflight::fill(HostIndex host) {
  Queue& queue = queues_[host];
  for (const auto& [whose, commands] : needs_.at(nodes_of_[host])) {
    const auto& [user, along] = whose;
    // The login user's shell has answered already, in its own words (remote::HostReady).
    if (user.empty() && commands.empty()) continue;
    remote::Task task;
    task.become = user;
    task.preflight = kNeeds;
    std::string lines;
    for (const std::string& command : commands) lines += (lines.empty() ? "" : "\n") + command;
    task.variables.push_back({"commands", lines, false});
    if (along != plan::kNone) {
      const plan::Node& node = context_.plan.node(along);
      set_environment(task, node, position_of(node, host));
      task.environment.clear();  // it is the search path that says where they are
    }
    queue.tasks.push_back(std::move(task));
    queue.what.push_back("needed commands" + as_user(user));
  }
  // What they look at has changed since; and they are about the way forward.
  if (again_ || !to_undo_.empty()) return;
  for (const NodeId id : nodes_of_[host]) {
    if (!answers_failure_[id]) add_scripts(host, context_.plan.node(id));
  }
}

// The `preflight` scripts of actions whose condition and parameters are known by now.
void Preflight::add_scripts(HostIndex host, const plan::Node& node) {
  const std::size_t position = position_of(node, host);
  plan::Environment environment;
  environment.now = context_.options.now;
  environment.fact = [](const plan::FactRef&, HostIndex) { return std::optional<plan::Value>(); };
  const auto& secrets = context_.secrets;
  environment.secret = [&secrets](const plan::SecretRef& ref) { return reveal(ref, secrets); };
  const auto any_fact = [](const plan::FactRef&) { return true; };
  const auto known = [&](const plan::Column& column) -> std::optional<plan::Value> {
    if (plan::reads_fact(column.at(position), any_fact)) return std::nullopt;
    auto value = plan::resolve(column.at(position), host, environment);
    return value ? std::optional<plan::Value>(*std::move(value)) : std::nullopt;
  };
  const auto holds = [&](const plan::Column& when) {
    if (when.empty()) return true;
    const auto value = known(when);
    return value && value->as<bool>() != nullptr && *value->as<bool>();
  };
  if (!node.left_out.empty() || !holds(node.when)) return;
  for (const plan::Action& action : node.actions) {
    if (action.preflight == plan::kNone || !holds(action.when)) continue;
    remote::Task task;
    task.become = action.become;
    task.preflight = context_.plan.scripts[action.preflight].text;
    set_environment(task, node, position);
    bool complete = true;
    for (const plan::Param& param : action.params) {
      const auto value = known(param.value);
      if (!value) {
        complete = false;
        break;
      }
      auto made = variable(param, *value, context_.secrets);
      if (!made) {
        problem(host, Kind::host, "`" + node.title + "`: " + made.error().what);
        complete = false;
        break;
      }
      task.variables.push_back(*std::move(made));
    }
    if (!complete) continue;
    queues_[host].tasks.push_back(std::move(task));
    queues_[host].what.push_back("`" + node.title + "`: " + action.module);
  }
}

void Preflight::next_task(HostIndex host) {
  Queue& queue = queues_[host];
  if (queue.over) return;
  if (cancelled_) return host_over(host);
  if (!queue.tasks.empty()) {
    remote::Task task = std::move(queue.tasks.front());
    queue.tasks.pop_front();
    task.id = ++context_.last_task;
    task.host = host;
    task.mode = remote::Mode::preflight;
    task.timeout = context_.options.preflight_timeout;
    tasks_[task.id] = std::move(queue.what.front());
    queue.what.pop_front();
    context_.start(std::move(task));
    return;
  }
  // A dry run takes no locks: it changes nothing that they guard.
  const std::vector<std::string> locks = context_.dry() ? std::vector<std::string>{} : lock_names();
  queue.locks = locks.size();
  if (locks.empty()) return host_over(host);
  if (context_.options.wait_for_locks) {
    at_locks_.push_back(host);
    return next_lock();
  }
  for (const std::string& name : locks) ask_for_lock(host, name);
}

// Each once: a play takes a lock that it holds already.
std::vector<std::string> Preflight::lock_names() const {
  std::vector<std::string> names = context_.plan.locks;
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

void Preflight::ask_for_lock(HostIndex host, const std::string& name) {
  context_.remote.lock(host, name,
                       context_.options.user + "@" + context_.options.controller + ", run " +
                           context_.options.run_id);
}

// One after the other, in the order of names, once all hosts have come as far as that: two runs
// that wait can then never each hold what the other waits for.
void Preflight::next_lock() {
  if (lock_asked_of_ || outstanding_ == 0) return;
  std::erase_if(at_locks_, [&](HostIndex h) { return queues_[h].over; });
  if (at_locks_.size() < outstanding_) return;
  if (!problems_.empty() && !tolerated()) return no_more_locks();
  std::sort(at_locks_.begin(), at_locks_.end(),
            [&](HostIndex a, HostIndex b) { return context_.name(a) < context_.name(b); });
  const HostIndex host = at_locks_.front();
  const std::vector<std::string> names = lock_names();
  lock_asked_of_ = host;
  ask_for_lock(host, names.at(names.size() - queues_[host].locks));
}

// The run is refused: nothing is gained by waiting for the rest.
void Preflight::no_more_locks() {
  for (const HostIndex host : std::exchange(at_locks_, {})) host_over(host);
}

void Preflight::host_over(HostIndex host) {
  Queue& queue = queues_[host];
  if (queue.over) return;
  queue.over = true;
  --outstanding_;
  if (lock_asked_of_ == host) lock_asked_of_.reset();
  if (!at_locks_.empty()) next_lock();
}

void Preflight::take(remote::Event event) {
  if (const auto* ready = std::get_if<remote::HostReady>(&event)) {
    context_.hosts[ready->host].connected = true;
    context_.emit(events::HostConnected{ready->host, ready->user, ready->boot_id});
    fill(ready->host);
    next_task(ready->host);
  } else if (auto* failed = std::get_if<remote::HostFailed>(&event)) {
    context_.hosts[failed->host].why = failed->message;
    context_.emit(events::HostUnreachable{failed->host, failed->message, failed->help});
    problem(failed->host, Kind::host, failed->message, failed->help);
    host_over(failed->host);
  } else if (auto* lost = std::get_if<remote::HostLost>(&event)) {
    context_.hosts[lost->host].connected = false;
    context_.hosts[lost->host].why = lost->message;
    context_.emit(events::HostLost{lost->host, lost->message});
    if (!queues_[lost->host].told_lost) {
      problem(lost->host, Kind::host, "the connection was lost: " + lost->message);
    }
    host_over(lost->host);
  } else if (auto* broken = std::get_if<remote::HostReconnecting>(&event)) {
    context_.emit(events::HostReconnecting{broken->host, broken->message});
  } else if (auto* anew = std::get_if<remote::HostReconnected>(&event)) {
    context_.emit(events::HostReconnected{anew->host, anew->boot_id});
  } else if (auto* ended = std::get_if<remote::TaskEnded>(&event)) {
    task_ended(std::move(*ended));
  } else if (const auto* lock = std::get_if<remote::LockEnded>(&event)) {
    lock_ended(*lock);
  } else if (const auto* waiting = std::get_if<remote::LockWaiting>(&event)) {
    context_.emit.notice("waits for the lock \"" + waiting->held.name + "\" on " +
                         context_.name(waiting->held.host) + ", held by " +
                         holder_of(waiting->held));
  }
}

void Preflight::task_ended(remote::TaskEnded ended) {
  const auto it = tasks_.find(ended.task);
  if (it == tasks_.end()) return;
  const std::string what = std::move(it->second);
  tasks_.erase(it);
  const remote::TaskResult& result = ended.result;
  std::string why;
  if (result.ended != remote::Ended::finished) {
    why = result.error;
    if (why.empty())
      why = result.ended == remote::Ended::timed_out ? "timed out" : "was interrupted";
  } else if (result.stages.empty()) {
    why = "the host reported nothing";
  } else {
    const remote::StageResult& stage = result.stages.front();
    if (stage.verdict == remote::Verdict::fail) {
      why = stage.message.display(2000);
    } else if (stage.exit_code != 0) {
      why = "exited with " + std::to_string(stage.exit_code) + ": " + result.tail.display(2000);
    } else if (stage.verdict != remote::Verdict::ok && stage.verdict != remote::Verdict::skip) {
      why = "ended without a verdict";
    }
  }
  if (!why.empty()) problem(ended.host, Kind::host, what + ": " + why, result.help);
  if (result.ended == remote::Ended::lost) context_.hosts[ended.host].connected = false;
  // Without a shell, or a host, whatever is still in the queue would say the same once more.
  if (result.ended == remote::Ended::lost || result.ended == remote::Ended::not_started) {
    queues_[ended.host].told_lost = true;
    return host_over(ended.host);
  }
  next_task(ended.host);
}

void Preflight::lock_ended(const remote::LockEnded& ended) {
  Queue& queue = queues_[ended.host];
  if (queue.over) return;
  const std::string lock = "the lock \"" + ended.name + "\"";
  if (!ended.acquired) {
    const bool held = ended.error.empty();
    problem(ended.host, Kind::lock, held ? lock + " is held by " + holder_of(ended) : ended.error,
            held ? lock_help(ended) : ended.help);
    if (held && !context_.options.not_inside.empty() && shared_.insert("").second) {
      context_.emit.notice(context_.options.not_inside + ": its locks are not shared");
    }
  } else if (ended.shared) {
    if (shared_.insert(ended.name).second) {
      context_.emit.notice(lock + " is held by the run around this one (" +
                           ended.holder.display(200) + "), and holds for both");
    }
  } else if (ended.joined) {
    joined_.push_back(ended.host);
  } else if (!ended.holder.empty()) {
    context_.emit.notice(lock + " on " + context_.name(ended.host) + " was taken over from " +
                         holder_of(ended));
  }
  const bool chained = lock_asked_of_ == ended.host;
  if (chained) lock_asked_of_.reset();
  if (queue.locks > 0 && --queue.locks == 0) host_over(ended.host);
  if (chained) next_lock();
}

void Preflight::cancel() {
  cancelled_ = true;
  for (const auto& [task, what] : tasks_) context_.remote.cancel(task);
}

// Whether every step that needs a host with a problem goes on without it.
bool Preflight::tolerated() const {
  if (alone_ || again_ || !to_undo_.empty()) return false;
  std::vector<bool> bad(context_.hosts.size(), false);
  std::size_t count = 0;
  for (const Problem& p : problems_) {
    if (p.kind != Kind::host) return false;
    if (!bad[*p.host]) ++count;
    bad[*p.host] = true;
  }
  const plan::Section* back = context_.way_back();
  for (const NodeId id : (back ? *back : context_.plan.sections.front()).nodes) {
    const plan::Node& node = context_.plan.node(id);
    if (!node.left_out.empty() || tolerance(context_.plan, node) >= count) continue;
    for (const HostIndex h : node.hosts) {
      if (bad[h]) return false;
    }
  }
  return true;
}

// Once for all of them. A resumed run may only find what its former controller has left.
void Preflight::tell_joined() {
  std::sort(joined_.begin(), joined_.end());
  joined_.erase(std::unique(joined_.begin(), joined_.end()), joined_.end());
  if (joined_.empty() || again_) return;
  const bool one = joined_.size() == 1;
  context_.emit.notice(context_.names(joined_) +
                       (one ? " is the same machine as another host"
                            : " are the same "
                              "machines as other hosts") +
                       " of this run, or " + (one ? "shares its" : "share their") +
                       " home directory with one: the locks of the run are held there already, "
                       "and each step runs there once for each name");
}

Preflight::Answer Preflight::answer() {
  std::stable_sort(problems_.begin(), problems_.end(),
                   [](const Problem& a, const Problem& b) { return a.host < b.host; });
  tell_joined();
  bool unreachable = false;
  for (const Problem& p : problems_) {
    events::PreflightProblem told{p.host, p.message, p.help, std::nullopt};
    if (p.kind == Kind::lock) told.lock = true;
    context_.emit(std::move(told));
    // A host that answers and lacks something (a branch, a command, the right to become a user) is
    // there: the run is refused.
    unreachable = unreachable || (p.kind == Kind::host && !context_.hosts[*p.host].connected);
  }
  Answer answer = cancelled_ ? Answer::refused : Answer::go;
  if (!problems_.empty() && (context_.hosts.empty() || !tolerated())) {
    answer = unreachable ? Answer::unreachable : Answer::refused;
  }
  events::PreflightEnded ended{answer == Answer::go, context_.clock.steady() - started_, {}};
  if (ended.ok) {
    for (const Problem& p : problems_) {
      bool& failed = context_.hosts[*p.host].failed;
      if (!failed) ended.left_out = ended.left_out.value_or(0) + 1;
      failed = true;
    }
  }
  context_.emit(ended);
  return answer;
}

}  // namespace cnplay::run

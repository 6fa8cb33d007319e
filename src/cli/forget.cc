#include "cli/forget.h"

#include <algorithm>
#include <iostream>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "cli/ask.h"
#include "cli/project.h"
#include "cli/signals.h"
#include "cli/vault_access.h"
#include "cli/wiring.h"
#include "events/about.h"
#include "events/last.h"
#include "journal/run_directory.h"
#include "remote/session.h"
#include "run/local_here.h"

namespace cnplay::cli {
namespace {

constexpr std::size_t kMostNamed = 20;

// One line for each task whose result nobody knows.
std::vector<std::string> open_tasks(const plan::Plan& plan, const run::Left& left) {
  std::vector<std::string> lines;
  for (const run::Left::Open& open : left.open) {
    lines.push_back("`" + plan.node(open.node).path + "` on " + plan.hosts[open.host].name +
                    (open.ahead ? " was sent" : " was started") +
                    ", and its result is not recorded");
  }
  return lines;
}

void say_what_is_lost(const std::string& id, const journal::Record& record, const run::Left& left,
                      bool ended) {
  std::cerr << "cnplay: to forget " << id << " gives up:\n";
  const std::string where = left_on(record.plan, left);
  if (!where.empty()) {
    std::cerr << "  the files that its hosts keep for it (claims, output of tasks): " << where
              << "\n";
  }
  const auto tasks = open_tasks(record.plan, left);
  for (std::size_t i = 0; i < std::min(tasks.size(), kMostNamed); ++i) {
    std::cerr << "  " << tasks[i] << "\n";
  }
  if (tasks.size() > kMostNamed) {
    std::cerr << "  and " << tasks.size() - kMostNamed << " more tasks without a result\n";
  }
  if (!tasks.empty()) std::cerr << "  these tasks may still be running: nothing kills them\n";
  if (!ended) std::cerr << "  the run: it cannot be resumed any more\n";
}

// On disk before a host forgets anything, so that no later resume starts a task again.
Status end_run(journal::RunDirectory& directory, const journal::Record& record, bool open) {
  const auto& first = record.events.front();
  events::RunEnded ended;
  ended.verdict = open ? events::Verdict::unknown : events::Verdict::aborted;
  ended.forgotten = true;
  ended.advice = "Forgotten by " + user_name() + " on " + machine_name() +
                 ": look on the hosts for what was done, then start a new run";
  events::Event event;
  event.seq = record.events.back().seq + 1;
  event.at = SystemClock().now();
  ended.took = std::max(Duration{0}, std::chrono::duration_cast<Duration>(event.at - first.at));
  event.what = std::move(ended);
  directory.go_on(record.plan, std::get<events::RunStarted>(first.what), first.at);
  directory.on(event);
  return directory.commit();
}

// Exit code.
int clean_hosts(const std::string& id, const journal::Record& record, const run::Left& left,
                const Options& options) {
  const plan::Plan& plan = record.plan;
  SignalWatch signals;  // before any thread begins
  secrets::Redactor redactor;
  secrets::TerminalPrompter prompter;
  auto vault = VaultAccess::make(options, plan.vault_file);
  if (!vault) return usage_error(vault.error());
  SecretStore store(plan, prompter, redactor, **vault, id, false, false);
  const auto machine = local::make_machine(local::own_settings());
  auto settings = connections(plan, options, store, machine.get());
  if (!settings) return usage_error(settings.error());
  ssh::Options ssh_options;
  ssh_options.passphrase = [&](const std::string& path) -> std::optional<Secret> {
    const auto known = settings->passphrases.find(path);
    return known == settings->passphrases.end() ? std::nullopt : std::optional(known->second);
  };
  std::vector<plan::HostIndex> asked;
  for (plan::HostIndex h = 0; h < plan.hosts.size(); ++h) {
    settings->hosts[h].users_before.assign(left.users[h].begin(), left.users[h].end());
    // What is on another machine stays there.
    const run::Here here{local::machine_id(), user_name()};
    const bool elsewhere = plan.hosts[h].local && !run::can_undo_local(plan, record.events, here);
    if (elsewhere && !left.users[h].empty()) {
      std::cerr << "cnplay: local keeps its files of the run: it was another machine\n";
    } else if (!left.users[h].empty()) {
      asked.push_back(h);
    }
  }
  const auto transport = ssh::make_transport(ssh_options);
  remote::Options remote_options;
  remote_options.run_id = id;
  remote_options.last_before = left.last_task;
  const auto hosts = remote::make_hosts(*transport, std::move(settings->hosts), remote_options);
  signals.on_signal([&] { hosts->wake(); });
  for (const plan::HostIndex h : asked) hosts->connect(h);
  std::size_t waiting = asked.size();
  bool all = true;
  const auto missed = [&](plan::HostIndex host, const std::string& why) {
    all = false;
    --waiting;
    std::cerr << "cnplay: " << plan.hosts[host].name
              << " keeps its files of the run: " << redactor.apply(why) << "\n";
  };
  while (waiting > 0 && signals.requests() == 0) {
    const auto event = hosts->next(Duration{1000});
    if (!event) continue;
    if (std::holds_alternative<remote::HostReady>(*event)) --waiting;
    if (const auto* failed = std::get_if<remote::HostFailed>(&*event)) {
      missed(failed->host, failed->message);
    }
  }
  const bool stopped = signals.requests() > 0;
  signals.on_signal({});
  const bool well =
      hosts->close(Duration{30'000}, stopped ? remote::Traces::keep : remote::Traces::remove);
  if (stopped) {
    std::cerr << "cnplay: stopped: the hosts keep their files of the run\n";
  } else if (!well) {
    std::cerr << "cnplay: not every host has removed its files of the run\n";
  }
  if (all && well && !stopped) return kSuccess;
  std::cerr << "help: try again: cnplay runs --forget " << id << "\n";
  return stopped ? kAborted : kUnreachable;
}

}  // namespace

std::string left_on(const plan::Plan& plan, const run::Left& left) {
  std::string text;
  for (std::size_t h = 0; h < left.users.size(); ++h) {
    if (left.users[h].empty()) continue;
    std::string users;
    for (const std::string& user : left.users[h]) {
      if (!user.empty()) users += (users.empty() ? "" : ", ") + user;
    }
    text +=
        (text.empty() ? "" : ", ") + plan.hosts[h].name + (users.empty() ? "" : " (" + users + ")");
  }
  return text;
}

int forget_command(const Options& options) {
  SystemDisk disk;
  const std::string root = runs_root();
  const auto id = find_run(disk, root, options.forget);
  if (!id) return usage_error(id.error());
  const std::string path = root + "/" + *id;
  auto directory = journal::RunDirectory::reopen(disk, path, user_name() + " on " + machine_name());
  if (!directory) return refused(directory.error());
  const auto record = journal::read_run(disk, path);
  if (!record) return usage_error(record.error());
  if (record->events.empty() ||
      !std::holds_alternative<events::RunStarted>(record->events.front().what)) {
    return refused(
        fail(*id + " was interrupted before it began: no host knows of it", "remove " + path));
  }
  const run::Left left = run::left_by(record->plan, record->events);
  const bool ended = events::end_of(record->events) != nullptr;
  say_what_is_lost(*id, *record, left, ended);
  const std::string question = "Forget it?";
  if (options.yes) {
    say_yes(question);
  } else if (!somebody_is_there()) {
    return refused(
        fail("nothing was forgotten: nobody is at a terminal to be asked", "`-y` answers yes"));
  } else if (!ask_yes_no(question)) {
    return kRefused;
  }
  if (!ended) {
    if (auto status = end_run(**directory, *record, !left.open.empty()); !status) {
      return refused(status.error());
    }
  }
  const int code = clean_hosts(*id, *record, left, options);
  if (code == kSuccess) std::cout << "forgotten: " << *id << "\n";
  return code;
}

}  // namespace cnplay::cli

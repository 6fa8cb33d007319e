#include "cli/wiring.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/words.h"
#include "cli/reach.h"
#include "cli/trust.h"
#include "journal/run_directory.h"
#include "plan/choice.h"

namespace cnplay::cli {
namespace {

std::string home() {
  if (std::string home = environment("HOME"); !home.empty()) return home;
  const passwd* entry = ::getpwuid(::getuid());
  return entry == nullptr ? "/" : entry->pw_dir;
}

}  // namespace

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string runs_root() {
  if (std::string root = environment("CNPLAY_RUNS"); !root.empty()) return root;
  std::string state = environment("XDG_STATE_HOME");
  if (state.empty()) state = home() + "/.local/state";
  return state + "/cnplay/runs";
}

std::string expand_home(const std::string& path) {
  if (path == "~") return home();
  return path.starts_with("~/") ? home() + path.substr(1) : path;
}

std::string user_name() {
  const passwd* entry = ::getpwuid(::getuid());
  return entry == nullptr ? std::to_string(::getuid()) : entry->pw_name;
}

std::string machine_name() {
  char name[256] = "localhost";
  ::gethostname(name, sizeof name - 1);
  return name;
}

std::vector<std::string> group_names() {
  std::vector<gid_t> ids(static_cast<std::size_t>(std::max(0, ::getgroups(0, nullptr))));
  const int n = ::getgroups(static_cast<int>(ids.size()), ids.data());
  ids.resize(static_cast<std::size_t>(std::max(0, n)));
  ids.push_back(::getgid());  // may be missing above
  std::vector<std::string> names;
  for (const gid_t id : ids) {
    if (const group* entry = ::getgrgid(id)) names.emplace_back(entry->gr_name);
  }
  return names;
}

Result<Connections> connections(const plan::Plan& plan, const Options& options, SecretStore& store,
                                local::Machine* machine) {
  const auto reach = Reach::make(options);
  if (!reach) return reach.error();
  std::optional<Secret> password;
  std::optional<Secret> become;
  if (options.ask_password) {
    auto value = store.ask("ssh password", "ssh password");
    if (!value) return value.error();
    password = *value;
  }
  if (options.ask_become) {
    auto value = store.ask("sudo password", "sudo password");
    if (!value) return value.error();
    become = *value;
  }
  Connections all;
  all.hosts.reserve(plan.hosts.size());
  std::vector<const ssh::Settings*> reached;
  for (const plan::Host& host : plan.hosts) {
    if (host.local) {
      remote::HostSettings settings;
      settings.ssh.name = host.name;
      settings.ssh.user = local::own_settings().user;
      settings.connect = [machine] { return machine->make(); };
      settings.become_password = [become] { return become; };
      all.hosts.push_back(std::move(settings));
      continue;
    }
    const plan::Connection& connection = host.connection;
    auto ssh = reach->settings(host.name, connection);
    if (!ssh) return ssh.error();
    remote::HostSettings settings;
    settings.ssh = *std::move(ssh);
    settings.ssh.password = password;
    if (connection.password) {
      auto value = store.get(connection.password->index);
      if (!value) return value.error();
      settings.ssh.password = *value;
    }
    std::optional<Secret> host_become = become;
    if (connection.become_password) {
      auto value = store.get(connection.become_password->index);
      if (!value) return value.error();
      host_become = *value;
    }
    settings.become_password = [host_become] { return host_become; };
    all.hosts.push_back(std::move(settings));
    reached.push_back(&all.hosts.back().ssh);  // its place is reserved
  }
  if (::isatty(0) == 0) return all;  // what is encrypted is told host by host, with the remedy
  for (const std::string& path : encrypted_keys(reached)) {
    auto value = store.ask("passphrase of " + path, "passphrase of the key " + path);
    if (!value) return value.error();
    all.passphrases.emplace(path, *std::move(value));
  }
  return all;
}

namespace {

// Why a rehearsal that there was counts no more.
std::string why_void(const journal::Summary& run, const plan::Requirement& requirement,
                     const plan::Plan& plan, const Disk& disk, const std::string& root,
                     Instant now) {
  std::string why = "the last one, " + run.id + ", " + human_duration(now - run.started) + " ago, ";
  std::vector<std::string> reasons;
  if (run.program_hash != plan.program_hash) {
    constexpr std::size_t kMost = 1u << 30;
    const auto text = disk.read(root + "/" + run.id + "/plan.json", kMost);
    const auto before = text ? plan::from_json(*text) : Result<plan::Plan>(text.error());
    const auto changes =
        before ? plan::program_changes(before->program, plan.program) : std::vector<std::string>();
    reasons.push_back(changes.empty() ? "was of another version of the play, its files or modules"
                                      : "is void: since then " + name_some(changes, 6));
  }
  if (run.partial) reasons.emplace_back("left steps out");
  if (now - run.started > requirement.within) {
    reasons.push_back("is older than " + format_duration(requirement.within));
  }
  for (std::size_t i = 0; i < reasons.size(); ++i) why += (i == 0 ? "" : "; and it ") + reasons[i];
  return why;
}

}  // namespace

Result<std::string> check_requirement(const plan::Requirement& requirement, const plan::Plan& plan,
                                      const Disk& disk, const std::string& root, Instant now) {
  if (requirement.on == plan.inventory) return std::string();  // this is the rehearsal
  const auto found =
      journal::find_rehearsal(journal::finished_runs(disk, root), plan.play, requirement.on,
                              plan.program_hash, requirement.within, now);
  if (found.valid) {
    return "holds by run " + found.valid->id + ", " + human_duration(now - found.valid->started) +
           " ago";
  }
  const std::string why =
      found.nearest ? why_void(*found.nearest, requirement, plan, disk, root, now)
                    : "no complete run of it on `" + requirement.on + "` is recorded in " + root;
  return fail("the play must have been rehearsed on `" + requirement.on + "` within " +
                  format_duration(requirement.within) + ": " + why,
              "rehearse it: cnplay -i " + requirement.on + " " + plan.file);
}

Result<plan::NodeId> find_step(const plan::Plan& plan, const std::string& name) {
  const auto found = plan::steps_called(plan, name);
  if (found.empty()) {
    std::string names;
    for (const plan::NodeId id : plan.sections.front().nodes) {
      const plan::Node& node = plan.node(id);
      if (!plan::has_work(node)) continue;
      names += (names.empty() ? "" : ", ") + node.path.substr(node.path.find('/') + 1);
    }
    return fail("the run has no step `" + name + "`", "its steps are " + names);
  }
  const std::string& first = plan.node(found.front()).path;
  for (const plan::NodeId id : found) {
    const std::string& other = plan.node(id).path;
    if (plan::without_keys(other) == plan::without_keys(first)) continue;
    return fail("`" + name + "` may be " + first + " or " + other, "write more of the path");
  }
  return found.front();
}

bool is_one_command(const Disk& disk, const std::string& root, const std::string& id) {
  // Ids name the play; a play may be called so, too.
  if (id.find("-exec-") == std::string::npos) return false;
  const auto record = journal::read_run(disk, root + "/" + id);
  if (!record) return false;
  return std::any_of(record->plan.nodes.begin(), record->plan.nodes.end(), [](const auto& node) {
    return !node.actions.empty() && node.actions.front().where == kCommandLine;
  });
}

Result<std::string> find_run(const Disk& disk, const std::string& root, const std::string& prefix) {
  if (auto status = check_runs_root(root); !status) return status.error();
  std::vector<std::string> found;
  for (const std::string& id : disk.list(root)) {
    if (id.starts_with(prefix)) found.push_back(id);
  }
  while (prefix.empty() && !found.empty() && is_one_command(disk, root, found.back())) {
    found.pop_back();
  }
  if (found.empty()) {
    return fail(prefix.empty() ? "there is no recorded run in " + root
                               : "there is no run `" + prefix + "` in " + root,
                "runs are named like 20261120-213005-update_code-4f2a");
  }
  if (found.size() > 1 && !prefix.empty()) {
    return fail("`" + prefix + "` may be " + found.front() + " or " + found.back(),
                "write more of the name");
  }
  if (auto status = check_record(root, root + "/" + found.back()); !status) return status.error();
  return found.back();
}

}  // namespace cnplay::cli

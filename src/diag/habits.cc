#include "diag/habits.h"

#include <algorithm>
#include <array>
#include <utility>

namespace cnplay::diag {
namespace {

using Entry = std::pair<std::string_view, std::string_view>;

template <std::size_t N>
std::string find(const std::array<Entry, N>& table, std::string_view word) {
  const auto at = std::ranges::find(table, word, [](const Entry& e) { return e.first; });
  return at == table.end() ? "" : std::string(at->second);
}

}  // namespace

std::string keyword_habit(std::string_view word) {
  static constexpr std::string_view kRoot = "to become another user, write `as root` at the step";
  static constexpr std::string_view kLoop =
      "a loop is a block: `for x in [\"a\", \"b\"] { step NAME on web { ... } }`";
  static constexpr std::string_view kSteps =
      "write steps in the play itself: `step NAME on web { ... }`";
  static constexpr std::string_view kFailure =
      "a failure is answered by `on_failure { ... }`, and a step is undone by its `undo { ... }`";
  static constexpr std::string_view kLibrary =
      "write `use \"lib.play\" as lib` at the top of the file, and `do lib.NAME()` in the play";
  static constexpr std::string_view kIgnore =
      "to continue without hosts that fail, write `tolerate all` at the step; a script that may "
      "fail ends in `|| true`";
  static constexpr std::string_view kDelegate =
      "a step on other hosts says so: `step NAME on db { ... }`";
  static constexpr std::string_view kVars =
      "name a value with `let x = ...`; a value that can be set from outside is a `param`";
  static constexpr std::array table{
      Entry{"become", kRoot},
      Entry{"become_user", kRoot},
      Entry{"become_method", kRoot},
      Entry{"sudo", kRoot},
      Entry{"remote_user", "the login user belongs in the inventory: `ssh { user: \"ubuntu\" }`"},
      Entry{"tasks", kSteps},
      Entry{"pre_tasks", kSteps},
      Entry{"post_tasks", kSteps},
      Entry{"block", "a group of steps is `phase NAME \"...\" { ... }`"},
      Entry{"rescue", kFailure},
      Entry{"roles", kLibrary},
      Entry{"role", kLibrary},
      Entry{"include", kLibrary},
      Entry{"include_tasks", kLibrary},
      Entry{"import_tasks", kLibrary},
      Entry{"include_role", kLibrary},
      Entry{"import_role", kLibrary},
      Entry{"import_playbook", kLibrary},
      Entry{"handlers", "each handler is a statement: `handler reload { ... }`"},
      Entry{"with_items", kLoop},
      Entry{"with_list", kLoop},
      Entry{"with_dict", kLoop},
      Entry{"loop", kLoop},
      Entry{"vars", kVars},
      Entry{"vars_files", kVars},
      Entry{"set_fact", kVars},
      Entry{"register", "name the action: `let x = MODULE(...)`, and read `STEP.x.FACT` later"},
      Entry{"gather_facts",
            "no facts are gathered on their own: leave it out, or call `host.facts()`"},
      Entry{"ignore_errors", kIgnore},
      Entry{"ignore_unreachable", kIgnore},
      Entry{"failed_when", kIgnore},
      Entry{"changed_when",
            "a module's check says what changes; a plain `sh` may have "
            "`unless sh \"...\"`"},
      Entry{"delegate_to", kDelegate},
      Entry{"local_action", kDelegate},
      Entry{"run_once", "write `once` at the step"},
      Entry{"retries", "write `retry 3 every 5s`"},
      Entry{"delay", "write `retry 3 every 5s`"},
      Entry{"until", "write `retry 3 every 5s`: the step is repeated until it succeeds"},
      Entry{"async", "write steps that run side by side in `parallel { ... }`"},
      Entry{"environment", "write `env { NAME: \"value\" }` in the play, a phase or the step"},
      Entry{"strategy", "steps on the same hosts run host by host; `barrier` waits for all"},
      Entry{"max_fail_percentage", "write `tolerate 10%`"},
      Entry{"any_errors_fatal",
            "a failure stops the run unless `tolerate` allows it: leave it out"},
      Entry{"name", "the title is a text after the name: `step NAME \"title\" on web { ... }`"},
      Entry{"gather", "no facts are gathered on their own: leave it out, or call `host.facts()`"},
      Entry{"pause", "write `wait until now + 30s`, or `manual NAME \"...\"` to wait for a person"},
      Entry{"sleep", "write `wait until now + 30s`"},
  };
  return find(table, word);
}

std::string module_habit(std::string_view name) {
  for (const std::string_view collection :
       {"ansible.builtin.", "community.general.", "ansible.posix.", "community.postgresql.",
        "ansible.legacy."}) {
    if (name.starts_with(collection)) name.remove_prefix(collection.size());
  }
  static constexpr std::string_view kApt =
      "write `apt.install(packages: [\"nginx\"])`; `apt.update()` refreshes the lists, "
      "`apt.upgrade()` upgrades";
  static constexpr std::string_view kCopy = "write `file.copy(src: \"...\", dest: \"...\")`";
  static constexpr std::string_view kShell = "write `sh \"\"\"...\"\"\"`";
  static constexpr std::string_view kService =
      "write `service.start(name: \"...\")`, `service.stop` or `service.restart`";
  static constexpr std::string_view kLine =
      "write `file.line(path: FILE, line: LINE)`, `file.block` for several lines, `file.replace` "
      "for "
      "a pattern";
  static constexpr std::string_view kDirectory =
      "write `file.directory(path: DIRECTORY)`; `file.sync` makes a whole tree";
  static constexpr std::string_view kUser =
      "write `user.present(name: NAME)`; `user.absent` removes one";
  static constexpr std::string_view kCron =
      "write `cron.entry(name: NAME, schedule: \"30 4 * * *\", command: COMMAND)`";
  static constexpr std::string_view kDebug =
      "a title shows values: `step NAME \"port ${port}\" on web { ... }`; `-v` shows output";
  static constexpr std::string_view kHttp = "write `http.check(url: \"...\")`";
  static constexpr std::string_view kTemplate =
      "write `file.template(src: \"...\", dest: \"...\")`";
  static constexpr std::string_view kSync = "write `file.sync(src: \"...\", dest: \"...\")`";
  static constexpr std::string_view kManage = "write `django.manage(...)` or `django.migrate(...)`";
  static constexpr std::string_view kGit =
      "write `git.clone(...)` for a new checkout, `git.rebase(...)` or `git.reset(...)` for one "
      "that is there";
  static constexpr std::string_view kPip = "write `pip.install(venv: ..., requirements: \"...\")`";
  static constexpr std::array table{
      Entry{"apt", kApt},
      Entry{"package", kApt},
      Entry{"yum", "there is no module for yum: write `sh`, or a module of your own in `modules/`"},
      Entry{"dnf", "there is no module for dnf: write `sh`, or a module of your own in `modules/`"},
      Entry{"apt.remove", "write `sh \"apt-get -y remove NAME\"`; `apt.install` installs"},
      Entry{"apt_repository",
            "write `apt.repository(name: NAME, url: URL, key_url: KEY, fingerprints: [...])`"},
      Entry{"apt_key", "write `apt.repository(...)`: the key is part of it"},
      Entry{"debconf", "write `apt.debconf(package: NAME, question: QUESTION, value: VALUE)`"},
      Entry{"unarchive", "write `file.unpack(src: ARCHIVE, dest: DIRECTORY)`"},
      Entry{"mount", "write `mount.present(path: DIRECTORY, src: DEVICE, type: TYPE)`"},
      Entry{"copy", kCopy},
      Entry{"file.put", kCopy},
      Entry{"file.upload", kCopy},
      Entry{"template", kTemplate},
      Entry{"file.render", kTemplate},
      Entry{"synchronize", kSync},
      Entry{"rsync", kSync},
      Entry{"fetch", "write `file.fetch(src: \"...\", to: \"...\")`"},
      Entry{"lineinfile", kLine},
      Entry{"file.lineinfile", kLine},
      Entry{"blockinfile", kLine},
      Entry{"replace", kLine},
      Entry{"file",
            "write `file.copy`, `file.template`, `file.sync`, `file.directory`, `file.link`, "
            "`file.mode` or `file.absent`"},
      Entry{"file.mkdir", kDirectory},
      Entry{"stat", kDirectory},
      Entry{"user", kUser},
      Entry{"user.create", kUser},
      Entry{"user.add", kUser},
      Entry{"group", "write `group.present(name: NAME)`"},
      Entry{"cron", kCron},
      Entry{"cron.add", kCron},
      Entry{"command", kShell},
      Entry{"shell", kShell},
      Entry{"raw", kShell},
      Entry{"script", kShell},
      Entry{"exec", kShell},
      Entry{"run", kShell},
      Entry{"debug", kDebug},
      Entry{"print", kDebug},
      Entry{"service", kService},
      Entry{"systemd", kService},
      Entry{"systemd.start", kService},
      Entry{"systemd.stop", kService},
      Entry{"systemd.restart", kService},
      Entry{"systemd_service", kService},
      Entry{"systemd.enable", "write `service.enable(name: NAME)`"},
      Entry{"supervisorctl",
            "write `supervisor.start(...)`, `supervisor.stop` or "
            "`supervisor.restart`"},
      Entry{"git", kGit},
      Entry{"git.pull", kGit},
      Entry{"git.checkout", kGit},
      Entry{"pip", kPip},
      Entry{"uri", kHttp},
      Entry{"get_url", "write `file.download(url: URL, dest: FILE, sum: SHA256)`"},
      Entry{"wait_for", "write `host.wait_port(port: PORT)`"},
      Entry{"reboot", "write `machine.reboot()`"},
      Entry{"django_manage", kManage},
      Entry{
          "postgresql_db",
          "write `postgres.database(name: NAME)`; `postgres.dump` and `postgres.restore` move one"},
      Entry{"postgresql_user", "write `postgres.role(name: NAME)`, then `postgres.password`"},
      Entry{"ufw", "write `firewall.open(port: PORT)` or `firewall.close(port: PORT)`"},
      Entry{"sysctl", "write `sysctl.set(key: KEY, value: VALUE)`"},
      Entry{"authorized_key", "write `user.authorized_keys(user: NAME, keys: [...])`"},
      Entry{"pause", "write `wait until now + 30s`, or `manual NAME \"...\"` to wait for a person"},
      Entry{"assert", "write `require CONDITION, \"message\"` at the head of the play"},
      Entry{"fail", "write `require CONDITION, \"message\"` at the head of the play"},
      Entry{"set_fact", "name a value with `let x = ...`"},
      Entry{"include_tasks", "write `use \"lib.play\" as lib` at the top, and `do lib.NAME()`"},
  };
  return find(table, name);
}

}  // namespace cnplay::diag

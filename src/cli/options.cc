#include "cli/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

#include "cli/command_line.h"

namespace cnplay::cli {
namespace {

constexpr const char* kFooter = R"(Examples:
  cnplay -i staging update_code.play            run a play on inventories/staging.inv
  cnplay -i staging update_code.play --check    report what a run would change, change nothing
  cnplay -i prod settings.play --check --exit-code   has prod drifted? 0 no, 9 yes
  cnplay check -i prod update_code.play         find all mistakes, connect to nothing
  cnplay plan -i prod update_code.play          what runs where, when, and for how long
  cnplay run --plan plan.json                   run what `cnplay plan -o plan.json` wrote
  cnplay docs -i prod update_code.play > r.md   the runbook, for doing it by hand
  cnplay -i prod update_code.play --start-at migrate   skip the steps before this one
  cnplay exec -i prod 'web & !web3' 'uptime'    one command on many hosts
  cnplay tunnel -i staging web1 8000            http://127.0.0.1:8000 is port 8000 of web1
  cnplay resume                                 continue a run that was interrupted, or is parked
  cnplay resume RUN                             continue a failed run at the step that failed
  cnplay answer RUN STEP --approve              answer a human step of a run that is parked
  cnplay undo RUN                               undo a run that failed or was aborted
  cnplay cancel RUN                             end a parked run, and undo it
  cnplay rollback RUN NAME --check              what a run's rollback would do
  cnplay report -o run.html                     write a report of the newest run
  cnplay explain E0101                          what a diagnostic means
  cnplay vault set -i prod db/password          put a secret in inventories/prod.vault

Exit codes: 0 success, 1 failed, 2 usage, 3 refused before the first change, 4 unreachable,
5 unknown, 6 aborted, 7 parked at a human step, 8 a host is not ready, 9 a run would change
something (--check --exit-code). See docs/exit-codes.md.)";

void add_target(CLI::App& app, Options& o) {
  app.add_option("-i,--inventory", o.inventory,
                 "Inventory: a name (staging means inventories/staging.inv) or a path")
      ->type_name("NAME");
  app.add_option("-l,--limit", o.limit, "Only these hosts: groups, hosts, globs, joined by , & !")
      ->type_name("PATTERN");
  app.add_option("-e,--extra", o.extra, "Set a parameter of the play (may be repeated)")
      ->type_name("NAME=VALUE")
      ->take_all()
      ->expected(1)
      ->allow_extra_args(false);
  app.add_option("--play", o.play_name, "Which play, where the file has several")
      ->type_name("NAME");
}

std::string not_empty(const std::string& value) { return value.empty() ? "it names nothing" : ""; }

void add_choice(CLI::App& app, Options& o) {
  app.add_option("--tags", o.tags, "Only steps with one of these tags: a,b")
      ->type_name("TAGS")
      ->check(not_empty);
  app.add_option("--skip-tags", o.skip_tags, "Not the steps with one of these tags")
      ->type_name("TAGS")
      ->check(not_empty);
  app.add_option("--start-at", o.start_at, "Leave out the steps before this one")
      ->type_name("STEP")
      ->check(not_empty);
}

void add_incident(CLI::App& app, Options& o) {
  app.add_option_function<std::string>(
         "--incident", [&o](const std::string& ticket) { o.incident = ticket; },
         "For this incident, by its ticket: waive `require`; the ticket is recorded")
      ->type_name("TICKET");
}

void add_file(CLI::App& app, Options& o, bool required) {
  auto* option = app.add_option("PLAY", o.play, "The playbook, such as update_code.play");
  if (required) option->required();
}

void add_login(CLI::App& app, Options& o) {
  app.add_option("-F,--ssh-config", o.ssh_config,
                 "Instead of ~/.ssh/config and /etc/ssh/ssh_config; none: no configuration")
      ->type_name("FILE");
  app.add_flag("--no-exec", o.no_exec,
               "Run no command of a `Match exec` in the ssh configuration: refuse its hosts");
  app.add_flag("-k,--ask-pass", o.ask_password, "Ask for the ssh password");
  app.add_flag("-K,--ask-become-pass", o.ask_become, "Ask for the sudo password");
  app.add_option_function<std::string>(
         "--host-key", [&o](const std::string& value) { o.accept_new = value == "accept-new"; },
         "strict (default): unknown host keys are refused; accept-new: they are stored")
      ->check(CLI::IsMember({"strict", "accept-new"}));
}

void add_connection(CLI::App& app, Options& o) {
  app.add_option("-f,--forks", o.forks, "At most this many hosts at once (default: all)")
      ->check(CLI::Range(1, 100000));
  add_login(app, o);
}

void add_vault_key(CLI::App& app, Options& o) {
  auto* file = app.add_option("--vault-key-file", o.vault_key_file,
                              "The vault's password is in this file (default: asked for, or "
                              "CNPLAY_VAULT_KEY_FILE, CNPLAY_VAULT_KEY_COMMAND)")
                   ->type_name("FILE");
  app.add_option("--vault-key-command", o.vault_key_command,
                 "The vault's password is the output of this command; split at spaces, no shell")
      ->type_name("COMMAND")
      ->excludes(file);
}

void add_locks(CLI::App& app, Options& o) {
  app.add_option("--wait-lock", o.wait_lock,
                 "Wait this long for locks that another run holds (default: not at all)")
      ->type_name("10m");
  app.add_flag("--take-lock", o.take_lock,
               "Take over locks whose controller gave no sign of life for 3 minutes");
}

void add_output(CLI::App& app, Options& o) {
  app.add_flag("--json", o.json, "Machine-readable output");
  app.add_option("--colour,--color", o.colour, "always or never (default: on a terminal)")
      ->check(CLI::IsMember({"always", "never"}));
}

void add_log(CLI::App& app, Options& o) {
  auto* file =
      app.add_option("--log", o.log,
                     "Append connections, attempts and timings to a file, for a bug report")
          ->type_name("FILE")
          ->check(not_empty);
  app.add_option("--log-level", o.log_level, "error, warn, info (default) or debug")
      ->check(CLI::IsMember({"error", "warn", "info", "debug"}))
      ->needs(file);
}

// What a run of a play takes, besides which play on which hosts.
void add_run(CLI::App& app, Options& o) {
  add_connection(app, o);
  add_vault_key(app, o);
  add_locks(app, o);
  add_output(app, o);
  add_log(app, o);
  auto* yes = app.add_flag(
      "-y,--yes", o.yes,
      "Answer yes where cnplay asks, and continue after the window closes; never at human steps");
  app.add_flag("--step", o.stepwise, "Ask before each step, on a terminal")->excludes(yes);
  auto* dry_run =
      app.add_flag("-C,--check", o.dry_run, "Dry run: run the checks only, change nothing");
  app.add_flag("--exit-code", o.exit_code,
               "With --check: exit code 9 if a run would, or might, change something; 0 if not")
      ->needs(dry_run);
  app.add_flag("-D,--diff", o.diff, "Show what changes in detail");
  app.add_flag("-v,--verbose", o.verbosity, "Stream the output of tasks");
}

}  // namespace

std::variant<Options, int> read_options(int argc, char** argv) {
  Options o;
  CLI::App app{"cnplay runs runbooks on hosts over ssh.", "cnplay"};
  app.footer(kFooter);
  app.set_version_flag("--version", "cnplay " CNPLAY_VERSION);
  app.require_subcommand(0, 1);
  app.option_defaults()->always_capture_default(false);

  add_file(app, o, false);
  add_target(app, o);
  add_choice(app, o);
  add_incident(app, o);
  add_run(app, o);

  auto* run = app.add_subcommand("run", "Run a plan that was reviewed: cnplay run --plan FILE");
  run->add_option("--plan", o.plan_file, "The file that `cnplay plan -o FILE` wrote")
      ->type_name("FILE")
      ->required();
  add_incident(*run, o);
  add_run(*run, o);
  run->footer(
      "Refused if the play, a module, a file or the inventory has changed since. A play is run\n"
      "without a command: cnplay -i staging update_code.play");

  auto* check = app.add_subcommand("check", "Find all mistakes in a play, connect to nothing");
  add_file(*check, o, true);
  add_target(*check, o);
  add_choice(*check, o);
  add_vault_key(*check, o);
  add_output(*check, o);

  auto* plan = app.add_subcommand("plan", "Print what would run where, and in which order");
  add_file(*plan, o, true);
  add_target(*plan, o);
  add_choice(*plan, o);
  add_vault_key(*plan, o);
  plan->add_flag("--pipeline", o.pipeline,
                 "Also which actions go to a host together, and where the run decides between");
  plan->add_option("-o,--output", o.output,
                   "Also write it to a file, to be reviewed: cnplay run --plan FILE")
      ->type_name("FILE");
  add_output(*plan, o);

  auto* docs = app.add_subcommand("docs", "Print the play as a runbook for a person to carry out");
  add_file(*docs, o, true);
  add_target(*docs, o);
  docs->add_option("--format", o.docs_format,
                   "markdown (default) or html, one page that loads nothing")
      ->check(CLI::IsMember({"markdown", "html"}));
  docs->add_option("--colour,--color", o.colour, "always or never, for the warnings")
      ->check(CLI::IsMember({"always", "never"}));

  auto* preflight =
      app.add_subcommand("preflight", "Reach every host and prove what the play needs");
  add_file(*preflight, o, true);
  add_target(*preflight, o);
  add_choice(*preflight, o);
  add_incident(*preflight, o);
  add_connection(*preflight, o);
  add_log(*preflight, o);
  add_vault_key(*preflight, o);
  add_output(*preflight, o);

  auto* explain = app.add_subcommand("explain", "Explain a diagnostic code");
  explain->add_option("CODE", o.topic, "Such as E0101; none: list all");

  auto* modules = app.add_subcommand("modules", "List the modules, or show one with its source");
  auto* module = modules->add_option("NAME", o.topic, "Such as git.rebase");
  modules->add_option("--search", o.search, "Only the modules with this word in their description")
      ->type_name("WORD")
      ->check(not_empty)
      ->excludes(module);
  modules->add_flag("--markdown", o.markdown, "All of them as a page, which is docs/modules.md")
      ->excludes(module);

  auto* hosts = app.add_subcommand("hosts", "List the hosts that an inventory and --limit name");
  hosts->add_option("-i,--inventory", o.inventory, "Inventory: a name or a path")
      ->type_name("NAME")
      ->required();
  hosts->add_option("-l,--limit", o.limit, "Only these hosts")->type_name("PATTERN");
  add_output(*hosts, o);

  auto* exec = app.add_subcommand("exec", "Run one command on hosts, and show equal output once");
  exec->add_option("-i,--inventory", o.inventory, "Inventory: a name or a path")
      ->type_name("NAME")
      ->required();
  exec->add_option("SELECTION", o.limit, "Which hosts: groups, hosts, globs, joined by , & !")
      ->required();
  exec->add_option("COMMAND", o.words,
                   "POSIX sh as one word: 'df -h / | tail -1'; or after `--` a command and its "
                   "arguments: -- ls -la")
      ->required();
  exec->add_option("--as", o.become, "Become this user (sudo)")->type_name("USER");
  exec->add_option("--timeout", o.timeout, "Kill it on a host after this time")->type_name("30s");
  add_connection(*exec, o);
  add_log(*exec, o);
  add_vault_key(*exec, o);
  add_output(*exec, o);
  exec->add_flag("-v,--verbose", o.verbosity, "Show each host's output as it comes, not grouped");

  auto* tunnel =
      app.add_subcommand("tunnel", "Open local ports to a host, and run a command there");
  tunnel->add_option("-i,--inventory", o.inventory, "Inventory: a name or a path")
      ->type_name("NAME")
      ->required();
  tunnel->add_option("HOST", o.limit, "The host")->required();
  tunnel->add_option("PORT", o.forwards,
                     "8000: that port here is that of the host; 8001:localhost:8000: another one "
                     "here; 5432:db.internal:5432: a third machine, as the host sees it");
  tunnel->add_option("-D,--socks", o.socks, "Open a SOCKS5 proxy at this local port")
      ->type_name("PORT")
      ->take_all()
      ->expected(1)
      ->allow_extra_args(false);
  tunnel
      ->add_option("--run", o.run_command,
                   "POSIX sh to run on the host; it ends with the tunnel, and the tunnel with it")
      ->type_name("COMMAND")
      ->check(not_empty);
  add_login(*tunnel, o);
  add_vault_key(*tunnel, o);
  tunnel->footer(
      "Local ports are those of 127.0.0.1 alone. Ctrl-C closes the tunnel: exit code 0.");

  auto* locks = app.add_subcommand("locks", "Show who holds the locks of hosts");
  locks->add_option("-i,--inventory", o.inventory, "Inventory: a name or a path")
      ->type_name("NAME")
      ->required();
  locks->add_option("-l,--limit", o.limit, "Only these hosts")->type_name("PATTERN");
  add_connection(*locks, o);
  add_vault_key(*locks, o);
  add_output(*locks, o);

  auto* runs = app.add_subcommand("runs", "List the recorded runs");
  runs->add_option("--play", o.play_name, "Only runs of this play")
      ->type_name("NAME")
      ->check(not_empty);
  runs->add_option("-i,--inventory", o.inventory, "Only runs on this inventory, by its name")
      ->type_name("NAME")
      ->check(not_empty);
  runs->add_option("--state", o.state, "Only runs with this verdict, or parked or interrupted ones")
      ->check(CLI::IsMember({"success", "failed", "unreachable", "unknown", "aborted", "refused",
                             "parked", "interrupted"}));
  runs->add_option("--since", o.since, "Only runs that began since: 7d, or 2026-11-20")
      ->type_name("WHEN")
      ->check(not_empty);
  runs->add_option("--forget", o.forget,
                   "Give up a run: its hosts remove its files, and it cannot be resumed")
      ->type_name("RUN")
      ->check(not_empty);
  runs->add_flag("-y,--yes", o.yes, "Forget without asking");
  add_login(*runs, o);
  add_vault_key(*runs, o);
  add_output(*runs, o);

  auto* show = app.add_subcommand("show", "Show what a past run did (the newest by default)");
  show->add_option("RUN", o.topic, "The run: its id, or the beginning of its id");
  add_output(*show, o);

  auto* report = app.add_subcommand("report", "Write a report of a run into a file");
  report->add_option("RUN", o.topic,
                     "The run: its id, or the beginning of its id (default: the newest)");
  report
      ->add_option("--format", o.format,
                   "html (default): one file to read, print or mail; jsonl and junit: for machines")
      ->check(CLI::IsMember({"html", "jsonl", "junit"}));
  report
      ->add_option("-o,--output", o.output,
                   "The file to write (default: RUN.html, RUN.jsonl or RUN.xml); -: stdout")
      ->type_name("FILE");

  auto* answer = app.add_subcommand("answer", "Answer a human step of a run that is parked there");
  answer->add_option("RUN", o.topic, "The run: its id, or the beginning of its id")->required();
  answer->add_option("STEP", o.step, "The step's name, or its path")->required();
  answer->add_option("ANSWER", o.answers, "ask: the answer; manual: its evidence, NAME=VALUE ...");
  answer->add_flag("--done", o.done, "manual: all of its items are done");
  answer->add_flag("--approve", o.approve, "approve: yes");
  answer
      ->add_option("--refuse", o.refuse,
                   "Refuse, or report that it cannot be done, with the reason")
      ->type_name("WHY");
  answer->footer("Without an answer it is asked for, on a terminal. Then: cnplay resume RUN");

  auto* resume =
      app.add_subcommand("resume", "Continue a run that was interrupted, parked, or has failed");
  resume->add_option("RUN", o.topic,
                     "The run: its id, or the beginning of its id (default: the newest such run)");
  resume->add_option("--without", o.without, "Continue without this host (may be repeated)")
      ->type_name("HOST")
      ->take_all()
      ->expected(1)
      ->allow_extra_args(false);
  resume
      ->add_option("--from", o.from, "Repeat everything from this step on (its name, or its path)")
      ->type_name("STEP")
      ->check(not_empty);
  resume->add_flag("--take-changes", o.take_changes,
                   "Continue with the play as it is now, without asking");
  resume->add_flag(
      "-y,--yes", o.yes,
      "Answer yes where cnplay asks, and continue after the window closes; never at human steps");
  add_login(*resume, o);
  add_log(*resume, o);
  add_vault_key(*resume, o);
  add_locks(*resume, o);
  add_output(*resume, o);
  resume->add_flag("-D,--diff", o.diff, "Show what changes in detail");
  resume->add_flag("-v,--verbose", o.verbosity, "Stream the output of tasks");

  const auto without = [&o](CLI::App& command, const char* what) {
    command.add_option("--without", o.without, what)
        ->type_name("HOST")
        ->take_all()
        ->expected(1)
        ->allow_extra_args(false);
  };
  auto* undo = app.add_subcommand("undo", "Undo a run that failed or was aborted");
  undo->add_option("RUN", o.topic, "The run: its id, or the beginning of its id")->required();
  without(*undo, "Undo nothing on this host (may be repeated)");
  auto* cancel =
      app.add_subcommand("cancel", "End a run that is parked, and undo what it has done");
  cancel->add_option("RUN", o.topic, "The run: its id, or the beginning of its id")->required();
  without(*cancel, "Without this host (may be repeated)");
  for (CLI::App* command : {undo, cancel}) {
    add_connection(*command, o);
    add_log(*command, o);
    add_vault_key(*command, o);
    add_locks(*command, o);
    add_output(*command, o);
    command->add_flag("-v,--verbose", o.verbosity, "Stream the output of tasks");
  }
  undo->footer(
      "The `undo`s of its steps since the last point of no return, in reverse order, as a run of\n"
      "its own. An interrupted run is ended first: its tasks in flight are awaited.");
  cancel->footer("The run ends as after a first Ctrl-C (its `always` blocks run), then as `undo`.");

  auto* rollback = app.add_subcommand("rollback", "Roll back a finished run");
  rollback->add_option("RUN", o.topic, "The run: its id, or the beginning of its id")->required();
  rollback->add_option("NAME", o.rollback, "Which rollback of its play (default: the only one)");
  rollback->add_flag("-C,--check", o.dry_run, "Dry run: run the checks only, change nothing");
  rollback->add_flag("--again", o.again, "Even if this rollback was done before");
  rollback->add_option("--without", o.without, "Begin without this host (may be repeated)")
      ->type_name("HOST")
      ->take_all()
      ->expected(1)
      ->allow_extra_args(false);
  add_connection(*rollback, o);
  add_log(*rollback, o);
  add_vault_key(*rollback, o);
  add_output(*rollback, o);
  rollback->add_flag("-D,--diff", o.diff, "Show what changes in detail");
  rollback->add_flag("-v,--verbose", o.verbosity, "Stream the output of tasks");
  rollback->footer(
      "It is a run of its own, on the recorded plan, with the recorded\nfacts of the other run. It "
      "can be resumed: cnplay resume.");

  auto* vault = app.add_subcommand("vault", "Secrets of an inventory, in a file under a password");
  vault->require_subcommand(1);
  vault->footer(
      "inventories/prod.vault is the vault of inventories/prod.inv; a play reads it with\n"
      "`secret key = vault(\"db/password\")`. Values are never arguments: see docs/vault.md.");
  const auto vaults = [&](const char* name, const char* what, VaultAction action, bool path) {
    auto* sub = vault->add_subcommand(name, what);
    sub->callback([&o, action] { o.vault_action = action; });
    sub->add_option("-i,--inventory", o.inventory, "Inventory: a name or a path")
        ->type_name("NAME")
        ->required();
    add_vault_key(*sub, o);
    if (path) sub->add_option("PATH", o.topic, "Such as db/password")->required();
    return sub;
  };
  vaults("init", "Make a new, empty vault", VaultAction::init, false);
  vaults("set", "Store a value: typed without echo, or from stdin", VaultAction::set, true);
  vaults("get", "Print a value", VaultAction::get, true)
      ->add_flag("--former", o.former,
                 "The value before the last rotation, kept until a run commits the new one");
  add_output(*vaults("list", "List the paths", VaultAction::list, false), o);
  vaults("edit", "Edit all of it as YAML in $VISUAL or $EDITOR", VaultAction::edit, false);
  auto* rekey = vaults("rekey", "Give it another password", VaultAction::rekey, false);
  auto* new_file = rekey
                       ->add_option("--new-vault-key-file", o.new_vault_key_file,
                                    "The new password is in this file (default: asked for)")
                       ->type_name("FILE");
  rekey
      ->add_option("--new-vault-key-command", o.new_vault_key_command,
                   "The new password is the output of this command")
      ->type_name("COMMAND")
      ->excludes(new_file);

  std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  auto arranged = arrange(app, std::move(words));
  if (!arranged) {
    std::cerr << "cnplay: " << arranged.error().what << "\nhelp: " << arranged.error().help << "\n";
    return kUsage;
  }
  // CLI11 reads `[...]` as a list and takes the brackets away: a mark keeps the words of a command
  // whole.
  constexpr char kMark = '\x1f';
  const bool marked = std::ranges::find(*arranged, "exec") != arranged->end();
  for (std::string& word : *arranged) {
    if (marked && word.starts_with('[')) word.insert(word.begin(), kMark);
  }
  std::ranges::reverse(*arranged);  // as CLI11 takes them
  try {
    app.parse(std::move(*arranged));
  } catch (const CLI::Success& e) {  // --help, --version
    return app.exit(e);
  } catch (const CLI::ParseError& e) {
    std::cerr << "cnplay: " << e.what() << "\nhelp: `cnplay --help` lists the options\n";
    return kUsage;
  }

  for (std::string& word : o.words) {
    if (word.starts_with(kMark)) word.erase(word.begin());
  }

  if (check->parsed()) o.command = Command::check;
  if (plan->parsed()) o.command = Command::plan;
  if (docs->parsed()) o.command = Command::docs;
  if (preflight->parsed()) o.command = Command::preflight;
  if (explain->parsed()) o.command = Command::explain;
  if (modules->parsed()) o.command = Command::modules;
  if (hosts->parsed()) o.command = Command::hosts;
  if (exec->parsed()) o.command = Command::exec;
  if (report->parsed()) o.command = Command::report;
  if (tunnel->parsed()) o.command = Command::tunnel;
  if (locks->parsed()) o.command = Command::locks;
  if (runs->parsed()) o.command = Command::runs;
  if (show->parsed()) o.command = Command::show;
  if (answer->parsed()) o.command = Command::answer;
  if (resume->parsed()) o.command = Command::resume;
  if (vault->parsed()) o.command = Command::vault;
  if (rollback->parsed()) o.command = Command::rollback;
  if (undo->parsed()) o.command = Command::undo;
  if (cancel->parsed()) o.command = Command::cancel;

  const bool needs_play = (o.command == Command::run && o.plan_file.empty()) ||
                          o.command == Command::check || o.command == Command::plan ||
                          o.command == Command::docs || o.command == Command::preflight;
  if (needs_play && o.play.empty()) {
    std::cerr << "cnplay: no play was named\n"
                 "help: cnplay -i staging update_code.play (`cnplay --help` for more)\n";
    return kUsage;
  }
  // A play that only runs on `local` needs no inventory; whether it is one, the compiler finds out.
  if (needs_play && o.inventory.empty() && !o.limit.empty() && o.command != Command::docs) {
    std::cerr << "cnplay: `-l` chooses among the hosts of an inventory, and none was named\n"
                 "help: add `-i NAME`; `-i staging` means inventories/staging.inv\n";
    return kUsage;
  }
  return o;
}

}  // namespace cnplay::cli

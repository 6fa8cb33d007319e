// The command line, as plain data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace cnplay::cli {

enum class Command {
  run,
  check,
  plan,
  docs,
  preflight,
  explain,
  modules,
  hosts,
  show,
  runs,
  answer,
  resume,
  exec,
  tunnel,
  vault,
  report,
  locks,
  rollback,
  undo,
  cancel
};

enum class VaultAction { init, set, get, list, edit, rekey };

struct Options {
  std::string wait_lock;   // --wait-lock: a duration
  bool take_lock = false;  // --take-lock
  Command command = Command::run;
  std::string play;                     // path of the play, as given
  std::string play_name;                // --play: which of several in the file
  std::string inventory;                // -i, as given
  std::string limit;                    // -l
  std::vector<std::string> extra;       // -e name=value, as given
  std::string tags;                     // --tags a,b
  std::string skip_tags;                // --skip-tags a,b
  std::string start_at;                 // --start-at: a step's name, or its path
  std::optional<std::string> incident;  // --incident: its ticket
  bool stepwise = false;                // --step
  bool yes = false;                     // -y
  std::string forget;                   // runs: --forget, a run's id or its beginning
  std::string state;                    // runs: --state, a verdict, parked or interrupted
  std::string since;                    // runs: --since, as given
  std::string from;                     // resume: --from, a step's name, or its path
  bool take_changes = false;            // resume: --take-changes
  // A code (explain), a module's name (modules), a run's id (show), a command, a path (vault).
  std::string topic;
  std::string search;     // of `modules`: a word
  bool markdown = false;  // of `modules`: as a page
  VaultAction vault_action = VaultAction::list;
  bool former = false;             // vault get
  std::string vault_key_file;      // where the vault's password is
  std::string vault_key_command;   // what prints it: words parted by spaces
  std::string new_vault_key_file;  // vault rekey: the same of the password that is to be
  std::string new_vault_key_command;
  std::vector<std::string> without;      // resume, rollback: hosts
  std::string rollback;                  // rollback: which; "": the only one
  bool again = false;                    // rollback: though it was taken before
  std::string step;                      // answer: which
  std::vector<std::string> answers;      // answer: NAME=VALUE, or the value, as given
  bool done = false;                     // answer: --done
  bool approve = false;                  // answer: --approve
  std::optional<std::string> refuse;     // answer: --refuse
  std::string docs_format = "markdown";  // docs: markdown, html
  std::string format = "html";           // report: html, jsonl, junit
  std::vector<std::string> words;        // exec: the command, in one word or several
  std::string output;  // -o, a path. report: "-" is stdout, "" named by the run. plan: "" is none
  std::string log;     // --log: a file; "": none
  std::string log_level = "info";       // --log-level
  std::string plan_file;                // run: --plan
  std::optional<std::string> reviewed;  // of that plan: when its file was made, and by whom
  std::vector<std::string> forwards;    // tunnel: PORT or LOCAL:HOST:PORT
  std::vector<std::string> socks;       // tunnel: -D
  std::string run_command;              // tunnel: --run
  std::string become;                   // exec: --as
  std::string timeout;                  // exec: --timeout, as given
  bool dry_run = false;                 // --check
  bool diff = false;
  bool exit_code = false;  // --exit-code: of a dry run
  int verbosity = 0;       // -v
  bool pipeline = false;   // plan
  bool json = false;
  std::string ssh_config;             // -F: a file, or none
  bool no_exec = false;               // --no-exec: of `Match exec`
  bool accept_new = false;            // --host-key accept-new
  bool ask_password = false;          // -k
  bool ask_become = false;            // -K
  std::uint32_t forks = 0;            // 0: all at once
  std::optional<std::string> colour;  // always, never
};

// The command line read, or the exit code with which to end at once (help, version, usage
// errors: their text has been printed).
std::variant<Options, int> read_options(int argc, char** argv);

// Exit codes, as docs/exit-codes.md describes them.
enum Exit {
  kSuccess = 0,
  kFailed = 1,
  kUsage = 2,
  kRefused = 3,
  kUnreachable = 4,
  kUnknown = 5,
  kAborted = 6,
  kParked = 7,
  kUnready = 8,
  kChanges = 9,
  kBug = 70,
};

}  // namespace cnplay::cli

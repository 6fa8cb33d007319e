// From a compiled plan to the things that carry it out: secrets resolved, hosts made, the
// preconditions answered from the record of runs.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/disk.h"
#include "cli/options.h"
#include "cli/secret_store.h"
#include "local/machine.h"
#include "plan/plan.h"
#include "remote/session.h"

namespace cnplay::cli {

// Where the action of an `exec` stands, in place of a file and a line.
inline constexpr const char* kCommandLine = "the command line";

// The value of a variable of the environment; empty if it is not set.
std::string environment(const char* name);

// Where runs are recorded: $CNPLAY_RUNS, else $XDG_STATE_HOME/cnplay/runs, else
// ~/.local/state/cnplay/runs.
std::string runs_root();

// `~` and `~/x` expanded to $HOME; other texts as they are.
std::string expand_home(const std::string& path);

std::string user_name();
std::string machine_name();
// The groups of users that the one who runs this belongs to.
std::vector<std::string> group_names();

struct Connections {
  std::vector<remote::HostSettings> hosts;    // of the plan, in its order
  std::map<std::string, Secret> passphrases;  // of encrypted key files, by path
};
// How each host of the plan is reached, `local` by `machine`, which outlives them (null: of a plan
// without it). Passwords that the plan names are resolved here, and passphrases asked for, if there
// is somebody to ask.
Result<Connections> connections(const plan::Plan& plan, const Options& options, SecretStore& store,
                                local::Machine* machine = nullptr);

// Whether a precondition holds, by the record under `root`, and which run of it says so ("": this
// is that run); the Error says why not, and what has changed since the last one.
Result<std::string> check_requirement(const plan::Requirement& requirement, const plan::Plan& plan,
                                      const Disk& disk, const std::string& root, Instant now);

// The step, or human step, of the plan's main section that is called so: its path, or the end of
// it. Of one in a loop or in batches the first is meant, or the one named with its key.
Result<plan::NodeId> find_step(const plan::Plan& plan, const std::string& name);

// Whether a run is one of `exec` or `locks`: one command, no play.
bool is_one_command(const Disk& disk, const std::string& root, const std::string& id);
// The id of the run that begins with `prefix`; if it is empty, the newest that is of a play.
Result<std::string> find_run(const Disk& disk, const std::string& root, const std::string& prefix);

}  // namespace cnplay::cli

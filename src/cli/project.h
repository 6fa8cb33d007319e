// A project on disk: finds and reads plays, libraries, inventories and modules, and has them
// compiled. The only place that reads them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "catalog/catalog.h"
#include "cli/options.h"
#include "cli/vault_access.h"
#include "compile/compile.h"
#include "diag/diagnostic.h"
#include "inventory/inventory.h"
#include "plan/plan.h"

namespace cnplay::cli {

struct Project {
  diag::SourceMap sources;
  diag::Diagnostics diags;
  catalog::Catalog catalog;
  std::unique_ptr<inventory::Inventory> inventory;
  std::string inventory_file;          // as it was found
  std::unique_ptr<VaultAccess> vault;  // of the inventory; the file need not be there
  std::string inventory_text;          // not empty: read in place of the file that -i names
  std::vector<inventory::HostIndex> limit;
  std::vector<compile::Input::Batch> begun_batches;  // of the run that the play is for
  std::optional<plan::Plan> plan;
};

// The text of a file, at most 16 MiB. Errors name the path and the cause.
Result<std::string> read_file(const std::string& path);

// Where `-i NAME` lies: the path itself if there is such a file, else inventories/NAME.inv.
Result<std::string> find_inventory(const std::string& name);
// `-i NAME `, as a command line names it; "" of none.
std::string inventory_option(const std::string& name);
// Where PLAY lies: the path itself, else playbooks/PLAY.
Result<std::string> find_play(const std::string& name);

// What `use "relative"` in the file `from` names: its path and its text.
Result<std::pair<std::string, std::string>> read_library(const std::string& from,
                                                         const std::string& relative);

// Adds the project's own modules/*.play and then the built-in ones. A file that is byte for byte
// the built-in one of its name is not the project's own. An Error if the directory is writable by
// everybody: whoever could write there could run commands on all hosts.
Status load_modules(Project& project);
Status load_inventory(Project& project, const Options& options);
// Has the compiler hold the vault's paths against the play: opened for that if its password is at
// hand, or if the command is one that connects, so that somebody is there to be asked. After
// compiling, note_vault writes down which vault it was.
void give_vault(compile::Input& input, Project& project, const Options& options);
void note_vault(plan::Plan& plan, const Project& project);

// All of it: modules, inventory, play, compiled. An Error is one of usage (a file that is not
// there); mistakes inside the files are in project.diags, and then there is no plan.
Status load(Project& project, const Options& options);

// Prints an Error of usage on stderr and returns kUsage.
int usage_error(const Error& error);
// The same for what is understood, and does not hold: kRefused.
int refused(const Error& error);

// Whether stdout (or stderr) takes colours, by --colour, NO_COLOR and the terminal.
bool wants_colour(const Options& options, int descriptor);

// Prints the diagnostics (text on stderr, or JSON on stdout) and returns kRefused if there are
// errors.
int print_diagnostics(const Project& project, const Options& options);

}  // namespace cnplay::cli

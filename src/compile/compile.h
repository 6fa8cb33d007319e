// Syntax tree + inventory + catalog -> plan, or all of the diagnostics. Pure: reads no clock, no
// environment, no network; files only through what it is given.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "catalog/catalog.h"
#include "diag/diagnostic.h"
#include "diag/source.h"
#include "inventory/inventory.h"
#include "plan/plan.h"
#include "syntax/ast.h"

namespace cnplay::compile {

struct Input {
  diag::SourceMap* sources = nullptr;  // grows by libraries and `-e` values
  const diag::SourceMap::Source* play = nullptr;
  std::string play_name;  // which play of the file; "" if it has one
  const inventory::Inventory* inventory =
      nullptr;  // null: none was named; `local` is the only host
  const catalog::Catalog* catalog = nullptr;
  std::vector<std::pair<std::string, std::string>> extra;  // `-e name=value`
  std::vector<inventory::HostIndex> limit;                 // empty: no limit
  bool limited = false;
  // One host of the inventory stands for each group, whatever its size: a `once` step is on other
  // hosts than the group.
  bool stands_in = false;
  // --tags, --skip-tags, --start-at, as given; "": not given. What they leave out stays in the
  // plan, and is said to be left out (plan::Node::left_out).
  std::string tags, skip_tags, start_at;
  // The play is to be continued in a run: batches of it that have begun, in their order, keep their
  // hosts.
  struct Batch {
    std::string phase;  // its path
    std::vector<std::string> hosts;
  };
  std::vector<Batch> begun_batches;
  // The text of a library named by `use`, by a path relative to the using file; an Error if it
  // cannot be read. Also returns the name to show.
  std::function<Result<std::pair<std::string, std::string>>(const std::string& from,
                                                            const std::string& path)>
      load;
  // A file beside the play that is to be sent to hosts, by a path relative to the play's directory.
  struct LocalFile {
    std::string path;
    std::uint64_t size = 0;
    std::string sha256;
    unsigned mode = 0;  // permission bits
  };
  std::function<Result<LocalFile>(const std::string& path)> file;
  // A directory beside the play, without what the patterns name.
  struct LocalTree {
    std::string path;
    std::string manifest;    // what is in it: see remote/archive.h
    std::uint64_t size = 0;  // of all files together
  };
  std::function<Result<LocalTree>(const std::string& path, const std::vector<std::string>& without)>
      tree;
  // What `sh -n` says of each of these scripts; nullopt: it can be read. Absent: nothing is asked.
  struct ShellFault {
    std::size_t line = 0;  // of the script, from 1; 0: not known
    std::string message;
  };
  std::function<std::vector<std::optional<ShellFault>>(const std::vector<std::string>&)>
      check_shell;
  // The inventory's vault, as messages name it, and the paths that it has. Asked once, and only of
  // a play that needs a vault and has no other mistakes. nullopt: it was not opened, for nobody
  // gave its password; an Error: it is not there, or cannot be opened. Absent: nothing is held
  // against it.
  std::string vault_name;
  std::function<Result<std::optional<std::vector<std::string>>>()> vault_paths;
};

// All errors are added to `diags` in one go; nullopt if there was one. The plan of a successful
// compilation satisfies plan::check_invariants. Deterministic: equal input, equal plan.
std::optional<plan::Plan> compile(const Input& input, diag::Diagnostics& diags);

}  // namespace cnplay::compile

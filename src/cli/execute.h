// Carries out a plan for a command: secrets, record, connections, signals, the view; and what the
// exit code is.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "cli/options.h"
#include "cli/vault_access.h"
#include "events/event.h"
#include "journal/run_directory.h"
#include "plan/plan.h"
#include "run/run.h"

namespace cnplay::cli {

using MakeView = std::function<std::unique_ptr<events::Sink>(const plan::Plan&, const Options&)>;

// A run that was cut off, and is to be taken up.
struct CutOff {
  std::unique_ptr<journal::RunDirectory> directory;  // reopened
  const std::vector<events::Event>& record;  // begins with its RunStarted; outlives the call
  std::vector<plan::HostIndex> without;
  std::optional<plan::NodeId> from;  // what was done from there on is done again
  std::vector<std::string> changed;  // what has changed in the play since, if the person accepts it
  bool end = false;                  // it ends where it stands
};

// A run that takes another one back, which has ended.
struct TakenBack {
  run::WayBack way;  // its record outlives the call
  std::vector<plan::HostIndex> without;
};

// `vault`: the inventory's, perhaps opened already. `say_record`: where the record lies is said at
// the end. `run_id`: receives the run's.
int execute(const plan::Plan& plan, const Options& options, VaultAccess& vault,
            const MakeView& view, bool say_record, std::optional<CutOff> cut_off = std::nullopt,
            const std::optional<TakenBack>& taken_back = std::nullopt,
            std::string* run_id = nullptr);

// The hosts of these names. An Error names the option, and the one that the run does not have.
Result<std::vector<plan::HostIndex>> hosts_without(const plan::Plan& plan,
                                                   const std::vector<std::string>& names);

}  // namespace cnplay::cli

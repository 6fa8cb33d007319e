// `notify { on: "failure", webhook: "https://..." }` of an inventory: who is told how a run ends.
#pragma once

#include <optional>
#include <string_view>

#include "diag/diagnostic.h"
#include "inventory/inventory.h"
#include "syntax/ast.h"

namespace cnplay::inventory {

// Checks a block (E0616: all that can be wrong with it); nullopt if something is. `inventory`: its
// name, for texts.
std::optional<Notification> read_notify(const syntax::NotifyNode& node, std::string_view inventory,
                                        diag::Diagnostics& diags);

}  // namespace cnplay::inventory

// The length of an outage, with and without testing. Inside of report/.
#pragma once

#include <optional>

#include "report/account.h"

namespace cnplay::report {

// nullopt in a dry run, or if no outage phase was entered. All else of the account is known.
std::optional<Outage> outage_of(const Account& account);

}  // namespace cnplay::report

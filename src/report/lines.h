// A run as JSON lines, for machines: what the HTML report shows, one fact a line.
#pragma once

#include <string>

#include "report/account.h"

namespace cnplay::report {

// One ASCII JSON object a line, each with "v": 1 and "type": first `run`, then `resume`, `problem`,
// `outage`, `phase`, `step` (all hosts of it), `result` (a step on one host, with its actions),
// `not_begun` and `host`. Durations are in milliseconds, times in UTC. A text that is no UTF-8
// has U+FFFD for what is broken; a text that is cut has what was left out beside it. docs/report.md
// lists the fields.
std::string json_lines(const Account& account);

}  // namespace cnplay::report

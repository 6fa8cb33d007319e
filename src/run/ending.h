// How a run came to its end.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "events/event.h"
#include "plan/plan.h"

namespace cnplay::run {

// Where a run was parked, and why.
struct Parked {
  // window: before `node`, the next step. wait: while it waited at `node`.
  enum class At { human_step, window, wait };
  At at = At::human_step;
  plan::NodeId node = 0;
  std::string reason;
};

struct Ending {
  bool aborted = false;
  std::optional<Error> sick;                 // a sink's
  std::optional<events::Verdict> preflight;  // it went no further
  std::optional<plan::NodeId> failed_at;
  bool held = false;
  std::vector<std::string> offered;   // rollbacks that nobody took
  std::optional<std::uint32_t> late;  // this deadline of the plan was missed
  std::string rolled_back;            // this rollback was begun
  bool rollback_complete = false;
  std::optional<plan::NodeId> rollback_failed;  // it stopped here
  std::optional<Parked> parked;
  bool undo_ran = false;
  bool undo_complete = false;
  bool only_preflight = false;

  // Parked, and nothing that ends a run has happened besides.
  bool is_parked() const { return parked && !aborted && !sick; }
};

}  // namespace cnplay::run

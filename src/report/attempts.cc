#include "report/attempts.h"

namespace cnplay::report {

void Attempts::on(const events::Event& event) {
  if (const auto* next = std::get_if<events::RetryScheduled>(&event.what)) {
    told_[{next->node, next->host}].attempt = next->attempt;
  } else if (const auto* step = std::get_if<events::StepEnded>(&event.what)) {
    told_.erase({step->node, step->host});
  }
}

std::string Attempts::fresh(const events::ActionEnded& ended, std::string details) {
  const std::uint32_t times = plan_.node(ended.node).retry.times;
  if (times == 0 || details.empty()) return details;
  Told& told = told_[{ended.node, ended.host}];
  const bool last = told.attempt > times;
  if (!last && told.details == details) return {};
  told.details = details;
  return details;
}

}  // namespace cnplay::report

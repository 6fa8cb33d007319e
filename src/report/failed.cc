#include "report/failed.h"

#include <algorithm>

#include "base/columns.h"
#include "base/lines.h"
#include "base/words.h"

namespace cnplay::report {

using namespace events;

namespace {

constexpr std::size_t kWhy = 400;  // bytes of a reason
constexpr std::size_t kRows = 2;   // of a screen, for one failure

bool is_bad(Outcome outcome) {
  return outcome == Outcome::failed || outcome == Outcome::unknown ||
         outcome == Outcome::unreachable;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

void Failed::on(const Event& event) {
  if (const auto* action = std::get_if<ActionEnded>(&event.what)) {
    if (is_bad(action->outcome)) last_[{action->node, action->host, action->part}] = *action;
  } else if (const auto* step = std::get_if<StepEnded>(&event.what)) {
    step_ended(*step);
  } else if (const auto* answer = std::get_if<HumanAnswered>(&event.what)) {
    if (!answer->yes) {
      const std::string why = first_line(answer->remark.display(kWhy));
      add({answer->node,
           Part::forward,
           Outcome::failed,
           {},
           "refused by " + one_line(answer->user, 80) + (why.empty() ? "" : ": " + why),
           plan_.node(answer->node).where});
    }
  } else if (const auto* asked = std::get_if<HumanEnded>(&event.what)) {
    if (asked->how == HumanEnd::timed_out) {
      add({asked->node,
           Part::forward,
           Outcome::failed,
           {},
           "nobody answered in time",
           plan_.node(asked->node).where});
    }
  } else if (const auto* checked = std::get_if<AssertionChecked>(&event.what)) {
    if (checked->how == AssertionEnd::fails) {
      add({checked->node,
           Part::forward,
           Outcome::failed,
           {},
           one_line(checked->message, kWhy),
           plan_.node(checked->node).where});
    }
  } else if (const auto* held = std::get_if<Held>(&event.what)) {
    held_ = held->message;
  } else if (std::holds_alternative<PlanTaken>(event.what)) {
    // What failed is done again.
    failures_.clear();
    held_.clear();
  }
}

void Failed::step_ended(const StepEnded& e) {
  const auto found = last_.find({e.node, e.host, e.part});
  const auto action = found == last_.end() ? std::nullopt : std::optional(found->second);
  if (found != last_.end()) last_.erase(found);
  if (!is_bad(e.outcome)) return;
  Failure failure{e.node, e.part, e.outcome, {e.host}, "", plan_.node(e.node).where};
  if (action) {
    const plan::Action& of = action_of(plan_, e.node, action->action, e.part);
    failure.where = of.where;
    failure.why = first_line(action->message.display(kWhy));
    if (failure.why.empty()) failure.why = one_line(action->reason, kWhy);
  }
  if (failure.why.empty()) failure.why = one_line(e.reason, kWhy);
  add(std::move(failure));
}

// Hosts on which a step failed alike are one failure.
void Failed::add(Failure failure) {
  const auto same = std::ranges::find_if(failures_, [&](const Failure& f) {
    return f.node == failure.node && f.part == failure.part && f.outcome == failure.outcome &&
           f.why == failure.why && !f.hosts.empty() && !failure.hosts.empty();
  });
  if (same == failures_.end()) return failures_.push_back(std::move(failure));
  const plan::HostIndex host = failure.hosts.front();
  if (std::ranges::find(same->hosts, host) == same->hosts.end()) same->hosts.push_back(host);
}

std::string Failed::lines(const Options& options, std::size_t width) const {
  std::string out;
  for (std::size_t i = 0; i < failures_.size() && i < kShown; ++i) {
    const Failure& f = failures_[i];
    const std::string head = part_prefix(f.part) + step_name(plan_, f.node) +
                             (f.hosts.empty() ? "" : " on " + host_list(plan_, f.hosts, 3)) + ": ";
    const std::string end = " (" + f.where + ")";
    std::string why = f.why;
    if (width > 0) {
      const std::size_t used = columns_of(head) + columns_of(end);
      why = cut_to(why, kRows * width > used + width / 2 ? kRows * width - used : width / 2);
    }
    out += paint(options, Style::red, head) + why + paint(options, Style::dim, end) + "\n";
  }
  if (failures_.size() > kShown) {
    out += "and " + count_of(failures_.size() - kShown, "failure") + " more, above\n";
  }
  if (!held_.empty()) out += paint(options, Style::yellow, "held: ") + continued(held_) + "\n";
  return out;
}

}  // namespace cnplay::report

// The window of a run that is longer than its window. What has begun is left to end; before a point
// of no return nothing more begins until a person has said what comes of it.
#include <algorithm>

#include "run/runner.h"

namespace cnplay::run {
namespace {

constexpr const char* kGoOn = "go_on";
constexpr const char* kRollBack = "roll_back";
// Less than this between the two clocks is no setting of one of them.
constexpr Duration kDrift = std::chrono::minutes(1);

}  // namespace

std::optional<Time> Runner::window_end() const {
  if (!context_.plan.window || context_.options.way_back != nullptr) return std::nullopt;
  const plan::Environment environment = context_.environment();
  const auto value = plan::resolve(context_.plan.window->to, 0, environment);
  const Time* time = value ? value->as<Time>() : nullptr;
  return time ? std::optional(*time) : std::nullopt;
}

// By the steady clock, from where this controller began: whoever sets the other one back meanwhile
// makes no window longer. Set forward, it closes the window early: a person is asked, no more.
Instant Runner::steady_now() const {
  const Duration steady = context_.clock.steady();
  if (!window_.anchor) window_.anchor = {context_.clock.now(), steady};
  return window_.anchor->first + (steady - window_.anchor->second);
}

void Runner::look_at_window() {
  const bool forward = part_ == events::Part::forward && walk_ && !stopping_ && !ending_.failed_at;
  const bool on_record = context_.replay.window_closed() != nullptr;
  if (!forward || context_.dry() || !context_.plan.window) {
    if (on_record) context_.replay.refuse("it says that a window closed where none was in force");
    return;
  }
  // The record ends here: first the hosts are what they are now.
  if (!context_.replay.active() && !context_.replay.live()) return;
  if (window_.state == WindowState::open) {
    if (!on_record && context_.replay.active()) return;
    const auto to = window_end();
    if (!to) return;
    events::WindowClosed closed{*to, false, std::nullopt};
    if (!on_record) {
      const Instant now = context_.clock.now();
      const Instant steady = steady_now();
      if (std::max(now, steady) < to->at) return;
      const bool differ = (now < to->at) != (steady < to->at);
      if (differ && std::max(now - steady, steady - now) >= kDrift) closed.clock_set = now - steady;
    }
    closed.past_pivot = std::find(pivots_.begin(), pivots_.end(), true) != pivots_.end();
    window_.state = closed.past_pivot ? WindowState::decided : WindowState::closed;
    context_.emit(std::move(closed));
    if (window_.state == WindowState::closed) {
      // With `--forks`: what is ready, and has no place yet.
      for (std::deque<Unit>* units : {&placed_, &parked_}) {
        std::erase_if(*units, [&](const Unit& unit) {
          const bool held =
              unit.part == events::Part::forward && behind_window({unit.node, unit.host});
          return held;
        });
      }
    }
  }
  if (window_.state == WindowState::closed) ask_at_window();
}

// True: it does not begin before somebody has spoken. What ends a phase does: its handlers belong
// to what was done.
bool Runner::behind_window(const Ready& ready) {
  if (window_.state != WindowState::closed || part_ != events::Part::forward) return false;
  const plan::Node& node = context_.plan.node(ready.node);
  const bool work = node.kind == plan::NodeKind::step || node.kind == plan::NodeKind::human ||
                    node.kind == plan::NodeKind::wait || node.kind == plan::NodeKind::pivot;
  if (!work || !node.left_out.empty()) return false;
  window_.behind.push_back(ready);
  return true;
}

// Once all that had begun has ended, and only if something is left.
void Runner::ask_at_window() {
  if (window_.behind.empty() || human_ || steps_.count() > 0 || steps_.withdrawing() ||
      !ready_.empty() || !placed_.empty() || !parked_.empty()) {
    return;
  }
  if (context_.replay.active()) {
    if (const auto choice = context_.replay.at_window()) decide_at_window(*choice);
    return;
  }
  const Options& options = context_.options;
  if (options.past_window) return decide_at_window(events::AtWindow::go_on);
  if (options.prompter == nullptr) return park_at_window("nobody is at a terminal");
  if (!window_.question) {
    window_.question.emplace();
    plan::Node& node = *window_.question;
    const auto to = window_end();
    node.kind = plan::NodeKind::human;
    node.title = "The window is over" + (to ? " since " + format_time(*to) : std::string());
    node.human.emplace();
    node.human->kind = plan::HumanKind::ask;
    node.human->questions.push_back({"window", plan::FactType::string, {kGoOn, kRollBack}, {}});
    Asked asked;
    asked.node = &node;
    asked.questions.push_back("the window is over, and the next step is `" +
                              context_.plan.node(window_.behind.front().node).title +
                              "`: continue, or undo the run?");
    options.prompter->begin(asked);
  }
  auto reply = options.prompter->poll();
  if (!reply) return;
  options.prompter->end("");
  window_.question.reset();
  if (reply->later) return park_at_window("left for later by " + options.user);
  const auto& values = reply->answer.values;
  const bool go_on = reply->answer.yes && !values.empty() && values.front().second.raw() == kGoOn;
  const bool back =
      reply->answer.yes && !values.empty() && values.front().second.raw() == kRollBack;
  // A refusal to say is no word for either.
  if (!go_on && !back) return park_at_window("not decided by " + options.user);
  decide_at_window(go_on ? events::AtWindow::go_on : events::AtWindow::roll_back);
}

void Runner::decide_at_window(events::AtWindow choice) {
  window_.state = WindowState::decided;
  context_.emit(events::WindowAnswered{context_.options.user, context_.options.controller, choice});
  const std::deque<Ready> behind = std::exchange(window_.behind, {});
  if (choice == events::AtWindow::roll_back) return fail_at(behind.front().node);
  for (const Ready& ready : behind) begin(ready);
}

void Runner::park_at_window(std::string reason) {
  ending_.parked = window_.behind.front().node;
  ending_.parked_at_window = true;
  ending_.parked_why = "the window is over, " + std::move(reason);
  stop();
}

// The run stops: nobody is asked any more.
void Runner::leave_window() {
  window_.behind.clear();
  if (window_.question) context_.options.prompter->end("the run stops");
  window_.question.reset();
}

// How long nothing has to be looked at for its sake.
Duration Runner::until_window() const {
  const bool waits = window_.state == WindowState::open && part_ == events::Part::forward &&
                     !context_.dry() && !context_.replay.active();
  const auto to = waits ? window_end() : std::nullopt;
  if (!to) return Duration::max();
  return to->at - std::max(context_.clock.now(), steady_now());
}

}  // namespace cnplay::run

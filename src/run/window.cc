#include "run/window.h"

#include <algorithm>

#include "run/people.h"

namespace cnplay::run {
namespace {

constexpr const char* kContinue = "go_on";
constexpr const char* kRollBack = "roll_back";
// A smaller difference between the two clocks does not mean that one of them was set.
constexpr Duration kDrift = std::chrono::minutes(1);

}  // namespace

std::optional<Time> Window::end() const {
  if (!context_.plan.window || context_.options.way_back != nullptr) return std::nullopt;
  const plan::Environment environment = context_.environment();
  const auto value = plan::resolve(context_.plan.window->to, 0, environment);
  const Time* time = value ? value->as<Time>() : nullptr;
  return time ? std::optional(*time) : std::nullopt;
}

// The time by the steady clock, from where this controller began: setting the wall clock back does
// not make a window longer. Setting it forward closes the window early: a person is asked, no more.
Instant Window::steady_now() const {
  const Duration steady = context_.clock.steady();
  if (!anchor_) anchor_ = {context_.clock.now(), steady};
  return anchor_->first + (steady - anchor_->second);
}

bool Window::close_if_over(bool past_pivot) {
  const bool on_record = context_.replay.window_closed() != nullptr;
  if (!section_.going_forward() || context_.dry() || !context_.plan.window) {
    if (on_record) context_.replay.refuse("it says that a window closed where none was in force");
    return false;
  }
  // The record ends here: first the hosts are what they are now.
  if (!context_.replay.active() && !context_.replay.live()) return false;
  if (state_ != State::open) return false;
  if (!on_record && context_.replay.active()) return false;
  const auto to = end();
  if (!to) return false;
  events::WindowClosed closed{*to, false, std::nullopt};
  if (!on_record) {
    const Instant now = context_.clock.now();
    const Instant steady = steady_now();
    if (std::max(now, steady) < to->at) return false;
    const bool differ = (now < to->at) != (steady < to->at);
    if (differ && std::max(now - steady, steady - now) >= kDrift) closed.clock_set = now - steady;
  }
  closed.past_pivot = past_pivot;
  state_ = past_pivot ? State::decided : State::closed;
  context_.emit(std::move(closed));
  return state_ == State::closed;
}

bool Window::defer(const Ready& ready) {
  if (state_ != State::closed || section_.part() != events::Part::forward) return false;
  const plan::Node& node = context_.plan.node(ready.node);
  const bool work = node.kind == plan::NodeKind::step || node.kind == plan::NodeKind::human ||
                    node.kind == plan::NodeKind::wait || node.kind == plan::NodeKind::pivot;
  if (!work || !node.left_out.empty()) return false;
  deferred_.push_back(ready);
  return true;
}

void Window::decide() {
  if (state_ != State::closed || deferred_.empty() || !section_.going_forward()) return;
  if (!context_.replay.active() && !context_.replay.live()) return;
  if (context_.replay.active()) {
    if (const auto choice = context_.replay.at_window()) take(*choice);
    return;
  }
  const Options& options = context_.options;
  if (options.past_window) return take(events::AtWindow::go_on);
  if (options.prompter == nullptr) return park("nobody is at a terminal");
  if (!question_) {
    question_.emplace();
    plan::Node& node = *question_;
    const auto to = end();
    node.kind = plan::NodeKind::human;
    node.title = "The window is over" + (to ? " since " + format_time(*to) : std::string());
    node.human.emplace();
    node.human->kind = plan::HumanKind::ask;
    node.human->questions.push_back({"window", plan::FactType::string, {kContinue, kRollBack}, {}});
    Asked asked;
    asked.node = &node;
    asked.questions.push_back("the window is over, and the next step is `" +
                              context_.plan.node(deferred_.front().node).title +
                              "`: continue, or undo the run?");
    options.prompter->begin(asked);
  }
  auto reply = options.prompter->poll();
  if (!reply) return;
  options.prompter->end("");
  question_.reset();
  if (reply->later) return park("left for later by " + options.user);
  const auto& values = reply->answer.values;
  const bool answered = reply->answer.yes && !values.empty();
  const bool onward = answered && values.front().second.raw() == kContinue;
  const bool back = answered && values.front().second.raw() == kRollBack;
  if (!onward && !back) return park("not decided by " + options.user);
  take(onward ? events::AtWindow::go_on : events::AtWindow::roll_back);
}

void Window::take(events::AtWindow choice) {
  state_ = State::decided;
  context_.emit(events::WindowAnswered{context_.options.user, context_.options.controller, choice});
  const std::deque<Ready> deferred = std::exchange(deferred_, {});
  if (choice == events::AtWindow::roll_back) return section_.fail_at(deferred.front().node);
  for (const Ready& ready : deferred) section_.begin(ready);
}

void Window::park(std::string reason) {
  section_.park(
      {Parked::At::window, deferred_.front().node, "the window is over, " + std::move(reason)});
}

void Window::stop() {
  deferred_.clear();
  if (question_) context_.options.prompter->end("the run stops");
  question_.reset();
}

Duration Window::until_end() const {
  const bool waits = state_ == State::open && section_.part() == events::Part::forward &&
                     !context_.dry() && !context_.replay.active();
  const auto to = waits ? end() : std::nullopt;
  if (!to) return Duration::max();
  return to->at - std::max(context_.clock.now(), steady_now());
}

}  // namespace cnplay::run

#include "run/waits.h"

#include <algorithm>
#include <string>

#include "run/conditions.h"

namespace cnplay::run {

void Waits::begin(const Ready& point) {
  const plan::Node& node = context_.plan.node(point.node);
  if (!node.left_out.empty()) {
    context_.emit.notice("a time to wait for is left out: " + node.left_out);
    return section_.finish(point);
  }
  if (!node.when.empty()) {
    const Condition when = condition_of(context_, node.when.at(0));
    if (when.kind == Condition::Kind::unknown) {
      context_.emit.notice(node.where + ": whether a time is waited for is not known: its `when`" +
                           when.why);
      return section_.fail_at(point.node);
    }
    if (when.kind == Condition::Kind::fails) {
      context_.emit.notice("there is no wait: `when " +
                           plan::describe(node.when.at(0), context_.plan) + "` does not hold");
      return section_.finish(point);
    }
  }
  if (context_.dry() && plan::reads_fact(node.until, [&](const plan::FactRef& ref) {
        return context_.facts.unapplied(ref, ref.host.value_or(0));
      })) {
    context_.emit.notice("a run would wait here, until a time that depends on a change");
    return section_.finish(point);
  }
  const plan::Environment environment = context_.environment();
  const auto value = plan::resolve(node.until, 0, environment);
  const Time* until = value ? value->as<Time>() : nullptr;
  if (until == nullptr) {
    context_.emit.notice(node.where + ": the time to wait for is not known" +
                         (value ? "" : ": " + value.error().what));
    return section_.fail_at(point.node);
  }
  if (context_.dry()) {
    context_.emit.notice("a run would wait until " + format_time(*until));
    return section_.finish(point);
  }
  context_.emit(events::WaitStarted{point.node, *until});
  waits_.push_back({point, *until, context_.clock.now() > until->at});
  check();
}

void Waits::check() {
  // The record ends here: first the hosts are what they are now.
  if (context_.replay.at_seam()) return;
  const Instant now = context_.clock.now();
  const bool recorded = context_.replay.active();  // then the record decides, not the clock
  // Ending one may stop the section and clear the list: walk over a copy of what is due.
  std::vector<Wait> due;
  std::erase_if(waits_, [&](const Wait& wait) {
    const bool over =
        recorded ? context_.replay.wait_ended(wait.point.node) != nullptr : now >= wait.until.at;
    if (over) due.push_back(wait);
    return over;
  });
  for (const Wait& wait : due) end(wait, now, recorded);
}

void Waits::end(const Wait& wait, Instant now, bool recorded) {
  const plan::Node& node = context_.plan.node(wait.point.node);
  const Duration late = now - wait.until.at;
  bool too_late = node.late_by && late > *node.late_by;
  const bool by_its_time = too_late;
  if (recorded) too_late = node.late_by && context_.replay.wait_ended(wait.point.node)->late;
  context_.emit(events::WaitEnded{wait.point.node, too_late || wait.late_at_start});
  // The event is also late where the time was past as the wait began. What follows in the record
  // tells which; where nothing follows, the time does.
  if (recorded && !context_.replay.active()) too_late = too_late && by_its_time;
  if (section_.stopping()) return;
  if (too_late) {
    const std::string what = "it was to continue at " + format_time(wait.until) + ", at most " +
                             human_duration(*node.late_by) + " late; it is " +
                             human_duration(late) + " late";
    const bool go =
        context_.replay.active()
            ? !context_.replay.fails_at(wait.point.node)
            : context_.options.ask && context_.options.ask(what + ". Continue all the same?");
    if (!go) {
      context_.emit.notice(node.where + ": " + what + ", so the run stops here");
      return section_.fail_at(wait.point.node);
    }
  }
  section_.finish(wait.point);
}

const Waits::Wait& Waits::next() const {
  return *std::ranges::min_element(waits_, {}, [](const Wait& wait) { return wait.until.at; });
}

Duration Waits::until_next() const {
  return waits_.empty() ? Duration::max() : next().until.at - context_.clock.now();
}

}  // namespace cnplay::run

#include "run/parking.h"

#include <string>

#include "base/lines.h"
#include "run/people.h"

namespace cnplay::run {
namespace {

std::string advice(const Context& context, const Parked& parked) {
  const plan::Node& node = context.plan.node(parked.node);
  const std::string& run = context.options.run_id;
  if (parked.at == Parked::At::window) {
    return "Somebody decides: `cnplay resume " + run +
           "` on a terminal asks whether to continue or to undo what was done; `cnplay "
           "resume --yes " +
           run + "` continues.\nNext is `" + one_line(node.title) + "`.";
  }
  if (parked.at == Parked::At::wait) {
    return "To continue: cnplay resume " + run +
           "\nIt then continues to wait, or continues at once if the time has come" +
           (node.late_by
                ? "; if it is more than " + human_duration(*node.late_by) + " late, it asks first."
                : std::string("."));
  }
  const std::string name = node.path.substr(node.path.find('/') + 1);
  const std::string who = who_may(*node.human);
  return (who.empty() ? "To answer: " : "To answer, as " + who + ": ") + "cnplay answer " + run +
         " " + name + " " + answer_words(*node.human) + "\nThen continue: cnplay resume " + run;
}

}  // namespace

events::RunParked parked_event(const Context& context, const Parked& parked, bool in_outage) {
  events::RunParked event;
  event.reason = parked.reason;
  event.advice = advice(context, parked);
  if (in_outage) event.advice += "\nThe outage continues meanwhile.";
  if (parked.at != Parked::At::window) event.node = parked.node;
  return event;
}

}  // namespace cnplay::run

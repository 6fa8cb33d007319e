#include "run/local_here.h"

#include <algorithm>
#include <optional>
#include <variant>

#include "base/text.h"

namespace cnplay::run {
namespace {

// The last controller of the record that carried out steps.
struct LastController {
  std::string machine, user, name;
};

std::optional<LastController> last_controller(const std::vector<events::Event>& record) {
  std::optional<LastController> last;
  for (const events::Event& event : record) {
    if (const auto* e = std::get_if<events::RunStarted>(&event.what); e != nullptr && e->machine) {
      last = {*e->machine, e->user, e->controller};
    }
    if (const auto* e = std::get_if<events::RunResumed>(&event.what); e != nullptr && e->machine) {
      last = {*e->machine, e->user, e->controller};
    }
  }
  return last;
}

std::string shown(const std::string& text) { return Untrusted(text).display(80); }

}  // namespace

Status can_follow_local(const plan::Plan& plan, const std::vector<events::Event>& record,
                        const Left& left, const Here& here) {
  const auto in_flight = std::find_if(left.open.begin(), left.open.end(), [&](const auto& open) {
    return plan.hosts.at(open.host).local;
  });
  const auto last = last_controller(record);
  if (in_flight == left.open.end() || !last) return {};
  const std::string step = "`" + plan.node(in_flight->node).path + "`";
  if (last->machine != here.machine) {
    return fail(step + " may be running on `local`, which is " + shown(last->name) + " (machine " +
                    shown(last->machine) + "), and this is another machine",
                "resume the run on " + shown(last->name) +
                    "; if that machine is gone, continue without it: --without local");
  }
  if (last->user != here.user) {
    return fail(
        step + " was started on `local` by " + shown(last->user) +
            ", and its output is in the home of that user",
        "resume the run as " + shown(last->user) + ", or continue without it: --without local");
  }
  return {};
}

Status can_undo_local(const plan::Plan& plan, const std::vector<events::Event>& record,
                      const Here& here) {
  const auto last = last_controller(record);
  if (!plan::find_local(plan) || !last || last->machine == here.machine) return {};
  return fail("the run has steps on `local`, which was " + shown(last->name) + " (machine " +
                  shown(last->machine) + "), and this is another machine",
              "take it back on " + shown(last->name) +
                  "; if that machine is gone, do it without: --without local");
}

}  // namespace cnplay::run

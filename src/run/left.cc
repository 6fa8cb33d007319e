#include "run/left.h"

#include <algorithm>
#include <map>
#include <utility>
#include <variant>

#include "events/about.h"

namespace cnplay::run {
namespace {

class Reader {
 public:
  explicit Reader(const plan::Plan& plan) : plan_(plan) { left_.users.resize(plan.hosts.size()); }

  void operator()(const events::RunStarted& e) { dry_ = e.mode == events::Mode::check; }
  void operator()(const events::ActionStarted& e) { started(e, e.part, false); }
  void operator()(const events::SentAhead& e) { started(e, events::Part::forward, true); }
  void operator()(const events::ActionEnded& e) { open_.erase(e.task); }
  void operator()(const events::RanAhead& e) { open_.erase(e.task); }
  // Whatever had been sent ahead by then has ended, or was withdrawn.
  void operator()(const events::RunEnded&) { open_.clear(); }
  template <class E>
  void operator()(const E&) {}

  Left take() {
    for (const auto& [task, open] : open_) left_.open.push_back(open);
    return std::move(left_);
  }

 private:
  template <class E>
  void started(const E& e, events::Part part, bool ahead) {
    left_.last_task = std::max(left_.last_task, e.task);
    const plan::Action& action = events::actions_of(plan_.node(e.node), part).at(e.action);
    // Only what may change something has a claim; only a dry run makes previews.
    if (!dry_ && action.apply == plan::kNone) return;
    left_.users.at(e.host).insert(action.become);
    if (!dry_) open_.insert_or_assign(e.task, Left::Open{e.node, e.host, e.task, ahead});
  }

  const plan::Plan& plan_;
  Left left_;
  std::map<std::uint64_t, Left::Open> open_;
  bool dry_ = false;
};

}  // namespace

Left left_by(const plan::Plan& plan, const std::vector<events::Event>& record) {
  Reader reader(plan);
  for (const events::Event& event : record) std::visit(reader, event.what);
  return reader.take();
}

}  // namespace cnplay::run

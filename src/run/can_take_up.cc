// Whether a run may go forward again on a plan that may be another one: what has begun must stand
// in it unchanged, where it stood, and nothing new before it; and what answered the failure must
// not have taken back what the rest builds upon.
#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "events/last.h"
#include "plan/succession.h"
#include "run/replay.h"
#include "run/runner.h"
#include "run/take_up.h"

namespace cnplay::run {

using namespace events;  // all that this is about
using plan::HostIndex;
using plan::kNone;
using plan::NodeId;
using plan::NodeKind;

namespace {

// Nothing goes out, nothing comes.
class NoHosts final : public remote::Hosts {
 public:
  void connect_within(remote::HostIndex, Duration) override {}
  void start(remote::Task) override {}
  void adopt(remote::TaskId) override {}
  void withdraw(remote::TaskId) override {}
  void cancel(remote::TaskId) override {}
  void lock(remote::HostIndex, std::string, std::string) override {}
  std::optional<remote::Event> next(Duration) override { return std::nullopt; }
  void wake() override {}
  bool close(Duration, remote::Traces) override { return true; }
};

class NoSink final : public Sink {
 public:
  void on(const Event&) override {}
};

FailureAnswer answer_in(const plan::Plan& recorded, const std::vector<const Event*>& story) {
  FailureAnswer answer;
  for (const Event* event : story) {
    if (const auto* e = std::get_if<UndoStarted>(&event->what)) {
      for (const NodeId node : e->nodes) {
        answer.undone = answer.undone ? std::min(*answer.undone, node) : node;
      }
    }
    const auto* e = std::get_if<ActionEnded>(&event->what);
    if (e != nullptr && e->applied && (e->part == Part::on_failure || e->part == Part::always)) {
      answer.acted = "`" + recorded.node(e->node).path + "` on " + recorded.hosts[e->host].name;
    }
  }
  return answer;
}

class Judge {
 public:
  Judge(const plan::Plan& recorded, const plan::Plan& before, const std::vector<Event>& record,
        const plan::Plan& after, std::optional<NodeId> from, bool accepted)
      : recorded_(recorded),
        before_(before),
        record_(record),
        after_(after),
        from_(from),
        accepted_(accepted),
        replay_(recorded, &record),
        between_(before, after) {}

  Result<std::vector<std::string>> judge() {
    if (!replay_.problem().empty()) {
      return fail(replay_.problem(), "finish it by hand, or start a new run");
    }
    kept_ = keep(recorded_, replay_.story());
    for (const auto look : {&Judge::answered, &Judge::in_doubt}) {
      if (auto status = (this->*look)(); !status) return status.error();
    }
    const bool changed = plan::hash(before_) != plan::hash(after_);
    for (const auto look :
         {&Judge::hosts, &Judge::unchanged, &Judge::begun_anew, &Judge::nothing_before}) {
      if (!changed) break;
      if (auto status = (this->*look)(); !status) return status.error();
    }
    for (const HostIndex h : kept_.out) {
      notes_.push_back(recorded_.hosts[h].name +
                       " had dropped out, and others have continued without it: it stays out");
    }
    return std::move(notes_);
  }

 private:
  std::string title(NodeId node) const { return "`" + recorded_.node(node).path + "`"; }
  std::string on(HostIndex host) const { return " on " + recorded_.hosts[host].name; }
  // Whether all of this node is done again, because a person says so. By the old plan's nodes:
  // where the order is another one, the record does not fit, which is found when it is followed.
  bool again(NodeId node) const {
    if (!from_ || node >= before_.nodes.size()) return false;
    while (node < before_.nodes.size() && between_.node(node) == kNone) ++node;
    return node < before_.nodes.size() && between_.node(node) >= *from_;
  }
  bool is_main(NodeId node) const {
    const auto& nodes = before_.sections.front().nodes;
    return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
  }

  // What answered the failure has ended, and has taken nothing back behind which the run goes on.
  Status answered() {
    bool stopped = false;
    for (const Event* event : replay_.story()) {
      stopped = stopped || stops(*event);
      if (const auto* e = std::get_if<RollbackStarted>(&event->what)) {
        return fail("the run was rolled back: `" + e->name + "`",
                    "start a new one with the fixed play");
      }
      if (const auto* e = std::get_if<DeadlinePassed>(&event->what)) {
        return fail("its deadline has passed: " + format_time(e->until), "start a new run");
      }
      const auto* said = std::get_if<WindowAnswered>(&event->what);
      if (said != nullptr && said->choice == AtWindow::roll_back) {
        return fail("its window was over, and " + said->user + " had it undone",
                    "start a new run with the fixed play");
      }
    }
    const auto& [undone, acted] = answer_in(recorded_, replay_.story());
    const bool ended = end_of(record_) != nullptr;
    if (stopped && !ended) {
      return fail("the run was interrupted while it handled a failure",
                  "resume it with the recorded plan first; then the changed play can be used");
    }
    if (undone && !again(*undone)) {
      return fail(title(*undone) + " was undone when the run failed",
                  "repeat everything from there on: --from " + recorded_.node(*undone).path);
    }
    if (!acted.empty() && !from_ && !accepted_) {
      return fail(
          "when the run failed, " + acted +
              " has changed something: only a person can know whether later steps can "
              "build on that",
          "name the step from which to repeat everything: --from STEP; or start a new run with "
          "--start-at STEP");
    }
    return {};
  }

  Status hosts() {
    for (HostIndex h = 0; h < before_.hosts.size(); ++h) {
      const std::string& name = before_.hosts[h].name;
      if (between_.host(h) == kNone) {
        return fail("the host " + name + " is gone from the play, and the run has begun with it",
                    "leave it there, and continue with --without " + name);
      }
      const plan::Connection& was = before_.hosts[h].connection;
      const plan::Connection& is = after_.hosts[between_.host(h)].connection;
      if (was.address == is.address && was.port == is.port && was.user == is.user) continue;
      if (!worked_on(h)) continue;
      return fail("the host " + name +
                      " has another address, port or user now, and something was " +
                      "done there already",
                  "it may be another host: start a new run with --start-at STEP");
    }
    return {};
  }
  bool worked_on(HostIndex host) const {
    return std::any_of(record_.begin(), record_.end(), [&](const Event& event) {
      const auto* began = std::get_if<ActionStarted>(&event.what);
      const auto* sent = std::get_if<SentAhead>(&event.what);
      return (began != nullptr && began->host == host) || (sent != nullptr && sent->host == host);
    });
  }

  // What was lost in the middle: only a check can tell what came of it.
  Status in_doubt() {
    std::map<std::tuple<NodeId, HostIndex, std::uint32_t>, Outcome> last;
    std::set<HostIndex> lost;
    for (const Event* event : replay_.story()) {
      if (const auto* e = std::get_if<ActionEnded>(&event->what); e && e->part == Part::forward) {
        last[{e->node, e->host, e->action}] = e->outcome;
      } else if (const auto* r = std::get_if<RanAhead>(&event->what)) {
        last[{r->node, r->host, r->action}] = r->outcome;
      } else if (const auto* h = std::get_if<HostLost>(&event->what)) {
        lost.insert(h->host);
      }
    }
    for (const auto& [place, outcome] : last) {
      const auto& [node, host, action] = place;
      if (outcome != Outcome::unknown || kept_.out.contains(host)) continue;
      const std::string what = "what became of " + title(node) + on(host) + " is not known";
      if (lost.contains(host)) {
        return fail(what + ": the connection was lost, and it may still be running",
                    "look there; then start a new run with --start-at STEP");
      }
      // Of an action that has changed since, the record has no script any more.
      const plan::Node& is = recorded_.node(node);
      if (node >= before_.nodes.size() || is.actions.at(action).check == kNone) {
        return fail(what + ", and it has no check that could tell",
                    "look there; then start a new run with --start-at STEP");
      }
    }
    return {};
  }

  // What was done, and is not done again, is what it was.
  Status unchanged() {
    for (const Event* event : kept_.story) {
      const auto status = std::visit(
          [&]<class E>(const E& e) -> Status {
            if constexpr (std::is_same_v<E, PhaseStarted> || std::is_same_v<E, PhaseEnded>) {
              if (e.phase >= before_.phases.size() || between_.phase(e.phase) != kNone) return {};
              return gone("the phase `" + before_.phases[e.phase].path + "`");
            } else if constexpr (requires { e.node, e.part, e.host; }) {
              return unchanged(e.node, e.host);
            } else if constexpr (std::is_same_v<E, BarrierPassed> ||
                                 std::is_same_v<E, WaitStarted> || std::is_same_v<E, Pivoted> ||
                                 std::is_same_v<E, AssertionChecked> ||
                                 std::is_same_v<E, HumanStarted> || std::is_same_v<E, HumanEnded>) {
              return unchanged(e.node, std::nullopt);
            }
            return {};
          },
          event->what);
      if (!status) return status;
    }
    if (end_of(record_) != nullptr) return {};
    for (const SentAhead& sent : replay_.on_their_way()) {
      if (between_.same(sent.node, sent.host)) continue;
      return fail(
          "the changed step " + title(sent.node) + " was sent ahead" + on(sent.host) +
              " as it was, and may have begun",
          "resume the run with the recorded plan, or end it; then the changed play can be used");
    }
    return {};
  }
  Status gone(const std::string& what) const {
    return fail(what + " has begun, and is gone from the play, or is at another place",
                "restore it; or start a new run with --start-at STEP");
  }
  Status unchanged(NodeId node, std::optional<HostIndex> host) const {
    if (again(node) || node >= before_.nodes.size()) return {};
    if (between_.node(node) == kNone) return gone("the step " + title(node));
    if (between_.same(node, host.value_or(0))) return {};
    return fail("the step " + title(node) + (host ? on(*host) : "") +
                    " has begun or is done already, as written at " + before_.node(node).where +
                    " of the former play; it is different now",
                "restore it, and put the change into a later step; or repeat it: --from " +
                    before_.node(node).path + "; or start a new run with --start-at STEP");
  }

  // What failed may be otherwise; but its way back is needed still, and nothing is done twice.
  Status begun_anew() {
    for (const OnHost& unit : kept_.again) {
      const auto& [node, host] = unit;
      if (node >= before_.nodes.size()) continue;
      const plan::Node& was = before_.node(node);
      const auto is_of = [&unit](const ActionEnded& e) { return OnHost{e.node, e.host} == unit; };
      const bool applied = std::any_of(kept_.applied.begin(), kept_.applied.end(), is_of) ||
                           std::any_of(kept_.done.begin(), kept_.done.end(),
                                       [&](const ActionEnded& e) { return is_of(e) && e.applied; });
      if (!applied || kept_.undone.contains(unit)) continue;
      if (!was.undo.empty() && !between_.same_undo(node, host)) {
        return fail("the step " + title(node) + " has changed something" + on(host) +
                        " before it failed, and its `undo` has changed or is gone",
                    "leave its `undo` as it was: it reverts that");
      }
      for (const ActionEnded& e : kept_.done) {
        if (!is_of(e) || !e.applied || e.action < between_.common(node, host)) continue;
        if (was.actions[e.action].check != kNone || !stands_still(node, host, e.action)) continue;
        return fail("in the step " + title(node) + ", `" + was.actions[e.action].module + "` (" +
                        was.actions[e.action].where + ") was done" + on(host) +
                        " and has no check; repeating it could do it twice",
                    "restore the actions before it");
      }
    }
    return {};
  }
  // Whether the step of now has the very same action somewhere.
  bool stands_still(NodeId node, HostIndex host, std::uint32_t action) const {
    const NodeId there = between_.node(node);
    if (there == kNone) return false;
    const auto place = [](const plan::Node& n, HostIndex h) {
      return static_cast<std::size_t>(std::lower_bound(n.hosts.begin(), n.hosts.end(), h) -
                                      n.hosts.begin());
    };
    const plan::Node& was = before_.node(node);
    const plan::Node& is = after_.node(there);
    const HostIndex now = between_.host(host);
    if (!std::binary_search(is.hosts.begin(), is.hosts.end(), now)) return false;
    const std::string hash = plan::whole_hash(before_, was.actions[action], place(was, host));
    return std::any_of(is.actions.begin(), is.actions.end(), [&](const plan::Action& a) {
      return plan::whole_hash(after_, a, place(is, now)) == hash;
    });
  }

  // A step that had not begun may not stand before one that is done.
  Status nothing_before() {
    std::set<std::pair<NodeId, HostIndex>> begun;
    std::map<NodeId, NodeId> reached;  // a node of `after`, by what it stands before
    std::vector<NodeId> work;
    const auto met = [&](NodeId node) {
      if (node >= before_.nodes.size() || again(node) || !is_main(node)) return;
      const NodeId there = between_.node(node);
      if (there != kNone && reached.try_emplace(there, there).second) work.push_back(there);
    };
    for (const Event* event : kept_.story) {
      std::visit(
          [&]<class E>(const E& e) {
            if constexpr (requires { e.node, e.part, e.host; }) {
              if (e.part != Part::forward || e.node >= before_.nodes.size()) return;
              begun.insert({between_.node(e.node), between_.host(e.host)});
            } else if constexpr (std::is_same_v<E, BarrierPassed> ||
                                 std::is_same_v<E, WaitStarted> || std::is_same_v<E, Pivoted> ||
                                 std::is_same_v<E, AssertionChecked> ||
                                 std::is_same_v<E, HumanStarted> || std::is_same_v<E, HumanEnded>) {
              begun.insert({between_.node(e.node), kNone});
              met(e.node);  // what all hosts have passed
            }
          },
          event->what);
    }
    // By host: what stands before something that was done there.
    for (const auto& [node, host] : begun) {
      if (host == kNone) continue;
      if (auto status = before_on_host(node, host, begun); !status) return status;
    }
    while (!work.empty()) {
      const NodeId node = work.back();
      work.pop_back();
      for (const plan::Edge& edge : after_.node(node).after) {
        if (auto status = fresh(edge.from, node, begun); !status) return status;
        if (reached.try_emplace(edge.from, node).second) work.push_back(edge.from);
      }
    }
    return {};
  }
  using Begun = std::set<std::pair<NodeId, HostIndex>>;
  Status before_on_host(NodeId node, HostIndex host, const Begun& begun) const {
    for (const plan::Edge& edge : after_.node(node).after) {
      const plan::Node& first = after_.node(edge.from);
      if (edge.kind == plan::EdgeKind::all_hosts || first.kind != NodeKind::step) {
        if (auto status = fresh(edge.from, node, begun); !status) return status;
      } else if (std::binary_search(first.hosts.begin(), first.hosts.end(), host) &&
                 !begun.contains({edge.from, host})) {
        return comes_late(edge.from, node);
      }
    }
    return {};
  }
  Status fresh(NodeId id, NodeId behind, const Begun& begun) const {
    const plan::Node& node = after_.node(id);
    if (node.kind == NodeKind::phase_end || node.kind == NodeKind::flush || !node.left_out.empty())
      return {};
    if (node.kind != NodeKind::step) {
      return begun.contains({id, kNone}) ? Status{} : comes_late(id, behind);
    }
    for (const HostIndex h : node.hosts) {
      if (!absent(h) && !begun.contains({id, h})) return comes_late(id, behind);
    }
    return {};
  }
  // A host of `after` that nobody waits for.
  bool absent(HostIndex host) const {
    for (HostIndex h = 0; h < before_.hosts.size(); ++h) {
      if (between_.host(h) != host) continue;
      const HostState& state = replay_.hosts()[h];
      return kept_.out.contains(h) || !state.connected || state.failed;
    }
    return false;
  }
  Status comes_late(NodeId node, NodeId behind) const {
    const std::string at =
        after_.node(node).where.empty() ? "" : " (" + after_.node(node).where + ")";
    return fail("`" + after_.node(node).path + "`" + at + " has not begun, and is before `" +
                    after_.node(behind).path + "`, which is done: it would come too late",
                "put it after what is done; or repeat what follows it: --from STEP; or "
                "start a new run with --start-at " +
                    after_.node(node).path);
  }

  const plan::Plan& recorded_;
  const plan::Plan& before_;
  const std::vector<Event>& record_;
  const plan::Plan& after_;
  const std::optional<NodeId> from_;
  const bool accepted_;
  const Replay replay_;
  const plan::Succession between_;
  Kept kept_;
  std::vector<std::string> notes_;
};

}  // namespace

FailureAnswer failure_answer(const plan::Plan& recorded, const std::vector<Event>& record) {
  return answer_in(recorded, Replay(recorded, &record).story());
}

Result<std::vector<std::string>> can_take_up(const plan::Plan& recorded, const plan::Plan& before,
                                             const std::vector<Event>& record,
                                             const plan::Plan& after, std::optional<NodeId> from,
                                             bool accepted) {
  return Judge(recorded, before, record, after, from, accepted).judge();
}

std::vector<BegunBatch> begun_batches(const plan::Plan& recorded, const plan::Plan& before,
                                      const std::vector<Event>& record) {
  std::set<std::string> begun;  // paths
  for (const Event& event : record) {
    std::visit(
        [&]<class E>(const E& e) {
          if constexpr (requires { e.node, e.part, e.host; } || std::is_same_v<E, BarrierPassed> ||
                        std::is_same_v<E, HumanStarted> || std::is_same_v<E, HumanEnded>) {
            begun.insert(recorded.node(e.node).path);
          }
        },
        event.what);
  }
  std::vector<BegunBatch> out;
  for (const plan::Node& end : before.nodes) {
    if (end.kind != NodeKind::batch_end) continue;
    const std::string inside = end.path.substr(0, end.path.rfind('/') + 1);
    const auto first = begun.lower_bound(inside);
    if (first == begun.end() || !first->starts_with(inside)) continue;
    out.push_back({before.phases[end.phase].path, {}});
    for (const HostIndex h : end.made_from) out.back().hosts.push_back(before.hosts[h].name);
  }
  return out;
}

Status can_follow(const plan::Plan& plan, const Options& options) {
  NoHosts hosts;
  NoSink sink;
  SystemClock clock;
  std::atomic<int> aborts{0};
  return Runner(plan, hosts, sink, clock, options, aborts).follow();
}

}  // namespace cnplay::run

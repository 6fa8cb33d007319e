#include "support/run/fixture.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <tuple>

#include "run/take_up.h"

namespace cnplay::run::test {

using events::Part;

namespace {

// What a run leaves on record can be replayed from any line on, whatever the clocks said. A sample:
// the whole record, and one cut of it; with CNPLAY_ALL_CUTS, a cut after each event.
void expect_replays(const Fixture& f) {
  std::vector<events::Event> record = f.recorder.events;
  if (f.recorder.sick_after) record.resize(std::min(record.size(), *f.recorder.sick_after));
  if (f.options.mode == events::Mode::check || record.empty()) return;
  std::mt19937_64 random(record.size());
  for (events::Event& event : record) event.at = FakeClock::start + Duration(random() % 60'000);
  const bool all = std::getenv("CNPLAY_ALL_CUTS") != nullptr;
  const std::size_t chosen = 1 + random() % record.size();
  const std::size_t whole = record.size();
  for (std::size_t cut = whole; cut > 0; --cut) {
    if (!all && cut != whole && cut != chosen) continue;
    record.resize(cut);
    Options options;
    options.run_id = f.options.run_id;
    options.now = f.options.now;
    options.user = f.options.user;
    options.controller = f.options.controller;
    options.forks = f.options.forks;
    options.stepwise = f.options.stepwise;
    options.way_back = f.options.way_back;
    options.record = &record;
    const Status status = can_follow(f.b.plan, options);
    EXPECT_TRUE(status) << "cut after event " << cut << " of " << whole << ": "
                        << status.error().what;
  }
}

}  // namespace

RunResult Fixture::run() {
  EXPECT_EQ(plan::check_invariants(b.plan), "");
  RunResult result = run::run(b.plan, hosts, recorder, clock, options, aborts);
  check_run(*this);
  if (!result.not_resumed) expect_replays(*this);
  return result;
}

void Fixture::take_over(const Fixture& first, const std::vector<events::Event>& record) {
  b.plan = first.b.plan;
  options = first.options;
  options.record = &record;
  recorder.events = record;
  EXPECT_TRUE(recorder.commit());
}

RunResult Fixture::go_on() { return run::run(b.plan, hosts, recorder, clock, options, aborts); }

RunResult Fixture::preflight() {
  RunResult result = run::preflight(b.plan, hosts, recorder, clock, options, aborts);
  check_run(*this);
  return result;
}

std::vector<std::string> Fixture::steps() const {
  std::vector<std::string> lines;
  for (const auto& e : recorder.all<events::StepEnded>()) {
    std::string step = b.plan.node(e.node).title;
    if (e.part == Part::undo) step = "!" + step;
    if (e.part == Part::handler) step = "(" + step + ")";
    lines.push_back(step + " " + b.plan.hosts[e.host].name + " " + events::name(e.outcome));
  }
  return lines;
}

std::vector<std::string> Fixture::outcomes(const std::string& step) const {
  std::vector<std::string> lines;
  for (const std::string& line : steps()) {
    if (line.starts_with(step + " ")) lines.push_back(line.substr(step.size() + 1));
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::string Fixture::notices() const {
  std::string text;
  for (const auto& n : recorder.all<events::Notice>()) text += n.text + "\n";
  return text;
}

// Its forward steps are on the record of the other run.
static bool undoes_another(const Fixture& f) {
  return f.options.way_back != nullptr && f.options.way_back->undo();
}

void check_run(const Fixture& f) {
  const plan::Plan& plan = f.b.plan;
  const auto& events = f.recorder.events;
  ASSERT_FALSE(events.empty());
  // Numbered without gaps; RunStarted first, RunEnded last, each once; or it waits for people.
  const bool parked = std::holds_alternative<events::RunParked>(events.back().what);
  const bool left = !f.recorder.all<events::RunParked>().empty();
  for (std::size_t i = 0; i < events.size(); ++i) EXPECT_EQ(events[i].seq, i + 1);
  EXPECT_TRUE(std::holds_alternative<events::RunStarted>(events.front().what));
  EXPECT_EQ(std::holds_alternative<events::RunEnded>(events.back().what), !parked);
  EXPECT_EQ(f.recorder.all<events::RunEnded>().size(), parked ? 0u : 1u);
  EXPECT_EQ(f.recorder.all<events::RunStarted>().size(), 1u);

  using Key = std::tuple<plan::NodeId, plan::HostIndex, Part>;
  std::set<std::tuple<plan::NodeId, plan::HostIndex, Part, std::uint32_t>> attempts;
  std::map<Key, int> open;
  std::set<Key> ended;
  std::set<std::uint64_t> tasks_open, tasks_seen;
  std::set<plan::NodeId> gates;  // points passed
  std::map<std::pair<plan::NodeId, plan::HostIndex>, events::Outcome> done;
  std::set<std::pair<plan::NodeId, plan::HostIndex>> touched;  // an apply ran, or may have
  std::map<plan::HostIndex, bool> dropped;
  bool declared = false, aborted = false, undoing = false;
  std::vector<plan::NodeId> undone, to_undo;
  std::map<plan::NodeId, std::uint64_t> entered;  // the first apply since the last pivot
  std::set<std::uint64_t> sent_ahead;
  std::map<std::string, int> phase_open;

  const auto passed = [&](plan::NodeId node, plan::HostIndex host) {
    return done.contains({node, host}) || dropped[host];
  };
  for (const auto& event : events) {
    if (const auto* e = std::get_if<events::StepStarted>(&event.what)) {
      // A handler runs again when it was notified again after a flush.
      EXPECT_TRUE(attempts.insert({e->node, e->host, e->part, e->attempt}).second ||
                  e->part == Part::handler)
          << plan.node(e->node).title << " started twice";
      const Key key{e->node, e->host, e->part};
      if (e->part == Part::forward) {  // further attempts included
        EXPECT_FALSE(declared) << "forward after the failure: " << plan.node(e->node).title;
        EXPECT_FALSE(aborted) << "forward after an abort";
      }
      if (e->attempt == 1) {
        if (e->part != Part::handler) {
          EXPECT_FALSE(ended.contains(key));
        }
        ++open[key];
        if (e->part == Part::forward) {
          for (const plan::Edge& edge : plan.node(e->node).after) {
            const plan::Node& from = plan.node(edge.from);
            if (from.hosts.empty()) continue;
            for (const plan::HostIndex h : from.hosts) {
              if (edge.kind == plan::EdgeKind::same_host && h != e->host) continue;
              EXPECT_TRUE(passed(from.id, h))
                  << plan.node(e->node).title << " before " << from.title << " on h" << h;
            }
          }
        }
        if (e->part == Part::undo) {
          EXPECT_TRUE(undoing);
          const auto forward = done.find({e->node, e->host});
          // A later attempt may have found done what an earlier one had left unknown.
          const bool applied = touched.contains({e->node, e->host});
          EXPECT_TRUE(undoes_another(f) || applied ||
                      (forward != done.end() && forward->second != events::Outcome::ok &&
                       forward->second != events::Outcome::skipped))
              << "nothing was changed that could be undone: " << plan.node(e->node).title;
          EXPECT_FALSE(aborted);
          if (undone.empty() || undone.back() != e->node) undone.push_back(e->node);
        }
        if (e->part == Part::handler) {
          EXPECT_FALSE(undoing) << "a handler after an undo";
        }
      }
      EXPECT_EQ(open[key], 1);
    } else if (const auto* s = std::get_if<events::StepEnded>(&event.what)) {
      const Key key{s->node, s->host, s->part};
      EXPECT_EQ(--open[key], 0);
      ended.insert(key);
      if (s->part == Part::forward) done[{s->node, s->host}] = s->outcome;
      switch (s->outcome) {
        case events::Outcome::failed:
        case events::Outcome::unknown:
        case events::Outcome::unreachable:
        case events::Outcome::aborted:
          dropped[s->host] = true;
          break;
        default:
          break;
      }
    } else if (const auto* a = std::get_if<events::ActionStarted>(&event.what)) {
      EXPECT_TRUE(tasks_seen.insert(a->task).second);
      tasks_open.insert(a->task);
      const plan::Node& node = plan.node(a->node);
      if (a->part == Part::forward && node.actions[a->action].apply != plan::kNone) {
        entered.try_emplace(a->node, event.seq);
      }
    } else if (const auto* x = std::get_if<events::ActionEnded>(&event.what)) {
      if (x->applied && x->part == Part::forward) touched.insert({x->node, x->host});
      if (x->task != 0) {
        EXPECT_EQ(tasks_open.erase(x->task), 1u);
      }
    } else if (const auto* ahead = std::get_if<events::SentAhead>(&event.what)) {
      EXPECT_TRUE(sent_ahead.insert(ahead->task).second);
      EXPECT_NE(f.options.mode, events::Mode::check);
    } else if (const auto* ran = std::get_if<events::RanAhead>(&event.what)) {
      EXPECT_TRUE(sent_ahead.contains(ran->task));
      EXPECT_TRUE(tasks_seen.insert(ran->task).second) << "the run had come to it";
      EXPECT_TRUE(declared || aborted || dropped[ran->host] || f.recorder.sick_after || left)
          << "the run had not stopped";
      if (ran->applied) {
        touched.insert({ran->node, ran->host});
        entered.try_emplace(ran->node, event.seq);
      }
    } else if (std::holds_alternative<events::Pivoted>(event.what)) {
      entered.clear();
    } else if (std::holds_alternative<events::FailureDeclared>(event.what)) {
      EXPECT_FALSE(declared) << "declared twice";
      declared = true;
    } else if (std::holds_alternative<events::AbortRequested>(event.what)) {
      aborted = true;
    } else if (std::holds_alternative<events::RunResumed>(event.what)) {
      // Cut off before its first step it begins anew.
      if (open.empty()) aborted = false, dropped.clear();
    } else if (std::holds_alternative<events::HostLost>(event.what)) {
      dropped[std::get<events::HostLost>(event.what).host] = true;
    } else if (const auto* p = std::get_if<events::PreflightProblem>(&event.what)) {
      if (p->host) dropped[*p->host] = true;
    } else if (const auto* u = std::get_if<events::UndoStarted>(&event.what)) {
      undoing = true;
      to_undo = u->nodes;
    } else if (std::holds_alternative<events::UndoEnded>(event.what)) {
      undoing = false;
    } else if (const auto* ps = std::get_if<events::PhaseStarted>(&event.what)) {
      EXPECT_EQ(++phase_open[plan.phases[ps->phase].path], 1);
    } else if (const auto* pe = std::get_if<events::PhaseEnded>(&event.what)) {
      EXPECT_EQ(--phase_open[plan.phases[pe->phase].path], 0);
    }
  }
  for (const auto& [key, count] : open) EXPECT_EQ(count, 0) << "a step never ended";
  for (const auto& [path, count] : phase_open) {
    if (!parked) {
      EXPECT_EQ(count, 0) << path << " never ended";
    }
  }
  EXPECT_TRUE(tasks_open.empty()) << "an action never ended";
  // A part of the announced order, if hosts were lost or a person broke it off.
  std::size_t at = 0;
  for (const plan::NodeId node : undone) {
    while (at < to_undo.size() && to_undo[at] != node) ++at;
    EXPECT_LT(at, to_undo.size()) << "undone out of order, or twice: " << plan.node(node).title;
  }

  // On the hosts: no apply in a dry run; steps of a host in order; resources never shared.
  for (const Started& s : f.hosts.started()) {
    if (f.options.mode == events::Mode::check) {
      EXPECT_NE(s.task.mode, remote::Mode::apply);
    }
  }
  // What is undone was registered: its forward apply was started on that host.
  std::set<std::pair<std::string, plan::HostIndex>> applied;
  for (const Started& s : f.hosts.started()) {
    if (s.task.mode != remote::Mode::apply) continue;
    if (s.step.starts_with("!")) {
      EXPECT_TRUE(undoes_another(f) || applied.contains({s.step.substr(1), s.task.host}))
          << s.step << " was never applied on h" << s.task.host;
    }
    applied.insert({s.step, s.task.host});
    // With a full disk it stays with its host until the run is resumed.
    EXPECT_TRUE(tasks_seen.contains(s.task.id) ||
                (f.recorder.sick_after && sent_ahead.contains(s.task.id)))
        << s.key << " was begun, and is not on record";
  }
  for (std::size_t i = 1; i < to_undo.size(); ++i) {
    EXPECT_LT(entered.at(to_undo[i]), entered.at(to_undo[i - 1])) << "not in reverse order";
  }
}

}  // namespace cnplay::run::test

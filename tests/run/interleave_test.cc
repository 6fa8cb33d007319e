// Thousands of runs: a seed makes the plan, what fails where, which hosts are lost and when, when a
// person gives up. check_run() says what must hold of each. And: growth is linear.
#include <map>
#include <random>
#include <set>
#include <tuple>

#include "run/decide.h"
#include "run/runner.h"
#include "run/take_up.h"
#include "support/run/fixture.h"
#include "support/run/random_plan.h"

namespace cnplay::run::test {
namespace {

class Tour {
 public:
  explicit Tour(std::uint64_t seed)
      : random_(seed), f_(1 + random_() % 5, seed), plan_(f_.b, random_), somebody_(seed) {
    f_.options.prompter = &somebody_;
    f_.options.groups = {"ops"};
  }

  void run() {
    plan_.make();
    const std::uint32_t badness = one_in(4);  // 0: nothing goes wrong
    f_.hosts.otherwise = [this, badness](const Started& s) {
      constexpr Will kBad[] = {Will::fail, Will::apply_fail, Will::unconverged,
                               Will::lose, Will::lose_shell, Will::skip};
      Behaviour b;
      b.will = chance(3) ? Will::ok : Will::change;
      if (badness > 0 && chance(40 / badness)) b.will = kBad[one_in(6)];
      // Without a timeout it would be waited for until somebody presses Ctrl-C, and rightly so.
      if (badness == 3 && chance(60) && s.task.timeout) b.will = Will::hang;
      return b;
    };
    if (chance(4)) {
      const auto host = static_cast<plan::HostIndex>(random_() % f_.b.plan.hosts.size());
      f_.hosts.lose_at(host, Duration(random_() % 6000));
    }
    if (chance(4)) f_.options.forks = 1 + one_in(3);
    if (chance(6)) f_.options.mode = events::Mode::check;
    if (chance(20)) f_.recorder.sick_after = random_() % 60;
    // A hung task ends at the latest when somebody has pressed Ctrl-C three times.
    const std::uint64_t patience = chance(5) ? random_() % 40 : 2000;
    f_.hosts.before_event = [this, patience, n = std::uint64_t{0}]() mutable {
      if (++n > patience) f_.aborts = n > patience + 10 ? 2 : 1;
    };
    verdict = f_.run().verdict;
    ahead = f_.hosts.begun_ahead();
    stopped_short = f_.recorder.all<events::RanAhead>().size();
    undid = !f_.recorder.all<events::UndoStarted>().empty();
    EXPECT_LT(f_.clock.steady(), Duration(3'600'000)) << "it hung";
  }

  // Cuts the run off after some event, as by a kill -9, and lets another controller take it up; and
  // cuts that one off, for a third. True if it had begun by then.
  bool resume() { return resume(f_, 1); }

  // The run has failed, and goes forward once more, if it may. True if it did.
  bool take_up() {
    std::vector<events::Event> record = f_.recorder.events;
    const auto* end = std::get_if<events::RunEnded>(&record.back().what);
    if (end == nullptr || verdict == events::Verdict::success || f_.recorder.sick_after ||
        f_.options.mode == events::Mode::check) {
      return false;
    }
    if (!can_take_up(f_.b.plan, f_.b.plan, record, f_.b.plan, std::nullopt)) return false;
    using Place = std::tuple<plan::NodeId, plan::HostIndex, std::uint32_t>;
    std::set<Place> done;
    for (const auto& event : record) {
      const auto* e = std::get_if<events::ActionEnded>(&event.what);
      const auto* r = std::get_if<events::RanAhead>(&event.what);
      if (e != nullptr && e->part == events::Part::forward && !is_failure(e->outcome)) {
        done.insert({e->node, e->host, e->action});
      } else if (r != nullptr && !is_failure(r->outcome)) {
        done.insert({r->node, r->host, r->action});
      }
    }
    const std::uint64_t seq = record.back().seq;
    // Its hosts have forgotten the run: an id that was used would be started once more.
    std::map<std::uint64_t, std::string> used;
    for (const Started& s : f_.hosts.started()) {
      if (!s.task.apply.empty()) used[s.task.id] = s.key;
    }
    record.push_back(
        {seq + 1, record.back().at, events::PlanTaken{"ann", "desk", "a", "a", "plan-2.json", {}}});
    Fixture g(f_.b.plan.hosts.size(), random_());
    g.b.plan = f_.b.plan;
    g.options = f_.options;
    g.options.record = &record;
    // What is left may come in another order than it was begun in: then it is refused, before
    // anything is written or sent.
    if (!can_follow(g.b.plan, g.options)) {
      misfit = true;
      return false;
    }
    g.clock.advance(record.back().at - FakeClock::start);
    g.recorder.events = record;
    EXPECT_TRUE(g.recorder.commit());
    const RunResult result = run::run(g.b.plan, g.hosts, g.recorder, g.clock, g.options, g.aborts);
    if (result.verdict != events::Verdict::aborted) {
      EXPECT_FALSE(result.not_resumed) << result.not_resumed->what;
    }
    for (const Started& s : g.hosts.started()) {
      EXPECT_FALSE(used.contains(s.task.id))
          << s.key << " was started under the id of " << used[s.task.id];
    }
    for (const auto& event : g.recorder.events) {
      const auto* e = std::get_if<events::ActionStarted>(&event.what);
      if (e == nullptr || event.seq <= seq || e->part != events::Part::forward) continue;
      EXPECT_FALSE(done.contains({e->node, e->host, e->action}))
          << f_.b.plan.node(e->node).path << " was done again on h" << e->host;
    }
    return true;
  }

  events::Verdict verdict{};
  bool misfit = false;
  bool undid = false;
  std::size_t ahead = 0;          // begun by hosts before the run had come to it
  std::size_t stopped_short = 0;  // of these: it never came to it

 private:
  std::uint32_t one_in(std::uint32_t n) { return static_cast<std::uint32_t>(random_() % n); }
  bool chance(std::uint32_t n) { return one_in(n) == 0; }

  bool resume(const Fixture& first, int more) {
    const auto& whole = first.recorder.events;
    // What came after the disk was full is on no record.
    const std::size_t most =
        std::min(whole.size() - 1, first.recorder.sick_after.value_or(1 << 20));
    const std::size_t cut = 1 + random_() % std::max<std::size_t>(1, most);
    const std::vector<events::Event> record(whole.begin(),
                                            whole.begin() + static_cast<std::ptrdiff_t>(cut));
    SCOPED_TRACE("cut after event " + std::to_string(cut) + " of " + std::to_string(whole.size()));
    std::set<std::uint64_t> in_flight, over;
    bool began = false;
    for (const auto& event : record) {
      if (const auto* e = std::get_if<events::ActionStarted>(&event.what))
        in_flight.insert(e->task);
      if (const auto* e = std::get_if<events::SentAhead>(&event.what)) in_flight.insert(e->task);
      if (const auto* e = std::get_if<events::RanAhead>(&event.what)) {
        in_flight.erase(e->task);
        over.insert(e->task);
      }
      if (const auto* e = std::get_if<events::ActionEnded>(&event.what)) {
        in_flight.erase(e->task);
        over.insert(e->task);
      }
      if (const auto* e = std::get_if<events::PreflightEnded>(&event.what)) began = began || e->ok;
    }
    Fixture g(f_.b.plan.hosts.size(), random_());
    g.take_over(f_, record);
    g.clock.advance(record.back().at - FakeClock::start);
    std::vector<Started> before;
    std::map<std::uint64_t, std::string> keys;
    for (const Started& s : first.hosts.started()) {
      if (!in_flight.contains(s.task.id) && !over.contains(s.task.id)) continue;
      before.push_back(s);
      keys[s.task.id] = s.key;
    }
    const std::size_t known = before.size();
    g.hosts.started_before(std::move(before));
    g.hosts.otherwise = f_.hosts.otherwise;
    const RunResult result = g.run();
    EXPECT_FALSE(result.not_resumed) << result.not_resumed->what;
    for (std::size_t i = known; i < g.hosts.started().size(); ++i) {
      const Started& s = g.hosts.started()[i];
      EXPECT_FALSE(over.contains(s.task.id)) << s.key << " was started again after its end";
      if (keys.contains(s.task.id)) {
        EXPECT_EQ(keys[s.task.id], s.key);
      }
      in_flight.erase(s.task.id);
    }
    if (more > 0 && !::testing::Test::HasFailure()) resume(g, more - 1);
    return began;
  }

  std::mt19937_64 random_;
  Fixture f_;
  RandomPlan plan_;
  Somebody somebody_;
};

TEST(Interleavings, EveryRunKeepsTheInvariants) {
  std::map<events::Verdict, int> verdicts;
  int undone = 0;
  std::size_t ahead = 0, stopped_short = 0;
  for (std::uint64_t seed = 1; seed <= 4000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Tour tour(seed);
    tour.run();
    if (::testing::Test::HasFailure()) return;
    ++verdicts[tour.verdict];
    undone += tour.undid;
    ahead += tour.ahead;
    stopped_short += tour.stopped_short;
  }
  // The tours do come by all the places that they are for.
  for (const auto verdict :
       {events::Verdict::success, events::Verdict::failed, events::Verdict::unreachable,
        events::Verdict::unknown, events::Verdict::aborted, events::Verdict::parked}) {
    EXPECT_GT(verdicts[verdict], 50) << events::name(verdict);
  }
  EXPECT_GT(undone, 200);
  EXPECT_GT(ahead, 1000);
  EXPECT_GT(stopped_short, 10);
}

TEST(Interleavings, ARunThatIsCutOffAnywhereIsTakenUp) {
  int taken_up = 0;
  for (std::uint64_t seed = 1; seed <= 9000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Tour tour(seed);
    tour.run();
    taken_up += tour.resume();
    if (::testing::Test::HasFailure()) return;
  }
  EXPECT_GT(taken_up, 2000);
}

TEST(Interleavings, ARunThatHasFailedGoesForwardOnceMore) {
  int taken_up = 0;
  int misfits = 0;
  for (std::uint64_t seed = 1; seed <= 9000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Tour tour(seed);
    tour.run();
    taken_up += tour.take_up();
    misfits += tour.misfit;
    if (::testing::Test::HasFailure()) return;
  }
  EXPECT_GT(taken_up, 100);
  EXPECT_LT(misfits, taken_up / 10);
}

std::uint64_t work_of(std::size_t hosts, std::size_t steps) {
  Fixture f(hosts);
  for (std::size_t i = 0; i < steps; ++i) {
    plan::Node& node = f.b.step("s" + std::to_string(i));
    node.tolerate = 1000;
    if (i % 5 == 4) f.b.barrier("b" + std::to_string(i));
  }
  // One host in a hundred drops out on the way.
  for (plan::HostIndex h = 0; h < hosts; h += 100) f.hosts.on("s7#0", h, {{Will::fail}});
  Runner runner(f.b.plan, f.hosts, f.recorder, f.clock, f.options, f.aborts);
  runner.run(false);
  EXPECT_GT(f.hosts.started().size(), hosts * (steps - 2));
  return runner.work();
}

TEST(Scale, WorkGrowsWithHostsTimesSteps) {
  const std::uint64_t small = work_of(500, 20);
  const std::uint64_t more_hosts = work_of(5000, 20);
  const std::uint64_t more_steps = work_of(500, 80);
  EXPECT_LT(more_hosts, small * 11);
  EXPECT_LT(more_steps, small * 5);
  EXPECT_LT(more_hosts, 5000u * 20u * 6u);
}

}  // namespace
}  // namespace cnplay::run::test

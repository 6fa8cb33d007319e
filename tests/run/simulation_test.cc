// Whole lives of runs: by a seed a plan, hosts that fail, a controller that dies at any call or
// whose disk is full, resumes that are refused for each reason there is, and then one that is not.
// The hosts outlive their controllers, and count how often they start each task.
//
// CNPLAY_SIMULATIONS says how many lives (default: some thousands).
#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "support/run/fixture.h"
#include "support/run/fleet.h"
#include "support/run/random_plan.h"

namespace cnplay::run::test {
namespace {

enum class Rules { present, former };  // former: whoever leaves removes the run's directories

// Why a resume is refused.
enum class Reason {
  host_down,
  host_lost,
  command_missing,
  lock_held,
  secret_missing,
  aborted,
  disk_full,
  killed,
};
constexpr Reason kReasons[] = {Reason::host_down, Reason::host_lost,      Reason::command_missing,
                               Reason::lock_held, Reason::secret_missing, Reason::aborted,
                               Reason::disk_full, Reason::killed};

class Life {
 public:
  Life(std::uint64_t seed, Rules rules)
      : random_(seed), rules_(rules), builder_(1 + random_() % 4), fleet_(hosts()) {
    RandomPlan(builder_, random_).make();
    builder_.plan.locks = {"deploy"};
    builder_.plan.secrets.push_back({"key", plan::SecretSource::Kind::env, {"KEY"}, "p.play:1"});
    for (plan::Node& node : builder_.plan.nodes) {
      if (!node.actions.empty()) node.actions[0].needs = {"git"};
    }
    badness_ = one_in(3);
  }

  void run() {
    Setup first;
    if (chance(6)) {
      first.full_after = 1 + random_() % 60;
    } else {
      first.dies_at = 1 + random_() % 400;
    }
    controller(first);
    if (over()) return;
    was_cut_off = true;
    std::vector<Reason> reasons(std::begin(kReasons), std::end(kReasons));
    std::shuffle(reasons.begin(), reasons.end(), random_);
    for (const Reason reason : reasons) {
      refused_resume(reason);
      if (over()) return;
      if (chance(8)) reboot();
    }
    // Then resumes that are not refused; the first ones may die as well.
    for (int deaths = 0; deaths < 6 && !over(); ++deaths) {
      Setup setup;
      if (deaths < 2 && chance(2)) setup.dies_at = 1 + random_() % 400;
      const auto result = controller(setup);
      if (result && result->not_resumed) {
        ADD_FAILURE() << "not resumed: " << result->not_resumed->what << "\n" << story();
        return;
      }
      came_to_an_end = came_to_an_end || over();
    }
  }

  int most_starts() const { return fleet_.most_starts(); }
  // What is on record as done was done, once; and nothing went forward beside a human step, where
  // all hosts wait: that a run was left there is not recorded before what is in flight has ended.
  void check_record() const {
    bool asked = false;
    for (const events::Event& event : record_) {
      if (std::holds_alternative<events::HumanStarted>(event.what)) asked = true;
      if (std::holds_alternative<events::HumanEnded>(event.what)) asked = false;
      const auto* began = std::get_if<events::StepStarted>(&event.what);
      EXPECT_FALSE(asked && began != nullptr && began->part == events::Part::forward)
          << "a step beside a human step\n"
          << story();
    }
    for (const events::Event& event : record_) {
      const auto* ended = std::get_if<events::ActionEnded>(&event.what);
      if (ended == nullptr || ended->task == 0 || ended->outcome != events::Outcome::changed) {
        continue;
      }
      EXPECT_EQ(fleet_.starts(ended->task), 1) << "task " << ended->task << " is on record as done";
    }
  }

  // The record, for a person who looks for a fault.
  std::string story() const {
    std::string text;
    for (const events::Event& event : record_) text += events::to_json(event, builder_.plan) + "\n";
    return text;
  }

  bool was_cut_off = false;
  bool came_to_an_end = false;
  std::map<Reason, int> refusals;

 private:
  struct Setup {
    std::optional<std::uint64_t> dies_at{};
    std::optional<std::size_t> full_after{};  // events of this controller
    std::optional<Reason> refused{};
  };

  std::uint32_t one_in(std::uint32_t n) { return static_cast<std::uint32_t>(random_() % n); }
  bool chance(std::uint32_t n) { return one_in(n) == 0; }
  std::size_t hosts() const { return builder_.plan.hosts.size(); }
  plan::HostIndex any_host() { return one_in(static_cast<std::uint32_t>(hosts())); }

  // RunEnded is on disk.
  bool over() const { return record_.empty() || ended_; }

  // One controller, from its begin to its end or death. nullopt: it died.
  std::optional<RunResult> controller(const Setup& setup) {
    Fixture f(hosts(), random_());
    f.b.plan = builder_.plan;
    f.clock.advance(now_);
    f.recorder.events = record_;
    EXPECT_TRUE(f.recorder.commit());
    if (!record_.empty()) f.options.record = &record_;
    if (setup.full_after) f.recorder.sick_after = record_.size() + *setup.full_after;
    Somebody somebody(random_());
    f.options.prompter = &somebody;
    f.options.groups = {"ops"};
    f.options.secret = [&](std::uint32_t) -> Result<Secret> {
      if (setup.refused == Reason::secret_missing) return fail("KEY is not set");
      return Secret("hunter2");
    };
    misbehave(f);
    Doom doom(setup.dies_at);
    FleetHosts hosts(fleet_, f.hosts, f.clock, doom, random_());
    DoomedSink sink(f.recorder, doom);
    if (setup.refused) refuse(f, *setup.refused);
    std::optional<RunResult> result;
    try {
      result = run::run(f.b.plan, hosts, sink, f.clock, f.options, f.aborts);
      // As cli/execute.cc does.
      const bool ended = result->ended && sink.commit();
      const bool remove = ended || rules_ == Rules::former;
      hosts.close(Duration(10'000), remove ? remote::Traces::remove : remote::Traces::keep);
    } catch (const Killed&) {
      result.reset();
    }
    now_ = f.clock.steady() + Duration(random_() % 5000);
    hosts.leave();
    keep_record(f);
    return result;
  }

  // What was not synced may be lost, from the end.
  void keep_record(const Fixture& f) {
    auto& events = f.recorder.events;
    std::size_t most = std::min(events.size(), f.recorder.sick_after.value_or(events.size()));
    const std::size_t least = std::min(most, f.recorder.committed);
    most = least + random_() % (most - least + 1);
    record_.assign(events.begin(), events.begin() + static_cast<std::ptrdiff_t>(most));
    ended_ = std::any_of(record_.begin(), record_.end(), [](const events::Event& event) {
      return std::holds_alternative<events::RunEnded>(event.what);
    });
  }

  void misbehave(Fixture& f) {
    f.hosts.otherwise = [this](const Started& s) {
      constexpr Will kBad[] = {Will::fail, Will::apply_fail, Will::unconverged,
                               Will::lose, Will::lose_shell, Will::skip};
      Behaviour b;
      if (s.task.mode == remote::Mode::preflight) {
        b.will = Will::ok;
        return b;
      }
      b.will = chance(4) ? Will::ok : Will::change;
      if (badness_ > 0 && chance(30 / badness_)) b.will = kBad[one_in(6)];
      return b;
    };
  }

  void refuse(Fixture& f, Reason reason) {
    const plan::HostIndex host = any_host();
    switch (reason) {
      case Reason::host_down:
        f.hosts.refuse(host);
        break;
      case Reason::host_lost:
        f.hosts.lose_at(host, f.clock.steady() + Duration(random_() % 300));
        break;
      case Reason::command_missing:
        f.hosts.on("needs", host, {{Will::fail}});
        break;
      case Reason::lock_held:
        f.hosts.hold_lock(host, "run 7 of bob");
        break;
      case Reason::aborted:
        f.aborts = 1;
        break;
      case Reason::secret_missing:
      case Reason::disk_full:
      case Reason::killed:
        break;
    }
  }

  void refused_resume(Reason reason) {
    Setup setup;
    setup.refused = reason;
    if (reason == Reason::killed) setup.dies_at = 1 + random_() % 40;
    if (reason == Reason::disk_full) setup.full_after = random_() % 3;
    const auto result = controller(setup);
    if (result && result->not_resumed) ++refusals[reason];
  }

  void reboot() { fleet_.reboot(any_host(), now_, random_); }

  std::mt19937_64 random_;
  Rules rules_;
  Builder builder_;
  Fleet fleet_;
  std::uint32_t badness_ = 0;
  Duration now_{0};
  std::vector<events::Event> record_;
  bool ended_ = false;
};

std::uint64_t lives() {
  const char* const given = std::getenv("CNPLAY_SIMULATIONS");
  return given == nullptr ? 2000 : std::strtoull(given, nullptr, 10);
}

std::uint64_t first() {
  const char* const given = std::getenv("CNPLAY_SIMULATION_FIRST");
  return given == nullptr ? 1 : std::strtoull(given, nullptr, 10);
}

TEST(Simulation, NoTaskStartsTwiceWhateverHappens) {
  std::uint64_t cut_off = 0, ended = 0;
  std::map<Reason, std::uint64_t> refusals;
  for (std::uint64_t seed = first(); seed < first() + lives(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Life life(seed, Rules::present);
    life.run();
    EXPECT_LE(life.most_starts(), 1);
    life.check_record();
    if (::testing::Test::HasFailure()) return;
    cut_off += life.was_cut_off;
    ended += life.came_to_an_end;
    for (const auto& [reason, count] : life.refusals) refusals[reason] += count;
  }
  // The lives do come by all the places that they are for.
  EXPECT_GT(cut_off, lives() / 4);
  EXPECT_GT(ended, lives() / 8);
  for (const Reason reason : kReasons) {
    if (reason == Reason::killed) continue;
    EXPECT_GT(refusals[reason], lives() / 100) << static_cast<int>(reason);
  }
}

// The simulation finds the faults that it is for.
TEST(Simulation, TheFormerRulesStartTasksTwice) {
  int twice = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Life life(seed, Rules::former);
    life.run();
    twice += life.most_starts() > 1;
  }
  EXPECT_GT(twice, 5);
}

}  // namespace
}  // namespace cnplay::run::test

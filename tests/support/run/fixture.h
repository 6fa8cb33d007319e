// A plan, fake hosts, a recorder: one run of it, and what must hold of every run.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "run/run.h"
#include "support/run/builder.h"
#include "support/run/fake.h"

namespace cnplay::run::test {

class Fixture {
 public:
  explicit Fixture(std::size_t host_count, std::uint64_t seed = 1)
      : b(host_count), hosts(clock, host_count, seed) {
    hosts.on_start = [this](const remote::Task& task) {
      if (task.mode == remote::Mode::apply && !task.apply.empty()) {
        EXPECT_TRUE(recorder.durable.contains(task.id)) << "sent before its intent was durable";
      }
    };
    options.run_id = "20261120-213005-play-4f2a";
    options.now.at = FakeClock::start;
    options.user = "ann";
    options.controller = "desk";
  }

  RunResult run();
  RunResult preflight();
  // Makes it another controller, which takes up `record`, a part of what `first` has told; not
  // owned. Its own options are set, and its clock is advanced, after this.
  void take_over(const Fixture& first, const std::vector<events::Event>& record);
  // As run(), of a run that need not come to an end.
  RunResult go_on();

  // "code h0 changed", of each StepEnded in order; undo as "!code", handlers as "(code)".
  std::vector<std::string> steps() const;
  // Of one step alone.
  std::vector<std::string> outcomes(const std::string& step) const;
  std::string notices() const;
  events::RunEnded ended() const { return recorder.all<events::RunEnded>().back(); }

  Builder b;
  FakeClock clock;
  FakeHosts hosts;
  Recorder recorder;
  Options options;
  std::atomic<int> aborts{0};
};

// What must hold of every run, whatever happened in it. Adds failures to the running test.
void check_run(const Fixture& fixture);

}  // namespace cnplay::run::test

// A run with ways back, for tests of them. Header-only.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "support/run/people.h"

namespace cnplay::run::test {

// a, then b on two hosts; two ways back, of which `back` reads a fact of a.
struct Ways : People {
  Ways() {
    plan::Node& first = b.step("a");
    first.actions[0].returns = {{"before", plan::FactType::string}};
    a = first.id;
    b.undo(first);
    hosts.on("a#0", {{Will::change, {{"before", "v1"}}}});
    phase = b.phase("work", [&] { b.step("b"); });
  }
  void rollback(const std::string& name, const std::function<void()>& inside) {
    const auto section = b.section(plan::SectionKind::rollback, inside);
    b.plan.rollbacks.push_back({name, name, section, "play.play:9"});
  }
  void back() {
    rollback("back", [&] {
      b.step("restore").actions[0].params.push_back(
          Builder::param("to", Builder::fact(a, "before")));
      b.step("check");
    });
  }
  plan::NodeId offer(std::vector<std::string> names) {
    plan::Response response;
    response.kind = plan::ResponseKind::offer;
    plan::NodeId id = 0;
    response.section = b.section(plan::SectionKind::on_failure, [&] {
      plan::Node& node = b.human("offer", names.size() == 1 ? HumanKind::approve : HumanKind::ask);
      id = node.id;
      if (names.size() == 1) return;
      node.human->questions[0].choices = names;
      node.human->questions[0].choices.emplace_back(plan::kNoRollback);
    });
    response.rollbacks = std::move(names);
    b.on_failure(plan::Side::any, plan::kNone, {response});
    return id;
  }
  void fails() { hosts.on("b#0", 1, {{Will::fail}}); }
  void deadline(Duration after, std::uint32_t of) {
    b.plan.deadlines.push_back(
        {of, plan::Value(Time{FakeClock::start + after, "UTC"}), "back", "play.play:3"});
  }
  // As `cnplay rollback` does.
  RunResult take_back(Fixture& next, const std::string& name) {
    source = recorder.events;
    way = {options.run_id, name, &source};
    next.b.plan = b.plan;
    next.options = options;
    next.options.prompter = nullptr;
    next.options.run_id = "20261120-223005-play-5b3b";
    next.options.way_back = &way;
    next.clock.advance(Duration{3'600'000});
    const RunResult result =
        run::run(next.b.plan, next.hosts, next.recorder, next.clock, next.options, next.aborts);
    check_run(next);
    return result;
  }
  std::vector<events::Event> source;
  WayBack way;
  plan::NodeId a = 0;
  std::uint32_t phase = 0;
};

}  // namespace cnplay::run::test

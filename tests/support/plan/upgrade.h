// Cobalt's upgrade as a plan with an outage and tests, for those who say how long a plan takes.
#pragma once

#include <chrono>

#include "plan/prediction.h"
#include "support/plan/builder.h"

namespace cnplay::testing {

using std::chrono::minutes;
using std::chrono::seconds;

// Cobalt's upgrade, in small: a freeze and a dump of the outage, then tests of unknown length.
struct Upgrade {
  Plan plan;
  NodeId freeze{}, dump{}, test{}, thaw{}, tidy{};

  Upgrade() {
    PlanBuilder b;
    b.plan.play = "upgrade";
    b.plan.inventory = "prod";
    b.plan.file = "upgrade.play";
    b.host("app1");
    const auto down = b.phase("upgrade/cutover", "Cutover");
    b.plan.phases[down].outage = true;
    const auto step = [&](const char* path, std::optional<Duration> expect, std::uint32_t phase,
                          std::vector<Edge> after) {
      Node& n = b.step(path, {0}, {b.action("sh")}, std::move(after), phase);
      n.expect = expect;
      return n.id;
    };
    freeze = step("upgrade/cutover/freeze", minutes{5}, down, {});
    dump = step("upgrade/cutover/dump", minutes{10}, down, same({freeze}));
    test = step("upgrade/cutover/test", minutes{60}, down, same({dump}));
    thaw = step("upgrade/cutover/thaw", minutes{5}, down, same({test}));
    const auto end = b.node(NodeKind::phase_end, "upgrade/cutover/end", all({thaw}), down);
    b.plan.phases[down].end = end;
    tidy = step("upgrade/tidy", minutes{5}, kNone, all({end}));
    b.plan.nodes[test].actions[0].apply = kNone;
    b.plan.nodes[test].testing = true;
    plan = std::move(b.plan);
  }
};

inline Past past() {
  Past p;
  p.inventory = "prod";
  p.runs = 3;
  return p;
}

// Somebody looks at the new system for an hour: a step of people, who say that it is a test.
struct ByHand : Upgrade {
  explicit ByHand(bool testing) {
    Node& look = plan.nodes[test];
    look.kind = NodeKind::human;
    look.hosts.clear();
    look.actions.clear();
    look.human.emplace();
    look.testing = testing;
    for (const NodeId id : {test, thaw}) plan.nodes[id].after[0].kind = EdgeKind::all_hosts;
  }
};

}  // namespace cnplay::testing

// Records of made-up runs, for tests of the reports. Header-only.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "report/account.h"
#include "support/events/story.h"
#include "support/plan/update_code.h"

namespace cnplay::testing {

struct Recorder final : events::Sink {
  std::vector<events::Event> events;
  void on(const events::Event& event) override { events.push_back(event); }
};

// A plan and what happened: put down here, event by event, while a test tells it.
struct MadeUp {
  UpdateCode update = update_code();
  plan::Plan& plan = update.plan;
  Recorder record;
  Story story{record};

  MadeUp() {
    plan.nodes[update.smoke].expect = std::chrono::seconds{30};
    plan.nodes[update.smoke].testing = true;
  }
  MadeUp(const MadeUp&) = delete;
  MadeUp& operator=(const MadeUp&) = delete;

  // A step that is of people instead.
  plan::Node& ask_people(plan::NodeId id) {
    plan::Node& node = plan.nodes[id];
    node.kind = plan::NodeKind::human;
    node.hosts.clear();
    node.actions.clear();
    node.human.emplace();
    return node;
  }
  void begin() {
    events::RunStarted e = run_started(plan);
    e.plan_hash = plan::hash(plan);
    story.tell(std::move(e));
    story.tell(events::PreflightStarted{});
    for (plan::HostIndex h = 0; h < plan.hosts.size(); ++h) {
      story.tell(events::HostConnected{h, "ubuntu", "boot-" + std::to_string(h)});
    }
    story.pass(1);
    story.tell(events::PreflightEnded{true, Duration{1000}});
  }
  // A step of one action on one host that ends after `seconds`.
  void step(plan::NodeId node, plan::HostIndex host, events::Outcome outcome, double seconds,
            std::string message = {}, events::Part part = events::Part::forward) {
    const auto task = story.begin(node, host, part);
    story.pass(seconds);
    story.end(task, node, host, outcome, std::move(message), seconds, {}, part);
  }
  events::RunEnded ended(events::Verdict verdict) const {
    events::RunEnded e;
    e.verdict = verdict;
    e.took = story.now - record.events.front().at;
    return e;
  }
  Result<report::Account> account(report::About about = {}) const {
    if (about.written == Instant{}) about.written = *parse_rfc3339("2026-11-20T23:00:00Z");
    return report::account_of(plan, record.events, about);
  }
};

// The site is down for 5 minutes and 10 seconds, 40 seconds of which are testing.
inline void tell_success(MadeUp& m) {
  using events::Outcome;
  const UpdateCode& u = m.update;
  m.begin();
  m.step(u.announce, 0, Outcome::changed, 2);
  m.story.tell(events::PhaseStarted{u.cutover});
  for (const plan::HostIndex web : {0U, 1U}) m.step(u.stop, web, Outcome::changed, 15);
  for (const plan::HostIndex web : {0U, 1U}) m.step(u.page, web, Outcome::changed, 1);
  m.step(u.snapshot, 2, Outcome::changed, 50);
  for (const plan::HostIndex web : {0U, 1U}) {
    const auto task = m.story.begin(u.code, web);
    m.story.pass(4);
    events::ActionEnded e;
    e.node = u.code;
    e.host = web;
    e.task = task;
    e.outcome = Outcome::changed;
    e.message = Untrusted("1a2b3c -> 4d5e6f, 1 commit");
    e.diff = Untrusted("commit 4d5e6f\n+reefs by depth\n-reefs by name\n");
    e.took = Duration{4000};
    m.story.tell(std::move(e));
    m.story.tell(events::StepEnded{u.code, web, {}, Outcome::changed, "", Duration{4000}});
  }
  for (const plan::HostIndex web : {0U, 1U}) m.step(u.packages, web, Outcome::ok, 30);
  for (const plan::HostIndex web : {0U, 1U}) {
    m.story.tell(events::StepStarted{u.statics, web, {}, 1});
    m.story.tell(events::StepEnded{u.statics, web, {}, Outcome::skipped, "`when` is false", {}});
  }
  m.story.tell(events::Pivoted{u.pivot, "the schema may change"});
  m.step(u.migrate, 0, Outcome::changed, 116);
  for (const plan::HostIndex web : {0U, 1U}) m.step(u.unpage, web, Outcome::changed, 0.25);
  m.step(u.start, 0, Outcome::changed, 1);
  m.step(u.start, 1, Outcome::changed, 2);
  m.step(u.smoke, 0, Outcome::ok, 30);
  m.step(u.smoke, 1, Outcome::ok, 10);
  m.step(u.open, 0, Outcome::changed, 0.5);
  m.story.tell(events::PhaseEnded{u.cutover, std::chrono::seconds{310}, true});
  events::RunEnded end = m.ended(events::Verdict::success);
  end.hosts = {{.host = 0, .ok = 2, .changed = 6}, {.host = 1, .ok = 2}, {.host = 2, .changed = 1}};
  end.outage = std::chrono::seconds{310};
  end.outage_expect = std::chrono::minutes{6};
  m.story.tell(std::move(end));
}

// A step fails on web2 after a second attempt. The run is interrupted, resumed by somebody else,
// undone and held.
inline void tell_failure(MadeUp& m) {
  using events::Outcome;
  using events::Part;
  const UpdateCode& u = m.update;
  m.begin();
  m.step(u.announce, 0, Outcome::changed, 2);
  m.story.tell(events::PhaseStarted{u.cutover});
  for (const plan::HostIndex web : {0U, 1U}) m.step(u.stop, web, Outcome::changed, 25);
  m.story.tell(events::HostReconnecting{1, "no sign of life for 45 s"});
  m.story.pass(3);
  m.story.tell(events::HostReconnected{1, "boot-1"});
  m.story.pass(60);
  m.story.tell(events::RunResumed{"lee", "laptop"});
  m.step(u.code, 0, Outcome::changed, 4, "1a2b3c -> 4d5e6f");
  const auto first = m.story.begin(u.code, 1);
  m.story.pass(1);
  events::ActionEnded e;
  e.node = u.code;
  e.host = 1;
  e.task = first;
  e.outcome = Outcome::failed;
  e.took = Duration{1000};
  m.story.tell(e);
  m.story.tell(events::RetryScheduled{u.code, 1, 2, 2, std::chrono::seconds{10}});
  m.story.pass(10);
  m.story.tell(events::StepStarted{u.code, 1, Part::forward, 2});
  m.story.tell(events::ActionStarted{u.code, 1, 0, Part::forward, 900});
  // More lines than a screen shows at once: paper has to show them all.
  for (int i = 1; i <= 60; ++i) {
    m.story.output(900, 1, "Rebasing (" + std::to_string(i) + "/60)\n");
  }
  m.story.output(900, 1, "error: could not apply \x1b[31m4d5e6f\x1b[0m\n");
  m.story.pass(2);
  e.task = 900;
  e.message = Untrusted("conflict while rebasing");
  e.reason = "its apply failed";
  e.exit_code = 1;
  e.tail = Untrusted("error: could not apply 4d5e6f\n");
  m.story.tell(e);
  m.story.tell(
      events::StepEnded{u.code, 1, Part::forward, Outcome::failed, "", std::chrono::seconds{13}});
  m.story.tell(events::FailureDeclared{u.code, {1}, false});
  m.story.tell(events::UndoStarted{{u.code, u.stop, u.announce}});
  m.step(u.code, 0, Outcome::changed, 1, "4d5e6f -> 1a2b3c", Part::undo);
  for (const plan::HostIndex web : {0U, 1U}) {
    m.step(u.stop, web, Outcome::changed, 5, {}, Part::undo);
  }
  m.step(u.announce, 0, Outcome::changed, 1, {}, Part::undo);
  m.story.tell(events::UndoEnded{false});
  m.story.tell(events::Held{"The maintenance page stays up. Restore the snapshot by hand."});
  m.story.tell(events::PhaseEnded{u.cutover, std::chrono::seconds{142}, false});
  events::RunEnded end = m.ended(events::Verdict::failed);
  end.hosts = {{.host = 0, .changed = 3}, {.host = 1, .changed = 1, .failed = 1}, {.host = 2}};
  end.outage = std::chrono::seconds{142};
  end.outage_expect = std::chrono::minutes{6};
  end.advice =
      "Undone: `announce` (update_code.play:21) on web1.\n"
      "Undone: `stop` (procedures.play:4) on web1, web2.\n"
      "Undone: `code` (update_code.play:33) on web1.\n"
      "Failed, perhaps half done, and not undone: `code` (update_code.play:33) on web2: its "
      "undo was not run.\nFix the cause on web2, then continue: cnplay resume "
      "20261120-213000-update_code-4f2a";
  m.story.tell(std::move(end));
}

}  // namespace cnplay::testing

#include "report/plain.h"

#include <gtest/gtest.h>

#include "report/summary.h"
#include "support/golden.h"

namespace cnplay::report {
namespace {

using namespace events;

plan::Plan site_plan() {
  plan::Plan plan;
  plan.play = "update_code";
  plan.title = "Update the server code";
  plan.inventory = "staging";
  for (const char* name : {"web1", "web2", "db1"}) {
    plan::Host host;
    host.name = name;
    plan.hosts.push_back(host);
  }
  plan::Phase phase;
  phase.path = "update_code/cutover";
  phase.title = "Site down";
  phase.outage = true;
  phase.expect = std::chrono::minutes{6};
  phase.budget = std::chrono::minutes{15};
  plan.phases.push_back(phase);
  const auto node = [&](const char* path, const char* title, std::vector<plan::HostIndex> hosts,
                        const char* module, const char* undo) {
    plan::Node n;
    n.id = static_cast<plan::NodeId>(plan.nodes.size());
    n.path = path;
    n.title = title;
    n.hosts = std::move(hosts);
    plan::Action action;
    action.module = module;
    action.where = "playbooks/update_code.play:36";
    n.actions.push_back(action);
    if (undo != nullptr) {
      action.module = undo;
      n.undo.push_back(action);
    }
    plan.nodes.push_back(n);
  };
  node("update_code/cutover/code", "code", {0, 1}, "git.rebase", "git.reset");
  node("update_code/cutover/migrate", "migrate", {0}, "django.migrate", nullptr);
  plan::Section main;
  main.nodes = {0, 1};
  plan::Section always;
  always.kind = plan::SectionKind::always;
  always.report_timings = true;
  plan.sections = {main, always};
  return plan;
}

class Story {
 public:
  explicit Story(Options options)
      : plan_(site_plan()),
        sink_(plan_, std::move(options), [this](const std::string& s) { text_ += s; }) {}

  template <class T>
  Story& tell(T what, int seconds = 0) {
    at_ += std::chrono::seconds{seconds};
    sink_.on({++seq_, at_, std::move(what)});
    return *this;
  }
  Story& tick(int seconds) {
    at_ += std::chrono::seconds{seconds};
    sink_.tick(at_);
    return *this;
  }
  const std::string& text() const { return text_; }

  static ActionEnded ended(NodeId node, HostIndex host, Outcome outcome, const char* message,
                           int ms) {
    ActionEnded e;
    e.node = node;
    e.host = host;
    e.task = 10 * node + host;
    e.outcome = outcome;
    e.message = Untrusted(message);
    e.took = Duration{ms};
    return e;
  }

 private:
  plan::Plan plan_;
  std::string text_;
  PlainSink sink_;
  Instant at_ = *parse_rfc3339("2026-11-20T21:30:05Z");
  std::uint64_t seq_ = 0;
};

Options utc() {
  Options options;
  options.zone = "UTC";
  return options;
}

RunStarted started() {
  RunStarted e;
  e.run = "20261120-213005-update_code-4f2a";
  e.play = "update_code";
  e.title = "Update the server code";
  e.inventory = "staging";
  e.hosts = {"web1", "web2", "db1"};
  return e;
}

TEST(Plain, ARunThatSucceeds) {
  Story story(utc());
  story.tell(started()).tell(PreflightEnded{true, Duration{840}}, 1).tell(PhaseStarted{0});
  story.tell(Story::ended(0, 0, Outcome::changed, "1a2b3c -> 4d5e6f", 1240), 1);
  story.tell(Story::ended(0, 1, Outcome::ok, "", 40));
  story.tell(Pivoted{1, "the schema may change"});
  story.tell(Story::ended(1, 0, Outcome::changed, "reefs.0003_reef_depth", 2600), 2);
  story.tell(PhaseEnded{0, Duration{4400}, true});
  RunEnded end;
  end.verdict = Verdict::success;
  end.took = Duration{5300};
  end.hosts = {{.host = 0, .ok = 4, .changed = 2}, {.host = 1, .ok = 5}, {.host = 2, .changed = 1}};
  end.steps = {{0, std::nullopt, Duration{1250}}, {1, std::chrono::minutes{2}, Duration{2600}}};
  end.outage = Duration{4400};
  end.outage_expect = std::chrono::minutes{6};
  story.tell(end);
  testing::expect_golden("report/success.txt", story.text());
}

TEST(Plain, APreflightIsNotGoodIfHostsFailedItAndTheRunContinuesWithout) {
  Story story(utc());
  story.tell(started()).tell(PreflightEnded{true, Duration{840}, 2}, 1);
  EXPECT_NE(story.text().find("preflight: 2 of 3 hosts failed, the run continues without (840 ms)"),
            std::string::npos)
      << story.text();
}

// Nothing was stopped: no outage began, and the times of checks are compared with nothing.
TEST(Plain, ADryRunTakesNoOutage) {
  Story story(utc());
  RunStarted begun = started();
  begun.mode = Mode::check;
  story.tell(begun).tell(PreflightEnded{true, Duration{840}}, 1).tell(PhaseStarted{0});
  story.tell(Story::ended(0, 0, Outcome::would_change, "1a2b3c -> 4d5e6f", 1240), 1);
  story.tell(Story::ended(0, 1, Outcome::depends, "", 0));
  ActionEnded now = Story::ended(1, 0, Outcome::ok, "nothing to migrate", 0);
  now.reason = "as it is now: `script` would run before, and may change it";
  story.tell(now);
  story.tell(Pivoted{1, "the schema may change"});
  story.tell(PhaseEnded{0, Duration{4400}, true});
  RunEnded end;
  end.verdict = Verdict::success;
  end.took = Duration{5300};
  end.hosts = {{.host = 0, .ok = 4, .would_change = 2}, {.host = 1, .ok = 5, .depends = 1}};
  end.steps = {{0, std::nullopt, Duration{1250}}, {1, std::chrono::minutes{2}, Duration{2600}}};
  story.tell(end);
  testing::expect_golden("report/dry_run.txt", story.text());
}

TEST(Plain, ARunThatFailsAndIsUndone) {
  Options options = utc();
  options.diff = true;
  Story story(options);
  story.tell(started()).tell(PreflightEnded{true, Duration{840}}, 1);
  ActionEnded bad = Story::ended(0, 1, Outcome::failed, "conflict while rebasing", 900);
  bad.tail = Untrusted(
      "CONFLICT (content): \x1b[31mMerge conflict\x1b[0m in config/urls.py\nerror: could not apply "
      "3c4d\n");
  bad.diff = Untrusted("+3c4d New page\n-old\n");
  bad.exit_code = 1;
  story.tell(bad, 1);
  story.tell(FailureDeclared{0, {1}, false}).tell(UndoStarted{{0}});
  ActionEnded undo = Story::ended(0, 0, Outcome::changed, "back at 1a2b3c", 300);
  undo.part = Part::undo;
  story.tell(undo, 1).tell(UndoEnded{true});
  RunEnded end;
  end.verdict = Verdict::failed;
  end.took = Duration{3300};
  end.hosts = {{.host = 0, .changed = 2}, {.host = 1, .failed = 1}, {.host = 2}};
  end.advice =
      "Fix the conflict on web2, then continue: cnplay resume 20261120-213000-update_code-4f2a";
  story.tell(end);
  testing::expect_golden("report/undone.txt", story.text());
}

TEST(Plain, OutputIsStreamedLineByLineWhenAskedFor) {
  Options options = utc();
  options.verbosity = 1;
  Story story(options);
  const auto out = [&](const char* bytes) {
    story.tell(Output{1, 1, Stage::apply, Stream::out, Untrusted(bytes)});
  };
  out("first li");
  out("ne\nsecond line\nthi");
  ActionEnded e = Story::ended(0, 1, Outcome::changed, "", 10);
  e.task = 1;
  story.tell(e);
  EXPECT_EQ(story.text(),
            "21:30:05 web2 | first line\n21:30:05 web2 | second line\n21:30:05 web2 | thi\n"
            "21:30:05 web2  code: git.rebase  changed\n");
}

TEST(Plain, WithoutVerbosityOutputIsNotShown) {
  Story story(utc());
  story.tell(Output{1, 1, Stage::apply, Stream::out, Untrusted("noise\n")});
  EXPECT_EQ(story.text(), "");
}

TEST(Plain, SaysWhatStillRuns) {
  Story story(utc());
  story.tell(ActionStarted{0, 1, 0, Part::forward, 1}).tick(9).tick(2).tick(1).tick(9);
  EXPECT_EQ(story.text(),
            "21:30:16 web2  code: git.rebase  still running after 11 s\n"
            "21:30:26 web2  code: git.rebase  still running after 21 s\n");
}

TEST(Plain, NothingOfAHostReachesTheTerminalRaw) {
  Story story(utc());
  ActionEnded e = Story::ended(0, 0, Outcome::failed, "\x1b]0;evil\a\x1b[2Jtext\nsecond line", 10);
  e.tail = Untrusted(std::string("a\0\x1b[31mb\xff", 10));
  story.tell(e);
  EXPECT_EQ(story.text().find('\x1b'), std::string::npos);
  EXPECT_NE(story.text().find("second line"), std::string::npos);
}

TEST(Summary, ManyHostsThatFaredAlikeAreOneLine) {
  plan::Plan plan;
  RunEnded end;
  for (std::uint32_t i = 0; i < 40; ++i) {
    plan::Host host;
    host.name = "web" + std::to_string(i + 1);
    plan.hosts.push_back(host);
    end.hosts.push_back({.host = i, .ok = 3, .failed = i == 6 ? 1U : 0U});
  }
  end.verdict = Verdict::failed;
  const std::string text = summary(plan, end, {}, false, Failed(plan));
  EXPECT_NE(text.find("web1 ... web6 (6)"), std::string::npos) << text;
  EXPECT_NE(text.find("web8 ... web40 (33)"), std::string::npos) << text;
}

TEST(Summary, AnOutageThatGoesOnIsSaid) {
  plan::Plan plan = site_plan();
  RunEnded end;
  end.verdict = Verdict::failed;
  end.outage = std::chrono::minutes{7};
  end.outage_open = true;
  const std::string text = summary(plan, end, {}, false, Failed(plan));
  EXPECT_NE(text.find("outage: 7 min, and it continues"), std::string::npos) << text;
}

TEST(Format, WhatPeopleAreAskedAndSay) {
  plan::Plan plan = site_plan();
  plan::Node& node = plan.nodes[1];
  node.kind = plan::NodeKind::human;
  node.human.emplace();
  node.human->kind = plan::HumanKind::manual;
  node.human->by = {"ann", "@ops"};
  node.human->questions.emplace_back().name = "slot";
  const auto lines = [&](auto what) { return event_lines(plan, Event{1, {}, what}, {}, 4); };
  EXPECT_EQ(lines(HumanStarted{
                1, {"it is out\x1b[2J"}, {"its slot"}, *parse_time("2026-12-01 22:00 UTC")}),
            "to do  migrate\n  [ ] it is out\n  slot: its slot\n  by ann, @ops\n"
            "  until 2026-12-01 22:00:00 UTC; then the step has failed\n");
  EXPECT_EQ(lines(HumanAnswered{1, "ann", "desk", "@ops", true, {{"slot", Untrusted("7")}}, {}}),
            "migrate  done by ann on desk for @ops\n  slot: 7\n");
  EXPECT_EQ(lines(HumanAnswered{1, "ann", "desk", "ann", false, {}, Untrusted("locked")}),
            "migrate  cannot be done by ann on desk: locked\n");
  EXPECT_EQ(lines(HumanEnded{1, HumanEnd::timed_out, {}}), "migrate  nobody answered in time\n");
  EXPECT_EQ(lines(RunParked{1, "nobody is at a terminal", "Answer:\nGo on:"}),
            "parked at migrate: nobody is at a terminal\n  Answer:\n  Go on:\n");
  node.human->kind = plan::HumanKind::approve;
  node.human->fallback = plan::Value(false);
  EXPECT_EQ(lines(HumanEnded{1, HumanEnd::fell_back, {}}),
            "migrate  nobody answered in time: its default is taken, refuse\n");
}

TEST(Format, ADetailRepeatsNothingOfItsLine) {
  const plan::Plan plan = site_plan();
  events::ActionEnded e;
  e.outcome = Outcome::failed;
  e.message = Untrusted("first line\nsecond line\nthird line");
  EXPECT_NE(action_line(plan, e, {}, 4).find("first line"), std::string::npos);
  const std::string detail = action_detail(plan, e, {});
  EXPECT_EQ(detail.find("first line"), std::string::npos) << detail;
  EXPECT_EQ(detail.find("    second line\n    third line\n"), 0U) << detail;
}

}  // namespace
}  // namespace cnplay::report

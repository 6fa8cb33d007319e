#include "report/live.h"

#include <gtest/gtest.h>

#include "support/events/story.h"
#include "support/golden.h"
#include "support/plan/update_code.h"
#include "support/screen.h"

namespace cnplay::testing {
namespace {

using namespace cnplay::events;

report::Options utc() {
  report::Options options;
  options.zone = "UTC";
  return options;
}

std::string joined(const std::vector<std::string>& rows) {
  std::string out;
  for (const auto& row : rows) out += row + "\n";
  return out;
}

// The tour as a person sees it, frame by frame.
TEST(LiveView, AFailureAndItsUndo) {
  const UpdateCode u = update_code();
  Screen screen(100, 30);
  std::string frames;
  const auto frame = [&](const std::string& title) {
    frames += "===== " + title + "\n" + joined(screen.visible());
  };
  {
    report::LiveSink live(u.plan, utc(), screen);
    Story story(live);
    story.tell(run_started(u.plan));
    for (HostIndex h = 0; h < 3; ++h) story.tell(HostConnecting{h});
    story.pass(2);
    frame("connecting");
    for (HostIndex h = 0; h < 3; ++h) story.tell(HostConnected{h, "ubuntu", "boot"});
    story.tell(PreflightEnded{true, Duration{2100}});
    auto task = story.begin(u.announce, 0);
    story.pass(0.5);
    story.end(task, u.announce, 0, Outcome::changed, "starts at 22:00", 0.5);
    story.tell(WaitStarted{u.wait, *parse_time("2026-11-20 22:00 UTC")});
    story.pass(60);
    frame("waiting");
    story.pass(1737.5);
    story.tell(WaitEnded{u.wait, false});
    story.tell(PhaseStarted{u.cutover});
    const auto stop1 = story.begin(u.stop, 0);
    const auto stop2 = story.begin(u.stop, 1);
    const auto dump = story.begin(u.snapshot, 2);
    story.pass(12);
    frame("stopping");
    story.end(stop1, u.stop, 0, Outcome::changed, "3 programs stopped", 12);
    story.end(stop2, u.stop, 1, Outcome::changed, "3 programs stopped", 12);
    const auto code1 = story.begin(u.code, 0);
    const auto code2 = story.begin(u.code, 1);
    story.output(code1, 0, "Rebasing (1/2)\rRebasing (2/2)\r");
    story.output(code1, 0, "Succ");
    story.pass(3);
    story.output(code1, 0, "essfully rebased\n");
    story.pass(0.2);
    frame("output");
    story.end(code1, u.code, 0, Outcome::changed, "1a2b -> 3c4d", 3.2);
    story.end(code2, u.code, 1, Outcome::failed, "conflict while rebasing\nsecond line", 3.2,
              "CONFLICT (content): Merge conflict in home.html\n\x1b[31mred\x1b[0m\n");
    story.tell(FailureDeclared{u.code, {1}, false});
    story.end(dump, u.snapshot, 2, Outcome::changed, "12 MiB", 15);
    story.tell(UndoStarted{{u.code, u.stop}});
    const auto back = story.begin(u.code, 0, Part::undo);
    story.pass(400);
    frame("undoing, over what was expected");
    story.end(back, u.code, 0, Outcome::changed, "back at 1a2b", 400, "", Part::undo);
    story.tell(UndoEnded{true});
    story.tell(PhaseEnded{u.cutover, Duration{420'000}, false});
    RunEnded end;
    end.verdict = Verdict::failed;
    end.took = Duration{2'220'000};
    HostSummary web1;
    web1.changed = 4;
    HostSummary web2;
    web2.host = 1;
    web2.changed = 1;
    web2.failed = 1;
    end.hosts = {web1, web2};
    end.outage = Duration{420'000};
    end.outage_expect = Duration{360'000};
    end.advice = "Solve the conflict in /srv/cnhome on web2, then run the play again.";
    story.tell(end);
    frame("the end");
  }
  expect_golden("report/live_failure.txt", frames);
  EXPECT_EQ(screen.written.find("[31mred"), std::string::npos);
}

// Its snapshot took 70 s in the median of five runs, and 120 s at worst.
RunStarted run_with_past(const UpdateCode& u) {
  RunStarted started = run_started(u.plan);
  started.past = plan::Past{"staging", 5, {{u.snapshot, 5, Duration{70'000}, Duration{120'000}}}};
  return started;
}

TEST(LiveView, WhatPastRunsTookIsSaidOfWhatIsAtWork) {
  const UpdateCode u = update_code();
  Screen screen(100, 12);
  report::LiveSink live(u.plan, utc(), screen);
  Story story(live);
  story.tell(run_with_past(u));
  const auto dump = story.begin(u.snapshot, 2);
  story.pass(119);
  EXPECT_NE(joined(screen.visible()).find("usually 1 min 10 s"), std::string::npos)
      << joined(screen.visible());
  story.pass(2);
  EXPECT_NE(joined(screen.visible()).find("longer than ever (2 min"), std::string::npos)
      << joined(screen.visible());
  story.end(dump, u.snapshot, 2, Outcome::failed, "disk full", 121);
  story.tell(UndoStarted{});
  story.begin(u.announce, 0, Part::always);
  story.pass(1);
  const std::string shown = joined(screen.visible());
  EXPECT_NE(shown.find("no undo is registered"), std::string::npos) << shown;
  EXPECT_EQ(shown.find("undoing"), std::string::npos) << shown;
}

TEST(LiveView, ADryRunHasNoOutageAndNoPastToCompareWith) {
  const UpdateCode u = update_code();
  Screen screen(100, 12);
  report::LiveSink live(u.plan, utc(), screen);
  Story story(live);
  RunStarted started = run_with_past(u);
  started.mode = Mode::check;
  story.tell(std::move(started));
  story.tell(PhaseStarted{u.cutover});
  const auto dump = story.begin(u.snapshot, 2);
  story.pass(1000);
  const std::string shown = screen.all();
  EXPECT_NE(shown.find("where a run would take an outage"), std::string::npos) << shown;
  for (const char* word :
       {"OUTAGE", "the outage begins", "expected", "budget", "usually", "longer than ever"}) {
    EXPECT_EQ(shown.find(word), std::string::npos) << word << "\n" << shown;
  }
  story.end(dump, u.snapshot, 2, Outcome::ok);
}

TEST(LiveView, ManyHostsFitTheScreen) {
  const UpdateCode u = update_code(200);
  Screen screen(60, 12);
  report::LiveSink live(u.plan, utc(), screen);
  Story story(live);
  story.tell(run_started(u.plan));
  story.tell(PhaseStarted{u.cutover});
  std::vector<std::uint64_t> tasks;
  for (HostIndex h = 0; h < 200; ++h) {
    tasks.push_back(story.begin(u.packages, h));
    story.pass(0.1);
  }
  expect_golden("report/live_many.txt", joined(screen.visible()));
  for (HostIndex h = 0; h < 195; ++h) story.end(tasks[h], u.packages, h, Outcome::ok, "", 20);
  story.pass(0.2);
  const auto rows = screen.visible();
  EXPECT_LE(rows.size(), 13U);
  EXPECT_NE(joined(rows).find("web200"), std::string::npos) << joined(rows);
}

// Every finished line stays, once, whatever is drawn over below.
TEST(LiveView, NoFinishedLineIsLostOrDoubled) {
  const UpdateCode u = update_code(30);
  for (const std::size_t height : {4U, 7U, 24U}) {
    Screen screen(50, height);
    {
      report::LiveSink live(u.plan, utc(), screen);
      Story story(live);
      std::vector<std::uint64_t> tasks;
      for (HostIndex h = 0; h < 30; ++h) tasks.push_back(story.begin(u.stop, h));
      story.pass(1);
      for (HostIndex h = 0; h < 30; ++h) {
        story.end(tasks[h], u.stop, h, Outcome::ok, "n" + std::to_string(h) + ".", 0);
        story.pass(0.2);
      }
    }
    const std::string all = screen.all();
    for (int h = 0; h < 30; ++h) {
      const std::string mark = "n" + std::to_string(h) + ".";
      const auto first = all.find(mark);
      ASSERT_NE(first, std::string::npos) << mark << " at height " << height << "\n" << all;
      EXPECT_EQ(all.find(mark, first + 1), std::string::npos) << mark;
    }
    EXPECT_EQ(all.find("at work"), std::string::npos) << "the region was left behind\n" << all;
  }
}

TEST(LiveView, SurvivesAResize) {
  const UpdateCode u = update_code(8);
  Screen screen(100, 40);
  {
    report::LiveSink live(u.plan, utc(), screen);
    Story story(live);
    story.tell(run_started(u.plan));
    for (HostIndex h = 0; h < 8; ++h) {
      const auto task = story.begin(u.packages, h);
      story.output(task, h, std::string(200, 'x') + "\n");
    }
    story.pass(1);
    screen.resize(35, 40);
    story.pass(1);
    screen.resize(120, 40);
    story.pass(1);
    EXPECT_EQ(screen.visible().size(), 14U) << joined(screen.visible());
  }
  EXPECT_EQ(screen.all().find("xxx"), std::string::npos) << screen.all();
}

// A file on its way, from its first word to its last.
TEST(LiveView, AFileOnItsWay) {
  const UpdateCode u = update_code();
  Screen screen(100, 24);
  std::string frames;
  report::LiveSink live(u.plan, utc(), screen);
  Story story(live);
  const auto frame = [&](const std::string& title) {
    story.pass(0);
    frames += "===== " + title + "\n" + joined(screen.visible());
  };
  const auto task = story.begin(u.code, 0);
  story.output(task, 0, "checked\n");
  story.pass(1);
  story.progress(task, 0, 15, 200);
  frame("one word: nobody knows how fast");
  for (int i = 1; i <= 6; ++i) {
    story.pass(0.5);
    story.progress(task, 0, 15 + 17.5 * i, 200);
  }
  frame("35 MiB a second");
  story.pass(4);
  frame("nothing for 4 s: it falls");
  story.pass(5);
  frame("nothing for 9 s");
  story.progress(task, 0, 100, 200);
  frame("after a lost connection, from further back");
  story.pass(2);
  story.progress(task, 0, 101, 200);
  frame("slowly");
  story.pass(0.5);
  story.progress(task, 0, 200, 200);
  frame("it has come, and the task goes on");
  story.end(task, u.code, 0, Outcome::changed, "", 15);
  frame("ended");
  expect_golden("report/live_copying.txt", frames);
}

TEST(LiveView, ManyFilesOnTheirWayAreSummed) {
  const UpdateCode u = update_code(40);
  Screen screen(90, 10);
  std::string frames;
  report::LiveSink live(u.plan, utc(), screen);
  Story story(live);
  std::vector<std::uint64_t> tasks;
  for (HostIndex h = 0; h < 40; ++h) tasks.push_back(story.begin(u.code, h));
  for (int i = 0; i <= 4; ++i) {
    for (HostIndex h = 0; h < 40; ++h) story.progress(tasks[h], h, 8 * i, 512);
    story.pass(1);
  }
  frames += "===== forty\n" + joined(screen.visible());
  const auto rows = screen.visible();
  EXPECT_LE(rows.size(), 10U);
  for (HostIndex h = 2; h < 40; ++h) story.end(tasks[h], u.code, h, Outcome::changed);
  story.pass(1);
  frames += "===== two left\n" + joined(screen.visible());
  story.end(tasks[1], u.code, 1, Outcome::changed);
  story.pass(1);
  frames += "===== the last one needs no sum\n" + joined(screen.visible());
  expect_golden("report/live_copying_many.txt", frames);
}

// What is on its way changes twice a second on each of many hosts; the screen no more than it is
// ticked.
TEST(LiveView, ProgressAloneWritesNothing) {
  const UpdateCode u = update_code(100);
  Screen screen(90, 20);
  report::LiveSink live(u.plan, utc(), screen);
  Story story(live);
  std::vector<std::uint64_t> tasks;
  for (HostIndex h = 0; h < 100; ++h) tasks.push_back(story.begin(u.code, h));
  story.pass(0.2);
  const auto before = screen.writes;
  for (int i = 1; i <= 50; ++i) {
    for (HostIndex h = 0; h < 100; ++h) story.progress(tasks[h], h, i, 512);
  }
  EXPECT_EQ(screen.writes, before);
  story.pass(0.2);
  EXPECT_EQ(screen.writes, before + 1);
  story.progress(9999, 0, 1, 2);  // of a task that nobody has begun
  story.pass(0);
  EXPECT_EQ(screen.writes, before + 1);
}

TEST(LiveView, OneWriteARedrawAndNoneIfNothingIsNew) {
  const UpdateCode u = update_code();
  Screen screen(80, 24);
  report::LiveSink live(u.plan, utc(), screen);
  Story story(live);
  const auto task = story.begin(u.stop, 0);
  EXPECT_EQ(screen.writes, 0U);  // shown by the next tick
  story.pass(1);
  EXPECT_EQ(screen.writes, 1U);
  story.pass(0.2);
  EXPECT_EQ(screen.writes, 1U);
  story.pass(1);
  EXPECT_EQ(screen.writes, 2U);
  story.end(task, u.stop, 0, Outcome::ok);
  EXPECT_EQ(screen.writes, 3U);
}

TEST(LiveView, HostileOutputStaysInItsPlace) {
  const UpdateCode u = update_code();
  Screen screen(60, 10);
  report::Options options = utc();
  options.verbosity = 1;
  report::LiveSink live(u.plan, options, screen);
  Story story(live);
  const auto task = story.begin(u.stop, 0);
  // The screen fails on any escape that the view does not use itself.
  story.output(task, 0, "\x1b[2J\x1b[H\x1b]0;title\aowned\b\b\n\xff\xfe\x00 broken\n");
  story.output(task, 0, std::string(10'000, 'w'));
  story.output(task, 0, "\xE4\xB8\xAD\xE6\x96\x87\xE4\xB8\xAD\xE6\x96\x87\n");
  story.pass(1);
  story.end(task, u.stop, 0, Outcome::failed, "\x1b[Hno\nmore", 1, "\x1b[2Jtail\n");
  EXPECT_NE(screen.all().find("web1 | owned"), std::string::npos) << screen.all();
}

TEST(LiveView, VerboseOutputScrollsByInWholeLines) {
  const UpdateCode u = update_code();
  Screen screen(60, 10);
  report::Options options = utc();
  options.verbosity = 1;
  report::LiveSink live(u.plan, options, screen);
  Story story(live);
  const auto task = story.begin(u.stop, 0);
  story.output(task, 0, "fir");
  story.output(task, 0, "st\nsecond\nno end");
  EXPECT_EQ(screen.all().find("no end"), std::string::npos);
  story.end(task, u.stop, 0, Outcome::ok);
  const std::string all = screen.all();
  EXPECT_NE(all.find("web1 | first\nweb1 | second\nweb1 | no end\n"), std::string::npos) << all;
}

TEST(LiveView, AnOutageThatWasBrokenOffGoesOn) {
  const UpdateCode u = update_code();
  Screen screen(80, 24);
  report::LiveSink live(u.plan, utc(), screen);
  Story story(live);
  story.tell(PhaseStarted{u.cutover});
  story.pass(5);
  story.tell(PhaseEnded{u.cutover, Duration{5000}, false});
  story.begin(u.restart, 0, Part::always);
  story.pass(5);
  EXPECT_NE(screen.all().find("OUTAGE 10 s"), std::string::npos) << screen.all();
}

// A person types below the last line: nothing may be drawn over it.
TEST(LiveView, WhileSomebodyIsAskedNothingIsDrawn) {
  UpdateCode u = update_code();
  plan::Node& wait = u.plan.nodes[u.wait];
  wait.kind = plan::NodeKind::human;
  wait.human.emplace();
  Screen screen(80, 24);
  report::LiveSink live(u.plan, utc(), screen);
  Story story(live);
  story.tell(PhaseStarted{u.cutover});
  story.pass(1);
  EXPECT_NE(screen.all().find("── "), std::string::npos);
  story.tell(HumanStarted{u.wait, {"it is out"}, {}, {}});
  EXPECT_EQ(screen.all().find("── "), std::string::npos) << screen.all();
  EXPECT_NE(screen.all().find("  [ ] it is out"), std::string::npos) << screen.all();
  const std::string before = screen.all();
  story.pass(30);
  EXPECT_EQ(screen.all(), before);
  story.tell(HumanEnded{u.wait, HumanEnd::answered, Duration{30'000}});
  story.pass(1);
  EXPECT_NE(screen.all().find("── "), std::string::npos);
  // Parked, and resumed by another.
  story.tell(HumanStarted{u.wait, {}, {}, {}});
  story.tell(RunParked{u.wait, "nobody is at a terminal", "Answer: cnplay answer"});
  story.pass(1);
  EXPECT_EQ(screen.all().find("── "), std::string::npos) << screen.all();
  story.tell(RunResumed{"bob", "desk"});
  story.tell(HostConnecting{0});
  story.pass(1);
  EXPECT_NE(screen.all().find("connecting"), std::string::npos) << screen.all();
  story.tell(HostConnected{0, "u", "b"});
  story.tell(PreflightEnded{true, Duration{10}});
  story.pass(1);
  EXPECT_EQ(screen.all().find("── "), std::string::npos) << screen.all();
}

TEST(LiveView, ATinyTerminalIsNoTrouble) {
  const UpdateCode u = update_code();
  for (const auto& [width, height] : {std::pair{1, 1}, {2, 2}, {10, 3}, {20, 4}, {5, 5}}) {
    Screen screen(static_cast<std::size_t>(width), static_cast<std::size_t>(height));
    report::LiveSink live(u.plan, utc(), screen);
    Story story(live);
    story.tell(PhaseStarted{u.cutover});
    for (HostIndex h = 0; h < 2; ++h) story.begin(u.packages, h);
    story.pass(1);
    story.pass(1);
  }
}

}  // namespace
}  // namespace cnplay::testing

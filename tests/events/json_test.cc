// Events as JSON lines, both ways.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "events/decoder.h"
#include "events/event.h"
#include "support/plan/update_code.h"

namespace cnplay::testing {
namespace {

using namespace cnplay::events;

// Every byte there is, NUL and broken UTF-8 among them.
std::string all_bytes() {
  std::string out;
  for (int i = 0; i < 256; ++i) out += static_cast<char>(i);
  return out;
}

// At least one event of each alternative, with every optional field there and absent.
std::vector<Event> one_of_each(const UpdateCode& u) {
  std::vector<Event> out;
  const auto add = [&](auto e) {
    const auto n = out.size() + 1;
    out.push_back(
        {n, *parse_rfc3339("2026-11-20T21:30:05.123Z") + Duration{static_cast<std::int64_t>(n)},
         std::move(e)});
  };
  add(RunStarted{"id",
                 "play",
                 "title",
                 "staging",
                 "kim",
                 "desk",
                 "ph",
                 "gh",
                 Mode::check,
                 *parse_rfc3339("2026-11-20T21:30:05Z"),
                 {"web1", "web2"},
                 5,
                 true,
                 plan::Past{"prod", 3, {{u.code, 2, Duration{70'000}, Duration{120'000}}}},
                 std::nullopt,
                 std::nullopt,
                 "INC-7",
                 true,
                 "outer-run",
                 "2026-11-20T20:00:00Z by ann on desk"});
  add(WindowClosed{*parse_time("2026-11-20 22:00 UTC"), true, Duration{-3'600'000}});
  add(WindowClosed{*parse_time("2026-11-20 22:00 UTC"), false, std::nullopt});
  for (const AtWindow choice : {AtWindow::go_on, AtWindow::roll_back}) {
    add(WindowAnswered{"kim", "desk", choice});
  }
  add(NotificationFailed{"the webhook", "prod.inv:3", "the server answered 500", "ask"});
  add(RunParked{std::nullopt, "the window is over", "resume it"});
  add(RunResumed{"ann", "other-desk"});
  add(RunResumed{"ann", "other-desk", u.code, std::vector<std::string>{"p.play was changed"}});
  add(RunContinued{});
  add(RunContinued{{1, 2}});
  add(PlanTaken{"ann", "desk", "ph", "ph2", "plan-2.json", {"step code is new"}});
  for (const Choice choice : {Choice::run, Choice::skip, Choice::run_all}) {
    add(StepChosen{u.code, "ann", choice});
  }
  add(HostReconnecting{0, "reset by peer"});
  add(HostReconnected{0, "boot-id-2"});
  add(HostConnecting{1});
  add(HostConnected{2, "ubuntu", "boot-id"});
  add(HostUnreachable{0, "refused", "start sshd"});
  add(HostLost{0, "reset by peer"});
  add(PreflightStarted{});
  add(PreflightProblem{std::nullopt, "no lock", ""});
  add(PreflightProblem{1, "no git", "install it"});
  add(PreflightProblem{1, "held by bob", "wait", true});
  add(PreflightEnded{true, Duration{7}});
  add(PreflightEnded{true, Duration{7}, 2});
  add(PhaseStarted{0});
  add(PhaseEnded{0, Duration{9}, true});
  add(StepStarted{u.code, 1, Part::undo, 3});
  add(ActionStarted{u.code, 1, 0, Part::forward, 0xFFFFFFFFFFFFFFFFULL});
  add(SentAhead{u.code, 1, 0, 9});
  add(RanAhead{u.code,
               1,
               0,
               9,
               Outcome::unknown,
               Untrusted("m\xff"),
               "reason",
               {{"before", Untrusted("1a\x80")}},
               true});
  add(Output{4, 1, Stage::apply, Stream::err, Untrusted(all_bytes())});
  add(Output{4, 1, Stage::preview, Stream::out,
             Untrusted("gr\xC3\xBC\xC3\x9F \"q\" \\ \x1b[0m\n")});
  ActionEnded ended{u.code,
                    1,
                    0,
                    Part::always,
                    5,
                    Outcome::failed,
                    Untrusted("m\xff"),
                    "reason",
                    Untrusted("+a\n-b\n"),
                    {{"before", Untrusted("1a\x80")}, {"target", Untrusted()}},
                    -1,
                    Untrusted("tail"),
                    Duration{1200},
                    true};
  add(ended);
  ended.exit_code.reset();
  ended.facts.clear();
  add(ended);
  add(RetryScheduled{u.smoke, 0, 2, 10, Duration{3000}});
  add(StepEnded{u.smoke, 0, Part::on_failure, Outcome::skipped, "when", Duration{0}});
  add(BarrierPassed{u.end});
  add(WaitStarted{u.wait, *parse_time("2026-12-01 22:00 America/Los_Angeles")});
  add(WaitEnded{u.wait, true});
  add(HumanStarted{u.wait,
                   {"the disk is out", "\xC3\xA9"},
                   {"the slot"},
                   *parse_time("2026-12-01 22:00 America/Los_Angeles")});
  add(HumanStarted{u.wait, {}, {}, std::nullopt});
  add(HumanAnswered{u.wait, "ann", "desk", "@ops", true, {{"slot", Untrusted("7\xff")}}, {}});
  add(HumanAnswered{u.wait, "ann", "desk", "", false, {}, Untrusted("it is locked")});
  for (const HumanEnd how : {HumanEnd::answered, HumanEnd::refused, HumanEnd::fell_back,
                             HumanEnd::timed_out, HumanEnd::skipped}) {
    add(HumanEnded{u.wait, how, Duration{7}});
  }
  add(RunParked{u.wait, "nobody is at a terminal", "cnplay answer"});
  for (const AssertionEnd how : {AssertionEnd::holds, AssertionEnd::fails, AssertionEnd::depends}) {
    add(AssertionChecked{u.pivot, how, "no \"way\""});
  }
  add(Pivoted{u.pivot, "the schema may change"});
  add(FailureDeclared{u.code, {0, 1}, true});
  add(UndoStarted{{u.code, u.stop}});
  add(UndoEnded{false});
  add(Held{"by hand"});
  add(RollbackOffered{"restore"});
  add(DeadlinePassed{"update_code/cutover", *parse_time("2026-12-01 22:00 UTC"), "restore"});
  add(RollbackStarted{"restore"});
  add(StepEnded{u.smoke, 0, Part::rollback, Outcome::changed, "", Duration{0}});
  add(RollbackEnded{"restore", true});
  add(AbortRequested{2});
  add(Notice{"text"});
  RunEnded end;
  end.verdict = Verdict::unknown;
  end.took = Duration{123456};
  end.hosts = {{2, 1, 2, 3, 4, 5, 6, 7, true}};
  end.steps = {{u.code, Duration{1}, std::nullopt}, {u.stop, std::nullopt, Duration{2}}};
  end.steps[1].outcome = Outcome::changed;
  end.steps[1].usual = Duration{3};
  end.steps[1].interrupted = true;
  end.outage = Duration{3};
  end.outage_open = true;
  end.advice = "next";
  add(end);
  end.outage.reset();
  end.outage_expect = Duration{4};
  add(end);
  return out;
}

TEST(EventJson, EveryAlternativeComesBack) {
  const UpdateCode u = update_code();
  const Decoder decoder(u.plan);
  std::set<std::size_t> seen;
  for (const Event& event : one_of_each(u)) {
    seen.insert(event.what.index());
    const std::string line = to_json(event, u.plan);
    EXPECT_EQ(line.find('\n'), std::string::npos) << line;
    const auto back = decoder.decode(line);
    ASSERT_TRUE(back) << back.error().what << "\n" << line;
    EXPECT_EQ(back->seq, event.seq);
    EXPECT_EQ(back->at, event.at);
    EXPECT_EQ(back->what.index(), event.what.index());
    EXPECT_EQ(to_json(*back, u.plan), line);  // all that is written is read
  }
  EXPECT_EQ(seen.size(), std::variant_size_v<AnyEvent>);
}

TEST(EventJson, BytesOfHostsComeBackExactly) {
  const UpdateCode u = update_code();
  for (const std::string& bytes : {all_bytes(), std::string(), std::string("a\0b", 3),
                                   std::string("\xC3"), std::string("ok")}) {
    const Event event{1, {}, Output{1, 0, Stage::check, Stream::out, Untrusted(bytes)}};
    const auto back = from_json(to_json(event, u.plan), u.plan);
    ASSERT_TRUE(back);
    EXPECT_EQ(std::get<Output>(back->what).bytes.raw(), bytes);
  }
}

// Others read these lines: the form is part of the contract.
TEST(EventJson, TheFormIsFixed) {
  const UpdateCode u = update_code();
  const Instant at = *parse_rfc3339("2026-11-20T21:30:05.123Z");
  EXPECT_EQ(to_json({7, at, StepStarted{u.code, 1, Part::forward, 1}}, u.plan),
            R"({"v":1,"seq":7,"at":"2026-11-20T21:30:05.123Z","type":"StepStarted",)"
            R"("node":"update_code/cutover/code","host":"web2","part":"forward","attempt":1})");
  EXPECT_EQ(to_json({8, at, Output{3, 0, Stage::apply, Stream::err, Untrusted("\xff")}}, u.plan),
            R"({"v":1,"seq":8,"at":"2026-11-20T21:30:05.123Z","type":"Output","task":3,)"
            R"("host":"web1","stage":"apply","stream":"err","bytes":{"base64":"/w=="}})");
}

TEST(EventJson, BrokenLinesSayWhatIsWrong) {
  const UpdateCode u = update_code();
  const auto why = [&](const std::string& line) {
    const auto r = from_json(line, u.plan);
    return r ? std::string("no error") : r.error().what;
  };
  EXPECT_NE(why("{\"v\":1,\"seq\":1").find("parse error"), std::string::npos);
  EXPECT_EQ(why("[]"), "not an event: it has no `v`");
  EXPECT_EQ(why("{\"v\":2}"), "an event of version 2, expected 1");
  const std::string head = R"({"v":1,"seq":1,"at":"2026-11-20T21:30:05.123Z","type":)";
  EXPECT_EQ(why(head + R"("Party"})"), "an event of unknown type `Party`");
  EXPECT_EQ(why(head + R"("HostConnecting","host":"web9"})"),
            "not an event: the plan has no host \"web9\"");
  EXPECT_NE(why(head + R"("HostConnecting"})").find("host"), std::string::npos);
  EXPECT_NE(why(head + R"("AbortRequested","times":99999999999})").find("out of range"),
            std::string::npos);
  EXPECT_NE(why(head + R"("UndoEnded","complete":1})").find("`complete`"), std::string::npos);
}

TEST(EventJson, DamagedLinesNeverCrash) {
  const UpdateCode u = update_code();
  const Decoder decoder(u.plan);
  std::uint64_t seed = 7;
  for (const Event& event : one_of_each(u)) {
    const std::string line = to_json(event, u.plan);
    for (int i = 0; i < 60; ++i) {
      seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
      std::string damaged = line;
      const std::size_t at = (seed >> 33) % damaged.size();
      if (i % 2 == 0) {
        damaged.resize(at);
      } else {
        damaged[at] = "09[]{}\",a\xff"[(seed >> 20) % 10];
      }
      (void)decoder.decode(damaged);
    }
  }
}

}  // namespace
}  // namespace cnplay::testing

// The three reports of made-up runs, as golden files. tests/report/browser_test.py looks at the
// HTML ones in a browser.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "report/html.h"
#include "report/junit.h"
#include "report/lines.h"
#include "report/markup.h"
#include "support/golden.h"
#include "support/report/made_up.h"

namespace cnplay::report {
namespace {

using namespace std::chrono_literals;
using events::Outcome;
using testing::expect_golden;
using testing::MadeUp;

bool holds(const std::string& text, std::string_view what) {
  return text.find(what) != std::string::npos;
}
std::size_t occurrences(const std::string& text, std::string_view what) {
  std::size_t n = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
  return n;
}

TEST(Reports, OfARunThatSucceeds) {
  MadeUp m;
  tell_success(m);
  const auto account = m.account();
  ASSERT_TRUE(account) << account.error().what;
  expect_golden("report/report_success.html", html(*account));
  expect_golden("report/report_success.xml", junit(*account));
  expect_golden("report/report_success.jsonl", json_lines(*account));
}

TEST(Reports, OfARunThatFails) {
  MadeUp m;
  tell_failure(m);
  const auto account = m.account();
  ASSERT_TRUE(account) << account.error().what;
  expect_golden("report/report_failed.html", html(*account));
  expect_golden("report/report_failed.xml", junit(*account));
  expect_golden("report/report_failed.jsonl", json_lines(*account));
}

TEST(Reports, OfADryRunTakeNoOutageAndCompareNoTimes) {
  MadeUp m;
  tell_success(m);
  auto& started = std::get<events::RunStarted>(m.record.events[0].what);
  started.mode = events::Mode::check;
  const plan::NodeId code = m.update.code;
  started.past = plan::Past{"staging", 5, {{code, 5, Duration{70'000}, Duration{120'000}}}};
  const auto account = m.account();
  ASSERT_TRUE(account) << account.error().what;
  const std::string page = html(*account);
  EXPECT_TRUE(holds(page, "an outage in a run")) << page;
  EXPECT_TRUE(holds(page, "These are the times of checks."));
  for (const char* said :
       {"the outage begins", "Outage:", "Total outage", "median", "over by", "over its budget",
        "expected <", "class=\"expect\"", "class=\"bad\">outage", "frames:"}) {
    EXPECT_FALSE(holds(page, said)) << said;
  }
  const std::string lines = json_lines(*account);
  EXPECT_EQ(occurrences(lines, "\"expect_ms\":"), occurrences(lines, "\"expect_ms\":null"))
      << lines;
  EXPECT_FALSE(holds(junit(*account), "outage"));
}

TEST(Reports, OfARunThatGoesOnOrWasCutOff) {
  MadeUp m;
  m.begin();
  m.story.tell(events::PhaseStarted{m.update.cutover});
  const auto task = m.story.begin(m.update.stop, 0);
  m.story.output(task, 0, "stopping gunicorn\n");
  About about;
  about.at_work = true;
  about.controller = "kim on desk";
  about.written = m.story.now + 7s;
  const auto going = m.account(about);
  ASSERT_TRUE(going);
  const std::string page = html(*going);
  EXPECT_TRUE(holds(page, "<strong>still running</strong>"));
  EXPECT_TRUE(holds(page, "still running, by kim on desk"));
  EXPECT_TRUE(holds(page, "7 s so far"));
  EXPECT_FALSE(holds(page, "What went wrong"));
  EXPECT_TRUE(holds(junit(*going), "the run is still running</error>"));
  EXPECT_TRUE(holds(json_lines(*going), R"("state":"running","verdict":null)"));
  expect_golden("report/report_going.html", page);

  about.at_work = false;
  const auto cut = m.account(about);
  ASSERT_TRUE(cut);
  const std::string rest = html(*cut);
  EXPECT_TRUE(holds(rest, "<strong>interrupted</strong>"));
  EXPECT_TRUE(holds(rest, "cnplay resume 20261120-213000-update_code-4f2a</code>"));
  EXPECT_TRUE(holds(rest, "its end is not in the record"));
  EXPECT_TRUE(holds(rest, "stopping gunicorn"));
  EXPECT_TRUE(holds(junit(*cut), "type=\"not_ended\""));
  EXPECT_TRUE(holds(json_lines(*cut), R"("state":"interrupted","verdict":null)"));
}

TEST(Reports, WhatPastRunsTookStandsBeside) {
  MadeUp m;
  tell_success(m);
  auto& started = std::get<events::RunStarted>(m.record.events.front().what);
  plan::Past past{"prod", 4, {}};
  past.steps.push_back({m.update.packages, 4, 70s, 120s});
  past.steps.push_back({m.update.migrate, 1, 116s, 116s});
  started.past = past;
  const auto account = m.account();
  ASSERT_TRUE(account) << account.error().what;
  const std::string page = html(*account);
  EXPECT_TRUE(holds(page, "<th>Past runs <small>4 runs on prod</small></th>"));
  EXPECT_TRUE(holds(page, "4 runs: median 1 min 10 s, worst 2 min 00 s</td>") ||
              holds(page, "4 runs: median 1 min 10 s, worst 2 min</td>"));
  EXPECT_TRUE(holds(page, "1 run: 1 min 56 s</td>"));
  const std::string lines = json_lines(*account);
  EXPECT_TRUE(holds(lines, R"("past_median_ms":70000)"));
  EXPECT_TRUE(holds(lines, R"("past_runs":4)"));
  EXPECT_TRUE(account->outage && account->outage->worst);
  // Without them there is no such column.
  started.past.reset();
  EXPECT_FALSE(holds(html(*m.account()), "Past runs"));
}

TEST(Reports, OfAFailedPreflight) {
  MadeUp m;
  events::RunStarted started = testing::run_started(m.plan);
  started.plan_hash = plan::hash(m.plan);
  m.story.tell(std::move(started));
  m.story.tell(events::PreflightProblem{1, "web2: Permission denied <publickey>", "add a key"});
  m.story.tell(events::PreflightEnded{false, 10ms});
  m.story.tell(m.ended(events::Verdict::unreachable));
  const auto account = m.account();
  ASSERT_TRUE(account) << account.error().what;
  EXPECT_TRUE(holds(html(*account), "Permission denied &lt;publickey&gt;"));
  const std::string xml = junit(*account);
  EXPECT_TRUE(holds(xml, "errors=\"2\""));
  EXPECT_TRUE(holds(xml, "preflight of web2 1"));
}

// --- what hosts say

TEST(Markup, EscapesEveryText) {
  Markup m;
  m << "<p>" << Text("</p><script>alert(\"1\" & '2')</script>") << "</p>";
  EXPECT_EQ(m.str(),
            "<p>&lt;/p&gt;&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)&lt;/script&gt;</p>");
  // NUL, BEL, an escape, C1, broken UTF-8, U+FFFF, a bidirectional override.
  Markup n;
  n << Text(
      std::string_view("a\0b\a\x1b[31mc\x1b[0m\xC2\x85\xFF\xEF\xBF\xBF\xE2\x80\xAE|\t\n", 27));
  EXPECT_EQ(n.str(), "abc\xEF\xBF\xBD\xEF\xBF\xBD|\t\n");
  Markup x;
  x << "<a b=\"" << Attribute("1\n2\t\"") << "\"/>" << Thousandths(-1005) << Number(7);
  EXPECT_EQ(x.str(), "<a b=\"1&#10;2&#9;&quot;\"/>-1.0057");
}

constexpr char kEvil[] =
    "</pre></script><script>document.title='owned'</script><img src=x "
    "onerror=\"document.title='owned'\">"
    "<style>*{display:none}</style><!-- ]]> ' \" `&lt; &#x3c;\x01\x1b]0;owned\x07\xC3(\xFF";

// Every field that a host, a play or an inventory can fill is filled with the same.
void tell_evil(MadeUp& m) {
  const std::string evil = kEvil;
  m.plan.title = m.plan.owner = m.plan.file = m.plan.inventory = evil;
  m.plan.hosts[1].name = evil;
  m.plan.params.emplace_back(evil, plan::Value(evil));
  m.plan.locks.push_back(evil);
  m.plan.phases[0].title = evil;
  for (plan::Node& node : m.plan.nodes) {
    node.title = node.where = evil;
    node.path += evil;
    for (plan::Action& action : node.actions) action.module = action.where = action.become = evil;
  }
  events::RunStarted started = testing::run_started(m.plan);
  started.run = started.user = started.controller = started.play = evil;
  started.plan_hash = started.program_hash = evil;
  m.story.tell(std::move(started));
  m.story.tell(events::HostConnected{1, evil, evil});
  m.story.tell(events::PreflightProblem{1, evil, evil});
  m.story.tell(events::HostUnreachable{1, evil, evil});
  m.story.tell(events::PhaseStarted{0});
  const auto task = m.story.begin(m.update.stop, 1);
  m.story.output(task, 1, evil);
  events::ActionEnded e;
  e.node = m.update.stop;
  e.host = 1;
  e.task = task;
  e.outcome = Outcome::failed;
  e.message = e.diff = e.tail = Untrusted(evil);
  e.reason = evil;
  e.facts = {{evil, Untrusted(evil)}};
  m.story.tell(std::move(e));
  m.story.tell(events::StepEnded{m.update.stop, 1, {}, Outcome::failed, evil, 1s});
  m.story.tell(events::Held{evil});
  m.story.tell(events::Notice{evil});
  m.story.tell(events::RollbackOffered{evil});
  m.story.tell(events::RunResumed{evil, evil});
  events::RunEnded end = m.ended(events::Verdict::failed);
  end.advice = evil;
  end.hosts = {{.host = 1, .failed = 1}};
  m.story.tell(std::move(end));
}

TEST(Reports, NothingThatIsSaidBecomesMarkup) {
  MadeUp m;
  tell_evil(m);
  About about;
  about.controller = kEvil;
  const auto account = m.account(about);
  ASSERT_TRUE(account) << account.error().what;
  const std::string page = html(*account);
  EXPECT_GT(occurrences(page, "&lt;img src=x onerror=&quot;"), 30U);
  for (const char* tag : {"<script", "<img", "<!--", "onerror=\"", "`&lt; <"}) {
    EXPECT_FALSE(holds(page, tag)) << tag;
  }
  EXPECT_EQ(occurrences(page, "<style>"), 1U);
  for (const std::string& text : {page, junit(*account), json_lines(*account)}) {
    EXPECT_EQ(to_valid_utf8(text), text);
    for (const char c : text) {
      ASSERT_TRUE(static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t') << int(c);
    }
  }
  expect_golden("report/report_hostile.html", page);
  expect_golden("report/report_hostile.xml", junit(*account));
  const std::string lines = json_lines(*account);
  for (std::size_t begin = 0; begin < lines.size();) {
    const std::size_t end = lines.find('\n', begin);
    EXPECT_TRUE(nlohmann::json::accept(lines.substr(begin, end - begin)));
    begin = end + 1;
  }
}

TEST(Reports, AHundredMegabytesAreCutAndSaidToBe) {
  MadeUp m;
  m.begin();
  const auto task = m.story.begin(m.update.stop, 0);
  std::string chunk;
  while (chunk.size() < (1 << 20)) chunk += "<a line of output & more>\n";
  chunk.resize(1 << 20);
  for (int i = 0; i < 100; ++i) m.story.output(task, 0, chunk);
  m.story.output(task, 0, "\nthe end: disk full\n");
  m.story.end(task, m.update.stop, 0, Outcome::failed, "", 1, "disk full");
  m.story.tell(m.ended(events::Verdict::failed));
  const auto account = m.account();
  ASSERT_TRUE(account) << account.error().what;
  const std::string page = html(*account);
  EXPECT_LT(page.size(), 300'000U);
  EXPECT_TRUE(holds(page, "99.9 MiB left out here, of 100.0 MiB."));
  EXPECT_TRUE(holds(page, "the end: disk full"));
  const std::string xml = junit(*account);
  EXPECT_LT(xml.size(), 300'000U);
  EXPECT_TRUE(holds(xml, "bytes left out here)"));
  EXPECT_TRUE(holds(xml, "the end: disk full"));
  const std::string lines = json_lines(*account);
  EXPECT_LT(lines.size(), 300'000U);
  EXPECT_TRUE(holds(lines, "\"text_left_out_bytes\":1047"));
}

TEST(Reports, ManyHostsThatFailFillNoDisk) {
  MadeUp m;
  m.update = testing::update_code(1000);
  m.begin();
  for (plan::HostIndex h = 0; h < 1000; ++h) {
    const auto task = m.story.begin(m.update.stop, h);
    // Each says something else, so that none stands for the others.
    m.story.output(task, h, std::to_string(h) + std::string(60'000, '&') + "\n");
    m.story.end(task, m.update.stop, h, h % 2 == 0 ? Outcome::failed : Outcome::changed);
  }
  m.story.tell(m.ended(events::Verdict::failed));
  const auto account = m.account();
  ASSERT_TRUE(account) << account.error().what;
  const std::string page = html(*account);
  EXPECT_LT(page.size(), 12'000'000U);
  EXPECT_TRUE(holds(page, "left out here: this report shows at most 8.0 MiB"));
  EXPECT_TRUE(holds(page, "and 960 hosts more: 490 changed, 470 failed")) << page.size();
  EXPECT_LT(junit(*account).size(), 12'000'000U);
}

TEST(Reports, ManyNoticesAreCutAndSaidToBe) {
  MadeUp m;
  m.begin();
  for (int i = 0; i < 1000; ++i) m.story.tell(events::Notice{"notice " + std::to_string(i)});
  m.story.tell(m.ended(events::Verdict::success));
  const std::string page = html(*m.account());
  EXPECT_EQ(occurrences(page, "<td class=\"said\">notice "), 399U);  // and one of the preflight
  EXPECT_TRUE(holds(page, "Only the first 400 are listed; the record has all."));
}

TEST(Reports, HumanStepsStandInTimingsAndTimelineInTheirOrder) {
  MadeUp m;
  m.ask_people(m.update.smoke);
  m.begin();
  m.story.tell(events::PhaseStarted{m.update.cutover});
  m.step(m.update.stop, 0, events::Outcome::changed, 20);
  m.story.tell(events::HumanStarted{m.update.smoke, {}, {}, {}});
  m.story.pass(60);
  m.story.tell(events::HumanEnded{m.update.smoke, events::HumanEnd::answered, 60s});
  m.step(m.update.open, 0, events::Outcome::changed, 5);
  const std::string page = html(*m.account());
  const std::string row = "cutover/smoke</th><td data-label=\"On\">people</td>";
  EXPECT_TRUE(holds(page, row)) << page;
  EXPECT_TRUE(holds(page, "<td data-label=\"Note\">test, over by 30 s</td>"));
  const auto timeline = page.find("<h2>Timeline");
  ASSERT_NE(timeline, std::string::npos);
  const auto at = page.find("cutover/smoke", timeline);
  EXPECT_LT(page.find("cutover/stop", timeline), at);
  EXPECT_LT(at, page.find("cutover/open", timeline));
}

TEST(Reports, TimelineSaysWhoAnsweredAHumanStep) {
  MadeUp m;
  m.ask_people(m.update.smoke).human->kind = plan::HumanKind::approve;
  m.ask_people(m.update.open).human->kind = plan::HumanKind::manual;
  m.begin();
  m.story.tell(events::HumanStarted{m.update.smoke, {}, {}, {}});
  for (const char* user : {"kim", "lee"}) {
    events::HumanAnswered answer;
    answer.node = m.update.smoke;
    answer.user = user;
    answer.yes = true;
    m.story.tell(std::move(answer));
  }
  m.story.tell(events::HumanEnded{m.update.smoke, events::HumanEnd::answered, 60s});
  m.story.tell(events::HumanStarted{m.update.open, {}, {}, {}});
  const std::string page = html(*m.account());
  EXPECT_TRUE(holds(page, "cutover/smoke</th><td class=\"dim\">approved by kim, lee</td>")) << page;
  EXPECT_TRUE(holds(page, "cutover/open</th><td class=\"dim\">not answered</td>"));
}

TEST(Reports, AParkedRunSaysSoAndItsOutageContinues) {
  MadeUp m;
  m.ask_people(m.update.smoke);
  m.begin();
  m.story.tell(events::PhaseStarted{m.update.cutover});
  m.story.tell(events::HumanStarted{m.update.smoke, {}, {}, {}});
  m.story.tell(events::RunParked{m.update.smoke, "nobody is at a terminal", "To answer: cnplay"});
  About about;
  about.written = m.story.now + 90s;
  const auto parked = m.account(about);
  ASSERT_TRUE(parked);
  const std::string page = html(*parked);
  EXPECT_TRUE(holds(page, "<strong>parked</strong>")) << page;
  EXPECT_TRUE(holds(page, "cutover/smoke: nobody is at a terminal\nTo answer: cnplay</p>"));
  EXPECT_TRUE(holds(page, "Outage: <strong>1 min 30 s</strong>"));
  EXPECT_TRUE(holds(page, "It continues: the site is down."));
  EXPECT_TRUE(holds(page, "waiting for people"));
  EXPECT_TRUE(holds(junit(*parked), "nobody is at a terminal\nTo answer: cnplay</error>"));
  EXPECT_TRUE(holds(json_lines(*parked), R"("state":"parked")"));
  m.story.tell(events::RunResumed{"lee", "laptop"});
  EXPECT_TRUE(holds(html(*m.account(about)), "<strong>interrupted</strong>"));
}

// The first band of a page: the verdict and what belongs to it.
std::string band_of(const std::string& page) {
  const std::size_t begin = page.find("<div class=\"verdict");
  return page.substr(begin, page.find("</div>", begin) - begin);
}

TEST(Reports, TheFirstBandHasTheOutageAndWhatRemainsOnHosts) {
  MadeUp m;
  tell_failure(m);
  const std::string page = html(*m.account());
  const std::string band = band_of(page);
  EXPECT_TRUE(holds(band, "<strong>failed</strong> after ")) << band;
  EXPECT_TRUE(holds(band, "Outage: <strong>2 min 22 s</strong>, expected 6 min.")) << band;
  EXPECT_TRUE(holds(band, "<p class=\"remains\">Failed, perhaps half done, and not undone:"));
  EXPECT_FALSE(holds(band, "Undone: "));
  EXPECT_EQ(occurrences(page, "Failed, perhaps half done"), 1U);
  EXPECT_TRUE(holds(page, "<p class=\"advice\">Undone: `announce`"));
}

TEST(Reports, WhatHoldTellsPeopleStandsOnceWithTheFailure) {
  MadeUp m;
  tell_failure(m);
  const std::string page = html(*m.account());
  EXPECT_EQ(occurrences(page, "Restore the snapshot by hand."), 1U);
  const std::size_t at = page.find("<strong>On hold:</strong>");
  EXPECT_LT(page.find("<section id=\"failed\">"), at);
  EXPECT_LT(at, page.find("<section id=\"times\">"));
  // A resumed run is on hold no more; its record still has the message.
  m.story.tell(events::PlanTaken{});
  const std::string resumed = html(*m.account());
  EXPECT_FALSE(holds(resumed, "On hold:"));
  EXPECT_TRUE(holds(resumed, "held: The maintenance page stays up."));
}

TEST(Reports, ProblemsOfThePreflightStandOnce) {
  MadeUp m;
  m.begin();
  m.story.tell(events::PreflightProblem{1, "web2: no python", "install it"});
  m.story.tell(m.ended(events::Verdict::unreachable));
  EXPECT_EQ(occurrences(html(*m.account()), "no python"), 1U);
}

TEST(Reports, LongOutputIsFoldedUpToItsLastLines) {
  MadeUp m;
  m.begin();
  const auto task = m.story.begin(m.update.stop, 0);
  for (int i = 1; i <= 40; ++i) m.story.output(task, 0, "line " + std::to_string(i) + "\n");
  m.story.end(task, m.update.stop, 0, Outcome::failed);
  m.story.tell(m.ended(events::Verdict::failed));
  const std::string page = html(*m.account());
  EXPECT_TRUE(holds(page, "<details><summary>28 earlier lines</summary>")) << page;
  EXPECT_TRUE(holds(page, "line 28\n</pre>\n</details>\n<pre tabindex=\"0\">\nline 29\n"));
}

TEST(Reports, ShortOutputAndOneLongLineAreNotFolded) {
  MadeUp m;
  m.begin();
  const auto task = m.story.begin(m.update.stop, 0);
  for (int i = 1; i <= 15; ++i) m.story.output(task, 0, "line " + std::to_string(i) + "\n");
  m.story.end(task, m.update.stop, 0, Outcome::failed);
  const auto other = m.story.begin(m.update.stop, 1);
  m.story.output(other, 1, std::string(20'000, 'x'));
  m.story.end(other, m.update.stop, 1, Outcome::failed);
  m.story.tell(m.ended(events::Verdict::failed));
  EXPECT_FALSE(holds(html(*m.account()), "<details>"));
}

TEST(Reports, LongDiffIsFoldedAfterItsFirstLines) {
  MadeUp m;
  m.begin();
  const auto task = m.story.begin(m.update.code, 0);
  events::ActionEnded e;
  e.node = m.update.code;
  e.host = 0;
  e.task = task;
  e.outcome = Outcome::changed;
  std::string diff;
  for (int i = 1; i <= 100; ++i) diff += "+reef " + std::to_string(i) + "\n";
  e.diff = Untrusted(diff);
  m.story.tell(std::move(e));
  const std::string page = html(*m.account());
  EXPECT_TRUE(holds(page, "<ins>+reef 24</ins>\n</pre>\n<details><summary>76 more lines</summary>"))
      << page;
}

TEST(Reports, AStepOnOneHostIsOneRowOfTheTimeline) {
  MadeUp m;
  tell_success(m);
  const std::string page = html(*m.account());
  const std::string timeline = page.substr(page.find("<h2>Timeline"));
  EXPECT_TRUE(holds(timeline,
                    "cutover/snapshot <span class=\"on\">on db1</span></th>"
                    "<td class=\"change\">changed</td>"))
      << timeline;
  EXPECT_FALSE(holds(timeline, ">1 host<"));
  EXPECT_EQ(occurrences(timeline, ">db1<"), 1U);  // in the table of hosts
}

TEST(Reports, APhaseOverItsBudgetSaysSo) {
  MadeUp m;
  m.begin();
  m.story.tell(events::PhaseStarted{m.update.cutover});
  m.step(m.update.stop, 0, Outcome::changed, 901);
  m.story.tell(events::PhaseEnded{m.update.cutover, 901s, true});
  m.story.tell(m.ended(events::Verdict::success));
  EXPECT_TRUE(holds(html(*m.account()), "over its budget of 15 min<"));
}

TEST(Reports, AWindowThatHasClosedAndWhatWasSaidOfIt) {
  MadeUp m;
  m.begin();
  const Time until = *parse_time("2026-11-20 22:00 UTC");
  m.story.tell(events::WindowClosed{until, false, std::chrono::hours{-2}});
  m.story.tell(events::WindowAnswered{"kim", "desk", events::AtWindow::go_on});
  m.story.tell(m.ended(events::Verdict::success));
  const std::string page = html(*m.account());
  EXPECT_TRUE(holds(page,
                    "The window closed at 2026-11-20 22:00:00 UTC, before the run had ended: "
                    "kim let it continue.</p>"));
  EXPECT_TRUE(holds(page, "the clock was set back by 2 h"));
  EXPECT_TRUE(holds(page, "kim on desk lets the run continue after its window"));
  const std::string lines = json_lines(*m.account());
  EXPECT_TRUE(holds(lines, R"("type":"window_closed")"));
  EXPECT_TRUE(holds(lines, R"("past_pivot":false,"choice":"go_on","user":"kim")"));
}

TEST(Reports, AWindowThatClosedPastThePointOfNoReturn) {
  MadeUp m;
  m.begin();
  m.story.tell(events::WindowClosed{*parse_time("2026-11-20 22:00 UTC"), true, {}});
  m.story.tell(m.ended(events::Verdict::success));
  EXPECT_TRUE(holds(html(*m.account()), "it continued without a rollback.</p>"));
  EXPECT_TRUE(holds(html(*m.account()), "THE RUN CONTINUES, for it cannot be undone"));
}

TEST(Reports, ANotificationThatReachedNobody) {
  MadeUp m;
  m.begin();
  m.story.tell(m.ended(events::Verdict::success));
  m.story.tell(events::NotificationFailed{"the webhook", "prod.inv:3", "the server answered 500",
                                          "ask <it>"});
  const auto account = m.account();
  ASSERT_TRUE(account) << account.error().what;
  EXPECT_EQ(account->state, report::State::ended);
  const std::string page = html(*account);
  EXPECT_TRUE(holds(page, "The notification by the webhook (prod.inv:3) failed at "));
  EXPECT_FALSE(holds(page, "<it>"));
  EXPECT_TRUE(holds(json_lines(*account), R"("type":"not_told")"));
}

TEST(Reports, HostsThatFailAlikeAreToldOfOnce) {
  MadeUp m;
  m.begin();
  for (const plan::HostIndex h : {0U, 1U}) {
    const auto task = m.story.begin(m.update.stop, h);
    m.story.output(task, h, "no such program\n");
    m.story.end(task, m.update.stop, h, Outcome::failed);
  }
  m.story.tell(m.ended(events::Verdict::failed));
  const std::string page = html(*m.account());
  EXPECT_EQ(occurrences(page, "no such program"), 1U);
  EXPECT_TRUE(holds(page, "cutover/stop on web1, web2: "));
}

}  // namespace
}  // namespace cnplay::report

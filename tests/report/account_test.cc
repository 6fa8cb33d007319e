#include "report/account.h"

#include <gtest/gtest.h>

#include "base/intervals.h"
#include "report/excerpt.h"
#include "support/report/made_up.h"

namespace cnplay::report {
namespace {

using namespace std::chrono_literals;
using events::Outcome;
using events::Part;
using testing::MadeUp;

Interval span(int from, int to) {
  return {Instant{std::chrono::seconds{from}}, Instant{std::chrono::seconds{to}}};
}

TEST(Intervals, AsSets) {
  const Intervals a = merged({span(5, 9), span(0, 3), span(2, 4), span(7, 7)});
  EXPECT_EQ(a, (Intervals{span(0, 4), span(5, 9)}));
  EXPECT_EQ(without(a, {span(1, 2), span(3, 6), span(8, 20)}),
            (Intervals{span(0, 1), span(2, 3), span(6, 8)}));
  EXPECT_EQ(common(a, {span(3, 6)}), (Intervals{span(3, 4), span(5, 6)}));
  EXPECT_EQ(without(a, a), Intervals{});
  EXPECT_EQ(length(a), 8s);
}

TEST(Excerpt, KeepsAShortTextWhole) {
  Excerpt e;
  std::string all;
  while (all.size() + 7 <= Excerpt::kHead + Excerpt::kTail) {
    e.add("0123456");
    all += "0123456";
  }
  e.add(std::string(Excerpt::kHead + Excerpt::kTail - all.size(), 'x'));
  EXPECT_EQ(e.left_out(), 0U);
  EXPECT_EQ(std::string(e.head()) + std::string(e.tail()),
            all + std::string(Excerpt::kHead + Excerpt::kTail - all.size(), 'x'));
}

TEST(Excerpt, KeepsWholeLinesOfBothEndsOfALongText) {
  Excerpt e;
  std::uint64_t total = 0;
  for (int i = 0; i < 1'000'000; ++i) {
    const std::string line = "line " + std::to_string(i) + "\n";
    total += line.size();
    e.add(line);
  }
  EXPECT_EQ(e.total(), total);
  EXPECT_TRUE(e.head().starts_with("line 0\n"));
  EXPECT_TRUE(e.head().ends_with("\n"));
  EXPECT_TRUE(e.tail().starts_with("line 9"));
  EXPECT_TRUE(e.tail().ends_with("line 999999\n"));
  EXPECT_GT(e.tail().size(), Excerpt::kTail - 20);
  EXPECT_EQ(e.left_out(), total - e.head().size() - e.tail().size());
}

TEST(Excerpt, TearsNoCharacterWhereThereAreNoLines) {
  for (const std::size_t shift : {0, 1, 2}) {
    Excerpt e;
    e.add(std::string(shift, 'x'));
    for (int i = 0; i < 100'000; ++i) e.add("€");
    EXPECT_EQ(to_valid_utf8(e.head()), e.head());
    EXPECT_EQ(to_valid_utf8(e.tail()), e.tail());
    EXPECT_EQ(e.head().size() + e.tail().size() + e.left_out(), 300'000 + shift);
  }
}

TEST(Account, PutsStepsInOrderWithTheirTimes) {
  MadeUp m;
  tell_failure(m);
  const auto account = m.account();
  ASSERT_TRUE(account) << account.error().what;
  EXPECT_EQ(account->state, State::ended);
  EXPECT_FALSE(account->other_plan);
  ASSERT_EQ(account->resumes.size(), 1U);
  EXPECT_EQ(account->resumes[0].second->user, "lee");
  ASSERT_EQ(account->steps.size(), 6U);
  const Step& code = account->steps[2];
  EXPECT_EQ(code.node, m.update.code);
  ASSERT_EQ(code.runs.size(), 2U);
  EXPECT_EQ(code.runs[1].attempts, 2U);
  EXPECT_EQ(code.runs[1].outcome, Outcome::failed);
  EXPECT_EQ(code.runs[1].actions.size(), 2U);
  EXPECT_EQ(*code.runs[1].to - code.runs[1].from, 13s);
  EXPECT_EQ(*code.to - code.from, 17s);
  ASSERT_EQ(code.runs[1].actions[1].output.size(), 1U);
  EXPECT_TRUE(code.runs[0].actions[0].output.empty()) << "nobody reads the output of what is well";
  EXPECT_EQ(account->steps[3].part, Part::undo);
  EXPECT_EQ(account->hosts[1].reconnects, 1U);
  // Pages, packages and all that follows.
  EXPECT_EQ(account->not_begun.size(), 9U);
  ASSERT_TRUE(account->outage);
  EXPECT_EQ(account->outage->total, 142s);
  EXPECT_EQ(account->outage->excluding_testing, 142s);
}

TEST(Account, TakesTestingOutOfTheOutage) {
  MadeUp m;
  tell_success(m);
  const auto account = m.account();
  ASSERT_TRUE(account) << account.error().what;
  ASSERT_TRUE(account->outage);
  EXPECT_EQ(account->outage->total, 310s);
  EXPECT_EQ(account->outage->excluding_testing, 270s);
  EXPECT_EQ(account->outage->expect, 6min);
  EXPECT_EQ(account->outage->expect_excluding_testing, 330s);
}

TEST(Account, PeopleWhoTestAreTesting) {
  for (const bool testing : {true, false}) {
    MadeUp m;
    m.ask_people(m.update.smoke).testing = testing;
    m.begin();
    m.story.tell(events::PhaseStarted{m.update.cutover});
    m.step(m.update.stop, 0, Outcome::changed, 20);
    m.story.tell(events::HumanStarted{m.update.smoke, {}, {}, {}});
    m.story.pass(60);
    m.story.tell(events::HumanEnded{m.update.smoke, events::HumanEnd::answered, 60s});
    m.story.tell(events::PhaseEnded{m.update.cutover, 80s, true});
    const auto account = m.account();
    ASSERT_TRUE(account) << account.error().what;
    EXPECT_EQ(account->outage->total, 80s);
    EXPECT_EQ(account->outage->excluding_testing, testing ? 20s : 80s);
  }
}

TEST(Account, ATestBesideOtherWorkIsNoTesting) {
  MadeUp m;
  m.begin();
  m.story.tell(events::PhaseStarted{m.update.cutover});
  const auto work = m.story.begin(m.update.migrate, 0);
  m.story.pass(5);
  const auto test = m.story.begin(m.update.smoke, 1);
  m.story.pass(10);
  m.story.end(work, m.update.migrate, 0, Outcome::changed);
  m.story.pass(3);
  m.story.end(test, m.update.smoke, 1, Outcome::ok);
  m.story.tell(events::PhaseEnded{m.update.cutover, 18s, true});
  const auto account = m.account();
  ASSERT_TRUE(account) << account.error().what;
  EXPECT_EQ(account->outage->total, 18s);
  EXPECT_EQ(account->outage->excluding_testing, 15s);
  EXPECT_FALSE(account->outage->open);
}

TEST(Account, OfARunThatGoesOn) {
  MadeUp m;
  m.begin();
  m.story.tell(events::PhaseStarted{m.update.cutover});
  m.story.begin(m.update.stop, 0);
  About about;
  about.at_work = true;
  about.controller = "kim on desk";
  about.written = m.story.now + 7s;
  auto account = m.account(about);
  ASSERT_TRUE(account);
  EXPECT_EQ(account->state, State::running);
  EXPECT_EQ(took(*account, account->steps[0].from, account->steps[0].to), 7s);
  EXPECT_TRUE(account->outage->open);
  about.at_work = false;
  account = m.account(about);
  ASSERT_TRUE(account);
  EXPECT_EQ(account->state, State::interrupted);
  EXPECT_EQ(took(*account, account->steps[0].from, account->steps[0].to), 0s)
      << "nobody knows what came after the record's end";
}

TEST(Account, ADryRunHasNoOutage) {
  MadeUp m;
  m.begin();
  std::get<events::RunStarted>(m.record.events[0].what).mode = events::Mode::check;
  m.story.tell(events::PhaseStarted{m.update.cutover});
  EXPECT_FALSE(m.account()->outage);
}

std::string error_of(const MadeUp& m) {
  const auto account = m.account();
  return account ? "" : account.error().what;
}

TEST(Account, RefusesARecordThatContradictsItself) {
  MadeUp missing;
  tell_success(missing);
  missing.record.events.erase(missing.record.events.begin() + 7);
  EXPECT_EQ(error_of(missing), "event 9 follows event 7: what was between them is missing");

  MadeUp twice;
  tell_success(twice);
  twice.record.events.insert(twice.record.events.begin() + 7, twice.record.events[6]);
  EXPECT_EQ(error_of(twice), "event 7 follows event 7");

  MadeUp empty;
  EXPECT_EQ(error_of(empty), "the run was interrupted before it began: there is nothing to report");

  MadeUp other;
  tell_success(other);
  other.plan.nodes[other.update.code].actions.clear();
  EXPECT_EQ(error_of(other), "event 33: the plan has no action 0 in update_code/cutover/code");
}

TEST(Account, SaysThatThePlanIsAnotherOne) {
  MadeUp m;
  tell_success(m);
  m.plan.nodes[m.update.smoke].actions[0].params.clear();
  const auto account = m.account();
  ASSERT_TRUE(account) << account.error().what;
  EXPECT_TRUE(account->other_plan);
}

}  // namespace
}  // namespace cnplay::report

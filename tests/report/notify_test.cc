#include "report/notify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/report/made_up.h"

namespace cnplay::testing {
namespace {

using nlohmann::json;
using report::Occasion;
using ::testing::HasSubstr;
using ::testing::Not;

plan::Notification mail_to(std::vector<std::string> to) {
  plan::Notification n;
  n.kind = plan::NotifyKind::mail;
  n.from = "cnplay@example.org";
  n.to = std::move(to);
  n.on_failure = true;
  return n;
}

Occasion of(MadeUp& m) {
  report::OccasionSink sink(m.plan);
  for (const auto& event : m.record.events) sink.on(event);
  return sink.occasion();
}

TEST(Notify, WhatARunCameTo) {
  MadeUp m;
  m.begin();
  m.step(m.update.code, 1, events::Outcome::failed, 5);
  events::RunEnded end = m.ended(events::Verdict::failed);
  end.advice = "Fix the cause.";
  end.outage = Duration{5000};
  end.outage_open = true;
  m.story.tell(end);
  const Occasion o = of(m);
  const json out = json::parse(report::document(o));
  EXPECT_EQ(out["version"], 1);
  EXPECT_EQ(out["event"], "failed");
  EXPECT_EQ(out["took_ms"], 6000);
  EXPECT_EQ(out["failed"], json::parse(R"([{"step":"update_code/cutover/code","host":"web2",
                                            "outcome":"failed"}])"));
  EXPECT_EQ(out["outage_open"], true);
  EXPECT_EQ(report::subject(o), "update_code on staging: failed");
  EXPECT_THAT(report::letter(o), HasSubstr("the site is still down"));
  EXPECT_THAT(report::letter(o), HasSubstr("web2  update_code/cutover/code: failed"));
}

TEST(Notify, OnWhat) {
  plan::Notification finish, failure, parked;
  finish.on_finish = true;
  failure.on_failure = true;
  parked.on_parked = true;
  const auto who = [&](const Occasion& o) {
    std::string text;
    if (wants(finish, o)) text += "finish ";
    if (wants(failure, o)) text += "failure ";
    if (wants(parked, o)) text += "parked ";
    return text;
  };
  Occasion o;
  EXPECT_EQ(who(o), "") << "nothing has begun";
  o.run = "r";
  EXPECT_EQ(who(o), "") << "it has no end";
  o.verdict = "success";
  EXPECT_EQ(who(o), "finish ");
  o.verdict = "unreachable";
  EXPECT_EQ(who(o), "finish failure ");
  o.dry = true;
  EXPECT_EQ(who(o), "");
  o.dry = false;
  o.verdict.clear();
  o.parked_at = "update_code/go";
  EXPECT_EQ(who(o), "parked ");
}

// A run that was parked, resumed, and ended is not parked any more.
TEST(Notify, ParkedUntilItIsResumed) {
  MadeUp m;
  m.begin();
  m.story.tell(events::RunParked{m.update.code, "nobody is there", "cnplay answer"});
  EXPECT_EQ(json::parse(report::document(of(m)))["waits_for"], "update_code/cutover/code");
  m.story.tell(events::RunResumed{"ann", "lap"});
  m.story.tell(m.ended(events::Verdict::success));
  const json out = json::parse(report::document(of(m)));
  EXPECT_EQ(out["event"], "finished");
  EXPECT_FALSE(out.contains("waits_for"));
}

TEST(Notify, NoTextEndsALineOfAMail) {
  Occasion o;
  o.run = "r\r\nX-Run: 1";
  o.play = "update\r\nBcc: eve@example.org";
  o.inventory = std::string("größe \xff\x1b[31m", 15);
  o.verdict = "failed";
  o.advice = "one\n.\nQUIT\r\n" + std::string(3000, 'x') + "\xe2\x82";
  const std::string text = report::mail(mail_to({"ops@example.org", "kim@example.org"}), o,
                                        *parse_rfc3339("2026-11-20T21:30:05Z"));
  const std::size_t head_end = text.find("\r\n\r\n");
  ASSERT_NE(head_end, std::string::npos);
  const std::string head = text.substr(0, head_end + 2);
  EXPECT_THAT(head, Not(HasSubstr("\r\nBcc")));
  EXPECT_THAT(head, Not(HasSubstr("\r\nX-Run")));
  EXPECT_THAT(head, HasSubstr("Date: Fri, 20 Nov 2026 21:30:05 +0000\r\n"));
  EXPECT_THAT(head, HasSubstr("To: <ops@example.org>,\r\n <kim@example.org>\r\n"));
  std::size_t line = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') {
      ASSERT_EQ(text[i - 1], '\r');
      EXPECT_LE(i - line, 79u) << text.substr(line, i - line);
      line = i + 1;
    } else {
      EXPECT_TRUE(c == '\r' || (c >= ' ' && c < 0x7F)) << int{c};
    }
  }
}

TEST(Notify, OfManyFailuresTheFirst) {
  MadeUp m;
  m.begin();
  for (int i = 0; i < 250; ++i) m.step(m.update.code, 0, events::Outcome::unknown, 0.001);
  m.story.tell(m.ended(events::Verdict::unknown));
  const json out = json::parse(report::document(of(m)));
  EXPECT_EQ(out["failed"].size(), report::OccasionSink::kBad);
  EXPECT_EQ(out["failed_in_all"], 250);
}

}  // namespace
}  // namespace cnplay::testing

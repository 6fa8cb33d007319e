#include "report/grouped.h"

#include <gtest/gtest.h>

namespace cnplay::report {
namespace {

using events::Outcome;

class Grouped : public ::testing::Test {
 protected:
  Grouped() {
    for (int i = 1; i <= 12; ++i) {
      plan::Host host;
      host.name = "web" + std::to_string(i);
      plan_.hosts.push_back(host);
    }
    sink_ = std::make_unique<GroupedSink>(plan_, Options{},
                                          [this](const std::string& text) { shown_ += text; });
  }
  void say(plan::HostIndex host, const std::string& text,
           events::Stream stream = events::Stream::out) {
    sink_->on({0, {}, events::Output{host, host, events::Stage::apply, stream, Untrusted(text)}});
  }
  void end(plan::HostIndex host, Outcome outcome, std::optional<int> code = 0,
           const std::string& reason = "") {
    events::ActionEnded e;
    e.host = host;
    e.outcome = outcome;
    e.exit_code = code;
    e.reason = reason;
    sink_->on({0, {}, e});
  }
  const std::string& finish() {
    sink_->on({0, {}, events::RunEnded{}});
    return shown_;
  }

  plan::Plan plan_;
  std::unique_ptr<GroupedSink> sink_;
  std::string shown_;
};

TEST_F(Grouped, TheOrderBetweenTheStreamsIsNoDifference) {
  for (plan::HostIndex h = 0; h < 12; ++h) {
    if (h % 2 == 0) say(h, "to err\n", events::Stream::err);
    say(h, "to out");
    if (h % 2 == 1) say(h, "to err\n", events::Stream::err);
    end(h, Outcome::changed);
  }
  EXPECT_NE(finish().find("(12 hosts)  ok\n    to out\n    to err\n"), std::string::npos) << shown_;
}

TEST_F(Grouped, EqualAnswersAreShownOnceTheMostFrequentFirstFailuresLast) {
  for (plan::HostIndex h = 0; h < 12; ++h) {
    if (h == 2) {
      say(h, "no such file\n", events::Stream::err);
      end(h, Outcome::failed, 3, "apply exited with 3");
    } else if (h == 5) {
      sink_->on({0, {}, events::HostUnreachable{h, "connection refused", "is sshd up?"}});
    } else if (h == 7) {
      end(h, Outcome::unknown, std::nullopt, "the connection was lost");
    } else {
      say(h, h == 0 ? "6.2\n" : "6.");
      if (h != 0) say(h, "1\n");  // cut anywhere, it is the same text
      end(h, Outcome::changed);
    }
  }
  EXPECT_EQ(finish(),
            "web2, web4, web5, web7, web9, web10 and 2 more (8 hosts)  ok\n"
            "    6.1\n"
            "web1  ok\n"
            "    6.2\n"
            "web3  exit 3\n"
            "    no such file\n"
            "web8  unknown  the connection was lost\n"
            "web6  unreachable  connection refused\n");
}

TEST_F(Grouped, WhatHostsSendIsHarmlessAndBounded) {
  plan_.hosts.resize(1);
  sink_ = std::make_unique<GroupedSink>(plan_, Options{},
                                        [this](const std::string& text) { shown_ += text; });
  say(0, "\x1b]0;evil\x07\x1b[31mred\n");
  for (int i = 0; i < 300; ++i) say(0, std::string(8 << 10, 'x'));
  end(0, Outcome::changed);
  const std::string& text = finish();
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_LT(text.size(), GroupedSink::kOutputCap * 2);
  EXPECT_NE(text.find("more are left out"), std::string::npos);
}

TEST_F(Grouped, AllHostsTogetherAreBounded) {
  plan_.hosts.resize(200);
  std::size_t written = 0;
  sink_ = std::make_unique<GroupedSink>(plan_, Options{},
                                        [&](const std::string& text) { written += text.size(); });
  for (plan::HostIndex h = 0; h < 200; ++h) {
    for (int i = 0; i < 64; ++i) say(h, std::string(16 << 10, 'x') + std::to_string(h));
    end(h, Outcome::changed);
  }
  finish();
  EXPECT_LT(written, GroupedSink::kOutputCapOfAll + GroupedSink::kOutputCap);
  EXPECT_GT(written, GroupedSink::kOutputCapOfAll / 2);
}

TEST_F(Grouped, AHostThatNeverRanIsNotLeftOut) {
  plan_.hosts.resize(2);
  sink_ = std::make_unique<GroupedSink>(plan_, Options{},
                                        [this](const std::string& text) { shown_ += text; });
  end(0, Outcome::changed);
  EXPECT_EQ(finish(), "web1  ok\nweb2  not run\n");
}

}  // namespace
}  // namespace cnplay::report

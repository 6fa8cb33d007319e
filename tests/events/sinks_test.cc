#include <gtest/gtest.h>

#include "events/event.h"
#include "events/redact.h"
#include "support/plan/update_code.h"

namespace cnplay::testing {
namespace {

using namespace cnplay::events;

class Memory final : public Sink {
 public:
  void on(const Event& event) override {
    events.push_back(event);
    if (order != nullptr) *order += name;
  }
  void progress(const Progress& progress, Instant) override { done += progress.done; }
  void tick(Instant) override { ++ticks; }
  Status healthy() const override {
    if (!broken.empty()) return fail(broken);
    return {};
  }
  std::vector<Event> events;
  int ticks = 0;
  std::uint64_t done = 0;
  std::string broken;
  std::string name;
  std::string* order = nullptr;
};

TEST(Tee, HandsOnInOrderAndReportsTheSick) {
  std::string order;
  Memory first;
  Memory second;
  first.name = "a";
  second.name = "b";
  first.order = second.order = &order;
  Tee tee({&first, &second});
  tee.on(Event{1, {}, PreflightStarted{}});
  tee.on(Event{2, {}, PreflightStarted{}});
  tee.tick({});
  EXPECT_EQ(order, "abab");
  EXPECT_EQ(second.ticks, 1);
  EXPECT_TRUE(tee.healthy());
  RedactingSink(tee, {}).progress({1, 0, 7, 10}, {});
  EXPECT_EQ(first.done + second.done, 14U);
  second.broken = "disk full";
  ASSERT_FALSE(tee.healthy());
  EXPECT_EQ(tee.healthy().error().what, "disk full");
}

TEST(Names, EveryOneIsReadBack) {
  for (int i = 0; i <= static_cast<int>(Outcome::depends); ++i) {
    const auto outcome = static_cast<Outcome>(i);
    EXPECT_EQ(outcome_of(name(outcome)), outcome);
  }
  EXPECT_EQ(outcome_of("nope"), std::nullopt);
  EXPECT_STREQ(name(Outcome::would_change), "would_change");
  EXPECT_STREQ(name(Part::on_failure), "on_failure");
  EXPECT_STREQ(name(Verdict::refused), "refused");
  EXPECT_STREQ(name(Stage::preflight), "preflight");
  EXPECT_STREQ(name(Mode::check), "check");
}

// Takes "hunter2" out, holding back what could be its beginning.
class Filter final : public StreamFilter {
 public:
  std::string push(std::string_view chunk) override {
    held_ += chunk;
    std::string out = clean(held_);
    std::size_t keep = std::min<std::size_t>(6, out.size());
    while (keep > 0 &&
           std::string_view("hunter2").substr(0, keep) != out.substr(out.size() - keep)) {
      --keep;
    }
    held_ = out.substr(out.size() - keep);
    out.resize(out.size() - keep);
    return out;
  }
  std::string finish() override { return std::move(held_); }

  static std::string clean(std::string text) {
    for (std::size_t at; (at = text.find("hunter2")) != std::string::npos;) {
      text.replace(at, 7, "[secret pw]");
    }
    return text;
  }

 private:
  std::string held_;
};

Redaction redaction() {
  return {[](std::string_view text) { return Filter::clean(std::string(text)); },
          [] { return std::make_unique<Filter>(); }};
}

TEST(RedactingSink, CleansEveryTextOfEveryEvent) {
  Memory memory;
  RedactingSink sink(memory, redaction());
  ActionEnded ended;
  ended.task = 1;
  ended.message = Untrusted("is hunter2");
  ended.reason = "hunter2?";
  ended.diff = Untrusted("+hunter2");
  ended.tail = Untrusted("hunter2hunter2");
  ended.facts = {{"token", Untrusted("hunter2")}};
  sink.on({1, {}, ended});
  sink.on({2, {}, HostUnreachable{0, "said hunter2", "try hunter2"}});
  sink.on({3, {}, Notice{"hunter2"}});
  sink.on({4, {}, Held{"hunter2"}});
  RunEnded end;
  end.advice = "use hunter2";
  sink.on({5, {}, end});
  const UpdateCode u = update_code();
  ASSERT_EQ(memory.events.size(), 5U);
  for (const Event& e : memory.events) {
    const std::string line = to_json(e, u.plan);
    EXPECT_EQ(line.find("hunter2"), std::string::npos) << line;
    EXPECT_NE(line.find("[secret pw]"), std::string::npos) << line;
  }
}

TEST(RedactingSink, ASecretSplitOverChunksDoesNotLeak) {
  for (std::size_t cut = 1; cut < 7; ++cut) {
    Memory memory;
    RedactingSink sink(memory, redaction());
    const std::string text = "hunter2";
    const auto output = [&](std::string bytes, Stream stream) {
      sink.on({0, {}, Output{9, 0, Stage::apply, stream, Untrusted(std::move(bytes))}});
    };
    output("a " + text.substr(0, cut), Stream::out);
    output("other stream ", Stream::err);
    output(text.substr(cut) + " z hunt", Stream::out);
    ActionEnded ended;
    ended.task = 9;
    sink.on({0, {}, ended});
    std::string out;
    std::uint64_t seq = 0;
    for (const Event& e : memory.events) {
      EXPECT_EQ(e.seq, ++seq);
      if (const auto* o = std::get_if<Output>(&e.what); o != nullptr && o->stream == Stream::out) {
        out += o->bytes.raw();
      }
    }
    EXPECT_EQ(out, "a [secret pw] z hunt");
    EXPECT_TRUE(std::holds_alternative<ActionEnded>(memory.events.back().what));
  }
}

TEST(RedactingSink, WhatIsHeldBackComesBeforeTheNextStageAndTheEnd) {
  Memory memory;
  RedactingSink sink(memory, redaction());
  sink.on({0, {}, Output{1, 0, Stage::check, Stream::out, Untrusted("hun")}});
  sink.on({0, {}, Output{1, 0, Stage::apply, Stream::out, Untrusted("ter2 hu")}});
  sink.on({0, {}, RunEnded{}});
  ASSERT_EQ(memory.events.size(), 4U);
  EXPECT_EQ(std::get<Output>(memory.events[0].what).bytes.raw(), "hun");
  EXPECT_EQ(std::get<Output>(memory.events[0].what).stage, Stage::check);
  EXPECT_EQ(std::get<Output>(memory.events[2].what).bytes.raw(), "hu");
}

TEST(RedactingSink, PassesHealthOn) {
  Memory memory;
  RedactingSink sink(memory, redaction());
  EXPECT_TRUE(sink.healthy());
  memory.broken = "full";
  EXPECT_FALSE(sink.healthy());
}

}  // namespace
}  // namespace cnplay::testing

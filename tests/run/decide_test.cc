// The table "Outcomes of an action" of docs/module-scripts.md, row by row.
#include "run/decide.h"

#include <gtest/gtest.h>

#include <vector>

namespace cnplay::run {
namespace {

using events::Mode;
using events::Outcome;
using remote::Ended;
using remote::Stage;
using remote::StageResult;
using remote::Verdict;

constexpr Shape kFull{true, true, plan::Verify::by_check};
constexpr Shape kBare{false, true, plan::Verify::by_check};
constexpr Shape kLook{true, false, plan::Verify::by_check};
constexpr Shape kNone{true, true, plan::Verify::none};
constexpr Shape kScript{true, true, plan::Verify::by_script};

StageResult check(Verdict v, int code = 0) { return {Stage::check, code, v, Untrusted("said")}; }
StageResult apply(int code, Verdict v = Verdict::none) { return {Stage::apply, code, v, {}}; }
StageResult verify(Verdict v, int code = 0) { return {Stage::verify, code, v, {}}; }

struct Row {
  const char* what;
  Shape shape;
  Mode mode;
  Ended ended;
  std::vector<StageResult> stages;
  bool apply_possible;
  Outcome outcome;
  bool applied;
};

TEST(Decide, Table) {
  const Ended fin = Ended::finished;
  const Row rows[] = {
      {"check ok", kFull, Mode::apply, fin, {check(Verdict::ok)}, false, Outcome::ok, false},
      {"check skip",
       kFull,
       Mode::apply,
       fin,
       {check(Verdict::skip)},
       false,
       Outcome::skipped,
       false},
      {"check fail",
       kFull,
       Mode::apply,
       fin,
       {check(Verdict::fail)},
       false,
       Outcome::failed,
       false},
      {"no verdict",
       kFull,
       Mode::apply,
       fin,
       {check(Verdict::none)},
       false,
       Outcome::failed,
       false},
      {"check exit",
       kFull,
       Mode::apply,
       fin,
       {check(Verdict::none, 2)},
       false,
       Outcome::failed,
       false},
      {"change, then died",
       kFull,
       Mode::apply,
       fin,
       {check(Verdict::change, 1)},
       false,
       Outcome::failed,
       false},
      {"changed",
       kFull,
       Mode::apply,
       fin,
       {check(Verdict::change), apply(0), verify(Verdict::ok)},
       true,
       Outcome::changed,
       true},
      {"not converged",
       kFull,
       Mode::apply,
       fin,
       {check(Verdict::change), apply(0), verify(Verdict::change)},
       true,
       Outcome::failed,
       true},
      {"verify failed",
       kFull,
       Mode::apply,
       fin,
       {check(Verdict::change), apply(0), verify(Verdict::fail)},
       true,
       Outcome::failed,
       true},
      {"verify silent",
       kFull,
       Mode::apply,
       fin,
       {check(Verdict::change), apply(0), verify(Verdict::none)},
       true,
       Outcome::failed,
       true},
      {"verify none",
       kNone,
       Mode::apply,
       fin,
       {check(Verdict::change), apply(0)},
       true,
       Outcome::changed,
       true},
      {"verify by script",
       kScript,
       Mode::apply,
       fin,
       {check(Verdict::change), apply(0), verify(Verdict::none)},
       true,
       Outcome::changed,
       true},
      {"verify script exits",
       kScript,
       Mode::apply,
       fin,
       {check(Verdict::change), apply(0), verify(Verdict::none, 1)},
       true,
       Outcome::failed,
       true},
      {"verify missing",
       kFull,
       Mode::apply,
       fin,
       {check(Verdict::change), apply(0)},
       true,
       Outcome::failed,
       true},
      {"apply failed",
       kFull,
       Mode::apply,
       fin,
       {check(Verdict::change), apply(1)},
       true,
       Outcome::failed,
       true},
      {"apply said fail",
       kFull,
       Mode::apply,
       fin,
       {check(Verdict::change), apply(0, Verdict::fail)},
       true,
       Outcome::failed,
       true},
      {"no check", kBare, Mode::apply, fin, {apply(0)}, true, Outcome::changed, true},
      {"no check, failed", kBare, Mode::apply, fin, {apply(3)}, true, Outcome::failed, true},
      {"only looks", kLook, Mode::apply, fin, {check(Verdict::ok)}, false, Outcome::ok, false},
      {"only looks, change",
       kLook,
       Mode::apply,
       fin,
       {check(Verdict::change)},
       false,
       Outcome::failed,
       false},
      {"dry change",
       kFull,
       Mode::check,
       fin,
       {check(Verdict::change)},
       false,
       Outcome::would_change,
       false},
      {"dry ok", kFull, Mode::check, fin, {check(Verdict::ok)}, false, Outcome::ok, false},
      {"dry fail", kFull, Mode::check, fin, {check(Verdict::fail)}, false, Outcome::failed, false},
      {"nothing reported", kFull, Mode::apply, fin, {}, false, Outcome::failed, false},
      {"lost in apply", kFull, Mode::apply, Ended::lost, {}, true, Outcome::unknown, true},
      {"lost before", kFull, Mode::apply, Ended::lost, {}, false, Outcome::unreachable, false},
      {"lost, only looks", kLook, Mode::apply, Ended::lost, {}, true, Outcome::unreachable, false},
      {"lost, dry", kFull, Mode::check, Ended::lost, {}, true, Outcome::unreachable, false},
      {"never sent",
       kFull,
       Mode::apply,
       Ended::not_started,
       {},
       false,
       Outcome::unreachable,
       false},
      {"timeout",
       kFull,
       Mode::apply,
       Ended::timed_out,
       {check(Verdict::change)},
       true,
       Outcome::failed,
       true},
      {"killed in check", kFull, Mode::apply, Ended::cancelled, {}, false, Outcome::aborted, false},
      {"killed in apply",
       kFull,
       Mode::apply,
       Ended::cancelled,
       {check(Verdict::change)},
       true,
       Outcome::unknown,
       true},
  };
  for (const Row& row : rows) {
    remote::TaskResult result;
    result.ended = row.ended;
    result.stages = row.stages;
    result.apply_possible = row.apply_possible;
    const Decision d = decide(row.shape, row.mode, result);
    EXPECT_STREQ(events::name(d.outcome), events::name(row.outcome)) << row.what;
    EXPECT_EQ(d.applied, row.applied) << row.what;
    if (is_failure(d.outcome)) {
      EXPECT_TRUE(!d.reason.empty() || !d.message.empty() || row.stages.size() > 0) << row.what;
    }
  }
}

TEST(Decide, NotConvergedSaysSo) {
  remote::TaskResult result;
  result.ended = Ended::finished;
  result.stages = {check(Verdict::change), apply(0), verify(Verdict::change)};
  EXPECT_EQ(decide(kFull, Mode::apply, result).reason, "applied but not converged");
}

TEST(Decide, TheWorstOfTwo) {
  EXPECT_EQ(worst(Outcome::ok, Outcome::skipped), Outcome::ok);
  EXPECT_EQ(worst(Outcome::changed, Outcome::ok), Outcome::changed);
  EXPECT_EQ(worst(Outcome::unknown, Outcome::failed), Outcome::failed);
  EXPECT_EQ(worst(Outcome::depends, Outcome::would_change), Outcome::would_change);
}

}  // namespace
}  // namespace cnplay::run

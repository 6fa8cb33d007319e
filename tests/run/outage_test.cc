// How long the outage is expected to take, in the words of a run that has ended.
#include "support/run/ways.h"

namespace cnplay::run::test {
namespace {

using std::chrono::minutes;

TEST(Outage, ARollbackThatWasNotTakenIsNotExpected) {
  Fixture f(1);
  const std::uint32_t forward = f.b.phase("forward", [&] { f.b.step("a"); });
  std::uint32_t back = 0;
  const std::uint32_t section = f.b.section(
      plan::SectionKind::rollback, [&] { back = f.b.phase("night", [&] { f.b.step("b"); }); });
  f.b.plan.rollbacks.push_back({"back", "back", section, "play.play:9"});
  for (const std::uint32_t phase : {forward, back}) f.b.plan.phases[phase].outage = true;
  f.b.plan.phases[forward].expect = minutes(1);
  f.b.plan.phases[back].expect = minutes(120);
  EXPECT_EQ(f.run().verdict, events::Verdict::success);
  EXPECT_EQ(f.ended().outage_expect, minutes(1));
}

}  // namespace
}  // namespace cnplay::run::test

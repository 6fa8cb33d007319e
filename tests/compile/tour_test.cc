// The tour of design/language.md: it compiles, and its plan is the one it should be.
#include <gtest/gtest.h>

#include "plan/plan.h"
#include "render/print.h"
#include "support/compile/world.h"
#include "support/golden.h"
#include "support/source_directory.h"

namespace cnplay::testing {
namespace {

const std::filesystem::path kTour = source_directory() / "tests/golden/compile/tour";

const plan::Node* find(const plan::Plan& plan, const std::string& path) {
  for (const auto& node : plan.nodes) {
    if (node.path == path) return &node;
  }
  return nullptr;
}

TEST(Tour, CompilesWithoutADiagnostic) {
  const auto world = compile_file(kTour, "update_code.play");
  ASSERT_TRUE(world->diags.empty()) << world->text();
  ASSERT_TRUE(world->plan);
  EXPECT_EQ("", plan::check_invariants(*world->plan));
  render::PrintOptions options;
  expect_golden("compile/tour/plan.txt", render::print(*world->plan, options));
}

TEST(Tour, PlanHoldsWhatThePlaySays) {
  const auto world = compile_file(kTour, "update_code.play");
  ASSERT_TRUE(world->plan) << world->text();
  const plan::Plan& plan = *world->plan;
  EXPECT_EQ(3u, plan.hosts.size());  // the bastion is not touched
  EXPECT_EQ(std::vector<std::string>{"deploy/staging"}, plan.locks);
  ASSERT_EQ(1u, plan.requirements.size());
  EXPECT_EQ("staging", plan.requirements[0].on);

  const auto* announce = find(plan, "update_code/announce");
  ASSERT_TRUE(announce);
  EXPECT_TRUE(announce->once);
  EXPECT_EQ(std::vector<plan::HostIndex>{0}, announce->hosts);

  const auto* code = find(plan, "update_code/cutover/code");
  ASSERT_TRUE(code);
  ASSERT_EQ(1u, code->undo.size());
  ASSERT_EQ(2u, code->undo[0].params.size());
  const auto& to = code->undo[0].params[1].value.at(0);
  ASSERT_TRUE(to.is_deferred());
  EXPECT_EQ(plan::Op::fact, to.as<plan::Deferred>()->expr->op);
  EXPECT_EQ(code->id, to.as<plan::Deferred>()->expr->fact.node);

  // Inside `parallel` the dump and the code wait for the same step and not for each other.
  const auto* snapshot = find(plan, "update_code/cutover/snapshot");
  const auto* packages = find(plan, "update_code/cutover/packages");
  ASSERT_TRUE(snapshot && packages);
  for (const auto& edge : packages->after) EXPECT_NE(snapshot->id, edge.from);
  ASSERT_EQ(1u, packages->after.size());
  EXPECT_EQ(code->id, packages->after[0].from);
  EXPECT_EQ(plan::EdgeKind::same_host, packages->after[0].kind);
  EXPECT_EQ(plan::Value(std::string("/cnhome/requirements/staging.txt")),
            packages->actions[0].params[1].value.at(0));

  ASSERT_EQ(2u, plan.on_failure.size());
  EXPECT_EQ(plan::Side::before_pivot, plan.on_failure[0].side);
  EXPECT_EQ(plan::ResponseKind::hold, plan.on_failure[1].responses[0].kind);
  ASSERT_EQ(2u, plan.sections.size());
  EXPECT_TRUE(plan.sections[1].report_timings);
}

TEST(Tour, SameInputSameHash) {
  const auto one = compile_file(kTour, "update_code.play");
  const auto two = compile_file(kTour, "update_code.play");
  ASSERT_TRUE(one->plan && two->plan);
  EXPECT_EQ(plan::hash(*one->plan), plan::hash(*two->plan));
  EXPECT_EQ(one->plan->program_hash, two->plan->program_hash);
  EXPECT_EQ(64u, one->plan->program_hash.size());
}

}  // namespace
}  // namespace cnplay::testing

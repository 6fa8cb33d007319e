#include "report/account_outage.h"

#include <algorithm>

#include "base/intervals.h"

namespace cnplay::report {
namespace {

bool inside_outage(const plan::Plan& plan, std::uint32_t phase) {
  for (; phase != plan::kNone; phase = plan.phases[phase].parent) {
    if (plan.phases[phase].outage) return true;
  }
  return false;
}

// When the site was down.
Intervals outages(const Account& account) {
  Intervals out;
  for (const PhaseRun& phase : account.phases) {
    if (!account.plan->phases[phase.phase].outage) continue;
    out.push_back({phase.from, phase.to.value_or(account.until)});
  }
  return merged(std::move(out));
}

Intervals work(const Account& account, bool tests) {
  Intervals out;
  for (const Step& step : account.steps) {
    if (step.test != tests) continue;
    for (const StepRun& run : step.runs) out.push_back({run.from, run.to.value_or(account.until)});
  }
  for (const HumanRun& human : account.humans) {
    if (account.plan->node(human.node).testing != tests) continue;
    out.push_back({human.from, human.to.value_or(account.until)});
  }
  return merged(std::move(out));
}

// A phase of the way forward, or of a rollback that was begun.
bool was_due(const Account& account, std::uint32_t index) {
  const auto& forward = account.plan->sections.front().nodes;
  const bool main = std::ranges::find(forward, account.plan->phases[index].end) != forward.end();
  return (main && !account.started->rollback) ||
         std::ranges::find(account.phases, index, &PhaseRun::phase) != account.phases.end();
}

// As the plan has it: of the outermost outage phases, if all say.
std::optional<Duration> expected(const Account& account) {
  const plan::Plan& plan = *account.plan;
  Duration sum{0};
  for (std::uint32_t i = 0; i < plan.phases.size(); ++i) {
    const plan::Phase& phase = plan.phases[i];
    if (!phase.outage || inside_outage(plan, phase.parent) || !was_due(account, i)) continue;
    if (!phase.expect) return std::nullopt;
    sum += *phase.expect;
  }
  return sum;
}

// What the plan expects of the tests of the outage; nullopt if one does not say.
std::optional<Duration> expected_of_tests(const Account& account) {
  const plan::Plan& plan = *account.plan;
  Duration sum{0};
  for (const plan::Node& node : plan.nodes) {
    if (!node.testing || !inside_outage(plan, node.phase)) continue;
    if (!was_due(account, node.phase)) continue;
    if (!node.expect) return std::nullopt;
    sum += *node.expect;
  }
  return sum;
}

}  // namespace

std::optional<Outage> outage_of(const Account& account) {
  if (is_dry(account)) return std::nullopt;
  const bool entered =
      std::any_of(account.phases.begin(), account.phases.end(),
                  [&](const PhaseRun& phase) { return account.plan->phases[phase.phase].outage; });
  if (!entered) return std::nullopt;
  const Intervals down = outages(account);
  const Intervals testing = common(without(work(account, true), work(account, false)), down);

  Outage outage;
  outage.total = length(down);
  outage.expect = expected(account);
  if (account.ended != nullptr) {
    outage.total = account.ended->outage.value_or(outage.total);
    outage.expect = account.ended->outage_expect;
    outage.open = account.ended->outage_open;
  } else {
    outage.open =
        std::any_of(account.phases.begin(), account.phases.end(), [&](const PhaseRun& phase) {
          return account.plan->phases[phase.phase].outage && !phase.to;
        });
  }
  outage.excluding_testing = std::max(Duration{0}, outage.total - length(testing));
  const auto tests = expected_of_tests(account);
  if (outage.expect && tests && *tests <= *outage.expect) {
    outage.expect_excluding_testing = *outage.expect - *tests;
  }
  if (const auto& past = account.started->past) {
    const auto predicted = plan::outlook(*account.plan, Time{account.started->now, "UTC"}, &*past);
    if (predicted.outage) {
      outage.median = predicted.outage->median;
      outage.worst = predicted.outage->worst;
      outage.median_excluding_testing = predicted.outage_excluding_testing->median;
      outage.worst_excluding_testing = predicted.outage_excluding_testing->worst;
    }
  }
  return outage;
}

}  // namespace cnplay::report

#include "support/run/random_plan.h"

#include <vector>

namespace cnplay::run::test {

RandomPlan::RandomPlan(Builder& builder, std::mt19937_64& random)
    : b_(builder), random_(random), reload_(b_.handler("reload").id) {}

void RandomPlan::make() {
  const std::uint32_t size = 1 + one_in(6);
  for (std::uint32_t i = 0; i < size; ++i) piece(2);
  if (chance(2)) b_.section(plan::SectionKind::always, [&] { b_.step("close"); });
  if (!chance(3)) return;
  const auto repair = b_.section(plan::SectionKind::on_failure, [&] {
    if (chance(3)) human();
    b_.step("repair");
  });
  plan::Response response;
  response.kind = chance(2) ? plan::ResponseKind::section : plan::ResponseKind::undo_all;
  response.section = repair;
  b_.on_failure(plan::Side::any, plan::kNone, {response});
}

void RandomPlan::piece(int depth) {
  if (!in_parallel_ && chance(8)) return human();
  if (!in_parallel_ && depth > 0 && chance(8)) return batches();
  switch (one_in(depth > 0 ? 9 : 6)) {
    case 0:
      b_.barrier(name());
      break;
    case 1:
      b_.pivot(name());
      break;
    case 2:
      trim(b_.once(name(), one_in(static_cast<std::uint32_t>(b_.plan.hosts.size()))));
      break;
    case 6:
      b_.phase(name(), [&] {
        piece(depth - 1);
        piece(depth - 1);
      });
      break;
    case 7:
      ++in_parallel_;
      b_.parallel({[&] { piece(depth - 1); }, [&] { step(); }});
      --in_parallel_;
      break;
    case 8:
      b_.flush();
      break;
    default:
      step();
  }
}

// Half of the hosts, then the rest, with steps on any host that may be about one of the batch.
void RandomPlan::batches() {
  const std::vector<plan::HostIndex> all = b_.all();
  const auto half = all.begin() + static_cast<std::ptrdiff_t>((all.size() + 1) / 2);
  b_.phase(name(), [&] {
    for (const auto& hosts : {std::vector(all.begin(), half), std::vector(half, all.end())}) {
      if (hosts.empty()) continue;
      b_.batch(hosts, [&] {
          trim(b_.step(name(), hosts));
          plan::Node& beside =
              b_.step(name(), {all[one_in(static_cast<std::uint32_t>(all.size()))]});
          trim(beside);
          if (chance(2)) beside.made_from = {hosts[0]};
        }).tolerate = one_in(3);
    }
  });
}

void RandomPlan::human() {
  plan::Node& node =
      b_.human(name(), chance(2) ? plan::HumanKind::manual : plan::HumanKind::approve);
  if (chance(3)) node.timeout = Duration(random_() % 1000);
  if (node.human->kind != plan::HumanKind::approve) return;
  if (chance(3)) node.human->by = {"ann", "@ops"};
  if (node.timeout && chance(2)) node.human->fallback = plan::Value(chance(2));
}

void RandomPlan::step() {
  std::vector<plan::HostIndex> hosts;
  for (const plan::HostIndex h : b_.all()) {
    if (!chance(3)) hosts.push_back(h);
  }
  if (hosts.empty()) hosts = b_.all();
  trim(b_.step(name(), hosts));
}

void RandomPlan::trim(plan::Node& node) {
  if (chance(3)) b_.action(node);
  if (chance(3)) node.actions[0].uses = {"dpkg"};
  if (chance(3)) node.actions[0].notify = {reload_};
  if (chance(2)) b_.undo(node);
  if (chance(4)) node.retry = {1 + one_in(2), Duration(random_() % 3000)};
  node.timeout = Duration(5000 + random_() % 5000);
  node.tolerate = one_in(3);
  if (chance(5)) Builder::no_check(node.actions[0]);
}

}  // namespace cnplay::run::test

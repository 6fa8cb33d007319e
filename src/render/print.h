// Plans for people and programs: text, and JSON with a prediction. plan/ knows how a plan is
// stored.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "plan/plan.h"
#include "plan/prediction.h"

namespace cnplay::render {

using namespace plan;  // what this room speaks of

struct PrintOptions {
  std::optional<Time> now;  // for clock times
  bool colour = false;
  bool pipeline = false;  // also which actions are sent ahead, and what they wait for
  std::size_t width = 100;
  const Past* past = nullptr;  // what past runs took; null: nobody has looked
};
// For people: what runs where, in which order, what runs concurrently, where the barriers are,
// the expected durations, the predicted outage.
std::string print(const Plan& plan, const PrintOptions& options);

// The plan as JSON (plan.h), with a member `prediction` more: where the figures come from, those of
// the whole, the outage, each phase and step, and the clock times of a run that begins now.
// docs/report.md has the fields. from_json() passes over it.
std::string to_json(const Plan& plan, const Time& now, const Past* past);

}  // namespace cnplay::render

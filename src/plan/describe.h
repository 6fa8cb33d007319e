// How values are written for people: inside of plan/ (the face is describe() in value.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "plan/plan.h"

namespace cnplay::plan {

struct DescribeOptions {
  bool bare = false;        // a string that reads as one word stands without quotes
  NodeId saved_of = kNone;  // facts of this node are written `saved.x`
  std::optional<Time> now;  // known: what reads only `now` is written as its value
};

std::string describe(const Value& value, const Plan& plan, const DescribeOptions& options);

// A string of the language: "..." with escapes.
std::string quote_string(std::string_view text);

// The text of a fact's reference: `code.moved.before[web1]`.
std::string describe(const FactRef& fact, const Plan& plan, NodeId saved_of = kNone);

}  // namespace cnplay::plan

// Paths on the controller that a play puts together with what a host said. No byte of a host steers
// where the controller writes: what it said may be one name, below a place that the play names.
#pragma once

#include <functional>

#include "base/result.h"
#include "plan/value.h"

namespace cnplay::plan {

// Whether computing the value reads a fact.
bool reads_fact(const Value& value);

// Whether facts stand in a path only behind a text of the play with a `/`:
// `"logs/${a.f.name}.txt"`. True of a path without facts. For the compiler.
bool is_below_a_place(const Value& path);

// The same once the facts are known: each is one name, without `/`, and no `.` or `..` comes of it.
// `resolve` gives the value of a part. For the run.
Status check_below_a_place(const Value& path,
                           const std::function<Result<Value>(const Value&)>& resolve);

// Whether a text can be the name of one file in a directory.
bool is_file_name(std::string_view text);

}  // namespace cnplay::plan

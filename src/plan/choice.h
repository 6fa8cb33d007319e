// Parts of a graph: what of it is carried out, and what needs what; and what of a program has
// changed.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "plan/plan.h"

namespace cnplay::plan {

// Steps and human steps: what there is to do.
bool has_work(const Node& node);

// A path without the keys of loops and batches: "play/code[a][2]" is "play/code".
std::string without_keys(const std::string& path);

// The steps and human steps of the main section that are called so: by their path or the end of it,
// with its keys; if there are none, by the same without keys. In source order.
std::vector<NodeId> steps_called(const Plan& plan, const std::string& name);

// How the part that is carried out was chosen: "--tags web --start-at code". "": nothing that there
// is to do is left out.
std::string chosen_part(const Plan& plan);

// A node, of those for which `wanted` says true, of which `node` reads a fact. Its own do not
// count.
std::optional<NodeId> reads_fact_of(const Plan& plan, const Node& node,
                                    const std::function<bool(NodeId)>& wanted);

// What was changed, added and taken away between two programs, one sentence's part for each:
// "playbooks/x.play was changed". Empty: nothing, or it is not known of one of them.
std::vector<std::string> program_changes(const std::vector<ProgramPart>& before,
                                         const std::vector<ProgramPart>& after);

}  // namespace cnplay::plan

// How the terminal views word things: one place, so that the plain and the live view agree.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "events/event.h"
#include "plan/plan.h"

namespace cnplay::report {

// What a view shows besides the essentials.
struct Options {
  bool colour = false;
  bool diff = false;  // diffs of what changes
  bool dry = false;   // of a dry run: no outage, no times to compare with
  int verbosity = 0;  // 1: output of tasks as it comes
  std::size_t width = 100;
  std::string zone;    // of clock times; "" is the machine's
  bool folds = false;  // long output of what failed is cut to its end
  std::string run;     // its id, for commands that are named; known from its first event on
};

enum class Style { plain, bold, dim, green, yellow, red, cyan };
// `text` in a style, if colours are on.
std::string paint(const Options& options, Style style, std::string_view text);
Style style_of(events::Outcome outcome);

// The last part of a node's path with its loop keys and batches: "code", "restart[web]".
std::string step_name(const plan::Plan& plan, plan::NodeId node);
// "git.rebase", with the action's name if that tells more.
std::string action_name(const plan::Plan& plan, plan::NodeId node, std::uint32_t action,
                        events::Part part);
const plan::Action& action_of(const plan::Plan& plan, plan::NodeId node, std::uint32_t action,
                              events::Part part);
// Set before a step's name outside of the way forward: "undo code", "always code".
std::string part_prefix(events::Part part);
// "web1, web2" or "web1, web2, web3 and 37 more".
std::string host_list(const plan::Plan& plan, const std::vector<plan::HostIndex>& hosts,
                      std::size_t at_most = 6);
// Each line of `text` with `prefix` before it and a newline behind; "" for an empty text.
std::string indented(std::string_view text, std::string_view prefix);

// The one line that says what came of an action, without the time: "web1  code: git.rebase  changed
// 1a2b -> 3c4d  (1.2 s)". The host column is `host_width` wide.
std::string action_line(const plan::Plan& plan, const events::ActionEnded& e,
                        const Options& options, std::size_t host_width);
// What stands below it: the diff if asked for, for a failure reason and last output.
std::string action_detail(const plan::Plan& plan, const events::ActionEnded& e,
                          const Options& options);
// What is special about a run, behind its first line's beginning: ", incident INC-7", ", a part of
// it: --tags web".
std::string special(const plan::Plan& plan, const events::RunStarted& e);
// The line or lines for every other event that people are told about, without the time; "" for
// those that they are not (Output, StepStarted, ...).
std::string event_lines(const plan::Plan& plan, const events::Event& e, const Options& options,
                        std::size_t host_width);

}  // namespace cnplay::report

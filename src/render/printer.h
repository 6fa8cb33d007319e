// The parts that print.cc is put together from: inside of render/.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plan/describe.h"
#include "plan/plan.h"
#include "plan/schedule.h"
#include "render/print.h"

namespace cnplay::render {

// ANSI colours, or nothing.
class Paint {
 public:
  explicit Paint(bool on) : on_(on) {}
  std::string bold(std::string_view text) const { return with("1", text); }
  std::string dim(std::string_view text) const { return with("2", text); }
  std::string warn(std::string_view text) const { return with("1;33", text); }
  std::string alarm(std::string_view text) const { return with("1;31", text); }
  std::string calm(std::string_view text) const { return with("36", text); }

 private:
  std::string with(const char* code, std::string_view text) const {
    if (!on_) return std::string(text);
    return std::string("\x1b[") + code + "m" + std::string(text) + "\x1b[0m";
  }
  bool on_;
};

// `git.rebase dir=/cnhome onto=origin/master`, then the scripts' first lines of an `sh`; one
// string a line, wrapped at `width`, continuation lines indented. `hosts` are the node's.
std::vector<std::string> action_lines(const Plan& plan, const Action& action, const Node& node,
                                      bool in_undo, const PrintOptions& options, std::size_t width);

// What the scripts of the node find in their environment, a word each: `AWS_PROFILE=prod`, and
// `PATH` with the folders that come first: `PATH=~/.local/bin:...`. Empty: nothing of the play's.
std::vector<std::string> environment_words(const Plan& plan, const Node& node);

// `text={web1: a, web2: b}`, or `text=a` where all have the same.
std::string column_text(const Plan& plan, const Column& column, const std::vector<HostIndex>& hosts,
                        const DescribeOptions& options);

// Words put together with ", " or spaces so that no line is wider than `width`; lines after the
// first are indented.
std::vector<std::string> wrap(const std::vector<std::string>& words, std::size_t width,
                              std::size_t indent);

// The header: play, inventory, hosts, parameters, secrets, preconditions.
std::string header_text(const Plan& plan, const PrintOptions& options, const Paint& paint);

// Whether a parameter is not the play's, but what is known of the file that the action sends or
// renders: its checksum, size, mode or text.
bool comes_with_file(const Action& action, const Param& param);

// Where a secret comes from; never what it is.
std::string source_text(const SecretSource& secret);
// What a human step asks, and of whom; one string a line.
std::vector<std::string> human_lines(const Plan& plan, const Node& node, std::size_t width);
// Who decides on an offer, and by when: "by ann, @ops, within 30 min, else none is taken"; "":
// anybody, whenever.
std::string offer_terms(const Plan& plan, const Response& offer);

// How long all of it takes: total, outage, and a table of the phases.
std::string prediction_text(const Plan& plan, const PrintOptions& options, const Paint& paint);
// The time of a value that hangs on `now` alone; nullopt if it is not known.
std::optional<Time> time_of(const Value& value, const std::optional<Time>& now);
// `must have ended at 03:40 UTC, else the rollback old_site is begun`.
std::string deadline_text(const Plan& plan, const Deadline& deadline,
                          const std::optional<Time>& now);
// `from 2026-12-01 22:00 UTC to ...`.
std::string window_text(const Plan& plan, const std::optional<Time>& now);
// How long the rollback is expected to take, and whether a step of it does not say.
Schedule way_back(const Plan& plan, const Rollback& rollback);
struct TimeLine {
  std::string key;
  std::string text;
  bool alarm = false;
};
// Whether the run fits the window and its deadlines, and until when the way back still does.
std::vector<TimeLine> time_lines(const Plan& plan, const Schedule& main,
                                 const std::optional<Time>& now);

// What `cnplay plan --pipeline` prints after the plan: for each section the actions that go to a
// host together, and why the next one does not.
std::string pipeline_text(const Plan& plan, const PrintOptions& options);

// What undoing everything comes to: "undo all, in reverse order", or that no step has an `undo`.
std::string undo_text(const Plan& plan);
// What happens on a failure, the blocks that always run, handlers.
std::string failure_text(const Plan& plan, const OnFailure& on, const PrintOptions& options);

}  // namespace cnplay::render

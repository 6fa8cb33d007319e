// What runbook.cc is put together from: inside of render/.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "plan/schedule.h"
#include "render/runbook.h"

namespace cnplay::render {

// Puts a document together. `say` takes text with `code` in backticks and *strong* words in
// stars; `add` is for what comes from the play, whatever it holds.
class Prose {
 public:
  Prose& say(std::string_view text);
  Prose& add(SpanKind kind, std::string_view text);
  Prose& code(std::string_view text) { return add(SpanKind::code, text); }
  Prose& plain(std::string_view text) { return add(SpanKind::plain, text); }
  bool empty() const { return text_.empty(); }
  Text take() { return std::exchange(text_, {}); }

 private:
  Text text_;
};

// A value as scripts see it (docs/module-scripts.md); nullopt if only the run can know it.
std::optional<std::string> script_value(const Value& value);

// `T0 + 30 min`, or the time itself where it does not hang on T0; "" if it hangs on both.
class Clock {
 public:
  explicit Clock(const Plan& plan);
  std::string begin_of(NodeId node) const;
  std::string end_of(std::uint32_t phase) const;
  // The same of a value that reads `now`; "" if it is no time, or reads a fact.
  std::string text_of(const Value& value) const;
  const Schedule& schedule() const { return first_; }

 private:
  std::string text(Duration first, Duration second) const;
  Time now_first_, now_second_;
  Schedule first_, second_;
  std::string zone_ = "UTC";
};

// Which facts other steps read, and the number of the step that makes them.
struct Notes {
  std::map<std::pair<NodeId, std::uint32_t>, std::set<std::string>> wanted;
  std::map<NodeId, std::string> number_of;
};
std::map<std::pair<NodeId, std::uint32_t>, std::set<std::string>> wanted_facts(const Plan& plan);

// The blocks of one action: a sentence, and what is typed.
void write_action(const Plan& plan, const RunbookOptions& options, const Notes& notes,
                  const Clock& clock, const Node& node, const Action& action, bool in_undo,
                  std::vector<RunbookBlock>& out);

// The head of the document: who, where, what must be at hand.
void write_head(const Plan& plan, const RunbookOptions& options, const Clock& clock,
                std::vector<RunbookBlock>& out);

// `web: web1, web2`; without an inventory what the play calls them.
std::string hosts_of(const Plan& plan, const RunbookOptions& options,
                     const std::vector<HostIndex>& hosts);

// What people call the node: "code", of a handler "reload".
std::string name_of(const Node& node);

// What answers a failure, in a sentence; adds the sections that hold its steps.
Text failure_response(const Plan& plan, const OnFailure& on, std::vector<std::uint32_t>& sections);

RunbookBlock block(BlockKind kind, Text text, std::size_t level = 0);

}  // namespace cnplay::render

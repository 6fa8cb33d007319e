// `cnplay docs`: a plan as the runbook that a person could carry out by hand. First as a document
// of plain blocks, so that Markdown and HTML say the same and each escapes in one place. No
// secret is in it, for a plan holds none: only where they come from.
#pragma once

#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "plan/plan.h"
#include "render/print.h"

namespace cnplay::render {

enum class SpanKind { plain, code, strong, em };
struct TextSpan {
  SpanKind kind = SpanKind::plain;
  std::string text;
  friend bool operator==(const TextSpan&, const TextSpan&) = default;
};
using Text = std::vector<TextSpan>;

enum class BlockKind {
  heading,    // level 1 to 4, text
  step,       // a heading of level 3 or 4 that is ticked off
  paragraph,  // text
  note,       // text that must not be overlooked
  list,       // rows, one cell each
  table,      // rows, the first is the head
  code,       // shell text, as it is
};
struct RunbookBlock {
  BlockKind kind{};
  std::size_t level = 0;
  Text text;
  std::vector<std::vector<Text>> rows;
  std::string code;
};

struct Runbook {
  std::string title;
  std::vector<RunbookBlock> blocks;
};

struct RunbookOptions {
  // "Stop programs" of "supervisor.stop"; "" for a module without a title. Must be set.
  std::function<std::string(std::string_view module)> title_of;
  // The `commands` of a module; "": it has none, and is shown as its scripts.
  std::function<std::string(std::string_view module)> commands_of;
  // The hosts stand for those of an inventory that was not given.
  bool generic = false;
  // "<app>": words that stand for values of that inventory.
  std::set<std::string> stand_ins;
  std::string command;  // what carries the plan out, to be shown; "": none
};

// Deterministic: no clock is read, times are counted from the beginning (T0) where they do not
// stand in the play.
Runbook runbook(const Plan& plan, const RunbookOptions& options);

// CommonMark with GitHub's tables.
std::string to_markdown(const Runbook& book);
// One page that loads nothing from elsewhere.
std::string to_html(const Runbook& book);

}  // namespace cnplay::render

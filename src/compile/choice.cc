// What of the graph is carried out: --tags, --skip-tags, --start-at. The rest stays where it is,
// and says why it is left out.
#include <algorithm>

#include "compile/builder.h"
#include "plan/choice.h"
#include "plan/eval.h"

namespace cnplay::compile {

using plan::NodeId;
using plan::NodeKind;

// Steps with this tag are carried out whatever `--tags` chooses.
constexpr std::string_view kAlways = "always";

struct Builder::Chosen {
  std::vector<std::string> tags, skip_tags;
  std::optional<NodeId> start;
};

namespace {

bool share(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return std::ranges::any_of(
      a, [&](const std::string& tag) { return std::ranges::find(b, tag) != b.end(); });
}

}  // namespace

// Where what stands in something with these modifiers stands: with its tags besides.
Position Builder::tagged(const Position& position, const Modifiers& modifiers) {
  Position inner = position;
  for (std::string& tag : tags_of(evaluator_, modifiers.find("tags"))) {
    tags_.insert(tag);
    const auto at = std::ranges::lower_bound(inner.tags, tag);
    if (at == inner.tags.end() || *at != tag) inner.tags.insert(at, std::move(tag));
  }
  return inner;
}

bool Builder::read_tags(const char* option, const std::string& text,
                        std::vector<std::string>& tags) {
  if (text.empty()) return true;
  const auto& source = context_.input.sources->add(option, text);
  const std::size_t before = context_.diags.errors();
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string tag = text.substr(begin, end - begin);
    const Span at{source.base + static_cast<std::uint32_t>(begin),
                  source.base + static_cast<std::uint32_t>(end)};
    begin = end + 1;
    if (!tags_.contains(tag) && tag != kAlways) {
      const std::vector<std::string> known(tags_.begin(), tags_.end());
      const std::string near = diag::did_you_mean(tag, known);
      context_.error("E0527", "no step has the tag " + code(tag), at, "unknown tag",
                     !near.empty()   ? "did you mean " + code(near) + "?"
                     : known.empty() ? "the play has no tags: `step NAME on web tags [\"code\"]`"
                                     : "its tags are " + enumerate(known));
      continue;
    }
    tags.push_back(tag);
  }
  return context_.diags.errors() == before;
}

std::optional<NodeId> Builder::find_start() {
  const std::string& name = context_.input.start_at;
  const auto& source = context_.input.sources->add("--start-at", name);
  const Span at{source.base, source.base + static_cast<std::uint32_t>(name.size())};
  const std::vector<NodeId> found = plan::steps_called(context_.plan, name);
  if (found.empty()) {
    std::vector<std::string> names;
    for (const NodeId id : context_.plan.sections.front().nodes) {
      const plan::Node& node = context_.plan.node(id);
      const std::string bare = plan::without_keys(node.path);
      if (plan::has_work(node)) names.push_back(bare.substr(bare.rfind('/') + 1));
    }
    const std::string near = diag::did_you_mean(name.substr(name.rfind('/') + 1), names);
    context_.error("E0528", "there is no step " + code(name) + " to start at", at, "no such step",
                   near.empty()
                       ? "`cnplay plan` lists the steps; write the name of one, or its path"
                       : "did you mean " + code(near) + "?");
    return std::nullopt;
  }
  const std::string& first = context_.plan.node(found.front()).path;
  for (const NodeId id : found) {
    const std::string& other = context_.plan.node(id).path;
    if (plan::without_keys(other) == plan::without_keys(first)) continue;
    context_.error("E0528", "there is more than one step " + code(name), at, "which of them?",
                   "write more of the path: " + code(first) + " or " + code(other));
    return std::nullopt;
  }
  return found.front();
}

// Barriers stay, and so do a wait and a pivot that have no tag: they are about what is around them.
std::string Builder::why_left_out(const plan::Node& node, const Chosen& chosen) const {
  if (!plan::has_work(node) && node.kind != NodeKind::wait && node.kind != NodeKind::pivot &&
      node.kind != NodeKind::assertion) {
    return "";
  }
  // What lies behind a pivot lies behind it wherever the run begins.
  if (chosen.start && node.id < *chosen.start && node.kind != NodeKind::pivot) {
    return "--start-at " + context_.input.start_at;
  }
  if (share(node.tags, chosen.skip_tags)) return "--skip-tags " + context_.input.skip_tags;
  if (chosen.tags.empty() || share(node.tags, chosen.tags)) return "";
  if (std::ranges::find(node.tags, kAlways) != node.tags.end()) return "";
  if (node.kind != NodeKind::step && node.tags.empty()) return "";
  return "--tags " + context_.input.tags;
}

// Where nothing is done in a phase, it does not begin.
void Builder::leave_out_empty_phases() {
  plan::Plan& plan = context_.plan;
  std::vector<bool> at_work(plan.phases.size());
  for (const plan::Node& node : plan.nodes) {
    if (!plan::has_work(node) || !node.left_out.empty()) continue;
    for (std::uint32_t p = node.phase; p != plan::kNone && !at_work[p]; p = plan.phases[p].parent) {
      at_work[p] = true;
    }
  }
  for (std::size_t p = 0; p < plan.phases.size(); ++p) {
    if (!at_work[p]) plan.nodes[plan.phases[p].end].left_out = "nothing is done in it";
  }
}

void Builder::choose() {
  const Input& input = context_.input;
  plan::Plan& plan = context_.plan;
  if (input.tags.empty() && input.skip_tags.empty() && input.start_at.empty()) {
    if (input.limited) leave_out_empty_phases();
    return;
  }
  plan.origin.tags = input.tags;
  plan.origin.skip_tags = input.skip_tags;
  plan.origin.start_at = input.start_at;
  Chosen chosen;
  const bool tags = read_tags("--tags", input.tags, chosen.tags);
  const bool skip_tags = read_tags("--skip-tags", input.skip_tags, chosen.skip_tags);
  if (!input.start_at.empty()) chosen.start = find_start();
  if (!tags || !skip_tags || context_.diags.has_errors()) return;
  bool works = false;
  for (const NodeId id : plan.sections.front().nodes) {
    plan::Node& node = plan.nodes[id];
    node.left_out = why_left_out(node, chosen);
    works = works || (node.kind == NodeKind::step && node.left_out.empty());
  }
  leave_out_empty_phases();
  if (!works) {
    context_.error("E0529", "no step of the play is chosen", play_->name.span,
                   "all of its steps are left out",
                   "leave out less: the options together leave no step to carry out");
    return;
  }
  check_facts_of_left_out();
}

// Known before the first connection, not when the fact is missed.
void Builder::check_facts_of_left_out() {
  const plan::Plan& plan = context_.plan;
  std::set<NodeId> notified;
  for (const plan::Node& node : plan.nodes) {
    if (!node.left_out.empty()) continue;
    for (const plan::Action& action : node.actions) {
      notified.insert(action.notify.begin(), action.notify.end());
    }
  }
  const auto is_missing = [&](NodeId id) { return !plan.node(id).left_out.empty(); };
  for (const plan::OnFailure& on : plan.on_failure) {
    for (const plan::Response& response : on.responses) {
      plan::reads_fact(response.message, [&](const plan::FactRef& ref) {
        if (!is_missing(ref.node)) return false;
        context_.error("E0530", "a `hold` needs a fact of a step that is left out",
                       spans_[ref.node], "left out by " + code(plan.node(ref.node).left_out),
                       "choose this step too");
        return true;
      });
    }
  }
  for (const plan::Node& node : plan.nodes) {
    if (!node.left_out.empty()) continue;
    if (node.kind == NodeKind::handler && !notified.contains(node.id)) continue;
    const auto missing = plan::reads_fact_of(plan, node, is_missing);
    if (!missing) continue;
    const plan::Node& other = plan.node(*missing);
    const std::string last = other.path.substr(other.path.rfind('/') + 1);
    context_.error_with(
        "E0530", code(node.title) + " needs a fact of " + code(last) + ", which is left out",
        spans_[node.id], "reads what " + code(last) + " finds out", spans_[other.id],
        "left out by " + code(other.left_out),
        other.left_out.starts_with("--start-at") ? "start at " + code(last) + ", or before"
                                                 : "choose both, or neither");
  }
}

}  // namespace cnplay::compile

// The small pieces of a runbook: text, values, clock times.
#include "render/runbook_parts.h"

#include <algorithm>
#include <chrono>

#include "base/text.h"
#include "plan/eval.h"
#include "plan/host_text.h"
#include "plan/script_text.h"
#include "render/printer.h"

namespace cnplay::render {
namespace {

// Two beginnings: what is the same distance from both hangs on T0.
constexpr Duration kDay = std::chrono::hours{24};
Time early() { return Time{Instant{std::chrono::hours{24} * 10957}, "UTC"}; }  // 2000-01-01

std::string scalar(const Value& value) {
  if (const auto* d = value.as<Duration>()) return script_text(*d);
  if (const auto* t = value.as<Time>()) return script_text(*t);
  if (const auto* s = value.as<Size>()) return std::to_string(s->bytes);
  if (const auto* p = value.as<Percent>()) return std::to_string(p->value);
  return plan::text_of(value).value_or("");
}

void facts_in(const Value& value, Notes& notes) {
  reads_fact(value, [&](const FactRef& fact) {
    notes.wanted[{fact.node, fact.action}].insert(fact.name);
    return false;  // go on: all of them
  });
}
void facts_in(const Column& column, Notes& notes) {
  for (const Value& value : column.values()) facts_in(value, notes);
}

}  // namespace

Prose& Prose::add(SpanKind kind, std::string_view text) {
  if (!text.empty()) text_.push_back({kind, Untrusted(std::string(text)).display()});
  return *this;
}

Prose& Prose::say(std::string_view text) {
  while (!text.empty()) {
    const std::size_t mark = std::min(text.find_first_of("`*"), text.size());
    add(SpanKind::plain, text.substr(0, mark));
    if (mark == text.size()) break;
    const std::size_t end = text.find(text[mark], mark + 1);
    add(text[mark] == '`' ? SpanKind::code : SpanKind::strong,
        text.substr(mark + 1, end - mark - 1));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return *this;
}

std::string hosts_of(const Plan& plan, const RunbookOptions& options,
                     const std::vector<HostIndex>& hosts) {
  if (!options.generic) return named_hosts_text(plan, hosts);
  for (const HostSet& set : plan.sets) {
    if (set.hosts == hosts) return "the hosts of " + set.name;
  }
  return hosts_text(plan, hosts);
}

std::string name_of(const Node& node) {
  const std::string name = short_name(node.path);
  const std::string prefix = "handler:";
  return name.compare(0, prefix.size(), prefix) == 0 ? name.substr(prefix.size()) : name;
}

RunbookBlock block(BlockKind kind, Text text, std::size_t level) {
  RunbookBlock out;
  out.kind = kind;
  out.level = level;
  out.text = std::move(text);
  while (!out.text.empty() && out.text.back().kind == SpanKind::plain &&
         out.text.back().text.back() == ' ') {
    out.text.back().text.pop_back();
    if (out.text.back().text.empty()) out.text.pop_back();
  }
  return out;
}

std::optional<std::string> script_value(const Value& value) {
  if (value.needs_run_time()) return std::nullopt;
  std::string out;
  if (const auto* list = value.as<List>()) {
    for (const Value& item : *list) out += (&item == list->data() ? "" : "\n") + scalar(item);
  } else if (const auto* record = value.as<Record>()) {
    for (const auto& member : *record) {
      out += (&member == record->data() ? "" : "\n") + member.first + "=" + scalar(member.second);
    }
  } else {
    out = scalar(value);
  }
  return out;
}

Clock::Clock(const Plan& plan)
    : now_first_(early()), now_second_(Time{now_first_.at + kDay, "UTC"}) {
  first_ = plan::schedule(plan, plan.sections.at(0), now_first_);
  second_ = plan::schedule(plan, plan.sections.at(0), now_second_);
  for (const Node& node : plan.nodes) {
    if (const auto* time = node.until.as<Time>()) zone_ = time->zone;
  }
}

std::string Clock::text(Duration first, Duration second) const {
  if (first == second) {
    return first.count() == 0 ? "T0" : "T0 + " + human_duration(first);
  }
  if (now_first_.at + first == now_second_.at + second) {
    return format_time(Time{now_first_.at + first, zone_});
  }
  return "";
}

std::string Clock::begin_of(NodeId node) const {
  return text(first_.nodes.at(node).begin, second_.nodes.at(node).begin);
}

std::string Clock::end_of(std::uint32_t phase) const {
  const auto& first = first_.phases.at(phase).time;
  const auto& second = second_.phases.at(phase).time;
  return first && second ? text(first->end, second->end) : "";
}

std::string Clock::text_of(const Value& value) const {
  Instant at[2];
  const Time* now[2] = {&now_first_, &now_second_};
  for (int i = 0; i < 2; ++i) {
    Environment environment;
    environment.now = *now[i];
    const auto known = resolve(value, 0, environment);
    if (!known || known->as<Time>() == nullptr) return "";
    at[i] = known->as<Time>()->at;
  }
  return text(at[0] - now_first_.at, at[1] - now_second_.at);
}

std::map<std::pair<NodeId, std::uint32_t>, std::set<std::string>> wanted_facts(const Plan& plan) {
  Notes notes;
  for (const Node& node : plan.nodes) {
    facts_in(node.when, notes);
    facts_in(node.until, notes);
    for (const auto* actions : {&node.actions, &node.undo}) {
      for (const Action& action : *actions) {
        facts_in(action.when, notes);
        for (const Param& param : action.params) facts_in(param.value, notes);
      }
    }
  }
  for (const OnFailure& on : plan.on_failure) {
    for (const Response& response : on.responses) facts_in(response.message, notes);
  }
  return std::move(notes.wanted);
}

Text failure_response(const Plan& plan, const OnFailure& on, std::vector<std::uint32_t>& sections) {
  Prose p;
  if (on.phase == kNone) {
    p.say("*Anywhere");
  } else {
    p.say("In ").add(SpanKind::strong, plan.phases[on.phase].title);
  }
  if (on.phase == kNone) p = std::move(Prose().say("*Anywhere*"));
  if (on.side == Side::before_pivot) p.say(", before the point of no return");
  if (on.side == Side::after_pivot) p.say(", after the point of no return");
  p.say(": ");
  bool first = true;
  for (const Response& response : on.responses) {
    p.say(first ? "" : "; then ");
    first = false;
    switch (response.kind) {
      case ResponseKind::undo_all:
        p.say("undo what was done, as “Undoing” says");
        break;
      case ResponseKind::hold:
        p.say("leave all as it is. ");
        if (const auto* text = response.message.as<std::string>()) {
          p.plain(*text);
        } else {
          p.code(describe(response.message, plan));
        }
        break;
      case ResponseKind::offer:
        p.say("decide whether to run the rollback ");
        for (std::size_t i = 0; i < response.rollbacks.size(); ++i) {
          p.say(i == 0 ? "" : " or ").code(response.rollbacks[i]);
        }
        if (const std::string terms = offer_terms(plan, response); !terms.empty()) {
          p.say(" (").plain(terms).say(")");
        }
        p.say(" and, if so, nothing else");
        if (&response == &on.responses.back()) p.say("; if not, leave all as it is");
        break;
      case ResponseKind::section:
        p.say("do the steps below");
        sections.push_back(response.section);
        break;
    }
  }
  return p.take();
}

}  // namespace cnplay::render

// `cnplay plan --json`: what the text form says of times, for programs.
#include <nlohmann/json.hpp>

#include "base/json_text.h"
#include "base/text.h"
#include "plan/prediction.h"
#include "render/printer.h"

namespace cnplay::render {
namespace {

using json = nlohmann::ordered_json;

json ms(const std::optional<Duration>& d) { return d ? json(d->count()) : json(nullptr); }

json figures(const Forecast& f) {
  return {{"expect_ms", ms(f.expect)},
          {"median_ms", ms(f.median)},
          {"worst_ms", ms(f.worst)},
          {"unknown_steps", f.unknown}};
}

class Document {
 public:
  Document(const Plan& plan, const Time& now, const Past* past)
      : plan_(plan),
        now_(now),
        past_(past != nullptr && !past->steps.empty() ? past : nullptr),
        outlook_(outlook(plan, now, past)),
        lengths_(lengths(plan, past, Basis::median)),
        likely_(schedule(plan, plan.sections.front(), now, lengths_)) {}

  json make() const {
    json out{{"now", format_rfc3339(now_.at)}, {"source", source()}};
    json total = figures(outlook_.total);
    clock(total, Timing{Duration{0}, likely_.total});
    out["total"] = std::move(total);
    out["outage"] = outlook_.outage ? figures(*outlook_.outage) : json(nullptr);
    out["outage_excluding_testing"] = outlook_.outage_excluding_testing
                                          ? figures(*outlook_.outage_excluding_testing)
                                          : json(nullptr);
    out["phases"] = phases();
    out["steps"] = steps();
    json notes = json::array();
    for (const TimeLine& line : time_lines(plan_, likely_, now_)) {
      notes.push_back({{"about", line.key}, {"text", line.text}, {"warning", line.alarm}});
    }
    out["notes"] = std::move(notes);
    return out;
  }

 private:
  json source() const {
    if (past_ == nullptr) return {{"by", "expect"}};
    return {{"by", "past runs"}, {"runs", past_->runs}, {"inventory", past_->inventory}};
  }

  // As the plan's clock times: begun now, each step taking its likely time.
  void clock(json& into, const Timing& time) const {
    into["begins"] = format_rfc3339(now_.at + time.begin);
    into["ends"] = format_rfc3339(now_.at + time.end);
  }

  json phases() const {
    json out = json::array();
    for (std::uint32_t p = 0; p < plan_.phases.size(); ++p) {
      if (!outlook_.phases[p]) continue;
      const Phase& phase = plan_.phases[p];
      json one{{"phase", phase.path}, {"title", phase.title}, {"outage", phase.outage}};
      one.update(figures(*outlook_.phases[p]));
      one["budget_ms"] = ms(phase.budget);
      clock(one, *likely_.phases[p].time);
      out.push_back(std::move(one));
    }
    return out;
  }

  json steps() const {
    json out = json::array();
    for (const NodeId id : plan_.sections.front().nodes) {
      const Node& node = plan_.node(id);
      if (!node.left_out.empty()) continue;
      if (node.kind != NodeKind::step && node.kind != NodeKind::human &&
          node.kind != NodeKind::wait) {
        continue;
      }
      const PastStep* past = past_of(past_, id);
      json one{{"step", node.path}, {"title", node.title}, {"test", node.testing}};
      one["source"] = past != nullptr      ? json("past runs")
                      : lengths_.nodes[id] ? json("expect")
                                           : json(nullptr);
      one["expect_ms"] = ms(node.expect);
      one["past_runs"] = past != nullptr ? past->runs : 0;
      one["median_ms"] = past != nullptr ? json(past->median.count()) : json(nullptr);
      one["worst_ms"] = past != nullptr ? json(past->worst.count()) : json(nullptr);
      clock(one, likely_.nodes[id]);
      out.push_back(std::move(one));
    }
    return out;
  }

  const Plan& plan_;
  const Time now_;
  const Past* past_;
  const Outlook outlook_;
  const Lengths lengths_;
  const Schedule likely_;
};

}  // namespace

std::string to_json(const Plan& plan, const Time& now, const Past* past) {
  std::string text = cnplay::plan::to_json(plan);
  text.resize(text.rfind('}'));  // of an object with members
  return text + ",\"prediction\":" + dump_json(Document(plan, now, past).make()) + "}";
}

}  // namespace cnplay::render

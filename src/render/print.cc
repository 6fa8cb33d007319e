// `cnplay plan`: the plan as a runbook that a person checks before the run. Steps are numbered in
// source order; what runs at the same time stands in branches beside a `║`; a rule is where
// all hosts wait for each other.
#include <algorithm>

#include "base/columns.h"
#include "base/lines.h"
#include "base/words.h"
#include "plan/eval.h"
#include "plan/host_text.h"
#include "plan/pipeline.h"
#include "plan/prediction.h"
#include "render/printer.h"
#include "render/waits.h"

namespace cnplay::render {
namespace {

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    if (end > begin) words.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

class Printer {
 public:
  Printer(const Plan& plan, const PrintOptions& options)
      : plan_(plan), options_(options), paint_(options.colour) {
    lengths_ = lengths(plan, options.past, Basis::median);
    options_.width = std::max<std::size_t>(options_.width, 60);
  }

  std::string print() {
    out_ = header_text(plan_, options_, paint_);
    for (std::uint32_t s = 0; s < plan_.sections.size(); ++s) section(s);
    handlers();
    failures();
    out_ += prediction_text(plan_, options_, paint_);
    times();
    if (options_.pipeline) out_ += pipeline_text(plan_, options_);
    return std::move(out_);
  }

 private:
  // --- lines: clock and number on the left, then the margin of phases and branches
  std::size_t left_width() const { return clocks_ ? 15 : 5; }
  std::string margin() const { return std::string(2 * depth_, ' ') + gutter_; }

  void line(const std::string& text) { out_ += text + "\n"; }
  void indented(const std::string& text) {
    line(text.empty() ? text : std::string(left_width(), ' ') + paint_branch(margin()) + text);
  }
  std::string paint_branch(const std::string& text) const {
    return gutter_.empty() ? text : paint_.calm(text);
  }
  std::size_t room() const {
    const std::size_t used = left_width() + columns_of(margin());
    return options_.width > used + 30 ? options_.width - used : 30;
  }
  // `──── text ────────`, up to the right edge.
  std::string rule(const char* piece, const std::string& text) const {
    std::string out;
    for (int i = 0; i < 4; ++i) out += piece;
    out += " " + text + " ";
    for (std::size_t used = columns_of(out); used < room(); ++used) out += piece;
    return out;
  }

  Instant at(Duration since_start) const { return options_.now->at + since_start; }
  std::string clock(Duration since_start) const {
    return format_clock(at(since_start), options_.now->zone);
  }
  // Says the day where it changes.
  void day(Duration since_start) {
    if (!clocks_) return;
    const std::string date = format_time(Time{at(since_start), options_.now->zone}).substr(0, 10);
    if (date != date_) line(paint_.dim(date + " " + options_.now->zone));
    date_ = date;
  }

  // --- sections
  void section(std::uint32_t index) {
    const Section& section = plan_.sections[index];
    schedule_ = schedule(plan_, section, options_.now, lengths_);
    clocks_ = index == 0 && options_.now.has_value();
    if (index == 0) main_ = schedule_;
    if (index != 0) {
      if (section.kind == SectionKind::rollback) {
        way_back_head(index);
      } else if (section.kind == SectionKind::on_failure) {
        line("\n" + paint_.bold("ON FAILURE") + "  " + response_of(index));
      } else {
        line("\n" + paint_.bold("ALWAYS") + "  at the end, whatever has happened");
      }
    } else {
      line("\n" + paint_.bold("STEPS"));
      if (plan_.hosts.size() > 1) {
        line(paint_.dim(
            "  A host waits for the others only at a line across, and at the beginning and end"));
        line(paint_.dim("  of a phase: there, everything above is finished first."));
      }
    }
    drawn_ = true;
    for (const Zone& z : schedule_.zones) zone(z);
    phases_to(kNone);
    if (section.report_timings) line("  report timings");
  }

  void way_back_head(std::uint32_t index) {
    for (const Rollback& way : plan_.rollbacks) {
      if (way.section != index) continue;
      line("\n" + paint_.bold("ROLLBACK  " + way.name) +
           (way.title == way.name ? "" : "  " + one_line(way.title)));
      line(paint_.dim("  " +
                      (schedule_.total.count() > 0
                           ? "takes " + human_duration(schedule_.total) + "; "
                           : std::string()) +
                      "later: cnplay rollback RUN " + way.name));
    }
  }

  std::string response_of(std::uint32_t section) const {
    for (const OnFailure& on : plan_.on_failure) {
      for (const Response& r : on.responses) {
        if (r.section == section) return failure_text(plan_, on, options_);
      }
    }
    return "";
  }

  void zone(const Zone& z) {
    phases_to(common_phase(z));
    wait_line(waited_for(plan_, z.nodes, z, false));
    if (z.lane_count == 1) {
      for (const NodeId id : z.nodes) node(id);
    } else {
      indented(
          paint_.calm("╓─ " + count_of(z.lane_count, "branch", "branches") + " at the same time"));
      const std::uint32_t outer = phase_;
      for (std::size_t lane = 0; lane < z.lane_count; ++lane) {
        if (lane != 0) indented(paint_.calm("╟─"));
        for (std::size_t i = 0; i < z.nodes.size(); ++i) {
          if (z.lanes[i] != lane) continue;
          gutter_ = "║ " + letter(lane) + "  ";
          wait_line(waited_for(plan_, {z.nodes[i]}, z, true));
          node(z.nodes[i]);
        }
        phases_to(outer);
        gutter_.clear();
      }
      indented(paint_.calm("╙─"));
    }
  }

  static std::string letter(std::size_t lane) {
    return lane < 26 ? std::string(1, static_cast<char>('a' + lane)) : std::to_string(lane + 1);
  }

  // --- phases
  std::uint32_t common_phase(const Zone& z) const {
    std::vector<std::uint32_t> chain = chain_of(plan_.node(z.nodes[0]).phase);
    for (const NodeId id : z.nodes) {
      const auto other = chain_of(plan_.node(id).phase);
      std::size_t n = 0;
      while (n < chain.size() && n < other.size() && chain[n] == other[n]) ++n;
      chain.resize(n);
    }
    return chain.empty() ? kNone : chain.back();
  }
  std::vector<std::uint32_t> chain_of(std::uint32_t phase) const {
    std::vector<std::uint32_t> chain;
    for (; phase != kNone; phase = plan_.phases[phase].parent) chain.push_back(phase);
    std::reverse(chain.begin(), chain.end());
    return chain;
  }
  // Closes and opens phases until `wanted` is the innermost.
  void phases_to(std::uint32_t wanted) {
    const auto now = chain_of(phase_);
    const auto then = chain_of(wanted);
    std::size_t shared = 0;
    while (shared < now.size() && shared < then.size() && now[shared] == then[shared]) ++shared;
    for (std::size_t i = now.size(); i > shared; --i) close_phase(now[i - 1]);
    for (std::size_t i = shared; i < then.size(); ++i) open_phase(then[i]);
    phase_ = wanted;
  }
  bool left_out(const Phase& phase) const {
    return phase.end != kNone && !plan_.node(phase.end).left_out.empty();
  }
  void open_phase(std::uint32_t index) {
    const Phase& phase = plan_.phases[index];
    std::string text = phase.outage ? "OUTAGE BEGINS" : "";
    const auto add = [&](const std::string& part) { text += (text.empty() ? "" : " · ") + part; };
    if (phase.expect) add("expected " + human_duration(*phase.expect));
    if (phase.budget) add("budget " + human_duration(*phase.budget));
    for (const Deadline& deadline : plan_.deadlines) {
      if (deadline.phase == index) add(deadline_text(plan_, deadline, options_.now));
    }
    if (left_out(phase)) text = "left out: nothing is done in it";
    const std::string when = phase.when.is_none() || left_out(phase)
                                 ? ""
                                 : "only when " + describe(phase.when, plan_, {});
    if (const auto& time = schedule_.phases[index].time) day(time->begin);
    indented("");
    const std::string head = "▶ " + paint_.bold(one_line(phase.title));
    indented(head + (text.empty() ? "" : "  " + (phase.outage ? paint_.alarm(text) : text)));
    ++depth_;
    if (!when.empty()) indented(paint_.warn(when));
    drawn_ = true;
  }
  void close_phase(std::uint32_t index) {
    --depth_;
    const Phase& phase = plan_.phases[index];
    const PhaseTiming& timing = schedule_.phases[index];
    std::string text = phase.outage ? "OUTAGE ENDS" : "ends";
    if (left_out(phase)) {
      text = "left out";
    } else if (timing.time) {
      const Duration length = timing.time->end - timing.time->begin;
      if (length.count() > 0) text += " after " + human_duration(length);
      if (clocks_) text += ", at " + clock(timing.time->end);
      if (phase.budget && length > *phase.budget) {
        text += paint_.alarm(" MORE THAN THE BUDGET of " + human_duration(*phase.budget));
      }
    }
    indented("◀ " + one_line(phase.title) + "  " + (phase.outage ? paint_.bold(text) : text));
    drawn_ = true;
  }

  // --- waits
  void wait_line(const std::vector<NodeId>& ends) {
    if (!drawn_ && !ends.empty()) {
      indented(paint_.dim(rule("─", "wait for " + ends_text(plan_, ends))));
    }
  }
  void barrier(const Node& node) {
    std::vector<NodeId> ends;
    for (const Edge& edge : node.after) ends.push_back(edge.from);
    std::string text = node.title == "join" ? "" : "barrier";
    if (!ends.empty())
      text += (text.empty() ? "wait for " : ": wait for ") + ends_text(plan_, ends);
    indented(paint_.dim(rule("─", text)));
  }

  // --- nodes
  void node(NodeId id) {
    const Node& node = plan_.node(id);
    if (node.kind == NodeKind::phase_end) return;  // its phase is closed when the next node comes
    phases_to(node.phase);
    if (!node.left_out.empty() && node.kind != NodeKind::step) {
      indented(paint_.dim(rule("─", "left out (" + node.left_out + "): " + one_line(node.title))));
      drawn_ = true;
      return;
    }
    switch (node.kind) {
      case NodeKind::step:
        step(node);
        break;
      case NodeKind::wait:
        wait(node);
        break;
      case NodeKind::human:
        human(node);
        break;
      case NodeKind::assertion:
        assertion(node);
        break;
      case NodeKind::barrier:
        barrier(node);
        break;
      case NodeKind::flush:
        indented(paint_.dim(rule("─", "handlers that were notified run here")));
        break;
      case NodeKind::batch_end:
        indented(paint_.dim(
            rule("─", "the batch ends: " + hosts_text(plan_, node.made_from) + has_handlers())));
        break;
      case NodeKind::pivot:
        indented(paint_.alarm(rule("━", "PIVOT: " + one_line(node.title))));
        indented(paint_.alarm("     nothing above this line is undone automatically from here on"));
        break;
      default:
        break;
    }
    drawn_ = node.kind != NodeKind::step;
  }

  std::string has_handlers() const {
    const bool any = std::ranges::any_of(
        plan_.nodes, [](const Node& node) { return node.kind == NodeKind::handler; });
    return any ? "; handlers that were notified in it run here" : "";
  }

  std::string left(Duration begin) {
    day(begin);
    const std::string number = pad_left(std::to_string(++number_), 3);
    return (clocks_ ? paint_.dim(clock(begin)) + "  " : "") + paint_.bold(number) + "  ";
  }

  // What is counted with: the median of past runs, else what the play expects.
  std::string length_of(const Node& node) const {
    const auto& length = lengths_.nodes[node.id];
    return length ? human_duration(*length) : "-";
  }
  void past_runs(const Node& node) {
    if (options_.past == nullptr || options_.past->steps.empty()) return;  // said once, at the end
    const PastStep* past = past_of(options_.past, node.id);
    if (past == nullptr) {
      if (node.expect) indented("  " + paint_.dim("by `expect`"));
      return;
    }
    indented("  " + paint_.dim(text_of(*past) +
                               (node.expect ? "; expected " + human_duration(*node.expect) : "")));
  }

  void step(const Node& node) {
    const std::string name = short_name(node.path);
    const std::string hosts = (node.once ? "once on " + hosts_text(plan_, node.hosts)
                                         : named_hosts_text(plan_, node.hosts));
    const std::string expect = length_of(node);
    std::string head = paint_.bold(pad_right(name, 16)) + "  " + pad_right(hosts, 30) + "  " +
                       pad_left(expect, 12);
    line(left(schedule_.nodes[node.id].begin) + paint_branch(margin()) + head);
    if (node.title != name && !node.title.empty())
      indented("  " + paint_.bold(one_line(node.title)));
    if (!node.left_out.empty()) return indented("  " + paint_.warn("left out: " + node.left_out));
    past_runs(node);
    for (const std::string& text : wrap(modifiers(node), room() - 2, 0)) {
      indented("  " + paint_.warn(text));
    }
    actions(node);
  }

  void actions(const Node& node) {
    if (auto words = environment_words(plan_, node); !words.empty()) {
      words.insert(words.begin(), "env");
      for (const auto& text : wrap(words, room() - 2, 4)) indented("  " + text);
    }
    for (const Action& action : node.actions) {
      for (const auto& text : action_lines(plan_, action, node, false, options_, room() - 2)) {
        indented("  " + text);
      }
    }
    for (const Action& action : node.undo) {
      for (const auto& text : action_lines(plan_, action, node, true, options_, room() - 2)) {
        indented("  " + paint_.dim(text));
      }
    }
  }

  std::vector<std::string> modifiers(const Node& node) const {
    std::vector<std::string> out;
    if (!node.when.empty() && !(node.when.uniform() && node.when.at(0) == Value(true))) {
      DescribeOptions how;
      how.now = options_.now;
      out.push_back("only when " + column_text(plan_, node.when, node.hosts, how));
    }
    if (!node.made_from.empty()) {
      out.push_back("skipped if " + hosts_text(plan_, node.made_from) + " is out of the run");
    }
    if (node.timeout) out.push_back("timeout " + human_duration(*node.timeout));
    if (node.retry.times != 0) {
      out.push_back("retry " + count_of(node.retry.times, "time") + ", every " +
                    human_duration(node.retry.every));
    }
    if (node.tolerate >= plan_.hosts.size()) {
      out.push_back("failed hosts do not stop the run");
    } else if (node.tolerate != 0) {
      out.push_back("continues with up to " + count_of(node.tolerate, "failed host"));
    }
    for (std::size_t i = 0; i + 1 < out.size(); ++i) out[i] += ";";
    return out;
  }

  void wait(const Node& node) {
    DescribeOptions how;
    how.now = options_.now;
    how.bare = true;
    std::vector<std::string> words{"WAIT until", describe(node.until, plan_, how)};
    const Timing& time = schedule_.nodes[node.id];
    if (clocks_) words.push_back("(" + human_duration(time.end) + " after the start)");
    const std::string clock_and_number = left(time.begin);
    bool first = true;
    for (const std::string& text : wrap(words, room(), 2)) {
      if (first) {
        line(clock_and_number + paint_branch(margin()) + paint_.warn(text));
      } else {
        indented(paint_.warn(text));
      }
      first = false;
    }
    if (!node.when.empty()) {
      indented("  " + paint_.warn("only when " + column_text(plan_, node.when, {}, {})));
    }
    if (node.late_by) {
      indented("  if it is more than " + human_duration(*node.late_by) +
               " late: stop and ask, never just continue");
    }
  }

  void assertion(const Node& node) {
    DescribeOptions how;
    how.now = options_.now;
    indented(paint_.warn("ASSERT ") + describe(node.holds, plan_, how));
    how.bare = true;
    indented("  else the run fails: " + one_line(describe(node.if_not, plan_, how)));
  }

  void human(const Node& node) {
    const Human& asked = *node.human;
    const char* kind = asked.kind == HumanKind::manual    ? "BY HAND"
                       : asked.kind == HumanKind::approve ? "APPROVAL"
                                                          : "QUESTION";
    const std::string expect = length_of(node);
    line(left(schedule_.nodes[node.id].begin) + paint_branch(margin()) +
         paint_.bold(pad_right(short_name(node.path), 16)) + "  " +
         pad_right(paint_.warn(kind), 30) + "  " + pad_left(expect, 12));
    if (node.title != short_name(node.path)) indented("  " + paint_.bold(one_line(node.title)));
    past_runs(node);
    for (const std::string& text : human_lines(plan_, node, room() - 2)) indented("  " + text);
  }

  // --- what stands behind the steps
  void handlers() {
    bool first = true;
    gutter_.clear();
    clocks_ = false;
    for (const Node& node : plan_.nodes) {
      if (node.kind != NodeKind::handler) continue;
      if (first) {
        line("\n" + paint_.bold("HANDLERS") +
             "  once per host, at the end of the phase in which a change notified them");
      }
      first = false;
      indented(paint_.bold(pad_right(short_name(node.path), 16)) + "  " +
               named_hosts_text(plan_, node.hosts));
      actions(node);
    }
  }

  void failures() {
    line("\n" + paint_.bold("IF A STEP FAILS"));
    bool play = false;
    for (const Deadline& deadline : plan_.deadlines) {
      if (deadline.phase != kNone) continue;
      line("  the play " + deadline_text(plan_, deadline, options_.now));
    }
    for (const OnFailure& on : plan_.on_failure) {
      const auto words = words_of(failure_text(plan_, on, options_));
      for (const auto& text : wrap(words, options_.width - 2, 4)) line("  " + text);
      play = play || (on.phase == kNone && on.side == Side::any);
    }
    if (!play) {
      const std::string text = undo_text(plan_);
      line((plan_.on_failure.empty() ? "  " : "  elsewhere: ") + text +
           (text.starts_with("undo") ? ", back to the last pivot" : ""));
    }
  }

  // Whether it all fits, and until when the way back does.
  void times() {
    for (const TimeLine& row : time_lines(plan_, main_, options_.now)) {
      const std::string text = row.alarm ? paint_.warn(row.text) : row.text;
      line("  " + pad_right(row.key, 8) + text);
    }
  }

  const Plan& plan_;
  PrintOptions options_;
  Paint paint_;
  Lengths lengths_;
  Schedule schedule_;
  Schedule main_;  // of the way forward
  std::string out_;
  std::string gutter_;
  std::string date_;
  std::size_t depth_ = 0;
  std::size_t number_ = 0;
  std::uint32_t phase_ = kNone;
  bool clocks_ = false;
  bool drawn_ = true;  // the last line keeps what follows apart already
};

}  // namespace

std::string print(const Plan& plan, const PrintOptions& options) {
  return Printer(plan, options).print();
}

}  // namespace cnplay::render

// `cnplay plan`: how long all of it takes, and the table of timings.
#include <algorithm>

#include "base/columns.h"
#include "base/lines.h"
#include "base/words.h"
#include "plan/prediction.h"
#include "render/printer.h"

namespace cnplay::render {
namespace {

class Prediction {
 public:
  Prediction(const Plan& plan, const PrintOptions& options, const Paint& paint)
      : plan_(plan),
        options_(options),
        paint_(paint),
        seen_(options.past != nullptr && !options.past->steps.empty()),
        outlook_(outlook(plan, options.now, options.past)),
        likely_(schedule(plan, plan.sections.front(), options.now,
                         lengths(plan, options.past, Basis::median))) {}

  std::string text() {
    line("\n" + paint_.bold("PREDICTION") + source());
    total();
    for (std::uint32_t p = 0; p < plan_.phases.size(); ++p) outage(p);
    unknown();
    table();
    return std::move(out_);
  }

 private:
  void line(const std::string& text) { out_ += text + "\n"; }

  std::string source() const {
    if (options_.past == nullptr) return "";
    if (!seen_) {
      return "  by `expect`: no run of this play on " + plan_.inventory + " is recorded";
    }
    const Past& past = *options_.past;
    return "  from " +
           (past.runs == 1 ? std::string("the last run")
                           : "the last " + std::to_string(past.runs) + " runs") +
           " on " + past.inventory + "; other steps by `expect`";
  }

  void total() {
    if (likely_.total.count() == 0) {
      line("  total   not known: no step says how long it takes (`expect`)");
      return;
    }
    line("  total   " + human_duration(likely_.total) + worst(outlook_.total) +
         span(Timing{Duration{0}, likely_.total}));
  }

  // Said where it is more than the likely figure.
  static std::string worst(const Forecast& f) {
    if (!f.worst || f.worst == f.median) return "";
    return ", at worst " + human_duration(*f.worst);
  }

  void outage(std::uint32_t p) {
    const PhaseTiming& timing = likely_.phases[p];
    const Phase& phase = plan_.phases[p];
    if (!phase.outage || !timing.time) return;
    const Duration length = timing.time->end - timing.time->begin;
    line("  " + paint_.bold("outage  ") +
         (length.count() > 0 ? paint_.bold(human_duration(length)) + worst(*outlook_.phases[p]) +
                                   span(*timing.time)
                             : std::string("not known")) +
         ": " + one_line(phase.title));
    if (phase.expect && timing.steps < length) {
      line("  " + key_ + "(as the phase expects; its steps alone add up to " +
           (timing.steps.count() > 0 ? human_duration(timing.steps) : "nothing") + ")");
    }
    if (phase.expect && timing.steps > *phase.expect) {
      line("  " + key_ +
           paint_.warn("the steps take longer than the phase expects (" +
                       human_duration(*phase.expect) + ")"));
    }
    const auto& at_worst = outlook_.phases[p]->worst;
    if (phase.budget && length <= *phase.budget && at_worst && *at_worst > *phase.budget) {
      line("  " + key_ +
           paint_.warn("at worst it takes more than its budget of " +
                       human_duration(*phase.budget)));
    }
  }

  void unknown() {
    if (likely_.without_expect == 0) return;
    line("  " + key_ +
         paint_.warn(count_of(likely_.without_expect, "step") + " without `expect`" +
                     (seen_ ? " or a past run" : "") + ", counted as no time"));
  }

  // Phases as they are nested, the outage with and without testing, the whole.
  void table() {
    std::vector<Row> rows;
    for (std::uint32_t p = 0; p < plan_.phases.size(); ++p) {
      if (!outlook_.phases[p]) continue;
      std::size_t depth = 0;
      for (auto up = plan_.phases[p].parent; up != kNone; up = plan_.phases[up].parent) ++depth;
      rows.push_back({std::string(2 * depth, ' ') + one_line(plan_.phases[p].title) +
                          (plan_.phases[p].outage ? " (outage)" : ""),
                      *outlook_.phases[p]});
    }
    if (rows.empty()) return;
    if (outlook_.outage) {
      rows.push_back({"Outage time excluding testing", *outlook_.outage_excluding_testing});
      rows.push_back({"Total outage time, including testing", *outlook_.outage});
    }
    rows.push_back({"Total", outlook_.total});
    std::size_t widest = 0;
    for (const Row& row : rows) widest = std::max(widest, columns_of(row.label));
    const std::size_t figures = (seen_ ? 3 : 1) * (kFigure + 2);
    const std::size_t room = options_.width > figures + 2 ? options_.width - figures - 2 : 0;
    widest = std::min(widest, std::max<std::size_t>(room, 20));
    std::string head = "  " + pad_right("", widest) + column("expected");
    if (seen_) head += column("median") + column("worst");
    line("\n" + paint_.dim(head));
    for (const Row& row : rows) {
      const Forecast& f = row.figures;
      std::string text = "  " + pad_right(cut_to(row.label, widest), widest) + figure(f.expect, f);
      if (seen_) text += figure(f.median, f) + figure(f.worst, f);
      line(text);
    }
  }

  static std::string column(const std::string& text) { return "  " + pad_left(text, kFigure); }
  static std::string figure(const std::optional<Duration>& d, const Forecast& f) {
    return column(!d ? "-" : (f.unknown != 0 ? "over " : "") + human_duration(*d));
  }

  std::string span(const Timing& time) const {
    if (!options_.now) return "";
    const auto at = [&](Duration d) {
      return format_time(Time{options_.now->at + d, options_.now->zone});
    };
    const std::string begin = at(time.begin);
    const std::string end = at(time.end);
    // The second's date only where it is another day.
    const bool same_day = begin.substr(0, 10) == end.substr(0, 10);
    return ", " + begin.substr(0, 19) + " to " +
           (same_day ? end.substr(11, 8) : end.substr(0, 19)) + " " + options_.now->zone;
  }

  static constexpr std::size_t kFigure = 15;  // "over 1 h 20 min"
  struct Row {
    std::string label;
    Forecast figures;
  };

  const Plan& plan_;
  const PrintOptions& options_;
  const Paint& paint_;
  const bool seen_;
  const Outlook outlook_;
  const Schedule likely_;
  const std::string key_ = std::string(8, ' ');
  std::string out_;
};

}  // namespace

std::string prediction_text(const Plan& plan, const PrintOptions& options, const Paint& paint) {
  return Prediction(plan, options, paint).text();
}

}  // namespace cnplay::render

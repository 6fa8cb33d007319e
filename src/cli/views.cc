#include "cli/views.h"

#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string_view>

#include "cli/project.h"
#include "report/changes.h"
#include "report/grouped.h"
#include "report/live.h"
#include "report/plain.h"
#include "report/terminal.h"

namespace cnplay::cli {
namespace {

void write_out(const std::string& text) { std::cout << text << std::flush; }

class JsonLines final : public events::Sink {
 public:
  explicit JsonLines(const plan::Plan& plan) : plan_(plan) {}
  void on(const events::Event& event) override { write_out(events::to_json(event, plan_) + "\n"); }

 private:
  const plan::Plan& plan_;
};

// What a dry run found, as one JSON object at its end.
class JsonChanges final : public events::Sink {
 public:
  explicit JsonChanges(const plan::Plan& plan) : changes_(plan) {}
  void on(const events::Event& event) override {
    changes_.on(event);
    if (std::holds_alternative<events::RunEnded>(event.what)) write_out(changes_.json() + "\n");
  }

 private:
  report::Changes changes_;
};

// The live view together with the terminal that it draws on.
class LiveView final : public events::Sink {
 public:
  LiveView(const plan::Plan& plan, const report::Options& options)
      : terminal_(1), view_(plan, options, terminal_) {}
  void on(const events::Event& event) override { view_.on(event); }
  void recall(const events::Event& event) override { view_.recall(event); }
  void progress(const events::Progress& progress, Instant now) override {
    view_.progress(progress, now);
  }
  void tick(Instant now) override { view_.tick(now); }

 private:
  report::SystemTerminal terminal_;
  report::LiveSink view_;
};

// A terminal that can move its cursor. Emacs's shell and the like say "dumb".
bool can_redraw() {
  const char* term = std::getenv("TERM");
  return ::isatty(1) == 1 && term != nullptr && *term != '\0' && std::string_view(term) != "dumb";
}

}  // namespace

std::unique_ptr<events::Sink> make_view(const plan::Plan& plan, const Options& options,
                                        Moment moment) {
  if (options.json && options.dry_run && moment == Moment::now)
    return std::make_unique<JsonChanges>(plan);
  if (options.json) return std::make_unique<JsonLines>(plan);
  report::Options view;
  view.colour = wants_colour(options, 1);
  view.diff = options.diff;
  view.verbosity = options.verbosity;
  // A question before each step would stand in the middle of what is redrawn.
  if (moment == Moment::now && !options.stepwise && can_redraw())
    return std::make_unique<LiveView>(plan, view);
  return std::make_unique<report::PlainSink>(plan, view, write_out);
}

std::unique_ptr<events::Sink> make_grouped_view(const plan::Plan& plan, const Options& options) {
  if (options.json || options.verbosity > 0) return make_view(plan, options, Moment::now);
  report::Options view;
  view.colour = wants_colour(options, 1);
  return std::make_unique<report::GroupedSink>(plan, view, write_out);
}

}  // namespace cnplay::cli

#include "cli/views.h"

#include <unistd.h>

#include <cstdio>

#include "cli/project.h"
#include "report/plain.h"

namespace cnplay::cli {
namespace {

void write_out(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

class JsonLines final : public events::Sink {
 public:
  explicit JsonLines(const plan::Plan& plan) : plan_(plan) {}
  void on(const events::Event& event) override { write_out(events::to_json(event, plan_) + "\n"); }

 private:
  const plan::Plan& plan_;
};

}  // namespace

std::unique_ptr<events::Sink> make_view(const plan::Plan& plan, const Options& options) {
  if (options.json) return std::make_unique<JsonLines>(plan);
  report::Options view;
  view.colour = wants_colour(options, 1);
  view.diff = options.diff;
  view.verbosity = options.verbosity;
  return std::make_unique<report::PlainSink>(plan, view, write_out);
}

}  // namespace cnplay::cli

// The view for pipes, files and CI: one line a fact, nothing is ever drawn over.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "events/event.h"
#include "report/attempts.h"
#include "report/failed.h"
#include "report/format.h"
#include "report/host_news.h"

namespace cnplay::report {

class PlainSink final : public events::Sink {
 public:
  using Write = std::function<void(const std::string&)>;

  // Writes whole lines through `write`. `plan` must outlive the sink.
  PlainSink(const plan::Plan& plan, Options options, Write write);

  void on(const events::Event& event) override;
  // Shows the line that a run begins with, and nothing else.
  void recall(const events::Event& event) override;
  // Says what still runs after 10 s, and then each time the age has doubled.
  void tick(Instant now) override;

 private:
  struct Running {
    events::ActionStarted what;
    Instant since;
    Duration next_word;
  };
  using StreamKey = std::pair<std::uint64_t, events::Stream>;

  void line(Instant at, const std::string& text);
  void output(Instant at, const events::Output& e);
  void flush_output(std::uint64_t task, Instant at);

  const plan::Plan& plan_;
  Options options_;
  Write write_;
  std::size_t host_width_ = 4;
  Attempts attempts_;
  HostNews news_;
  Failed failed_;
  std::map<std::uint64_t, Running> running_;
  std::map<StreamKey, std::pair<events::HostIndex, std::string>> partial_;  // lines not ended yet
};

// Whether the plan asks for `report timings`.
bool wants_timings(const plan::Plan& plan);
// Width of the column of host names: the longest one, within reason.
std::size_t host_column(const plan::Plan& plan);

}  // namespace cnplay::report

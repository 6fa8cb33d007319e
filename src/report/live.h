// The view for a terminal: what is finished scrolls by as lines, and below them a region is kept
// up to date that says what is going on now: the phase with its clock, and one line a host that
// works. Needs nothing but a few ANSI escapes: cursor up, erase to the end of the line or screen.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "events/event.h"
#include "report/attempts.h"
#include "report/copying.h"
#include "report/failed.h"
#include "report/format.h"
#include "report/host_news.h"
#include "report/terminal.h"

namespace cnplay::report {

class LiveSink final : public events::Sink {
 public:
  // `plan` and `terminal` must outlive the sink.
  LiveSink(const plan::Plan& plan, Options options, Terminal& terminal);
  // Takes the region away, so that the shell's prompt stands where a prompt should.
  ~LiveSink() override;
  LiveSink(const LiveSink&) = delete;
  LiveSink& operator=(const LiveSink&) = delete;

  void on(const events::Event& event) override;
  // Shows the line that a run begins with, and nothing else.
  void recall(const events::Event& event) override;
  void progress(const events::Progress& progress, Instant now) override;
  void tick(Instant now) override;

 private:
  struct Running {
    events::ActionStarted what;
    Instant since;
    std::string output;  // its last whole line of output
    Copying copying{};   // the file that is on its way for it
  };
  struct OpenPhase {
    std::uint32_t phase;
    Instant since;
  };
  using StreamKey = std::pair<std::uint64_t, events::Stream>;

  // What an event changes in the picture of now.
  void follow(const events::Event& event);
  // The lines for people that an event leaves behind, without their time.
  std::string finished(const events::Event& event);
  std::string take_output(const events::Output& output);
  std::string rest_of_output(std::uint64_t task);
  std::string output_line(events::HostIndex host, const std::string& text) const;

  std::vector<std::string> region(Instant now) const;
  std::string phase_line(const OpenPhase& open, Instant now) const;
  std::string outage_line(Instant now) const;
  std::string copying_line(Instant now) const;
  std::vector<std::string> work_lines(Instant now, std::size_t room) const;
  // One write: the old region away, `lines` for good, the new region.
  void redraw(Instant now, const std::string& lines);
  std::string erased();

  const plan::Plan& plan_;
  Options options_;
  Terminal& terminal_;
  std::size_t host_width_;
  Attempts attempts_;
  HostNews news_;
  Failed failed_;

  std::map<std::uint64_t, Running> running_;                                // by task
  std::map<StreamKey, std::pair<events::HostIndex, std::string>> partial_;  // lines not ended yet
  std::vector<OpenPhase> phases_;        // open ones, innermost last
  std::optional<plan::Past> past_;       // what earlier runs took
  std::optional<Instant> outage_since_;  // an outage phase is open
  std::optional<events::WaitStarted> waiting_;
  bool asking_ = false;  // a person may be typing: nothing is drawn
  bool asking_later_ = false;
  bool parked_ = false;  // until it is resumed nothing happens
  std::map<events::HostIndex, Instant> connecting_;
  std::string doing_;  // "undoing", "stopping": what the run is about besides going forward
  std::vector<std::size_t> drawn_;  // widths of the region's lines as they stand on the screen
  std::string last_region_;
  bool ended_ = false;
};

}  // namespace cnplay::report

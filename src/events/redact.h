// Keeps secrets out of what the sinks see. Knows nothing of how a secret is recognised: that is
// a function, so that events/ need not know secrets/.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "events/event.h"

namespace cnplay::events {

// A text whose secrets are to be taken out as it arrives in chunks.
class StreamFilter {
 public:
  virtual ~StreamFilter() = default;
  // What can be shown by now. May hold back what could be the beginning of a secret.
  virtual std::string push(std::string_view chunk) = 0;
  // The rest.
  virtual std::string finish() = 0;
};

struct Redaction {
  std::function<std::string(std::string_view)> text;          // of a whole text
  std::function<std::unique_ptr<StreamFilter>()> new_stream;  // for one stream of one task
};

// Hands every event on with the secrets taken out of all of its texts. Output that was held back
// is handed on, as one more Output event, right before its task's ActionEnded; the numbers (seq)
// are given anew, so that they stay without gaps.
class RedactingSink final : public Sink {
 public:
  // `inner` is not owned. `seq`: the number of the last event that it has been told before.
  RedactingSink(Sink& inner, Redaction redaction, std::uint64_t seq = 0)
      : inner_(inner), redaction_(std::move(redaction)), seq_(seq) {}

  // The number of the last event that was handed on.
  std::uint64_t last_seq() const { return seq_; }
  void on(const Event& event) override;
  void progress(const Progress& progress, Instant now) override { inner_.progress(progress, now); }
  void tick(Instant now) override { inner_.tick(now); }
  Status commit() override { return inner_.commit(); }
  Status healthy() const override { return inner_.healthy(); }

 private:
  struct Open {
    std::unique_ptr<StreamFilter> filter;
    Output last;  // without its bytes
  };
  // Stages of one task follow each other: a stream ends where the next stage's begins.
  using StreamKey = std::pair<std::uint64_t, Stream>;

  void emit(Event event);
  void output(const Event& event, const Output& output);
  void finish(Open& open, Instant at);
  void finish_task(std::uint64_t task, Instant at);

  Sink& inner_;
  Redaction redaction_;
  std::map<StreamKey, Open> open_;
  std::uint64_t seq_;
};

}  // namespace cnplay::events

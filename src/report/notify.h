// Tells people how a run ended: by a command, a webhook, a mail. Knows nothing of what hosts have
// said: the document holds the controller's own words alone.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/text.h"
#include "events/event.h"
#include "plan/plan.h"

namespace cnplay::report {

// What a run came to. Gathered from its events, behind the redaction.
struct Occasion {
  std::string run, play, title, inventory, user, controller;
  Instant began{};
  Instant ended{};
  bool dry = false;
  std::string verdict;    // "" if it has not come to an end
  std::string parked_at;  // the human step's path; "the end of the window"
  std::string parked_why;
  std::string advice;
  std::optional<Duration> outage;
  bool outage_open = false;
  struct Bad {
    std::string step, host, outcome;
  };
  std::vector<Bad> bad;  // the first of them
  std::size_t bad_in_all = 0;
  std::string record;  // the directory
};

class OccasionSink final : public events::Sink {
 public:
  static constexpr std::size_t kBad = 100;  // that are kept

  explicit OccasionSink(const plan::Plan& plan) : plan_(plan) {}
  void on(const events::Event& event) override;
  const Occasion& occasion() const { return occasion_; }
  Occasion& occasion() { return occasion_; }

 private:
  const plan::Plan& plan_;
  Occasion occasion_;
};

// Whether a notification is for it. Never for a dry run, or for one that has neither come to its
// end nor parked.
bool wants(const plan::Notification& notification, const Occasion& occasion);

// One JSON object: {"version":1,"event":"finished|failed|parked","run":...}; docs/notify.md.
std::string document(const Occasion& occasion);
// "update_code on prod: failed", one line, without control characters.
std::string subject(const Occasion& occasion);
// For a mail: what a person reads first.
std::string letter(const Occasion& occasion);
// The mail as it is sent, CRLF lines, ASCII alone: no text of it can end a line or the head.
std::string mail(const plan::Notification& notification, const Occasion& occasion, Instant now);

struct NotifyOptions {
  Duration timeout{std::chrono::seconds(30)};  // of one notification, from its beginning to its end
  std::function<Result<Secret>(std::uint32_t)> secret;
};

// Carries one out; blocks. The Error says what is wrong, without a secret.
Status notify(const plan::Notification& notification, const Occasion& occasion,
              const NotifyOptions& options);

}  // namespace cnplay::report

// The view of one command on many hosts: what hosts said alike is shown once, headed by their
// names.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "events/event.h"
#include "plan/plan.h"
#include "report/format.h"

namespace cnplay::report {

// Says nothing until the run has ended, then the groups: those with most hosts first, then what
// failed, then the hosts that could not be reached.
class GroupedSink final : public events::Sink {
 public:
  using Write = std::function<void(const std::string&)>;
  // More output than this of one host, and of all hosts together, is left out, and said to be.
  static constexpr std::size_t kOutputCap = std::size_t{1} << 20;
  static constexpr std::size_t kOutputCapOfAll = 64 * kOutputCap;

  // `plan` must outlive the sink.
  GroupedSink(const plan::Plan& plan, Options options, Write write);
  void on(const events::Event& event) override;

 private:
  struct Answer {
    // What came on stderr is shown behind: the two streams keep no order between each other.
    std::string output;
    std::string errors;
    std::uint64_t left_out = 0;
    std::optional<events::Outcome> outcome;
    std::optional<int> exit_code;
    std::string reason;
  };
  void tell();
  std::string head(const Answer& answer) const;

  const plan::Plan& plan_;
  Options options_;
  Write write_;
  std::vector<Answer> answers_;  // by host
  std::size_t cap_;              // of one host
};

}  // namespace cnplay::report

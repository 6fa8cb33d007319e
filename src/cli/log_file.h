// `--log FILE`: what a user sends with a bug report. Connections, attempts and timings of a run, a
// line each, written as they happen.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "events/event.h"
#include "plan/plan.h"

namespace spdlog {
class logger;
}

namespace cnplay::cli {

// error: what failed. warn: also lost connections and attempts that are repeated. info: also
// connections, steps and the run. debug: also each action, and what was sent to a host when.
enum class LogLevel { error, warn, info, debug };
std::optional<LogLevel> log_level_of(const std::string& name);

// A sink of events: to be told those of a run after redaction, so that no secret is in the file.
class LogFile final : public events::Sink {
 public:
  // Appends to the file, which is created for its owner alone (0600). An Error if it cannot be, or
  // is a symbolic link or no regular file.
  static Result<std::unique_ptr<LogFile>> open(const std::string& path, LogLevel level,
                                               const plan::Plan& plan);
  ~LogFile() override;

  void on(const events::Event& event) override;
  void tick(Instant now) override;

 private:
  LogFile(std::shared_ptr<spdlog::logger> logger, const plan::Plan& plan);

  std::shared_ptr<spdlog::logger> logger_;
  const plan::Plan& plan_;
};

}  // namespace cnplay::cli

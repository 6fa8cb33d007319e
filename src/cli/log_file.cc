#include "cli/log_file.h"

#include <fcntl.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "base/descriptor.h"
#include "base/lines.h"
#include "base/units.h"

namespace cnplay::cli {
namespace {

constexpr std::size_t kMostText = 500;  // bytes of a message of a host

template <class... Fs>
struct Overload : Fs... {
  using Fs::operator()...;
};
template <class... Fs>
Overload(Fs...) -> Overload<Fs...>;

struct Line {
  LogLevel level;
  std::string text;
};

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::error:
      return spdlog::level::err;
    case LogLevel::warn:
      return spdlog::level::warn;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::debug:
      return spdlog::level::debug;
  }
  return spdlog::level::info;
}

// As --log-level has it, in one width.
const char* name_of(LogLevel level) {
  switch (level) {
    case LogLevel::error:
      return "error";
    case LogLevel::warn:
      return "warn ";
    case LogLevel::info:
      return "info ";
    case LogLevel::debug:
      return "debug";
  }
  return "";
}

std::string ms(Duration d) { return std::to_string(d.count()) + " ms"; }

bool is_bad(events::Outcome outcome) {
  return outcome == events::Outcome::failed || outcome == events::Outcome::unreachable ||
         outcome == events::Outcome::unknown || outcome == events::Outcome::aborted;
}

std::string of_task(const plan::Plan& plan, plan::NodeId node, plan::HostIndex host,
                    std::uint32_t action, std::uint64_t task) {
  return plan.hosts[host].name + ": " + plan.node(node).path + " action " + std::to_string(action) +
         " task " + std::to_string(task);
}

// nullopt: nothing that a bug report needs, or texts of the play and of hosts at length.
std::optional<Line> line_of(const plan::Plan& plan, const events::Event& event) {
  using namespace events;
  const auto host = [&](HostIndex h) { return plan.hosts[h].name + ": "; };
  return std::visit(
      Overload{
          [&](const RunStarted& e) -> std::optional<Line> {
            return Line{LogLevel::info, "run " + e.run + " of " + e.play + " on " + e.inventory +
                                            ", " + events::name(e.mode) + ", " +
                                            std::to_string(e.hosts.size()) + " hosts, plan " +
                                            e.plan_hash + ", cnplay " CNPLAY_VERSION};
          },
          [&](const HostConnecting& e) -> std::optional<Line> {
            return Line{LogLevel::info, host(e.host) + "connecting"};
          },
          [&](const HostConnected& e) -> std::optional<Line> {
            return Line{LogLevel::info,
                        host(e.host) + "connected as " + e.remote_user + ", boot " + e.boot_id};
          },
          [&](const HostUnreachable& e) -> std::optional<Line> {
            return Line{LogLevel::error, host(e.host) + "unreachable: " + e.message};
          },
          [&](const HostReconnecting& e) -> std::optional<Line> {
            return Line{LogLevel::warn,
                        host(e.host) + "connection lost, reconnecting: " + e.message};
          },
          [&](const HostReconnected& e) -> std::optional<Line> {
            return Line{LogLevel::warn, host(e.host) + "reconnected, boot " + e.boot_id};
          },
          [&](const HostLost& e) -> std::optional<Line> {
            return Line{LogLevel::error, host(e.host) + "lost: " + e.message};
          },
          [&](const PreflightProblem& e) -> std::optional<Line> {
            return Line{LogLevel::error,
                        (e.host ? host(*e.host) : std::string()) + "preflight: " + e.message};
          },
          [&](const PreflightEnded& e) -> std::optional<Line> {
            return Line{LogLevel::info,
                        std::string("preflight ") + (e.ok ? "ok" : "failed") + ", " + ms(e.took)};
          },
          [&](const SentAhead& e) -> std::optional<Line> {
            return Line{LogLevel::debug,
                        of_task(plan, e.node, e.host, e.action, e.task) + " sent ahead"};
          },
          [&](const ActionStarted& e) -> std::optional<Line> {
            return Line{LogLevel::debug,
                        of_task(plan, e.node, e.host, e.action, e.task) + " started"};
          },
          [&](const ActionEnded& e) -> std::optional<Line> {
            const bool bad = is_bad(e.outcome);
            std::string text = of_task(plan, e.node, e.host, e.action, e.task) + " " +
                               events::name(e.outcome) + ", " + ms(e.took);
            if (e.exit_code) text += ", exit code " + std::to_string(*e.exit_code);
            if (bad) text += ": " + (e.message.empty() ? e.reason : e.message.raw());
            return Line{bad ? LogLevel::error : LogLevel::debug, std::move(text)};
          },
          [&](const RetryScheduled& e) -> std::optional<Line> {
            return Line{LogLevel::warn, host(e.host) + plan.node(e.node).path + " attempt " +
                                            std::to_string(e.attempt) + " of " +
                                            std::to_string(e.of) + " in " + ms(e.in)};
          },
          [&](const StepEnded& e) -> std::optional<Line> {
            return Line{LogLevel::info, host(e.host) + plan.node(e.node).path + " " +
                                            events::name(e.outcome) + ", " + ms(e.took)};
          },
          [&](const RunResumed& e) -> std::optional<Line> {
            return Line{LogLevel::info, "resumed by " + e.user + " on " + e.controller};
          },
          [&](const RunParked& e) -> std::optional<Line> {
            return Line{LogLevel::info, "parked: " + e.reason};
          },
          [&](const AbortRequested& e) -> std::optional<Line> {
            return Line{LogLevel::warn, "asked to stop, " + std::to_string(e.times) + " times"};
          },
          [&](const RunEnded& e) -> std::optional<Line> {
            return Line{LogLevel::info,
                        std::string("ended: ") + events::name(e.verdict) + ", " + ms(e.took)};
          },
          [](const auto&) -> std::optional<Line> { return std::nullopt; }},
      static_cast<const AnyEvent&>(event.what));
}

}  // namespace

std::optional<LogLevel> log_level_of(const std::string& name) {
  if (name == "error") return LogLevel::error;
  if (name == "warn") return LogLevel::warn;
  if (name == "info") return LogLevel::info;
  if (name == "debug") return LogLevel::debug;
  return std::nullopt;
}

LogFile::LogFile(std::shared_ptr<spdlog::logger> logger, const plan::Plan& plan)
    : logger_(std::move(logger)), plan_(plan) {}

LogFile::~LogFile() { logger_->flush(); }

Result<std::unique_ptr<LogFile>> LogFile::open(const std::string& path, LogLevel level,
                                               const plan::Plan& plan) {
  const Error cannot = fail("--log " + path + ": cannot be written", "name another file");
  {
    // spdlog opens it by its name, with the permissions that umask leaves.
    const Descriptor fd(::open(
        path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
    struct stat info {};
    if (!fd.ok()) return fail(cannot.what + ": " + std::strerror(errno), cannot.help);
    if (::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
      return fail(cannot.what + ": not a regular file", cannot.help);
    }
  }
  try {
    auto sink = std::make_shared<spdlog::sinks::basic_file_sink_st>(path);
    auto logger = std::make_shared<spdlog::logger>("cnplay", std::move(sink));
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %v", spdlog::pattern_time_type::utc);
    logger->set_level(level_of(level));
    logger->flush_on(spdlog::level::warn);
    return std::unique_ptr<LogFile>(new LogFile(std::move(logger), plan));
  } catch (const spdlog::spdlog_ex& e) {
    return fail(cannot.what + ": " + e.what(), cannot.help);
  }
}

void LogFile::on(const events::Event& event) {
  if (const auto line = line_of(plan_, event)) {
    // What a host says stays on one line, and steers no terminal.
    logger_->log(level_of(line->level), "{} {}", name_of(line->level),
                 one_line(line->text, kMostText));
  }
}

void LogFile::tick(Instant) { logger_->flush(); }

}  // namespace cnplay::cli

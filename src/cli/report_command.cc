#include <date/tz.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <exception>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/project.h"
#include "cli/publish.h"
#include "cli/wiring.h"
#include "journal/run_directory.h"
#include "report/account.h"
#include "report/html.h"
#include "report/junit.h"
#include "report/lines.h"

namespace cnplay::cli {
namespace {

// Whether a controller holds the run: its lock is tried for a moment, shared, and nothing is
// written. A lock that another machine holds is seen if the file system tells of it.
bool is_held(const std::string& directory) {
  const int fd = ::open((directory + "/controller").c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool held = ::flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(fd);
  return held;
}

std::string machine_zone() {
  try {
    return date::current_zone()->name();
  } catch (const std::exception&) {  // no zone is set, or its data is missing
    return "UTC";
  }
}

std::string written(const report::Account& account, const std::string& format) {
  if (format == "jsonl") return report::json_lines(account);
  if (format == "junit") return report::junit(account);
  return report::html(account);
}

int damaged(Error error) {
  if (error.help.empty()) {
    error.help =
        "the record is not whole: put it back from a backup; `cnplay runs` lists the others";
  }
  return usage_error(error);
}

std::string default_name(const std::string& id, const std::string& format) {
  return id + (format == "junit" ? ".xml" : "." + format);
}

}  // namespace

int report_command(const Options& options) {
  const SystemDisk disk;
  const std::string root = runs_root();
  auto id = find_run(disk, root, options.topic);
  if (!id) return usage_error(id.error());
  const std::string directory = root + "/" + *id;

  report::About about;
  // Asked before the record is read: a run that ends in between is one that has ended.
  about.at_work = is_held(directory);
  if (auto who = disk.read(directory + "/controller", 4096)) {
    about.controller = Untrusted(*who).display(200);
  }
  about.written = SystemClock().now();
  about.zone = machine_zone();
  const auto record = journal::read_run(disk, directory);
  if (!record) return damaged(record.error());
  const auto account = report::account_of(record->plan, record->events, about);
  if (!account) return damaged(fail(directory + ": " + account.error().what, account.error().help));

  const std::string text = written(*account, options.format);
  if (options.output == "-") {
    const bool whole = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
    if (std::fflush(stdout) == 0 && whole) return kSuccess;
    return usage_error(fail("the report cannot be written to stdout", "name a file with -o"));
  }
  const std::string path =
      options.output.empty() ? default_name(*id, options.format) : options.output;
  if (auto status = publish(path, text); !status) return usage_error(status.error());
  std::printf("%s\n", path.c_str());
  return kSuccess;
}

}  // namespace cnplay::cli

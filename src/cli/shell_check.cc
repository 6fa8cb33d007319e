#include "cli/shell_check.h"

#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <span>
#include <string_view>

namespace cnplay::cli {
namespace {

using Fault = compile::Input::ShellFault;

// A file in memory that holds `text`; -1 if there is none to be had.
int file_with(std::string_view text) {
  const int fd = ::memfd_create("script", MFD_CLOEXEC);
  if (fd < 0) return -1;
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      ::close(fd);
      return -1;
    }
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  ::lseek(fd, 0, SEEK_SET);
  return fd;
}

// `sh -n` with the text as its input: what it printed, or nullopt if it found no fault or could not
// be asked.
std::optional<std::string> faults_of(const std::string& text, ShellCheckWork* work) {
  const int in = file_with(text);
  const int out = file_with("");
  std::optional<std::string> said;
  if (in >= 0 && out >= 0) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in, 0);
    posix_spawn_file_actions_adddup2(&actions, out, 1);
    posix_spawn_file_actions_adddup2(&actions, out, 2);
    char name[] = "sh", option[] = "-n", locale[] = "LC_ALL=C";
    char* const argv[] = {name, option, nullptr};
    char* const environment[] = {locale, nullptr};
    pid_t pid = 0;
    if (::posix_spawn(&pid, "/bin/sh", &actions, nullptr, argv, environment) == 0) {
      if (work != nullptr) ++work->processes;
      int status = 0;
      while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
      }
      if (WIFEXITED(status) && WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != 127) {
        char buffer[4096];
        const ssize_t n = ::pread(out, buffer, sizeof buffer, 0);
        said.emplace(buffer, static_cast<std::size_t>(n < 0 ? 0 : n));
      }
    }
    posix_spawn_file_actions_destroy(&actions);
  }
  if (in >= 0) ::close(in);
  if (out >= 0) ::close(out);
  return said;
}

// "sh: 3: Syntax error: Unterminated quoted string" (dash), "sh: line 3: syntax error ..." (bash).
Fault read_fault(std::string_view said) {
  Fault fault;
  std::string_view line = said.substr(0, said.find('\n'));
  if (const auto colon = line.find(": "); colon != line.npos) line.remove_prefix(colon + 2);
  if (line.starts_with("line ")) line.remove_prefix(5);
  std::size_t digits = 0;
  while (digits < line.size() && line[digits] >= '0' && line[digits] <= '9') {
    if (fault.line < 100'000'000) fault.line = fault.line * 10 + std::size_t(line[digits] - '0');
    ++digits;
  }
  if (digits > 0 && line.substr(digits).starts_with(": ")) line.remove_prefix(digits + 2);
  for (const std::string_view prefix : {"Syntax error: ", "syntax error: ", "syntax error "}) {
    if (line.starts_with(prefix)) {
      line.remove_prefix(prefix.size());
      break;
    }
  }
  for (const char c : line.substr(0, 200)) {
    fault.message += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  }
  if (fault.message.empty()) fault.message = "it cannot be read";
  return fault;
}

// After this line, a shell that is still within a quote of the script before it finds a syntax
// error; to any other it is a command that does nothing.
constexpr std::string_view kSeparator = ": '\";;\"' \"';;'\" '`;;`'\n";

// The faults of scripts that are read as one, each in `( { ... } )`: what one leaves open, or
// closes too much, is an error and cannot be made good by another one. Halves are asked about where
// one of them has a fault.
void check_together(const std::vector<std::string>& scripts, std::span<const std::size_t> which,
                    std::vector<std::optional<Fault>>& out, ShellCheckWork* work) {
  if (which.empty()) return;
  if (which.size() == 1) {
    const std::size_t i = which.front();
    if (const auto said = faults_of(scripts[i] + "\n", work)) out[i] = read_fault(*said);
    return;
  }
  std::string all;
  for (const std::size_t i : which) {
    all += "(\n{ :\n" + scripts[i] + "\n}\n)\n";
    all += kSeparator;
  }
  if (!faults_of(all, work)) return;
  check_together(scripts, which.first(which.size() / 2), out, work);
  check_together(scripts, which.subspan(which.size() / 2), out, work);
}

}  // namespace

std::vector<std::optional<Fault>> check_shell(const std::vector<std::string>& scripts,
                                              ShellCheckWork* work) {
  std::vector<std::optional<Fault>> out(scripts.size());
  // A here-document may swallow what follows without a word: such scripts are read alone.
  std::vector<std::size_t> together;
  for (std::size_t i = 0; i < scripts.size(); ++i) {
    if (scripts[i].find("<<") == std::string::npos) {
      together.push_back(i);
    } else {
      check_together(scripts, std::array{i}, out, work);
    }
  }
  check_together(scripts, together, out, work);
  return out;
}

}  // namespace cnplay::cli

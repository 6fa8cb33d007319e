#include "cli/trust.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace cnplay::cli {
namespace {

std::string name_of(uid_t user) {
  const passwd* entry = ::getpwuid(user);
  return entry == nullptr ? "user " + std::to_string(user) : entry->pw_name;
}

std::string octal(mode_t mode) {
  char text[16];
  std::snprintf(text, sizeof text, "%04o", mode & 07777U);
  return text;
}

// A directory that its group may write into is shared on purpose: its records may be anybody's.
bool is_shared(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && (info.st_mode & S_IWGRP) != 0;
}

Status check(const std::string& path, const std::string& what, bool anybody) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return {};  // who opens it says why
  if ((info.st_mode & S_IWOTH) != 0) {
    return fail(path + ": everybody may write into " + what + " (mode " + octal(info.st_mode) + ")",
                "look at what is in it, then: chmod o-w " + path);
  }
  if (!anybody && info.st_uid != ::geteuid() && info.st_uid != 0) {
    return fail(path + ": " + what + " belongs to " + name_of(info.st_uid),
                "run cnplay as " + name_of(info.st_uid) +
                    ", or name a directory of your own with CNPLAY_RUNS");
  }
  return {};
}

}  // namespace

Status check_runs_root(const std::string& root) {
  return check(root, "the directory of all runs", is_shared(root));
}

Status check_record(const std::string& root, const std::string& record) {
  if (auto status = check_runs_root(root); !status) return status;
  return check(record, "the record", is_shared(root));
}

}  // namespace cnplay::cli

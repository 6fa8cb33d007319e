#include "cli/reviewed_plan.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>

#include "base/descriptor.h"
#include "base/digest.h"
#include "base/json_text.h"
#include "base/text.h"
#include "cli/changed.h"
#include "cli/project.h"
#include "plan/choice.h"

namespace cnplay::cli {
namespace {

constexpr int kVersion = 1;
constexpr std::size_t kMostLine = 4096;  // of the first two lines
constexpr std::size_t kMostShown = 200;  // of a text of the file, for people

const char* const kMakeAgain = "make it again, and review it: cnplay plan -i NAME PLAY -o FILE";

// The text of a member, "" if there is none.
std::string text_of(const nlohmann::json& object, const char* key) {
  const auto member = object.find(key);
  return member != object.end() && member->is_string() ? member->get<std::string>() : "";
}

// The first line of `rest`, which is removed from it; "" if there is none within kMostLine bytes.
std::string_view take_line(std::string_view& rest) {
  const std::size_t end = rest.substr(0, kMostLine).find('\n');
  if (end == std::string_view::npos) return {};
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return line;
}

// The plan without where its project lies on this machine: another checkout of the same project
// gives the same.
std::string comparable(plan::Plan plan) {
  plan.origin.directory.clear();
  plan.vault_file.clear();
  for (plan::File& file : plan.files) file.found_at.clear();
  for (plan::Tree& tree : plan.trees) tree.found_at.clear();
  return plan::to_json(plan);
}

void compare_files(const plan::Plan& before, const plan::Plan& now, std::vector<std::string>& out) {
  std::map<std::string, std::string> sums;
  for (const plan::File& file : before.files) sums.emplace(file.name, file.sha256);
  for (const plan::File& file : now.files) {
    const auto was = sums.find(file.name);
    if (was != sums.end() && was->second != file.sha256) {
      out.push_back("the file " + file.name + " was changed");
    }
  }
}

Status check_trust(const std::string& path, const struct stat& info) {
  if (!S_ISREG(info.st_mode)) return fail(path + ": not a regular file", kMakeAgain);
  if (info.st_uid != ::geteuid() && info.st_uid != 0) {
    return fail(path + ": belongs to another user, who can change it at any time",
                "look at who wrote it, then copy it: install -m 600 " + path + " mine.plan");
  }
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return fail(path + ": other users may write to it",
                "review it again, then: chmod go-w " + path);
  }
  if (static_cast<std::size_t>(info.st_size) > kMostPlanBytes) {
    return fail(path + ": larger than 256 MiB, so not a plan", kMakeAgain);
  }
  return {};
}

}  // namespace

Result<std::string> inventory_sum(const std::string& inventory_file) {
  if (inventory_file.empty()) return std::string();
  auto text = read_file(inventory_file);
  if (!text) return text.error();
  return sha256_hex(*text);
}

std::string to_file(const ReviewedPlan& reviewed) {
  const nlohmann::ordered_json about{{"made", reviewed.made},
                                     {"inventory_sha256", reviewed.inventory_sha256}};
  const std::string body =
      dump_json(about, -1, JsonCharacters::ascii) + "\n" + plan::to_json(reviewed.plan) + "\n";
  const nlohmann::ordered_json head{{"cnplay_plan", kVersion}, {"sha256", sha256_hex(body)}};
  return dump_json(head) + "\n" + body;
}

Result<ReviewedPlan> from_file(const std::string& path, const std::string& bytes) {
  std::string_view rest = bytes;
  const auto head = parse_json_or_discard(take_line(rest));
  if (!head.is_object() || !head.contains("cnplay_plan")) {
    return fail(path + ": not a file that `cnplay plan -o` wrote", kMakeAgain);
  }
  if (head["cnplay_plan"] != kVersion) {
    return fail(path + ": has the format " + dump_json(head["cnplay_plan"]).substr(0, 20) +
                    ", and this cnplay reads format " + std::to_string(kVersion),
                kMakeAgain);
  }
  if (text_of(head, "sha256") != sha256_hex(rest)) {
    return fail(path + ": damaged: its checksum does not match", kMakeAgain);
  }
  const auto about = parse_json_or_discard(take_line(rest));
  if (!about.is_object()) return fail(path + ": damaged: its second line is not JSON", kMakeAgain);
  ReviewedPlan reviewed;
  reviewed.made = Untrusted(text_of(about, "made")).display(kMostShown);
  reviewed.inventory_sha256 = text_of(about, "inventory_sha256");
  auto plan = plan::from_json(std::string(rest));
  if (!plan) return fail(path + ": " + plan.error().what, kMakeAgain);
  reviewed.plan = *std::move(plan);
  return reviewed;
}

Result<ReviewedPlan> read_reviewed_plan(const std::string& path) {
  // A fifo would wait for its writer.
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd.ok() && errno == ELOOP) {
    return fail(path + ": a symbolic link", "name the file itself, so that nobody can exchange it");
  }
  if (!fd.ok()) return fail(path + ": " + std::strerror(errno), kMakeAgain);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return fail(path + ": " + std::strerror(errno));
  if (auto status = check_trust(path, info); !status) return status.error();
  std::string bytes(static_cast<std::size_t>(info.st_size), '\0');
  std::size_t size = 0;
  while (size < bytes.size()) {
    const ssize_t n = ::read(fd.get(), bytes.data() + size, bytes.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(path + ": " + std::strerror(errno));
    if (n == 0) break;
    size += static_cast<std::size_t>(n);
  }
  bytes.resize(size);
  return from_file(path, bytes);
}

std::vector<std::string> changes_since_review(const ReviewedPlan& reviewed, const plan::Plan& now,
                                              const std::string& inventory_sha256) {
  const plan::Plan& before = reviewed.plan;
  std::vector<std::string> out = plan::program_changes(before.program, now.program);
  if (inventory_sha256 != reviewed.inventory_sha256) {
    out.push_back("the inventory " + now.origin.inventory + " was changed");
  }
  compare_files(before, now, out);
  if (plan::hash(before) != plan::hash(now)) {
    const auto steps = plan_changes(before, now);
    out.insert(out.end(), steps.begin(), steps.end());
  }
  if (out.empty() && comparable(before) != comparable(now)) {
    out.emplace_back("the plan differs, in what people read or in its order, times or addresses");
  }
  return out;
}

}  // namespace cnplay::cli

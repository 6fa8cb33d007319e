#include "cli/changed.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "base/words.h"
#include "cli/project.h"
#include "plan/choice.h"
#include "run/take_up.h"

namespace cnplay::cli {
namespace fs = std::filesystem;

namespace {

// The working directory, given back at the end.
class InDirectory {
 public:
  explicit InDirectory(const std::string& directory) : before_(fs::current_path(error_)) {
    if (!error_) fs::current_path(directory, error_);
  }
  ~InDirectory() {
    std::error_code ignored;
    fs::current_path(before_, ignored);
  }
  InDirectory(const InDirectory&) = delete;
  InDirectory& operator=(const InDirectory&) = delete;
  const std::error_code& error() const { return error_; }

 private:
  std::error_code error_;
  fs::path before_;
};

// What a step does on each of its hosts: by host's name, hashes of its actions.
std::map<std::string, std::string> work_of(const plan::Plan& plan, const plan::Node& node) {
  std::map<std::string, std::string> work;
  for (std::size_t i = 0; i < node.hosts.size(); ++i) {
    std::string& hashes = work[plan.hosts[node.hosts[i]].name];
    hashes += plan::environment_hash(plan, node, i) + " ";
    for (const auto* actions : {&node.actions, &node.undo}) {
      for (const plan::Action& action : *actions) hashes += plan::hash(plan, action, i) + " ";
      hashes += "|";
    }
  }
  return work;
}

void compare(const plan::Plan& before, const plan::Node& was, const plan::Plan& after,
             const plan::Node& is, std::vector<std::string>& out) {
  const auto old = work_of(before, was);
  const auto now = work_of(after, is);
  std::vector<std::string> fresh, gone, other;
  for (const auto& [host, work] : now) {
    const auto it = old.find(host);
    if (it == old.end()) {
      fresh.push_back(host);
    } else if (it->second != work) {
      other.push_back(host);
    }
  }
  for (const auto& [host, work] : old) {
    if (!now.contains(host)) gone.push_back(host);
  }
  const std::string step = "step " + is.path + " ";
  if (!other.empty()) out.push_back(step + "would do something else on " + name_some(other));
  if (!fresh.empty()) out.push_back(step + "would run on " + name_some(fresh) + " too");
  if (!gone.empty()) out.push_back(step + "would no longer run on " + name_some(gone));
}

}  // namespace

std::vector<std::string> plan_changes(const plan::Plan& before, const plan::Plan& after) {
  std::vector<std::string> out;
  std::map<std::string, const plan::Node*> old;
  for (const plan::Node& node : before.nodes) old.emplace(node.path, &node);
  const auto does = [](const plan::Node& node) {
    return plan::has_work(node) || node.kind == plan::NodeKind::handler;
  };
  for (const plan::Node& node : after.nodes) {
    const auto it = old.find(node.path);
    if (it != old.end()) {
      compare(before, *it->second, after, node, out);
      old.erase(it);
    } else if (does(node)) {
      out.push_back("step " + node.path + " is new");
    }
  }
  for (const plan::Node& node : before.nodes) {
    if (old.contains(node.path) && does(node)) out.push_back("step " + node.path + " is gone");
  }
  return out;
}

void set_origin(Options& options, const plan::Origin& origin) {
  options.play = origin.file;
  options.play_name = origin.play;
  options.inventory = origin.inventory;
  options.limit = origin.limit;
  options.extra = origin.extra;
  options.tags = origin.tags;
  options.skip_tags = origin.skip_tags;
  options.start_at = origin.start_at;
}

Status compile_anew(Project& project, const journal::Record& record) {
  for (auto& batch : run::begun_batches(record.plan, record.in_force(), record.events)) {
    project.begun_batches.push_back({std::move(batch.phase), std::move(batch.hosts)});
  }
  const plan::Origin& origin = record.in_force().origin;
  if (origin.file.empty()) return fail("its record does not name the play that it was made from");
  Options how;
  how.command = Command::check;  // nobody is asked for the vault's password
  set_origin(how, origin);
  const InDirectory there(origin.directory);
  if (there.error()) return fail(origin.directory + ": " + there.error().message());
  return load(project, how);
}

std::vector<std::string> differences(const plan::Plan& recorded, const plan::Plan& now) {
  if (plan::hash(now) == plan::hash(recorded)) return {};
  std::vector<std::string> out = plan::program_changes(recorded.program, now.program);
  const auto steps = plan_changes(recorded, now);
  out.insert(out.end(), steps.begin(), steps.end());
  if (steps.empty()) {
    out.emplace_back(
        "its steps do the same; their order, time, hosts' addresses or rollback differ");
  }
  return out;
}

Result<std::vector<std::string>> changes_since(const journal::Record& record) {
  const plan::Plan& recorded = record.in_force();
  Project project;
  if (auto status = compile_anew(project, record); !status) return status.error();
  if (project.plan) return differences(recorded, *project.plan);
  const plan::Origin& origin = recorded.origin;
  return std::vector<std::string>{"it does not compile any more: `cnplay check " +
                                  inventory_option(origin.inventory) + origin.file + "` in " +
                                  origin.directory + " says why"};
}

}  // namespace cnplay::cli

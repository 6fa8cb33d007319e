#include "journal/run_directory.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json_text.h"
#include "events/decoder.h"
#include "journal/plans.h"

namespace cnplay::journal {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxRecord = 2u << 30;

// In the place of run.json: its run has ended once, and goes on.
constexpr std::string_view kGoesOn = R"({"version": 1, "goes_on": true})";
constexpr std::size_t kMarkSize = 64;

bool is_mark(const Disk& disk, const std::string& directory) {
  const auto text = disk.read(directory + "/run.json", kMarkSize);
  return text && *text == kGoesOn;
}

// plan-2.json and up: no name of another directory.
bool is_plan_file(std::string_view name) {
  if (!name.starts_with("plan-") || !name.ends_with(".json")) return false;
  const std::string_view number = name.substr(5, name.size() - 10);
  return !number.empty() && number.size() < 10 &&
         number.find_first_not_of("0123456789") == std::string_view::npos;
}

// The lines of `text`; `take` is called with each, and with whether its newline is there.
template <class Take>
void each_line(std::string_view text, Take take) {
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (!take(text.substr(begin, end - begin), end < text.size())) return;
    begin = end + 1;
  }
}

// Whoever continues a run begins with one of these: they may come after a line that was cut off.
bool continues(const events::Event& event) {
  return std::holds_alternative<events::RunResumed>(event.what) ||
         std::holds_alternative<events::PlanTaken>(event.what) ||
         std::holds_alternative<events::HumanAnswered>(event.what);
}

// Reads events.jsonl. What a crash can leave is a last line that is not whole, here or before an
// event that continues the run; whatever else does not fit is a damaged record.
class Reader {
 public:
  Reader(const Disk& disk, std::string directory, Record& record)
      : disk_(disk),
        directory_(std::move(directory)),
        path_(directory_ + "/events.jsonl"),
        record_(record),
        in_force_(plan::hash(record.plan)),
        decoder_(std::in_place, record.plan) {}

  Status read(std::string_view text) {
    Status status;
    each_line(text, [&](std::string_view line, bool ended) {
      ++line_;
      status = take(line, ended);
      return static_cast<bool>(status);
    });
    if (!status) return status;
    record_.torn = torn_ != 0;
    const auto names = disk_.list(directory_);
    const bool summed_up = std::find(names.begin(), names.end(), "run.json") != names.end() &&
                           !is_mark(disk_, directory_);
    const bool has_ended =
        std::any_of(record_.events.begin(), record_.events.end(),
                    [](const auto& e) { return std::holds_alternative<events::RunEnded>(e.what); });
    if (summed_up && !has_ended) {
      return bad(line_, "the end is missing: run.json says that the run has ended");
    }
    return {};
  }

 private:
  Status take(std::string_view line, bool ended) {
    const std::uint64_t next = record_.events.empty() ? 1 : record_.events.back().seq + 1;
    if (!ended || !chain_.follow(line)) {
      if (torn_ != 0) return bad(torn_, "the line is damaged: its checksum is wrong");
      const auto event = decoder_->decode(std::string(line));
      if (ended && event && event->seq != next) return out_of_order(event->seq, next);
      torn_ = line_;
      return {};
    }
    auto event = decoder_->decode(std::string(line));
    if (!event) return bad(line_, event.error().what);
    if (torn_ != 0 && !continues(*event)) {
      return bad(torn_, "the line is damaged: its checksum is wrong");
    }
    if (event->seq != next) return out_of_order(event->seq, next);
    torn_ = 0;
    if (const auto* began = std::get_if<events::RunStarted>(&event->what)) {
      record_.plans_fit = began->plan_hash == in_force_;
    }
    if (std::holds_alternative<events::PlanTaken>(event->what)) return take_plan_of(*event);
    record_.events.push_back(std::move(*event));
    return {};
  }

  Status take_plan_of(events::Event& event) {
    const auto& taken = std::get<events::PlanTaken>(event.what);
    if (!is_plan_file(taken.file)) return bad(line_, "it names no plan of the run");
    const std::string path = directory_ + "/" + taken.file;
    const auto text = disk_.read(path, kMaxRecord);
    if (!text) return text.error();
    auto next = plan::from_json(*text);
    if (!next) return fail(path + ": " + next.error().what, next.error().help);
    record_.plans_fit = record_.plans_fit && taken.before == in_force_;
    in_force_ = plan::hash(*next);
    record_.plans_fit = record_.plans_fit && taken.after == in_force_;
    take_plan(record_, *std::move(next), std::move(event));
    decoder_.emplace(*record_.taken);
    return {};
  }

  Status out_of_order(std::uint64_t found, std::uint64_t expected) const {
    return bad(line_, "event " + std::to_string(found) + " comes where event " +
                          std::to_string(expected) + " was expected: " +
                          (found < expected ? "a line is repeated" : "lines are missing"));
  }
  Error bad(std::size_t line, const std::string& what) const {
    return fail(path_ + ":" + std::to_string(line) + ": " + what,
                "the record was changed, or written by another version; it is left as it is");
  }

  const Disk& disk_;
  const std::string directory_, path_;
  Record& record_;
  std::string in_force_;
  std::optional<events::Decoder> decoder_;
  Chain chain_;
  std::size_t line_ = 0;
  std::size_t torn_ = 0;  // the line that is not whole; 0: none
};

}  // namespace

std::string new_run_id(Instant now, const std::string& play, std::uint16_t salt) {
  std::string id;
  for (const char c : format_rfc3339(now).substr(0, 19)) {
    if (c == 'T') {
      id += '-';
    } else if (c != '-' && c != ':') {
      id += c;
    }
  }
  constexpr char kDigits[] = "0123456789abcdef";
  id += '-' + play + '-';
  for (int shift = 12; shift >= 0; shift -= 4) id += kDigits[(salt >> shift) & 0xF];
  return id;
}

RunDirectory::RunDirectory(Disk& disk, std::string path, const plan::Plan* plan,
                           std::unique_ptr<FileLock> lock, std::unique_ptr<AppendFile> file)
    : disk_(disk),
      path_(std::move(path)),
      plan_(plan),
      lock_(std::move(lock)),
      file_(std::move(file)) {}

Result<std::unique_ptr<RunDirectory>> RunDirectory::create(Disk& disk, const std::string& root,
                                                           const std::string& run_id,
                                                           const plan::Plan& plan,
                                                           const std::string& controller,
                                                           Waits waits) {
  std::string path = root + "/" + run_id;
  if (auto status = disk.make_directory(path); !status) return status.error();
  auto lock = take(disk, path, controller);
  if (!lock) return lock.error();
  // Nobody takes a directory without events.jsonl for a run.
  auto plan_file = disk.create(path + "/plan.json");
  if (!plan_file) return plan_file.error();
  if (auto status = (*plan_file)->append(plan::to_json(plan)); !status) return status.error();
  auto file = disk.create(path + "/events.jsonl");
  if (!file) return file.error();
  auto sync = [&disk, path, root, plan_file = std::move(*plan_file)]() -> Status {
    if (auto status = plan_file->sync(); !status) return status;
    if (auto status = disk.sync_directory(path); !status) return status;
    return disk.sync_directory(root);
  };
  std::unique_ptr<RunDirectory> made(
      new RunDirectory(disk, std::move(path), &plan, std::move(*lock), std::move(*file)));
  made->waits_ = waits;
  if (waits == Waits::beside) {
    made->opening_ = std::async(std::launch::async, std::move(sync));
  } else if (auto status = sync(); !status) {
    return status.error();
  }
  return made;
}

Result<std::unique_ptr<FileLock>> RunDirectory::take(Disk& disk, const std::string& path,
                                                     const std::string& controller) {
  auto lock = disk.lock(path + "/controller", controller);
  if (!lock || *lock != nullptr) return lock;
  const auto holder = disk.read(path + "/controller", 4096);
  return fail(path + ": " + Untrusted(holder ? *holder : "another controller").display(200) +
                  " is working on this run",
              "wait for it, or end it first: two controllers would do the same steps twice");
}

Result<std::unique_ptr<RunDirectory>> RunDirectory::reopen(Disk& disk, const std::string& path,
                                                           const std::string& controller) {
  auto lock = take(disk, path, controller);
  if (!lock) return lock.error();
  const auto text = disk.read(path + "/events.jsonl", kMaxRecord);
  if (!text) return text.error();
  auto file = disk.append(path + "/events.jsonl");
  if (!file) return file.error();
  if (!text->empty() && text->back() != '\n') {
    if (auto status = (*file)->append("\n"); !status) return status.error();
  }
  std::unique_ptr<RunDirectory> opened(
      new RunDirectory(disk, path, nullptr, std::move(*lock), std::move(*file)));
  each_line(*text, [&](std::string_view line, bool ended) {
    if (ended) opened->chain_.follow(line);  // a line that a crash has cut off does not count
    return true;
  });
  return opened;
}

void RunDirectory::go_on(const plan::Plan& plan, const events::RunStarted& started,
                         Instant started_at) {
  plan_ = &plan;
  started_ = started;
  started_at_ = started_at;
}

void RunDirectory::await(std::future<Status>& work) {
  if (!work.valid()) return;
  if (const Status status = work.get(); !status && status_) cannot_write(status.error());
}

Status RunDirectory::settled() {
  await(opening_);
  await(closing_);
  return status_;
}

Result<std::string> RunDirectory::add_plan(const plan::Plan& plan) {
  unsigned long last = 1;
  for (const std::string& name : disk_.list(path_)) {
    if (is_plan_file(name)) last = std::max(last, std::stoul(name.substr(5)));
  }
  std::string name = "plan-" + std::to_string(last + 1) + ".json";
  if (auto status = disk_.replace(path_ + "/" + name, plan::to_json(plan)); !status) {
    return status.error();
  }
  if (auto status = disk_.sync_directory(path_); !status) return status.error();
  return name;
}

// Who lists the runs is not told that it has ended.
void RunDirectory::goes_on() {
  const auto names = disk_.list(path_);
  if (std::find(names.begin(), names.end(), "run.json") == names.end() || is_mark(disk_, path_)) {
    return;
  }
  if (auto status = disk_.replace(path_ + "/run.json", kGoesOn); !status) {
    cannot_write(status.error());
  }
}

Status RunDirectory::commit() {
  await(opening_);
  if (status_ && dirty_) {
    if (auto status = file_->sync(); !status) {
      cannot_write(status.error());
    } else {
      dirty_ = false;
    }
  }
  return status_;
}

void RunDirectory::on(const events::Event& event) {
  if (!status_) return;
  if (const auto* started = std::get_if<events::RunStarted>(&event.what)) {
    started_ = *started;
    started_at_ = event.at;
  }
  if (auto status = file_->append(chain_.seal(events::to_json(event, *plan_)) + "\n"); !status) {
    cannot_write(status.error());
    return;
  }
  dirty_ = true;
  if (const auto* end = std::get_if<events::RunEnded>(&event.what)) finish(event, *end);
  // A run of two programs is a rehearsal of neither.
  const auto* taken = std::get_if<events::PlanTaken>(&event.what);
  if (taken != nullptr && taken->before != taken->after && started_) started_->program_hash.clear();
  if (std::holds_alternative<events::RunResumed>(event.what)) goes_on();
}

void RunDirectory::finish(const events::Event& event, const events::RunEnded& end) {
  if (!started_ || !commit()) return;
  json out = {{"version", 1},
              {"id", started_->run},
              {"play", started_->play},
              {"inventory", started_->inventory},
              {"user", started_->user},
              {"plan_hash", started_->plan_hash},
              {"program_hash", started_->program_hash},
              {"mode", started_->mode == events::Mode::check ? "check" : "apply"},
              {"verdict", events::name(end.verdict)},
              {"started", format_rfc3339(started_at_)},
              {"ended", format_rfc3339(event.at)},
              {"advice", end.advice}};
  if (started_->rollback) out["rollback"] = *started_->rollback;
  if (started_->rollback_of) out["rollback_of"] = *started_->rollback_of;
  if (started_->incident) out["incident"] = *started_->incident;
  if (end.partial.value_or(false)) out["partial"] = true;
  if (end.outage) out["outage_ms"] = end.outage->count();
  json hosts = json::object();
  for (const auto& h : end.hosts) {
    hosts[plan_->hosts[h.host].name] = {{"ok", h.ok},           {"changed", h.changed},
                                        {"skipped", h.skipped}, {"failed", h.failed},
                                        {"unknown", h.unknown}, {"unreachable", h.unreachable},
                                        {"depends", h.depends}, {"would_change", h.would_change}};
  }
  out["hosts"] = std::move(hosts);
  // For predictions (past.h): a run is summed up here once, so that they need not read all of it.
  json steps = json::array();
  for (const auto& step : end.steps) {
    if (!step.took || !step.outcome || step.interrupted.value_or(false)) continue;
    steps.push_back({{"step", plan_->nodes[step.node].path},
                     {"outcome", events::name(*step.outcome)},
                     {"took_ms", step.took->count()}});
  }
  out["steps"] = std::move(steps);
  std::string text = dump_json(out, 1) + "\n";
  auto write = [&disk = disk_, path = path_ + "/run.json", text = std::move(text)] {
    return disk.replace(path, text);
  };
  if (waits_ == Waits::beside) {
    closing_ = std::async(std::launch::async, std::move(write));
  } else if (auto status = write(); !status) {
    cannot_write(status.error());
  }
}

void RunDirectory::cannot_write(const Error& error) {
  status_ = fail("the record of the run cannot be written: " + error.what, error.help);
}

void take_plan(Record& record, plan::Plan plan, events::Event taken) {
  const plan::Plan before = record.in_force();
  merge(record.plan, before, plan, record.events);
  record.taken = std::move(plan);
  record.events.push_back(std::move(taken));
}

Result<Record> read_run(const Disk& disk, const std::string& directory) {
  auto plan_text = disk.read(directory + "/plan.json", kMaxRecord);
  if (!plan_text) return plan_text.error();
  auto plan = plan::from_json(*plan_text);
  if (!plan) return fail(directory + "/plan.json: " + plan.error().what, plan.error().help);
  const std::string path = directory + "/events.jsonl";
  auto text = disk.read(path, kMaxRecord);
  if (!text) return text.error();

  Record record{std::move(*plan), {}, false};
  if (auto status = Reader(disk, directory, record).read(*text); !status) return status.error();
  return record;
}

std::vector<std::string> unfinished_runs(const Disk& disk, const std::string& root) {
  std::vector<std::string> runs;
  for (std::string& id : disk.list(root)) {
    const std::vector<std::string> names = disk.list(root + "/" + id);
    const auto has = [&](const char* name) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    if (!has("events.jsonl")) continue;
    if (!has("run.json") || is_mark(disk, root + "/" + id)) runs.push_back(std::move(id));
  }
  return runs;
}

std::vector<Summary> finished_runs(const Disk& disk, const std::string& root) {
  std::vector<Summary> runs;
  for (const std::string& id : disk.list(root)) {
    const auto text = disk.read(root + "/" + id + "/run.json", 64u << 20);
    if (!text) continue;
    const json j = parse_json_or_discard(*text);
    if (!j.is_object() || j.value("version", json()) != json(1)) continue;
    const auto field = [&](const char* name) {
      const auto it = j.find(name);
      return it != j.end() && it->is_string() ? it->get<std::string>() : std::string();
    };
    const auto started = parse_rfc3339(field("started"));
    const auto ended = parse_rfc3339(field("ended"));
    if (!started || !ended) continue;
    runs.push_back({id, field("play"), field("inventory"), field("program_hash"), field("verdict"),
                    field("mode"), field("incident"), j.value("partial", json()) == json(true),
                    *started, *ended, field("rollback"), field("rollback_of")});
  }
  return runs;
}

Rehearsal find_rehearsal(const std::vector<Summary>& runs, const std::string& play,
                         const std::string& inventory, const std::string& program_hash,
                         Duration within, Instant now) {
  Rehearsal found;
  for (const Summary& run : runs) {
    if (run.play != play || run.inventory != inventory || run.mode != "apply" ||
        run.verdict != "success" || !run.rollback.empty()) {
      continue;  // a way back is no rehearsal of the way forward
    }
    const bool valid =
        run.program_hash == program_hash && !run.partial && now - run.started <= within;
    auto& best = valid ? found.valid : found.nearest;
    if (!best || best->started < run.started) best = run;
  }
  return found;
}

}  // namespace cnplay::journal

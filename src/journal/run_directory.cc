#include "journal/run_directory.h"

#include <nlohmann/json.hpp>

#include "events/decoder.h"

namespace cnplay::journal {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxRecord = 2u << 30;

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

RunDirectory::RunDirectory(Disk& disk, std::string path, const plan::Plan& plan,
                           std::unique_ptr<AppendFile> file, std::uint64_t output_cap)
    : disk_(disk),
      path_(std::move(path)),
      plan_(plan),
      file_(std::move(file)),
      output_cap_(output_cap) {}

Result<std::unique_ptr<RunDirectory>> RunDirectory::create(Disk& disk, const std::string& root,
                                                           const std::string& run_id,
                                                           const plan::Plan& plan,
                                                           std::uint64_t output_cap) {
  std::string path = root + "/" + run_id;
  if (auto status = disk.make_directory(path); !status) return status.error();
  if (auto status = disk.replace(path + "/plan.json", plan::to_json(plan)); !status) {
    return status.error();
  }
  auto file = disk.create(path + "/events.jsonl");
  if (!file) return file.error();
  return std::unique_ptr<RunDirectory>(
      new RunDirectory(disk, std::move(path), plan, std::move(*file), output_cap));
}

void RunDirectory::on(const events::Event& event) {
  if (!status_) return;
  events::Event capped;
  const events::Event* record = &event;
  if (const auto* output = std::get_if<events::Output>(&event.what)) {
    std::uint64_t& total = output_[output->task];
    if (total > output_cap_) return;
    total += output->bytes.size();
    if (total > output_cap_) {
      capped.seq = event.seq;
      capped.at = event.at;
      capped.what = events::Notice{
          "the output of task " + std::to_string(output->task) + " is recorded up to " +
          format_size(Size{static_cast<std::int64_t>(output_cap_)}) + "; the rest is left out"};
      record = &capped;
    }
  } else if (const auto* ended = std::get_if<events::ActionEnded>(&event.what)) {
    output_.erase(ended->task);
  } else if (const auto* started = std::get_if<events::RunStarted>(&event.what)) {
    started_ = *started;
    started_at_ = event.at;
  }
  if (auto status = file_->append(events::to_json(*record, plan_) + "\n"); !status) {
    cannot_write(status.error());
    return;
  }
  if (const auto* end = std::get_if<events::RunEnded>(&event.what)) finish(event, *end);
}

void RunDirectory::finish(const events::Event& event, const events::RunEnded& end) {
  if (!started_) return;
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
  if (end.outage) out["outage_ms"] = end.outage->count();
  json hosts = json::object();
  for (const auto& h : end.hosts) {
    hosts[plan_.hosts[h.host].name] = {{"ok", h.ok},           {"changed", h.changed},
                                       {"skipped", h.skipped}, {"failed", h.failed},
                                       {"unknown", h.unknown}, {"unreachable", h.unreachable},
                                       {"depends", h.depends}, {"would_change", h.would_change}};
  }
  out["hosts"] = std::move(hosts);
  const std::string text = out.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
  if (auto status = disk_.replace(path_ + "/run.json", text); !status) cannot_write(status.error());
}

void RunDirectory::cannot_write(const Error& error) {
  status_ = fail("the record of the run cannot be written: " + error.what, error.help);
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
  const events::Decoder decoder(record.plan);
  std::size_t line = 0;
  for (std::size_t begin = 0; begin < text->size();) {
    ++line;
    const std::size_t end = text->find('\n', begin);
    if (end == std::string::npos) {
      record.torn = true;
      break;
    }
    auto event = decoder.decode(text->substr(begin, end - begin));
    if (!event) {
      return fail(path + ":" + std::to_string(line) + ": " + event.error().what,
                  "the record was changed, or written by another version; it is left as it is");
    }
    record.events.push_back(std::move(*event));
    begin = end + 1;
  }
  return record;
}

std::vector<Summary> finished_runs(const Disk& disk, const std::string& root) {
  std::vector<Summary> runs;
  for (const std::string& id : disk.list(root)) {
    const auto text = disk.read(root + "/" + id + "/run.json", 64u << 20);
    if (!text) continue;
    const json j = json::parse(*text, nullptr, false);
    if (!j.is_object() || j.value("version", json()) != json(1)) continue;
    const auto field = [&](const char* name) {
      const auto it = j.find(name);
      return it != j.end() && it->is_string() ? it->get<std::string>() : std::string();
    };
    const auto started = parse_rfc3339(field("started"));
    const auto ended = parse_rfc3339(field("ended"));
    if (!started || !ended) continue;
    runs.push_back({id, field("play"), field("inventory"), field("program_hash"), field("verdict"),
                    field("mode"), *started, *ended});
  }
  return runs;
}

Rehearsal find_rehearsal(const std::vector<Summary>& runs, const std::string& play,
                         const std::string& inventory, const std::string& program_hash,
                         Duration within, Instant now) {
  Rehearsal found;
  for (const Summary& run : runs) {
    if (run.play != play || run.inventory != inventory || run.mode != "apply" ||
        run.verdict != "success") {
      continue;
    }
    const bool valid = run.program_hash == program_hash && now - run.started <= within;
    auto& best = valid ? found.valid : found.nearest;
    if (!best || best->started < run.started) best = run;
  }
  return found;
}

}  // namespace cnplay::journal

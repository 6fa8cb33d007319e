#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <tuple>

#include "base/clock.h"
#include "base/columns.h"
#include "base/json_text.h"
#include "base/lines.h"
#include "cli/commands.h"
#include "cli/forget.h"
#include "cli/project.h"
#include "cli/trust.h"
#include "cli/wiring.h"
#include "events/last.h"
#include "journal/run_directory.h"
#include "run/people.h"
#include "run/run.h"

namespace cnplay::cli {
namespace {

struct Row {
  std::string id, play, inventory, verdict, started, took;
  std::string rollback, rollback_of;  // of a run that takes another one back
  std::string incident;
  bool partial = false;
  // Of a run that has not ended: the hosts that have a directory of it.
  std::string left{};
  Instant at{};  // when it began
};

// Which runs are listed.
struct Filter {
  std::string play, inventory, state;
  std::optional<Instant> since;

  bool wants(const Row& row) const {
    // "success (dry run)" and "interrupted, ..." are asked for by their first word.
    return (play.empty() || row.play == play) &&
           (inventory.empty() || row.inventory == inventory) &&
           (state.empty() || row.verdict.substr(0, row.verdict.find_first_of(" ,")) == state) &&
           (!since || row.at >= *since);
  }
};

Result<Filter> filter_of(const Options& options) {
  Filter filter{options.play_name, options.inventory, options.state, std::nullopt};
  if (options.since.empty()) return filter;
  if (const auto ago = parse_duration(options.since)) {
    filter.since = SystemClock().now() - *ago;
  } else if (const auto time = parse_time(options.since)) {
    filter.since = time->at;
  } else if (const auto day = parse_time(options.since + " 00:00 UTC")) {
    filter.since = day->at;
  } else {
    return fail("`--since " + options.since + "` is not a duration, a date or a time",
                "write `--since 7d`, `--since 2026-11-20` or `--since \"2026-11-20 22:00 UTC\"`");
  }
  return filter;
}

// What is special about a run, for people.
std::string notes(const Row& row) {
  return (row.partial ? " (a part)" : "") +
         (row.incident.empty() ? "" : ", incident " + one_line(row.incident, 80));
}

// Only a run that stands at a human step without a controller: its last word is about that.
std::optional<Row> parked_run(const Result<journal::Record>& record, const std::string& id) {
  if (!record || record->events.empty()) return std::nullopt;
  const events::Event& last = *events::last_of(record->events);
  const auto* parked = std::get_if<events::RunParked>(&last.what);
  if (parked == nullptr && !std::holds_alternative<events::HumanAnswered>(last.what)) {
    return std::nullopt;
  }
  const auto asked = run::asked_in(record->plan, record->events);
  const auto* began = std::get_if<events::RunStarted>(&record->events.front().what);
  if (began == nullptr) return std::nullopt;
  Row row{id,
          began->play,
          began->inventory,
          "parked",
          format_rfc3339(record->events.front().at),
          parked != nullptr ? one_line(parked->reason) + ": resume it" : std::string(),
          began->rollback.value_or(""),
          began->rollback_of.value_or(""),
          began->incident.value_or("")};
  if (!asked) return parked != nullptr ? std::optional(row) : std::nullopt;
  const auto& answers = asked->answers;
  const bool answered = (!answers.empty() && !answers.back().yes) ||
                        run::still_needed(*asked->node->human, answers) == 0;
  const std::string step = asked->node->path.substr(asked->node->path.rfind('/') + 1);
  row.took = answered ? "`" + step + "` is answered: resume it" : "waits for `" + step + "`";
  return row;
}

// What is said of a run beside its verdict: which one it takes back, or which took it back.
std::string way_back_of(const Row& row, const std::vector<Row>& rows) {
  if (row.rollback == run::kUndo) return "undo of " + row.rollback_of;
  if (!row.rollback.empty()) return "rollback `" + row.rollback + "` of " + row.rollback_of;
  for (auto other = rows.rbegin(); other != rows.rend(); ++other) {
    if (other->rollback_of == row.id && other->verdict == "success") {
      if (other->rollback == run::kUndo) return "undone by " + other->id;
      return "rolled back by " + other->id + " (" + other->rollback + ")";
    }
  }
  return "";
}

}  // namespace

int runs_command(const Options& options) {
  const std::string root = runs_root();
  if (auto status = check_runs_root(root); !status) return usage_error(status.error());
  if (!options.forget.empty()) return forget_command(options);
  const auto filter = filter_of(options);
  if (!filter) return usage_error(filter.error());
  const SystemDisk disk;
  std::vector<Row> rows;
  for (const journal::Summary& run : journal::finished_runs(disk, root)) {
    rows.push_back({run.id, run.play, run.inventory,
                    run.mode == "check" ? run.verdict + " (dry run)" : run.verdict,
                    format_rfc3339(run.started), human_duration(run.ended - run.started),
                    run.rollback, run.rollback_of, run.incident, run.partial, "", run.started});
  }
  for (const std::string& id : journal::unfinished_runs(disk, root)) {
    const auto record = journal::read_run(disk, root + "/" + id);
    const std::string left =
        record ? left_on(record->plan, run::left_by(record->plan, record->events)) : "";
    if (auto row = parked_run(record, id)) {
      row->left = left;
      row->at = record->events.front().at;
      rows.push_back(*std::move(row));
      continue;
    }
    const auto controller = disk.read(root + "/" + id + "/controller", 4096);
    const auto* began = record && !record->events.empty()
                            ? std::get_if<events::RunStarted>(&record->events.front().what)
                            : nullptr;
    Row row{id,
            began ? began->play : "",
            began ? began->inventory : "",
            "interrupted, or still running",
            "",
            controller ? one_line(*controller, 100) : "",
            "",
            "",
            "",
            false,
            left,
            {}};
    if (began != nullptr) row.at = record->events.front().at;
    rows.push_back(std::move(row));
  }
  // By time: an id begins with its second, and ends at random.
  constexpr std::size_t kSecond = 15;
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return std::tuple(a.id.substr(0, kSecond), a.started, a.id) <
           std::tuple(b.id.substr(0, kSecond), b.started, b.id);
  });
  const std::vector<Row> all = rows;
  std::erase_if(rows, [&](const Row& row) { return !filter->wants(row); });
  if (options.json) {
    nlohmann::json list = nlohmann::json::array();
    for (const Row& row : rows) {
      list.push_back({{"id", row.id},
                      {"play", row.play},
                      {"inventory", row.inventory},
                      {"verdict", row.verdict},
                      {"incident", row.incident},
                      {"partial", row.partial},
                      {"started", row.started}});
      if (!row.rollback.empty()) {
        list.back()["rollback"] = row.rollback;
        list.back()["rollback_of"] = row.rollback_of;
      }
      if (!row.left.empty()) list.back()["left_on"] = row.left;
    }
    std::cout << dump_json(nlohmann::json{{"version", 1}, {"runs", list}}, 1) << "\n";
    return kSuccess;
  }
  if (rows.empty()) {
    std::cout << "there is no " << (all.empty() ? "" : "such ") << "recorded run in " << root
              << "\n";
  }
  std::size_t ids = 0;
  std::size_t plays = 0;
  for (const Row& row : rows) {
    ids = std::max(ids, columns_of(row.id));
    plays = std::max(plays, columns_of(row.play + " on " + row.inventory));
  }
  for (const Row& row : rows) {
    const std::string what = row.play.empty() ? "" : row.play + " on " + row.inventory;
    std::cout << pad_right(row.id, ids) << "  " << pad_right(what, plays) << "  "
              << pad_right(row.verdict + notes(row), 20) << "  " << row.took;
    const std::string back = way_back_of(row, all);
    std::cout << (back.empty() ? "" : "  " + back) << "\n";
    if (row.left.empty()) continue;
    std::cout << "  its directory is on " << row.left << "; to remove it: cnplay runs --forget "
              << row.id << "\n";
  }
  return kSuccess;
}

}  // namespace cnplay::cli

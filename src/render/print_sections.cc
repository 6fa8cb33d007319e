// The printed plan's header, and what stands behind its steps.
#include <algorithm>

#include "base/columns.h"
#include "base/lines.h"
#include "base/words.h"
#include "plan/choice.h"
#include "plan/host_text.h"
#include "render/printer.h"

namespace cnplay::render {
namespace {

constexpr std::size_t kKeyWidth = 12;

std::string words_of(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& w : words) out += (out.empty() ? "" : " ") + w;
  return out;
}

class Table {
 public:
  Table(std::size_t width, const Paint& paint) : width_(width), paint_(paint) {}

  // `key  text`; the key is shown once for several rows of it.
  void row(const std::string& key, const std::vector<std::string>& words) {
    const std::string shown = key == last_ ? "" : key;
    last_ = key;
    bool first = true;
    for (const std::string& line : wrap(words, width_ - kKeyWidth - 2, 0)) {
      out += "  " + paint_.dim(pad_right(first ? shown : "", kKeyWidth)) + line + "\n";
      first = false;
    }
  }

  std::string out;

 private:
  std::size_t width_;
  const Paint& paint_;
  std::string last_;
};

}  // namespace

namespace {

std::string told_text(const Notification& n) {
  std::string when;
  const auto add = [&](bool on, const char* what) {
    if (on) when += (when.empty() ? "" : ", ") + std::string(what);
  };
  add(n.on_finish, "when it ends");
  add(n.on_failure && !n.on_finish, "when it fails");
  add(n.on_parked, "when it waits for people");
  switch (n.kind) {
    case NotifyKind::command:
      return when + ": the command " + words_of(n.command);
    case NotifyKind::webhook:
      if (n.secret_url) return when + ": a webhook whose address is secret";
      // Its path is nobody's business: some servers take it for a password.
      return when + ": a webhook of " + n.url.substr(0, n.url.find('/', n.url.find("//") + 2));
    case NotifyKind::mail:
      return when + ": mail to " + words_of(n.to);
  }
  return when;
}

}  // namespace

std::string source_text(const SecretSource& secret) {
  switch (secret.kind) {
    case SecretSource::Kind::env:
      return "environment variable " + words_of(secret.arguments);
    case SecretSource::Kind::command:
      return "output of the command `" + words_of(secret.arguments) + "`";
    case SecretSource::Kind::ask:
      return "asked for: " + quote_string(words_of(secret.arguments));
    case SecretSource::Kind::vault:
      return "of the vault: " + secret.arguments.at(0);
    case SecretSource::Kind::generate:
      return "generated, " + secret.arguments.at(1) + " characters, kept in the vault as " +
             secret.arguments.at(0) +
             (secret.arguments.at(2) == "rotate" ? ": a new one in each run" : "");
  }
  return "";
}

std::string header_text(const Plan& plan, const PrintOptions& options, const Paint& paint) {
  Table table(options.width, paint);
  table.out = paint.bold("PLAN  " + plan.play) +
              (plan.title.empty() ? "" : "  " + one_line(plan.title)) + "\n";
  table.row("play", {plan.file});
  if (!plan.owner.empty()) table.row("owner", {plan.owner});
  table.row("inventory", {inventory_text(plan)});
  for (const HostSet& set : plan.sets) {
    table.row("hosts", {set.name + ":", hosts_text(plan, set.hosts)});
  }
  DescribeOptions how;
  how.bare = true;
  how.now = options.now;
  std::vector<std::string> params;
  for (const auto& [name, value] : plan.params)
    params.push_back(name + "=" + describe(value, plan, how));
  if (!params.empty()) table.row("parameters", params);
  for (const SecretSource& secret : plan.secrets) {
    table.row("secrets", {secret.name + ":", source_text(secret)});
  }
  for (const Requirement& r : plan.requirements) {
    std::string text =
        "a complete run on " + r.on + " within the last " + format_duration(r.within);
    if (plan.incident) text += " (waived: mode incident)";
    if (r.on == plan.inventory) text += " (not required here: this is " + r.on + ")";
    table.row("requires", {text});
  }
  if (plan.incident) table.row("incident", {"its ticket is asked for, and recorded"});
  if (const std::string part = chosen_part(plan); !part.empty()) table.row("part", {part});
  for (const std::string& lock : plan.locks) table.row("lock", {lock + ", on every host"});
  for (const Notification& n : plan.notifications) table.row("tells", {told_text(n)});
  if (plan.window) table.row("window", {window_text(plan, options.now)});
  table.row("hash", {hash(plan).substr(0, 12)});
  return table.out;
}

std::string undo_text(const Plan& plan) {
  const bool any = std::ranges::any_of(plan.nodes, [](const Node& n) { return !n.undo.empty(); });
  return any ? "undo all, in reverse order" : "nothing is undone: no step has an `undo`";
}

std::string failure_text(const Plan& plan, const OnFailure& on, const PrintOptions& options) {
  std::string out =
      on.phase == kNone ? "in the play" : "in " + one_line(plan.phases[on.phase].title);
  if (on.side == Side::before_pivot) out += ", before the pivot";
  if (on.side == Side::after_pivot) out += ", after the pivot";
  out += ": ";
  bool first = true;
  for (const Response& response : on.responses) {
    if (!first) out += "; then ";
    first = false;
    switch (response.kind) {
      case ResponseKind::undo_all:
        out += undo_text(plan);
        break;
      case ResponseKind::hold: {
        DescribeOptions how;
        how.now = options.now;
        out += "stop and leave all as it is: " + describe(response.message, plan, how);
        break;
      }
      case ResponseKind::offer:
        out += "ask whether to run the rollback ";
        for (std::size_t i = 0; i < response.rollbacks.size(); ++i) {
          out += (i == 0 ? "" : " or ") + response.rollbacks[i];
        }
        if (const std::string terms = offer_terms(plan, response); !terms.empty()) {
          out += " (" + terms + ")";
        }
        break;
      case ResponseKind::section:
        out += "the steps below";
        break;
    }
  }
  return out;
}

}  // namespace cnplay::render

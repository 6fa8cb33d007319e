// The head of a runbook: who, where, and what must be at hand before the first step.
#include <algorithm>

#include "base/shell_word.h"
#include "base/words.h"
#include "plan/host_text.h"
#include "render/printer.h"
#include "render/runbook_parts.h"

namespace cnplay::render {
namespace {

constexpr std::size_t kHostsShown = 60;

std::string login(const Host& host) {
  const Connection& c = host.connection;
  std::string out = "ssh";
  const auto option = [&](const char* name, const std::string& value) {
    if (!value.empty()) out += std::string(" ") + name + " " + shell_word(value);
  };
  if (c.port != 0) option("-p", std::to_string(c.port));
  option("-J", c.jump);
  for (const auto& identity : c.identities) option("-i", identity);
  for (const auto& file : c.known_hosts) option("-o", "UserKnownHostsFile=" + file);
  const std::string& address = c.address.empty() ? host.name : c.address;
  return out + " " + shell_word(c.user.empty() ? address : c.user + "@" + address);
}

class Head {
 public:
  Head(const Plan& plan, const RunbookOptions& options, const Clock& clock,
       std::vector<RunbookBlock>& out)
      : plan_(plan), options_(options), clock_(clock), out_(out) {}

  void write() {
    what();
    heading("Who and where");
    hosts();
    heading("Before you begin");
    at_hand();
  }

 private:
  void heading(const char* text) {
    out_.push_back(block(BlockKind::heading, Prose().say(text).take(), 2));
  }
  void item(RunbookBlock& list, Prose& prose) { list.rows.push_back({prose.take()}); }

  void what() {
    RunbookBlock list = block(BlockKind::list, {});
    Prose p;
    item(list, p.say("*Play:* ").code(plan_.play).say(", in ").code(plan_.file));
    if (!plan_.owner.empty()) item(list, p.say("*Owner:* ").plain(plan_.owner));
    if (options_.generic) {
      item(list,
           p.say("*Hosts:* those of an inventory that was not named; what it sets is written as "
                 "<angle brackets>"));
    } else {
      const std::string rest = inventory_text(plan_).substr(plan_.inventory.size());
      item(list, p.say("*Inventory:* ").code(plan_.inventory).say(rest));
    }
    takes(list);
    if (plan_.window) {
      item(list, p.say("*Window:* ")
                     .plain(window_text(plan_, std::nullopt))
                     .say("; not begun "
                          "before, nor after"));
    }
    if (!options_.command.empty()) {
      item(list, p.say("*Carried out by machine:* ").code(options_.command));
    }
    out_.push_back(std::move(list));
  }
  void takes(RunbookBlock& list) {
    Prose p;
    const Schedule& s = clock_.schedule();
    bool waits_for_clock = false;
    for (const Node& node : plan_.nodes) {
      waits_for_clock = waits_for_clock || node.until.as<Time>() != nullptr;
    }
    p.say("*Takes:* ");
    if (waits_for_clock) {
      p.say("as long as its fixed times say");
    } else if (s.total.count() > 0) {
      p.say("about " + human_duration(s.total));
    } else {
      p.say("not known: no step says how long it takes");
    }
    for (std::size_t i = 0; i < plan_.phases.size(); ++i) {
      const Phase& phase = plan_.phases[i];
      const auto& time = s.phases.at(i).time;
      if (!phase.outage || !time) continue;
      const Duration length = time->end - time->begin;
      p.say("; outage ").plain(phase.title);
      if (length.count() > 0) p.say(" " + human_duration(length));
      if (phase.budget) p.say(", at most " + human_duration(*phase.budget));
    }
    if (s.without_expect != 0) {
      p.say(" (" + std::to_string(s.without_expect) +
            (s.without_expect == 1 ? " step has no `expect`, and counts"
                                   : " steps have no `expect`, and count") +
            " as nothing)");
    }
    item(list, p);
  }

  void hosts() {
    if (!plan_.sets.empty()) {
      RunbookBlock list = block(BlockKind::list, {});
      for (const HostSet& set : plan_.sets) {
        Prose p;
        p.code(set.name).say(": ");
        item(list, options_.generic ? p.say("as the inventory says")
                                    : p.plain(hosts_text(plan_, set.hosts)));
      }
      out_.push_back(std::move(list));
    }
    if (options_.generic) return;
    RunbookBlock table = block(BlockKind::table, {});
    table.rows.push_back(
        {Prose().say("Host").take(), Prose().say("Groups").take(), Prose().say("Log in").take()});
    for (const Host& host : plan_.hosts) {
      if (table.rows.size() > kHostsShown) break;
      std::string groups;
      for (const auto& g : host.groups) groups += (groups.empty() ? "" : ", ") + g;
      Prose way;
      if (host.local) {
        way.say("the machine that you work on");
      } else {
        way.code(login(host));
      }
      table.rows.push_back(
          {Prose().plain(host.name).take(), Prose().plain(groups).take(), way.take()});
    }
    out_.push_back(std::move(table));
    if (plan_.hosts.size() > kHostsShown) {
      out_.push_back(
          block(BlockKind::paragraph,
                Prose()
                    .say("And " + std::to_string(plan_.hosts.size() - kHostsShown) + " more: ")
                    .code("cnplay hosts -i " + shell_word(plan_.inventory))
                    .say(" lists them all.")
                    .take()));
    }
  }

  void at_hand() {
    RunbookBlock list = block(BlockKind::list, {});
    Prose p;
    item(list, p.say("Write down the time at which you begin: it is *T0*, and ")
                   .code("now")
                   .say(" in this runbook. All times are counted from it, by what the steps are "
                        "expected to take."));
    item(list, p.say("Each block is pasted whole into a POSIX shell on each of its hosts, in the "
                     "home directory, with ")
                   .code("umask 022")
                   .say(". If one ends with an error, go to “If a step fails”."));
    item(list, p.say("A value that is known only during the run is written as ")
                   .code("${name:?what it is}")
                   .say(": set it first (")
                   .code("name=...")
                   .say("), the block refuses to run without it."));
    item(list, p.say("The blocks hold only what changes something. `cnplay modules NAME` shows "
                     "what a module checks before and after"));
    if (!options_.command.empty()) {
      list.rows.back()[0].push_back({SpanKind::plain, "; "});
      list.rows.back()[0].push_back({SpanKind::code, options_.command + " --check"});
      list.rows.back()[0].push_back({SpanKind::plain, " runs these checks, and changes nothing"});
    }
    list.rows.back()[0].push_back({SpanKind::plain, "."});
    for (const std::string& lock : plan_.locks) {
      item(list, p.say("Make sure that nobody else works under the lock ")
                     .code(lock)
                     .say(" on these hosts."));
    }
    if (plan_.incident) item(list, p.say("This is for an incident: note its ticket."));
    for (const Requirement& r : plan_.requirements) {
      if (plan_.incident) break;  // not held
      p.say("There must have been a complete run on ")
          .code(r.on)
          .say(" within the last " + format_duration(r.within));
      item(list, p.say(r.on == plan_.inventory ? ": here no rehearsal is required." : "."));
    }
    DescribeOptions how;
    how.bare = true;
    for (const auto& [name, value] : plan_.params) {
      item(list,
           p.say("Parameter ").code(name).say(": ").code(describe(value, plan_, how)).say("."));
    }
    for (const SecretSource& secret : plan_.secrets) {
      item(list, p.say("Secret ")
                     .code(secret.name)
                     .say(": ")
                     .plain(source_text(secret))
                     .say(". Write it nowhere."));
    }
    passwords(list);
    needs(list);
    out_.push_back(std::move(list));
  }
  void passwords(RunbookBlock& list) {
    for (const bool become : {false, true}) {
      std::map<std::uint32_t, std::vector<HostIndex>> by_secret;
      for (HostIndex h = 0; h < plan_.hosts.size(); ++h) {
        const Connection& c = plan_.hosts[h].connection;
        if (const auto& ref = become ? c.become_password : c.password)
          by_secret[ref->index].push_back(h);
      }
      for (const auto& [index, on] : by_secret) {
        if (index >= plan_.secrets.size()) continue;
        Prose p;
        p.say(become ? "The password for sudo on " : "The password for ssh to ")
            .plain(hosts_text(plan_, on));
        item(list, p.say(" is the secret ").code(plan_.secrets[index].name).say("."));
      }
    }
  }
  // What must be installed: by host set, in the order of the steps.
  void needs(RunbookBlock& list) {
    std::vector<std::pair<std::vector<HostIndex>, std::set<std::string>>> by_hosts;
    for (const Node& node : plan_.nodes) {
      std::set<std::string> names;
      for (const auto* actions : {&node.actions, &node.undo}) {
        for (const Action& action : *actions)
          names.insert(action.needs.begin(), action.needs.end());
      }
      if (names.empty()) continue;
      auto at = std::find_if(by_hosts.begin(), by_hosts.end(),
                             [&](const auto& b) { return b.first == node.hosts; });
      if (at == by_hosts.end()) at = by_hosts.insert(at, {node.hosts, {}});
      at->second.merge(names);
    }
    for (const auto& [on, names] : by_hosts) {
      Prose p;
      p.say("Commands needed on ").plain(hosts_of(plan_, options_, on)).say(": ");
      for (const auto& name : names) p.say(name == *names.begin() ? "" : ", ").code(name);
      item(list, p.say("."));
    }
  }

  const Plan& plan_;
  const RunbookOptions& options_;
  const Clock& clock_;
  std::vector<RunbookBlock>& out_;
};

}  // namespace

void write_head(const Plan& plan, const RunbookOptions& options, const Clock& clock,
                std::vector<RunbookBlock>& out) {
  Head(plan, options, clock, out).write();
}

}  // namespace cnplay::render

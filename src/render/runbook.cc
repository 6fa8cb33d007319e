#include "render/runbook.h"

#include <algorithm>

#include "base/words.h"
#include "plan/host_text.h"
#include "render/printer.h"
#include "render/runbook_parts.h"

namespace cnplay::render {
namespace {

constexpr std::size_t kWholeLine = 100'000;  // no line is wrapped here

std::string times(std::size_t n) { return count_of(n, "time"); }

class Author {
 public:
  Author(const Plan& plan, const RunbookOptions& options)
      : plan_(plan), options_(options), clock_(plan) {
    notes_.wanted = wanted_facts(plan);
  }

  Runbook write() {
    Runbook book;
    book.title = plan_.title.empty() ? plan_.play : plan_.title;
    write_head(plan_, options_, clock_, out_);
    heading("Steps", 2);
    if (plan_.hosts.size() > 1 || options_.generic) {
      say("Each host continues as soon as it has finished a step, up to the next place where all "
          "wait.");
    }
    section(0);
    handlers();
    ways_back();
    failures();
    rollbacks();
    always();
    timings();
    book.blocks = std::move(out_);
    return book;
  }

 private:
  void heading(std::string_view text, std::size_t level) {
    out_.push_back(block(BlockKind::heading, Prose().plain(text).take(), level));
  }
  void say(std::string_view text) {
    out_.push_back(block(BlockKind::paragraph, Prose().say(text).take()));
  }
  void put(Prose& prose, BlockKind kind = BlockKind::paragraph) {
    out_.push_back(block(kind, prose.take()));
  }
  std::size_t step_level() const { return phase_ == kNone ? 3 : 4; }

  // --- sections
  void section(std::uint32_t index) {
    schedule_ = schedule(plan_, plan_.sections[index], std::nullopt);
    if (index == 0) schedule_ = clock_.schedule();
    main_ = index == 0;
    phase_ = kNone;
    previous_.clear();
    marked_ = true;
    for (const Zone& z : schedule_.zones) zone(z);
    close_phases(kNone);
  }

  void zone(const Zone& z) {
    enter(common_phase(z));
    all_wait(z);
    if (z.lane_count > 1) branches(z);
    for (std::size_t lane = 0; lane < z.lane_count; ++lane) {
      if (z.lane_count > 1) {
        Prose p;
        put(p.say("*Branch " + letter(lane) + "*, at the same time as the others:"));
      }
      for (std::size_t i = 0; i < z.nodes.size(); ++i) {
        if (z.lanes[i] == lane) node(z.nodes[i], z);
      }
    }
    if (z.lane_count > 1) say("*Here the branches end.*");
    previous_ = z.nodes;
  }
  static std::string letter(std::size_t lane) {
    return lane < 26 ? std::string(1, static_cast<char>('a' + lane)) : std::to_string(lane + 1);
  }
  void branches(const Zone& z) {
    Prose p;
    p.say("The next " + std::to_string(z.lane_count) +
          " branches are carried out *at the same time*, each in its own order.");
    put(p, BlockKind::note);
  }

  // A place where hosts wait for more than their own last step.
  void all_wait(const Zone& z) {
    if (marked_) return;
    std::vector<HostIndex> hosts;
    bool waits = false;
    for (const NodeId id : z.nodes) {
      const Node& node = plan_.node(id);
      if (node.kind != NodeKind::step) return;  // says so by itself
      hosts.insert(hosts.end(), node.hosts.begin(), node.hosts.end());
      for (const Edge& edge : node.after) waits = waits || edge.kind == EdgeKind::all_hosts;
    }
    for (const NodeId id : previous_) {
      const auto& before = plan_.node(id).hosts;
      hosts.insert(hosts.end(), before.begin(), before.end());
    }
    std::sort(hosts.begin(), hosts.end());
    // One host stands for many where no inventory was given.
    const bool one_host = hosts.empty() || (hosts.front() == hosts.back() && !options_.generic);
    if (waits && !one_host) say("*All hosts must have come this far before the next step.*");
  }

  // --- phases
  std::vector<std::uint32_t> chain_of(std::uint32_t phase) const {
    std::vector<std::uint32_t> chain;
    for (; phase != kNone; phase = plan_.phases[phase].parent) chain.push_back(phase);
    std::reverse(chain.begin(), chain.end());
    return chain;
  }
  std::uint32_t common_phase(const Zone& z) const {
    auto chain = chain_of(plan_.node(z.nodes[0]).phase);
    for (const NodeId id : z.nodes) {
      const auto other = chain_of(plan_.node(id).phase);
      std::size_t n = 0;
      while (n < chain.size() && n < other.size() && chain[n] == other[n]) ++n;
      chain.resize(n);
    }
    return chain.empty() ? kNone : chain.back();
  }
  void close_phases(std::uint32_t wanted) {
    const auto stay = chain_of(wanted);
    while (phase_ != kNone && std::find(stay.begin(), stay.end(), phase_) == stay.end()) {
      end_of_phase(phase_);
      phase_ = plan_.phases[phase_].parent;
      marked_ = true;
    }
  }
  void enter(std::uint32_t wanted) {
    close_phases(wanted);
    for (const std::uint32_t phase : chain_of(wanted)) {
      const auto open = chain_of(phase_);
      if (std::find(open.begin(), open.end(), phase) != open.end()) continue;
      phase_ = phase;
      begin_of_phase(phase);
      marked_ = true;
    }
  }
  void begin_of_phase(std::uint32_t index) {
    const Phase& phase = plan_.phases[index];
    heading("Phase: " + phase.title, 3);
    Prose p;
    if (!phase.when.is_none()) {
      put(p.say("Only when ")
              .code(describe(phase.when, plan_, {}))
              .say("; else leave the whole phase out."));
      p = Prose();
    }
    if (phase.outage) p.say("*The outage begins.* ");
    if (phase.expect) p.say("Expected to take " + human_duration(*phase.expect) + ". ");
    if (phase.budget) p.say("It must not take more than " + human_duration(*phase.budget) + ". ");
    deadline(p, index);
    if (!p.empty()) put(p, phase.outage ? BlockKind::note : BlockKind::paragraph);
  }
  void deadline(Prose& p, std::uint32_t phase) const {
    for (const Deadline& d : plan_.deadlines) {
      if (d.phase != phase) continue;
      const std::string at = clock_.text_of(d.at);
      p.say("*Deadline:* if it has not ended at ")
          .plain(at.empty() ? describe(d.at, plan_, {}) : at);
      p.say(", start nothing more, and run the rollback ").code(d.rollback).say(". ");
    }
  }
  void end_of_phase(std::uint32_t index) {
    const Phase& phase = plan_.phases[index];
    Prose p;
    p.say(phase.outage ? "*The outage ends* (" : "The phase ends (").plain(phase.title).say(")");
    if (main_) {
      const auto& time = clock_.schedule().phases.at(index).time;
      if (time && time->end > time->begin) {
        p.say(", after about " + human_duration(time->end - time->begin));
      }
      if (const auto at = clock_.end_of(index); !at.empty()) p.say(", at ").plain(at);
    }
    p.say(". All hosts must have come this far.");
    if (has_handlers()) p.say(" Now do what is due of “If something has changed”.");
    put(p, phase.outage ? BlockKind::note : BlockKind::paragraph);
  }
  bool has_handlers() const {
    return std::any_of(plan_.nodes.begin(), plan_.nodes.end(),
                       [](const Node& n) { return n.kind == NodeKind::handler; });
  }

  // --- nodes
  void node(NodeId id, const Zone& z) {
    const Node& node = plan_.node(id);
    if (node.kind == NodeKind::phase_end) return;
    enter(node.phase);
    Prose p;
    switch (node.kind) {
      case NodeKind::step:
        step(node, z);
        break;
      case NodeKind::wait:
        wait(node);
        break;
      case NodeKind::human:
        human(node);
        break;
      case NodeKind::assertion:
        assertion(node);
        break;
      case NodeKind::barrier:
        put(p.say("*All hosts must have come this far before the next step.*"));
        break;
      case NodeKind::flush:
        put(p.say("Now do what is due of “If something has changed”."));
        break;
      case NodeKind::batch_end:
        p.say("*The batch ends:* ").plain(hosts_text(plan_, node.made_from)).say(".");
        if (has_handlers()) p.say(" Now do what is due of “If something has changed”.");
        put(p.say(" If none of these hosts is left, stop here: the phase has failed."));
        break;
      case NodeKind::pivot:
        p.say("*Point of no return:* ").plain(node.title).say(".");
        put(p.say(" All hosts must have come this far. From here on, what was done "
                  "before is no longer undone."),
            BlockKind::note);
        break;
      default:
        break;
    }
    marked_ = node.kind != NodeKind::step;
  }

  // `3. The title`, a heading to tick off.
  void step_heading(const Node& node, const std::string& text) {
    const std::string number = std::to_string(++number_);
    notes_.number_of[node.id] = number;
    Prose p;
    p.say(number + ". ");
    const std::string name = name_of(node);
    if (!text.empty()) {
      p.plain(text);
    } else {
      p.code(name);
      const bool titled = node.title != name && !node.title.empty();
      const std::string title = titled ? node.title
                                : node.actions.size() == 1
                                    ? options_.title_of(node.actions[0].module)
                                    : "";
      if (!title.empty()) p.say(": ").plain(title);
    }
    out_.push_back(block(BlockKind::step, p.take(), step_level()));
  }
  std::string where(const Node& node) const {
    std::string hosts = hosts_of(plan_, options_, node.hosts);
    if (!node.once) return hosts;
    return options_.generic ? "the first of " + hosts : hosts_text(plan_, node.hosts) + " alone";
  }

  void step(const Node& node, const Zone& z) {
    step_heading(node, "");
    Prose p;
    p.say("*On* ").plain(where(node));
    if (main_) {
      if (const auto at = clock_.begin_of(node.id); !at.empty()) p.say(" · *at* ").plain(at);
    }
    if (node.expect) p.say(" · *takes* " + human_duration(*node.expect));
    if (node.timeout)
      p.say(" · *at most* " + human_duration(*node.timeout) + " on a host, then stop it");
    put(p);
    if (!node.made_from.empty()) {
      put(p.say("*Skip this step* if ")
              .plain(hosts_text(plan_, node.made_from))
              .say(" has failed."));
    }
    conditions(node, z);
    environment(node);
    if (is_check(node)) {
      put(p.say("*Change nothing here.* Find out whether one of these would change something on "
                "one of the hosts: ")
              .code(name_of(node))
              .say(" is the answer."));
    }
    for (const Action& action : node.actions) {
      write_action(plan_, options_, notes_, clock_, node, action, false, out_);
    }
    if (node.retry.times != 0) {
      say("If it fails, try again up to " + times(node.retry.times) + ", " +
          human_duration(node.retry.every) + " apart.");
    }
    if (node.tolerate >= plan_.hosts.size()) {
      say("A host that fails here does not stop the others.");
    } else if (node.tolerate != 0) {
      say("Continue with the others as long as no more than " + std::to_string(node.tolerate) +
          (node.tolerate == 1 ? " host has failed in all." : " hosts have failed in all."));
    }
    if (!node.undo.empty()) say("It can be undone: see “Undoing”.");
    if (main_ || !node.undo.empty()) rows_.push_back(node.id);
  }
  void environment(const Node& node) {
    const auto words = environment_words(plan_, node);
    if (words.empty()) return;
    Prose p;
    p.say("*In the environment of its commands:* ");
    for (const std::string& word : words) {
      if (&word != &words.front()) p.say(", ");
      p.code(word);
    }
    put(p.say("."));
  }
  void conditions(const Node& node, const Zone& z) {
    if (!node.when.empty() && !(node.when.uniform() && node.when.at(0) == Value(true))) {
      Prose p;
      put(p.say("Only when ")
              .code(column_text(plan_, node.when, node.hosts, {}))
              .say("; else leave it out."));
    }
    if (z.lane_count == 1) return;
    const auto lane_of = [&](NodeId id) -> std::size_t {
      const auto at = std::find(z.nodes.begin(), z.nodes.end(), id);
      return at == z.nodes.end() ? SIZE_MAX
                                 : z.lanes[static_cast<std::size_t>(at - z.nodes.begin())];
    };
    for (const Edge& edge : node.after) {
      const std::size_t lane = lane_of(edge.from);
      if (lane == SIZE_MAX || lane == lane_of(node.id) || !orders(plan_, edge, node)) continue;
      Prose p;
      put(p.say("Not before ")
              .code(short_name(plan_.node(edge.from).path))
              .say(" of branch " + letter(lane) + " is done."));
    }
  }

  void assertion(const Node& node) {
    Prose p;
    p.say("*Check:* ").code(describe(node.holds, plan_, {}));
    p.say(" must hold. Else stop, the run has failed: ");
    put(p.plain(describe(node.if_not, plan_, {})).say("."), BlockKind::note);
  }

  void wait(const Node& node) {
    const std::string at = clock_.text_of(node.until);
    step_heading(node, "Wait until " + (at.empty() ? describe(node.until, plan_, {}) : at));
    Prose p;
    p.say("All hosts. ");
    if (!node.when.empty()) {
      p.say("Only when ").code(column_text(plan_, node.when, {}, {})).say("; else leave it out. ");
    }
    if (!at.empty() && node.until.is_deferred())
      p.say("That is ").code(describe(node.until, plan_, {})).say(". ");
    if (node.late_by) {
      p.say("*If it is more than " + human_duration(*node.late_by) +
            " later than that: stop, and decide again.* Do not just continue.");
    }
    put(p);
    rows_.push_back(node.id);
  }

  // What people do, or decide.
  void human(const Node& node) {
    step_heading(node, node.title);
    Prose p;
    put(p.say("*People*, while all hosts wait."));
    RunbookBlock list;
    list.kind = BlockKind::list;
    for (const std::string& line : human_lines(plan_, node, kWholeLine)) {
      list.rows.push_back({Prose().plain(line).take()});
    }
    if (!list.rows.empty()) out_.push_back(std::move(list));
    rows_.push_back(node.id);
  }

  // --- what stands behind the steps
  void handlers() {
    if (!has_handlers()) return;
    heading("If something has changed", 2);
    say("Each at most once a host, at the end of the phase in which a step made it due.");
    phase_ = kNone;
    for (const Node& node : plan_.nodes) {
      if (node.kind != NodeKind::handler) continue;
      step_heading(node, "");
      Prose p;
      put(p.say("*On* ").plain(where(node)));
      environment(node);
      for (const Action& action : node.actions) {
        write_action(plan_, options_, notes_, clock_, node, action, false, out_);
      }
    }
  }

  void ways_back() {
    // The steps between two points of no return, each from the last to the first.
    std::vector<std::pair<const Node*, std::vector<const Node*>>> parts{{nullptr, {}}};
    for (const NodeId id : plan_.sections[0].nodes) {
      const Node& node = plan_.node(id);
      if (node.kind == NodeKind::pivot) {
        parts.back().first = &node;
        parts.push_back({nullptr, {}});
      }
      if (!node.undo.empty()) parts.back().second.push_back(&node);
    }
    heading("Undoing", 2);
    const bool any =
        std::any_of(parts.begin(), parts.end(), [](const auto& p) { return !p.second.empty(); });
    if (!any) return say("No step of this play has an `undo`.");
    say("In this order, each on the hosts where its step has begun to change something, and on all "
        "of them before the next.");
    phase_ = kNone;
    std::size_t back = 0;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (parts.size() > 1) {
        Prose p;
        if (parts[i].first != nullptr) {
          p.say("Before the point of no return (").plain(parts[i].first->title).say(")");
        } else {
          p.say("After the last point of no return");
        }
        out_.push_back(block(BlockKind::heading, p.take(), 3));
        if (parts[i].second.empty()) say("Nothing is undone.");
      }
      for (auto at = parts[i].second.rbegin(); at != parts[i].second.rend(); ++at) {
        const Node& node = **at;
        Prose p;
        p.say("Back " + std::to_string(++back) + ". Undo step " + notes_.number_of[node.id] + ", ")
            .code(short_name(node.path));
        out_.push_back(block(BlockKind::step, p.take(), 4));
        put(p.say("*On* ").plain(where(node)));
        environment(node);
        for (const Action& action : node.undo) {
          write_action(plan_, options_, notes_, clock_, node, action, true, out_);
        }
      }
    }
  }

  void failures() {
    heading("If a step fails", 2);
    say("Stop. Let the hosts that are in the middle of a step finish it, and begin nothing more. "
        "Then:");
    Prose late;
    deadline(late, kNone);
    if (!late.empty()) put(late, BlockKind::note);
    RunbookBlock list = block(BlockKind::list, {});
    bool play = false;
    std::vector<std::uint32_t> sections;
    for (const OnFailure& on : plan_.on_failure) {
      play = play || (on.phase == kNone && on.side == Side::any);
      list.rows.push_back({failure_response(plan_, on, sections)});
    }
    if (!play) {
      Prose p;
      p.say(plan_.on_failure.empty()
                ? "Undo what was done since the last point of no return, as “Undoing” says."
                : "Anywhere else: undo what was done since the last point of no return, as "
                  "“Undoing” says.");
      list.rows.push_back({p.take()});
    }
    out_.push_back(std::move(list));
    for (const std::uint32_t index : sections) {
      heading("Steps after a failure", 3);
      section(index);
    }
  }
  void rollbacks() {
    for (const Rollback& way : plan_.rollbacks) {
      heading("Rollback " + way.name + (way.title == way.name ? "" : ": " + way.title), 2);
      const Schedule time = way_back(plan_, way);
      say("Only when people decide so, or a deadline was missed." +
          (time.total.count() > 0 ? " Takes " + human_duration(time.total) + "." : "") +
          " Where the steps above have done nothing, there is nothing to roll back.");
      section(way.section);
    }
  }

  void always() {
    bool first = true;
    for (std::uint32_t i = 1; i < plan_.sections.size(); ++i) {
      const Section& s = plan_.sections[i];
      if (s.kind != SectionKind::always) continue;
      if (std::exchange(first, false)) heading("At the end, whatever has happened", 2);
      section(i);
      if (s.report_timings)
        say("Write down how long each step took beside what was expected, in the table below.");
    }
  }

  void timings() {
    if (rows_.empty()) return;
    heading("Timings", 2);
    RunbookBlock table = block(BlockKind::table, {});
    table.rows.push_back({});
    for (const char* head : {"Step", "", "Begins", "Expected", "Took"}) {
      table.rows[0].push_back(Prose().say(head).take());
    }
    for (const NodeId id : rows_) {
      const Node& node = plan_.node(id);
      const bool in_main = std::find(plan_.sections[0].nodes.begin(), plan_.sections[0].nodes.end(),
                                     id) != plan_.sections[0].nodes.end();
      table.rows.push_back({Prose().say(notes_.number_of[id]).take(),
                            name_of_row(node),
                            Prose().plain(in_main ? clock_.begin_of(id) : "").take(),
                            Prose().say(node.expect ? human_duration(*node.expect) : "").take(),
                            {}});
    }
    out_.push_back(std::move(table));
  }
  static Text name_of_row(const Node& node) {
    if (node.kind == NodeKind::wait) return Prose().say("wait").take();
    return Prose().code(short_name(node.path)).take();
  }

  const Plan& plan_;
  const RunbookOptions& options_;
  Clock clock_;
  Notes notes_;
  std::vector<RunbookBlock> out_;
  Schedule schedule_;
  std::vector<NodeId> previous_;
  std::vector<NodeId> rows_;  // of the table of timings
  std::size_t number_ = 0;
  std::uint32_t phase_ = kNone;
  bool main_ = true;
  bool marked_ = true;  // a line already says that all wait
};

}  // namespace

Runbook runbook(const Plan& plan, const RunbookOptions& options) {
  return Author(plan, options).write();
}

}  // namespace cnplay::render

// The play as a whole, and the last things a plan needs: its hosts, how to reach them, its hash.
#include <algorithm>
#include <stdexcept>

#include "base/digest.h"
#include "compile/builder.h"
#include "compile/convert.h"
#include "compile/things.h"
#include "plan/schedule.h"

namespace cnplay::compile {

using plan::kNone;

Builder::Builder(Context& context, LoadedFile& file)
    : context_(context), evaluator_(context), calls_(evaluator_), file_(file) {
  evaluator_.find_step = [this](const syntax::Name& name) { return find_step(name); };
  evaluator_.step_names = [this](std::vector<std::string>& names) {
    for (const auto& step : frame_->steps) names.push_back(step.name);
  };
}

void Builder::build(const syntax::Play& play) {
  play_ = &play;
  Frame frame;
  frame.file = &file_;
  frame_ = &frame;
  plan::Plan& plan = context_.plan;
  plan.play = play.name.text;
  plan.inventory = context_.input.inventory->name();
  plan.file = context_.input.play->name;
  plan.sections.push_back({plan::SectionKind::main, {}, false});
  announce_rollbacks(play.body);
  Flow flow;
  Position position;
  position.prefix = play.name.text;
  position.flow = &flow;
  position.environment = inventory_environment();
  here_ = &position;
  OpenScope scope(*this, nullptr);
  plan.title = title_of(play.title, "a play");
  if (plan.title.empty()) plan.title = play.name.text;
  // What holds for the whole play is known before its first step, wherever it is written.
  for (const auto& item : play.body.items) {
    const auto* head = std::get_if<syntax::PlayModifier>(&item.node);
    if (!head) continue;
    const Modifiers words(context_, {}, kPlayPlace);
    std::vector<syntax::Modifier> none;
    if (head->modifier.word.text == "tolerate") {
      if (const auto t = tolerance_of(evaluator_, &head->modifier)) position.tolerance = *t;
    } else {
      context_.error("E0505", code(head->modifier.word.text) + " makes no sense at a play",
                     head->modifier.word.span, "not here",
                     "a play takes only `tolerate`: write other modifiers at its steps");
    }
  }
  find_handlers(play.body);
  const std::size_t pivots = pivots_;
  enter_block(play.body);
  items(play.body, position);
  leave_block(play.body, pivots);
  rollbacks(play.body, position);
  handlers(position);
  check_extras();
  const bool works = std::ranges::any_of(
      plan.nodes, [](const plan::Node& node) { return node.kind == plan::NodeKind::step; });
  if (!works && !context_.diags.has_errors()) {
    const bool limited = !limited_out_.empty() || context_.input.limited;
    context_.error("E0518", "play " + code(play.name.text) + " has no step", play.name.span,
                   limited ? "`--limit` leaves out all of its steps" : "nothing to do",
                   limited ? "widen the limit" : "add a step: `step NAME on web { ... }`");
  }
  check_budgets();
  warn_of_large_loop();
  if (!context_.diags.has_errors() && !context_.broken) finish();
  frame_ = nullptr;
}

// A phase whose steps cannot be done within its budget, as the play itself expects them to take.
void Builder::check_budgets() {
  const plan::Plan& plan = context_.plan;
  for (std::uint32_t p = 0; p < plan.phases.size(); ++p) {
    if (!plan.phases[p].budget) continue;
    // The longest path by what the steps expect. Edges lead to nodes that stand further down.
    std::map<plan::NodeId, Duration> ends;
    Duration longest{0};
    plan::NodeId last = kNone;
    for (const plan::Node& node : plan.nodes) {
      std::uint32_t around = node.phase;
      while (around != kNone && around != p) around = plan.phases[around].parent;
      if (around == kNone || !node.left_out.empty()) continue;
      Duration begin{0};
      for (const plan::Edge& edge : node.after) {
        const auto before = ends.find(edge.from);
        if (before != ends.end() && plan::orders(plan, edge, node)) {
          begin = std::max(begin, before->second);
        }
      }
      const Duration end = begin + node.expect.value_or(Duration{0});
      ends.emplace(node.id, end);
      if (end > longest) {
        longest = end;
        last = node.id;
      }
    }
    if (last == kNone || longest <= *plan.phases[p].budget) continue;
    context_.error_with(
        "E0704",
        "the steps of phase " + code(plan.phases[p].title) + " expect " + human_duration(longest) +
            ", and its budget is " + human_duration(*plan.phases[p].budget),
        plan.phases[p].end == kNone ? spans_[last] : spans_[plan.phases[p].end],
        "more than its budget", spans_[last], "ends last",
        "raise the budget, lower what the steps expect, or put steps side by side in `parallel`");
  }
}

namespace {

// The way to a host, outermost first: [user@]host[:port], by commas. Hosts of the inventory may be
// named as they are there, and are reached as the inventory says. nullopt: it leads in a circle.
std::optional<std::string> way_of(const inventory::Inventory& inventory, const std::string& jump,
                                  std::size_t depth) {
  if (depth > inventory.hosts().size()) return std::nullopt;
  std::string way;
  for (std::size_t begin = 0; begin <= jump.size();) {
    const std::size_t comma = std::min(jump.find(',', begin), jump.size());
    std::string stop = jump.substr(begin, comma - begin);
    begin = comma + 1;
    if (const auto host = inventory.find_host(stop)) {
      const inventory::Ssh ssh = inventory.ssh(*host);
      stop = (ssh.user.empty() ? "" : ssh.user + "@") + ssh.address +
             (ssh.port == 0 ? "" : ":" + std::to_string(ssh.port));
      if (!ssh.jump.empty()) {
        const auto before = way_of(inventory, ssh.jump, depth + 1);
        if (!before) return std::nullopt;
        stop = *before + "," + stop;
      }
    }
    way += (way.empty() ? "" : ",") + stop;
  }
  return way;
}

std::string jump_of(Context& context, const inventory::Inventory& inventory, HostIndex host,
                    const std::string& jump) {
  if (jump.empty()) return {};
  const Span at = inventory.hosts()[host].span;
  static constexpr std::string_view kMay =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:@[],";
  const bool fine = jump.find_first_not_of(kMay) == std::string::npos && jump.front() != '-' &&
                    jump.front() != ',' && jump.back() != ',' &&
                    jump.find(",,") == std::string::npos && jump.find(",-") == std::string::npos;
  if (!fine) {
    context.error("E0907", code(jump) + " is not a valid jump host", at,
                  "this host's `jump` is " + code(jump),
                  "write [user@]host[:port], several with commas, or a host of the inventory");
    return {};
  }
  auto way = way_of(inventory, jump, 0);
  if (!way) {
    context.error("E0907", "the jump hosts lead in a circle", at,
                  code(inventory.hosts()[host].name) + " is reached through " + code(jump),
                  "a jump host must be reached without the hosts behind it");
    return {};
  }
  return *std::move(way);
}

std::optional<plan::SecretRef> password_of(Context& context,
                                           const std::optional<inventory::Value>& value,
                                           const std::string& name) {
  if (!value) return std::nullopt;
  const auto* secret = std::get_if<inventory::Value::Secret>(&value->data);
  if (!secret) return std::nullopt;
  return secret_of_inventory(context, name, *secret, value->span);
}

}  // namespace

void Builder::finish() {
  plan::Plan& plan = context_.plan;
  const inventory::Inventory& inventory = *context_.input.inventory;
  const bool with_local = context_.local.has_value();
  std::vector<bool> touched(inventory.hosts().size());
  const auto touch = [&](const std::vector<HostIndex>& hosts) {
    for (const HostIndex h : hosts) touched[h] = true;
  };
  for (const auto& set : plan.sets) touch(set.hosts);
  for (const auto& node : plan.nodes) {
    touch(node.hosts);
    touch(node.made_from);
  }
  // From here on a host is its place in the plan.
  std::vector<HostIndex> place(inventory.hosts().size(), kNone);
  for (HostIndex h = 0; h < touched.size(); ++h) {
    if (!touched[h]) continue;
    place[h] = static_cast<HostIndex>(plan.hosts.size());
    const inventory::Ssh ssh = inventory.ssh(h);
    plan::Host host;
    host.name = inventory.hosts()[h].name;
    host.local = with_local && h == *context_.local;
    for (const auto group : inventory.hosts()[h].groups) {
      host.groups.push_back(inventory.groups()[group].name);
    }
    host.connection.address = ssh.address;
    host.connection.port = ssh.port;
    host.connection.user = ssh.user;
    host.connection.identities = ssh.identities;
    host.connection.known_hosts = ssh.known_hosts;
    host.connection.jump = jump_of(context_, inventory, h, ssh.jump);
    host.connection.password = password_of(context_, ssh.password, "ssh password");
    host.connection.become_password = password_of(context_, ssh.become_password, "sudo password");
    plan.hosts.push_back(std::move(host));
  }
  for (const inventory::Notification& n : inventory.notifications()) {
    plan::Notification out;
    out.kind = static_cast<plan::NotifyKind>(n.kind);  // the same three
    out.on_finish = n.on_finish;
    out.on_failure = n.on_failure;
    out.on_parked = n.on_parked;
    out.command = n.command;
    out.url = n.url;
    out.secret_url = password_of(context_, n.secret_url, "webhook address");
    out.token = password_of(context_, n.token, "webhook token");
    out.server = n.server;
    out.from = n.from;
    out.to = n.to;
    out.user = n.user;
    out.password = password_of(context_, n.password, "mail password");
    out.where = context_.where(n.span);
    plan.notifications.push_back(std::move(out));
  }
  const auto move = [&](std::vector<HostIndex>& hosts) {
    for (HostIndex& h : hosts) h = place[h];
  };
  for (auto& set : plan.sets) move(set.hosts);
  for (auto& node : plan.nodes) {
    move(node.hosts);
    move(node.made_from);
    node.tolerate = tolerances_[node.id].of(plan.hosts.size(), plan::find_local(plan).has_value());
  }
  for (const auto& expr : context_.facts_with_host) {
    if (expr->fact.host && place[*expr->fact.host] != kNone)
      expr->fact.host = place[*expr->fact.host];
  }
  choose();
  find_dependences(plan, *context_.input.catalog);
  std::vector<std::string> texts;
  for (const auto& [name, text] : context_.program_texts) {
    texts.push_back(text);
    // What a file holds is known by its checksum already.
    plan.program.push_back({name, name.starts_with("file ") ? text : sha256_hex(text)});
  }
  std::ranges::sort(texts);
  const std::string order = "order of steps: edition " + std::to_string(kOrderEdition) + "\n";
  plan.program.push_back({"cnplay's rule for the order of steps", sha256_hex(order)});
  std::ranges::sort(plan.program, {}, &plan::ProgramPart::name);
  std::string all = "cnplay program 1\n" + order;
  for (const auto& text : texts) all += std::to_string(text.size()) + "\n" + text;
  plan.program_hash = sha256_hex(all);
  if (context_.diags.has_errors()) return;
  if (const std::string violation = plan::check_invariants(plan); !violation.empty()) {
    throw std::logic_error("a plan that breaks its own rules (a bug in cnplay): " + violation);
  }
}

}  // namespace cnplay::compile

// One action of a runbook: a sentence, and what a person types.
#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "base/shell_word.h"
#include "base/text.h"
#include "plan/eval.h"
#include "plan/host_text.h"
#include "render/commands.h"
#include "render/printer.h"
#include "render/runbook_parts.h"

namespace cnplay::render {
namespace {

constexpr std::size_t kBlocksOfHosts = 4;  // blocks written out where hosts have different values

// What `unless` becomes: the compiler wraps it so.
constexpr std::string_view kUnlessBegin = "if (\n";
constexpr std::string_view kUnlessEnd = "\n) >/dev/null; then ok;";

struct Binding {
  std::string name;
  std::optional<std::string> value;  // known: what scripts see
  std::string word;                  // else: the shell word that stands in its place
  CommandValue command;              // as `commands` see it
};

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Whether a script may read this name or call it: it stands there as a whole word.
bool mentions(std::string_view text, std::string_view name) {
  for (std::size_t at = 0; (at = text.find(name, at)) != std::string_view::npos; ++at) {
    const std::size_t end = at + name.size();
    if ((at == 0 || !is_name_char(text[at - 1])) &&
        (end == text.size() || !is_name_char(text[end])))
      return true;
  }
  return false;
}

// What scripts call beside programs (docs/module-scripts.md), as a person's shell is given it.
constexpr std::array<std::pair<std::string_view, std::string_view>, 11> kHelpers = {{
    {"nl", "nl='\n'\n"},
    {"fail", "fail() { printf '%s\\n' \"$1\" >&2; exit 1; }\n"},
    {"warn", "warn() { printf '%s\\n' \"$1\" >&2; }\n"},
    {"ok", "ok() { printf '%s\\n' \"as it should be ${1-}\"; exit 0; }\n"},
    {"skip", "skip() { printf '%s\\n' \"nothing to do: ${1-}\"; exit 0; }\n"},
    {"change", "change() { printf '%s\\n' \"to be changed: ${1-}\"; }\n"},
    {"fact", "fact() { printf '%s\\n' \"$1: $2\"; }\n"},
    {"put", "put() { printf '%s' \"$1\"; }\n"},
    {"diff_lines", "diff_lines() { cat; }\n"},
    {"wanted", "wanted() { cat >/dev/null; }\n"},
    {"noting", "noting() { false; }\n"},
}};

std::string lower_name(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    out += plain ? c : '_';
  }
  return out;
}

class ActionWriter {
 public:
  ActionWriter(const Plan& plan, const RunbookOptions& options, const Notes& notes,
               const Clock& clock, const Node& node, const Action& action, bool in_undo,
               std::vector<RunbookBlock>& out)
      : plan_(plan),
        options_(options),
        notes_(notes),
        clock_(clock),
        node_(node),
        action_(action),
        in_undo_(in_undo),
        out_(out) {
    if (in_undo) return;
    const auto index = static_cast<std::uint32_t>(&action - node.actions.data());
    const auto found = notes.wanted.find({node.id, index});
    if (found != notes.wanted.end()) wanted_ = found->second;
  }

  void write() {
    out_.push_back(block(BlockKind::paragraph, sentence()));
    if (action_.alone) return;  // nothing is done
    unless();
    if (options_.commands_of) commands_ = options_.commands_of(action_.module);
    if (!action_.sends_tree.empty() && commands_.empty()) return afterwards();
    const auto groups = groups_of_hosts();
    if (groups.size() > kBlocksOfHosts) {
      table_of_values(groups);
      typed(groups[0], true);
    } else {
      for (const auto& group : groups) {
        const std::size_t before = out_.size();
        if (groups.size() > 1) {
          Text text = Prose().say("On ").plain(hosts_text(plan_, hosts_of(group))).say(":").take();
          out_.push_back(block(BlockKind::paragraph, std::move(text)));
        }
        typed(group, false);
        // Where nothing is to be typed, nobody need be told on which hosts.
        if (groups.size() > 1 && out_.size() == before + 1) out_.pop_back();
      }
    }
    afterwards();
  }

 private:
  using Positions = std::vector<std::size_t>;  // in node.hosts

  // --- the sentence
  Text sentence() const {
    Prose prose;
    const std::string title = action_.module == "sh" ? "" : options_.title_of(action_.module);
    if (action_.module == "sh") {
      prose.say(action_.params.empty() ? "Run" : "Run, with ");
    } else {
      prose.plain(title).say(title.empty() ? "" : " (").code(action_.module);
      prose.say(title.empty() ? "" : ")").say(action_.params.empty() ? "" : ": ");
    }
    DescribeOptions how;
    how.bare = true;
    how.saved_of = in_undo_ ? node_.id : kNone;
    bool first = true;
    for (const Param& param : action_.params) {
      if (param.value.uniform() && param.value.at(0).is_none()) continue;
      if (comes_with_file(action_, param)) continue;
      prose.say(first ? "" : ", ").plain(param.name + " ");
      prose.code(param.secret ? secret_text(param.value)
                              : column_text(plan_, param.value, node_.hosts, how));
      first = false;
    }
    if (!action_.when.empty() && !(action_.when.uniform() && action_.when.at(0) == Value(true))) {
      how.bare = false;
      prose.say("; only when ").code(column_text(plan_, action_.when, node_.hosts, how));
    }
    if (!action_.become.empty()) {
      prose.say("; as ").code(action_.become).say(" (");
      prose.code("sudo -u " + shell_word(action_.become) + " sh").say(")");
    }
    prose.say(action_.module == "sh" ? ":" : ".");
    return prose.take();
  }
  std::string secret_text(const Column& column) const {
    std::set<std::string> names;
    for (const Value& value : column.values()) secrets_of(value, names);
    std::string out;
    for (const auto& name : names) out += (out.empty() ? "<secret " : " ") + name;
    return out.empty() ? "<secret>" : out + ">";
  }
  void secrets_of(const Value& value, std::set<std::string>& names) const {
    if (const auto* ref = value.as<SecretRef>()) {
      if (ref->index < plan_.secrets.size()) names.insert(plan_.secrets[ref->index].name);
    } else if (const auto* deferred = value.as<Deferred>()) {
      secrets_of(*deferred->expr, names);
    } else if (const auto* list = value.as<List>()) {
      for (const Value& item : *list) secrets_of(item, names);
    } else if (const auto* record = value.as<Record>()) {
      for (const auto& member : *record) secrets_of(member.second, names);
    }
  }
  void secrets_of(const Expr& expr, std::set<std::string>& names) const {
    secrets_of(expr.value, names);
    for (const auto& operand : expr.operands) secrets_of(*operand, names);
  }

  void unless() {
    if (action_.module != "sh" || action_.check == kNone) return;
    const std::string& text = plan_.scripts.at(action_.check).text;
    const auto end = text.rfind(kUnlessEnd);
    if (text.compare(0, kUnlessBegin.size(), kUnlessBegin) != 0 || end == std::string::npos) return;
    const auto groups = groups_of_hosts();
    out_.push_back(
        block(BlockKind::paragraph, Prose().say("Leave it out where this succeeds:").take()));
    const std::string body = text.substr(kUnlessBegin.size(), end - kUnlessBegin.size()) + "\n";
    code(wrapped(bindings(groups[0], groups.size() > 1), body));
  }

  // --- hosts and values
  std::vector<HostIndex> hosts_of(const Positions& group) const {
    std::vector<HostIndex> hosts;
    for (const std::size_t i : group) hosts.push_back(node_.hosts.at(i));
    return hosts;
  }
  std::vector<Positions> groups_of_hosts() const {
    std::vector<Positions> groups;
    std::map<std::vector<std::uint32_t>, std::size_t> known;
    for (std::size_t i = 0; i < std::max<std::size_t>(node_.hosts.size(), 1); ++i) {
      std::vector<std::uint32_t> key;
      for (const Param& param : action_.params) {
        if (!param.value.uniform()) key.push_back(param.value.index().at(i));
      }
      const auto [at, fresh] = known.try_emplace(key, groups.size());
      if (fresh) groups.emplace_back();
      groups[at->second].push_back(i);
    }
    return groups;
  }
  void table_of_values(const std::vector<Positions>& groups) {
    RunbookBlock table;
    table.kind = BlockKind::table;
    table.rows.push_back({Prose().say("Host").take()});
    for (const Param& param : action_.params) {
      if (!param.value.uniform()) table.rows[0].push_back(Prose().code(param.name).take());
    }
    DescribeOptions how;
    how.bare = true;
    how.saved_of = in_undo_ ? node_.id : kNone;
    for (const auto& group : groups) {
      table.rows.push_back({Prose().plain(hosts_text(plan_, hosts_of(group))).take()});
      for (const Param& param : action_.params) {
        if (param.value.uniform()) continue;
        const Value& value = param.value.at(group[0]);
        const std::string text =
            param.secret ? secret_text(Column(value)) : describe(value, plan_, how);
        table.rows.back().push_back(Prose().code(text).take());
      }
    }
    out_.push_back(std::move(table));
  }
  std::vector<Binding> bindings(const Positions& group, bool many) const {
    std::vector<Binding> out;
    for (const Param& param : action_.params) out.push_back(binding(param, group[0], many));
    const std::string& sent = action_.sends.empty() ? action_.sends_tree : action_.sends;
    if (!sent.empty()) {
      Binding b;
      b.name = sent + "_file";
      b.word = asked(b.name, action_.sends.empty()
                                 ? "where a copy of the directory has been put on this host, "
                                   "with scp -rp"
                                 : "where a copy of the file has been put on this host, with scp");
      out.push_back(std::move(b));
    }
    return out;
  }
  Binding binding(const Param& param, std::size_t position, bool many) const {
    Binding b;
    b.name = param.name;
    const Value& value = param.value.at(position);
    if (param.secret) {
      const auto* ref = value.as<SecretRef>();
      const std::string names = secret_text(Column(value));
      b.word = ref != nullptr && ref->index < plan_.secrets.size()
                   ? asked("secret_" + lower_name(plan_.secrets[ref->index].name),
                           "the secret " + plan_.secrets[ref->index].name)
                   : asked(own_name(param), "made from the secret as the play says: " + names);
    } else if (many && !param.value.uniform()) {
      b.word = asked(own_name(param), param.name + " of this host, from the table");
    } else if (const auto* text = value.as<std::string>();
               param.path && text && (*text == "~" || text->starts_with("~/"))) {
      b.word = "\"$HOME\"" + (text->size() > 1 ? quoted(text->substr(1)) : std::string());
    } else if (const auto known = script_value(value)) {
      b.word = with_stand_ins(*known);
      if (b.word.empty()) b.value = known;
      // No word of a shell can show it.
      if (b.value && shell_word(*b.value).empty()) {
        b.value.reset();
        b.word = asked(own_name(param), "as in the play: it holds control characters");
      }
    } else {
      b.word = later(param, value);
    }
    b.command = command_value(b, value);
    return b;
  }
  static CommandValue command_value(const Binding& b, const Value& value) {
    CommandValue out;
    out.list = value.as<List>() != nullptr || value.as<Record>() != nullptr;
    out.known = b.value.has_value();
    if (!out.known) return out;
    const auto* flag = value.as<bool>();
    out.flag = flag != nullptr;
    out.given = !b.value->empty() && (flag == nullptr || *flag);
    if (!out.list) {
      out.words = {*b.value};
      return out;
    }
    // Items hold no newline: see script_value.
    for (std::string_view rest = *b.value; !rest.empty();) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      out.words.emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return out;
  }
  // A variable of this step alone, so that no other step's value is taken for it.
  std::string own_name(const Param& param) const {
    return variable_of(node_.id, action_, in_undo_) + param.name;
  }
  // `step6_`, in a step of several actions `step6_NAME_` or `step6_2_`.
  std::string variable_of(NodeId id, const Action& action, bool in_undo) const {
    const auto number = notes_.number_of.find(id);
    const auto& actions = in_undo ? plan_.node(id).undo : plan_.node(id).actions;
    std::string out = in_undo ? "back" : "step";
    if (number != notes_.number_of.end()) out += number->second;
    if (actions.size() > 1) {
      const auto index = std::to_string(&action - actions.data() + 1);
      out += "_" + (action.name.empty() ? index : action.name);
    }
    return out + "_";
  }
  // ${name:?'what it is'}: the block refuses to run as long as nobody has set it.
  static std::string asked(const std::string& name, std::string_view what) {
    std::string words;
    // What stands in ${x:?...} is read by shells of many minds.
    for (const char c : what) {
      const auto u = static_cast<unsigned char>(c);
      const bool keep =
          u >= 0x20 && std::string_view("'{}\\`$\"!").find(c) == std::string_view::npos;
      words += keep ? c : ' ';
    }
    return "${" + name + ":?'" + words + "'}";
  }
  // `<app>/x` as ${host_app:?...}'/x'; "" if nothing in it stands for a value of the inventory.
  std::string with_stand_ins(const std::string& text) const {
    std::string out;
    std::string plain;
    bool any = false;
    const auto flush = [&] {
      if (!plain.empty()) out += quoted(std::exchange(plain, {}));
    };
    for (std::size_t i = 0; i < text.size();) {
      const auto word =
          std::find_if(options_.stand_ins.begin(), options_.stand_ins.end(),
                       [&](const auto& w) { return text.compare(i, w.size(), w) == 0; });
      if (word == options_.stand_ins.end()) {
        plain += text[i++];
        continue;
      }
      any = true;
      flush();
      // "/<app>" and "<app>" alike are the variable app.
      const auto open = word->find('<');
      const std::string name = word->substr(open + 1, word->size() - open - 2);
      out += asked("host_" + name, name + " of this host, from the inventory");
      i += word->size();
    }
    flush();
    return any ? out : "";
  }
  std::string later(const Param& param, const Value& value) const {
    const auto* deferred = value.as<Deferred>();
    if (deferred != nullptr && deferred->expr->op == Op::fact) {
      const FactRef& fact = deferred->expr->fact;
      const auto number = notes_.number_of.find(fact.node);
      const std::string step =
          number == notes_.number_of.end() ? "its step" : "step " + number->second;
      const Node& node = plan_.node(fact.node);
      const std::string name =
          node.actions.empty()  // what a person answered
              ? "step" + (number == notes_.number_of.end() ? "" : number->second) + "_"
              : variable_of(fact.node, node.actions.at(fact.action), false);
      const bool several = node.actions.size() > 1 && !node.actions[fact.action].name.empty();
      return asked(name + fact.name,
                   fact.name + (several ? " of " + node.actions[fact.action].name : "") + ", as " +
                       step + " printed it" +
                       (fact.host ? " on " + plan_.hosts.at(*fact.host).name : ""));
    }
    DescribeOptions how;
    how.saved_of = in_undo_ ? node_.id : kNone;
    const std::string time = clock_.text_of(value);
    return asked(own_name(param), time.empty() ? describe(value, plan_, how)
                                               : time + ", written as 2026-12-31T22:00:00Z");
  }

  // --- what is typed
  void code(std::string text) {
    RunbookBlock b;
    b.kind = BlockKind::code;
    b.code = std::move(text);
    out_.push_back(std::move(b));
  }
  static std::string quoted(std::string_view text) {
    const auto word = quote(text);
    return word ? word->str() : "''";
  }
  static std::string assignment(const Binding& b) {
    return b.name + "=" + (b.value ? quoted(*b.value) : b.word) + "\n";
  }
  // The block: assignments, helpers, the script. As one subshell, so that an exit does not end the
  // login, and nothing is begun after a failure.
  static std::string wrapped(const std::vector<Binding>& bindings, std::string_view script) {
    std::string out = "( set -eu\n";
    for (const Binding& b : bindings) {
      if (mentions(script, b.name)) out += assignment(b);
    }
    for (const auto& [name, definition] : kHelpers) {
      if (mentions(script, name)) out += definition;
    }
    out += script;
    return out + (script.ends_with('\n') ? ")\n" : "\n)\n");
  }
  // A command that can be typed as it is.
  static bool is_one_command(std::string_view text) {
    return text.find_first_of("\n;&|") == text.size() - 1 && text.back() == '\n';
  }

  void typed(const Positions& group, bool many) {
    if (!action_.fetches.empty()) return;  // from here, with scp: see afterwards()
    const auto all = bindings(group, many);
    if (action_.module == "sh") {
      const std::string& script = plan_.scripts.at(action_.apply).text;
      return code(all.empty() && is_one_command(script) ? script : wrapped(all, script));
    }
    if (commands_.empty()) return scripts(all);
    std::map<std::string, CommandValue> values;
    for (const Binding& b : all) values[b.name] = b.command;
    std::map<std::string, bool> facts;
    for (const FactDecl& fact : action_.returns) {
      facts[fact.name] = wanted_.contains(fact.name);
    }
    FilledCommands filled = fill_commands(commands_, values, facts);
    if (filled.facts != wanted_) {
      code(wrapped(all, plan_.scripts.at(action_.check).text));
      for (auto& [name, wanted] : facts) wanted = false;
      filled = fill_commands(commands_, values, facts);
    }
    for (const auto& fact : filled.facts) {
      filled.text += "printf '%s\\n' \"" + fact + ": $" + fact + "\"\n";
    }
    if (filled.text.empty()) return;
    if (filled.variables.empty() && is_one_command(filled.text)) return code(filled.text);
    std::string block = "( set -eu\n";
    for (const Binding& b : all) {
      if (filled.variables.contains(b.name)) block += assignment(b);
    }
    code(block + filled.text + ")\n");
  }

  // The scripts as they are. What the check has found goes to the apply through the person.
  void scripts(std::vector<Binding> all) {
    if (action_.check != kNone) code(wrapped(all, plan_.scripts.at(action_.check).text));
    if (action_.apply == kNone) return;
    if (action_.check != kNone) {
      out_.push_back(
          block(BlockKind::paragraph, Prose().say("If it prints `to be changed`:").take()));
    }
    for (const FactDecl& fact : action_.returns) {
      Binding b;
      b.name = fact.name;
      b.word = asked(variable_of(node_.id, action_, in_undo_) + fact.name,
                     fact.name + ", as printed above");
      b.word.replace(b.word.find(":?"), 2, "?");  // it may be empty
      all.push_back(std::move(b));
    }
    code(wrapped(all, plan_.scripts.at(action_.apply).text));
  }

  void afterwards() {
    Prose prose;
    if (!action_.fetches.empty()) {
      prose.say("From here: copy the file of each host with `scp` to the place that is named. ");
    }
    if (!action_.sends_tree.empty() && commands_.empty()) {
      prose.say("From here: make the directory of each host like the one that is named, with ");
      prose.code("rsync -rpc").say(", and with ").code("--delete").say(" and ");
      prose.code("--exclude").say(" as it says. ");
    }
    if (!wanted_.empty() && !in_undo_) {
      prose.say("Note for each host what it prints as ");
      bool first = true;
      for (const auto& fact : wanted_) {
        prose.say(first ? "" : ", ").code(fact);
        first = false;
      }
      prose.say(": a later step or an `undo` needs it. ");
    }
    for (const NodeId handler : action_.notify) {
      prose.say("If this changed something, ").code(name_of(plan_.node(handler)));
      prose.say(" is due (see “If something has changed”). ");
    }
    if (!prose.empty()) out_.push_back(block(BlockKind::paragraph, prose.take()));
  }

  const Plan& plan_;
  const RunbookOptions& options_;
  const Notes& notes_;
  const Clock& clock_;
  const Node& node_;
  const Action& action_;
  bool in_undo_;
  std::vector<RunbookBlock>& out_;
  std::set<std::string> wanted_;
  std::string commands_;  // of the module; "": none
};

}  // namespace

void write_action(const Plan& plan, const RunbookOptions& options, const Notes& notes,
                  const Clock& clock, const Node& node, const Action& action, bool in_undo,
                  std::vector<RunbookBlock>& out) {
  ActionWriter(plan, options, notes, clock, node, action, in_undo, out).write();
}

}  // namespace cnplay::render

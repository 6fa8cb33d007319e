#include "support/syntax/dump.h"

#include <array>
#include <string_view>

namespace cnplay::testing {
namespace {

using namespace syntax;  // NOLINT: the whole of it is printed here

class Dump {
 public:
  explicit Dump(const diag::SourceMap& sources) : sources_(sources) {}

  std::string out;

  // ---- expressions
  std::string show(const Expr& e) {
    return check(e.span) + std::visit([this](const auto& node) { return show(node); }, e.node);
  }

  void file(const File& f) {
    for (const auto& use : f.uses) line("use " + show(use.path) + " as " + show(use.alias));
    for (const auto& play : f.plays) {
      line(check(play.span) + "play " + show(play.name) + title(play.title));
      block(play.body);
    }
    for (const auto& p : f.procedures) {
      line(check(p.span) + "procedure " + show(p.name));
      ++depth_;
      for (const auto& param : p.params) line(show(param));
      --depth_;
      block(p.body);
    }
    for (const auto& m : f.modules) {
      line(check(m.span) + "module " + show(m.name) + title(m.title));
      block(m.body);
    }
    for (const auto& inventory : f.inventories) {
      line(check(inventory.span) + "inventory " + show(inventory.name));
      group(inventory.all);
    }
  }

 private:
  std::string check(Span s) const {
    const auto* source = sources_.find(s);
    const bool good =
        source != nullptr && s.begin <= s.end && s.end <= source->base + source->text.size();
    return good ? "" : "!span ";
  }
  std::string show(const Name& n) const {
    return (sources_.text(n.span) == n.text ? "" : "!name ") + n.text;
  }
  std::string show(const std::optional<Name>& n) const { return n ? " " + show(*n) : ""; }
  std::string title(const std::optional<Expr>& e) { return e ? " " + show(*e) : ""; }
  static std::string quoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text) out += c == '\n' ? std::string("\\n") : std::string(1, c);
    return out + "'";
  }

  std::string show(const StringLit& s) {
    std::string all = s.block ? "(block" : "(text";
    for (const auto& part : s.parts) {
      all += " " + check(part.span) + (part.expr ? show(*part.expr) : quoted(part.text));
    }
    return all + ")";
  }
  std::string show(const IntLit& n) const { return std::to_string(n.value); }
  std::string show(const BoolLit& b) const { return b.value ? "true" : "false"; }
  std::string show(const NoneLit&) const { return "none"; }
  std::string show(const DurationLit& d) const { return std::to_string(d.milliseconds) + "ms"; }
  std::string show(const SizeLit& s) const { return std::to_string(s.bytes) + "B"; }
  std::string show(const PercentLit& p) const { return std::to_string(p.value) + "%"; }
  std::string show(const ListLit& list) {
    std::string all = "[";
    for (const auto& item : list.items) all += (all.size() > 1 ? " " : "") + show(item);
    return all + "]";
  }
  std::string show(const Argument& a) {
    return check(a.span) +
           (a.spread              ? ".."
            : a.name.text.empty() ? ""
                                  : show(a.name) + ": ") +
           show(*a.value);
  }
  std::string show(const std::vector<Argument>& all) {
    std::string out;
    for (const auto& each : all) out += (out.empty() ? "" : ", ") + show(each);
    return out;
  }
  std::string show(const RecordLit& r) { return "{" + show(r.fields) + "}"; }
  std::string show(const NameRef& n) const { return show(n.name); }
  std::string show(const Member& m) { return "(. " + show(*m.object) + " " + show(m.name) + ")"; }
  std::string show(const Index& i) { return "(at " + show(*i.object) + " " + show(*i.index) + ")"; }
  std::string show(const Call& c) {
    return "(call " + show(*c.callee) + " (" + show(c.args) + "))";
  }
  std::string show(const Unary& u) {
    return std::string(u.op == UnaryOp::negate ? "(neg " : "(not ") + show(*u.operand) + ")";
  }
  std::string show(const Binary& b) {
    static constexpr std::array<const char*, 17> signs{"+",  "-",  "*",  "/", "%",  "==",
                                                       "!=", "<",  "<=", ">", ">=", "and",
                                                       "or", "in", "&",  "|", "??"};
    return "(" + std::string(signs.at(static_cast<std::size_t>(b.op))) + " " + check(b.op_span) +
           show(*b.left) + " " + show(*b.right) + ")";
  }
  std::string show(const Conditional& c) {
    return "(if " + show(*c.condition) + " " + show(*c.then) + " " + show(*c.otherwise) + ")";
  }
  std::string show(const TypeExpr& t) {
    std::string all = check(t.span) + show(t.name);
    for (std::size_t i = 0; i < t.args.size(); ++i) all += (i == 0 ? "<" : ", ") + show(t.args[i]);
    if (!t.args.empty()) all += ">";
    for (std::size_t i = 0; i < t.alternatives.size(); ++i) {
      all += (i == 0 ? "(" : ", ") + show(t.alternatives[i]);
    }
    if (!t.alternatives.empty()) all += ")";
    return all + (t.optional ? "?" : "");
  }
  // The text, and for each line the first word that its offset points at.
  std::string show(const ShellText& s) {
    std::string all = check(s.span) + "sh " + quoted(s.text) + " @";
    for (const auto offset : s.line_offsets) {
      const auto* source = sources_.find({offset, offset});
      const std::string_view rest = std::string_view(source->text).substr(offset - source->base);
      all += "|" + std::string(rest.substr(0, std::min<std::size_t>(rest.find('\n'), 6)));
    }
    return all + "|";
  }
  std::string show(const std::vector<Modifier>& all) {
    std::string out;
    for (const auto& m : all) {
      out += " <" + check(m.span) + show(m.word);
      for (const auto& value : m.values) out += " " + show(value);
      out += ">";
    }
    return out;
  }
  std::string show(const ParamDecl& p) {
    std::string all = "param " + show(p.name) + ": " + show(p.type);
    if (p.fallback) all += " = " + show(*p.fallback);
    if (p.where) all += " where " + show(p.where->condition) + title(p.where->message);
    return all + (p.doc ? " doc " + show(*p.doc) : "");
  }

  // ---- statements
  void line(const std::string& text) { out += std::string(depth_ * 2, ' ') + text + "\n"; }
  void block(const Block& b) {
    if (sources_.text(b.open).empty()) line("!span");
    ++depth_;
    for (const auto& item : b.items) {
      head_ = check(item.span) + check(item.keyword);
      std::visit([this](const auto& node) { put(node); }, item.node);
    }
    --depth_;
  }
  void block(const std::optional<Block>& b) {
    if (b) block(*b);
  }
  void say(const std::string& text) { line(head_ + text); }

  void put(const Let& n) {
    say("let " + show(n.name) + (n.type ? ": " + show(*n.type) : "") + " = " + show(n.value) +
        show(n.modifiers));
  }
  void put(const LetCheck& n) {
    say("let " + show(n.name) + " = " + show(n.word) + show(n.modifiers));
    block(n.body);
  }
  void put(const ActionItem& n) { say("action " + show(n.call) + show(n.modifiers)); }
  void put(const ShellItem& n) {
    say("shell" + (n.let ? " let " + show(*n.let) : "") + " (" + show(n.args) + ") " +
        show(n.script) + (n.unless ? " unless " + show(*n.unless) : "") + show(n.modifiers));
  }
  void put(const Step& n) {
    say("step" + show(n.name) + title(n.title) + show(n.modifiers));
    block(n.body);
  }
  void put(const Phase& n) {
    say("phase" + show(n.name) + title(n.title) + show(n.modifiers));
    block(n.body);
  }
  void put(const Parallel& n) {
    say("parallel" + show(n.modifiers));
    block(n.body);
  }
  void put(const Sequence& n) {
    say("sequence");
    block(n.body);
  }
  void put(const For& n) {
    say("for " + show(n.variable) + " in " + show(n.list));
    block(n.body);
  }
  void put(const If& n) {
    say("if " + show(n.condition));
    block(n.then);
    if (n.otherwise) line("else");
    block(n.otherwise);
  }
  void put(const Do& n) { say("do " + show(n.call) + show(n.modifiers)); }
  void put(const WaitUntil& n) { say("wait until " + show(n.time) + show(n.modifiers)); }
  void put(const Barrier&) { say("barrier"); }
  void put(const Pivot& n) { say("pivot" + title(n.title)); }
  void put(const Undo& n) {
    say("undo");
    block(n.body);
  }
  void put(const UndoAll&) { say("undo all"); }
  void put(const Hold& n) { say("hold " + show(n.message)); }
  void put(const Offer& n) { say("offer " + show(n.rollback)); }
  void put(const OnFailure& n) {
    say("on_failure" + show(n.side));
    block(n.body);
  }
  void put(const Always& n) {
    say("always");
    block(n.body);
  }
  void put(const Handler& n) {
    say("handler" + show(n.name) + title(n.title) + show(n.modifiers));
    block(n.body);
  }
  void put(const Notify& n) { say("notify " + show(n.handler)); }
  void put(const Flush&) { say("flush"); }
  void put(const Rollback& n) {
    say("rollback " + show(n.name) + title(n.title) + show(n.modifiers));
    block(n.body);
  }
  void put(const Human& n) {
    say(show(n.kind) + show(n.name) + (n.type ? ": " + show(*n.type) : "") + title(n.title) +
        show(n.modifiers));
    block(n.body);
  }
  void put(const TickItem& n) {
    say(show(n.kind) + show(n.name) + (n.type ? ": " + show(*n.type) : "") + " " + show(n.text));
  }
  void put(const Deadline& n) { say("deadline " + show(n.time) + " else " + show(n.rollback)); }
  void put(const Window& n) { say("window " + show(n.from) + " " + show(n.to)); }
  void put(const Report& n) { say("report " + show(n.what)); }
  void put(const Owner& n) { say("owner " + show(n.text)); }
  void put(const HostsDecl& n) {
    say("hosts " + show(n.name) + " = " + show(n.value) + (n.expect ? " expect" : "") +
        title(n.expect));
  }
  void put(const ParamDecl& n) { say(show(n)); }
  void put(const HostvarDecl& n) {
    say("hostvar " + show(n.name) + ": " + show(n.type) + (n.fallback ? " =" : "") +
        title(n.fallback));
  }
  void put(const SecretDecl& n) { say("secret " + show(n.name) + " = " + show(n.source)); }
  void put(const Require& n) { say("require " + show(n.condition) + title(n.message)); }
  void put(const Lock& n) { say("lock " + show(n.name)); }
  void put(const Mode& n) { say("mode " + show(n.mode)); }
  void put(const PlayModifier& n) { say("modifier" + one(n.modifier)); }
  void put(const Environment& n) { say("env {" + show(n.variables) + "}"); }
  void put(const SearchPath& n) { say("path " + show(n.folders)); }
  void put(const Assert& n) { say("assert " + show(n.condition) + " " + show(n.message)); }
  void put(const Returns& n) {
    std::string all = "returns";
    for (const auto& [name, type] : n.fields) all += " " + show(name) + ": " + show(type);
    say(all);
  }
  void put(const Clause& n) {
    std::string all = show(n.word);
    for (const auto& value : n.values) all += " " + show(value);
    say(all);
  }
  void put(const ScriptClause& n) { say(show(n.word) + (n.script ? " " + show(*n.script) : "")); }
  std::string one(const Modifier& m) {
    std::string all = " <" + show(m.word);
    for (const auto& value : m.values) all += " " + show(value);
    return all + ">";
  }

  // ---- inventories
  void host(const HostNode& h) {
    std::string pattern = h.pattern.text;
    if (h.range) pattern += "[" + h.range->first + ".." + h.range->second + "]";
    pattern += h.suffix;
    const auto written = sources_.text(h.pattern_span);
    const bool same = written == pattern || written == "\"" + pattern + "\"";
    line(check(h.span) + (same ? "" : "!name ") + "host " + pattern + " {" + show(h.fields) + "}");
    settings(h);
  }
  template <class Node>
  void settings(const Node& of) {
    ++depth_;
    for (const auto& each : of.vars) line("vars {" + show(each) + "}");
    for (const auto& each : of.ssh) line("ssh {" + show(each) + "}");
    for (const auto& each : of.environment) line("env {" + show(each.variables) + "}");
    for (const auto& each : of.search_path) line("path " + show(each.folders));
    --depth_;
  }
  void group(const GroupNode& g) {
    line(check(g.span) + "group " + g.name.text);
    settings(g);
    ++depth_;
    for (const auto& member : g.members) line("member " + member.text);
    for (const auto& h : g.hosts) host(h);
    for (const auto& inner : g.groups) group(inner);
    --depth_;
  }

  const diag::SourceMap& sources_;
  std::size_t depth_ = 0;
  std::string head_;
};

}  // namespace

std::string dump(const File& file, const diag::SourceMap& sources) {
  Dump d(sources);
  d.file(file);
  return d.out;
}

std::string dump(const Expr& expr, const diag::SourceMap& sources) {
  return Dump(sources).show(expr);
}

}  // namespace cnplay::testing

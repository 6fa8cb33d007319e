#include "cli/stand_in.h"

#include <algorithm>
#include <functional>
#include <map>
#include <type_traits>

#include "plan/eval.h"

namespace cnplay::cli {
namespace {

using syntax::Expr;

template <class... F>
struct Overload : F... {
  using F::operator()...;
};
template <class... F>
Overload(F...) -> Overload<F...>;

// Calls `visit` on an expression and on all that is in it.
void each(const Expr& e, const std::function<void(const Expr&)>& visit) {
  visit(e);
  const auto inner = [&](const syntax::ExprPtr& p) {
    if (p) each(*p, visit);
  };
  const auto arguments = [&](const std::vector<syntax::Argument>& args) {
    for (const auto& a : args) inner(a.value);
  };
  std::visit(Overload{[&](const syntax::StringLit& s) {
                        for (const auto& part : s.parts) inner(part.expr);
                      },
                      [&](const syntax::ListLit& l) {
                        for (const Expr& item : l.items) each(item, visit);
                      },
                      [&](const syntax::RecordLit& r) { arguments(r.fields); },
                      [&](const syntax::Member& m) { inner(m.object); },
                      [&](const syntax::Index& i) {
                        inner(i.object);
                        inner(i.index);
                      },
                      [&](const syntax::Call& c) {
                        inner(c.callee);
                        arguments(c.args);
                      },
                      [&](const syntax::Unary& u) { inner(u.operand); },
                      [&](const syntax::Binary& b) {
                        inner(b.left);
                        inner(b.right);
                      },
                      [&](const syntax::Conditional& c) {
                        inner(c.condition);
                        inner(c.then);
                        inner(c.otherwise);
                      },
                      [](const auto&) {}},
             e.node);
}

// A place where an expression stands: what it is there for decides what may stand in it.
enum class Place {
  value,     // handed on: an argument, a title, a `let`
  hosts,     // says which hosts
  decides,   // if, when: what it is decides what is done
  turns,     // for: likewise, and it may be hosts
  times,     // a window, a deadline, a wait: a text that stands for a time is none
  counts,    // serial, tolerate: in relation to the number of hosts
  elsewhere  // the head of the play: where, expect, secrets
};
using Visit = std::function<void(const Expr&, Place)>;

void each(const syntax::Items& items, const std::function<void(const syntax::Item&)>& item,
          const Visit& visit);

void modifier(const syntax::Modifier& m, const Visit& visit) {
  Place place = Place::value;
  if (m.word.text == "when") place = Place::decides;
  if (m.word.text == "on") place = Place::hosts;
  if (m.word.text == "serial" || m.word.text == "tolerate") place = Place::counts;
  for (const Expr& value : m.values) visit(value, place);
}

void each(const syntax::Items& items, const std::function<void(const syntax::Item&)>& item,
          const Visit& visit) {
  const auto block = [&](const syntax::Block& b) { each(b.items, item, visit); };
  const auto maybe = [&](const std::optional<Expr>& e) {
    if (e) visit(*e, Place::value);
  };
  for (const syntax::Item& i : items) {
    item(i);
    std::visit(
        [&](const auto& node) {
          using T = std::decay_t<decltype(node)>;
          if constexpr (requires { node.modifiers; }) {
            for (const auto& m : node.modifiers) modifier(m, visit);
          }
          if constexpr (requires { node.title->span; }) maybe(node.title);
          if constexpr (std::is_same_v<T, syntax::Human>) {
            if (node.body) block(*node.body);
          } else if constexpr (requires { node.body.items; }) {
            block(node.body);
          }
          if constexpr (std::is_same_v<T, syntax::Let>) visit(node.value, Place::value);
          if constexpr (std::is_same_v<T, syntax::ActionItem> || std::is_same_v<T, syntax::Do>) {
            visit(node.call, Place::value);
          }
          if constexpr (std::is_same_v<T, syntax::ShellItem>) {
            for (const auto& a : node.args) {
              if (a.value) visit(*a.value, Place::value);
            }
          }
          if constexpr (std::is_same_v<T, syntax::For>) visit(node.list, Place::turns);
          if constexpr (std::is_same_v<T, syntax::If>) {
            visit(node.condition, Place::decides);
            block(node.then);
            if (node.otherwise) block(*node.otherwise);
          }
          if constexpr (std::is_same_v<T, syntax::WaitUntil> ||
                        std::is_same_v<T, syntax::Deadline>) {
            visit(node.time, Place::times);
          }
          if constexpr (std::is_same_v<T, syntax::Window>) {
            visit(node.from, Place::times);
            visit(node.to, Place::times);
          }
          if constexpr (std::is_same_v<T, syntax::TickItem>) visit(node.text, Place::value);
          if constexpr (std::is_same_v<T, syntax::Assert>) {
            visit(node.condition, Place::decides);
            visit(node.message, Place::value);
          }
          if constexpr (std::is_same_v<T, syntax::Hold>) visit(node.message, Place::value);
          if constexpr (std::is_same_v<T, syntax::Lock>) visit(node.name, Place::value);
          if constexpr (std::is_same_v<T, syntax::HostsDecl>) visit(node.value, Place::hosts);
          if constexpr (std::is_same_v<T, syntax::ParamDecl>) {
            if (node.fallback) visit(*node.fallback, Place::elsewhere);
          }
          if constexpr (std::is_same_v<T, syntax::Require>) visit(node.condition, Place::decides);
          if constexpr (std::is_same_v<T, syntax::Environment>) {
            for (const auto& a : node.variables) {
              if (a.value) visit(*a.value, Place::value);
            }
          }
          if constexpr (std::is_same_v<T, syntax::SearchPath>) {
            visit(node.folders, Place::value);
          }
          if constexpr (std::is_same_v<T, syntax::PlayModifier>) modifier(node.modifier, visit);
        },
        i.node);
  }
}

std::string name_of(const Expr& e) {
  const auto* ref = std::get_if<syntax::NameRef>(&e.node);
  return ref == nullptr ? "" : ref->name.text;
}

class Maker {
 public:
  Maker(const syntax::Play& play, const std::vector<const syntax::File*>& libraries)
      : play_(play), libraries_(libraries) {}

  Result<StandIn> make() {
    // What is computed from a host variable, under whatever name: names alone are looked at, in
    // all files at once, so that rather too much than too little counts as such.
    from_inventory_ = {"inventory"};
    walk([&](const syntax::Item& i) { declare(i); }, [](const Expr&, Place) {});
    for (const auto* file : libraries_) {
      for (const auto& procedure : file->procedures) {
        for (const auto& p : procedure.params) {
          if (p.type.name.text == "hosts") host_sets_.insert(p.name.text);
        }
      }
    }
    for (std::size_t before = 0; before != from_inventory_.size();) {
      before = from_inventory_.size();
      walk([&](const syntax::Item& i) { spread(i); }, [&](const Expr& e, Place) { spread(e); });
    }
    walk([](const syntax::Item&) {}, [&](const Expr& e, Place place) { look(e, place); });
    if (!why_.empty()) {
      return fail("no inventory was named, and this play cannot be described without one: " + why_,
                  "add `-i NAME`; `-i staging` means inventories/staging.inv");
    }
    return text();
  }

 private:
  void walk(const std::function<void(const syntax::Item&)>& item, const Visit& visit) {
    each(play_.body.items, item, visit);
    for (const auto* file : libraries_) {
      for (const auto& procedure : file->procedures) each(procedure.body.items, item, visit);
    }
  }
  void refuse(std::string why) {
    if (why_.empty()) why_ = std::move(why);
  }

  void declare(const syntax::Item& i) {
    if (const auto* v = std::get_if<syntax::HostvarDecl>(&i.node)) {
      const std::string& type = v->type.name.text;
      if (type != "string" && type != "path") {
        return refuse("its host variable `" + v->name.text + "` is not text");
      }
      from_inventory_.insert(v->name.text);
      // A path must begin as one.
      hostvars_[v->name.text] = (type == "path" ? "/<" : "<") + v->name.text + ">";
    }
    if (const auto* h = std::get_if<syntax::HostsDecl>(&i.node)) host_sets_.insert(h->name.text);
    if (const auto* h = std::get_if<syntax::HostsDecl>(&i.node); h != nullptr && h->expect) {
      const auto* n = std::get_if<syntax::IntLit>(&h->expect->node);
      if (n == nullptr || n->value != 1) {
        refuse("it says how many hosts `" + h->name.text + "` has");
      }
    }
  }

  // The name in `e` that the inventory gives a value; "" if there is none.
  std::string inventory_in(const Expr& e) const {
    std::string found;
    each(e, [&](const Expr& inner) {
      const std::string name = name_of(inner);
      if (found.empty() && from_inventory_.contains(name)) found = name;
    });
    return found;
  }
  void spread(const syntax::Item& i) {
    const auto* let = std::get_if<syntax::Let>(&i.node);
    if (let != nullptr && !inventory_in(let->value).empty()) from_inventory_.insert(let->name.text);
  }
  // A procedure's parameter that is handed such a value.
  void spread(const Expr& e) {
    each(e, [&](const Expr& inner) {
      const auto* call = std::get_if<syntax::Call>(&inner.node);
      if (call == nullptr) return;
      for (const auto& a : call->args) {
        if (a.value && !a.name.text.empty() && !inventory_in(*a.value).empty()) {
          parameters_.insert(a.name.text);
        }
      }
    });
    for (const auto* file : libraries_) {
      for (const auto& procedure : file->procedures) {
        for (const auto& p : procedure.params) {
          if (parameters_.contains(p.name.text)) from_inventory_.insert(p.name.text);
        }
      }
    }
  }

  void look(const Expr& e, Place place) {
    if (place == Place::counts) return refuse("`serial` and `tolerate` count its hosts");
    if (place == Place::times && !inventory_in(e).empty()) {
      return refuse("a time is read from the inventory");
    }
    if (place == Place::turns) {
      each(e, [&](const Expr& inner) {
        const auto* call = std::get_if<syntax::Call>(&inner.node);
        const std::string name = name_of(call && call->callee ? *call->callee : inner);
        if (host_sets_.contains(name) || (call && (name == "group" || name == "host"))) {
          refuse("something is done for each host of `" + name + "`");
        }
      });
    }
    if (place == Place::decides || place == Place::turns) {
      if (const auto name = inventory_in(e); !name.empty()) {
        return refuse("`" + name + "` decides what is done");
      }
    }
    each(e, [&](const Expr& inner) { look_inside(inner, place); });
  }
  void look_inside(const Expr& e, Place place) {
    const auto* member = std::get_if<syntax::Member>(&e.node);
    if (member != nullptr && name_of(*member->object) == "inventory" &&
        member->name.text != "name") {
      hostvars_.emplace(member->name.text, "<" + member->name.text + ">");
    }
    if (const auto* call = std::get_if<syntax::Call>(&e.node)) return look_at_call(e, *call);
    if (std::holds_alternative<syntax::Index>(e.node)) {
      return refuse("it names hosts by their number");
    }
    if (const auto* binary = std::get_if<syntax::Binary>(&e.node)) {
      if (place == Place::hosts && binary->op != syntax::BinaryOp::union_) {
        return refuse("the hosts that are in two groups decide where steps run");
      }
    }
    const bool computes = std::holds_alternative<syntax::Binary>(e.node) ||
                          std::holds_alternative<syntax::Unary>(e.node) ||
                          std::holds_alternative<syntax::Conditional>(e.node);
    if (!computes) return;
    if (const auto name = inventory_in(e); !name.empty()) {
      refuse("something is computed from `" + name + "`");
    }
  }
  void look_at_call(const Expr& e, const syntax::Call& call) {
    const std::string callee = call.callee ? name_of(*call.callee) : "";
    if (callee == "group" || callee == "host") {
      const auto* text = call.args.size() == 1 && call.args[0].value
                             ? std::get_if<syntax::StringLit>(&call.args[0].value->node)
                             : nullptr;
      if (text == nullptr || text->parts.size() != 1 || text->parts[0].expr) {
        return refuse("the name of a group or host is computed");
      }
      (callee == "group" ? groups_ : hosts_).insert(text->parts[0].text);
      return;
    }
    const auto all = plan::builtins();
    const bool builtin =
        std::any_of(all.begin(), all.end(), [&](const auto& b) { return b.name == callee; });
    if (!builtin) return;
    if (const auto name = inventory_in(e); !name.empty()) {
      refuse("something is computed from `" + name + "`");
    }
  }

  StandIn text() const {
    StandIn out;
    out.text = std::string("inventory ") + kStandInName + " {\n";
    if (!hostvars_.empty()) out.text += "  vars {\n";
    for (const auto& [name, word] : hostvars_) {
      out.text += "    " + name + ": \"" + word + "\"\n";
      out.words.insert(word);
    }
    if (!hostvars_.empty()) out.text += "  }\n";
    // `all` is more than the groups that the play names.
    for (const auto& group : groups_) {
      if (group == "all") continue;
      out.text += "  group \"" + group + "\" { host \"" + group + "-host\" }\n";
    }
    for (const auto& host : hosts_) out.text += "  host \"" + host + "\"\n";
    if (groups_.contains("all") || (groups_.empty() && hosts_.empty())) {
      out.text += "  host any-host\n";
    }
    out.text += "}\n";
    return out;
  }

  const syntax::Play& play_;
  const std::vector<const syntax::File*>& libraries_;
  std::set<std::string> from_inventory_, parameters_, groups_, hosts_;
  std::set<std::string> host_sets_;
  std::map<std::string, std::string> hostvars_;  // and the word that stands for each
  std::string why_;
};

}  // namespace

Result<StandIn> stand_in(const syntax::Play& play,
                         const std::vector<const syntax::File*>& libraries) {
  return Maker(play, libraries).make();
}

}  // namespace cnplay::cli

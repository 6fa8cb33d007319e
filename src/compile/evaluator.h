// Expressions: their types, and their values as far as they are known before the run. Every fault
// is reported once, where it is; what depends on it is poison and stays quiet.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "compile/context.h"
#include "compile/scope.h"
#include "syntax/ast.h"

namespace cnplay::compile {

// Where a value is needed, for messages: `what` is the subject of a sentence ("the title of a
// step").
struct Purpose {
  std::string what;
  std::string help;  // for the case that it is not known before the run
};

class Evaluator {
 public:
  explicit Evaluator(Context& context) : context_(context) {}

  // What is visible now. Set by those who walk the blocks.
  const Scope* scope = nullptr;
  // A step by its name, if one is visible; it reports ambiguous names itself.
  std::function<std::optional<Evaluated>(const syntax::Name&)> find_step;
  std::function<void(std::vector<std::string>&)> step_names;
  // Where the hosts of a batch are collected that values are about as they are put to use: of the
  // step at hand. May be null.
  std::set<HostIndex>* about = nullptr;
  // Those that the play has declared so far, by name: what a host has as members.
  std::map<std::string, EvaluatedPtr> hostvars;

  // The expression's meaning; if `expected` is given, it is one that fits there.
  Evaluated check(const syntax::Expr& expr, const TypePtr& expected = nullptr);
  TypePtr type(const syntax::TypeExpr& type, bool hosts_allowed = false);
  // `value` where `expected` is asked for.
  Evaluated fit(Evaluated value, const TypePtr& expected, Span at,
                const syntax::Expr* expr = nullptr);
  // A record's fields as one value.
  static Values flatten(const Evaluated& value);

  // One value that is known now and holds for all hosts; nullopt after a report.
  std::optional<plan::Value> constant(const syntax::Expr& expr, const TypePtr& expected,
                                      const Purpose& purpose);
  std::optional<plan::Value> constant(const Evaluated& value, Span at, const Purpose& purpose);
  std::optional<std::string> constant_text(const syntax::Expr& expr, const Purpose& purpose);
  // One value for the whole run, that the run may have to find out.
  std::optional<plan::Value> single(const syntax::Expr& expr, const TypePtr& expected,
                                    const Purpose& purpose);
  // A value for each of `hosts`, called `label` in messages.
  std::optional<plan::Column> column(const Evaluated& value, std::span<const HostIndex> hosts,
                                     const std::string& label, Span at);
  // Reports E0301 and returns true if the value holds a secret.
  bool refuse_secret(const Evaluated& value, Span at, const std::string& note,
                     const std::string& help);

  // What `it <= 24h` says of each cell of `value`; reports E0206 at `at`.
  void check_where(const syntax::Where& where, const Evaluated& value, Span at,
                   const std::string& subject);

  // Set while a value is checked that is for a parameter: where a secret may not go.
  std::string secret_note;
  std::string secret_help;

  Context& context() { return context_; }

 private:
  Evaluated check_node(const syntax::Expr& expr, const TypePtr& expected);
  Evaluated string(const syntax::StringLit& lit, Span span, const TypePtr& expected);
  Evaluated list(const syntax::ListLit& lit, Span span, const TypePtr& expected);
  Evaluated record(const syntax::RecordLit& lit, const TypePtr& expected);
  Evaluated name(const syntax::Name& name, Span span);
  Evaluated member(const syntax::Member& member, Span span);
  // inventory_names.cc
  bool names_inventory(const syntax::Expr& object) const;
  Evaluated inventory_member(const syntax::Name& name, Span span, const TypePtr& expected);
  Evaluated not_of_inventory(const syntax::Name& name);
  Evaluated host_member(HostIndex host, const syntax::Name& name, Span span);
  Evaluated fact(const Evaluated& facts, const syntax::Name& name, Span span);
  Evaluated saved(const StepFacts& step, const syntax::Name& name, Span span);
  Evaluated index(const syntax::Index& index, Span span);
  // step_names.cc
  Evaluated chosen_of(StepsOf steps, Span at);
  Evaluated step_of(const StepsOf& steps, const syntax::Member& member);
  Evaluated turn_of(const StepsOf& steps, const syntax::Index& node);
  static std::string text_of_turn(const plan::Value& value);
  Evaluated call(const syntax::Call& call, Span span);
  Evaluated hosts_call(const std::string& function, const syntax::Call& call, Span span);
  Evaluated builtin(const std::string& function, const syntax::Call& call, Span span);
  Evaluated unary(const syntax::Unary& unary, Span span);
  Evaluated binary(const syntax::Binary& binary, Span span);
  Evaluated arithmetic(const syntax::Binary& binary, const Evaluated& left, const Evaluated& right,
                       Span span);
  bool holds_local(const Evaluated& set) const;
  Evaluated host_sets(const syntax::Binary& binary, const Evaluated& left, const Evaluated& right,
                      Span span);
  Evaluated conditional(const syntax::Conditional& conditional, const TypePtr& expected, Span span);

  void use(const Evaluated& value) {
    if (about != nullptr) about->insert(value.depends.batch.begin(), value.depends.batch.end());
  }
  void mismatch(const Evaluated& value, const TypePtr& expected, Span at, const syntax::Expr* expr);
  void report(const Trouble& trouble, const std::vector<HostIndex>& missing,
              std::span<const HostIndex> hosts, const std::string& label, Span at);
  // A result of an operator; a failure that holds for every host is reported at once.
  Evaluated result(TypePtr type, Values values, Dependence depends, Span at);
  Evaluated poison() const { return {}; }

  Context& context_;
};

// A value without parts that is known.
Evaluated known(TypePtr type, plan::Value value);

}  // namespace cnplay::compile

// Actions: calls of modules and inline scripts, checked against their declarations.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "compile/evaluator.h"
#include "syntax/ast.h"

namespace cnplay::compile {

// A module with its types worked out.
struct Signature {
  const catalog::Module* module = nullptr;
  struct Param {
    TypePtr type;
    std::optional<Evaluated> fallback;
  };
  std::vector<Param> params;  // as in module->params
  std::vector<plan::FactDecl> returns;
};

// The dotted name that a callee spells, "" if it is none.
std::string dotted_name(const syntax::Expr& callee);

class Calls {
 public:
  explicit Calls(Evaluator& evaluator) : evaluator_(evaluator), context_(evaluator.context()) {}

  // Whether the callee can only mean a module: it has a dot, or there is such a module.
  bool is_action(const syntax::Expr& callee) const;
  // The module's signature; nullptr after a report.
  const Signature* find(const syntax::Expr& callee);

  // The action of a call on `hosts`; what could not be made out is left out, after a report.
  plan::Action action(const syntax::Call& call, const Signature* signature,
                      const std::vector<HostIndex>& hosts, const std::string& label, Span at);
  plan::Action shell(const syntax::ShellItem& item, const std::vector<HostIndex>& hosts,
                     const std::string& label, Span at);

  // Identifies the bindings of the names that are visible: an argument's value is kept for the
  // further batches of a `serial`.
  std::uint64_t epoch = 0;
  // What inline scripts find in their environment: names that they may read.
  std::vector<std::string> environment;

 private:
  struct Given {
    const Evaluated value;
    Span at;    // of the value
    Span name;  // of the name, or the spread
    bool spread = false;
  };
  using GivenMap = std::map<std::string, Given>;

  Evaluated argument(const syntax::Expr& expr, const TypePtr& expected);
  // False if an argument could not be told to be for a parameter.
  bool collect(const syntax::Call& call, const Signature& signature, GivenMap& given);
  void unknown_module(const std::string& name, Span at);
  // call_files.cc: files beside the play. `action` has the parameter that names them, as its last.
  void send_file(plan::Action& action, Span at);
  void send_tree(plan::Action& action, const catalog::Module& module,
                 const std::vector<HostIndex>& hosts, Span at);
  void render_file(plan::Action& action, const std::vector<HostIndex>& hosts,
                   const std::string& label, Span at);
  void fetch_file(plan::Action& action, const std::vector<HostIndex>& hosts, Span at);
  void unreadable(const std::string& name, const Error& why, Span at);
  bool names_known(const plan::Column& names, Span at);
  const syntax::Expr* template_of(const std::string& name, Span at);
  void check_shell_names(const syntax::ShellItem& item, const syntax::ShellText& script,
                         const std::vector<std::string>& params);

  Evaluator& evaluator_;
  Context& context_;
  std::map<const catalog::Module*, Signature> signatures_;
  std::map<std::string, syntax::ExprPtr> templates_;
  std::map<std::tuple<const syntax::Expr*, std::uint64_t, const Type*>, Evaluated> cache_;
};

}  // namespace cnplay::compile

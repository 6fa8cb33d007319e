// The room's own (it shows ANTLR): walks ANTLR's contexts into the tree of ast.h. The contexts'
// tokens carry byte offsets: start index = first byte, stop index = one beyond the last.
#pragma once

#include <CnplayParser.h>

#include <optional>
#include <string>
#include <vector>

#include "diag/diagnostic.h"
#include "diag/source.h"
#include "syntax/ast.h"
#include "syntax/tokens.h"

namespace cnplay::syntax {

template <class Node>
Item item_of(Node node) {
  Item out;
  out.node = std::move(node);
  return out;
}

class Builder {
 public:
  using P = grammar::CnplayParser;

  Builder(const diag::SourceMap::Source& source, const std::string& text, diag::Diagnostics& diags)
      : source_(source), text_(text), diags_(diags) {}

  File file(P::FileContext* ctx);
  Expr value(P::ValueContext* ctx);

 private:
  // build_file.cc
  void top(File& file, P::TopItemContext* ctx);
  Play play(P::PlayContext* ctx);
  Procedure procedure(P::ProcedureContext* ctx);
  Module module(P::ModuleContext* ctx);
  GroupNode group_body(P::GroupBodyContext* ctx);
  HostNode host(P::GroupEntryContext* ctx);
  std::string joined(const std::vector<P::HostPartContext*>& parts, Span& span);
  Name host_name(P::HostNameContext* ctx);
  void settings(P::SettingsContext* ctx, std::vector<std::vector<Argument>>& vars,
                std::vector<std::vector<Argument>>& ssh);
  template <class Node>
  void environment(P::EnvironmentContext* ctx, Node& of);

  // build_item.cc, build_decl.cc
  Block block(P::BlockContext* ctx);
  std::optional<Item> item(P::ItemContext* ctx);
  Item statement(P::StatementContext* ctx);
  Item let(P::LetContext* ctx);
  Item shell(P::ShellCallContext* ctx, std::optional<Name> let);
  Item if_else(P::IfElseContext* ctx);
  Item human(P::HumanContext* ctx);
  Item script(P::ScriptContext* ctx);
  std::optional<Item> flow(P::StatementContext* ctx);
  std::optional<Item> small(P::StatementContext* ctx);
  Item declaration(P::StatementContext* ctx);
  ParamDecl parameter(P::ParameterContext* ctx);
  // The name, title and modifiers of a statement with a block.
  struct Heading {
    std::optional<Name> name;
    std::optional<TypeExpr> type;
    std::optional<Expr> title;
    std::vector<Modifier> modifiers;
  };
  Heading heading(P::HeadingContext* ctx);
  std::vector<Modifier> modifiers(P::ModifiersContext* ctx);
  void modifier(antlr4::ParserRuleContext* ctx, P::ExprContext* value, std::vector<Modifier>& out);
  void modifier(P::ModifierContext* ctx, std::vector<Modifier>& out);
  Modifier head_modifier(P::HeadModifierContext* ctx);

  // build_expr.cc
  Expr expr(P::ExprContext* ctx);
  Expr disjunction(P::DisjunctionContext* ctx);
  Expr conjunction(P::ConjunctionContext* ctx);
  Expr negation(P::NegationContext* ctx);
  Expr comparison(P::ComparisonContext* ctx);
  Expr operand(P::OperandContext* ctx);
  Expr primary(P::PrimaryContext* ctx);
  Expr number(antlr4::Token* token);
  Expr measure(antlr4::Token* token);
  Expr call(Expr callee, P::ArgumentsContext* ctx);
  // `a.b.c(args)` from its parts.
  Expr dotted_call(std::vector<Name> path, P::ArgumentsContext* ctx);
  std::vector<Argument> arguments(P::ArgumentsContext* ctx);
  std::vector<Argument> record(P::RecordContext* ctx);
  Argument field(P::FieldContext* ctx);
  TypeExpr type(P::TypeContext* ctx);

  // build_text.cc
  Expr string(P::StringContext* ctx);
  std::optional<Expr> maybe_string(P::StringContext* ctx);
  ShellText script_text(P::ScriptTextContext* ctx);
  std::string escape(antlr4::Token* token);

  // Small ones.
  Span span(const antlr4::Token* token) const {
    return {source_.base + static_cast<std::uint32_t>(token->getStartIndex()),
            source_.base + static_cast<std::uint32_t>(token->getStopIndex())};
  }
  Span span(antlr4::tree::TerminalNode* node) const { return span(node->getSymbol()); }
  Span span(const antlr4::ParserRuleContext* ctx) const {
    const antlr4::Token* stop = ctx->stop == nullptr ? ctx->start : ctx->stop;
    return diag::join(span(ctx->start), span(stop));
  }
  std::string text(Span s) const { return text_.substr(s.begin - source_.base, s.end - s.begin); }
  Name name(Span s) const { return {text(s), s}; }
  Name name(antlr4::tree::TerminalNode* node) const { return name(span(node)); }
  Name name(const antlr4::ParserRuleContext* ctx) const { return name(span(ctx)); }
  template <class Context>
  std::optional<Name> maybe_name(Context* ctx) const {
    return ctx == nullptr ? std::nullopt : std::optional<Name>(name(ctx));
  }

  // Warns of forms of other languages in a text; notes `$name`.
  void look_for_habits(const std::string& text, std::uint32_t at, bool script);

  const diag::SourceMap::Source& source_;
  const std::string& text_;
  diag::Diagnostics& diags_;
  std::vector<ShellText> scripts_;
  std::vector<Name> dollar_names_;
};

}  // namespace cnplay::syntax

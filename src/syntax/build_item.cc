// Statements: blocks, actions, control, modifiers.
#include <utility>

#include "syntax/builder.h"

namespace cnplay::syntax {
namespace {

using L = Builder::P;

}  // namespace

Block Builder::block(P::BlockContext* ctx) {
  Block out;
  out.span = span(ctx);
  out.open = span(ctx->LBRACE());
  for (auto* each : ctx->item()) {
    if (auto built = item(each)) out.items.push_back(std::move(*built));
  }
  return out;
}

std::optional<Item> Builder::item(P::ItemContext* ctx) {
  // What was not understood has been reported; nothing of it is kept.
  if (ctx->exception != nullptr || ctx->statement() == nullptr) return std::nullopt;
  Item out = statement(ctx->statement());
  out.span = span(ctx->statement());
  out.keyword = span(ctx->start);
  if (const auto* check = std::get_if<LetCheck>(&out.node)) out.keyword = check->word.span;
  return out;
}

Item Builder::statement(P::StatementContext* ctx) {
  if (auto* c = ctx->let()) return let(c);
  if (auto* c = ctx->action()) {
    std::vector<Name> path;
    for (auto* part : c->NAME()) path.push_back(name(part));
    return item_of(
        ActionItem{dotted_call(std::move(path), c->arguments()), modifiers(c->modifiers())});
  }
  if (auto* c = ctx->shell()) return shell(c->shellCall(), std::nullopt);
  if (auto flow_item = flow(ctx)) return std::move(*flow_item);
  if (auto small_item = small(ctx)) return std::move(*small_item);
  return declaration(ctx);
}

Item Builder::let(P::LetContext* ctx) {
  auto* target = ctx->target();
  const Name what = target->FIELD() != nullptr ? name(target->FIELD()) : name(target->word());
  if (auto* call = ctx->shellCall()) return shell(call, what);
  if (auto* check = ctx->checkAlone()) {
    if (target->type() != nullptr) {
      diags_.add({diag::Severity::error,
                  "E0019",
                  "a `check` has no type",
                  {span(target->type()), "it is true or false"},
                  {},
                  {},
                  "leave out the type",
                  {{{what.span.end, span(target->type()).end}, ""}}});
    }
    return item_of(
        LetCheck{what, name(check->CHECK()), modifiers(check->modifiers()), block(check->block())});
  }
  Let out;
  out.name = what;
  if (target->type() != nullptr) out.type = type(target->type());
  out.value = value(ctx->value());
  out.modifiers = modifiers(ctx->modifiers());
  return item_of(std::move(out));
}

Item Builder::shell(P::ShellCallContext* ctx, std::optional<Name> let) {
  ShellItem out;
  out.let = std::move(let);
  if (ctx->arguments() != nullptr) out.args = arguments(ctx->arguments());
  const auto texts = ctx->scriptText();
  out.script = script_text(texts[0]);
  if (texts.size() > 1) out.unless = script_text(texts[1]);
  if (texts.size() > 2) {
    diags_.add({diag::Severity::error,
                "E0018",
                "a script has two guards",
                {span(ctx->UNLESS(1)), "the second `unless`"},
                {{span(ctx->UNLESS(0)), "the first one"}},
                {},
                "join them in one script: `unless sh \"first || second\"`"});
  }
  for (auto* each : ctx->modifier()) modifier(each, out.modifiers);
  return item_of(std::move(out));
}

// Statements that hold blocks.
std::optional<Item> Builder::flow(P::StatementContext* ctx) {
  if (auto* c = ctx->step()) {
    Heading head = heading(c->heading());
    return item_of(Step{std::move(head.name), std::move(head.title), std::move(head.modifiers),
                        block(c->block())});
  }
  if (auto* c = ctx->phase()) {
    Heading head = heading(c->heading());
    return item_of(Phase{std::move(head.name), std::move(head.title), std::move(head.modifiers),
                         block(c->block())});
  }
  if (auto* c = ctx->parallel()) {
    return item_of(Parallel{modifiers(c->modifiers()), block(c->block())});
  }
  if (auto* c = ctx->sequence()) return item_of(Sequence{block(c->block())});
  if (auto* c = ctx->forEach()) {
    return item_of(For{name(c->word()), expr(c->expr()), block(c->block())});
  }
  if (auto* c = ctx->ifElse()) return if_else(c);
  if (auto* c = ctx->undo()) {
    if (c->ALL() != nullptr) return item_of(UndoAll{});
    return item_of(Undo{block(c->block())});
  }
  if (auto* c = ctx->onFailure()) {
    OnFailure out;
    if (c->BEFORE() != nullptr) out.side = name(c->BEFORE());
    if (c->AFTER() != nullptr) out.side = name(c->AFTER());
    out.body = block(c->block());
    return item_of(std::move(out));
  }
  if (auto* c = ctx->always()) return item_of(Always{block(c->block())});
  if (auto* c = ctx->handler()) {
    Heading head = heading(c->heading());
    return item_of(Handler{std::move(head.name), std::move(head.title), std::move(head.modifiers),
                           block(c->block())});
  }
  if (auto* c = ctx->rollback()) {
    return item_of(Rollback{name(c->word()), maybe_string(c->string()), modifiers(c->modifiers()),
                            block(c->block())});
  }
  if (auto* c = ctx->human()) return human(c);
  return std::nullopt;
}

Item Builder::if_else(P::IfElseContext* ctx) {
  If out;
  out.condition = expr(ctx->expr());
  out.then = block(ctx->block(0));
  if (auto* otherwise = ctx->block(1)) {
    out.otherwise = block(otherwise);
  } else if (auto* chained = ctx->ifElse()) {  // `else if`: a block with one statement
    Block inner;
    inner.span = span(chained);
    inner.open = span(chained->start);
    Item nested = if_else(chained);
    nested.span = inner.span;
    nested.keyword = inner.open;
    inner.items.push_back(std::move(nested));
    out.otherwise = std::move(inner);
  }
  return item_of(std::move(out));
}

Item Builder::human(P::HumanContext* ctx) {
  Human out;
  out.kind = name(span(ctx->start));
  Heading head = heading(ctx->heading());
  out.name = std::move(head.name);
  out.type = std::move(head.type);
  out.title = std::move(head.title);
  out.modifiers = std::move(head.modifiers);
  if (ctx->block() != nullptr) out.body = block(ctx->block());
  return item_of(std::move(out));
}

Builder::Heading Builder::heading(P::HeadingContext* ctx) {
  Heading out;
  out.name = maybe_name(ctx->label());
  if (ctx->FIELD() != nullptr) {
    out.name = name(ctx->FIELD());
    out.type = type(ctx->type());
  }
  out.title = maybe_string(ctx->string());
  if (auto* first = ctx->knownModifier()) modifier(first, first->expr(), out.modifiers);
  if (auto* rest = ctx->modifiers()) {
    for (auto* each : rest->modifier()) modifier(each, out.modifiers);
  }
  return out;
}

std::vector<Modifier> Builder::modifiers(P::ModifiersContext* ctx) {
  std::vector<Modifier> out;
  for (auto* each : ctx->modifier()) modifier(each, out);
  return out;
}

void Builder::modifier(P::ModifierContext* ctx, std::vector<Modifier>& out) {
  auto* known = ctx->knownModifier();
  if (known == nullptr && ctx->NAME().size() == 2) {  // `even if out`
    Modifier m;
    m.span = span(ctx);
    m.word = {name(span(ctx->NAME(0))).text + " if " + name(span(ctx->NAME(1))).text, m.span};
    out.push_back(std::move(m));
    return;
  }
  modifier(ctx, known != nullptr ? known->expr() : ctx->expr(), out);
}

void Builder::modifier(antlr4::ParserRuleContext* ctx, P::ExprContext* value,
                       std::vector<Modifier>& out) {
  Modifier m;
  m.word = name(span(ctx->start));
  m.span = span(ctx);
  if (value != nullptr) m.values.push_back(expr(value));
  const auto belongs_to = [&](const char* word, const char* before) {
    return m.word.text == word && m.values.size() == 1 && !out.empty() &&
           out.back().word.text == before && out.back().values.size() == 1;
  };
  if (belongs_to("every", "retry") || belongs_to("of", "serial")) {
    out.back().span = diag::join(out.back().span, m.span);
    out.back().values.push_back(std::move(m.values[0]));
    return;
  }
  out.push_back(std::move(m));
}

Modifier Builder::head_modifier(P::HeadModifierContext* ctx) {
  Modifier m;
  m.word = name(ctx->headWord());
  m.span = span(ctx);
  for (auto* each : ctx->expr()) m.values.push_back(expr(each));  // two: `retry 2 every 10s`
  return m;
}

}  // namespace cnplay::syntax

// Statements without a block of their own, and declarations.
#include <utility>

#include "syntax/builder.h"

namespace cnplay::syntax {
namespace {

using L = Builder::P;

}  // namespace

std::optional<Item> Builder::small(P::StatementContext* ctx) {
  if (auto* c = ctx->doCall()) {
    std::vector<Name> path{name(c->word())};
    for (auto* part : c->NAME()) path.push_back(name(part));
    return item_of(Do{dotted_call(std::move(path), c->arguments()), modifiers(c->modifiers())});
  }
  if (auto* c = ctx->waitUntil()) {
    return item_of(WaitUntil{expr(c->expr()), modifiers(c->modifiers())});
  }
  if (auto* c = ctx->assertion()) return item_of(Assert{expr(c->expr()), string(c->string())});
  if (ctx->barrier() != nullptr) return item_of(Barrier{});
  if (auto* c = ctx->pivot()) return item_of(Pivot{maybe_string(c->string())});
  if (auto* c = ctx->hold()) return item_of(Hold{expr(c->expr())});
  if (auto* c = ctx->offer()) return item_of(Offer{name(c->word()), modifiers(c->modifiers())});
  if (auto* c = ctx->notify()) return item_of(Notify{name(c->word())});
  if (ctx->flush() != nullptr) return item_of(Flush{});
  if (auto* c = ctx->tick()) {
    TickItem out;
    out.kind = name(span(c->start));
    if (c->word() != nullptr) out.name = name(c->word());
    if (c->FIELD() != nullptr) {
      out.name = name(c->FIELD());
      out.type = type(c->type());
    }
    out.text = string(c->string());
    return item_of(std::move(out));
  }
  if (auto* c = ctx->deadline()) return item_of(Deadline{expr(c->expr()), name(c->word())});
  if (auto* c = ctx->window()) return item_of(Window{expr(c->expr(0)), expr(c->expr(1))});
  if (auto* c = ctx->report()) return item_of(Report{name(c->word())});
  return std::nullopt;
}

Item Builder::declaration(P::StatementContext* ctx) {
  if (auto* c = ctx->owner()) return item_of(Owner{expr(c->expr())});
  if (auto* c = ctx->hosts()) {
    HostsDecl out{name(c->word()), expr(c->expr(0)), std::nullopt};
    if (c->expr().size() > 1) out.expect = expr(c->expr(1));
    return item_of(std::move(out));
  }
  if (auto* c = ctx->param()) return item_of(parameter(c->parameter()));
  if (auto* c = ctx->hostvar()) {
    HostvarDecl out{name(c->FIELD()), type(c->type()), std::nullopt};
    if (c->value() != nullptr) out.fallback = value(c->value());
    return item_of(std::move(out));
  }
  if (auto* c = ctx->secret()) return item_of(SecretDecl{name(c->word()), expr(c->expr())});
  if (auto* c = ctx->require()) {
    return item_of(Require{expr(c->expr()), maybe_string(c->string())});
  }
  if (auto* c = ctx->lock()) return item_of(Lock{expr(c->expr())});
  if (auto* c = ctx->modeDecl()) return item_of(Mode{name(c->word())});
  if (auto* c = ctx->headModifier()) return item_of(PlayModifier{head_modifier(c)});
  if (auto* c = ctx->environment()) {
    if (c->record() != nullptr) return item_of(Environment{record(c->record())});
    return item_of(SearchPath{expr(c->expr())});
  }
  if (auto* c = ctx->returnsDecl()) {
    Returns out;
    for (auto* each : c->returnsItem()) {
      if (each->exception != nullptr) continue;
      out.fields.emplace_back(name(each->FIELD()), type(each->type()));
    }
    return item_of(std::move(out));
  }
  if (auto* c = ctx->clause()) {
    Clause out;
    out.word = name(span(c->start));
    for (auto* each : c->expr()) out.values.push_back(expr(each));
    return item_of(std::move(out));
  }
  return script(ctx->script());
}

Item Builder::script(P::ScriptContext* ctx) {
  ScriptClause out;
  out.word = name(span(ctx->start));
  if (ctx->scriptText() != nullptr) out.script = script_text(ctx->scriptText());
  return item_of(std::move(out));
}

ParamDecl Builder::parameter(P::ParameterContext* ctx) {
  ParamDecl out;
  out.name = name(ctx->FIELD());
  out.type = type(ctx->type());
  if (ctx->value() != nullptr) out.fallback = value(ctx->value());
  if (auto* tail = ctx->parameterTail()) {
    out.doc = maybe_string(tail->string());
    if (auto* where = tail->where()) {
      out.where = Where{expr(where->expr()), maybe_string(where->string())};
    }
  }
  return out;
}

}  // namespace cnplay::syntax

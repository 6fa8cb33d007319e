// Files: plays, procedures, modules, inventories.
#include <utility>

#include "syntax/builder.h"

namespace cnplay::syntax {

File Builder::file(P::FileContext* ctx) {
  File out;
  const auto end = static_cast<std::uint32_t>(text_.size());
  out.span = {source_.base, source_.base + end};
  for (auto* each : ctx->topItem()) {
    if (each->exception == nullptr) top(out, each);
  }
  out.scripts = std::move(scripts_);
  out.dollar_names = std::move(dollar_names_);
  return out;
}

void Builder::top(File& file, P::TopItemContext* ctx) {
  if (auto* c = ctx->use()) {
    file.uses.push_back({string(c->string()), name(c->word()), span(c)});
  } else if (auto* c = ctx->play()) {
    file.plays.push_back(play(c));
  } else if (auto* c = ctx->procedure()) {
    file.procedures.push_back(procedure(c));
  } else if (auto* c = ctx->module()) {
    file.modules.push_back(module(c));
  } else if (auto* c = ctx->inventory()) {
    InventoryNode out;
    out.name = host_name(c->hostName());
    out.all = group_body(c->groupBody());
    out.all.name = {"all", out.name.span};
    out.span = span(c);
    file.inventories.push_back(std::move(out));
  }
}

Play Builder::play(P::PlayContext* ctx) {
  return {name(ctx->word()), maybe_string(ctx->string()), block(ctx->block()), span(ctx)};
}

Procedure Builder::procedure(P::ProcedureContext* ctx) {
  Procedure out;
  out.name = name(ctx->word());
  for (auto* each : ctx->parameter()) out.params.push_back(parameter(each));
  out.body = block(ctx->block());
  out.span = span(ctx);
  return out;
}

Module Builder::module(P::ModuleContext* ctx) {
  Module out;
  out.name = ctx->SH() != nullptr ? name(ctx->SH()) : name(ctx->word());
  for (auto* part : ctx->NAME()) {
    out.name.text += "." + text(span(part));
    out.name.span = diag::join(out.name.span, span(part));
  }
  out.title = maybe_string(ctx->string());
  out.body = block(ctx->block());
  out.span = span(ctx);
  return out;
}

void Builder::settings(P::SettingsContext* ctx, std::vector<std::vector<Argument>>& vars,
                       std::vector<std::vector<Argument>>& ssh) {
  (ctx->VARS() != nullptr ? vars : ssh).push_back(record(ctx->record()));
}

// `env` and `path` of a group or a host.
template <class Node>
void Builder::environment(P::EnvironmentContext* ctx, Node& of) {
  if (ctx->record() != nullptr) {
    of.environment.push_back({record(ctx->record())});
  } else {
    of.search_path.push_back({expr(ctx->expr())});
  }
}

GroupNode Builder::group_body(P::GroupBodyContext* ctx) {
  GroupNode out;
  out.span = span(ctx);
  for (auto* each : ctx->groupItem()) {
    auto* entry = each->groupEntry();
    if (each->exception != nullptr || entry == nullptr) continue;
    if (auto* c = entry->settings()) {
      settings(c, out.vars, out.ssh);
    } else if (auto* c = entry->environment()) {
      environment(c, out);
    } else if (entry->NOTIFY() != nullptr) {
      out.notify.push_back({span(entry->NOTIFY()), record(entry->record())});
    } else if (entry->HOST() != nullptr) {
      out.hosts.push_back(host(entry));
    } else if (entry->GROUP() != nullptr) {
      GroupNode group = group_body(entry->groupBody());
      group.name = host_name(entry->hostName(0));
      group.span = span(entry);
      out.groups.push_back(std::move(group));
    } else {
      for (auto* member : entry->hostName()) out.members.push_back(host_name(member));
    }
  }
  return out;
}

// The parts of a host's name (`web`, `-`, `1`, `.example`), which must touch each other.
std::string Builder::joined(const std::vector<P::HostPartContext*>& parts, Span& place) {
  std::string out;
  for (auto* part : parts) {
    const Span here = span(part);
    if (place.known() && place.end != here.begin && here.begin > place.end) {
      diags_.error("E0017", "a space inside a host's name", {{place.end, here.begin}, "this space"},
                   "write the name in one piece; several names are separated by commas");
    }
    out += text(here);
    place = diag::join(place, here);
  }
  return out;
}

Name Builder::host_name(P::HostNameContext* ctx) {
  Name out;
  if (auto* quoted = ctx->string()) {
    const Expr literal = string(quoted);
    out.span = literal.span;
    for (const auto& part : std::get<StringLit>(literal.node).parts) {
      if (part.expr != nullptr) {
        diags_.error("E0017", "the name of a host or group holds an interpolation",
                     {part.span, "names are fixed"}, "write the name as it is");
      }
      out.text += part.text;
    }
    return out;
  }
  out.text = joined(ctx->hostPart(), out.span);
  return out;
}

HostNode Builder::host(P::GroupEntryContext* ctx) {
  HostNode out;
  out.span = span(ctx);
  auto* pattern = ctx->hostPattern();
  if (auto* quoted = pattern->string()) {
    const Expr literal = string(quoted);
    out.pattern.span = literal.span;
    for (const auto& part : std::get<StringLit>(literal.node).parts) {
      if (part.expr != nullptr) {
        diags_.error("E0017", "the name of a host holds an interpolation",
                     {part.span, "names are fixed"},
                     "write the name as it is, or a range: web[1..3]");
      }
      out.pattern.text += part.text;
    }
    out.pattern_span = literal.span;
  } else {
    auto* range = pattern->hostRange();
    std::vector<P::HostPartContext*> before, after;
    for (auto* part : pattern->hostPart()) {
      const bool behind =
          range != nullptr && part->start->getStartIndex() > range->start->getStartIndex();
      (behind ? after : before).push_back(part);
    }
    out.pattern.text = joined(before, out.pattern.span);
    out.pattern_span = out.pattern.span;
    if (range != nullptr) {
      out.range.emplace(text(span(range->hostBound(0))), text(span(range->hostBound(1))));
      if (span(range).begin != out.pattern_span.end) {
        diags_.error("E0017", "a space inside a host's name",
                     {{out.pattern_span.end, span(range).begin}, "this space"},
                     "write the range directly after the name: web[1..3]");
      }
      out.pattern_span = diag::join(out.pattern_span, span(range));
    }
    out.suffix = joined(after, out.pattern_span);
  }
  if (auto* body = ctx->hostBody()) {
    for (auto* each : body->hostItem()) {
      if (each->exception != nullptr) continue;
      if (auto* c = each->settings()) {
        settings(c, out.vars, out.ssh);
      } else if (auto* c = each->environment()) {
        environment(c, out);
      } else if (auto* c = each->field()) {
        out.fields.push_back(field(c));
      }
    }
  }
  return out;
}

}  // namespace cnplay::syntax

#include "compile/modifiers.h"

#include <algorithm>
#include <set>

#include "diag/habits.h"

namespace cnplay::compile {

const ModifierPlace kStepPlace{"a step",
                               {"on", "once", "serial", "when", "as", "timeout", "retry", "expect",
                                "tolerate", "tags", "notify", "testing", "even if out"}};
const ModifierPlace kPhasePlace{
    "a phase", {"when", "outage", "expect", "budget", "serial", "tolerate", "tags"}};
const ModifierPlace kDoPlace{"a `do`", {"tags"}};
const ModifierPlace kActionPlace{"an action", {"as", "when", "notify"}};
const ModifierPlace kUndoActionPlace{"an action of an undo", {"as", "when"}};
const ModifierPlace kCheckActionPlace{"a module in a `check`", {"as", "when"}};
const ModifierPlace kWaitPlace{"a wait", {"when", "late_by"}};
const ModifierPlace kCheckPlace{"a `check`",
                                {"on", "as", "timeout", "retry", "expect", "tolerate", "tags"}};
const ModifierPlace kHandlerPlace{"a handler", {"on", "when", "as", "timeout", "retry", "expect"}};
const ModifierPlace kManualPlace{"a manual step",
                                 {"when", "by", "timeout", "expect", "tags", "testing"}};
const ModifierPlace kApprovePlace{
    "an approval", {"when", "by", "count", "timeout", "default", "expect", "tags", "testing"}};
const ModifierPlace kAskPlace{"a question",
                              {"when", "by", "timeout", "default", "expect", "tags", "testing"}};
const ModifierPlace kOfferPlace{"an `offer`", {"by", "count", "timeout", "default"}};
const ModifierPlace kOffersPlace{"a choice of rollbacks", {"by", "timeout", "default"}};
const ModifierPlace kRollbackPlace{"a rollback", {"tolerate"}};
const ModifierPlace kPlayPlace{"a play", {"tolerate"}};
const ModifierPlace kPlainPlace{"this", {}};

namespace {

const std::vector<std::string> kKnownWords = {
    "on",       "once",     "serial",   "when",   "as",         "timeout", "retry",
    "every",    "expect",   "tolerate", "notify", "outage",     "budget",  "late_by",
    "tags",     "via",      "with",     "by",     "default",    "count",   "within",
    "resource", "parallel", "testing",  "of",     "even if out"};

bool takes_no_value(std::string_view word) {
  return word == "once" || word == "outage" || word == "testing" || word == "even if out";
}

bool is_unit(std::string_view word) {
  static constexpr std::string_view kUnits[] = {"ms", "s", "m", "h", "d", "w", "KiB", "MiB", "GiB"};
  return std::ranges::find(kUnits, word) != std::end(kUnits);
}

std::string value_example(std::string_view word) {
  if (word == "retry") return "`retry 3 every 10s`";
  if (word == "on") return "`on web`";
  if (word == "serial") return "`serial 1`, `serial 25%` or `serial [1, 10%, 50%]`";
  if (word == "tolerate") return "`tolerate 1`, `tolerate 10%`, `tolerate none` or `tolerate all`";
  if (word == "by") return "`by [\"ann\", \"@ops\"]`";
  if (word == "count") return "`count 2`";
  if (word == "default") return "`default refuse`, or the answer that is taken";
  if (word == "tags") return "`tags [\"web\", \"code\"]`";
  if (word == "as") return "`as root`";
  if (word == "when") return "`when code.moved.before != \"\"`";
  if (word == "notify") return "`notify reload`";
  return "`" + std::string(word) + " 10m`";
}

}  // namespace

Modifiers::Modifiers(Context& context, const std::vector<syntax::Modifier>& written,
                     const ModifierPlace& place) {
  for (std::size_t i = 0; i < written.size(); ++i) {
    const syntax::Modifier& modifier = written[i];
    const std::string& word = modifier.word.text;
    if (std::ranges::find(place.allowed, word) == place.allowed.end()) {
      refuse(context, modifier, place, i == 0 ? nullptr : &written[i - 1]);
      continue;
    }
    const std::size_t values = modifier.values.size();
    if (takes_no_value(word) ? values != 0 : values == 0) {
      faulty_ = true;
      context.error(
          "E0506",
          takes_no_value(word) ? code(word) + " takes no value" : code(word) + " needs a value",
          takes_no_value(word) ? modifier.values[0].span : modifier.word.span,
          takes_no_value(word) ? "not expected" : "of what?",
          takes_no_value(word) ? "write `" + word + "` alone" : "write " + value_example(word));
      continue;
    }
    if (word == "notify") {
      notifies_.push_back(&modifier);
      continue;
    }
    const auto [at, fresh] = known_.emplace(word, &modifier);
    if (!fresh) {
      context.error_with("E0504", code(word) + " is written twice", modifier.span, "again here",
                         at->second->span, "first here", "keep one of the two");
    }
  }
}

void Modifiers::refuse(Context& context, const syntax::Modifier& modifier,
                       const ModifierPlace& place, const syntax::Modifier* before) {
  faulty_ = true;
  const std::string& word = modifier.word.text;
  const Span at = modifier.word.span;
  if (word == "via") {
    context.error("E0907", "`via` at a step is not supported yet", at, "cannot be carried out yet",
                  "say in the inventory how the hosts are reached: `ssh { jump: \"gate\" }`");
    return;
  }
  if (word == "with") {
    context.error("E0909", "`as` through anything but sudo is not supported yet", at,
                  "cannot be carried out yet", "let the login user use sudo, and leave out `with`");
    return;
  }
  const std::vector<std::string> allowed(place.allowed.begin(), place.allowed.end());
  const std::string list =
      allowed.empty() ? "" : std::string(place.name) + " takes " + enumerate(allowed);
  if (std::ranges::find(kKnownWords, word) == kKnownWords.end()) {
    diag::Diagnostic d;
    d.code = "E0503";
    d.summary = "unknown modifier " + code(word);
    d.subject = {at, "not a modifier"};
    const std::string near = diag::did_you_mean(word, allowed);
    const std::string habit = diag::keyword_habit(word);
    d.help = !habit.empty() ? habit : near.empty() ? list : "did you mean " + code(near) + "?";
    // `timeout 10 s`: a number and its unit are one word.
    if (before != nullptr && !before->values.empty() && is_unit(word)) {
      const Span number = before->values.back().span;
      const std::string written = context.text(number) + word;
      if (std::holds_alternative<syntax::IntLit>(before->values.back().node)) {
        d.help = "write " + code(written) + ", without a space";
        d.edits = {{{number.begin, at.end}, written}};
      }
    }
    context.diags.add(std::move(d));
    return;
  }
  std::string help = list;
  if (word == "every") help = "write it after `retry N`: `retry 3 every 10s`";
  if (word == "of") help = "write it after `serial N`, at a phase: `serial 1 of web`";
  if (word == "on" && place.name == "a phase")
    help = "say it at each step: `step NAME on web { ... }`";
  if (word == "tags") help = "say it at a step, a phase or a `do`";
  if ((word == "timeout" || word == "retry") && place.name == "an action") {
    help = "say it at the step: it holds for all of its actions";
  }
  context.error("E0505", code(word) + " makes no sense at " + std::string(place.name), at,
                "not here", std::move(help));
}

const syntax::Modifier* Modifiers::find(std::string_view word) const {
  const auto at = known_.find(word);
  return at == known_.end() ? nullptr : at->second;
}

std::uint32_t Tolerance::of(std::size_t hosts, bool with_local) const {
  const auto all = static_cast<std::int64_t>(hosts);
  switch (kind) {
    case Kind::all:
      return static_cast<std::uint32_t>(all);
    case Kind::percent:
      return static_cast<std::uint32_t>((all - (with_local ? 1 : 0)) * amount / 100);
    default:
      return static_cast<std::uint32_t>(std::min(amount, all));
  }
}

namespace {

bool refuse_number(Evaluator& evaluator, std::string_view word, Span at, std::string label,
                   std::string help) {
  evaluator.context().error("E0506", code(word) + " cannot have this value", at, std::move(label),
                            std::move(help));
  return false;
}

Purpose purpose_of(const syntax::Modifier& modifier) {
  return {code(modifier.word.text), "a fact can steer `when` only"};
}

}  // namespace

std::optional<Duration> duration_of(Evaluator& evaluator, const syntax::Modifier* modifier) {
  if (!modifier) return std::nullopt;
  const syntax::Expr& expr = modifier->values[0];
  const auto value = evaluator.constant(expr, simple(Kind::duration), purpose_of(*modifier));
  if (!value) return std::nullopt;
  const Duration d = *value->as<Duration>();
  if (d <= Duration(0)) {
    refuse_number(evaluator, modifier->word.text, expr.span, "not longer than zero",
                  "write " + value_example(modifier->word.text));
    return std::nullopt;
  }
  return d;
}

std::optional<plan::Retry> retry_of(Evaluator& evaluator, const syntax::Modifier* modifier) {
  if (!modifier) return std::nullopt;
  plan::Retry retry;
  const syntax::Expr& number = modifier->values[0];
  const auto times = evaluator.constant(number, simple(Kind::int_), purpose_of(*modifier));
  if (times) {
    const std::int64_t n = *times->as<std::int64_t>();
    if (n < 1 || n > 1'000'000) {
      refuse_number(evaluator, "retry", number.span, "not a number of further attempts",
                    "write at least 1, or leave `retry` out");
      return std::nullopt;
    }
    retry.times = static_cast<std::uint32_t>(n);
  }
  if (modifier->values.size() > 1) {
    const syntax::Expr& pause = modifier->values[1];
    const auto every =
        evaluator.constant(pause, simple(Kind::duration), {"`every`", "write a duration"});
    if (!every) return std::nullopt;
    retry.every = *every->as<Duration>();
    if (retry.every < Duration(0)) {
      refuse_number(evaluator, "every", pause.span, "a pause is not negative", "write `every 10s`");
      return std::nullopt;
    }
  }
  return times ? std::optional(retry) : std::nullopt;
}

namespace {

// `3` or `25%`, where a modifier takes a number of hosts.
struct HostNumber {
  bool percent = false;
  std::int64_t n = 0;
};

std::optional<HostNumber> host_number(Evaluator& evaluator, const syntax::Modifier& modifier,
                                      const syntax::Expr& expr, std::int64_t least,
                                      const char* otherwise) {
  const Evaluated value = evaluator.check(expr);
  if (value.poison()) return std::nullopt;
  const std::string example = "write " + value_example(modifier.word.text);
  const bool percent = is(value.type, Kind::percent);
  if (!percent && !is(value.type, Kind::int_)) {
    evaluator.context().error("E0203",
                              "expected a number of hosts, found " + with_article(value.type),
                              expr.span, with_article(value.type), example);
    return std::nullopt;
  }
  const auto constant = evaluator.constant(value, expr.span, purpose_of(modifier));
  if (!constant) return std::nullopt;
  const std::int64_t n = percent ? constant->as<Percent>()->value : *constant->as<std::int64_t>();
  if (n < least || (percent && n > 100)) {
    refuse_number(evaluator, modifier.word.text, expr.span, otherwise, example);
    return std::nullopt;
  }
  return HostNumber{percent, n};
}

}  // namespace

std::optional<Tolerance> tolerance_of(Evaluator& evaluator, const syntax::Modifier* modifier) {
  if (!modifier) return std::nullopt;
  const syntax::Expr& expr = modifier->values[0];
  if (std::holds_alternative<syntax::NoneLit>(expr.node)) return Tolerance{};
  const auto* ref = std::get_if<syntax::NameRef>(&expr.node);
  if (ref && ref->name.text == "all" && !evaluator.scope->find("all")) {
    return Tolerance{Tolerance::Kind::all, 0};
  }
  const auto number = host_number(evaluator, *modifier, expr, 0, "not a number of hosts");
  if (!number) return std::nullopt;
  return Tolerance{number->percent ? Tolerance::Kind::percent : Tolerance::Kind::count, number->n};
}

std::vector<std::vector<HostIndex>> batches_of(Evaluator& evaluator,
                                               const syntax::Modifier& modifier,
                                               const std::vector<HostIndex>& hosts,
                                               std::vector<std::vector<HostIndex>> begun) {
  const syntax::Expr& expr = modifier.values[0];
  const auto* list = std::get_if<syntax::ListLit>(&expr.node);
  std::vector<std::size_t> sizes;
  const auto add = [&](const syntax::Expr& size) {
    const auto number = host_number(evaluator, modifier, size, 1, "not a batch size");
    if (!number) return;
    const auto n = static_cast<std::size_t>(number->n);
    // Never more than the percentage says, but one host at least.
    sizes.push_back(number->percent ? std::max<std::size_t>(1, hosts.size() * n / 100) : n);
  };
  if (list != nullptr) {
    for (const auto& item : list->items) add(item);
    if (list->items.empty()) {
      refuse_number(evaluator, "serial", expr.span, "not a batch size",
                    "write " + value_example("serial"));
    }
  } else {
    add(expr);
  }
  if (sizes.empty()) sizes.push_back(hosts.size());  // refused: the steps are still checked
  std::set<HostIndex> taken;
  for (const auto& batch : begun) taken.insert(batch.begin(), batch.end());
  std::vector<HostIndex> rest = hosts;
  std::erase_if(rest, [&](HostIndex h) { return taken.contains(h); });
  std::vector<std::vector<HostIndex>> out = std::move(begun);
  for (std::size_t begin = 0; begin < rest.size();) {
    const std::size_t size = sizes[std::min(out.size(), sizes.size() - 1)];
    const std::size_t end = begin + std::min(size, rest.size() - begin);
    out.emplace_back(rest.begin() + static_cast<std::ptrdiff_t>(begin),
                     rest.begin() + static_cast<std::ptrdiff_t>(end));
    begin = end;
  }
  return out;
}

std::vector<std::string> tags_of(Evaluator& evaluator, const syntax::Modifier* modifier) {
  std::vector<std::string> tags;
  if (!modifier) return tags;
  const syntax::Expr& expr = modifier->values[0];
  const auto value = evaluator.constant(expr, list_of(simple(Kind::string)),
                                        {"`tags`", "what is chosen must be known before the run"});
  if (!value) return tags;
  for (const auto& item : *value->as<plan::List>()) {
    const std::string& tag = *item.as<std::string>();
    const bool good = !tag.empty() && std::ranges::all_of(tag, [](unsigned char c) {
      return std::isalnum(c) || c == '_' || c == '-' || c == '.';
    });
    if (!good) {
      refuse_number(evaluator, "tags", expr.span, "\"" + tag + "\" is not a valid tag",
                    "use letters, digits, `_`, `-` and `.`: " + value_example("tags"));
      return {};
    }
    tags.push_back(tag);
  }
  if (tags.empty()) {
    refuse_number(evaluator, "tags", expr.span, "no tag", "write " + value_example("tags"));
  }
  return tags;
}

std::optional<std::string> user_of(Evaluator& evaluator, const syntax::Modifier* modifier) {
  if (!modifier) return std::nullopt;
  const syntax::Expr& expr = modifier->values[0];
  const auto* ref = std::get_if<syntax::NameRef>(&expr.node);
  std::string user;
  if (ref && !evaluator.scope->find(ref->name.text)) {
    user = ref->name.text;
  } else {
    const auto text = evaluator.constant_text(expr, {"the user of `as`", "write the user's name"});
    if (!text) return std::nullopt;
    user = *text;
  }
  if (modifier->values.size() > 1) {
    evaluator.context().error("E0909", "`as` through anything but sudo is not supported yet",
                              modifier->values[1].span, "cannot be carried out yet",
                              "let the login user use sudo, and leave out `with`");
  }
  const bool good =
      !user.empty() && user[0] != '-' && std::ranges::all_of(user, [](unsigned char c) {
        return std::isalnum(c) || c == '_' || c == '-' || c == '.';
      });
  if (!good) {
    refuse_number(evaluator, "as", expr.span, "not a user name", "write `as root`");
    return std::nullopt;
  }
  return user;
}

}  // namespace cnplay::compile

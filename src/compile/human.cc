// Human steps: what people are asked, who may answer, and what their answers are to later steps.
#include <algorithm>
#include <set>

#include "compile/builder.h"

namespace cnplay::compile {

using plan::HumanKind;
using plan::NodeKind;

namespace {

constexpr std::int64_t kMostPeople = 100;

HumanKind kind_of(const syntax::Human& node) {
  if (node.kind.text == "approve") return HumanKind::approve;
  return node.kind.text == "ask" ? HumanKind::ask : HumanKind::manual;
}

const ModifierPlace& place_of(HumanKind kind) {
  return kind == HumanKind::manual    ? kManualPlace
         : kind == HumanKind::approve ? kApprovePlace
                                      : kAskPlace;
}

std::optional<plan::FactType> typed_in(const TypePtr& type) {
  switch (type->kind) {
    case Kind::string:
    case Kind::enum_:
      return plan::FactType::string;
    case Kind::int_:
      return plan::FactType::int_;
    case Kind::bool_:
      return plan::FactType::bool_;
    case Kind::path:
      return plan::FactType::path;
    case Kind::duration:
      return plan::FactType::duration;
    case Kind::size:
      return plan::FactType::size;
    case Kind::time:
      return plan::FactType::time;
    default:
      return std::nullopt;
  }
}

bool is_user_name(std::string_view name) {
  if (name.starts_with('@')) name.remove_prefix(1);
  return !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
    return std::isalnum(c) || c == '_' || c == '-' || c == '.';
  });
}

}  // namespace

// A text that people are shown. It may hold facts, never a secret.
std::optional<plan::Value> Builder::human_text(const syntax::Expr& text, const std::string& kind) {
  const Evaluated value = evaluator_.check(text, nullptr);
  if (value.poison()) return std::nullopt;
  if (evaluator_.refuse_secret(value, text.span, kind + " texts are shown and recorded",
                               "say where it is instead: \"stored at prod/django_secret\"")) {
    return std::nullopt;
  }
  return evaluator_.single(text, simple(Kind::string), {"what people are shown", ""});
}

std::vector<std::string> Builder::people(const syntax::Modifier* modifier) {
  std::vector<std::string> by;
  if (!modifier) return by;
  const syntax::Expr& expr = modifier->values[0];
  const Purpose purpose{"`by`", "who may answer must be known before the run"};
  const bool one = std::holds_alternative<syntax::StringLit>(expr.node);
  const auto value = evaluator_.constant(
      expr, one ? simple(Kind::string) : list_of(simple(Kind::string)), purpose);
  if (!value) return by;
  if (const auto* name = value->as<std::string>()) by.push_back(*name);
  if (const auto* list = value->as<plan::List>()) {
    for (const auto& item : *list) by.push_back(*item.as<std::string>());
  }
  const std::set<std::string> different(by.begin(), by.end());
  if (by.empty() || different.size() != by.size()) {
    context_.error("E0525", by.empty() ? "`by` names nobody" : "`by` names somebody twice",
                   expr.span, by.empty() ? "nobody could ever answer" : "each once",
                   "name users of the controller, or groups of them: `by [\"ann\", \"@ops\"]`");
  }
  for (const std::string& name : by) {
    if (is_user_name(name)) continue;
    context_.error("E0525", code(name) + " is not a valid user name", expr.span,
                   "cannot be somebody who runs cnplay",
                   "name users of the controller, or groups of them: `by [\"ann\", \"@ops\"]`");
  }
  return by;
}

std::optional<plan::Question> Builder::question(const syntax::Name& name,
                                                const std::optional<syntax::TypeExpr>& written,
                                                TypePtr& type) {
  plan::Question question;
  question.name = name.text;
  type = written ? evaluator_.type(*written) : simple(Kind::string);
  if (is_poison(type)) return std::nullopt;
  const auto fact = typed_in(type);
  if (!fact) {
    const bool secret = holds_secret(type);
    context_.error(
        "E0524",
        secret ? "a secret is not asked for here" : with_article(type) + " is not typed in here",
        written->span, secret ? "what people answer is recorded" : "not a single plain value",
        secret ? "write `secret " + name.text + " = ask(\"...\")` at the head of the play"
               : "ask for string, int, bool, duration, time, size, path or enum(...)");
    return std::nullopt;
  }
  question.type = *fact;
  if (is(type, Kind::enum_)) question.choices = type->alternatives;
  return question;
}

// The items and the evidence of a `manual`.
void Builder::manual_items(const syntax::Human& node, const syntax::Block& block,
                           plan::Human& human, AskedFor& names) {
  for (const auto& item : block.items) {
    if (const auto* loop = std::get_if<syntax::For>(&item.node)) {
      Position turn = *here_;
      for_each(*loop, turn, [&](Position&) { manual_items(node, loop->body, human, names); });
      continue;
    }
    const auto* tick = std::get_if<syntax::TickItem>(&item.node);
    if (!tick) {
      context_.error("E0502",
                     code(context_.text(item.keyword)) + " is not allowed in " +
                         (node.kind.text == "manual" ? "a manual step" : code(node.kind.text)),
                     item.keyword, "not here",
                     "people tick an `item \"...\"`, and write down `evidence NAME \"...\"`");
      continue;
    }
    const auto text = human_text(tick->text, node.kind.text);
    if (human.kind != HumanKind::manual) {
      context_.error("E0502", code(tick->kind.text) + " is not allowed in " + code(node.kind.text),
                     item.keyword, "not here",
                     "it belongs in a `manual`; say it in the title here");
      continue;
    }
    if (tick->kind.text == "item") {
      if (tick->name) {
        context_.error("E0524", "an `item` has no name", tick->name->span,
                       "it is ticked, not typed",
                       "write `item \"...\"`, or `evidence " + tick->name->text +
                           ": string \"...\"` for a value that a person types");
      } else if (text) {
        human.items.push_back(*text);
      }
      continue;
    }
    if (!tick->name) {
      context_.error("E0523", "this evidence has no name", item.keyword, "has no name",
                     "write `evidence NAME: string \"...\"`");
      continue;
    }
    const auto [first, fresh] = names.emplace(tick->name->text, tick->name->span);
    if (!fresh) {
      context_.error_with("E0104", code(tick->name->text) + " is asked for twice", tick->name->span,
                          "again here", first->second, "first here", "give each a name of its own");
      continue;
    }
    TypePtr type;
    auto asked = question(*tick->name, tick->type, type);
    if (!asked || !text) continue;
    asked->text = *text;
    human.questions.push_back(*std::move(asked));
  }
}

// nullptr: there is no `default`. Without a time it is never taken, and that is reported.
const syntax::Expr* Builder::default_of(const Modifiers& modifiers) {
  const syntax::Modifier* modifier = modifiers.find("default");
  if (!modifier) return nullptr;
  if (!modifiers.has("timeout")) {
    context_.error("E0525", "`default` without a `timeout`", modifier->span,
                   "without a timeout it never applies", "say when it is taken: `timeout 2h`");
  }
  return &modifier->values[0];
}

// What holds when the time is over.
void Builder::human_default(const std::string& word, const Modifiers& modifiers,
                            const TypePtr& type, plan::Human& human) {
  const syntax::Expr* given = default_of(modifiers);
  if (given == nullptr) return;
  const syntax::Expr& expr = *given;
  if (human.kind == HumanKind::approve) {
    const auto* ref = std::get_if<syntax::NameRef>(&expr.node);
    const std::string said = ref ? ref->name.text : "";
    if (said == "approve" || said == "refuse") {
      human.fallback = plan::Value(said == "approve");
    } else {
      context_.error("E0525", "not an answer to " + code(word), expr.span,
                     "neither `approve` nor `refuse`",
                     "write `default refuse` or `default approve`");
    }
    return;
  }
  if (is_poison(type)) return;
  const auto value =
      evaluator_.constant(expr, type, {"a default", "a default must be known before the run"});
  if (value) human.fallback = *value;
}

// How many different people must say yes.
void Builder::people_count(const syntax::Modifier* count, plan::Human& human) {
  if (!count) return;
  const syntax::Expr& expr = count->values[0];
  const auto value = evaluator_.constant(expr, simple(Kind::int_), {"`count`", ""});
  const std::int64_t n = value ? *value->as<std::int64_t>() : 1;
  const bool groups = std::ranges::any_of(human.by, [](auto& b) { return b.starts_with('@'); });
  const auto most =
      human.by.empty() || groups ? kMostPeople : static_cast<std::int64_t>(human.by.size());
  if (n < 1 || n > most) {
    context_.error("E0525", "`count` cannot be " + std::to_string(n), expr.span,
                   n < 1             ? "nobody is asked"
                   : n > kMostPeople ? "too many people"
                                     : "`by` names " + std::to_string(human.by.size()),
                   "name as many people as must answer, or more");
  } else {
    human.count = static_cast<std::uint32_t>(n);
  }
}

void Builder::human(const syntax::Human& node, const syntax::Item& item, const Position& position) {
  const std::string& word = node.kind.text;
  plan::Human human;
  human.kind = kind_of(node);
  const Modifiers modifiers(context_, node.modifiers, place_of(human.kind));
  std::string title;
  if (node.title && human_text(*node.title, word)) title = title_of(node.title, "a human step");
  AskedFor asked;
  if (node.body) manual_items(node, *node.body, human, asked);
  const bool has_items = node.body && !node.body->items.empty();
  if (!node.title && !(human.kind == HumanKind::manual && has_items)) {
    context_.error("E0523", code(word) + " does not say what it is about", item.keyword,
                   human.kind == HumanKind::manual ? "what is to be done?" : "what is asked?",
                   "write it as a sentence: `" + word + " " +
                       (human.kind == HumanKind::ask ? "NAME: int" : "NAME") + " \"...\"`");
  }
  TypePtr type = simple(Kind::poison);
  if (human.kind == HumanKind::ask) {
    if (!node.name || !node.type) {
      context_.error(
          "E0523", "the answer has no " + std::string(node.name ? "type" : "name"),
          node.name ? node.name->span : item.keyword, "what is it called in later steps?",
          "write `ask NAME: TYPE \"...\"`, such as `ask outage: duration \"How long?\"`");
    } else if (auto asked = question(*node.name, node.type, type)) {
      human.questions.push_back(*std::move(asked));
    }
  } else if (node.type) {
    context_.error("E0524", code(word) + " has no value", node.type->span, "a type of nothing",
                   "leave the type out, or write `ask`");
  }
  human.by = people(modifiers.find("by"));
  people_count(modifiers.find("count"), human);
  human_default(word, modifiers, type, human);
  const auto timeout = duration_of(evaluator_, modifiers.find("timeout"));
  const auto expect = duration_of(evaluator_, modifiers.find("expect"));
  const auto when = one_condition(modifiers, "whether people are asked");

  const std::string base =
      node.name ? claim_path(position.prefix, node.name->text + position.key, node.name->span, word)
                : unique_path(position.prefix, word + position.key);
  plan::Node& made = add_node(NodeKind::human, base, item.keyword, tagged(position, modifiers));
  if (node.name) spans_.back() = node.name->span;
  if (!title.empty()) made.title = title;
  made.timeout = timeout;
  made.expect = expect;
  made.testing = modifiers.has("testing");
  if (when) made.when = plan::Column(*when);
  made.human = human;
  made.made_from.assign(position.about.begin(), position.about.end());
  position.flow->add_barrier(made);
  if (node.name) remember_answers(node, *made.human, made.id, type, position);
}

// Later steps read them under the step's name.
void Builder::remember_answers(const syntax::Human& node, const plan::Human& human, plan::NodeId id,
                               const TypePtr& type, const Position& position) {
  const syntax::Name& name = *node.name;
  if (const Variable* taken = scope_->find(name.text)) {
    context_.error_with("E0104", code(name.text) + " is declared twice", name.span, "again here",
                        taken->declared, "first declared here",
                        "a name means one thing: choose another one");
    return;
  }
  Evaluated answers;
  answers.depends.fact = true;
  if (human.kind == HumanKind::ask) {
    answers.type = type;
    if (!is_poison(type)) answers.values = Values(context_.fact(id, 0, name.text, {}));
  } else {
    auto facts = std::make_shared<ActionFacts>();
    facts->label = name.text;
    facts->declared = name.span;
    facts->people = true;
    facts->copies.push_back({id, 0, {}});
    for (const plan::Question& q : human.questions) facts->facts.push_back({q.name, q.type});
    answers.type = simple(Kind::facts);
    answers.facts = std::move(facts);
  }
  StepRecord record;
  record.name = name.text;
  record.iteration = position.iteration;
  record.turns = position.turns;
  record.branches = position.branches;
  if (position.batch != nullptr) record.batch = position.batch->id;
  record.declared = name.span;
  record.answers = std::move(answers);
  frame_->add(std::move(record));
}

}  // namespace cnplay::compile

#include "plan/eval.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "base/words.h"
#include "plan/operators.h"

namespace cnplay::plan {
namespace {

// Deeper than any source nests, as deep as a plan may be read back (json.cc), and shallow enough
// for the stack of a sanitized build.
constexpr int kDeepest = 1000;

Error wrong_operands(const char* what, const Value& got) {
  return fail(std::string(what) + ", got " + type_name(got));
}

Result<Value> compare(Op op, const Value& a, const Value& b) {
  if (op == Op::eq) return Value(a == b);
  if (op == Op::ne) return Value(a != b);
  if (a.data.index() != b.data.index()) {
    return fail(std::string(type_name(a)) + " cannot be compared with " + type_name(b));
  }
  std::optional<std::strong_ordering> order;
  const auto by = [&](auto tag) {
    using T = decltype(tag);
    if (a.as<T>() != nullptr) order = *a.as<T>() <=> *b.as<T>();
  };
  by(std::int64_t{});
  by(std::string{});
  by(Size{});
  by(Percent{});
  by(Time{});
  if (a.as<Duration>() != nullptr) order = a.as<Duration>()->count() <=> b.as<Duration>()->count();
  if (!order) return fail(std::string(type_name(a)) + " has no order");
  switch (op) {
    case Op::lt:
      return Value(*order < 0);
    case Op::le:
      return Value(*order <= 0);
    case Op::gt:
      return Value(*order > 0);
    default:
      return Value(*order >= 0);
  }
}

Result<Value> contains(const Value& item, const Value& container) {
  if (const auto* list = container.as<List>()) {
    return Value(std::find(list->begin(), list->end(), item) != list->end());
  }
  const auto* text = item.as<std::string>();
  if (const auto* record = container.as<Record>(); record != nullptr && text != nullptr) {
    return Value(std::any_of(record->begin(), record->end(),
                             [&](const auto& member) { return member.first == *text; }));
  }
  if (const auto* whole = container.as<std::string>(); whole != nullptr && text != nullptr) {
    return Value(whole->find(*text) != std::string::npos);
  }
  return wrong_operands("`in` needs a list, a record or a string on its right", container);
}

Result<Value> member(const Value& of, const std::string& name) {
  const auto* record = of.as<Record>();
  if (record == nullptr) return wrong_operands("only a record has members", of);
  std::string known;
  for (const auto& [key, value] : *record) {
    if (key == name) return value;
    known += (known.empty() ? "" : ", ") + key;
  }
  return fail("no member `" + name + "`",
              known.empty() ? "the record is empty" : "there are: " + known);
}

Result<Value> index(const Value& of, const Value& at) {
  if (const auto* key = at.as<std::string>(); key != nullptr) return member(of, *key);
  const auto* list = of.as<List>();
  const auto* n = at.as<std::int64_t>();
  if (list == nullptr || n == nullptr)
    return wrong_operands("only a list has an index, and it must be an int", of);
  if (*n < 0 || static_cast<std::uint64_t>(*n) >= list->size()) {
    return fail("index " + std::to_string(*n) + " is out of range: the list has " +
                    count_of(list->size(), "item"),
                "the first item has the index 0");
  }
  return (*list)[static_cast<std::size_t>(*n)];
}

Result<Value> logic(Op op, const Value& a, const Value& b) {
  if (a.as<bool>() == nullptr) return wrong_operands("`and` and `or` need bools", a);
  if (b.as<bool>() == nullptr) return wrong_operands("`and` and `or` need bools", b);
  return Value(op == Op::and_ ? *a.as<bool>() && *b.as<bool>() : *a.as<bool>() || *b.as<bool>());
}

Result<Value> concat(std::span<const Value> operands) {
  std::string out;
  for (const Value& operand : operands) {
    const auto text = text_of(operand);
    if (!text) return wrong_operands("its value is known only during the run", operand);
    out += *text;
  }
  return Value(std::move(out));
}

std::size_t operands_of(Op op, std::size_t given) {
  switch (op) {
    case Op::concat:
    case Op::list:
    case Op::record:
    case Op::call:
      return given;
    case Op::constant:
    case Op::now:
    case Op::fact:
    case Op::secret:
      return 0;
    case Op::member:
    case Op::negate:
    case Op::not_:
      return 1;
    case Op::conditional:
      return 3;
    default:
      return 2;
  }
}

class Evaluator {
 public:
  Evaluator(HostIndex host, const Environment& environment)
      : host_(host), environment_(environment) {}

  Result<Value> value(const Value& v) {
    if (++depth_ > kDeepest) return fail("an expression is nested too deeply");
    auto out = value_at_depth(v);
    --depth_;
    return out;
  }

 private:
  Result<Value> value_at_depth(const Value& v) {
    if (!v.needs_run_time()) return v;
    if (const auto* secret = v.as<SecretRef>()) return reveal(*secret);
    if (const auto* list = v.as<List>()) {
      List out;
      out.reserve(list->size());
      for (const Value& item : *list) {
        auto known = value(item);
        if (!known) return known;
        out.push_back(std::move(*known));
      }
      return Value(std::move(out));
    }
    if (const auto* record = v.as<Record>()) {
      Record out;
      out.reserve(record->size());
      for (const auto& [name, item] : *record) {
        auto known = value(item);
        if (!known) return known;
        out.emplace_back(name, std::move(*known));
      }
      return Value(std::move(out));
    }
    return expr(*v.as<Deferred>()->expr);
  }

  Result<Value> reveal(const SecretRef& ref) {
    if (!environment_.secret) return Value(ref);
    auto text = environment_.secret(ref);
    if (!text) return text.error();
    return Value(std::move(*text));
  }

  // Operands are shared between expressions: each is evaluated once, so that the time is linear.
  Result<Value> expr(const Expr& e) {
    if (e.op == Op::constant) return value(e.value);
    if (e.op == Op::secret) return value(e.value);
    if (const auto known = known_.find(&e); known != known_.end()) return known->second;
    if (++depth_ > kDeepest) return fail("an expression is nested too deeply");
    auto result = operation(e);
    --depth_;
    if (result) known_.emplace(&e, *result);
    return result;
  }

  Result<Value> fact(const FactRef& ref) {
    std::optional<Value> found;
    if (environment_.fact) found = environment_.fact(ref, ref.host.value_or(host_));
    if (found) return std::move(*found);
    return fail("the fact `" + ref.name +
                    "` is not known here: its step was skipped, has failed, or made no change",
                "give it a default: `" + ref.name + " ?? ...`");
  }

  Result<Value> operation(const Expr& e) {
    if (e.operands.size() != operands_of(e.op, e.operands.size())) {
      return fail("an operator with a wrong number of operands (a bug in cnplay)");
    }
    switch (e.op) {
      case Op::now:
        if (!environment_.now) return fail("`now` is not known yet");
        return Value(*environment_.now);
      case Op::fact:
        return fact(e.fact);
      case Op::and_:
      case Op::or_: {
        auto left = expr(*e.operands[0]);
        if (!left) return left;
        if (const bool* b = left->as<bool>(); b != nullptr && *b == (e.op == Op::or_)) return left;
        break;
      }
      case Op::coalesce: {
        // A fact that does not exist is none, here alone.
        if (e.operands[0]->op == Op::fact) {
          const FactRef& ref = e.operands[0]->fact;
          auto found =
              environment_.fact ? environment_.fact(ref, ref.host.value_or(host_)) : std::nullopt;
          if (found && !found->is_none()) return std::move(*found);
          return expr(*e.operands[1]);
        }
        auto left = expr(*e.operands[0]);
        if (!left || !left->is_none()) return left;
        return expr(*e.operands[1]);
      }
      case Op::conditional: {
        auto condition = expr(*e.operands[0]);
        if (!condition) return condition;
        const bool* b = condition->as<bool>();
        if (b == nullptr) return wrong_operands("a condition must be a bool", *condition);
        return expr(*e.operands[*b ? 1 : 2]);
      }
      default:
        break;
    }
    List operands;
    operands.reserve(e.operands.size());
    bool known = true;
    for (const auto& operand : e.operands) {
      auto v = expr(*operand);
      if (!v) return v;
      known = known && !v->needs_run_time();
      operands.push_back(std::move(*v));
    }
    // Lists and records may hold secrets; nothing may be computed from one.
    if (known || e.op == Op::list || e.op == Op::record || e.op == Op::member) {
      return apply_op(e.op, operands, e.names);
    }
    Expr rest;
    rest.op = e.op;
    rest.names = e.names;
    for (Value& operand : operands) {
      Expr constant;
      constant.value = std::move(operand);
      rest.operands.push_back(std::make_shared<const Expr>(std::move(constant)));
    }
    return Value(Deferred{std::make_shared<const Expr>(std::move(rest))});
  }

  HostIndex host_;
  const Environment& environment_;
  std::unordered_map<const Expr*, Value> known_;
  int depth_ = 0;
};

class FactSearch {
 public:
  explicit FactSearch(const std::function<bool(const FactRef&)>& predicate)
      : predicate_(predicate) {}

  bool in(const Value& v) {
    if (const auto* list = v.as<List>()) {
      return std::any_of(list->begin(), list->end(), [&](const Value& item) { return in(item); });
    }
    if (const auto* record = v.as<Record>()) {
      return std::any_of(record->begin(), record->end(),
                         [&](const auto& item) { return in(item.second); });
    }
    const auto* deferred = v.as<Deferred>();
    return deferred != nullptr && in(*deferred->expr);
  }

 private:
  bool in(const Expr& e) {
    if (!seen_.insert(&e).second) return false;
    if (e.op == Op::fact && predicate_(e.fact)) return true;
    if (in(e.value)) return true;
    return std::any_of(e.operands.begin(), e.operands.end(),
                       [&](const auto& operand) { return in(*operand); });
  }

  const std::function<bool(const FactRef&)>& predicate_;
  std::unordered_set<const Expr*> seen_;
};

}  // namespace

Result<Value> apply_op(Op op, std::span<const Value> operands, std::span<const std::string> names) {
  if (operands.size() != operands_of(op, operands.size())) {
    return fail("an operator with a wrong number of operands (a bug in cnplay)");
  }
  if ((op == Op::member || op == Op::call) && names.empty()) {
    return fail("an operator without its name (a bug in cnplay)");
  }
  switch (op) {
    case Op::constant:
    case Op::now:
    case Op::fact:
    case Op::secret:
      return fail("not an operator on values (a bug in cnplay)");
    case Op::concat:
      return concat(operands);
    case Op::list:
      return Value(List(operands.begin(), operands.end()));
    case Op::record: {
      if (names.size() != operands.size()) return fail("a record without names (a bug in cnplay)");
      Record out;
      for (std::size_t i = 0; i < names.size(); ++i) out.emplace_back(names[i], operands[i]);
      return Value(std::move(out));
    }
    case Op::member:
      return member(operands[0], names[0]);
    case Op::index:
      return index(operands[0], operands[1]);
    case Op::not_:
      if (operands[0].as<bool>() == nullptr)
        return wrong_operands("`not` needs a bool", operands[0]);
      return Value(!*operands[0].as<bool>());
    case Op::and_:
    case Op::or_:
      return logic(op, operands[0], operands[1]);
    case Op::in:
      return contains(operands[0], operands[1]);
    case Op::coalesce:
      return operands[0].is_none() ? operands[1] : operands[0];
    case Op::conditional:
      if (operands[0].as<bool>() == nullptr) {
        return wrong_operands("a condition must be a bool", operands[0]);
      }
      return *operands[0].as<bool>() ? operands[1] : operands[2];
    case Op::call:
      return call_builtin(names[0], operands);
    case Op::negate:
    case Op::add:
    case Op::sub:
    case Op::mul:
    case Op::div:
    case Op::mod:
      return arithmetic(op, operands);
    default:
      return compare(op, operands[0], operands[1]);
  }
}

Result<Value> resolve(const Value& value, HostIndex host, const Environment& environment) {
  return Evaluator(host, environment).value(value);
}

bool reads_fact(const Value& value, const std::function<bool(const FactRef&)>& predicate) {
  return FactSearch(predicate).in(value);
}

}  // namespace cnplay::plan

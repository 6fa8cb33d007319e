#include "plan/operators.h"

#include <limits>

#include "plan/eval.h"

namespace cnplay::plan {
namespace {

using std::int64_t;

Error too_large(const char* what) {
  return fail(std::string("the result of ") + what + " is too large",
              "an int, a size and a duration have 64 bits");
}

Error by_zero(bool modulo) {
  return fail(modulo ? "a remainder of a division by zero" : "a division by zero",
              "guard it: `if n == 0 then ... else x / n`");
}

Result<int64_t> checked(Op op, int64_t a, int64_t b) {
  int64_t out = 0;
  switch (op) {
    case Op::add:
      if (__builtin_add_overflow(a, b, &out)) return too_large("an addition");
      return out;
    case Op::sub:
      if (__builtin_sub_overflow(a, b, &out)) return too_large("a subtraction");
      return out;
    case Op::mul:
      if (__builtin_mul_overflow(a, b, &out)) return too_large("a multiplication");
      return out;
    case Op::div:
    case Op::mod:
      if (b == 0) return by_zero(op == Op::mod);
      if (a == std::numeric_limits<int64_t>::min() && b == -1) return too_large("a division");
      return op == Op::div ? a / b : a % b;
    default:
      return fail("not an arithmetic operator (a bug in cnplay)");
  }
}

// What a number counts: the unit decides which operators make sense.
enum class Unit { none, integer, duration, time, size, percent };

Unit unit_of(const Value& v) {
  if (v.as<int64_t>() != nullptr) return Unit::integer;
  if (v.as<Duration>() != nullptr) return Unit::duration;
  if (v.as<Time>() != nullptr) return Unit::time;
  if (v.as<Size>() != nullptr) return Unit::size;
  if (v.as<Percent>() != nullptr) return Unit::percent;
  return Unit::none;
}

int64_t count_of(const Value& v) {
  if (const auto* n = v.as<int64_t>()) return *n;
  if (const auto* d = v.as<Duration>()) return d->count();
  if (const auto* t = v.as<Time>()) return t->at.time_since_epoch().count();
  if (const auto* s = v.as<Size>()) return s->bytes;
  return v.as<Percent>()->value;
}

Value make(Unit unit, int64_t n, const Value& zone_from) {
  switch (unit) {
    case Unit::duration:
      return Value(Duration{n});
    case Unit::size:
      return Value(Size{n});
    case Unit::percent:
      return Value(Percent{n});
    case Unit::time: {
      const auto* t = zone_from.as<Time>();
      return Value(Time{Instant{Duration{n}}, t != nullptr ? t->zone : "UTC"});
    }
    default:
      return Value(n);
  }
}

// The unit of `a op b`; none: the two do not go together.
Unit result_unit(Op op, Unit a, Unit b) {
  switch (op) {
    case Op::add:
      if (a == Unit::time || b == Unit::time) {
        return (a == Unit::duration || b == Unit::duration) ? Unit::time : Unit::none;
      }
      return a == b ? a : Unit::none;
    case Op::sub:
      if (a == Unit::time) {
        return b == Unit::time ? Unit::duration : (b == Unit::duration ? Unit::time : Unit::none);
      }
      return a == b ? a : Unit::none;
    case Op::mul:
      if (a == Unit::time || b == Unit::time) return Unit::none;
      if (b == Unit::integer) return a;
      return a == Unit::integer ? b : Unit::none;
    case Op::div:
      if (a == Unit::time || b == Unit::time) return Unit::none;
      if (b == Unit::integer) return a;
      return a == b ? Unit::integer : Unit::none;
    case Op::mod:
      return a == b && a != Unit::time ? a : Unit::none;
    default:
      return Unit::none;
  }
}

const char* verb(Op op) {
  switch (op) {
    case Op::add:
      return "added to";
    case Op::sub:
      return "subtracted from";
    case Op::mul:
      return "multiplied by";
    default:
      return "divided by";
  }
}

}  // namespace

const char* type_name(const Value& value) {
  static constexpr const char* kNames[] = {
      "none",   "a bool",    "an int", "a string", "a duration", "a time",
      "a size", "a percent", "a list", "a record", "a secret",   "a value of run time"};
  return kNames[value.data.index()];
}

Result<Value> arithmetic(Op op, std::span<const Value> operands) {
  const Value& a = operands[0];
  if (op == Op::negate) {
    const Unit unit = unit_of(a);
    if (unit == Unit::none || unit == Unit::time) {
      return fail(std::string(type_name(a)) + " has no negative");
    }
    const auto n = checked(Op::sub, 0, count_of(a));
    if (!n) return n.error();
    return make(unit, *n, a);
  }
  const Value& b = operands[1];
  if (op == Op::add) {
    if (a.as<List>() != nullptr && b.as<List>() != nullptr) {
      List both = *a.as<List>();
      both.insert(both.end(), b.as<List>()->begin(), b.as<List>()->end());
      return Value(std::move(both));
    }
    if (a.as<std::string>() != nullptr && b.as<std::string>() != nullptr) {
      return Value(*a.as<std::string>() + *b.as<std::string>());
    }
  }
  const Unit ua = unit_of(a);
  const Unit ub = unit_of(b);
  const Unit unit = ua == Unit::none || ub == Unit::none ? Unit::none : result_unit(op, ua, ub);
  if (unit == Unit::none) {
    const bool swapped = op == Op::add || op == Op::sub;
    return fail(std::string(type_name(swapped ? b : a)) + " cannot be " + verb(op) + " " +
                type_name(swapped ? a : b));
  }
  const auto n = checked(op, count_of(a), count_of(b));
  if (!n) return n.error();
  return make(unit, *n, ua == Unit::time ? a : b);
}

}  // namespace cnplay::plan

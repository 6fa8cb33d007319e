// The one evaluator of the language's pure operators, used by compile/ to fold what is known and
// by run/ for what is known only then. Total: an overflow or a division by zero is an Error.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "plan/value.h"

namespace cnplay::plan {

// What an expression may read while it is evaluated.
struct Environment {
  std::optional<Time> now;
  // The value of a fact for `host`, nullopt where it does not exist (the step was skipped, has
  // failed, or was not applied).
  std::function<std::optional<Value>(const FactRef&, HostIndex host)> fact;
  // The text behind a secret. Unset: secrets stay references (see resolve).
  std::function<Result<std::string>(const SecretRef&)> secret;
};

// The result of one operator on values that are all known. `names` as in Expr.
Result<Value> apply_op(Op op, std::span<const Value> operands, std::span<const std::string> names);

// The value of `value` for `host`, with everything deferred resolved. A SecretRef stays one, and
// what is computed from one stays deferred, with its other operands resolved - unless
// `environment.secret` is set: do so only to make a remote task, and show the result to nobody.
// Errors name the missing fact.
Result<Value> resolve(const Value& value, HostIndex host, const Environment& environment);

// Pure builtin functions: `len(list|string)`, `join(list, sep)`, `lower(s)`, `upper(s)`,
// `replace(s, from, to)`, `split(s, sep)`, `basename(path)`, `dirname(path)`, `starts_with(s, p)`,
// `ends_with(s, p)`, `format_time(t, zone)`. compile/ knows their types from here.
// An argument of the wrong type or number is an Error (compile/ has refused it before).
struct Builtin {
  std::string_view name;
  std::string_view signature;  // "(list) -> int", for messages
};
std::span<const Builtin> builtins();

// Whether evaluating `value` may read a fact for which `predicate` says true.
bool reads_fact(const Value& value, const std::function<bool(const FactRef&)>& predicate);

}  // namespace cnplay::plan

#include "plan/eval.h"

#include <gtest/gtest.h>

#include <limits>

#include "support/plan/builder.h"

namespace cnplay::testing {
namespace {

Value n(std::int64_t i) { return Value(i); }
Value s(std::string text) { return Value(std::move(text)); }
Value d(std::int64_t seconds) { return Value(Duration{seconds * 1000}); }

Result<Value> run(Op o, std::vector<Value> operands, std::vector<std::string> names = {}) {
  return apply_op(o, operands, names);
}
std::string error_of(const Result<Value>& r) { return r ? "no error" : r.error().what; }

TEST(Eval, Arithmetic) {
  EXPECT_EQ(*run(Op::add, {n(2), n(3)}), n(5));
  EXPECT_EQ(*run(Op::sub, {d(90), d(30)}), d(60));
  EXPECT_EQ(*run(Op::mul, {n(3), d(20)}), d(60));
  EXPECT_EQ(*run(Op::div, {d(60), d(20)}), n(3));
  EXPECT_EQ(*run(Op::div, {n(-7), n(2)}), n(-3));
  EXPECT_EQ(*run(Op::mod, {n(-7), n(2)}), n(-1));
  EXPECT_EQ(*run(Op::negate, {d(5)}), d(-5));
  EXPECT_EQ(*run(Op::add, {Value(Size{1}), Value(Size{2})}), Value(Size{3}));
  EXPECT_EQ(*run(Op::add, {Value(List{n(1)}), Value(List{n(2)})}), Value(List{n(1), n(2)}));
}

TEST(Eval, TimesKeepTheirZone) {
  const Time t = *parse_time("2026-12-01 22:00 Europe/Berlin");
  const auto later = run(Op::add, {Value(t), d(1800)});
  ASSERT_TRUE(later);
  EXPECT_EQ(later->as<Time>()->zone, "Europe/Berlin");
  EXPECT_EQ(text_of(*later), "2026-12-01 22:30:00 Europe/Berlin");
  EXPECT_EQ(*run(Op::add, {d(1800), Value(t)}), *later);
  EXPECT_EQ(*run(Op::sub, {*later, Value(t)}), d(1800));
}

TEST(Eval, OverflowAndZeroAreErrors) {
  const auto max = std::numeric_limits<std::int64_t>::max();
  const auto min = std::numeric_limits<std::int64_t>::min();
  EXPECT_EQ(error_of(run(Op::add, {n(max), n(1)})), "the result of an addition is too large");
  EXPECT_EQ(error_of(run(Op::mul, {n(max), n(2)})), "the result of a multiplication is too large");
  EXPECT_EQ(error_of(run(Op::sub, {n(min), n(1)})), "the result of a subtraction is too large");
  EXPECT_EQ(error_of(run(Op::negate, {n(min)})), "the result of a subtraction is too large");
  EXPECT_EQ(error_of(run(Op::div, {n(min), n(-1)})), "the result of a division is too large");
  EXPECT_EQ(error_of(run(Op::div, {n(1), n(0)})), "a division by zero");
  EXPECT_EQ(error_of(run(Op::mod, {d(1), d(0)})), "a remainder of a division by zero");
}

TEST(Eval, WhatDoesNotGoTogetherIsSaid) {
  EXPECT_EQ(error_of(run(Op::add, {n(1), d(1)})), "a duration cannot be added to an int");
  EXPECT_EQ(error_of(run(Op::mul, {d(1), d(1)})), "a duration cannot be multiplied by a duration");
  EXPECT_EQ(error_of(run(Op::lt, {n(1), d(1)})), "an int cannot be compared with a duration");
  EXPECT_EQ(error_of(run(Op::lt, {Value(true), Value(false)})), "a bool has no order");
  EXPECT_EQ(error_of(run(Op::not_, {n(1)})), "`not` needs a bool, got an int");
}

TEST(Eval, Comparison) {
  EXPECT_EQ(*run(Op::eq, {s("a"), s("a")}), Value(true));
  EXPECT_EQ(*run(Op::ne, {s("a"), n(1)}), Value(true));
  EXPECT_EQ(*run(Op::le, {d(1), d(1)}), Value(true));
  EXPECT_EQ(*run(Op::gt, {Value(Percent{30}), Value(Percent{25})}), Value(true));
  EXPECT_EQ(*run(Op::lt, {s("a"), s("b")}), Value(true));
  EXPECT_EQ(*run(Op::in, {n(2), Value(List{n(1), n(2)})}), Value(true));
  EXPECT_EQ(*run(Op::in, {n(3), Value(List{n(1), n(2)})}), Value(false));
  EXPECT_EQ(*run(Op::in, {s("k"), Value(Record{{"k", n(1)}})}), Value(true));
}

TEST(Eval, Access) {
  const Value list(List{n(1), n(2)});
  EXPECT_EQ(*run(Op::index, {list, n(1)}), n(2));
  EXPECT_EQ(error_of(run(Op::index, {list, n(2)})),
            "index 2 is out of range: the list has 2 items");
  EXPECT_EQ(error_of(run(Op::index, {list, n(-1)})),
            "index -1 is out of range: the list has 2 items");
  const Value record(Record{{"a", n(1)}, {"b", n(2)}});
  EXPECT_EQ(*run(Op::member, {record}, {"b"}), n(2));
  EXPECT_EQ(*run(Op::index, {record, s("a")}), n(1));
  const auto missing = run(Op::member, {record}, {"c"});
  EXPECT_EQ(error_of(missing), "no member `c`");
  EXPECT_EQ(missing.error().help, "there are: a, b");
}

TEST(Eval, Builtins) {
  const auto call = [](const std::string& name, std::vector<Value> a) {
    return run(Op::call, std::move(a), {name});
  };
  EXPECT_EQ(*call("len", {s("gr\xC3\xBC\xC3\x9F")}), n(4));
  EXPECT_EQ(*call("len", {Value(List{n(1)})}), n(1));
  EXPECT_EQ(*call("join", {Value(List{s("a"), n(2)}), s("-")}), s("a-2"));
  EXPECT_EQ(*call("lower", {s("AbZ\xC3\x84")}), s("abz\xC3\x84"));
  EXPECT_EQ(*call("upper", {s("abz")}), s("ABZ"));
  EXPECT_EQ(*call("replace", {s("aXbX"), s("X"), s("--")}), s("a--b--"));
  EXPECT_EQ(*call("split", {s("a,b,"), s(",")}), Value(List{s("a"), s("b"), s("")}));
  EXPECT_EQ(*call("split", {s(""), s(",")}), Value(List{}));
  EXPECT_EQ(*call("basename", {s("/a/b/")}), s("b"));
  EXPECT_EQ(*call("basename", {s("/")}), s("/"));
  EXPECT_EQ(*call("dirname", {s("/a/b/")}), s("/a"));
  EXPECT_EQ(*call("dirname", {s("/a")}), s("/"));
  EXPECT_EQ(*call("dirname", {s("a")}), s("."));
  EXPECT_EQ(*call("starts_with", {s("abc"), s("ab")}), Value(true));
  EXPECT_EQ(*call("ends_with", {s("abc"), s("ab")}), Value(false));
  EXPECT_EQ(*call("format_time", {Value(*parse_time("2026-12-01T22:00Z")), s("Asia/Tokyo")}),
            s("2026-12-02 07:00:00 Asia/Tokyo"));
  EXPECT_EQ(error_of(call("format_time", {Value(*parse_time("2026-12-01T22:00Z")), s("Mars")})),
            "no such time zone: `Mars`");
  EXPECT_EQ(error_of(call("replace", {s("a"), s(""), s("b")})), "replace() of an empty string");
  EXPECT_EQ(error_of(call("len", {n(1)})), "len(list|string) -> int was called with (an int)");
  EXPECT_EQ(error_of(call("nope", {})), "no such function: nope()");
  EXPECT_EQ(builtins().size(), 11U);
}

TEST(Eval, AStringCannotGrowWithoutEnd) {
  const std::string large(1 << 20, 'a');
  EXPECT_EQ(error_of(run(Op::call, {s(large), s("a"), s(large)}, {"replace"})),
            "the result of replace() is longer than 16 MiB");
}

TEST(Eval, ResolveReadsFactsOfTheHost) {
  Environment env;
  env.fact = [](const FactRef& ref, HostIndex host) -> std::optional<Value> {
    if (ref.name != "before") return std::nullopt;
    return Value("commit of host " + std::to_string(host));
  };
  EXPECT_EQ(*resolve(deferred(fact(0, 0, "before")), 3, env), s("commit of host 3"));
  EXPECT_EQ(*resolve(deferred(fact(0, 0, "before", 7)), 3, env), s("commit of host 7"));
  const auto missing = resolve(deferred(fact(0, 0, "after")), 3, env);
  EXPECT_EQ(error_of(missing),
            "the fact `after` is not known here: its step was skipped, has failed, or made no "
            "change");
  EXPECT_EQ(*resolve(deferred(op(Op::coalesce, {fact(0, 0, "after"), text("x")})), 3, env), s("x"));
}

TEST(Eval, LazyOperatorsDoNotLookAtTheOtherSide) {
  const Environment env;  // every fact is missing
  const auto missing = fact(0, 0, "x");
  const auto yes = constant(Value(true));
  const auto no = constant(Value(false));
  EXPECT_EQ(*resolve(deferred(op(Op::and_, {no, missing})), 0, env), Value(false));
  EXPECT_EQ(*resolve(deferred(op(Op::or_, {yes, missing})), 0, env), Value(true));
  EXPECT_EQ(*resolve(deferred(op(Op::coalesce, {text("a"), missing})), 0, env), s("a"));
  EXPECT_EQ(*resolve(deferred(op(Op::conditional, {yes, text("a"), missing})), 0, env), s("a"));
  EXPECT_FALSE(resolve(deferred(op(Op::and_, {yes, missing})), 0, env));
}

TEST(Eval, NowIsFixed) {
  Environment env;
  EXPECT_FALSE(resolve(deferred(now_expr()), 0, env));
  env.now = *parse_time("2026-11-20T21:30Z");
  EXPECT_EQ(text_of(*resolve(deferred(op(Op::add, {now_expr(), constant(d(1800))})), 0, env)),
            "2026-11-20 22:00:00 UTC");
}

TEST(Eval, SecretsStayReferences) {
  Environment env;
  env.now = *parse_time("2026-11-20T21:30Z");
  EXPECT_EQ(*resolve(Value(SecretRef{2}), 0, env), Value(SecretRef{2}));
  const auto url = op(Op::concat, {text("at "), now_expr(), text(":"), secret_expr(0)});
  const auto kept = resolve(deferred(url), 0, env);
  ASSERT_TRUE(kept);
  EXPECT_TRUE(kept->is_deferred());
  env.now.reset();  // `now` was resolved before
  env.secret = [](const SecretRef&) -> Result<std::string> { return std::string("hunter2"); };
  EXPECT_EQ(*resolve(*kept, 0, env), s("at 2026-11-20 21:30:00 UTC:hunter2"));
  env.secret = [](const SecretRef&) -> Result<std::string> { return fail("no secret"); };
  EXPECT_EQ(error_of(resolve(*kept, 0, env)), "no secret");
}

TEST(Eval, SharedExpressionsTakeLinearTime) {
  ExprPtr e = op(Op::call, {text("a")}, {"len"});
  for (int i = 0; i < 60; ++i) e = op(Op::add, {e, e});
  EXPECT_EQ(*resolve(deferred(e), 0, {}), n(std::int64_t{1} << 60));
  EXPECT_FALSE(reads_fact(deferred(e), [](const FactRef&) { return true; }));
}

TEST(Eval, DeepNestingIsAnErrorNotACrash) {
  ExprPtr e = now_expr();
  for (int i = 0; i < 100'000; ++i) e = op(Op::negate, {e});
  EXPECT_EQ(error_of(resolve(deferred(e), 0, {})), "an expression is nested too deeply");
  // Take it apart without recursion, so that the test's own end does not overflow the stack.
  while (!e->operands.empty()) {
    ExprPtr next = e->operands[0];
    const_cast<Expr&>(*e).operands.clear();  // NOLINT: a test
    e = next;
  }
}

TEST(Eval, ReadsFactLooksEverywhere) {
  const auto any = [](const FactRef& f) { return f.name == "x"; };
  EXPECT_TRUE(reads_fact(
      Value(List{Value(Record{{"k", deferred(op(Op::not_, {fact(0, 0, "x")}))}})}), any));
  EXPECT_FALSE(reads_fact(deferred(fact(0, 0, "y")), any));
  EXPECT_FALSE(reads_fact(Value("x"), any));
}

}  // namespace
}  // namespace cnplay::testing

#include "plan/value.h"

#include <gtest/gtest.h>

#include "plan/plan.h"
#include "support/plan/update_code.h"

namespace cnplay::testing {
namespace {

Plan one_secret() {
  Plan p;
  p.hosts.push_back({"web1", {}, {}});
  p.secrets = {{"smtp", SecretSource::Kind::env, {"X"}, ""}};
  return p;
}

TEST(Value, TextIsWhatInterpolationPuts) {
  EXPECT_EQ(text_of(Value(true)), "true");
  EXPECT_EQ(text_of(Value(std::int64_t{-42})), "-42");
  EXPECT_EQ(text_of(Value(Duration{90'000})), "1m30s");
  EXPECT_EQ(text_of(Value(Size{512 << 20})), "512MiB");
  EXPECT_EQ(text_of(Value(Percent{25})), "25%");
  EXPECT_EQ(text_of(Value()), "");
  EXPECT_EQ(text_of(Value(List{Value("a"), Value(std::int64_t{1})})), "a, 1");
  EXPECT_EQ(text_of(Value(List{})), "");
  EXPECT_EQ(text_of(Value(Record{{"k", Value("v")}})), "k: v");
  EXPECT_EQ(text_of(Value(*parse_time("2026-12-01 22:00 America/Los_Angeles"))),
            "2026-12-01 22:00:00 America/Los_Angeles");
}

TEST(Value, NoTextWithoutRunTime) {
  EXPECT_EQ(text_of(Value(SecretRef{0})), std::nullopt);
  EXPECT_EQ(text_of(deferred(now_expr())), std::nullopt);
  EXPECT_EQ(text_of(Value(List{Value("a"), Value(SecretRef{0})})), std::nullopt);
  EXPECT_EQ(text_of(Value(Record{{"k", deferred(now_expr())}})), std::nullopt);
}

TEST(Value, NeedsRunTime) {
  EXPECT_FALSE(Value("x").needs_run_time());
  EXPECT_FALSE(Value(List{Value("x")}).needs_run_time());
  EXPECT_TRUE(Value(SecretRef{0}).needs_run_time());
  EXPECT_TRUE(Value(Record{{"k", Value(List{deferred(now_expr())})}}).needs_run_time());
}

TEST(Value, EqualityIsOfStructure) {
  EXPECT_EQ(deferred(op(Op::add, {now_expr(), text("a")})),
            deferred(op(Op::add, {now_expr(), text("a")})));
  EXPECT_NE(deferred(op(Op::add, {now_expr(), text("a")})),
            deferred(op(Op::add, {now_expr(), text("b")})));
  EXPECT_NE(Value("1"), Value(std::int64_t{1}));
  EXPECT_NE(deferred(fact(1, 0, "a")), deferred(fact(1, 0, "a", 3)));
}

// `let b = a + a; let c = b + b; ...`: a tree of 2^60 leaves, 60 nodes.
ExprPtr doubling(int times) {
  ExprPtr e = constant(Value(std::int64_t{0}));
  for (int i = 0; i < times; ++i) e = op(Op::add, {e, e});
  return e;
}

TEST(Value, SharedExpressionsAreComparedInLinearTime) {
  EXPECT_EQ(deferred(doubling(60)), deferred(doubling(60)));
}

TEST(Value, DescribeShowsNoSecret) {
  const Plan p = one_secret();
  EXPECT_EQ(describe(Value(SecretRef{0}), p), "<secret smtp>");
  EXPECT_EQ(describe(deferred(op(Op::concat, {text("a:"), secret_expr(0)})), p),
            "\"a:${<secret smtp>}\"");
}

TEST(Value, DescribeQuotes) {
  const Plan p = one_secret();
  EXPECT_EQ(describe(Value("a \"b\" \\ ${c}\n\x1b[0m\xff"), p),
            "\"a \\\"b\\\" \\\\ \\${c}\\n\\u{1b}[0m\xEF\xBF\xBD\"");
  EXPECT_EQ(describe(Value(), p), "none");
  EXPECT_EQ(describe(Value(List{Value("a"), Value(Duration{1000})}), p), "[\"a\", 1s]");
  EXPECT_EQ(describe(Value(Record{{"a", Value("b")}}), p), "{a: \"b\"}");
}

TEST(Value, DescribeExpressions) {
  const UpdateCode u = update_code();
  EXPECT_EQ(describe(deferred(fact(u.code, 0, "before")), u.plan), "code.moved.before");
  EXPECT_EQ(describe(deferred(fact(u.code, 0, "before", 1)), u.plan), "code.moved[web2].before");
  const auto n = [](int i) { return constant(Value(std::int64_t{i})); };
  EXPECT_EQ(describe(deferred(op(Op::mul, {op(Op::add, {n(1), n(2)}), n(3)})), u.plan),
            "(1 + 2) * 3");
  EXPECT_EQ(describe(deferred(op(Op::sub, {n(1), op(Op::sub, {n(2), n(3)})})), u.plan),
            "1 - (2 - 3)");
  EXPECT_EQ(describe(deferred(op(Op::not_, {op(Op::and_, {n(1), n(2)})})), u.plan),
            "not (1 and 2)");
  EXPECT_EQ(describe(deferred(op(Op::conditional, {n(1), n(2), n(3)})), u.plan),
            "if 1 then 2 else 3");
  EXPECT_EQ(describe(deferred(op(Op::call, {n(1), n(2)}, {"join"})), u.plan), "join(1, 2)");
  EXPECT_EQ(describe(deferred(op(Op::index, {op(Op::member, {n(1)}, {"x"}), n(2)})), u.plan),
            "1.x[2]");
}

TEST(Value, DescribeOfAnEndlessExpressionEnds) {
  EXPECT_LT(describe(deferred(doubling(60)), one_secret()).size(), 10'000U);
}

}  // namespace
}  // namespace cnplay::testing

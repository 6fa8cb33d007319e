#include "render/runbook.h"

#include <gtest/gtest.h>

#include "support/golden.h"
#include "support/plan/update_code.h"

namespace cnplay::testing {
namespace {

using namespace render;

RunbookOptions options() {
  RunbookOptions out;
  out.title_of = [](std::string_view name) { return "Title of " + std::string(name); };
  return out;
}

bool has(const std::string& text, const std::string& what) {
  return text.find(what) != std::string::npos;
}

TEST(Runbook, UpdateCode) {
  const Runbook book = runbook(update_code().plan, options());
  expect_golden("render/runbook.md", to_markdown(book));
  expect_golden("render/runbook.html", to_html(book));
}

// One step with one `sh`, that reads what `value` says.
struct One {
  PlanBuilder b;
  Node* node = nullptr;
  explicit One(std::vector<Param> params, const std::string& script = "use \"$x\"\n") {
    b.plan.play = "one";
    b.plan.file = "one.play";
    b.plan.inventory = "prod";
    b.host("a");
    b.host("b");
    Action sh = b.action("sh");
    sh.check = kNone;
    sh.params = std::move(params);
    b.plan.scripts[sh.apply].text = script;
    node = &b.step("one/step", {0, 1}, {sh}, {});
  }
  std::string markdown() const { return to_markdown(runbook(b.plan, options())); }
};

TEST(Runbook, ValuesAreQuotedAssignments) {
  const std::string text = One({param("x", Value("it's $(rm -rf /) `x`\nsecond"))}).markdown();
  EXPECT_TRUE(has(text, "( set -eu\nx='it'\\''s $(rm -rf /) `x`\nsecond'\nuse \"$x\"\n)\n"))
      << text;
}

TEST(Runbook, ASecretIsSaidByItsSourceAlone) {
  One one({param("x", Value(SecretRef{0}), true)});
  one.b.plan.secrets = {{"key", SecretSource::Kind::env, {"DEPLOY_KEY"}, "one.play:2"}};
  const std::string text = one.markdown();
  EXPECT_TRUE(has(text, "Secret `key`: environment variable DEPLOY\\_KEY. Write it nowhere."))
      << text;
  EXPECT_TRUE(has(text, "x=${secret_key:?'the secret key'}")) << text;
  EXPECT_TRUE(has(text, "x `<secret key>`")) << text;

  // What is put around a secret may tell of it, and is left out.
  One derived({param(
      "x", deferred(op(Op::concat, {cnplay::testing::text("user:hunter2-"), secret_expr(0)})),
      true)});
  derived.b.plan.secrets = one.b.plan.secrets;
  EXPECT_FALSE(has(derived.markdown(), "hunter2"));
  // As is what was never called a secret's reference but is to be kept.
  One plain({param("x", Value("hunter2"), true)});
  EXPECT_FALSE(has(plain.markdown(), "hunter2"));
}

TEST(Runbook, HostsWithValuesOfTheirOwn) {
  One two({Param{"x", Column({Value("1"), Value("2")}, {0, 1}), false, false}});
  const std::string text = two.markdown();
  EXPECT_TRUE(has(text, "On a:\n\n```sh\n( set -eu\nx='1'\n")) << text;
  EXPECT_TRUE(has(text, "On b:\n\n```sh\n( set -eu\nx='2'\n")) << text;

  PlanBuilder b;
  b.plan.play = "many";
  std::vector<Value> values;
  std::vector<std::uint32_t> index;
  std::vector<HostIndex> hosts;
  for (std::uint32_t i = 0; i < 9; ++i) {
    hosts.push_back(b.host("h" + std::to_string(i)));
    values.emplace_back("v|" + std::to_string(i));
    index.push_back(i);
  }
  Action sh = b.action("sh");
  sh.check = kNone;
  sh.params = {Param{"x", Column(values, index), false, false}};
  b.plan.scripts[sh.apply].text = "use \"$x\"\n";
  b.step("many/step", hosts, {sh}, {});
  const std::string table = to_markdown(runbook(b.plan, options()));
  EXPECT_TRUE(has(table, "| h8 | `\"v\\|8\"` |")) << table;
  EXPECT_TRUE(has(table, "x=${step1_x:?'x of this host, from the table'}")) << table;
}

TEST(Runbook, UnlessSaysWhenToLeaveItOut) {
  One one({});
  const ScriptId check = static_cast<ScriptId>(one.b.plan.scripts.size());
  one.b.plan.scripts.push_back(
      {"if (\npgrep redis\n) >/dev/null; then ok; else change \"run\"; fi", "one.play:3"});
  one.node->actions[0].check = check;
  one.b.plan.scripts[one.node->actions[0].apply].text = "redis-server --daemonize yes\n";
  EXPECT_TRUE(has(one.markdown(),
                  "Leave it out where this succeeds:\n\n```sh\n( set -eu\npgrep redis\n)\n"
                  "```\n\n```sh\nredis-server --daemonize yes\n```\n"))
      << one.markdown();
}

// Times that stand in the play are shown as they are, those that hang on the start as T0 + x.
TEST(Runbook, FixedTimesAndOffsets) {
  const auto plan_with = [](Value until) {
    PlanBuilder b;
    b.plan.play = "p";
    b.host("a");
    const NodeId id = b.node(NodeKind::wait, "p/wait", {});
    b.plan.nodes[id].until = std::move(until);
    Action sh = b.action("sh");
    b.step("p/step", {0}, {sh}, all({id}));
    return to_markdown(runbook(b.plan, options()));
  };
  const std::string fixed = plan_with(Value(*parse_time("2026-12-01 22:00 America/Los_Angeles")));
  EXPECT_TRUE(has(fixed, "1. Wait until 2026-12-01 22:00:00 America/Los\\_Angeles")) << fixed;
  EXPECT_TRUE(has(fixed, "**at** 2026-12-01 22:00:00 America/Los\\_Angeles")) << fixed;
  const std::string later =
      plan_with(deferred(op(Op::add, {now_expr(), constant(Value(Duration{90'000}))})));
  EXPECT_TRUE(has(later, "1. Wait until T0 + 1 min 30 s")) << later;
  EXPECT_TRUE(has(later, "**at** T0 + 1 min 30 s")) << later;
}

TEST(Runbook, MarkdownIsEscaped) {
  Runbook book;
  book.title = "A *b* <c>";
  RunbookBlock b;
  b.kind = BlockKind::paragraph;
  b.text = {{SpanKind::plain, "# [x](y) _z_ | a\nb"}, {SpanKind::code, "a `tick` b"}};
  book.blocks.push_back(b);
  b.kind = BlockKind::table;
  b.rows = {{{{SpanKind::code, "a|b"}}}};
  book.blocks.push_back(b);
  b.kind = BlockKind::code;
  b.code = "echo '```'";
  book.blocks.push_back(b);
  EXPECT_EQ(to_markdown(book),
            "# A \\*b\\* \\<c\\>\n\n\\# \\[x\\](y) \\_z\\_ \\| a b``a `tick` b``\n\n"
            "| `a\\|b` |\n| --- |\n\n````sh\necho '```'\n````\n");
}

TEST(Runbook, HtmlIsEscapedAndLoadsNothing) {
  One one({param("x", Value("</code><script src=\"http://x/\">"))});
  one.b.plan.title = "<b>&\"'";
  const std::string page = to_html(runbook(one.b.plan, options()));
  EXPECT_TRUE(has(page, "<title>&lt;b&gt;&amp;&quot;&#39;</title>")) << page;
  for (const char* tag : {"<script", "<link", "<img", "url(", "@import", "href="}) {
    EXPECT_FALSE(has(page, tag)) << tag;
  }
}

}  // namespace
}  // namespace cnplay::testing

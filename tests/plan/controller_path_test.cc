#include "plan/controller_path.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace cnplay::plan {
namespace {

using ExprPtr = std::shared_ptr<const Expr>;

ExprPtr made(Expr expr) { return std::make_shared<const Expr>(std::move(expr)); }
ExprPtr text(const std::string& value) {
  Expr e;
  e.value = Value(value);
  return made(std::move(e));
}
ExprPtr fact(const std::string& name) {
  Expr e;
  e.op = Op::fact;
  e.fact.name = name;
  return made(std::move(e));
}
Value path(std::vector<ExprPtr> parts) {
  Expr e;
  e.op = Op::concat;
  e.operands = std::move(parts);
  return Value(Deferred{made(std::move(e))});
}

// What a host said, for every fact.
std::string why(const Value& path, const std::string& said) {
  const Status status = check_below_a_place(path, [&](const Value& part) -> Result<Value> {
    const Expr& expr = *part.as<Deferred>()->expr;
    return expr.op == Op::fact ? Value(said) : expr.value;
  });
  return status ? "" : status.error().what;
}

TEST(ControllerPath, AFactStandsOnlyBelowAPlaceOfThePlay) {
  EXPECT_TRUE(is_below_a_place(Value(std::string("/etc/passwd"))));
  EXPECT_TRUE(is_below_a_place(path({text("logs/"), fact("f")})));
  EXPECT_TRUE(is_below_a_place(path({text("logs"), text("/x-"), fact("f"), text(".gz")})));
  EXPECT_TRUE(is_below_a_place(path({text("a"), text("b")})));
  EXPECT_FALSE(is_below_a_place(Value(Deferred{fact("f")})));
  EXPECT_FALSE(is_below_a_place(path({fact("f")})));
  EXPECT_FALSE(is_below_a_place(path({fact("f"), text("/x")})));
  EXPECT_FALSE(is_below_a_place(path({text("name-"), fact("f")})));
  Expr choice;
  choice.op = Op::conditional;
  choice.operands = {fact("f"), text("a/b"), text("a/c")};
  EXPECT_FALSE(is_below_a_place(Value(Deferred{made(choice)})));
}

TEST(ControllerPath, AFactIsOneName) {
  const Value place = path({text("logs/"), fact("f")});
  EXPECT_EQ(why(place, "web1.log"), "");
  EXPECT_EQ(why(place, "-n"), "");
  for (const std::string bad : {"", ".", "..", "a/b", "/etc/passwd", "../x", "a\nb", "a\x1b[2J"}) {
    EXPECT_NE(why(place, bad), "") << bad;
  }
  EXPECT_NE(why(place, std::string("a\0b", 3)), "");
  EXPECT_NE(why(path({text("logs/."), fact("f")}), "."), "") << "a `..` that comes of two parts";
  EXPECT_NE(why(path({text("logs/"), fact("f"), text("/x")}), ".."), "");
  EXPECT_EQ(why(path({text("logs/x-"), fact("f"), text(".gz")}), ".."), "");
  EXPECT_EQ(why(path({text("../logs/"), fact("f")}), "a"), "") << "the play's own `..`";
}

}  // namespace
}  // namespace cnplay::plan

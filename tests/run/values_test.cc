// Facts as they are read, parameters as they are written, paths as they are compared.
#include <gtest/gtest.h>

#include "run/dry_run.h"
#include "run/facts.h"
#include "run/variables.h"

namespace cnplay::run {
namespace {

using plan::FactType;
using plan::Value;

TEST(Facts, ReadByType) {
  struct Row {
    FactType type;
    std::string text;
    std::optional<Value> value;
  };
  const Row rows[] = {
      {FactType::string, "", Value(std::string())},
      {FactType::string, "a\nb", Value(std::string("a\nb"))},
      {FactType::string, "\xff", std::nullopt},
      {FactType::int_, "-42", Value(std::int64_t{-42})},
      {FactType::int_, "4 2", std::nullopt},
      {FactType::int_, "", std::nullopt},
      {FactType::int_, "99999999999999999999", std::nullopt},
      {FactType::bool_, "true", Value(true)},
      {FactType::bool_, "yes", std::nullopt},
      {FactType::path, "/srv", Value(std::string("/srv"))},
      {FactType::path, "", std::nullopt},
      {FactType::duration, "90", Value(Duration(90'000))},
      {FactType::duration, "1h", Value(Duration(3'600'000))},
      {FactType::duration, "9223372036854775807", std::nullopt},
      {FactType::size, "1024", Value(Size{1024})},
      {FactType::size, "-1", std::nullopt},
      {FactType::time, "2026-12-01T22:00:00Z",
       Value(Time{*parse_rfc3339("2026-12-01T22:00:00.000Z"), "UTC"})},
      {FactType::time, "tomorrow", std::nullopt},
      {FactType::list_of_string, "", Value(plan::List{})},
      {FactType::list_of_string, "a\nb\n",
       Value(plan::List{Value(std::string("a")), Value(std::string("b"))})},
  };
  for (const Row& row : rows) {
    const auto value = read_fact(row.type, Untrusted(row.text));
    ASSERT_EQ(value.has_value(), row.value.has_value()) << row.text;
    if (value) {
      EXPECT_EQ(*value, *row.value) << row.text;
    }
  }
}

TEST(Facts, AMessageShowsNoMoreThanTheBeginning) {
  plan::Action action;
  action.module = "m";
  action.returns = {{"n", FactType::int_}};
  const auto read = read_facts(action, {{"n", Untrusted(std::string(5000, 'x'))}}, true);
  ASSERT_FALSE(read);
  EXPECT_LT(read.error().what.size(), 300u);
}

TEST(Variables, TextsOfValues) {
  struct Row {
    Value value;
    std::optional<std::string> text;
  };
  const auto s = [](const char* text) { return Value(std::string(text)); };
  const Row rows[] = {
      {Value(), ""},
      {Value(true), "true"},
      {Value(std::int64_t{7}), "7"},
      {s("a b\nc"), "a b\nc"},
      {Value(Duration(1500)), "2"},
      {Value(Size{4096}), "4096"},
      {Value(Percent{25}), "25"},
      {Value(Time{*parse_rfc3339("2026-12-01T22:00:00.500Z"), "UTC"}), "2026-12-01T22:00:00Z"},
      {Value(plan::List{s("a"), s("b")}), "a\nb"},
      {Value(plan::List{}), ""},
      {Value(plan::List{s("a\nb")}), std::nullopt},
      {Value(plan::List{Value(plan::List{})}), std::nullopt},
      {Value(plan::Record{{"k", s("v")}, {"l", Value(true)}}), "k=v\nl=true"},
      {Value(plan::Record{{"k=", s("v")}}), std::nullopt},
      {Value(std::string("a\0b", 3)), std::nullopt},
      {Value(plan::SecretRef{0}), "hunter2"},
      {Value(plan::SecretRef{1}), std::nullopt},
  };
  const std::vector<Secret> secrets{Secret("hunter2")};
  for (const Row& row : rows) {
    bool secret = false;
    const auto text = script_text(row.value, secrets, secret);
    ASSERT_EQ(text.has_value(), row.text.has_value());
    if (text) {
      EXPECT_EQ(*text, *row.text);
    }
    EXPECT_EQ(secret, row.value.as<plan::SecretRef>() != nullptr);
  }
  plan::Param param;
  param.name = "programs";
  EXPECT_EQ(variable(param, Value(plan::List{s("a\nb")}), secrets).error().what,
            "the parameter `programs` has an item with a newline, and items are told apart by "
            "newlines");
}

TEST(Paths, AreComparedByComponents) {
  EXPECT_TRUE(path_under("/a/b", "/a"));
  EXPECT_TRUE(path_under("/a", "/a/"));
  EXPECT_TRUE(path_under("/a//b/../c", "/a/c"));
  EXPECT_TRUE(path_under("/a", "/"));
  EXPECT_FALSE(path_under("/a/bc", "/a/b"));
  EXPECT_FALSE(path_under("/a", "/a/b"));
}

}  // namespace
}  // namespace cnplay::run

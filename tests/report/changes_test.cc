#include "report/changes.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/json_text.h"
#include "support/events/story.h"

namespace cnplay::report {
namespace {

using namespace events;

class DryRun : public ::testing::Test {
 protected:
  DryRun() {
    plan_.play = "settings";
    plan_.inventory = "prod";
    for (const char* name : {"web1", "web2"}) {
      plan_.hosts.emplace_back();
      plan_.hosts.back().name = name;
    }
    step("settings/page", {"file.template", "file.mode"});
    step("settings/reload", {"sh"});
    RunStarted started;
    started.run = "20261120-213000-settings-4f2a";
    story_.tell(started);
  }

  void step(const char* path, std::vector<std::string> modules) {
    plan::Node node;
    node.id = static_cast<NodeId>(plan_.nodes.size());
    node.path = path;
    node.hosts = {0, 1};
    for (std::string& module : modules) {
      plan::Action action;
      action.module = std::move(module);
      action.where = "playbooks/settings.play:" + std::to_string(10 + node.actions.size());
      node.actions.push_back(action);
    }
    plan_.nodes.push_back(node);
  }

  void action(NodeId node, HostIndex host, std::uint32_t number, Outcome outcome,
              std::string message = {}, std::string diff = {}) {
    ActionEnded e;
    e.node = node;
    e.host = host;
    e.action = number;
    e.outcome = outcome;
    e.message = Untrusted(std::move(message));
    e.diff = Untrusted(std::move(diff));
    story_.tell(e);
  }
  void ended(NodeId node, HostIndex host, Outcome outcome, std::string reason = {}) {
    story_.tell(StepEnded{node, host, Part::forward, outcome, std::move(reason), Duration{1}});
  }
  nlohmann::json found(Verdict verdict = Verdict::success) {
    RunEnded end;
    end.verdict = verdict;
    story_.tell(end);
    return parse_json(changes_.json());
  }

  plan::Plan plan_;
  Changes changes_{plan_};
  testing::Story story_{changes_};
};

TEST_F(DryRun, EachActionThatWouldChangeIsListedWithItsDiff) {
  action(0, 0, 0, Outcome::would_change, "1 line", "-a\n+b\n");
  action(0, 0, 1, Outcome::ok, "as it should be");
  ended(0, 0, Outcome::would_change);
  EXPECT_EQ(found(), nlohmann::json::parse(R"({
    "version": 1, "run": "20261120-213000-settings-4f2a", "play": "settings", "inventory": "prod",
    "verdict": "success", "problems": [],
    "changes": [{"host": "web1", "step": "settings/page", "part": "forward",
                 "action": "file.template", "module": "file.template",
                 "where": "playbooks/settings.play:10", "outcome": "would_change",
                 "change": "1 line", "reason": "", "diff": "-a\n+b\n"}]})"));
}

TEST_F(DryRun, NothingToDoIsAnEmptyList) {
  action(0, 0, 0, Outcome::ok);
  action(0, 0, 1, Outcome::skipped);
  ended(0, 0, Outcome::ok);
  EXPECT_EQ(found()["changes"], nlohmann::json::array());
}

TEST_F(DryRun, TheOrderIsThePlansWhateverHostWasFirst) {
  action(1, 1, 0, Outcome::would_run);
  action(0, 1, 0, Outcome::would_change);
  action(1, 0, 0, Outcome::would_run);
  action(0, 0, 1, Outcome::depends);
  std::string order;
  const auto all = found();
  for (const auto& change : all["changes"]) {
    order += change["step"].get<std::string>() + " " + change["host"].get<std::string>() + " " +
             change["outcome"].get<std::string>() + "\n";
  }
  EXPECT_EQ(order,
            "settings/page web1 depends\nsettings/page web2 would_change\n"
            "settings/reload web1 would_run\nsettings/reload web2 would_run\n");
}

TEST_F(DryRun, OfAStepThatDependsEveryActionMightChangeSomething) {
  ended(0, 1, Outcome::depends, "depends on what `stop` would change");
  const auto changes = found()["changes"];
  ASSERT_EQ(changes.size(), 2u);
  for (const auto& change : changes) {
    EXPECT_EQ(change["outcome"], "depends");
    EXPECT_EQ(change["reason"], "depends on what `stop` would change");
    EXPECT_EQ(change["diff"], nullptr);
  }
}

TEST_F(DryRun, WhatCouldNotBeLookedAtIsAProblem) {
  story_.tell(HostUnreachable{1, "connection refused", "start sshd"});
  action(0, 0, 0, Outcome::failed, "no such user");
  ended(0, 0, Outcome::failed);
  const auto all = found(Verdict::failed);
  EXPECT_EQ(all["verdict"], "failed");
  EXPECT_EQ(all["problems"], nlohmann::json::parse(R"([
    {"host": "web2", "step": null, "message": "connection refused", "help": "start sshd"},
    {"host": "web1", "step": "settings/page", "message": "no such user", "help": ""}])"));
}

TEST_F(DryRun, ALongDiffIsCutAndSaysSo) {
  action(0, 0, 0, Outcome::would_change, "", std::string(std::size_t{1} << 20, 'x'));
  const auto change = found()["changes"][0];
  EXPECT_LT(change["diff"].get<std::string>().size(), std::size_t{70} << 10);
  EXPECT_GT(change["diff_left_out_bytes"].get<std::size_t>(), std::size_t{900} << 10);
}

TEST_F(DryRun, BytesThatAreNoTextDoNotBreakTheJson) {
  action(0, 0, 0, Outcome::would_change, "\x1b[31m\xff");
  EXPECT_EQ(found()["changes"][0]["change"], "\x1b[31m\xEF\xBF\xBD");
  EXPECT_EQ(changes_.json().find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace cnplay::report

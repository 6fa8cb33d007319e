// `env` and `path` in a plan: the document's example, which place wins, and what reaches whom.
#include <gtest/gtest.h>

#include "plan/succession.h"
#include "render/print.h"
#include "render/runbook.h"
#include "support/compile/world.h"
#include "support/source_directory.h"

namespace cnplay::testing {
namespace {

constexpr const char* kInventory = R"(inventory i {
  env { PLACE: "inventory", ALL: "${host}" }
  path ["/all"]
  group web {
    env { PLACE: "group", GROUP: "web" }
    path ["/group"]
    vars { app: "/srv/app" }
    host w[1..2]
  }
  group db {
    host d1 { env { PLACE: "host" }
      path ["~/host", "/d1"] }
  }
}
)";

const plan::Node& node_of(const plan::Plan& plan, const std::string& name) {
  for (const plan::Node& node : plan.nodes) {
    if (name_of(node) == name) return node;
  }
  throw std::logic_error("no node " + name);
}

// "NAME=value ..." as the host with this place in the node's set finds it, then its path.
std::string environment_of(const plan::Node& node, std::size_t position) {
  std::string out;
  for (const auto& variable : node.environment) {
    const auto* text = variable.value.at(position).as<std::string>();
    if (text != nullptr) out += variable.name + "=" + *text + " ";
  }
  if (node.search_path.empty()) return out;
  for (const auto& folder : *node.search_path.at(position).as<plan::List>()) {
    out += *folder.as<std::string>() + ":";
  }
  return out;
}

std::unique_ptr<World> compile_body(const std::string& body) {
  return compile_text(
      "play p \"P\" {\n  hosts web = group(\"web\")\n  hosts db = group(\"db\")\n" + body + "}\n",
      kInventory);
}

TEST(EnvironmentInAPlan, TheExampleOfTheLanguagesDocument) {
  const std::string document = read_text(source_directory() / "docs/language.md");
  const std::string mark = "<!-- environment -->\n```\n";
  const std::size_t begin = document.find(mark);
  ASSERT_NE(begin, std::string::npos);
  const std::string example = document.substr(
      begin + mark.size(), document.find("\n```", begin + mark.size()) - begin - mark.size() + 1);
  const auto world = compile_text("play p \"P\" {\n  hosts db = group(\"db\")\n" + example + "}\n",
                                  "inventory i { group db { host d1 } }\n");
  ASSERT_TRUE(world->plan) << world->text();
  EXPECT_EQ(plan::check_invariants(*world->plan), "");
  EXPECT_EQ(environment_of(node_of(*world->plan, "backup"), 0),
            "AWS_PROFILE=archive AWS_REGION=eu-central-1 ~/.local/bin:/opt/site/bin:");
}

TEST(EnvironmentInAPlan, TheInnermostPlaceWinsNameByName) {
  const auto world = compile_body(R"(  env { PLAY: "p", GROUP: "of the play" }
  path ["/play"]
  step plain on web { sh """:""" }
  step other on db { sh """:""" }
  phase one {
    env { PLACE: "phase" }
    path ["/phase"]
    step inner on web {
      env { PLAY: "step" }
      path ["/step"]
      sh """:"""
    }
    step beside on web { sh """:""" }
  }
  step below on web { sh """:""" }
)");
  ASSERT_TRUE(world->plan) << world->text();
  const plan::Plan& plan = *world->plan;
  EXPECT_EQ(plan::check_invariants(plan), "");
  EXPECT_EQ(environment_of(node_of(plan, "plain"), 1),
            "ALL=w2 GROUP=of the play PLACE=group PLAY=p /play:/group:/all:");
  EXPECT_EQ(environment_of(node_of(plan, "other"), 0),
            "ALL=d1 GROUP=of the play PLACE=host PLAY=p /play:~/host:/d1:/all:");
  EXPECT_EQ(environment_of(node_of(plan, "one/inner"), 0),
            "ALL=w1 GROUP=of the play PLACE=phase PLAY=step /step:/phase:/play:/group:/all:");
  EXPECT_EQ(environment_of(node_of(plan, "one/beside"), 0),
            "ALL=w1 GROUP=of the play PLACE=phase PLAY=p /phase:/play:/group:/all:");
  EXPECT_EQ(environment_of(node_of(plan, "below"), 0), environment_of(node_of(plan, "plain"), 0));
}

TEST(EnvironmentInAPlan, ReachesWhateverHasScripts) {
  const auto world = compile_body(R"(  env { PLACE: "play" }
  let todo = check on web { git.rebase(dir: "/srv", onto: "x") }
  step work on web { git.rebase(dir: "/srv", onto: "x") notify reload }
  phase one {
    env { PLACE: "phase" }
    do helper(web: web)
    step fails on web { sh """:""" }
    on_failure { step tell on web { sh """:""" } }
  }
  handler reload { sh """:""" }
  rollback back "Back" { step revert on web { sh """:""" } }
  always { step last on web { sh """:""" } }
}
procedure helper(web: hosts) {
  step help on web { sh """:""" }
)");
  ASSERT_TRUE(world->plan) << world->text();
  const plan::Plan& plan = *world->plan;
  EXPECT_EQ(plan::check_invariants(plan), "");
  const auto place = [&](const std::string& name) {
    const std::string all = environment_of(node_of(plan, name), 0);
    const std::size_t at = all.find("PLACE=") + 6;
    return all.substr(at, all.find(' ', at) - at);
  };
  for (const char* name :
       {"todo", "work", "handler:reload", "always/last", "rollback:back/revert"}) {
    EXPECT_EQ(place(name), "play") << name;
  }
  for (const char* name : {"one/helper/help", "one/fails", "one/on_failure/tell"}) {
    EXPECT_EQ(place(name), "phase") << name;
  }
}

TEST(EnvironmentInAPlan, TheControllerHasWhatThePlayAndTheInventoryItselfSay) {
  const auto world = compile_body(R"(  env { PLAY: "p" }
  step here on local { sh """:""" }
  step there on db { sh """:""" }
)");
  ASSERT_TRUE(world->plan) << world->text();
  EXPECT_EQ(environment_of(node_of(*world->plan, "here"), 0),
            "ALL=local PLACE=inventory PLAY=p /all:");
  EXPECT_EQ(environment_of(node_of(*world->plan, "there"), 0),
            "ALL=d1 PLACE=host PLAY=p ~/host:/d1:/all:");
}

TEST(EnvironmentInAPlan, IsOnlyWhereItIsSaid) {
  const auto world = compile_text(R"(play p "P" {
  hosts all = group("all")
  hostvar bin: path
  step a on all { sh """:""" }
  step b on host("w1") {
    env { BIN: "${bin}" }
    sh """:"""
  }
})",
                                  R"(inventory i {
  host w1 { vars { bin: "/srv/bin" }
    env { A: "1" } }
  host w2
})");
  ASSERT_TRUE(world->plan) << world->text();
  EXPECT_EQ(environment_of(node_of(*world->plan, "a"), 0), "A=1 ");
  EXPECT_EQ(environment_of(node_of(*world->plan, "a"), 1), "");
  EXPECT_EQ(environment_of(node_of(*world->plan, "b"), 0), "A=1 BIN=/srv/bin ");
  const auto without = compile_text(
      "play p \"P\" {\n  hosts all = group(\"all\")\n  step a on all { sh \"\"\":\"\"\" }\n}\n",
      "inventory i { host w1 }\n");
  ASSERT_TRUE(without->plan) << without->text();
  EXPECT_EQ(plan::to_json(*without->plan).find("environment"), std::string::npos);
}

// `set -u` would end a script that reads a name which is not there.
TEST(EnvironmentInAPlan, ScriptsMayReadTheNamesThatAllOfTheirHostsHave) {
  const auto good = compile_body(R"(  env { SITE: "x" }
  step a on web {
    sh """echo "$SITE $GROUP" """ unless sh """test -e "$SITE" """
    undo { sh """echo "$SITE" """ }
  }
  step b on web { if true { sh """echo "$SITE" """ } }
)");
  EXPECT_TRUE(good->plan) << good->text();
  const auto bad = compile_body("  step a on web | db { sh \"\"\"echo \"$GROUP\" \"\"\" }\n");
  EXPECT_FALSE(bad->plan);
  EXPECT_NE(bad->text().find("E0412"), std::string::npos) << bad->text();
}

TEST(EnvironmentInAPlan, IsReadBackAsItWasWritten) {
  const auto world = compile_body("  step a on web { sh \"\"\":\"\"\" }\n");
  ASSERT_TRUE(world->plan) << world->text();
  const auto again = plan::from_json(plan::to_json(*world->plan));
  ASSERT_TRUE(again) << again.error().what;
  EXPECT_EQ(environment_of(node_of(*again, "a"), 1), environment_of(node_of(*world->plan, "a"), 1));
  EXPECT_EQ(plan::hash(*again), plan::hash(*world->plan));
}

// What a resumed run with a fixed play may keep.
TEST(EnvironmentInAPlan, AnotherEnvironmentMakesAnotherStep) {
  const auto with = [](const std::string& line) {
    return compile_body("  step a on web {\n" + line + "    sh \"\"\":\"\"\"\n  }\n");
  };
  const auto before = with("    env { A: \"1\" }\n");
  const auto same = with("    env { A: \"1\" }\n");
  const auto other = with("    env { A: \"2\" }\n");
  const auto path = with("    env { A: \"1\" }\n    path [\"/x\"]\n");
  ASSERT_TRUE(before->plan && same->plan && other->plan && path->plan);
  EXPECT_TRUE(plan::Succession(*before->plan, *same->plan).same(0, 0));
  EXPECT_EQ(plan::Succession(*before->plan, *same->plan).common(0, 0), 1u);
  for (const auto* changed : {&other, &path}) {
    EXPECT_FALSE(plan::Succession(*before->plan, *(*changed)->plan).same(0, 0));
    EXPECT_EQ(plan::Succession(*before->plan, *(*changed)->plan).common(0, 0), 0u);
    EXPECT_NE(plan::hash(*before->plan), plan::hash(*(*changed)->plan));
  }
}

TEST(EnvironmentInAPlan, IsShownByPlanAndDocs) {
  const auto world = compile_body(R"(  step a on web | db {
    env { NOTE: "two words" }
    sh """:"""
  }
)");
  ASSERT_TRUE(world->plan) << world->text();
  const std::string printed = render::print(*world->plan, {});
  EXPECT_NE(printed.find("PATH={w1, w2: /group:/all:..., d1: ~/host:/d1:/all:...}"),
            std::string::npos)
      << printed;
  EXPECT_NE(printed.find("NOTE=\"two words\""), std::string::npos) << printed;
  render::RunbookOptions options;
  options.title_of = [](std::string_view) { return std::string(); };
  options.commands_of = options.title_of;
  const std::string book = render::to_markdown(render::runbook(*world->plan, options));
  EXPECT_NE(book.find("**In the environment of its commands:** `PATH="), std::string::npos) << book;
  EXPECT_NE(book.find("`NOTE=\"two words\"`"), std::string::npos) << book;
}

}  // namespace
}  // namespace cnplay::testing

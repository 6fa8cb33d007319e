// The plans of whole plays: nodes, edges, values; and how long it takes to make a large one.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "plan/plan.h"
#include "render/print.h"
#include "support/compile/world.h"
#include "support/golden.h"
#include "support/source_directory.h"
#include "syntax/parse.h"

namespace cnplay::testing {
namespace {

namespace fs = std::filesystem;

std::string describe_column(const plan::Column& column, const plan::Plan& plan) {
  std::string out;
  for (const auto& value : column.values()) {
    out += (out.empty() ? "" : " / ") + plan::describe(value, plan);
  }
  if (column.uniform()) return out;
  out += " by";
  for (const auto i : column.index()) out += " " + std::to_string(i);
  return out;
}

std::string describe(const plan::Human& human, const plan::Plan& plan) {
  static const char* const kinds[] = {"manual", "approve", "ask"};
  std::string out = std::string("    ") + kinds[static_cast<int>(human.kind)];
  for (const auto& who : human.by) out += " " + who;
  if (human.count != 1) out += " count " + std::to_string(human.count);
  if (!human.fallback.is_none()) out += " default " + plan::describe(human.fallback, plan);
  out += "\n";
  for (const auto& item : human.items) out += "    item " + plan::describe(item, plan) + "\n";
  for (const auto& q : human.questions) {
    out += "    asks " + q.name + " type " + std::to_string(static_cast<int>(q.type));
    for (const auto& choice : q.choices) out += " " + choice;
    out += " " + plan::describe(q.text, plan) + "\n";
  }
  return out;
}

// Every node with its edges and actions, in words that do not change with the printer's taste.
std::string describe(const plan::Plan& plan) {
  static const char* const kinds[] = {"step",  "barrier", "pivot", "wait",     "phase_end",
                                      "flush", "handler", "human", "batch_end"};
  std::string out;
  const auto action = [&](const plan::Action& a, const char* lead) {
    out += lead + a.module;
    for (const auto& p : a.params) {
      out += " " + p.name + (p.secret ? "(secret)" : "") + "=" + describe_column(p.value, plan);
    }
    if (!a.become.empty()) out += " as " + a.become;
    if (!a.when.empty()) out += " when " + describe_column(a.when, plan);
    if (a.check == plan::kNone) out += " (no check)";
    if (a.alone) out += " (checked alone)";
    for (const auto id : a.notify) out += " notify " + plan.nodes[id].path;
    out += "\n";
  };
  for (const auto& node : plan.nodes) {
    out += std::string(kinds[static_cast<int>(node.kind)]) + " " + node.path;
    if (node.once) out += " once";
    for (const auto h : node.hosts) out += " " + plan.hosts[h].name;
    if (!node.made_from.empty()) out += " made from";
    for (const auto h : node.made_from) out += " " + plan.hosts[h].name;
    if (node.retry.times)
      out += " retry " + std::to_string(node.retry.times) + " every " +
             format_duration(node.retry.every);
    if (node.timeout) out += " timeout " + format_duration(*node.timeout);
    if (node.expect) out += " expect " + format_duration(*node.expect);
    if (node.testing) out += " testing";
    if (node.tolerate) out += " tolerate " + std::to_string(node.tolerate);
    if (!node.when.empty()) out += " when " + describe_column(node.when, plan);
    if (!node.until.is_none()) out += " until " + plan::describe(node.until, plan);
    if (node.phase != plan::kNone) out += " in " + plan.phases[node.phase].path;
    out += "\n";
    for (const auto& edge : node.after) {
      out += std::string("    after ") + (edge.kind == plan::EdgeKind::all_hosts ? "all of " : "") +
             plan.nodes[edge.from].path + "\n";
    }
    if (node.human) out += describe(*node.human, plan);
    for (const auto& a : node.actions) action(a, "    ");
    for (const auto& a : node.undo) action(a, "    undo ");
  }
  for (const auto& response : plan.on_failure) {
    out += "on_failure";
    for (const auto& one : response.responses) {
      static const char* const names[] = {"undo all", "hold", "offer", "section"};
      out += std::string(" [") + names[static_cast<int>(one.kind)] + "]";
      if (one.kind == plan::ResponseKind::hold) out += " " + plan::describe(one.message, plan);
      for (const auto& name : one.rollbacks) out += " " + name;
      if (one.kind == plan::ResponseKind::section || one.kind == plan::ResponseKind::offer) {
        for (const auto id : plan.sections[one.section].nodes) out += " " + plan.nodes[id].path;
      }
    }
    out += "\n";
  }
  const auto where = [&](std::uint32_t phase) {
    return phase == plan::kNone ? plan.play : plan.phases[phase].path;
  };
  for (const auto& phase : plan.phases) {
    if (phase.when.is_none()) continue;
    out += "phase " + phase.path + " when " + plan::describe(phase.when, plan) + "\n";
  }
  for (const auto& way : plan.rollbacks) {
    out += "rollback " + way.name + " \"" + way.title + "\"";
    for (const auto id : plan.sections[way.section].nodes) out += " " + plan.nodes[id].path;
    out += "\n";
  }
  for (const auto& d : plan.deadlines) {
    out += "deadline of " + where(d.phase) + " at " + plan::describe(d.at, plan) + " else " +
           d.rollback + "\n";
  }
  if (plan.window) {
    out += "window " + plan::describe(plan.window->from, plan) + " to " +
           plan::describe(plan.window->to, plan) + "\n";
  }
  return out;
}

class Plans : public ::testing::TestWithParam<const char*> {};

TEST_P(Plans, AreWhatTheyShouldBe) {
  const std::string name = GetParam();
  const auto world =
      compile_file(source_directory() / "tests/golden/compile/plans", name + ".play");
  ASSERT_TRUE(world->plan) << world->text();
  EXPECT_EQ("", plan::check_invariants(*world->plan));
  const auto copy = plan::from_json(plan::to_json(*world->plan));
  ASSERT_TRUE(copy);
  EXPECT_EQ(plan::hash(*world->plan), plan::hash(*copy));
  expect_golden("compile/plans/" + name + ".txt", describe(*world->plan));
}

INSTANTIATE_TEST_SUITE_P(Golden, Plans,
                         ::testing::Values("serial", "parallel", "control", "human", "launch",
                                           "ways_back", "batches", "check"),
                         [](const auto& info) { return std::string(info.param); });

TEST(Plan, TheHashDoesNotDependOnNow) {
  // `now` stays an expression, so two compilations give one plan.
  const std::string play =
      "play p \"P\" {\n  hosts web = group(\"web\")\n  wait until now + 5m\n"
      "  step s on web { sh(t: now) \"\"\"echo \"$t\" \"\"\" }\n}\n";
  const std::string inventory = "inventory i { group web { host a } }\n";
  const auto one = compile_text(play, inventory);
  const auto two = compile_text(play, inventory);
  ASSERT_TRUE(one->plan && two->plan) << one->text();
  EXPECT_EQ(plan::hash(*one->plan), plan::hash(*two->plan));
}

TEST(Plan, TheProgramsHashIsThatOfTheTexts) {
  const std::string play =
      "play p \"P\" {\n  hosts web = group(\"web\")\n  step s on web { sh \"\"\"true\"\"\" }\n}\n";
  const auto here = compile_text(play, "inventory i { group web { host a } }\n");
  const auto there = compile_text(play, "inventory j { group web { host b[1..5] } }\n");
  const auto other = compile_text("# another\n" + play, "inventory i { group web { host a } }\n");
  ASSERT_TRUE(here->plan && there->plan && other->plan);
  EXPECT_EQ(here->plan->program_hash, there->plan->program_hash);
  EXPECT_NE(here->plan->program_hash, other->plan->program_hash);
}

// `db1` says `port` as a string, and its `app` is a secret: that is for the plays that read them
// there.
TEST(HostVariables, OfHostsThatReadThemAloneAreHeldToTheirType) {
  const std::string inventory =
      "inventory i {\n  group web { host web1 { vars { port: 80, app: \"/srv\" } } }\n"
      "  group db { host db1 { vars { port: \"5432\", app: env(\"APP\") } } }\n}\n";
  const auto on = [&](const std::string& set) {
    return compile_text(
        "play p \"P\" {\n  hosts web = group(\"web\")\n  hosts db = group(\"db\")\n"
        "  hostvar port: int\n  hostvar app: path\n  let twice = port * 2\n"
        "  step other on db { sh \"\"\"true\"\"\" }\n"
        "  step s on " +
            set +
            " { sh(port: port, app: app, twice: twice) "
            "\"\"\"echo $port $app $twice\"\"\" }\n}\n",
        inventory);
  };
  EXPECT_TRUE(on("web")->plan) << on("web")->text();
  for (const std::string set : {"db", "web | db"}) {
    const auto wrong = on(set);
    EXPECT_FALSE(wrong->plan);
    EXPECT_EQ(wrong->diags.errors(), 2U) << "each once: " << wrong->text();
    EXPECT_NE(wrong->text().find("error[E0213]: host variable `port` of `db1` does not fit"),
              std::string::npos)
        << wrong->text();
    EXPECT_NE(wrong->text().find("error[E0305]: the secret host variable `app` of `db1`"),
              std::string::npos);
  }
}

TEST(Plan, AnEmptyMapIsAnEmptyRecordAndNotMissing) {
  const auto world = compile_text(
      "play p \"P\" {\n  hosts web = group(\"web\")\n  param m: map<string> = {}\n"
      "  step a on web { sh(m: m) \"\"\"echo \"$m\" \"\"\" }\n}\n",
      "inventory i { group web { host a } }\n");
  ASSERT_TRUE(world->plan) << world->text();
  const auto copy = plan::from_json(plan::to_json(*world->plan));
  ASSERT_TRUE(copy);
  for (const plan::Plan* plan : std::initializer_list<const plan::Plan*>{&*world->plan, &*copy}) {
    const auto& params = plan->nodes.at(0).actions.at(0).params;
    ASSERT_EQ(params.size(), 1U);
    const auto* record = params[0].value.at(0).as<plan::Record>();
    ASSERT_NE(record, nullptr);
    EXPECT_TRUE(record->empty());
  }
}

// What is left out may be another for each host; the directory stands in the plan once.
TEST(Plan, ATreeIsListedForTheHostsThatGetTheSame) {
  const fs::path files = source_directory() / "tests/golden/compile/files";
  const auto world = compile_text(
      "play p \"P\" {\n  hosts web = group(\"web\")\n  hostvar without: list<string>\n"
      "  step tree on web { file.sync(src: \"" +
          files.string() + "\", dest: \"/a\", exclude: without) }\n}\n",
      "inventory i {\n  group web {\n    vars { without: [\"nul.txt\"] }\n    host a\n    host "
      "b {}\n"
      "    host c { vars { without: [\"nul.txt\", \"site.conf\"] } }\n  }\n}\n");
  ASSERT_TRUE(world->plan) << world->text();
  ASSERT_EQ(world->plan->trees.size(), 1U);
  EXPECT_EQ(world->plan->trees[0].found_at, "/play/" + files.string());
  const plan::Action& action = world->plan->nodes.at(0).actions.at(0);
  EXPECT_EQ(action.sends_tree, "src");
  const auto param = std::ranges::find(action.params, "src_manifest", &plan::Param::name);
  ASSERT_NE(param, action.params.end());
  ASSERT_EQ(param->value.values().size(), 2U);
  const auto lines = [&](std::size_t host) {
    const std::string text = *param->value.at(host).as<std::string>();
    return std::count(text.begin(), text.end(), '\n') + 1;
  };
  EXPECT_EQ(lines(0), 2);
  EXPECT_EQ(lines(1), 2);
  EXPECT_EQ(lines(2), 1);
  EXPECT_EQ(plan::check_invariants(*world->plan), "");
  const auto copy = plan::from_json(plan::to_json(*world->plan));
  ASSERT_TRUE(copy);
  EXPECT_EQ(plan::hash(*copy), plan::hash(*world->plan));
}

TEST(Plan, ThreeHundredLinesForAThousandHosts) {
  std::string play =
      "play big \"Big\" {\n  hosts web = group(\"web\")\n  hostvar app: path\n"
      "  hostvar venv: path\n  hostvar settings: string\n  hostvar own: string\n"
      "  let site = { dir: app, venv: venv, settings: settings }\n";
  for (int i = 0; i < 145; ++i) {
    const std::string n = std::to_string(i);
    play += i % 2 == 0 ? "  step s" + n + " on web { django.migrate(..site) }\n  # a comment\n"
                       : "  step s" + n + " on web { let m = git.rebase(dir: \"${app}/" + n +
                             "\", onto: \"origin/${own}\")\n"
                             "    undo { git.reset(dir: app, to: saved.before) } }\n";
  }
  play += "}\n";
  const std::string inventory =
      "inventory big {\n  vars { settings: \"x\" }\n  group web {\n    vars { app: \"/cnhome\", "
      "venv: \"/srv/venv\" }\n"
      "    host web[1..1000] { vars { own: \"branch-${index}\" } }\n  }\n}\n";
  const auto warm = compile_text(play, inventory);
  ASSERT_TRUE(warm->plan) << warm->text();
  // Compiled again alone: without reading the inventory and the modules.
  compile::Input input;
  input.sources = &warm->sources;
  input.play = &warm->sources.add("again.play", play);
  input.inventory = warm->inventory.get();
  input.catalog = &warm->catalog;
  const auto parse_begin = std::chrono::steady_clock::now();
  syntax::parse(*input.play, warm->diags);
  const auto parse = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - parse_begin);
  const auto begin = std::chrono::steady_clock::now();
  const auto plan = compile::compile(input, warm->diags);
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - begin);
  ASSERT_TRUE(plan);
  EXPECT_EQ(1000u, plan->hosts.size());
  EXPECT_EQ(145u, plan->nodes.size());
  RecordProperty("microseconds", static_cast<int>(took.count()));
  std::printf("300 lines x 1000 hosts: %.1f ms, of these %.1f ms parsing\n",
              static_cast<double>(took.count()) / 1000, static_cast<double>(parse.count()) / 1000);
}

TEST(Plan, OneByOneThroughAHundredHosts) {
  std::string play =
      "play big \"Big\" {\n  hosts web = group(\"web\")\n  hostvar own: string\n"
      "  phase p serial 1 {\n";
  for (int i = 0; i < 10; ++i) {
    const std::string n = std::to_string(i);
    play += "    step s" + n + " on web { let m = git.rebase(dir: \"/srv/${own}\", onto: \"x" + n +
            "\") }\n" + "    step t" + n + " on web { sh(x: s" + n +
            ".m.before) \"\"\"echo \"$x\" \"\"\" }\n" + "    if true { step u" + n +
            " on web { sh \"\"\"true\"\"\" } } else { barrier }\n";
  }
  play += "  }\n}\n";
  const auto begin = std::chrono::steady_clock::now();
  const auto world = compile_text(
      play, "inventory big { group web { host web[1..100] { vars { own: \"o${index}\" } } } }\n");
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - begin);
  ASSERT_TRUE(world->plan) << world->text();
  EXPECT_EQ(100u * 31 + 1, world->plan->nodes.size());  // with the end of each batch
  std::printf("3000 nodes of 100 batches: %lld ms\n", static_cast<long long>(took.count()));
}

TEST(Secrets, TheVaultsAreNamedByTheirPaths) {
  const std::string play = R"(play p "A play" {
  hosts web = group("all")
  param fresh: bool = false
  secret key = vault("prod/key")
  secret same = vault("prod/key")
  secret first = generate(length: 40)
  secret second = generate(path: "db/root", length: 24, rotate: fresh)
  step fine on web { sh """true""" }
}
)";
  const std::string inventory = "inventory i { host web1 }\n";
  using Words = std::vector<std::string>;
  for (const auto& [line, rotate] :
       std::vector<std::pair<std::string, std::string>>{{"# vault: prod/key other\n", "once"},
                                                        {"# vault closed\n", "once"},
                                                        {"# -e fresh=true\n", "rotate"}}) {
    const auto world = compile_text(line + play, inventory);
    ASSERT_TRUE(world->plan) << world->text();
    const auto& secrets = world->plan->secrets;
    ASSERT_EQ(secrets.size(), 3u);
    EXPECT_EQ(secrets[0].kind, plan::SecretSource::Kind::vault);
    EXPECT_EQ(secrets[0].arguments, Words{"prod/key"});
    EXPECT_EQ(secrets[1].kind, plan::SecretSource::Kind::generate);
    EXPECT_EQ(secrets[1].arguments, (Words{"p/first", "40", "once"}));
    EXPECT_EQ(secrets[2].arguments, (Words{"db/root", "24", rotate}));
    const std::string printed = render::print(*world->plan, {});
    EXPECT_NE(printed.find("key: of the vault: prod/key"), std::string::npos) << printed;
    EXPECT_NE(printed.find("kept in the vault as p/first"), std::string::npos) << printed;
  }
}

// Nobody is asked for a password on behalf of a play that has other mistakes, or needs no vault.
TEST(Secrets, TheVaultIsOpenedForAGoodPlayAlone) {
  const std::string inventory = "inventory i { host web1 }\n";
  const auto mistaken = compile_text(
      "# vault error: it was opened\nplay p \"A\" {\n  hosts web = group(\"all\")\n"
      "  secret key = vault(\"prod/key\")\n  step s on wbe { sh \"\"\"true\"\"\" }\n}\n",
      inventory);
  EXPECT_EQ(mistaken->diags.errors(), 1u) << mistaken->text();
  EXPECT_EQ(mistaken->text().find("it was opened"), std::string::npos);
  const auto without = compile_text(
      "# vault error: it was opened\nplay p \"A\" {\n  hosts web = group(\"all\")\n"
      "  secret key = env(\"KEY\")\n  step s on web { sh \"\"\"true\"\"\" }\n}\n",
      inventory);
  EXPECT_TRUE(without->plan) << without->text();
}

}  // namespace
}  // namespace cnplay::testing

// What the built-in modules touch: each that changes something declares it, and of every two that
// share a thing the plan has the later one depend on the earlier.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "cli/commands.h"
#include "cli/project.h"
#include "compile/things.h"

namespace cnplay::cli {
namespace {

namespace fs = std::filesystem;

class Elsewhere {
 public:
  Elsewhere() : before_(fs::current_path()) {
    std::string name = fs::temp_directory_path() / "cnplay-touches-XXXXXX";
    fs::current_path(::mkdtemp(name.data()));
  }
  ~Elsewhere() {
    const fs::path here = fs::current_path();
    fs::current_path(before_);
    fs::remove_all(here);
  }
  Elsewhere(const Elsewhere&) = delete;
  Elsewhere& operator=(const Elsewhere&) = delete;

 private:
  fs::path before_;
};

void write(const std::string& name, const std::string& text) {
  if (fs::path(name).has_parent_path()) fs::create_directories(fs::path(name).parent_path());
  std::ofstream(name) << text;
}

// Named so that two modules mean the same service, package, program, site and database.
std::string value_of(const catalog::Module& module, const catalog::Param& param) {
  const std::string& type = param.type->name.text;
  if (param.name == module.sends_tree) return "\"a.tree\"";
  if (param.name == "fingerprints") return "[]";
  if (type == "path") return "\"/srv/" + param.name + "\"";
  if (type == "int") return "3";
  if (type == "bool") return "true";
  if (type == "enum") return "\"" + param.type->alternatives[0].text + "\"";
  if (type == "duration") return "90s";
  if (type == "time") return "now + 1h";
  if (type == "list") {
    return param.type->args[0].name.text == "path" ? "[\"/srv/nginx\"]" : "[\"nginx\"]";
  }
  if (param.name == "url" || param.name == "key_url") return "\"https://localhost/\"";
  if (param.name == "to") return "\"got/\"";
  return param.name == "src" ? "\"a.txt\"" : "\"nginx\"";
}

std::string call_of(const catalog::Module& module) {
  std::string arguments;
  for (const auto& param : module.params) {
    // A `unit` has a default, and shall be the service that the others mean.
    const bool may_be_left = param.fallback != nullptr || param.type->optional;
    if (may_be_left && param.name != "unit") continue;
    arguments += (arguments.empty() ? "" : ", ") + param.name + ": " + value_of(module, param);
  }
  return module.name + "(" + arguments + ")";
}

std::string text_of_thing(const syntax::StringLit& thing) {
  std::string out;
  for (const auto& part : thing.parts) {
    const auto* ref = part.expr ? std::get_if<syntax::NameRef>(&part.expr->node) : nullptr;
    out += ref != nullptr ? "${" + ref->name.text + "}" : part.text;
  }
  return out;
}

// `service` of "service:${name}", or the whole path.
std::set<std::string> kinds(const std::vector<const syntax::StringLit*>& things) {
  std::set<std::string> out;
  for (const auto* thing : things) {
    const std::string text = text_of_thing(*thing);
    out.insert(text.starts_with('/') ? text : text.substr(0, text.find(':')));
  }
  return out;
}

bool share(const catalog::Module& a, const catalog::Module& b) {
  std::set<std::string> looks = kinds(b.looks);
  looks.merge(kinds(b.touches));
  return std::ranges::any_of(kinds(a.touches),
                             [&](const auto& kind) { return looks.contains(kind); });
}

plan::Plan plan_of(const std::string& play) {
  write("it.play", play);
  Options options;
  options.play = "it.play";
  options.inventory = "one.inv";
  Project project;
  const Status loaded = load(project, options);
  EXPECT_TRUE(loaded) << (loaded ? "" : loaded.error().what);
  EXPECT_TRUE(project.plan) << diag::to_text(project.diags, project.sources, false) << play;
  return project.plan ? *project.plan : plan::Plan();
}

struct Files : Elsewhere {
  Files() {
    write("a.txt", "a text\n");
    write("a.tree/x", "a text\n");
    write("one.inv", R"(inventory one {
  group web {
    host web1 { vars { unit: "on-web1" } }
    host web2 { vars { unit: "on-web2" } }
  }
}
)");
  }
};

const std::string kHead = "play all \"All\" {\n  hosts web = group(\"web\")\n";

TEST(Touches, EachModuleThatChangesSomethingDeclaresIt) {
  Project project;
  ASSERT_TRUE(load_modules(project));
  for (const auto& name : project.catalog.names()) {
    const catalog::Module& module = *project.catalog.find(name);
    // Nobody knows what a command of the site does.
    const bool unknown = name == "django.manage" || name == "eb.run" || name == "zappa.manage";
    const bool declares = !module.touches.empty() || !module.writes.empty();
    EXPECT_EQ(declares, module.apply && !unknown) << name;
  }
}

TEST(Touches, OfEveryTwoModulesThatShareAThingTheLaterDepends) {
  const Files files;
  Project project;
  ASSERT_TRUE(load_modules(project));
  std::string play = kHead;
  std::vector<const catalog::Module*> modules;
  for (int round = 0; round < 2; ++round) {
    for (const auto& name : project.catalog.names()) {
      modules.push_back(project.catalog.find(name));
      play += "  step s" + std::to_string(modules.size()) + " on web { " +
              call_of(*modules.back()) + " }\n";
    }
  }
  const plan::Plan plan = plan_of(play + "}\n");
  std::vector<const plan::Action*> actions;
  std::vector<plan::NodeId> nodes;
  for (const plan::Node& node : plan.nodes) {
    if (node.kind != plan::NodeKind::step) continue;
    actions.push_back(&node.actions.at(0));
    nodes.push_back(node.id);
  }
  ASSERT_EQ(actions.size(), modules.size());
  std::size_t pairs = 0;
  for (std::size_t later = 0; later < modules.size(); ++later) {
    for (std::size_t earlier = 0; earlier < modules.size(); ++earlier) {
      const auto& all = actions[later]->depends_on;
      const bool depends =
          std::ranges::find(all, nodes[earlier], &plan::Dependence::node) != all.end();
      const bool expected =
          earlier < later && modules[later]->check && share(*modules[earlier], *modules[later]);
      EXPECT_EQ(depends, expected) << modules[earlier]->name << ", then " << modules[later]->name;
      pairs += expected ? 1 : 0;
    }
  }
  EXPECT_GT(pairs, 50U);
}

std::vector<std::string> things(const plan::Plan& plan, const std::string& step) {
  std::vector<std::string> out;
  for (const plan::Node& node : plan.nodes) {
    if (!node.path.ends_with("/" + step)) continue;
    for (const plan::Dependence& d : node.actions.at(0).depends_on) {
      std::string hosts;
      for (const plan::HostIndex h : d.hosts) hosts += " " + plan.hosts[h].name;
      out.push_back(plan.nodes[d.node].title + " " + d.thing + hosts);
    }
  }
  return out;
}

TEST(Touches, OfTheSameNameAndHostAlone) {
  using Lines = std::vector<std::string>;
  const Files files;
  const plan::Plan plan = plan_of(kHead + R"(
  hostvar unit: string
  hosts one = host("web1")
  hosts two = host("web2")
  step stop on one { service.stop(name: "nginx.service") }
  step other on one { service.start(name: "redis") }
  step elsewhere on two { service.start(name: "nginx") }
  step start on web { service.start(name: "nginx") }
  step all on one { supervisor.stop(programs: ["site:*", "mail"]) }
  step site on one { supervisor.start(programs: ["site"]) }
  step unit on one { file.copy(src: "a.txt", dest: "/etc/systemd/system/x.service") }
  step after_unit on one { service.start(name: "x") }
  step repo on two { apt.repository(name: "nginx", url: "https://localhost/", key_url: "https://localhost/key") }
  step key on two { file.copy(src: "a.txt", dest: "/etc/apt/keyrings/nginx.gpg") }
  step keys on two { file.sync(src: "a.tree", dest: "/etc/apt/keyrings") }
  step no_key on two { file.copy(src: "a.txt", dest: "/etc/apt/keyrings/nginx.gpg.old") }
  step by_host on web { service.stop(name: "${unit}") }
  step one_of_them on web { service.start(name: "on-web2") }
}
)");
  EXPECT_EQ(things(plan, "other"), Lines{});
  EXPECT_EQ(things(plan, "elsewhere"), Lines{});
  EXPECT_EQ(things(plan, "start"),
            (Lines{"stop service:nginx.service", "elsewhere service:nginx"}));
  EXPECT_EQ(things(plan, "site"), Lines{"all supervisor:site:*"});
  EXPECT_EQ(things(plan, "after_unit"), Lines{"unit /etc/systemd/system/x.service"});
  EXPECT_EQ(things(plan, "key"), Lines{"repo /etc/apt/keyrings/nginx.gpg"});
  EXPECT_EQ(things(plan, "keys"), Lines{"repo /etc/apt/keyrings/nginx.gpg"});
  EXPECT_EQ(things(plan, "no_key"), Lines{});
  EXPECT_EQ(things(plan, "one_of_them"),
            (Lines{"unit /etc/systemd/system/x.service", "by_host service:on-web2 web2"}));
}

// What a step would find is known only in a run: it may be any.
TEST(Touches, ANameThatIsNotKnownYetMayBeAny) {
  const Files files;
  const plan::Plan plan = plan_of(kHead + R"(
  step code on web { let it = git.rebase(dir: "/srv/x", onto: "origin/main") }
  step stop on web { service.stop(name: "x-${code.it.target}") }
  step start on web { service.start(name: "x-1") }
  step other on web { supervisor.start(programs: ["x-1"]) }
}
)");
  EXPECT_EQ(things(plan, "start"), std::vector<std::string>{"stop service:*"});
  EXPECT_EQ(things(plan, "other"), std::vector<std::string>{});
}

TEST(Touches, APlanOfAnOlderVersionHasTheSameHash) {
  const Files files;
  plan::Plan plan = plan_of(kHead + R"(
  step stop on web { service.stop(name: "nginx") }
  step start on web { service.start(name: "nginx") }
}
)");
  const std::string hash = plan::hash(plan);
  auto read = plan::from_json(plan::to_json(plan));
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(things(*read, "start"), std::vector<std::string>{"stop service:nginx"});
  for (plan::Node& node : plan.nodes) {
    for (plan::Action& action : node.actions) {
      action.touches.clear();
      action.depends_on.clear();
    }
  }
  EXPECT_EQ(plan::hash(plan), hash);
  EXPECT_EQ(plan::to_json(plan).find("depends_on"), std::string::npos);
}

}  // namespace
}  // namespace cnplay::cli

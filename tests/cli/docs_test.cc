// `cnplay docs` on the playbooks of the repository, word by word; and on every module: what it says
// to type reads as shell text, and reads no name that it does not set.
#include <gtest/gtest.h>
#include <unistd.h>
#include <algorithm>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "catalog/embedded.h"
#include "cli/commands.h"
#include "cli/project.h"
#include "shell/scan.h"
#include "support/cli/captured.h"
#include "support/golden.h"
#include "support/source_directory.h"

namespace cnplay::cli {
namespace {

namespace fs = std::filesystem;
using cnplay::testing::expect_golden;

// Somewhere else for the time of a test.
class In {
 public:
  explicit In(const fs::path& directory) : before_(fs::current_path()) {
    fs::current_path(directory);
  }
  ~In() { fs::current_path(before_); }
  In(const In&) = delete;
  In& operator=(const In&) = delete;

 private:
  fs::path before_;
};

using cnplay::testing::Answer;

Answer docs(Options options) {
  options.command = Command::docs;
  options.colour = "never";
  return cnplay::testing::captured([&] { return docs_command(options); });
}

Answer docs(const std::string& play, const std::string& inventory,
            const std::string& format = "markdown") {
  Options options;
  options.play = play;
  options.inventory = inventory;
  options.docs_format = format;
  return docs(options);
}

const fs::path kRepository = source_directory();

class Folder {
 public:
  Folder() {
    std::string name = fs::temp_directory_path() / "cnplay-docs-XXXXXX";
    path = ::mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  void write(const std::string& name, const std::string& text) const {
    fs::create_directories((path / name).parent_path());
    std::ofstream(path / name) << text;
  }
  fs::path path;
};

TEST(Docs, UpdateCode) {
  const In in(kRepository);
  const Answer markdown = docs("update_code.play", "staging");
  EXPECT_EQ(markdown.code, kSuccess) << markdown.err;
  expect_golden("docs/update_code.md", markdown.out);
  const Answer html = docs("update_code.play", "staging", "html");
  EXPECT_EQ(html.code, kSuccess) << html.err;
  expect_golden("docs/update_code.html", html.out);
}

// With people in it.
TEST(Docs, ReplaceDisk) {
  const In in(kRepository);
  const Answer answer = docs("replace_disk.play", "staging");
  EXPECT_EQ(answer.code, kSuccess) << answer.err;
  expect_golden("docs/replace_disk.md", answer.out);
}

// Files that are sent, rendered and fetched; a path in the home directory.
TEST(Docs, Files) {
  const Folder folder;
  folder.write("x.conf", "port ${port}\n");
  folder.write("two.inv", "inventory two { group web { host web[1..2] } }\n");
  folder.write("p.play", R"(play p "Files" {
  hosts web = group("web")
  let port = 80
  step send on web { file.copy(src: "x.conf", dest: "~/x.conf", mode: "0600") }
  step render on web { file.template(src: "x.conf", dest: "/etc/x.conf") as root }
  step fetch on web { file.fetch(src: "/var/log/x", to: "logs/") }
  step tree on web { file.sync(src: "tree", dest: "/srv/x", delete: true) as root }
}
)");
  folder.write("tree/x", "a text\n");
  const In in(folder.path);
  const Answer answer = docs("p.play", "two.inv");
  EXPECT_EQ(answer.code, kSuccess) << answer.err;
  expect_golden("docs/files.md", answer.out);
}

TEST(Docs, UpdateCodeWithoutAnInventory) {
  const In in(kRepository);
  const Answer answer = docs("update_code.play", "");
  EXPECT_EQ(answer.code, kSuccess) << answer.err;
  expect_golden("docs/update_code_generic.md", answer.out);
}

// Handlers, waits for a fixed time, phases in phases, what is done on a failure: with the modules
// of the compiler's tests.
TEST(Docs, Control) {
  const In in(source_directory() / "tests/compile");
  const fs::path plans = "../golden/compile/plans";
  Options options;
  options.play = plans / "control.play";
  options.inventory = plans / "default.inv";
  options.extra = {"count=2"};
  options.limit = "web";
  const Answer answer = docs(options);
  EXPECT_EQ(answer.code, kSuccess) << answer.err;
  expect_golden("docs/control.md", answer.out);
}

// Ways back, what offers them, a deadline and a window.
TEST(Docs, WaysBack) {
  const In in(source_directory() / "tests/compile");
  const fs::path plans = "../golden/compile/plans";
  Options options;
  options.play = plans / "launch.play";
  options.inventory = plans / "default.inv";
  const Answer answer = docs(options);
  EXPECT_EQ(answer.code, kSuccess) << answer.err;
  EXPECT_NE(answer.out.find("## Rollback dns: Back to the old domain"), std::string::npos);
  expect_golden("docs/launch.md", answer.out);
}

TEST(Docs, EachPlayOfTheHandbookIsDescribed) {
  const In in(kRepository);
  int plays = 0;
  for (const auto& entry : fs::directory_iterator("playbooks")) {
    if (entry.path().extension() != ".play") continue;
    ++plays;
    std::ostringstream content;
    content << std::ifstream(entry.path()).rdbuf();
    const std::string text = content.str();
    const auto has = [&](const char* words) { return text.find(words) != std::string::npos; };
    Options options;
    options.play = entry.path().filename();
    options.inventory = "staging";
    options.docs_format = "markdown";
    if (has("param version: string ")) options.extra = {"version=v1"};
    const Answer answer = docs(options);
    // The vault is the user's.
    const bool vault = has("= vault(") || has("= generate(");
    EXPECT_EQ(answer.code, vault ? kRefused : kSuccess) << entry.path() << "\n" << answer.err;
    EXPECT_EQ(answer.err.find("there is no vault") != std::string::npos, vault) << answer.err;
  }
  EXPECT_GE(plays, 9);
}

// --- without an inventory

Answer generic(const std::string& body) {
  const Folder folder;
  folder.write("p.play", "play p \"P\" {\n" + body + "\n}\n");
  const In in(folder.path);
  return docs("p.play", "");
}

TEST(DocsGeneric, WhatTheInventoryDecidesIsAskedFor) {
  const std::string step = "hosts web = group(\"web\")\nhostvar kind: string\n";
  const std::string run = " { sh \"\"\"date\"\"\" }\n";
  struct Case {
    std::string body;
    std::string why;
  };
  const std::vector<Case> cases{
      {step + "step a on web when kind == \"x\"" + run, "`kind` decides what is done"},
      {step + "let k = kind\nstep a on web when k == \"x\"" + run, "`k` decides what is done"},
      {step + "if inventory.name == \"prod\" { step a on web" + run + "}",
       "`inventory` decides what is done"},
      {step + "let y = if kind == \"x\" then \"a\" else \"b\"\nstep a on web" + run,
       "something is computed from `kind`"},
      {step + "let y = upper(kind)\nstep a on web" + run, "something is computed from `kind`"},
      {step + "step a on web serial 1" + run, "`serial` and `tolerate` count its hosts"},
      {step + "tolerate 10%\nstep a on web" + run, "`serial` and `tolerate` count its hosts"},
      {step + "step a on web[0] once" + run, "it names hosts by their number"},
      {step + "for h in web {\nstep a on h" + run + "}\n",
       "something is done for each host of `web`"},
      {"hosts web = group(\"web\") expect 2\nstep a on web" + run, "how many hosts `web` has"},
      {"hosts x = group(\"web\") - group(\"db\")\nstep a on x" + run,
       "the hosts that are in two groups"},
      {"hosts web = group(\"web\")\nhostvar n: int\nstep a on web" + run,
       "its host variable `n` is not text"},
  };
  for (const Case& c : cases) {
    const Answer answer = generic(c.body);
    EXPECT_EQ(answer.code, kUsage) << c.body;
    EXPECT_EQ(answer.out, "");
    EXPECT_NE(answer.err.find(c.why), std::string::npos) << c.body << "\n" << answer.err;
    EXPECT_NE(answer.err.find("help: add `-i NAME`"), std::string::npos) << answer.err;
  }
}

TEST(DocsGeneric, WhatIsHandedOnIsSaidByItsName) {
  const Answer answer = generic(
      "hosts web = group(\"web\")\nhosts both = group(\"web\") | group(\"db\")\n"
      "hostvar app: path\nlet where = { to: \"${app}/x\" }\n"
      "step a on both { sh(to: where.to) \"\"\"touch \"$to\" \"\"\" }");
  ASSERT_EQ(answer.code, kSuccess) << answer.err;
  EXPECT_NE(answer.out.find("to=${host_app:?'app of this host, from the inventory'}'/x'"),
            std::string::npos)
      << answer.out;
  EXPECT_NE(answer.out.find("the hosts of both"), std::string::npos) << answer.out;
}

TEST(DocsGeneric, APlayWithMistakesIsNotDescribed) {
  const Answer answer = generic("hosts web = group(\"web\")\nstep a on web { no.such() }");
  EXPECT_EQ(answer.code, kUsage);
  EXPECT_EQ(answer.out, "");
  EXPECT_NE(answer.err.find("E0401"), std::string::npos) << answer.err;
}

// --- every module

std::vector<std::string> code_blocks(const std::string& markdown) {
  std::vector<std::string> blocks;
  for (std::size_t at = 0; (at = markdown.find("\n```sh\n", at)) != std::string::npos;) {
    const std::size_t end = markdown.find("\n```\n", at + 6);
    blocks.push_back(markdown.substr(at + 7, end + 1 - at - 7));
    at = end;
  }
  return blocks;
}

// Reads the text with a real shell, which runs nothing of it.
void expect_shell(const std::string& block) {
  const Folder folder;
  folder.write("block", block);
  const std::string command = "sh -n " + (folder.path / "block").string() + " 2>&1";
  FILE* pipe = ::popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::string said;
  for (int c = 0; (c = std::fgetc(pipe)) != EOF;) said += static_cast<char>(c);
  EXPECT_EQ(::pclose(pipe), 0) << said << "\n" << block;
}

void expect_all_set(const std::string& block) {
  const auto set = shell::assigned_names(block);
  for (const auto& name : shell::free_names(block)) {
    const bool found = std::find(set.begin(), set.end(), name.name) != set.end() ||
                       block.find("${" + name.name + ":?") != std::string::npos;
    EXPECT_TRUE(found || name.name == "nl") << "$" << name.name << " is not set in\n" << block;
    if (name.name == "nl") {
      EXPECT_NE(block.find("\nnl='\n'\n"), std::string::npos) << block;
    }
  }
}

// What a block prints when it is pasted into a shell whose home is `folder`.
Answer paste(const Folder& folder, const std::string& block) {
  folder.write("block", block);
  const std::string at = folder.path.string();
  const std::string command = "cd " + at + " && HOME=" + at + " timeout 10 sh ./block 2>&1";
  FILE* pipe = ::popen(command.c_str(), "r");
  Answer answer;
  for (int c = 0; (c = std::fgetc(pipe)) != EOF;) answer.out += static_cast<char>(c);
  answer.code = ::pclose(pipe);
  return answer;
}

// Blocks that were once shortened by guesswork, and did something else than the scripts.
TEST(Docs, AModuleWithoutCommandsIsShownAsItsScripts) {
  const Folder folder;
  folder.write("modules/zz.play", R"(module zz.look "Look" {
  param name: string "its name"
  returns { cname: string }
  check sh """
    PATH=$HOME/.local/bin:$PATH
    line=$(aws look "$name")
    fact cname "$line"
    case $line in Ready*) ok "$line" ;; esac
    fail "$name is $line"
  """
}
module zz.quiet "Wait until quiet" {
  param quiet: duration = 2m "so long"
  check sh """
    while :; do
      silent=$(cat silent)
      [ "$silent" -lt "$quiet" ] || ok "quiet"
      sleep 2
    done
  """
}
module zz.set "Set" {
  param env: map<string> = {} "y"
  apply sh """
    for p in $env; do echo "$p"; done
  """
  verify none
}
module zz.both "Check and apply" {
  returns { before: string }
  check sh """
    fact before ""
    change "it"
    exit 0
  """
  apply sh """
    echo "it was <$before>"
  """
}
)");
  folder.write("two.inv", "inventory two { group control { host c } }\n");
  folder.write("p.play", R"(play p "P" {
  hosts control = group("control")
  step s on control {
    let blue = zz.look(name: "blue")
    let ses = zz.look(name: "ses")
    zz.quiet()
    zz.set()
    zz.both()
  }
  step t on control { sh(a: s.blue.cname, b: s.ses.cname) """echo "$a" "$b" """ }
  step u on control { machine.reboot(only_if_required: true) }
  step v on control { machine.reboot() }
}
)");
  folder.write(".local/bin/aws", "echo \"Ready $2\"\n");
  fs::permissions(folder.path / ".local/bin/aws", fs::perms::owner_all);
  folder.write("silent", "500\n");
  const In in(folder.path);
  const Answer answer = docs("p.play", "two.inv");
  ASSERT_EQ(answer.code, kSuccess) << answer.err;
  const auto blocks = code_blocks(answer.out);
  ASSERT_EQ(blocks.size(), 9U) << answer.out;
  EXPECT_EQ(paste(folder, blocks[0]).out, "cname: Ready blue\nas it should be Ready blue\n");
  EXPECT_EQ(paste(folder, blocks[1]).out, "cname: Ready ses\nas it should be Ready ses\n");
  EXPECT_EQ(paste(folder, blocks[2]).out, "as it should be quiet\n");
  const Answer set = paste(folder, blocks[3]);
  EXPECT_EQ(set.code, 0) << set.out;
  EXPECT_EQ(set.out, "");
  EXPECT_EQ(paste(folder, blocks[4]).out, "before: \nto be changed: it\n");
  EXPECT_EQ(paste(folder, "step1_5_before=\n" + blocks[5]).out, "it was <>\n");
  EXPECT_EQ(paste(folder, "step1_blue_cname=x\nstep1_ses_cname=y\n" + blocks[6]).out, "x y\n");
  EXPECT_EQ(blocks[7],
            "( set -eu\n[ -e /var/run/reboot-required ] || exit 0\nshutdown -r now\n)\n");
  EXPECT_EQ(blocks[8], "shutdown -r now\n");
}

// A value of the type that a parameter declares, as the language writes it.
std::string sample(const catalog::Param& param) {
  const std::string& type = param.type->name.text;
  if (!param.type->alternatives.empty()) return "\"" + param.type->alternatives[0].text + "\"";
  if (type == "path") return "\"/srv/a dir/it's\"";
  if (type == "int") return "3";
  if (type == "bool") return "true";
  if (type == "duration") return "90s";
  if (type == "size") return "1MiB";
  if (type == "time") return "now + 1h";
  if (type == "list") {
    return param.type->args[0].name.text == "path" ? "[\"/srv/one\", \"/srv/two\"]"
                                                   : "[\"one\", \"two\"]";
  }
  if (type == "map") return "{ a: \"b\" }";
  if (param.name == "to") return "\"got/\"";  // of a file that is fetched
  return param.name == "url" ? "\"http://localhost/\"" : "\"a.b-c\"";
}

TEST(Docs, EveryModule) {
  Project project;
  ASSERT_TRUE(load_modules(project));
  const auto names = project.catalog.names();
  ASSERT_GT(names.size(), 20U);
  std::string play = "play all \"All modules\" {\n  hosts web = group(\"web\")\n";
  for (const auto& name : names) {
    // With what it needs, and with all that it takes.
    for (const bool full : {false, true}) {
      std::string arguments;
      for (const auto& param : project.catalog.find(name)->params) {
        const bool needed = param.fallback == nullptr && !param.type->optional;
        if ((!full || param.where != nullptr) && !needed) continue;
        const bool tree = param.name == project.catalog.find(name)->sends_tree;
        arguments += (arguments.empty() ? "" : ", ") + param.name + ": " +
                     (tree ? "\"a.tree\"" : sample(param));
      }
      std::string step = name + (full ? "_full" : "_short");
      std::replace(step.begin(), step.end(), '.', '_');
      const auto& returns = project.catalog.find(name)->returns;
      play += "  step " + step + " on web { " + (returns.empty() ? "" : "let it = ") + name + "(" +
              arguments + ") }\n";
      // Facts that a later step reads must be found by hand, too.
      if (!full) continue;
      for (const auto& fact : returns) {
        play += "  step " + step + "_" + fact.first + " on web { sh(x: " + step + ".it." +
                fact.first + ") \"\"\"printf '%s' \"$x\" \"\"\" }\n";
      }
    }
  }
  const Folder folder;
  folder.write("all.play", play + "}\n");
  folder.write("a.b-c", "a text\n");  // what is sent and rendered
  folder.write("a.tree/x", "a text\n");
  folder.write("two.inv", "inventory two { group web { host web[1..2] } }\n");
  const In in(folder.path);
  const Answer answer = docs("all.play", "two.inv");
  ASSERT_EQ(answer.code, kSuccess) << answer.err;
  const auto blocks = code_blocks(answer.out);
  EXPECT_GE(blocks.size(), names.size()) << "hardly anything is typed";
  for (const auto& block : blocks) {
    expect_shell(block);
    expect_all_set(block);
  }
}

}  // namespace
}  // namespace cnplay::cli

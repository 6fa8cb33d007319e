// Where the parts of a project are found.
#include "cli/project.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include "catalog/embedded.h"
#include "support/source_directory.h"

namespace cnplay::cli {
namespace {

namespace fs = std::filesystem;

class ProjectTest : public ::testing::Test {
 protected:
  ProjectTest() : before_(fs::current_path()) {
    std::string name = fs::temp_directory_path() / "cnplay-project-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    fs::current_path(folder_);
  }
  ~ProjectTest() override {
    fs::current_path(before_);
    fs::remove_all(folder_);
  }

 private:
  fs::path before_, folder_;
};

// `git` of a project whose modules/git.play holds the text of the built-in one and MORE.
Result<bool> git_is_builtin(const std::string& more) {
  const auto& files = catalog::embedded_modules();
  const auto git = std::ranges::find(files, "modules/git.play", &EmbeddedFile::name);
  fs::create_directory("modules");
  std::ofstream("modules/git.play") << git->text << more;
  Project project;
  if (auto status = load_modules(project); !status) return status.error();
  const catalog::Module* module = project.catalog.find("git.rebase");
  return module != nullptr && module->builtin;
}

TEST_F(ProjectTest, ACopyOfABuiltInModuleFileIsTheBuiltIn) {
  const auto builtin = git_is_builtin("");
  ASSERT_TRUE(builtin);
  EXPECT_TRUE(*builtin);
}

TEST_F(ProjectTest, AChangedCopyOfABuiltInModuleFileIsTheProjectsOwn) {
  const auto builtin = git_is_builtin("# changed\n");
  ASSERT_TRUE(builtin);
  EXPECT_FALSE(*builtin);
}

TEST_F(ProjectTest, TheRepositorysOwnPlaysAndInventoriesAreFoundByShortNames) {
  fs::current_path(source_directory());
  Options options;
  options.command = Command::check;
  options.inventory = "staging";
  for (const char* play : {"update_code.play", "replace_disk.play"}) {
    options.play = play;
    Project project;
    const auto status = load(project, options);
    ASSERT_TRUE(status) << status.error().what;
    EXPECT_EQ(project.inventory_file, "inventories/staging.inv");
    EXPECT_FALSE(project.diags.has_errors()) << play;
    EXPECT_TRUE(project.plan) << play;
    EXPECT_TRUE(project.catalog.find("git.rebase")->builtin);
  }
}

}  // namespace
}  // namespace cnplay::cli

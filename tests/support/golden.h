// Golden files: `expect_golden("plan/x.txt", text)` compares `text` with tests/golden/plan/x.txt.
// With CNPLAY_UPDATE_GOLDEN=1 in the environment the file is written instead: read the diff
// before committing it.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "support/source_directory.h"

namespace cnplay::testing {

// The files of tests/golden/ROOM with that extension (".play"), without it, in their order.
inline std::vector<std::string> golden_files(const std::string& room,
                                             const std::string& extension) {
  std::vector<std::string> names;
  const auto directory = source_directory() / "tests" / "golden" / room;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().extension() == extension) names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

inline void expect_golden(const std::string& name, const std::string& text) {
  const std::filesystem::path path = source_directory() / "tests" / "golden" / name;
  const char* update = std::getenv("CNPLAY_UPDATE_GOLDEN");
  if (update != nullptr && std::string(update) == "1") {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out << text;
    ASSERT_TRUE(out.flush()) << "cannot write " << path;
    return;
  }
  std::ifstream in(path, std::ios::binary);
  ASSERT_TRUE(in) << path << " is not there; CNPLAY_UPDATE_GOLDEN=1 writes it from:\n" << text;
  std::stringstream wanted;
  wanted << in.rdbuf();
  EXPECT_EQ(wanted.str(), text) << "differs from " << path
                                << " (CNPLAY_UPDATE_GOLDEN=1 regenerates it)";
}

}  // namespace cnplay::testing

#include "cli/trust.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

namespace cnplay::cli {
namespace {

namespace fs = std::filesystem;

class Trust : public ::testing::Test {
 protected:
  Trust() {
    fs::remove_all(root_);
    fs::create_directories(record_);
    ::chmod(root_.c_str(), 0700);
    ::chmod(record_.c_str(), 0700);
  }
  ~Trust() override { fs::remove_all(root_); }

  const std::string root_ =
      fs::temp_directory_path() / ("cnplay-trust-" + std::to_string(::getpid()));
  const std::string record_ = root_ + "/20261120-213000-p-0001";
};

std::string all_of(const Status& status) {
  return status ? "" : status.error().what + "\n" + status.error().help;
}

TEST_F(Trust, PrivateDirectoriesAndMissingOnesAreGood) {
  EXPECT_EQ(all_of(check_runs_root(root_)), "");
  EXPECT_EQ(all_of(check_record(root_, record_)), "");
  EXPECT_EQ(all_of(check_runs_root(root_ + "/missing")), "");
}

TEST_F(Trust, WhatEverybodyMayWriteIsRefusedWithTheRemedy) {
  ::chmod(root_.c_str(), 0777);
  EXPECT_NE(all_of(check_runs_root(root_)).find("chmod o-w " + root_), std::string::npos);
  EXPECT_FALSE(check_record(root_, record_));
  ::chmod(root_.c_str(), 01777);
  EXPECT_FALSE(check_runs_root(root_));
  ::chmod(root_.c_str(), 0700);
  ::chmod(record_.c_str(), 0707);
  EXPECT_NE(all_of(check_record(root_, record_)).find("chmod o-w " + record_), std::string::npos);
}

TEST_F(Trust, RecordsOfAnotherOwnerAreRefusedUnlessTheDirectoryIsShared) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a directory away";
  ASSERT_EQ(::chown(record_.c_str(), 1, 1), 0);
  EXPECT_NE(all_of(check_record(root_, record_)).find("belongs to daemon"), std::string::npos);
  ::chmod(root_.c_str(), 02770);
  EXPECT_EQ(all_of(check_record(root_, record_)), "");
  ::chmod(root_.c_str(), 0700);
  ASSERT_EQ(::chown(root_.c_str(), 1, 1), 0);
  EXPECT_NE(all_of(check_runs_root(root_)).find("CNPLAY_RUNS"), std::string::npos);
}

}  // namespace
}  // namespace cnplay::cli

// What the record relies on: a sync reaches the disk, and its failure is an Error.
#include "base/disk.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

namespace {
int synced_data = 0;
int synced_files = 0;
bool disk_fails = false;

int sync_or_fail(long call, int fd, int& count) {
  ++count;
  if (!disk_fails) return static_cast<int>(::syscall(call, fd));
  errno = EIO;
  return -1;
}
}  // namespace

// In the place of the C library's, for this program: whether bytes are on the disk shows in no
// file.
extern "C" int fdatasync(int fd) { return sync_or_fail(SYS_fdatasync, fd, synced_data); }
extern "C" int fsync(int fd) { return sync_or_fail(SYS_fsync, fd, synced_files); }

namespace cnplay {
namespace {

class DiskTest : public ::testing::Test {
 protected:
  DiskTest() {
    EXPECT_TRUE(disk_.make_directory(root_));
    synced_data = synced_files = 0;
  }
  ~DiskTest() override {
    disk_fails = false;
    std::filesystem::remove_all(root_);
  }
  const std::string root_ =
      std::filesystem::temp_directory_path() / ("cnplay-disk-" + std::to_string(::getpid()));
  SystemDisk disk_;
};

TEST_F(DiskTest, ASyncOfAFileReachesTheDisk) {
  auto file = disk_.create(root_ + "/events.jsonl");
  ASSERT_TRUE(file);
  EXPECT_TRUE((*file)->append("line\n"));
  EXPECT_EQ(synced_data, 0);
  EXPECT_TRUE((*file)->sync());
  EXPECT_EQ(synced_data, 1);
  disk_fails = true;
  EXPECT_FALSE((*file)->sync());
}

TEST_F(DiskTest, ASyncOfADirectoryReachesTheDisk) {
  EXPECT_TRUE(disk_.sync_directory(root_));
  EXPECT_EQ(synced_files, 1);
  disk_fails = true;
  EXPECT_FALSE(disk_.sync_directory(root_));
}

TEST_F(DiskTest, AFileIsOnTheDiskBeforeItReplacesAnother) {
  ASSERT_TRUE(disk_.replace(root_ + "/run.json", "old"));
  EXPECT_EQ(synced_files, 1);
  disk_fails = true;
  EXPECT_FALSE(disk_.replace(root_ + "/run.json", "new"));
  EXPECT_EQ(*disk_.read(root_ + "/run.json", 100), "old");
}

}  // namespace
}  // namespace cnplay

// A file that is fetched: what the host sends is kept only if it is what the host has.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/digest.h"
#include "remote/transfer.h"

namespace cnplay::remote {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class Fetch : public ::testing::Test {
 protected:
  Fetch() {
    fs::create_directories(root_);
    open();
  }
  void open() {
    transfer_.reset();
    auto transfer = Transfer::from_host(7, {.from = "/etc/motd", .to = to()});
    if (transfer) transfer_ = *std::move(transfer);
  }
  ~Fetch() override {
    transfer_.reset();
    fs::remove_all(root_);
  }
  std::string to() const { return root_ / "motd"; }
  // The host sends `text`, and says what its checksum is.
  Status send(std::string_view text, const std::string& sha256) {
    if (!transfer_->request()) return fail("no request");
    transfer_->mark(Stream::out, "H 7 " + std::to_string(text.size()));
    transfer_->text(Stream::out, text);
    transfer_->mark(Stream::out, "h 7 " + sha256);
    transfer_->mark(Stream::out, "E 7 out");
    transfer_->mark(Stream::err, "E 7 err");
    EXPECT_TRUE(transfer_->ended());
    return transfer_->finish();
  }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(root_))
      names.push_back(entry.path().filename());
    return names;
  }

  const fs::path root_ = fs::temp_directory_path() / ("cnplay-fetch-" + std::to_string(::getpid()));
  std::shared_ptr<Transfer> transfer_;
};

TEST_F(Fetch, AFileWhoseChecksumIsRightIsKept) {
  ASSERT_TRUE(transfer_);
  const Status kept = send("hello\n", sha256_hex("hello\n"));
  ASSERT_TRUE(kept) << kept.error().what;
  std::ostringstream text;
  text << std::ifstream(to()).rdbuf();
  EXPECT_EQ(text.str(), "hello\n");
}

TEST_F(Fetch, AFileWhoseChecksumIsWrongIsNotKept) {
  ASSERT_TRUE(transfer_);
  for (const std::string& sum : {sha256_hex("hello"), std::string(), std::string("0")}) {
    const Status refused = send("hello\n", sum);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().what, HasSubstr("the received bytes are not those of /etc/motd"));
    EXPECT_FALSE(fs::exists(to()));
    open();
  }
  transfer_.reset();
  EXPECT_THAT(files(), ::testing::IsEmpty());
}

TEST_F(Fetch, AFileWithoutAChecksumIsNotKept) {
  ASSERT_TRUE(transfer_);
  ASSERT_TRUE(transfer_->request());
  transfer_->mark(Stream::out, "H 7 6");
  transfer_->text(Stream::out, "hello\n");
  transfer_->mark(Stream::out, "E 7 out");
  transfer_->mark(Stream::err, "E 7 err");
  EXPECT_FALSE(transfer_->finish());
  EXPECT_FALSE(fs::exists(to()));
}

}  // namespace
}  // namespace cnplay::remote

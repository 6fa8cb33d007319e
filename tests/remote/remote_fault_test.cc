// The promise over a real sshd and a line that breaks: by FIN, RST, silence or a flipped byte, at
// each phase of the conversation. CNPLAY_WHOLE_MATRIX=1: at every 53rd byte instead of some.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "support/remote/world.h"
#include "support/ssh/proxy.h"
#include "support/ssh/sshd.h"

namespace cnplay::remote::testing {
namespace {

namespace fs = std::filesystem;
using ssh::test::Proxy;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

// A World whose host stands behind a proxy. Its home is the real one of who runs the test.
class Behind {
 public:
  Behind(const ssh::test::Sshd& sshd, const std::string& run)
      : proxy(sshd.port()), transport(ssh::make_transport({.threads = 1})) {
    world.settings.ssh = sshd.settings();
    world.settings.ssh.port = proxy.port();
    const std::string known = (world.root / "known_hosts").string();
    ssh::test::write_file(
        known, "[127.0.0.1]:" + std::to_string(proxy.port()) + " " + sshd.host_public_key());
    world.settings.ssh.known_hosts = {known};
    world.settings.ssh.keepalive = milliseconds(100);
    world.settings.ssh.connect_timeout = seconds(5);
    static int runs = 0;  // of this process: a run that has ended starts nothing more under its id
    world.options.run_id = run + "-" + std::to_string(getpid()) + "-" + std::to_string(++runs);
    world.hosts = make_hosts(*transport, {world.settings}, world.options);
  }
  ~Behind() {
    world.hosts->close(seconds(5), Traces::remove);
    world.hosts.reset();
  }
  // Whether the host could be reached at all.
  bool up() {
    world.hosts->connect(0);
    for (;;) {
      world.pump(seconds(1));
      for (const Event& event : world.seen) {
        if (std::holds_alternative<HostReady>(event)) return true;
        if (std::holds_alternative<HostFailed>(event)) return false;
      }
    }
  }
  fs::path witness() const { return world.root / "witness"; }
  Task task() const {
    Task task = check_task("fact kept 'a value'; change 'it is time'",
                           "echo ran >>'" + witness().string() +
                               "'; i=0; while [ $i -lt 40 ]; do echo \"line $i $kept\"; "
                               "i=$((i+1)); done; sleep 0.02; exit 0");
    task.verify = Verify::none;
    return task;
  }
  // Two tasks: the effect of each once, and its whole output.
  void expect_the_promise(const std::string& where) {
    const TaskId first = world.start(task());
    const TaskResult r = world.wait_task(first);
    const TaskId second = world.start(task());
    const TaskResult s = world.wait_task(second);
    EXPECT_EQ(r.ended, Ended::finished) << where << ": " << r.error;
    EXPECT_EQ(s.ended, Ended::finished) << where << ": " << s.error;
    EXPECT_EQ(contents(witness()), "ran\nran\n") << where;
    std::string expected;
    for (int i = 0; i < 40; ++i) expected += "line " + std::to_string(i) + " a value\n";
    EXPECT_EQ(world.out[first], expected) << where;
    EXPECT_EQ(world.out[second], expected) << where;
    EXPECT_EQ(fact(s, "kept"), "a value") << where;
  }

  World world;
  Proxy proxy;
  std::unique_ptr<ssh::Transport> transport;
};

class Line : public ::testing::TestWithParam<Proxy::Fault> {
 protected:
  static void SetUpTestSuite() { sshd_ = new ssh::test::Sshd; }
  static void TearDownTestSuite() { delete sshd_; }
  static ssh::test::Sshd* sshd_;
};
ssh::test::Sshd* Line::sshd_ = nullptr;
std::string fault_name(const ::testing::TestParamInfo<Proxy::Fault>& info) {
  static const std::vector<std::string> kNames = {"none", "fin", "rst", "stall", "corrupt"};
  return kNames.at(static_cast<std::size_t>(info.param));
}
INSTANTIATE_TEST_SUITE_P(Remote, Line,
                         ::testing::Values(Proxy::Fault::fin, Proxy::Fault::rst,
                                           Proxy::Fault::stall, Proxy::Fault::corrupt),
                         fault_name);

TEST_P(Line, BreaksAtEachPhaseAndEveryEffectIsThereOnce) {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  {
    Behind whole(*sshd_, "line-whole");
    ASSERT_TRUE(whole.up());
    begin = whole.proxy.sent();
    whole.expect_the_promise("unbroken");
    end = whole.proxy.sent();
  }
  ASSERT_GT(end, begin + 1000);
  const bool all = std::getenv("CNPLAY_WHOLE_MATRIX") != nullptr;
  const std::uint64_t step = all ? 53 : (end - begin) / 7;
  // A little of the handshake as well: then there is no host, and nothing done.
  int reached = 0;
  for (std::uint64_t at = begin - 600; at < end; at += step) {
    Behind host(*sshd_, "line-" + std::to_string(at));
    host.proxy.fail_once_after(at, GetParam());
    const std::string where = "byte " + std::to_string(at) + " of " + std::to_string(end);
    if (!host.up()) {
      EXPECT_EQ(contents(host.witness()), "") << where;
      continue;
    }
    ++reached;
    host.expect_the_promise(where);
  }
  EXPECT_GE(reached, 5);
}

TEST_P(Line, ALockIsHeldAgainThoughTheServerDoesNotKnowOfTheLoss) {
  Behind host(*sshd_, "lock");
  const std::string name = "line " + std::to_string(getpid());
  ASSERT_TRUE(host.up());
  host.world.hosts->lock(0, name, "me");
  ASSERT_TRUE(host.world.wait_for<LockEnded>().acquired);
  host.proxy.fail_once_after(host.proxy.sent() + 100, GetParam());
  const TaskResult r = host.world.run(apply_task("head -c 3000 /dev/zero"));
  EXPECT_EQ(r.ended, Ended::finished) << r.error;
  EXPECT_EQ(r.output_bytes, 3000u);
  host.world.wait_for<HostReconnected>();
  EXPECT_EQ(host.world.run(apply_task("sleep 0.3")).ended, Ended::finished);
  for (const Event& event : host.world.seen) {
    const auto* lost = std::get_if<LockEnded>(&event);
    EXPECT_EQ(lost, nullptr) << lost->error << lost->holder.raw();
  }
  // Another one does not get it.
  auto other = make_hosts(*host.transport, {host.world.settings}, {.run_id = "other"});
  other->connect(0);
  for (bool told = false; !told;) {
    auto event = other->next(seconds(5));
    ASSERT_TRUE(event);
    if (std::holds_alternative<HostReady>(*event)) other->lock(0, name, "other");
    if (const auto* lock = std::get_if<LockEnded>(&*event)) {
      told = true;
      EXPECT_FALSE(lock->acquired);
      EXPECT_EQ(lock->holder.raw(), "me");
    }
  }
  other->close(seconds(3), Traces::remove);
}

TEST(Session, KilledUnderItsTask) {
  ssh::test::Sshd sshd;
  Behind host(sshd, "session");
  ASSERT_TRUE(host.up());
  Task task = host.task();
  task.apply = "kill -9 $PPID; sleep 0.2; " + task.apply;
  const TaskId id = host.world.start(task);
  const TaskResult r = host.world.wait_task(id);
  EXPECT_EQ(r.ended, Ended::finished) << r.error;
  EXPECT_EQ(contents(host.witness()), "ran\n");
  host.world.wait_for<HostReconnected>();
}

}  // namespace
}  // namespace cnplay::remote::testing

// Not a test but a measurement; run it with
//   ssh_test --gtest_also_run_disabled_tests --gtest_filter='*Measure*'
// in an optimised build. All on one machine, so the wall time is mostly sshd's: judge by the CPU.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <future>
#include <vector>

#include "support/ssh/client.h"
#include "support/ssh/sshd.h"

namespace cnplay::ssh::test {
namespace {

double cpu_seconds(int who) {
  rusage usage{};
  getrusage(who, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

class Stopwatch {
 public:
  void report(const char* what, int count) const {
    const double wall =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
    const double cpu = cpu_seconds(RUSAGE_SELF) - self_;
    std::printf("%-40s %7.3f s wall  %7.3f s own CPU  %6.3f ms own CPU each\n", what, wall, cpu,
                cpu * 1000 / count);
  }

 private:
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  double self_ = cpu_seconds(RUSAGE_SELF);
};

TEST(Measure, DISABLED_TwoHundredConnections) {
  const Sshd sshd;
  constexpr int kHosts = 200;
  {
    const auto transport = make_transport({});
    std::vector<std::shared_ptr<Connection>> connections;
    std::vector<std::future<int>> ends;
    const Stopwatch watch;
    struct Ender final : ChannelHandler {
      std::promise<int> end;
      int code = -1;
      void on_stdout(std::string_view) override {}
      void on_stderr(std::string_view) override {}
      void on_exit(std::optional<int> status, std::string) override { code = status.value_or(-2); }
      void on_close(std::optional<TransportError>) override { end.set_value(code); }
    };
    for (int i = 0; i < kHosts; ++i) {
      connections.push_back(transport->make(sshd.settings()));
      auto handler = std::make_shared<Ender>();
      ends.push_back(handler->end.get_future());
      Connection* connection = connections.back().get();
      connection->connect([connection, handler](std::optional<TransportError> error) {
        if (error) return handler->end.set_value(-3);
        connection->open_exec("true", false, handler, [handler](OpenResult result) {
          if (std::holds_alternative<TransportError>(result)) handler->end.set_value(-4);
        });
      });
    }
    int fine = 0;
    for (auto& end : ends) fine += end.get() == 0 ? 1 : 0;
    watch.report("cnplay: 200 connections, one exec each", kHosts);
    EXPECT_EQ(fine, kHosts);

    const Stopwatch execs;
    for (int i = 0; i < 200; ++i) exec(*connections.front(), "true");
    execs.report("cnplay: 200 execs on one connection", 200);
    const Stopwatch volume;
    const auto sink = std::make_shared<Recorder>(false);
    open(*connections.front(), "head -c 500000000 /dev/zero", false, sink);
    sink->wait_closed();
    volume.report("cnplay: 500 MB from one host (per MB)", 500);
    EXPECT_EQ(sink->out_bytes(), 500000000U);
  }
  const double children = cpu_seconds(RUSAGE_CHILDREN);
  const auto began = std::chrono::steady_clock::now();
  run("seq 200 | xargs -P 50 -I{} ssh -F none -o BatchMode=yes -o UserKnownHostsFile=" +
      sshd.known_hosts() + " -i " + sshd.user_key() + " -p " + std::to_string(sshd.port()) +
      " 127.0.0.1 true");
  std::printf("%-40s %7.3f s wall  %7.3f s of its CPU\n", "ssh: 200 processes, 50 at a time",
              std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count(),
              cpu_seconds(RUSAGE_CHILDREN) - children);
}

}  // namespace
}  // namespace cnplay::ssh::test

#include "ssh/shard.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <vector>

#include "ssh/core.h"

namespace cnplay::ssh {
namespace {

constexpr std::size_t kWorkers = 8;

// Signals are the main thread's. SIGPIPE above all: libssh writes to the agent without
// MSG_NOSIGNAL.
class BlockSignals {
 public:
  BlockSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~BlockSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  BlockSignals(const BlockSignals&) = delete;
  BlockSignals& operator=(const BlockSignals&) = delete;

 private:
  sigset_t before_;
};

// Where a thread's time went: measured runs only.
struct ThreadTimes {
  std::chrono::microseconds wall{}, cpu{}, queued{};
  long waits = 0;
};

// Reads the times of the thread that made it, and that alone uses it, twice a handler.
class Stopwatch {
 public:
  // Open all the while: descriptors that come and go would be seen by whoever counts them.
  Stopwatch() : schedstat_(::open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC)) {}
  ~Stopwatch() {
    if (schedstat_ >= 0) ::close(schedstat_);
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

  ThreadTimes now() const {
    timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    rusage usage{};
    getrusage(RUSAGE_THREAD, &usage);
    using std::chrono::duration_cast;
    using std::chrono::microseconds;
    ThreadTimes times;
    times.wall = duration_cast<microseconds>(std::chrono::steady_clock::now().time_since_epoch());
    times.cpu = microseconds(t.tv_sec * 1000000 + t.tv_nsec / 1000);
    times.queued = runnable_but_not_run();
    times.waits = usage.ru_nvcsw;
    return times;
  }

 private:
  // The time that the thread could have run and other processes did instead: the second number of
  // schedstat (proc(5)), in nanoseconds. Zero where the kernel does not tell.
  std::chrono::microseconds runnable_but_not_run() const {
    std::array<char, 128> text;
    const ssize_t size = ::pread(schedstat_, text.data(), text.size(), 0);
    if (size <= 0) return {};
    const char* const end = text.data() + size;
    const char* second = std::find<const char*>(text.data(), end, ' ');
    std::uint64_t queued = 0;
    if (second != end) std::from_chars(second + 1, end, queued);
    return std::chrono::microseconds(queued / 1000);
  }

  int schedstat_;
};

}  // namespace

boost::asio::thread_pool& Shared::workers() {
  const std::lock_guard lock(mutex_);
  if (!workers_) {
    const BlockSignals blocked;
    workers_ = std::make_unique<boost::asio::thread_pool>(kWorkers);
  }
  return *workers_;
}

void Shared::join_workers() {
  if (workers_) workers_->join();
}

Shard::Shard(std::shared_ptr<Shared> shared)
    : shared_(std::move(shared)), work_(io_.get_executor()) {
  const BlockSignals blocked;
  thread_ = std::thread([this] { run(); });
}

Shard::~Shard() { join(); }

void Shard::run() {
  if (shared_->options.on_slow_handler) return run_watched();
  io_.run();
}

// One handler at a time, each measured. The hook is told of those that computed long or waited
// long; time that other processes took from this thread does not count.
void Shard::run_watched() {
  const auto limit = shared_->options.slow_handler_limit;
  const Stopwatch stopwatch;
  while (!io_.stopped()) {
    const ThreadTimes before = stopwatch.now();
    const std::size_t ran = io_.poll_one();
    const ThreadTimes after = stopwatch.now();
    const auto took = after.wall - before.wall - (after.queued - before.queued);
    if (ran > 0 && took > limit && (after.cpu - before.cpu > limit || after.waits > before.waits)) {
      shared_->options.on_slow_handler(took, "event loop");
    }
    if (ran == 0 && !io_.stopped()) std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
}

void Shard::shut_down() {
  boost::asio::post(io_, [this] {
    open_ = false;
    std::vector<std::shared_ptr<Core>> all;
    {
      const std::lock_guard lock(mutex_);
      for (Core* core : cores_) {
        if (auto alive = core->weak_from_this().lock()) all.push_back(std::move(alive));
      }
    }
    for (const auto& core : all) core->close();
    work_.reset();
  });
}

void Shard::join() {
  if (thread_.joinable()) thread_.join();
}

}  // namespace cnplay::ssh

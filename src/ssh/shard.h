// Inside of ssh/: what connections share. A Shard is one event loop on one thread; Shared is what
// all loops have in common.
#pragma once

#include <algorithm>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_set>

#include "ssh/keys.h"
#include "ssh/known_hosts.h"
#include "ssh/limiter.h"
#include "ssh/poller.h"
#include "ssh/transport.h"

namespace cnplay::ssh {

class Core;
class Gate;

struct Shared {
  explicit Shared(const Options& options)
      : options(options),
        keys(options.passphrase),
        limiter(options.max_connecting, options.max_connecting_per_address) {}

  const Options options;
  KeyCache keys;
  KnownHosts known_hosts;
  ConnectLimiter limiter;
  // What the paused channels of one connection may hold: all connections share 16 MiB.
  std::ptrdiff_t held_limit() const {
    constexpr std::ptrdiff_t kAll = 16 * 1024 * 1024;
    constexpr std::ptrdiff_t kLeast = 64 * 1024;
    constexpr std::ptrdiff_t kMost = 8 * 1024 * 1024;
    return std::clamp(kAll / std::max<std::ptrdiff_t>(1, connections), kLeast, kMost);
  }
  std::atomic<std::ptrdiff_t> connections{0};
  // The highest descriptor that a connection may have: some are left for the record of the run.
  int last_descriptor = 0xffff;

  // For calls that block: name look-ups and the agent (which may wait for a touch of a key). Made
  // when first needed. Thread-safe.
  boost::asio::thread_pool& workers();
  // Waits for them. To be called when no loop needs them any more.
  void join_workers();

 private:
  std::mutex mutex_;
  std::unique_ptr<boost::asio::thread_pool> workers_;
};

class Shard {
 public:
  explicit Shard(std::shared_ptr<Shared> shared);
  ~Shard();

  boost::asio::io_context& io() { return io_; }
  Poller& poller() { return poller_; }
  Shared& shared() { return *shared_; }
  // False once the transport is going away: nothing may be posted any more.
  bool open() const { return open_; }

  // The connections that live here. From any thread: one that never ran may die on its caller's.
  void add(Core* core) {
    const std::lock_guard lock(mutex_);
    if (cores_.insert(core).second) ++shared_->connections;
  }
  void remove(Core* core) {
    const std::lock_guard lock(mutex_);
    if (cores_.erase(core) > 0) --shared_->connections;
  }

  // The connection to a jump host, by its name. On the strand.
  std::weak_ptr<Gate>& gate(const std::string& name) { return gates_[name]; }

  // Closes all connections and lets the loop run out; join() waits for that.
  void shut_down();
  void join();

 private:
  void run();
  void run_watched();

  std::shared_ptr<Shared> shared_;
  boost::asio::io_context io_{1};
  Poller poller_{io_};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::atomic<bool> open_{true};
  std::mutex mutex_;
  std::unordered_set<Core*> cores_;
  std::map<std::string, std::weak_ptr<Gate>> gates_;
  std::thread thread_;
};

}  // namespace cnplay::ssh

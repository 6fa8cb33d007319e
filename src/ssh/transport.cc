#include "ssh/transport.h"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/post.hpp>
#include <thread>
#include <utility>

#include "ssh/core.h"
#include "ssh/errors.h"
#include "ssh/shard.h"

namespace cnplay::ssh {
namespace {

// What the caller holds. Its end closes the connection; the core lives on until that is done.
class Handle final : public Connection {
 public:
  Handle(std::shared_ptr<Shard> shard, Settings settings)
      : shard_(std::move(shard)), core_(std::make_shared<Core>(shard_, std::move(settings))) {
    post([](Core& core) { core.shard().add(&core); });
  }
  // The core goes into the post and nowhere else: its end belongs to the loop's thread.
  ~Handle() override {
    if (!shard_->open()) return;
    boost::asio::post(shard_->io(), [core = std::move(core_)] { core->close(); });
  }

  boost::asio::any_io_executor executor() override { return shard_->io().get_executor(); }

  void connect(std::function<void(std::optional<TransportError>)> done) override {
    post([done = std::move(done)](Core& core) mutable { core.connect(std::move(done)); });
  }

  void open_exec(std::string command, bool pty, std::shared_ptr<ChannelHandler> handler,
                 std::function<void(OpenResult)> done) override {
    post([command = std::move(command), pty, handler = std::move(handler),
          done = std::move(done)](Core& core) mutable {
      core.open_exec(std::move(command), pty, std::move(handler), std::move(done));
    });
  }

  void open_forward(std::string address, std::uint16_t port,
                    std::shared_ptr<ChannelHandler> handler,
                    std::function<void(OpenResult)> done) override {
    post([address = std::move(address), port, handler = std::move(handler),
          done = std::move(done)](Core& core) mutable {
      core.open_forward(std::move(address), port, std::move(handler), std::move(done));
    });
  }

  void close() override {
    post([](Core& core) { core.close(); });
  }

  std::shared_ptr<Connection> again() override {
    return std::make_shared<Handle>(shard_, core_->settings());
  }
  bool connected() const override { return core_->connected(); }
  std::string peer() const override { return core_->peer(); }

  void set_on_lost(std::function<void(TransportError)> on_lost) override {
    post([on_lost = std::move(on_lost)](Core& core) mutable { core.on_lost(std::move(on_lost)); });
  }

 private:
  template <class F>
  void post(F call) {
    if (!shard_->open()) return;
    boost::asio::post(shard_->io(),
                      [core = core_, call = std::move(call)]() mutable { call(*core); });
  }

  std::shared_ptr<Shard> shard_;
  std::shared_ptr<Core> core_;
};

// A descriptor a connection: ten thousand hosts need more than the usual soft limit of 1024.
// The highest that a connection may have.
int raise_descriptor_limit() {
  constexpr rlim_t kKeptBack = 32;
  constexpr rlim_t kLibsshsMost = 0xffff;  // 0.10 keeps 16 bits of it
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return kLibsshsMost;
  if (limit.rlim_cur != limit.rlim_max) {
    const rlimit most{limit.rlim_max, limit.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &most) == 0) limit = most;
  }
  const rlim_t last = limit.rlim_cur - std::min(limit.rlim_cur, kKeptBack);
  return static_cast<int>(std::min(last, kLibsshsMost));
}

class LibsshTransport final : public Transport {
 public:
  explicit LibsshTransport(const Options& options) : shared_(std::make_shared<Shared>(options)) {
    shared_->last_descriptor = raise_descriptor_limit();
    unsigned threads = options.threads;
    if (threads == 0) threads = std::max(1U, std::thread::hardware_concurrency());
    for (unsigned i = 0; i < threads; ++i) shards_.push_back(std::make_shared<Shard>(shared_));
  }

  ~LibsshTransport() override {
    for (const auto& shard : shards_) shard->shut_down();
    for (const auto& shard : shards_) shard->join();
    shared_->join_workers();
  }

  std::shared_ptr<Connection> make(Settings settings) override {
    const auto& shard = shards_[next_++ % shards_.size()];
    return std::make_shared<Handle>(shard, std::move(settings));
  }

 private:
  std::shared_ptr<Shared> shared_;
  std::vector<std::shared_ptr<Shard>> shards_;
  std::atomic<std::size_t> next_{0};
};

}  // namespace

std::unique_ptr<Transport> make_transport(Options options) {
  return std::make_unique<LibsshTransport>(options);
}

}  // namespace cnplay::ssh

// The face towards the runner: posts to the strands of the hosts, hands out their events.
#include <algorithm>
#include <boost/asio/post.hpp>
#include <condition_variable>
#include <mutex>
#include <stdexcept>

#include "remote/around.h"
#include "remote/event_queue.h"
#include "remote/host.h"
#include "remote/session.h"
#include "remote/sources.h"

namespace cnplay::remote {
namespace {

class SshHosts final : public Hosts {
 public:
  SshHosts(ssh::Transport& transport, std::vector<HostSettings> hosts, Options options)
      : transport_(transport),
        settings_(std::move(hosts)),
        options_(std::move(options)),
        events_(std::make_shared<EventQueue>(options_.output_high, settings_.size())),
        sources_(std::make_shared<Sources>()),
        slots_(settings_.size()) {}

  ~SshHosts() override {
    for (Slot& slot : slots_) {
      if (!slot.session) continue;
      // The last reference goes on the strand, where alone its parts may be touched.
      boost::asio::post(slot.executor,
                        [session = std::move(slot.session)]() mutable { session->drop(); });
    }
  }

  void connect_within(HostIndex host, Duration within) override {
    Slot& slot = slots_.at(host);
    if (slot.session) return;
    const HostSettings& settings = settings_[host];
    auto connection = settings.connect ? settings.connect() : transport_.make(settings.ssh);
    slot.executor = connection->executor();
    slot.session = std::make_shared<HostSession>(connection, host, settings_[host], options_,
                                                 events_, sources_);
    post(host, [within](HostSession& session) { session.connect(within); });
  }

  void start(Task task) override {
    const HostIndex host = task.host;
    if (slots_.at(host).session) {
      task_hosts_[task.id] = host;
      auto recorded = std::exchange(slots_[host].recorded, {});
      return post(host,
                  [task = std::move(task), recorded = std::move(recorded)](
                      HostSession& session) mutable { session.start(std::move(task), recorded); });
    }
    TaskResult result;
    result.ended = Ended::not_started;
    result.error = settings_[host].ssh.name + ": there is no connection";
    events_->push(TaskEnded{.task = task.id, .host = host, .result = std::move(result)});
  }

  void on_record(HostIndex host, TaskId task) override { slots_.at(host).recorded.push_back(task); }

  void adopt(TaskId task) override {
    const auto found = task_hosts_.find(task);
    if (found == task_hosts_.end()) return;
    post(found->second, [task](HostSession& session) { session.adopt(task); });
  }

  void withdraw(TaskId task) override {
    const auto found = task_hosts_.find(task);
    if (found == task_hosts_.end()) return;
    post(found->second, [task](HostSession& session) { session.withdraw(task); });
  }

  void cancel(TaskId task) override {
    const auto found = task_hosts_.find(task);
    if (found == task_hosts_.end()) return;
    post(found->second, [task](HostSession& session) { session.cancel(task); });
  }

  void lock(HostIndex host, std::string name, std::string owner) override {
    if (slots_.at(host).session) {
      return post(host, [name = std::move(name), owner = std::move(owner)](HostSession& s) mutable {
        s.lock(std::move(name), std::move(owner));
      });
    }
    events_->push(LockEnded{.host = host,
                            .name = std::move(name),
                            .acquired = false,
                            .holder = {},
                            .error = settings_[host].ssh.name + ": there is no connection"});
  }

  void note(HostIndex host, const std::string& step) override {
    if (!slots_.at(host).session) return;
    post(host, [step](HostSession& s) { s.note(step); });
  }

  std::optional<Event> next(Duration wait) override {
    std::optional<HostIndex> drained;
    auto event = events_->next(wait, drained);
    if (drained && slots_.at(*drained).session) {
      post(*drained, [](HostSession& session) { session.output_drained(); });
    }
    if (event) {
      if (const auto* ended = std::get_if<TaskEnded>(&*event)) {
        task_hosts_.erase(ended->task);
      }
    }
    return event;
  }

  void wake() override { events_->wake(); }

  bool close(Duration within, Traces traces) override {
    struct Latch {
      std::mutex mutex;
      std::condition_variable changed;
      std::size_t left = 0;
      bool well = true;
    };
    auto latch = std::make_shared<Latch>();
    // The hosts end by themselves a little earlier, so that their hard end is seen here.
    const Duration margin = std::min<Duration>(within / 5, std::chrono::milliseconds(500));
    std::vector<HostIndex> open;
    for (HostIndex host = 0; host < slots_.size(); ++host) {
      if (slots_[host].session) open.push_back(host);
    }
    latch->left = open.size();
    for (const HostIndex host : open) {
      post(host, [latch, traces, bound = within - margin](HostSession& session) {
        session.close(bound, traces, [latch](bool well) {
          const std::lock_guard lock(latch->mutex);
          --latch->left;
          latch->well = latch->well && well;
          latch->changed.notify_all();
        });
      });
    }
    std::unique_lock lock(latch->mutex);
    const bool all = latch->changed.wait_for(lock, within, [&] { return latch->left == 0; });
    return all && latch->well;
  }

 private:
  struct Slot {
    boost::asio::any_io_executor executor;
    std::shared_ptr<HostSession> session;
    std::vector<TaskId> recorded;  // since the last start()
  };

  template <class F>
  void post(HostIndex host, F work) {
    Slot& slot = slots_[host];
    boost::asio::post(slot.executor, [session = slot.session, work = std::move(work)]() mutable {
      work(*session);
    });
  }

  ssh::Transport& transport_;
  std::vector<HostSettings> settings_;
  Options options_;
  std::shared_ptr<EventQueue> events_;
  std::shared_ptr<Sources> sources_;
  std::vector<Slot> slots_;
  std::unordered_map<TaskId, HostIndex> task_hosts_;  // in flight
};

}  // namespace

std::unique_ptr<Hosts> make_hosts(ssh::Transport& transport, std::vector<HostSettings> hosts,
                                  Options options) {
  if (!is_run_id(options.run_id)) throw std::invalid_argument("run_id");
  if (!std::ranges::all_of(options.around, is_run_id)) throw std::invalid_argument("around");
  return std::make_unique<SshHosts>(transport, std::move(hosts), std::move(options));
}

}  // namespace cnplay::remote

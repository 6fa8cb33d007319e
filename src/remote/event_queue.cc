#include "remote/event_queue.h"

namespace cnplay::remote {

void EventQueue::push(Event event) {
  {
    const std::lock_guard lock(mutex_);
    events_.push_back(std::move(event));
  }
  came_.notify_one();
}

bool EventQueue::push_output(TaskOutput output) {
  bool more = false;
  {
    const std::lock_guard lock(mutex_);
    std::size_t& pending = output_[output.host];
    pending += output.bytes.size();
    more = pending <= high_;
    auto* last = events_.empty() ? nullptr : std::get_if<TaskOutput>(&events_.back());
    if (last && last->task == output.task && last->stage == output.stage &&
        last->stream == output.stream && last->bytes.size() + output.bytes.size() <= kJoined) {
      last->bytes.raw() += output.bytes.raw();
    } else {
      events_.emplace_back(std::move(output));
    }
  }
  came_.notify_one();
  return more;
}

std::optional<Event> EventQueue::next(Duration wait, std::optional<HostIndex>& drained) {
  std::unique_lock lock(mutex_);
  came_.wait_for(lock, wait, [&] { return woken_ || !events_.empty(); });
  if (std::exchange(woken_, false)) return Woken{};
  if (events_.empty()) return std::nullopt;
  Event event = std::move(events_.front());
  events_.pop_front();
  if (const auto* output = std::get_if<TaskOutput>(&event)) {
    std::size_t& pending = output_[output->host];
    const std::size_t before = pending;
    pending -= output->bytes.size();
    if (before > high_ / 2 && pending <= high_ / 2) drained = output->host;
    if (pending == 0) output_.erase(output->host);
  }
  return event;
}

void EventQueue::wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  came_.notify_one();
}

}  // namespace cnplay::remote

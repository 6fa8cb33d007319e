#include "remote/shell.h"

#include <boost/asio/post.hpp>

#include "remote/request.h"
#include "remote/transfer.h"

namespace cnplay::remote {
namespace {

// One packet, and one read of the shell: a line is begun when all of it is there, so what is
// together on one is kept waiting by nothing.
constexpr std::size_t kMostOnALine = 2500;

}  // namespace

Shell::Shell(ShellOwner& owner, boost::asio::any_io_executor strand, std::shared_ptr<Opener> opener,
             std::string user)
    : owner_(owner),
      strand_(std::move(strand)),
      opener_(std::move(opener)),
      user_(std::move(user)) {}

Shell::~Shell() {
  if (opener_) opener_->stop();
  if (relay_) relay_->set_user(nullptr);
  if (channel_) channel_->close();
}

void Shell::open() {
  opener_->start([weak = weak_from_this()](std::variant<Opened, ShellFailure> result) {
    const auto self = weak.lock();
    if (!self || self->state_ == State::gone) return;
    if (auto* opened = std::get_if<Opened>(&result)) return self->opened(std::move(*opened));
    self->state_ = State::gone;
    self->owner_.shell_failed(*self, std::get<ShellFailure>(result));
  });
}

void Shell::opened(Opened opened) {
  channel_ = std::move(opened.channel);
  relay_ = std::move(opened.relay);
  relay_->set_user(this);
  pid_ = opened.pid;
  merged_ = opened.merged;
  terminal_ = opened.terminal;
  as_ = opened;
  as_.channel.reset();
  as_.relay.reset();
  spool_ = opened.spool;
  out_.emplace(*this, Stream::out, opened.nonce);
  err_.emplace(*this, Stream::err, opened.nonce);
  state_ = State::idle;
  owner_.shell_ready(*this, opened.boot_id);
}

void Shell::run(std::shared_ptr<Job> job, std::string request) {
  job_ = std::move(job);
  last_task_ = job_->task.id;
  state_ = State::busy;
  for (Side* side : {&*out_, &*err_}) {
    side->lead = 0;
    side->past = false;
  }
  send(std::move(request));
}

void Shell::run_next(std::shared_ptr<Job> job, std::string request) {
  last_task_ = job->task.id;
  followers_.push_back(std::move(job));
  for (Side* side : {&*out_, &*err_}) {
    if (std::exchange(side->past, false)) ++side->lead;
  }
  send(std::move(request));
}

// Those that are sent in one go share a line: then the shell says the end of one and the beginning
// of the next in one breath (_cn_m), which halves the packets. None is held back: they go out when
// the strand has done what it has before it.
void Shell::send(std::string request) {
  if (merged_ || request.size() > kMostOnALine || !request.starts_with("_cn_run ")) {
    return say(std::move(request));
  }
  if (held_bytes_ + request.size() > kMostOnALine) send_held();
  if (held_.empty()) {
    boost::asio::post(strand_, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->send_held();
    });
  }
  held_bytes_ += request.size();
  held_.push_back(std::move(request));
}

void Shell::send_held() {
  std::string line;
  for (std::size_t i = 0; i < held_.size(); ++i) {
    const bool last = i + 1 == held_.size();
    if (i == 0 && !last) line += "_cn_m=1; ";
    if (i > 0 && last) line += "_cn_m=; ";
    line += held_[i];
    if (!last) line.replace(line.size() - 1, 1, "; ");
  }
  held_.clear();
  held_bytes_ = 0;
  if (channel_ && !line.empty()) channel_->write(std::move(line));
}

void Shell::say(std::string line) {
  send_held();
  channel_->write(std::move(line));
}

void Shell::release() {
  job_.reset();
  if (state_ != State::busy) return;
  if (followers_.empty()) {
    state_ = State::idle;
    return;
  }
  job_ = std::move(followers_.front());
  followers_.pop_front();
  for (Side* side : {&*out_, &*err_}) {
    if (side->lead > 0) --side->lead;
  }
}

void Shell::end(std::optional<TaskId> tidy) {
  if (state_ == State::gone || !channel_) return;
  state_ = State::ending;
  resume();
  send_held();
  if (tidy) channel_->write("_cn_tidy " + std::to_string(*tidy) + "\n");
  // Over a pty there is no end of stdin. The line is not torn: it is too short to be.
  if (merged_) channel_->write("exit\n");
  channel_->send_eof();
}

void Shell::abandon() {
  state_ = State::gone;
  if (opener_) opener_->stop();
  if (relay_) relay_->set_user(nullptr);
  if (channel_) channel_->close();
  channel_.reset();
  job_.reset();
  followers_.clear();
}

void Shell::pause() {
  if (paused_ || !channel_) return;
  paused_ = true;
  channel_->pause();
}

void Shell::resume() {
  if (!paused_ || !channel_) return;
  paused_ = false;
  channel_->resume();
}

Job* Shell::Side::job() const {
  return lead == 0 ? shell.job_.get() : shell.followers_[lead - 1].get();
}

void Shell::Side::text(std::string_view bytes) {
  Job* at = job();
  if (at == nullptr) return;
  if (at->transferring) return at->transfer->text(stream, bytes);
  if (at->collector) at->collector->text(stream, bytes);
}

void Shell::Side::mark(std::string_view words) {
  Job* at = job();
  if (at == nullptr) return;
  if (at->transferring) return at->transfer->mark(stream, words);
  if (!at->collector) return;
  at->collector->mark(stream, words);
  // On a terminal both ends come on one stream; nothing is ever sent behind a job there.
  if (!at->collector->end_seen(stream)) return;
  if (lead < shell.followers_.size()) {
    ++lead;
  } else {
    past = true;
  }
}

void Shell::channel_bytes(Stream stream, std::string_view bytes) {
  const auto self = shared_from_this();
  printed_ += bytes.size();
  Side& side = stream == Stream::out ? *out_ : *err_;
  side.parser.feed(bytes, side);
  if (!job_ || !job_->collector) return;
  if (job_->transferring) {
    job_->transfer->pump(*channel_);
    owner_.shell_job_moved(*this);
  }
  // Several may have come to their end at once.
  while (job_ && (job_->transferring ? job_->transfer->ended()
                                     : job_->collector && job_->collector->ended())) {
    const std::shared_ptr<Job> ended = job_;
    owner_.shell_job_ended(*this);
    if (job_ == ended) break;
  }
}

void Shell::channel_drained() {
  const auto self = shared_from_this();
  if (!job_ || !job_->transferring) return;
  job_->transfer->pump(*channel_);
  owner_.shell_job_moved(*this);
}

// Children that outlive the shell hold its pipes, and sshd then keeps the channel. What they still
// print after a moment is nobody's.
void Shell::channel_exited() {
  linger_ = std::make_unique<boost::asio::steady_timer>(strand_, std::chrono::milliseconds(300));
  linger_->async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (!error && self && self->channel_) self->channel_->close();
  });
}

void Shell::channel_closed(std::optional<int> status, const std::string& how,
                           const std::optional<ssh::TransportError>& error) {
  const auto self = shared_from_this();
  if (state_ == State::gone) return;
  out_->parser.flush(*out_);
  err_->parser.flush(*err_);
  const State before = state_;
  state_ = State::gone;
  channel_.reset();
  if (before == State::ending) {
    const bool well = !status || *status == 0;
    return owner_.shell_gone(*this, well ? std::string() : how, error.has_value());
  }
  owner_.shell_gone(*this, error ? error->what : how, error.has_value());
}

}  // namespace cnplay::remote

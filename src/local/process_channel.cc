#include "local/process_channel.h"

#include <string.h>
#include <sys/wait.h>

#include <boost/asio/post.hpp>
#include <cerrno>
#include <utility>

namespace cnplay::local {

using boost::system::error_code;

ProcessChannel::Stream::Stream(boost::asio::io_context& io, int fd) : descriptor(io) {
  if (fd >= 0) {
    descriptor.assign(fd);
  } else {
    over = true;
  }
}

ProcessChannel::ProcessChannel(boost::asio::io_context& io, const Process& process,
                               std::shared_ptr<connection::ChannelHandler> handler)
    : io_(io),
      pid_(process.pid),
      terminal_(process.err < 0),
      handler_(std::move(handler)),
      in_(io),
      exit_(io, process.exit),
      out_(io, process.out),
      err_(io, process.err) {
  if (process.in >= 0) in_.assign(process.in);
}

void ProcessChannel::start() {
  read(out_);
  read(err_);
  await_exit();
}

void ProcessChannel::forget() {
  error_code ignored;
  exit_.close(ignored);
}

// A terminal is one descriptor for both ways.
ProcessChannel::Descriptor& ProcessChannel::input() { return terminal_ ? out_.descriptor : in_; }

void ProcessChannel::read(Stream& stream) {
  if (stream.reading || stream.over || paused_) return;
  stream.reading = true;
  stream.descriptor.async_read_some(
      boost::asio::buffer(stream.buffer),
      [self = shared_from_this(), &stream](const error_code& error, std::size_t size) {
        stream.reading = false;
        if (self->finished_) return;
        // The end of a terminal's other side is an error (EIO).
        if (error) stream.over = true;
        stream.held = size;
        self->advance();
      });
}

// Tells what has come, and reads on.
void ProcessChannel::advance() {
  for (Stream* stream : {&out_, &err_}) {
    if (finished_ || paused_) return;
    if (stream->held > 0) deliver(*stream);
    if (!finished_) read(*stream);
  }
  if (!finished_) look();
}

void ProcessChannel::deliver(Stream& stream) {
  const std::string_view bytes(stream.buffer.data(), std::exchange(stream.held, 0));
  if (&stream == &out_) {
    handler_->on_stdout(bytes);
  } else {
    handler_->on_stderr(bytes);
  }
}

void ProcessChannel::write(std::string bytes) {
  if (finished_ || input_over_ || eof_wanted_ || bytes.empty()) return;
  queued_ += bytes.size();
  queue_.push_back(std::move(bytes));
  flush();
}

void ProcessChannel::flush() {
  if (writing_ || finished_ || input_over_) return;
  if (queue_.empty()) {
    if (eof_wanted_) drop_input();
    return;
  }
  writing_ = true;
  const std::string& front = queue_.front();
  input().async_write_some(
      boost::asio::buffer(front.data() + front_sent_, front.size() - front_sent_),
      [self = shared_from_this()](const error_code& error, std::size_t size) {
        self->writing_ = false;
        if (self->finished_) return;
        // Nobody reads it any more. How the process ended is told soon.
        if (error) return self->drop_input();
        self->queued_ -= size;
        self->front_sent_ += size;
        if (self->front_sent_ == self->queue_.front().size()) {
          self->queue_.pop_front();
          self->front_sent_ = 0;
          if (self->queue_.empty() && !self->eof_wanted_) self->handler_->on_drained();
        }
        self->flush();
      });
}

void ProcessChannel::drop_input() {
  input_over_ = true;
  queue_.clear();
  queued_ = 0;
  front_sent_ = 0;
  error_code ignored;
  in_.close(ignored);
}

void ProcessChannel::send_eof() {
  if (finished_ || eof_wanted_) return;
  eof_wanted_ = true;
  flush();
}

void ProcessChannel::resume() {
  if (!paused_) return;
  paused_ = false;
  boost::asio::post(io_, [self = shared_from_this()] {
    if (!self->finished_) self->advance();
  });
}

void ProcessChannel::close() {
  if (finished_) return;
  finished_ = true;
  drop_input();
  error_code ignored;
  out_.descriptor.close(ignored);
  err_.descriptor.close(ignored);
  boost::asio::post(io_, [self = shared_from_this()] {
    if (const auto handler = std::exchange(self->handler_, nullptr)) handler->on_close({});
  });
}

void ProcessChannel::await_exit() {
  exit_.async_wait(Descriptor::wait_read, [self = shared_from_this()](const error_code& error) {
    if (!error) self->exited();
  });
}

// Reaped whatever has become of the channel: the controller may live for long.
void ProcessChannel::exited() {
  int status = 0;
  pid_t done = 0;
  do {
    done = ::waitpid(pid_, &status, WNOHANG);
  } while (done < 0 && errno == EINTR);
  if (done == 0) return await_exit();
  forget();
  exited_ = true;
  if (done > 0 && WIFEXITED(status)) status_ = WEXITSTATUS(status);
  if (done > 0 && WIFSIGNALED(status)) {
    const char* name = ::sigabbrev_np(WTERMSIG(status));
    signal_ = name == nullptr ? "" : name;
  }
  if (!finished_) look();
}

void ProcessChannel::look() {
  if (paused_ || out_.held + err_.held > 0) return;
  if (out_.over && err_.over && !std::exchange(eof_told_, true)) {
    handler_->on_eof();
    if (finished_) return;
  }
  if (!exited_) return;
  if (!exit_told_) {
    exit_told_ = true;
    handler_->on_exit(status_, signal_);
    if (finished_) return;
  }
  if (out_.over && err_.over) close();
}

}  // namespace cnplay::local

// One persistent `sh` of one user on one host, and the job that runs in it.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "remote/frame.h"
#include "remote/job.h"
#include "remote/opener.h"

namespace cnplay::remote {

// Who owns shells. All calls come on the connection's strand; a shell may be dropped in them.
class ShellOwner {
 public:
  virtual ~ShellOwner() = default;
  virtual void shell_ready(Shell& shell, const std::string& boot_id) = 0;
  virtual void shell_failed(Shell& shell, const ShellFailure& failure) = 0;
  // The shell's job has said its end, or the shell died under it.
  virtual void shell_job_ended(Shell& shell) = 0;
  // A file that its job moves has moved on.
  virtual void shell_job_moved(Shell& shell) = 0;
  // After it was ready. `why` says how it ended; `lost`: with its connection.
  virtual void shell_gone(Shell& shell, const std::string& why, bool lost) = 0;
};

class Shell final : public ChannelUser, public std::enable_shared_from_this<Shell> {
 public:
  enum class State {
    opening,
    idle,
    busy,
    doomed,  // to be killed: takes no more work
    ending,  // told to end
    gone
  };

  Shell(ShellOwner& owner, boost::asio::any_io_executor strand, std::shared_ptr<Opener> opener,
        std::string user);
  ~Shell() override;

  void open();
  // Sends a request. The shell must be idle.
  void run(std::shared_ptr<Job> job, std::string request);
  // Sends a request behind that of the job that it is at work on, which moves no file. The shell
  // must be busy; it turns to it when all before is over.
  void run_next(std::shared_ptr<Job> job, std::string request);
  // Those of them that it has not come to; it never will.
  std::deque<std::shared_ptr<Job>> take_followers() { return std::exchange(followers_, {}); }
  // The last job that it was given; 0: none yet.
  TaskId last_task() const { return last_task_; }
  // Sends more for the job that it is at work on.
  void send_more(std::string request) { say(std::move(request)); }
  // The job is over, or has been given up: on to the next, or idle again.
  void release();
  void doom() { state_ = State::doomed; }
  void spare() { state_ = State::busy; }  // doomed in vain: its job was faster
  // Lets it end by itself, by the end of its stdin; `tidy`: it removes the run's directory before.
  void end(std::optional<TaskId> tidy = std::nullopt);
  void abandon();  // closes the channel; nothing more is told of it

  void pause();
  void resume();

  State state() const { return state_; }
  const std::string& user() const { return user_; }
  long pid() const { return pid_; }
  const Opened& opened_as() const { return as_; }
  // The name of the directory where it keeps what is printed, once it has claimed a task.
  const std::string& spool() const { return spool_; }
  bool merged() const { return merged_; }      // stderr comes as stdout
  bool terminal() const { return terminal_; }  // no bytes can be sent through it as they are
  // Bytes that it has printed so far.
  std::uint64_t printed() const { return printed_; }
  // Text for the shell itself, ahead of the next request.
  void say(std::string line);
  const std::shared_ptr<Job>& job() const { return job_; }

  void channel_bytes(Stream stream, std::string_view bytes) override;
  void channel_drained() override;
  void channel_exited() override;
  void channel_closed(std::optional<int> status, const std::string& how,
                      const std::optional<ssh::TransportError>& error) override;

 private:
  struct Side final : FrameSink {
    Side(Shell& of, Stream which, std::string_view nonce)
        : shell(of), stream(which), parser(nonce) {}
    void text(std::string_view bytes) override;
    void mark(std::string_view words) override;
    // The job that this stream is at: it may be a follower already while the other stream is not.
    Job* job() const;
    Shell& shell;
    Stream stream;
    FrameParser parser;
    std::size_t lead = 0;  // how many jobs it is ahead of job_
    bool past = false;     // the end of that one has come, and there was none behind it
  };

  void opened(Opened opened);
  void send(std::string request);
  void send_held();

  ShellOwner& owner_;
  boost::asio::any_io_executor strand_;
  std::shared_ptr<Opener> opener_;
  std::string user_;
  std::string spool_;
  std::uint64_t printed_ = 0;
  Opened as_;
  State state_ = State::opening;
  std::shared_ptr<ssh::Channel> channel_;
  std::shared_ptr<ChannelRelay> relay_;
  long pid_ = 0;
  bool merged_ = false;
  bool terminal_ = false;
  bool paused_ = false;
  std::optional<Side> out_;
  std::optional<Side> err_;
  std::shared_ptr<Job> job_;
  std::deque<std::shared_ptr<Job>> followers_;
  TaskId last_task_ = 0;
  std::vector<std::string> held_;  // requests that go out on one line
  std::size_t held_bytes_ = 0;
  std::unique_ptr<boost::asio::steady_timer> linger_;
};

}  // namespace cnplay::remote

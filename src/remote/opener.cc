#include "remote/opener.h"

#include <boost/asio/post.hpp>
#include <charconv>
#include <sstream>

#include "remote/request.h"

namespace cnplay::remote {
namespace {

constexpr std::size_t kKeep = 16 * 1024;
// What is written to both streams at once comes at about the same time.
constexpr auto kStderrPatience = std::chrono::seconds(3);

void keep(std::string& text, std::string_view bytes) {
  text += bytes;
  if (text.size() > 2 * kKeep) text.erase(0, text.size() - kKeep);
}

std::optional<long> id_number(std::string_view word) {
  long value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return value;
}

// What /proc/PID/stat says behind the name: "123 (sh) S 1 123 123 ...", the state first.
std::vector<long long> fields_of(std::string_view stat) {
  const std::size_t paren = stat.rfind(')');
  if (paren == std::string_view::npos) return {};
  std::istringstream text{std::string(stat.substr(paren + 1))};
  std::string state;
  std::vector<long long> fields{0};
  if (!(text >> state)) return {};
  for (long long field = 0; text >> field;) fields.push_back(field);
  return fields;
}
constexpr std::size_t kParent = 1;
constexpr std::size_t kGroup = 2;
constexpr std::size_t kSince = 19;

}  // namespace

Opener::Opener(std::shared_ptr<ssh::Connection> connection, const HostSettings& settings,
               Duration ready_timeout, std::string user, SudoMemory& memory, std::string run_id,
               std::vector<std::string> around)
    : connection_(std::move(connection)),
      settings_(settings),
      ready_timeout_(ready_timeout),
      user_(std::move(user)),
      memory_(memory),
      run_id_(std::move(run_id)),
      around_(std::move(around)),
      timer_(connection_->executor()),
      stderr_timer_(connection_->executor()) {}

Opener::~Opener() {
  if (relay_) relay_->set_user(nullptr);
}

void Opener::start(Done done) {
  done_ = std::move(done);
  how_ = memory_.how;
  if (!user_.empty() && !is_user_name(user_)) {
    boost::asio::post(connection_->executor(), [self = shared_from_this()] {
      self->finish(ShellFailure{
          .what = self->settings_.ssh.name + ": `" + self->user_ + "` is not a valid user name",
          .help = "correct the name after `as`"});
    });
    return;
  }
  if (user_.empty()) how_ = {};
  try_once();
}

void Opener::stop() {
  done_ = nullptr;
  step_ = Step::done;
  timer_.cancel();
  stderr_timer_.cancel();
  close_channel();
}

void Opener::try_once() {
  step_ = Step::channel;
  prompts_ = 0;
  made_session_ = false;
  token_.clear();
  out_.clear();
  err_.clear();
  relay_ = std::make_shared<ChannelRelay>(this);
  timer_.expires_after(ready_timeout_);
  timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (error || !self || self->step_ == Step::done) return;
    if (self->timer_.expiry() > std::chrono::steady_clock::now()) return;  // a later try's
    self->fail_shell("no POSIX shell answered in " + human_duration(self->ready_timeout_) +
                     ": unsupported shell or forced command");
  });
  connection_->open_exec("exec sh", how_.pty, relay_,
                         [weak = weak_from_this(), relay = relay_](ssh::OpenResult result) {
                           auto* channel = std::get_if<std::shared_ptr<ssh::Channel>>(&result);
                           const auto self = weak.lock();
                           if (!self || self->step_ == Step::done || self->relay_ != relay) {
                             if (channel) (*channel)->close();
                             return;
                           }
                           if (channel) return self->opened(std::move(*channel));
                           const auto& error = std::get<ssh::TransportError>(result);
                           ShellFailure failure{.what = error.what, .help = error.help};
                           failure.no_channel = error.kind == ssh::Failure::no_channel;
                           if (error.kind == ssh::Failure::lost) failure.kind = Unreachable::lost;
                           self->finish(std::move(failure));
                         });
}

void Opener::opened(std::shared_ptr<ssh::Channel> channel) {
  channel_ = std::move(channel);
  // Nothing is lost with it: a redirected stderr is the user's own log, or nowhere.
  one_stream_ = memory_.no_stderr && !how_.pty;
  if (one_stream_) channel_->write("exec 2>&1\n");
  if (user_.empty()) return ask();
  if (how_.pty) {
    // On a terminal that sh is interactive: it may echo by its own line editor, whatever stty says,
    // and sudo's line would show us its own prompt. So one line alone is for it (the halves of the
    // token stand apart in its echo); the next is read by a sh that is not interactive.
    step_ = Step::raw;
    token_ = make_nonce();
    channel_->write("stty raw -echo; exec sh -c 'printf \"%s%s\\n\" " + token_.substr(0, 16) + " " +
                    token_.substr(16) + "; IFS= read -r l; eval \"$l\"'\n");
    return;
  }
  step_ = Step::entering;
  token_ = make_nonce();
  prompt_ = make_nonce();
  channel_->write(sudo_line(how_, user_, prompt_, token_));
}

void Opener::ask() {
  step_ = Step::asking;
  token_ = make_nonce();
  nonce_ = make_nonce();
  spool_ = make_nonce().substr(0, 16);
  // The prelude comes first: whoever answers has read it to its end, and no task waits for that. A
  // `cat` in the place of the shell gives back the halves apart; what is no POSIX shell cannot
  // calculate. The pid tells whom to kill, its group whether that would take the children along.
  // On both streams: a start-up file of the login shell may have redirected stderr, and without its
  // marks no task would ever end.
  const bool merged = how_.pty || one_stream_;
  const std::string halves = "'" + token_.substr(0, 16) + "' '" + token_.substr(16) + "'";
  channel_->write(make_bootstrap(nonce_, run_id_, spool_, merged, around_) +
                  (merged ? "" : "printf '\\n%s%s\\n' " + halves + " >&2; ") +
                  "{ read -r _cn_p </proc/$$/stat; read -r _cn_q </proc/$PPID/stat; } 2>/dev/null;"
                  " printf '%s%s %s %s %s %s / %s\\n' " +
                  halves +
                  " \"$((6*7))\" \"$$\" \"${_cn_b:-?}\" \"${_cn_q##*) }\" \"${_cn_p:-?}\"\n");
}

void Opener::channel_bytes(Stream stream, std::string_view bytes) {
  if (step_ == Step::done) return;
  keep(stream == Stream::out ? out_ : err_, bytes);
  // Not under our own callers' feet: what look() does may end this opener.
  const auto self = shared_from_this();
  look();
}

void Opener::look() {
  if (step_ == Step::entering && take_prompt()) return;
  if (step_ == Step::listening) return listen(std::move(answer_));
  const std::size_t at = out_.find(token_);
  if (token_.empty() || at == std::string::npos) return;
  const std::size_t end = out_.find('\n', at);
  if (end == std::string::npos) return;
  const std::string line = out_.substr(at + token_.size(), end - at - token_.size());
  out_.clear();
  if (step_ == Step::asking) return listen(line);
  err_.clear();
  switch (step_) {
    case Step::raw:
      step_ = Step::entering;
      token_ = make_nonce();
      prompt_ = make_nonce();
      channel_->write(sudo_line(how_, user_, prompt_, token_));
      break;
    case Step::entering:
    case Step::session:
      ask();
      break;
    case Step::asking:
    case Step::listening:
    case Step::channel:
    case Step::done:
      break;
  }
}

// A filter that colours stderr changes what comes through it: a line that is not ours to the letter
// counts for nothing.
void Opener::listen(std::string line) {
  if (how_.pty || one_stream_ || err_.find("\n" + token_ + "\n") != std::string::npos) {
    stderr_timer_.cancel();
    err_.clear();
    step_ = Step::asking;
    return answer(line);
  }
  answer_ = std::move(line);
  if (step_ == Step::listening) return;
  step_ = Step::listening;
  stderr_timer_.expires_after(kStderrPatience);
  stderr_timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (error || !self || self->step_ != Step::listening) return;
    self->memory_.no_stderr = self->one_stream_ = true;
    self->channel_->write("exec 2>&1\n");
    self->ask();
  });
}

bool Opener::take_prompt() {
  if (!how_.with_password) return false;
  std::string& text = how_.pty || one_stream_ ? out_ : err_;
  const std::size_t at = text.find(prompt_);
  if (at == std::string::npos) return false;
  text.erase(at, prompt_.size());
  if (++prompts_ > 1) {
    // It asks again: the password was wrong. One attempt, never a second.
    memory_.password_refused = true;
    auto failure = explain(Refusal::wrong_password, {settings_.ssh.name, settings_.ssh.user, user_},
                           true, seen());
    finish(std::move(failure));
    return true;
  }
  const auto password = have_password() ? settings_.become_password() : std::nullopt;
  if (!password || password->reveal().find_first_of("\n\r") != std::string::npos) {
    finish(explain(Refusal::password_needed, {settings_.ssh.name, settings_.ssh.user, user_}, false,
                   {}));
    return true;
  }
  channel_->write(password->reveal() + "\n");
  return true;
}

// " 42 PID BOOT-ID PARENT'S-STAT-BEHIND-ITS-NAME / STAT"
void Opener::answer(std::string_view line) {
  std::istringstream words{std::string(line)};
  std::string sum;
  std::string pid_word;
  std::string boot_id;
  std::string stat;
  words >> sum >> pid_word >> boot_id;
  std::getline(words, stat);
  const auto pid = id_number(pid_word);
  if (sum != "42" || !pid || *pid <= 1) {
    return fail_shell("what answered is not a POSIX shell");
  }
  const std::size_t slash = std::min(stat.find('/'), stat.size());
  const auto parent = fields_of(") " + stat.substr(0, slash));
  const auto own = fields_of(stat.substr(slash));
  if (own.size() > kGroup && own[kGroup] != *pid) {
    if (made_session_)
      return fail_shell("its shell leads no process group: tasks cannot be killed");
    // `sh -c` reads nothing from stdin, so nothing that follows can get lost in a buffer.
    made_session_ = true;
    step_ = Step::session;
    token_ = make_nonce();
    channel_->write("exec setsid sh -c 'printf \"%s\\n\" " + token_ + "; exec sh'\n");
    return;
  }
  if (!user_.empty()) memory_.how = how_;
  if (boot_id == "?" || boot_id.size() > 64) boot_id.clear();
  const bool known = own.size() > kParent && parent.size() > kSince;
  finish(Opened{.channel = channel_,
                .relay = relay_,
                .pid = *pid,
                .boot_id = boot_id,
                .merged = how_.pty || one_stream_,
                .terminal = how_.pty,
                .parent = known ? static_cast<long>(own[kParent]) : 0,
                .parent_since = known ? parent[kSince] : 0,
                .nonce = nonce_,
                .spool = spool_});
}

void Opener::channel_closed(std::optional<int> status, const std::string& how,
                            const std::optional<ssh::TransportError>& error) {
  if (step_ == Step::done) return;
  const auto self = shared_from_this();
  channel_.reset();
  if (error) {
    return finish(
        ShellFailure{.kind = Unreachable::lost, .what = error->what, .help = error->help});
  }
  if (user_.empty() || step_ == Step::raw) {
    return fail_shell("the login shell of " + settings_.ssh.user + " ended at once" +
                      (how.empty() ? "" : " (" + how + ")"));
  }
  const Refusal refusal = classify(status, out_ + err_, prompts_ > 0);
  if (refusal == Refusal::tty_needed && !how_.pty) {
    return again({.with_password = how_.with_password, .pty = true});
  }
  // `sudo -n` words its wish for a password in many ways. What is no clear no is asked again.
  if (refusal == Refusal::wrong_password) memory_.password_refused = true;
  if (!how_.with_password && have_password() &&
      (refusal == Refusal::password_needed || refusal == Refusal::other)) {
    return again({.with_password = true, .pty = how_.pty});
  }
  finish(explain(refusal, {settings_.ssh.name, settings_.ssh.user, user_},
                 have_password() && how_.with_password, seen()));
}

bool Opener::have_password() const {
  return settings_.become_password != nullptr && !memory_.password_refused;
}

void Opener::again(SudoTry how) {
  how_ = how;
  relay_->set_user(nullptr);
  try_once();
}

void Opener::fail_shell(const std::string& what) {
  ShellFailure failure;
  failure.what = settings_.ssh.name + ": " + what;
  if (const std::string text = seen().display(500); !text.empty()) {
    failure.what += "; it said: " + text;
  }
  while (failure.what.ends_with('\n')) failure.what.pop_back();
  failure.help = user_.empty() ? "cnplay needs an account on " + settings_.ssh.name +
                                     " that may run `sh` over SSH: see `getent passwd " +
                                     settings_.ssh.user + "` and its authorized_keys there"
                               : "try `sudo -u " + user_ + " sh` as " + settings_.ssh.user +
                                     " on " + settings_.ssh.name;
  finish(std::move(failure));
}

void Opener::finish(std::variant<Opened, ShellFailure> result) {
  if (step_ == Step::done) return;
  step_ = Step::done;
  timer_.cancel();
  stderr_timer_.cancel();
  if (std::holds_alternative<ShellFailure>(result)) close_channel();
  channel_.reset();
  relay_.reset();  // if opened, it is the shell's from here on
  if (const Done done = std::exchange(done_, nullptr)) done(std::move(result));
}

void Opener::close_channel() {
  if (relay_) relay_->set_user(nullptr);
  if (channel_) channel_->close();
  channel_.reset();
}

Untrusted Opener::seen() const {
  std::string text = err_ + out_;
  std::size_t at = 0;
  while (!prompt_.empty() && (at = text.find(prompt_)) != std::string::npos) {
    text.erase(at, prompt_.size());
  }
  return Untrusted(std::move(text));
}

}  // namespace cnplay::remote

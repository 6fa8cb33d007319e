// From a name to an authenticated connection: resolve, wait for a place, connect, exchange keys,
// know the host. (Authentication: core_auth.cc.) One coroutine; `pending()` is false once connect()
// has been answered by the timer or by close(), and then the coroutine only winds up.
#include <libssh/libssh.h>

#include <algorithm>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "ssh/core.h"
#include "ssh/errors.h"
#include "ssh/keys.h"

namespace cnplay::ssh {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// What libssh 0.10 can verify, best first.
constexpr std::string_view kHostKeyAlgorithms[] = {"ssh-ed25519",         "ecdsa-sha2-nistp256",
                                                   "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
                                                   "rsa-sha2-512",        "rsa-sha2-256"};

// The algorithms to offer: those of the stored keys, so that a host with several keys shows the one
// that we know. All, if none is stored.
std::string algorithms_for(const std::vector<StoredKey>& stored) {
  std::string all;
  std::string wanted;
  for (const std::string_view algorithm : kHostKeyAlgorithms) {
    const auto fits = [&](const StoredKey& key) {
      return !key.revoked && (key.type == algorithm ||
                              (key.type == "ssh-rsa" && algorithm.starts_with("rsa-sha2-")));
    };
    all.append(all.empty() ? "" : ",").append(algorithm);
    if (std::any_of(stored.begin(), stored.end(), fits)) {
      wanted.append(wanted.empty() ? "" : ",").append(algorithm);
    }
  }
  return wanted.empty() ? all : wanted;
}

std::string at(const StoredKey& key) { return key.file + ":" + std::to_string(key.line); }

}  // namespace

void Core::connect(Done done) {
  if (state_ != State::idle) {
    return done(error(Failure::lost, "a connection connects once; make a new one"));
  }
  state_ = State::connecting;
  done_ = std::move(done);
  asio::co_spawn(
      shard_->io(), [self = shared_from_this()] { return self->run_connect(); }, asio::detached);
}

void Core::fail_connect(TransportError error) {
  if (!pending()) return;
  state_ = State::dead;
  const auto keep = shared_from_this();
  if (!waiting_place_.empty() && shard_->shared().limiter.give_up(waiting_place_, ticket_)) {
    waiting_place_.clear();
  }
  const auto done = std::exchange(done_, nullptr);
  tear_down();
  release_place();
  done(std::move(error));
}

void Core::start_timer(Duration bound) {
  connect_began_ = std::chrono::steady_clock::now();
  timer_.expires_after(std::max(bound, Duration(1)));
  timer_.async_wait([weak = weak_from_this()](error_code ec) {
    const auto self = weak.lock();
    if (ec || !self || !self->pending()) return;
    const char* phase = self->peer_.empty()    ? "no TCP connection"
                        : !self->session_      ? "no SSH session"
                        : self->agent_fd_ >= 0 ? "the ssh-agent has not answered"
                                               : "the host accepted TCP but SSH is not ready";
    self->fail_connect(self->error(
        Failure::timeout,
        "timed out after " + human_duration(self->settings_.connect_timeout) + ": " + phase,
        "is the host up and reachable? A slow host needs a longer connect timeout"));
  });
}

asio::awaitable<void> Core::run_connect() {
  const auto keep = shared_from_this();
  co_await try_connect();
  // Answered meanwhile by the timer or by close(): what a worker had borrowed is free now.
  if (state_ == State::dead) {
    tear_down();
    release_place();
  }
}

asio::awaitable<void> Core::try_connect() {
  for (const auto& [what, status] : {std::pair{"address", check_address(settings_.address)},
                                     std::pair{"user", check_user(settings_.user)}}) {
    if (!status) {
      co_return fail_connect(error(Failure::resolve, status.error().what, status.error().help));
    }
  }
  if (!co_await reach()) co_return;
  if (!co_await exchange_keys()) co_return;
  if (auto refused = check_host_key()) co_return fail_connect(std::move(*refused));
  if (!co_await authenticate()) co_return;

  timer_.cancel();
  release_place();
  state_ = State::established;
  bytes_seen_ = session_->bytes_received();
  start_keepalive();
  std::exchange(done_, nullptr)(std::nullopt);
  if (state_ == State::established) step();
}

asio::awaitable<bool> Core::reach() {
  if (settings_.jump || !settings_.proxy_command.empty()) {
    if (settings_.jump && !co_await open_gate()) co_return false;
    const std::string behind = settings_.jump ? settings_.jump->address : "a command";
    if (!co_await wait_for_place(settings_.address + " behind " + behind)) co_return false;
    start_timer(settings_.connect_timeout);
    if (settings_.jump) co_return co_await go_through_gate();
    co_return go_through_command();
  }
  start_timer(settings_.connect_timeout);
  const auto endpoints = co_await resolve();
  if (!pending()) co_return false;

  // The time spent in the queue is not the host's fault.
  const auto spent =
      std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - connect_began_);
  timer_.cancel();
  if (!co_await wait_for_place(endpoints.front().address().to_string())) co_return false;
  start_timer(settings_.connect_timeout - spent);
  co_return co_await connect_tcp(endpoints);
}

asio::awaitable<bool> Core::wait_for_place(std::string address) {
  auto& limiter = shard_->shared().limiter;
  waiting_place_ = address;
  ticket_ = limiter.acquire(address, [self = shared_from_this()] {
    asio::post(self->shard_->io(), [self] {
      self->place_ = std::exchange(self->waiting_place_, {});
      self->wake();
    });
  });
  while (place_.empty() && !waiting_place_.empty()) {
    if (!woken_) {
      error_code ignored;
      wake_.expires_at(asio::steady_timer::time_point::max());
      co_await wake_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    woken_ = false;
  }
  co_return pending();
}

void Core::release_place() {
  if (!place_.empty()) shard_->shared().limiter.release(std::exchange(place_, {}));
}

asio::awaitable<std::vector<tcp::endpoint>> Core::resolve() {
  error_code ec;
  const auto literal = asio::ip::make_address(settings_.address, ec);
  if (!ec) co_return std::vector{tcp::endpoint(literal, settings_.port)};
  // getaddrinfo blocks, and cannot be interrupted: on a worker.
  auto look_up = [address = settings_.address, port = settings_.port, &io = shard_->io(),
                  &ec]() -> asio::awaitable<std::vector<tcp::endpoint>> {
    tcp::resolver resolver(io);
    std::vector<tcp::endpoint> found;
    for (const auto& entry :
         resolver.resolve(address, std::to_string(port), tcp::resolver::numeric_service, ec)) {
      found.push_back(entry.endpoint());
    }
    co_return found;
  };
  auto found = co_await asio::co_spawn(shard_->shared().workers(), look_up, asio::use_awaitable);
  if (found.empty()) {
    fail_connect(error(Failure::resolve,
                       "the name " + shown(settings_.address) + " has no address: " + ec.message(),
                       "check `address` of this host in the inventory"));
  }
  co_return found;
}

asio::awaitable<bool> Core::connect_tcp(const std::vector<tcp::endpoint>& endpoints) {
  std::optional<TransportError> first_error;
  for (std::size_t i = 0; i < endpoints.size() && pending(); ++i) {
    const auto& endpoint = endpoints[i];
    error_code ec;
    socket_.close(ec);
    socket_ = tcp::socket(shard_->io());
    // An address that swallows packets gets its share of the time, not all of it.
    asio::steady_timer share(shard_->io());
    if (i + 1 < endpoints.size()) {
      share.expires_after(settings_.connect_timeout / static_cast<int>(endpoints.size()));
      share.async_wait([this, keep = shared_from_this()](error_code stopped) {
        error_code ignored;
        if (!stopped) socket_.cancel(ignored);
      });
    }
    co_await socket_.async_connect(endpoint, asio::redirect_error(asio::use_awaitable, ec));
    share.cancel();
    if (!pending()) co_return false;
    const std::string text = endpoint_text(endpoint.address().to_string(), settings_.port);
    if (!ec) {
      peer_ = text;
      // Without this every small request waits 40 ms for the peer's delayed acknowledgement.
      socket_.set_option(tcp::no_delay(true), ec);
      fd_ = socket_.release(ec);
      co_return true;
    }
    if (!first_error) first_error = connect_error(settings_, text, ec);
  }
  if (first_error) fail_connect(std::move(*first_error));
  co_return false;
}

asio::awaitable<bool> Core::exchange_keys() {
  if (fd_ > shard_->shared().last_descriptor) {
    fail_connect(error(Failure::protocol,
                       "too many open files: each host needs one, and " +
                           std::to_string(shard_->shared().last_descriptor) +
                           " may be open here, with some reserved",
                       kMoreFiles));
    co_return false;
  }
  auto files = settings_.known_hosts;
  if (files.empty()) files = KnownHosts::default_files();
  const bool alias = !settings_.host_key_alias.empty();
  stored_keys_ = shard_->shared().known_hosts.find(
      files, alias ? settings_.host_key_alias : settings_.address, alias ? 22 : settings_.port);
  session_ = std::make_unique<Session>();
  const Status started =
      session_->start(std::exchange(fd_, -1), settings_, algorithms_for(stored_keys_));
  if (!started) {
    fail_connect(error(Failure::protocol, started.error().what, started.error().help));
    co_return false;
  }
  const int rc = co_await drive([this] { return session_->connect_step(); });
  if (!pending()) co_return false;
  keys_exchanged_ = rc == SSH_OK;
  if (keys_exchanged_) co_return true;
  fail_connect(exchange_error());
  co_return false;
}

// Tells a host with another type of key, and a server that hung up, from other failures.
TransportError Core::exchange_error() const {
  const std::string said = session_->error();
  if (said.find("host key algo") != std::string::npos && !stored_keys_.empty()) {
    return error(Failure::host_key_changed,
                 "the host offers no key of the type stored at " + at(stored_keys_.front()) + " (" +
                     stored_keys_.front().type + ")",
                 "if its keys were replaced on purpose, correct that line");
  }
  // Without an errno libssh says "Success": of a socket that the other side had closed already.
  const bool closed = said.empty() || said.ends_with("Success");
  if (closed || said.find("isconnected") != std::string::npos || said.find("Socket error") == 0) {
    return error(Failure::lost,
                 "the host closed the connection during the key exchange" +
                     (closed ? std::string() : ": " + said) + proxy_words(),
                 "is it an sshd? One that is busy (MaxStartups) or has locked this machine out "
                 "(PerSourcePenalties) does so, too");
  }
  return error(Failure::protocol, "the SSH key exchange failed: " + said + proxy_words());
}

std::optional<TransportError> Core::check_host_key() {
  ssh_key raw = nullptr;
  char* text = nullptr;
  if (ssh_get_server_publickey(session_->get(), &raw) != SSH_OK) {
    return error(Failure::protocol, "the host showed no key");
  }
  const Key key = adopt_key(raw);
  if (ssh_pki_export_pubkey_base64(raw, &text) != SSH_OK) {
    return error(Failure::protocol, "the host's key cannot be read");
  }
  const std::string blob = text;
  ssh_string_free_char(text);
  const std::string type = ssh_key_type_to_char(ssh_key_type(raw));
  const std::string type_name = type.starts_with("ecdsa") ? ssh_pki_key_ecdsa_name(raw) : type;
  const std::string shows = type_name + " " + fingerprint(raw);

  const StoredKey* other = nullptr;
  bool known = false;
  for (const StoredKey& stored : stored_keys_) {
    const bool same = stored.blob == blob;
    if (same && stored.revoked) {
      return error(Failure::host_key_revoked,
                   "the host shows a revoked key, " + shows + " (" + at(stored) + ")",
                   "do not connect: whoever holds this key may not be the host");
    }
    if (stored.revoked) continue;
    known = known || same;
    if (!same && other == nullptr) other = &stored;
  }
  if (known) return std::nullopt;
  auto files = settings_.known_hosts;
  if (files.empty()) files = KnownHosts::default_files();
  const bool alias = !settings_.host_key_alias.empty();
  const std::string& name = alias ? settings_.host_key_alias : settings_.address;
  const std::uint16_t name_port = alias ? 22 : settings_.port;
  auto& known_hosts = shard_->shared().known_hosts;
  // OpenSSH would accept the host by its certificate; libssh 0.10 reads none.
  const auto authority = known_hosts.authority(files, name, name_port);
  const std::string not_read = authority ? "; host certificates are not supported: the "
                                           "@cert-authority of " +
                                               at(*authority) + " is not used"
                                         : "";
  if (other != nullptr) {
    return error(Failure::host_key_changed,
                 "the host's key has CHANGED: it shows " + shows + ", stored is " + other->type +
                     " " + fingerprint(other->type, other->blob) + " (" + at(*other) + ")" +
                     not_read,
                 "somebody may be between you and the host. If it was reinstalled, compare "
                 "the fingerprint on the host itself, then remove that line");
  }
  if (settings_.host_keys == Settings::HostKeys::accept_new) {
    const Status stored = known_hosts.add(files.front(), name, name_port, type_name, blob);
    if (stored) return std::nullopt;
    return error(Failure::host_key_unknown,
                 "the host's new key cannot be stored: " + stored.error().what);
  }
  const std::string port = settings_.port == 22 ? "" : "-p " + std::to_string(settings_.port) + " ";
  return error(Failure::host_key_unknown, "the host's key is not known: " + shows + not_read,
               "compare the fingerprint on the host itself, then store the key: `ssh-keyscan " +
                   port + settings_.address + " >> " + files.front() +
                   "`; or run with --host-key=accept-new");
}

asio::awaitable<int> Core::drive(std::function<int()> call) {
  for (;;) {
    const int rc = call();
    // libssh has two values for the same thing, one for sessions, one for authentication.
    if (rc != SSH_AGAIN && rc != SSH_AUTH_AGAIN) co_return rc;
    // libssh says "again" of a session that the host has ended during the login, too.
    if (keys_exchanged_ && session_->dead()) co_return SSH_ERROR;
    co_await progress();
    if (!pending()) co_return SSH_ERROR;
  }
}

// Until pump() has worked, or somebody has ended the attempt.
asio::awaitable<void> Core::progress() {
  arm();
  if (!woken_) {
    error_code ignored;
    wake_.expires_at(asio::steady_timer::time_point::max());
    co_await wake_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  woken_ = false;
}

void Core::wake() {
  woken_ = true;
  wake_.cancel();
}

}  // namespace cnplay::ssh

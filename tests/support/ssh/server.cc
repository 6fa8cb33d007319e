#include "support/ssh/server.h"

#include <libssh/libssh.h>
#include <libssh/server.h>
#include <poll.h>
#include <unistd.h>

#include <stdexcept>
#include <utility>

namespace cnplay::ssh::test {

PasswordServer::PasswordServer(Method method, std::string password)
    : method_(method), password_(std::move(password)), port_(free_port()) {
  run("ssh-keygen -q -t ed25519 -N '' -C test -f " + dir_.path("host"));
  write_file(dir_.path("known_hosts"),
             "[127.0.0.1]:" + std::to_string(port_) + " " + read_file(dir_.path("host.pub")));
  // Listening before the constructor returns: whoever connects then finds it.
  ssh_bind bind = ssh_bind_new();
  const std::string key = dir_.path("host");
  const bool no = false;
  const unsigned port = port_;
  ssh_bind_options_set(bind, SSH_BIND_OPTIONS_PROCESS_CONFIG, &no);
  ssh_bind_options_set(bind, SSH_BIND_OPTIONS_BINDADDR, "127.0.0.1");
  ssh_bind_options_set(bind, SSH_BIND_OPTIONS_BINDPORT, &port);
  ssh_bind_options_set(bind, SSH_BIND_OPTIONS_HOSTKEY, key.c_str());
  if (ssh_bind_listen(bind) != SSH_OK) throw std::runtime_error(ssh_get_error(bind));
  thread_ = std::thread([this, bind] { serve(bind); });
}

PasswordServer::~PasswordServer() {
  stop_ = true;
  thread_.join();
}

Settings PasswordServer::settings() const {
  Settings s;
  s.name = "box";
  s.address = "127.0.0.1";
  s.port = port_;
  s.user = "deploy";
  s.use_agent = false;
  s.password = Secret(password_);
  s.known_hosts = {dir_.path("known_hosts")};
  return s;
}

void PasswordServer::serve(void* opaque) {
  auto* bind = static_cast<ssh_bind>(opaque);
  while (!stop_) {
    pollfd waiting{ssh_bind_get_fd(bind), POLLIN, 0};
    if (::poll(&waiting, 1, 10) <= 0) continue;
    ssh_session session = ssh_new();
    const long seconds = 5;
    ssh_options_set(session, SSH_OPTIONS_TIMEOUT, &seconds);
    if (ssh_bind_accept(bind, session) == SSH_OK && ssh_handle_key_exchange(session) == SSH_OK) {
      serve_one(session);
    }
    ssh_disconnect(session);
    ssh_free(session);
  }
  ssh_bind_free(bind);
}

void PasswordServer::serve_one(void* opaque) {
  auto* session = static_cast<ssh_session>(opaque);
  const int offered =
      method_ == Method::password ? SSH_AUTH_METHOD_PASSWORD : SSH_AUTH_METHOD_INTERACTIVE;
  ssh_set_auth_methods(session, offered);
  ssh_channel channel = nullptr;
  bool authenticated = false;
  while (ssh_message message = ssh_message_get(session)) {
    const int type = ssh_message_type(message);
    const int subtype = ssh_message_subtype(message);
    bool answered = false;
    if (type == SSH_REQUEST_AUTH && subtype == offered) {
      if (subtype == SSH_AUTH_METHOD_PASSWORD) {
        ++attempts_;
// The only call that shows the password; deprecated in favour of callbacks, which need more here.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
        authenticated = password_ == ssh_message_auth_password(message);
#pragma GCC diagnostic pop
      } else if (!ssh_message_auth_kbdint_is_response(message)) {
        const char* prompt = "Password: ";
        char echo = 0;
        ssh_message_auth_interactive_request(message, "", "", 1, &prompt, &echo);
        answered = true;
      } else {
        ++attempts_;
        const char* said = ssh_userauth_kbdint_getanswer(session, 0);
        authenticated = said != nullptr && password_ == said;
      }
      if (!answered && authenticated) {
        ssh_message_auth_reply_success(message, 0);
        answered = true;
      }
    } else if (authenticated && type == SSH_REQUEST_CHANNEL_OPEN) {
      channel = ssh_message_channel_request_open_reply_accept(message);
      answered = true;
    } else if (channel != nullptr && type == SSH_REQUEST_CHANNEL &&
               subtype == SSH_CHANNEL_REQUEST_EXEC) {
      const std::string command = ssh_message_channel_request_command(message);
      ssh_message_channel_request_reply_success(message);
      answered = true;
      ssh_channel_write(channel, command.data(), static_cast<std::uint32_t>(command.size()));
      ssh_channel_request_send_exit_status(channel, 7);
      ssh_channel_close(channel);
    }
    if (!answered) {
      if (type == SSH_REQUEST_AUTH) ssh_message_auth_set_methods(message, offered);
      ssh_message_reply_default(message);
    }
    ssh_message_free(message);
  }
  if (channel != nullptr) ssh_channel_free(channel);
}

}  // namespace cnplay::ssh::test

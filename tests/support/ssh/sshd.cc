#include "support/ssh/sshd.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>

namespace cnplay::ssh::test {

TempDir::TempDir() {
  std::string name = "/tmp/cnplay-ssh-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  path_ = name;
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

std::string run(const std::string& command) {
  FILE* pipe = ::popen(command.c_str(), "re");
  if (pipe == nullptr) throw std::runtime_error("popen failed");
  std::string out;
  std::array<char, 4096> buffer;
  while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    out.append(buffer.data(), n);
  }
  if (::pclose(pipe) != 0) throw std::runtime_error("failed: " + command + "\n" + out);
  return out;
}

std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  const bool fine = ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  ::close(fd);
  if (!fine) throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

std::string user_name() {
  const passwd* entry = ::getpwuid(::getuid());
  if (entry == nullptr) throw std::runtime_error("no user name");
  return entry->pw_name;
}

Sshd::Sshd(const std::string& extra) : port_(free_port()) {
  if (::getuid() == 0) ::mkdir("/run/sshd", 0755);
  for (const char* name : {"host", "user"}) {
    run("ssh-keygen -q -t ed25519 -N '' -C test -f " + dir_.path(name));
  }
  write_file(dir_.path("authorized_keys"), read_file(dir_.path("user.pub")));
  write_file(known_hosts(),
             "[127.0.0.1]:" + std::to_string(port_) + " " + read_file(dir_.path("host.pub")));
  write_file(dir_.path("config"),
             extra + "\nPort " + std::to_string(port_) + "\nListenAddress 127.0.0.1\nHostKey " +
                 dir_.path("host") + "\nAuthorizedKeysFile " + dir_.path("authorized_keys") +
                 "\nPidFile none\nStrictModes no\nUsePAM no\n"
                 "PermitRootLogin yes\nPasswordAuthentication no\n"
                 "KbdInteractiveAuthentication no\nUseDNS no\n"
                 "SetEnv HOME=" +
                 dir_.path("") + "\nMaxStartups 500\nMaxSessions 10\nLogLevel ERROR\n");
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);  // a test that is killed leaves no sshd behind
    const int null = ::open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; ++fd) ::dup2(null, fd);
    const std::string config = dir_.path("config");
    const std::string log = dir_.path("log");
    ::execl("/usr/sbin/sshd", "/usr/sbin/sshd", "-D", "-f", config.c_str(), "-E", log.c_str(),
            nullptr);
    ::_exit(127);
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port_);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (int i = 0; i < 500; ++i) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int rc = ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address));
    ::close(fd);
    if (rc == 0) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  throw std::runtime_error("sshd does not start: " + read_file(dir_.path("log")));
}

Sshd::~Sshd() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
}

Settings Sshd::settings() const {
  Settings s;
  s.name = "web1";
  s.address = "127.0.0.1";
  s.port = port_;
  s.user = user_name();
  s.identities = {user_key()};
  s.use_agent = false;
  s.known_hosts = {known_hosts()};
  return s;
}

}  // namespace cnplay::ssh::test

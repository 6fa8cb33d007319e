// Part of bench/hosts: one SSH connection to one of the hosts, on libssh, never blocking.
#pragma once

#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <libssh/server.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <string>

#include "command.h"
#include "delay.h"

namespace cnplay::bench {

struct Options {
  std::string host_key;                // a private key file, of all hosts
  ssh_key key = nullptr;               // the one that may log in; null: any
  std::string directory;               // real shells, and their HOME; "": the responder
  std::chrono::milliseconds delay{0};  // that what a client sends is on its way
  // Of every so many hosts one is faulty so; 0: none.
  unsigned drop = 0, stall = 0, corrupt = 0;
  // Bytes that its shells have said before: the fault comes with the next request after them.
  std::uint64_t after = 1;
  bool always = false;  // on each connection, not on the first alone
};

class HostConnection;

// What all connections share.
struct World {
  Options options;
  Loop loop;
  ssh_bind bind = nullptr;
  std::map<std::uint64_t, HostMemory> hosts;  // by address and port
  std::map<HostConnection*, std::unique_ptr<HostConnection>> connections;
  std::vector<HostConnection*> finished;
  struct Late {
    std::chrono::steady_clock::time_point when;
    std::uint64_t line;
  };
  std::deque<Late> late;  // what is on its way, with Options::delay
  std::map<std::uint64_t, DelayLine*> lines;
  std::uint64_t accepted = 0, authenticated = 0, commands = 0, faults = 0;
  std::size_t most = 0;  // connections at a time
};

class HostConnection final : public Watcher {
 public:
  // Takes the socket over. `number` is never used again.
  HostConnection(World& world, int fd, std::uint32_t address, std::uint16_t port,
                 std::uint64_t number);
  ~HostConnection() override;

  void ready(std::uint32_t events) override;

 private:
  struct Channel {
    HostConnection& connection;
    ssh_channel channel = nullptr;
    ssh_channel_callbacks_struct callbacks{};
    std::unique_ptr<Command> command;
    std::string queue[2];  // said, and not yet taken by the window
    bool eof = false;
    int status = -1;
    bool ended = false;  // `status` is told, or the client has closed it

    explicit Channel(HostConnection& of) : connection(of) {}
  };

  void prepare();
  // Lets libssh work, then waits for the socket again.
  void pump();
  ssh_channel open_channel();
  int start(Channel& channel, const char* command);
  void say(Channel& channel, int stream, std::string_view bytes);
  void flush(Channel& channel);
  bool due() const;  // this host has a fault, and its time has come
  bool strike();     // whether the connection ends by it
  void arm();
  void finish();

  World& world_;
  const std::unique_ptr<DelayLine> line_;  // with Options::delay; before fd_, which is its end
  const int fd_;
  const std::uint32_t address_;
  HostMemory& memory_;
  std::uint64_t watch_ = 0;
  ssh_session session_ = nullptr;
  ssh_event event_ = nullptr;
  ssh_server_callbacks_struct callbacks_{};
  std::list<Channel> channels_;
  std::uint64_t said_ = 0;
  bool exchanged_ = false, authenticated_ = false, stalled_ = false, struck_ = false;
  bool asked_ = false;  // since the fault is due
  bool pumping_ = false, finished_ = false;
};

}  // namespace cnplay::bench

// `cnplay tunnel HOST PORT...`: ports of this machine whose connections the host makes, and a
// command on it meanwhile.
#include <iostream>
#include <set>

#include "base/lines.h"
#include "cli/commands.h"
#include "cli/one_step.h"
#include "cli/project.h"
#include "cli/redaction.h"
#include "cli/secret_store.h"
#include "cli/signals.h"
#include "cli/wiring.h"
#include "remote/tunnel.h"
#include "ssh/forward.h"

namespace cnplay::cli {
namespace {

// A tunnel runs no step: the play only has the host's settings made.
constexpr const char* kPlay = R"(play tunnel "A tunnel" {
  hosts targets = group("all")
  step tunnel on targets { sh """:""" }
}
)";

// What is opened here, and the line that says so.
struct Wanted {
  std::uint16_t local = 0;
  std::optional<ssh::Target> target;  // nullopt: SOCKS5
  std::string line;
};

Result<std::vector<Wanted>> wanted(const Options& options, const std::string& host) {
  std::vector<Wanted> all;
  std::set<std::uint16_t> locals;
  for (const std::string& text : options.forwards) {
    const auto spec = ssh::read_forward(text);
    if (!spec) return spec.error();
    const std::string here = "127.0.0.1:" + std::to_string(spec->local);
    const std::string port = std::to_string(spec->target.port);
    const bool whole = text.find(':') != std::string::npos;
    all.push_back({spec->local, spec->target,
                   whole ? here + " -> " + spec->target.host + ":" + port + " from " + host
                         : "http://" + here + " -> " + host + ":" + port});
  }
  for (const std::string& text : options.socks) {
    const auto port = ssh::read_port(text);
    if (!port) return fail("`-D " + text + "` is not a valid port", "write -D 1080");
    all.push_back(
        {*port, std::nullopt,
         "socks5h://127.0.0.1:" + std::to_string(*port) + " -> what " + host + " can reach"});
  }
  if (all.empty()) {
    return fail("no port was named", "cnplay tunnel -i staging " + host + " 8000; or -D 1080");
  }
  for (const Wanted& one : all) {
    if (locals.insert(one.local).second) continue;
    return fail("the local port " + std::to_string(one.local) + " is named twice",
                "give one of them another local port: 8001:localhost:8000");
  }
  return all;
}

Result<std::vector<remote::TunnelPort>> open_ports(const std::vector<Wanted>& all) {
  std::vector<remote::TunnelPort> ports;
  for (const Wanted& one : all) {
    auto port = ssh::LocalPort::open(one.local);
    if (!port) return port.error();
    ports.push_back({*std::move(port), one.target});
  }
  return ports;
}

class View final : public remote::TunnelView {
 public:
  View(std::string host, std::vector<Wanted> all, std::string command,
       const secrets::Redactor& redactor)
      : host_(std::move(host)),
        all_(std::move(all)),
        command_(std::move(command)),
        redaction_(redaction(redactor)),
        out_(redaction_.new_stream()),
        err_(redaction_.new_stream()) {}

  void opened() override {
    for (const Wanted& one : all_) std::cout << one.line << "\n";
    if (!command_.empty()) {
      std::cout << "runs on " << host_ << " until then: " << one_line(command_, 200) << "\n";
    }
    std::cout << "Ctrl-C closes it" << std::endl;
  }
  void failed(const ssh::Target& target, const ssh::TransportError& error) override {
    std::string text = "cnplay: " + host_ + ": ";
    text += target.host.empty() ? "a connection was closed: " + error.what
                                : "no connection to " + target.host + ":" +
                                      std::to_string(target.port) + ": " + error.what;
    if (!error.help.empty()) text += "\nhelp: " + error.help;
    if (text == last_) return;  // a browser tries again and again
    last_ = text;
    std::cerr << text << std::endl;
  }
  void output(bool is_stderr, std::string_view bytes) override {
    last_.clear();
    (is_stderr ? std::cerr : std::cout) << (is_stderr ? *err_ : *out_).push(bytes) << std::flush;
  }
  // What was held back because it could have become a secret.
  void finish() {
    std::cout << out_->finish() << std::flush;
    std::cerr << err_->finish() << std::flush;
  }

 private:
  std::string host_;
  std::vector<Wanted> all_;
  std::string command_;
  events::Redaction redaction_;
  std::unique_ptr<events::StreamFilter> out_, err_;
  std::string last_;  // what failed, as it was printed
};

int print_end(const remote::TunnelEnd& end, const std::string& host, Duration fuse) {
  using Why = remote::TunnelEnd::Why;
  const auto print = [](const std::string& what, const std::string& help) {
    std::cerr << "cnplay: " << what << "\n";
    if (!help.empty()) std::cerr << "help: " << help << "\n";
  };
  if (end.unconfirmed) {
    print(host + ": the command's end is not confirmed",
          "the host ends it within " + human_duration(fuse) + " by itself");
  }
  switch (end.why) {
    case Why::stopped:
      return end.unconfirmed ? kUnknown : kSuccess;
    case Why::not_connected:
    case Why::lost:
      print(end.error->what, end.error->help);
      return kUnreachable;
    case Why::command_ended:
      break;
  }
  if (end.status == 0) return kSuccess;
  if (end.status) {
    print("the command ended on " + host + " with exit code " + std::to_string(*end.status), "");
  } else if (!end.signal.empty()) {
    print("the command on " + host + " was killed by SIG" + end.signal, "");
  } else if (end.error) {
    print(end.error->what, end.error->help);
  }
  return kFailed;
}

Status check_command(const inventory::Inventory& inventory, inventory::HostIndex index,
                     const Options& options) {
  const std::string& host = inventory.hosts()[index].name;
  if (options.run_command.empty() || inventory.ssh(index).tunnel_run) return {};
  return fail(
      host + ": the inventory " + inventory.name() + " allows no `--run` (tunnel_run: false)",
      "open the tunnel without a command, or run it on another inventory");
}

}  // namespace

int tunnel_command(const Options& options) {
  if (options.run_command.find('\0') != std::string::npos) {
    return usage_error(fail("the command holds a NUL byte"));
  }
  Project project;
  if (auto status = load_modules(project); !status) return usage_error(status.error());
  if (auto status = load_inventory(project, options); !status) return usage_error(status.error());
  if (project.diags.has_errors() || !project.inventory) return print_diagnostics(project, options);
  const inventory::Inventory& inventory = *project.inventory;
  if (project.limit.size() != 1) {
    return refused(fail("`" + options.limit + "` selects " + std::to_string(project.limit.size()) +
                            " hosts, and a tunnel goes to one",
                        "name one: `cnplay hosts -i " + options.inventory + "` lists them"));
  }
  const std::string host = inventory.hosts()[project.limit.front()].name;
  const auto all = wanted(options, host);
  if (!all) return usage_error(all.error());
  if (auto status = check_command(inventory, project.limit.front(), options); !status) {
    return refused(status.error());
  }
  auto ports = open_ports(*all);  // before anything is asked, or connected to
  if (!ports) return refused(ports.error());

  SignalWatch signals;  // before any thread begins
  const auto plan = compile_one_step(project, "tunnel", kPlay, options);
  if (!plan) return print_diagnostics(project, options);
  secrets::Redactor redactor;
  secrets::TerminalPrompter prompter;
  SecretStore store(*plan, prompter, redactor, *project.vault, "tunnel", true, false);
  auto settings = connections(*plan, options, store);
  if (!settings) return usage_error(settings.error());
  ssh::Options ssh_options;
  ssh_options.threads = 1;
  ssh_options.passphrase = [&](const std::string& path) -> std::optional<Secret> {
    const auto known = settings->passphrases.find(path);
    return known == settings->passphrases.end() ? std::nullopt : std::optional(known->second);
  };
  const auto transport = ssh::make_transport(ssh_options);
  remote::TunnelOptions how;
  how.command = options.run_command;
  const Duration fuse = how.fuse;
  remote::Tunnel tunnel(*transport, std::move(settings->hosts.front().ssh), *std::move(ports),
                        std::move(how));
  signals.on_signal([&] { tunnel.wake(); });
  View view(host, *all, options.run_command, redactor);
  const auto end = tunnel.run(view, signals.requests());
  signals.on_signal({});
  view.finish();
  return print_end(end, host, fuse);
}

}  // namespace cnplay::cli

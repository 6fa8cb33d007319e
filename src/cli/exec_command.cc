#include "base/digest.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/execute.h"
#include "cli/one_step.h"
#include "cli/project.h"
#include "cli/views.h"
#include "cli/wiring.h"

namespace cnplay::cli {
namespace {

// The play that a command is one step of. The command itself is put in its script's place behind
// the compiler: it is the user's own shell text, in which every `$name` is the host's.
constexpr const char* kPlay = R"(play exec "One command" {
  hosts targets = group("all")
  step command on targets tolerate all { sh """:""" }
}
)";

}  // namespace

int exec_command(const Options& options) {
  Options one = options;
  if (options.words.size() == 1) {
    one.topic = options.words.front();  // the user's own shell text
  } else {
    // A command and its arguments: each stays the word that it is.
    one.topic.clear();
    for (const std::string& word : options.words) {
      const auto quoted = quote(word);
      if (!quoted) return usage_error(quoted.error());
      one.topic += (one.topic.empty() ? "" : " ") + quoted->str();
    }
  }
  const std::string title = one.topic;
  // A command typed at a prompt does not end at the first failure.
  one.topic.insert(0, "set +eu\n");
  return one_command(one, title);
}

int one_command(const Options& options, const std::string& title) {
  std::optional<Duration> timeout;
  if (!options.timeout.empty()) {
    timeout = parse_duration(options.timeout);
    if (!timeout || timeout->count() <= 0) {
      return usage_error(fail("`--timeout " + options.timeout + "` is not a valid duration",
                              "write `--timeout 30s` or `--timeout 5m`"));
    }
  }
  if (options.topic.find_first_not_of(" \t\r\n") == std::string::npos) {
    return usage_error(fail("the command is empty", "cnplay exec -i staging web 'uptime'"));
  }
  if (options.topic.find('\0') != std::string::npos) {
    return usage_error(fail("the command holds a NUL byte"));
  }
  Project project;
  if (auto status = load_modules(project); !status) return usage_error(status.error());
  if (auto status = load_inventory(project, options); !status) return usage_error(status.error());
  if (project.diags.has_errors() || !project.inventory) return print_diagnostics(project, options);
  auto compiled = compile_one_step(project, "exec", kPlay, options);
  if (!compiled) return print_diagnostics(project, options);
  plan::Plan plan = *std::move(compiled);
  plan.title = title;
  for (plan::Node& node : plan.nodes) {
    if (node.kind != plan::NodeKind::step) continue;
    node.timeout = timeout;
    for (plan::Action& action : node.actions) {
      action.become = options.become;
      action.where = kCommandLine;
      plan.scripts[action.apply] = {options.topic, kCommandLine};
    }
  }
  plan.program_hash = sha256_hex(options.topic);
  return execute(plan, options, *project.vault, make_grouped_view, options.verbosity > 0);
}

}  // namespace cnplay::cli

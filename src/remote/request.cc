#include "remote/request.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <stdexcept>

#include "base/environment.h"
#include "remote/prelude.h"
#include "remote/transfer.h"

namespace cnplay::remote {
namespace {

bool is_name(std::string_view name) {
  auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  if (name.empty() || !letter(name[0])) return false;
  return std::all_of(name.begin(), name.end(),
                     [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

const char* mode_word(Mode mode) {
  switch (mode) {
    case Mode::apply:
      return "apply";
    case Mode::check:
      return "check";
    case Mode::preflight:
      return "preflight";
  }
  return "";
}

const char* claim_word(Claim claim) {
  switch (claim) {
    case Claim::none:
      return "";
    case Claim::once:
      return "once";
    case Claim::ahead:
      return "ahead";
    case Claim::withdraw:
      return "withdraw";
  }
  return "";
}

const char* verify_word(Verify verify) {
  switch (verify) {
    case Verify::by_check:
      return "check";
    case Verify::by_script:
      return "script";
    case Verify::none:
      return "none";
  }
  return "";
}

// `text` as one word of shell text; a leading `~` is the home of the user whose shell reads it.
Result<std::string> word_of(std::string_view text, bool home) {
  const bool below = home && (text == "~" || text.starts_with("~/"));
  auto quoted = quote(below ? text.substr(1) : text);
  if (!quoted) return std::move(quoted).error();
  return below ? "${HOME%/}" + quoted->str() : quoted->str();
}

// The lines that export the environment.
Result<std::string> exports_of(const Task& task) {
  std::string lines;
  for (const auto& [name, value] : task.environment) {
    if (const auto unfit = unfit_variable(name)) {
      return fail("`env` cannot set `" + name + "`: " + unfit->what, unfit->help);
    }
    const auto is_it = [&taken = name](const Variable& v) { return v.name == taken; };
    if (std::any_of(task.variables.begin(), task.variables.end(), is_it)) {
      return fail("`env` cannot set `" + name + "`: it is a parameter of the script");
    }
    const auto word = word_of(value, false);
    if (!word) return fail("the value of `" + name + "` has a NUL byte");
    lines += name + "=" + *word + "\nexport " + name + "\n";
  }
  std::string path;
  for (const std::string& folder : task.search_path) {
    if (const auto unfit = unfit_folder(folder)) {
      return fail("`path` cannot hold `" + folder + "`: " + unfit->what, unfit->help);
    }
    const auto word = word_of(folder, true);
    if (!word) return fail("a folder of `path` has a NUL byte");
    path += *word + ":";
  }
  if (!path.empty()) lines += "PATH=" + path + "$PATH\nexport PATH\n";
  return lines;
}

}  // namespace

Result<std::string> make_request(const Task& task, std::int64_t watch, Claim claim,
                                 const Previous& previous) {
  auto exports = exports_of(task);
  if (!exports) return std::move(exports).error();
  std::string assignments = *std::move(exports);
  if (task.upload && !is_upload_name(task.upload->sha256)) {
    return fail(task.upload->path + " has an invalid checksum");
  }
  for (const Variable& variable : task.variables) {
    if (!is_name(variable.name))
      return fail("'" + variable.name + "' is not a valid name of a variable");
    if (is_shell_reserved(variable.name)) {
      return fail("a variable cannot be called `" + variable.name + "`",
                  "the shell needs that name: rename the parameter");
    }
    const auto value = word_of(variable.value, variable.path);
    if (!value) return fail("the value of `" + variable.name + "` has a NUL byte");
    assignments += variable.name + "=" + *value + "\n";
  }
  if (task.upload) {
    if (!is_name(task.upload->name)) return fail("'" + task.upload->name + "' is not a valid name");
    assignments += task.upload->name + "_file=$_cn_dir/u-" + task.upload->sha256 + "." +
                   std::to_string(task.id) + "\n";
    // Where its looks at a tree leave notes for each other; a dry run leaves nothing.
    if (!task.upload->manifest.empty()) {
      assignments += task.upload->name + "_seen=";
      if (task.mode == Mode::apply) assignments += "$_cn_dir/n-" + std::to_string(task.id);
      assignments += "\n";
    }
  }
  // Verification by a check that is not there would say that all is well.
  const bool no_check = task.verify == Verify::by_check && task.check.empty();
  const std::string id = std::to_string(task.id);
  std::string last = task.upload ? task.upload->sha256 : "";
  if (claim == Claim::ahead) {
    last = std::to_string(previous.task) + " " + std::to_string(previous.parent) + " " +
           std::to_string(previous.parent_since);
  }
  const std::array<std::string, 13> words = {id,
                                             mode_word(task.mode),
                                             std::to_string(watch),
                                             no_check ? "none" : verify_word(task.verify),
                                             assignments,
                                             task.check,
                                             task.apply,
                                             task.verify_script,
                                             task.preview,
                                             task.preflight,
                                             claim_word(claim),
                                             last,
                                             "end-" + id};
  std::string line = "_cn_run";
  for (const std::string& word : words) {
    const auto quoted = quote(word);
    if (!quoted) return fail("a script has a NUL byte");
    line += ' ';
    line += quoted->str();
  }
  line += '\n';
  return line;
}

std::string make_bootstrap(std::string_view nonce, std::string_view run_id, std::string_view spool,
                           bool terminal, const std::vector<std::string>& around) {
  std::string text = "_cn_n=";
  text += nonce;
  text += "\n_cn_id=";
  text += run_id;  // checked by make_hosts
  text += "\n_cn_k=";
  text += spool;
  text += terminal ? "\n_cn_tty=1" : "";
  text += "\n_cn_in='";
  for (const std::string& run : around) text += (&run == &around.front() ? "" : " ") + run;
  text += "'\n_cn_r='\036'\n";
  text += prelude_text();
  return text;
}

std::string make_removal(std::string_view spool) {
  return "rm -rf -- \"$_cn_dir/" + std::string(spool) + "\" </dev/null >/dev/null 2>&1\n";
}

std::string make_nonce() {
  std::array<unsigned char, 16> bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    throw std::runtime_error("getrandom failed");
  }
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : bytes) {
    text += kHex[byte >> 4];
    text += kHex[byte & 15];
  }
  return text;
}

}  // namespace cnplay::remote

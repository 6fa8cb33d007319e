#include "base/environment.h"

#include <algorithm>

#include "base/text.h"

namespace cnplay {
namespace {

bool is_name(std::string_view name) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !name.empty() && letter(name[0]) && std::all_of(name.begin(), name.end(), [&](char c) {
    return letter(c) || (c >= '0' && c <= '9');
  });
}

}  // namespace

std::optional<Unfit> unfit_variable(std::string_view name) {
  const std::string text(name);
  if (!is_name(name)) {
    return Unfit{"not a valid name",
                 "a name has letters, digits and `_`, and begins with no digit"};
  }
  if (name == "PATH") {
    return Unfit{"the search path has a statement of its own",
                 "write `path [\"/opt/tool/bin\"]`: its folders come first"};
  }
  if (name == "HOME") {
    return Unfit{"the home of the user that a script runs as",
                 "run the step `as` the user whose home it is"};
  }
  if (name == "LANG" || name == "LANGUAGE" || name.starts_with("LC_")) {
    return Unfit{"scripts run in the C locale, in which modules read the output of commands",
                 "set it in the script, for the command that needs it: `" + text + "=... command`"};
  }
  if (name == "ENV" || name == "BASH_ENV") {
    return Unfit{"every shell would execute this file first", "write its lines in the script"};
  }
  if (name == "LD_PRELOAD" || name == "LD_AUDIT") {
    return Unfit{"every program of every script would load it",
                 "set it in the script, for the command that needs it: `" + text + "=... command`"};
  }
  if (name == "CNPLAY_INSIDE") {
    return Unfit{"by it a cnplay on the host knows the run that has started it", "leave it out"};
  }
  static constexpr std::string_view kOfShells[] = {"BASH_XTRACEFD", "GLOBIGNORE", "KSH_VERSION",
                                                   "POSIXLY_CORRECT", "SHELL"};
  if (is_shell_reserved(name) ||
      std::find(std::begin(kOfShells), std::end(kOfShells), name) != std::end(kOfShells)) {
    return Unfit{"it changes how the shell reads scripts", "set it in the script that needs it"};
  }
  return std::nullopt;
}

std::optional<Unfit> unfit_folder(std::string_view folder) {
  if (folder != "~" && !folder.starts_with("/") && !folder.starts_with("~/")) {
    return Unfit{folder.empty() ? "it is empty" : "not an absolute path",
                 "write a path that begins with `/` or `~/`"};
  }
  if (folder.find(':') != std::string_view::npos) {
    return Unfit{"a `:` separates folders", "write a list of folders: `path [\"/a\", \"/b\"]`"};
  }
  const bool control =
      std::any_of(folder.begin(), folder.end(), [](unsigned char c) { return c < 0x20; });
  if (control) return Unfit{"it holds a control character", "write the folder's name as it is"};
  return std::nullopt;
}

}  // namespace cnplay

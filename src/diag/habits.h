// What people write who come from another tool, and the form of this language for it. Used by the
// rooms that find the mistake.
#pragma once

#include <string>
#include <string_view>

namespace cnplay::diag {

// For a keyword of a playbook in YAML ("become", "with_items", "tasks"): what to write, as a help;
// "" for other words.
std::string keyword_habit(std::string_view word);

// For the name of an Ansible module, with or without its collection ("copy", "ansible.builtin.apt",
// "lineinfile"), or a name that people guess for it here ("file.directory"): what to write; "" for
// other names.
std::string module_habit(std::string_view name);

}  // namespace cnplay::diag

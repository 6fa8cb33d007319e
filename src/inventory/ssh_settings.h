// What `ssh { }` and a host's own fields may say.
#pragma once

#include <string>

#include "base/words.h"
#include "diag/diagnostic.h"
#include "inventory/native.h"

namespace cnplay::inventory {

struct KnownSetting;

// Reports an unknown setting (E0604) and returns false.
bool is_ssh_setting(const syntax::Name& name, diag::Diagnostics& diags);

// Checks the types and values of all settings, each place once.
class SshChecker {
 public:
  SshChecker(const NativeInventory& inventory, diag::Diagnostics& diags)
      : inventory_(inventory), diags_(diags) {}
  // Of `host`, or of a group (nullptr).
  void check(const Settings& settings, const Host* host);

 private:
  void check_setting(const KnownSetting& known, const Value& value);
  std::optional<std::string> unknown_stop(const std::string& way) const;

  const NativeInventory& inventory_;
  diag::Diagnostics& diags_;
};

}  // namespace cnplay::inventory

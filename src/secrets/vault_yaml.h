// The entries of a vault as a YAML map of strings: for `cnplay vault edit`, and what ansible-vault
// files hold.
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "base/text.h"

namespace cnplay::secrets {

using SecretTexts = std::map<std::string, Secret>;

// Errors name the line, never what stands there. Numbers and the like are taken as the text that
// they are written with; maps, lists, nulls and tagged values are refused.
Result<SecretTexts> read_yaml(const std::string& name, const Secret& text);
// What read_yaml reads back as the same; values of several lines as blocks.
Secret write_yaml(const SecretTexts& texts);

}  // namespace cnplay::secrets

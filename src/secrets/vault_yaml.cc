#include "secrets/vault_yaml.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>

namespace cnplay::secrets {
namespace {

std::string at(const std::string& name, const YAML::Mark& mark) {
  return mark.is_null() ? name : name + ", line " + std::to_string(mark.line + 1);
}

// yaml-cpp's own words for what is wrong may quote the text: they are not passed on.
constexpr const char* kHelp = "write `path: \"value\"`, one secret a line";

}  // namespace

Result<SecretTexts> read_yaml(const std::string& name, const Secret& text) {
  YAML::Node root;
  try {
    // The mark of the end: without it yaml-cpp takes the end of the text for a quote that is
    // missing.
    const Secret ended(text.reveal() + "\n...\n");
    const auto documents = YAML::LoadAll(ended.reveal());
    if (documents.size() > 1) return fail(name + " holds several YAML documents", kHelp);
    if (!documents.empty()) root = documents[0];
  } catch (const YAML::Exception& e) {
    return fail(at(name, e.mark) + ": not valid YAML", kHelp);
  }
  SecretTexts out;
  if (!root.IsDefined() || root.IsNull()) return out;
  if (!root.IsMap()) return fail(at(name, root.Mark()) + ": a map of texts is expected", kHelp);
  for (const auto& pair : root) {
    const std::string where = at(name, pair.first.Mark());
    if (!pair.first.IsScalar()) return fail(where + ": the name of a secret is a text", kHelp);
    const YAML::Node& value = pair.second;
    // "?": written plain; "!": in quotes or as a block.
    if (!value.IsScalar() || (value.Tag() != "?" && value.Tag() != "!")) {
      return fail(where +
                      ": the value of a secret is a text, not a map, a list, nothing, or "
                      "something with a tag",
                  kHelp);
    }
    if (!out.emplace(pair.first.Scalar(), Secret(value.Scalar())).second) {
      return fail(where + ": this name is there twice", "leave one of them");
    }
  }
  return out;
}

Secret write_yaml(const SecretTexts& texts) {
  YAML::Emitter out;
  out << YAML::BeginMap;
  for (const auto& [path, value] : texts) {
    const std::string& text = value.reveal();
    // A block is read back as it was only if it has one newline at its end, no space in front, and
    // nothing that must be escaped.
    const bool block = text.find('\n') != std::string::npos && text.ends_with('\n') &&
                       !text.ends_with("\n\n") && text.front() != ' ' && text.front() != '\n' &&
                       std::ranges::none_of(text, [](unsigned char c) {
                         return (c < 0x20 && c != '\n') || c >= 0x7F;
                       });
    out << YAML::Key << YAML::DoubleQuoted << path << YAML::Value;
    if (block) {
      out << YAML::Literal;
    } else {
      out << YAML::DoubleQuoted;
    }
    out << text;
  }
  out << YAML::EndMap;
  return Secret(texts.empty() ? std::string() : std::string(out.c_str(), out.size()) + "\n");
}

}  // namespace cnplay::secrets

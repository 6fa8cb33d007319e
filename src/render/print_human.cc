// Human steps in the printed plan.
#include "base/columns.h"
#include "base/lines.h"
#include "render/printer.h"

namespace cnplay::render {
namespace {

const char* words(FactType type) {
  switch (type) {
    case FactType::string:
      return "string";
    case FactType::int_:
      return "int";
    case FactType::bool_:
      return "bool";
    case FactType::path:
      return "path";
    case FactType::duration:
      return "duration";
    case FactType::size:
      return "size";
    case FactType::time:
      return "time";
    case FactType::list_of_string:
      return "list<string>";
  }
  return "";
}

std::string type_text(const Question& question) {
  if (question.choices.empty()) return words(question.type);
  std::string out;
  for (const auto& choice : question.choices) out += (out.empty() ? "enum(" : ", ") + choice;
  return out + ")";
}

std::string by_text(const Human& human) {
  std::string out;
  for (const auto& who : human.by) out += (out.empty() ? "by " : ", ") + who;
  if (human.count > 1) {
    out += (out.empty() ? "by " : ": ") + std::to_string(human.count) + " different people";
  }
  return out;
}

}  // namespace

std::vector<std::string> human_lines(const Plan& plan, const Node& node, std::size_t width) {
  const Human& human = *node.human;
  DescribeOptions how;
  how.bare = true;
  std::vector<std::string> lines;
  // As it was written, without quotes, if all of it is known.
  const auto add = [&](const std::string& first, const Value& value) {
    const std::string text = one_line(text_of(value).value_or(describe(value, plan, how)));
    for (const auto& line : wrap({first, text}, width, 4)) lines.push_back(line);
  };
  if (!node.when.empty()) {
    lines.push_back("only when " + column_text(plan, node.when, node.hosts, how));
  }
  for (const Value& item : human.items) add("[ ]", item);
  for (const Question& question : human.questions) {
    const std::string what = question.name + ": " + type_text(question);
    if (question.text.is_none()) {
      lines.push_back("answer  " + what);
    } else {
      add("write down " + what + ":", question.text);
    }
  }
  if (const std::string by = by_text(human); !by.empty()) lines.push_back(by);
  if (node.timeout) {
    std::string then = "then the step fails";
    if (const bool* yes = human.fallback.as<bool>(); yes && human.kind == HumanKind::approve) {
      then = *yes ? "then it counts as approved" : "then it counts as refused";
    } else if (!human.fallback.is_none()) {
      then = "then the answer is " + describe(human.fallback, plan);
    }
    lines.push_back("waits " + human_duration(*node.timeout) + ", " + then);
  }
  return lines;
}

std::string offer_terms(const Plan& plan, const Response& offer) {
  const Node& node = plan.node(plan.sections[offer.section].nodes.front());
  std::string out = by_text(*node.human);
  if (!node.timeout) return out;
  const Value& fallback = node.human->fallback;
  const bool* yes = fallback.as<bool>();
  const auto* name = fallback.as<std::string>();
  const bool taken = (yes != nullptr && *yes) || (name != nullptr && *name != kNoRollback);
  out += (out.empty() ? "within " : ", within ") + human_duration(*node.timeout) + ", else ";
  return out + (!taken ? "none is taken" : name != nullptr ? *name + " is taken" : "it is taken");
}

}  // namespace cnplay::render

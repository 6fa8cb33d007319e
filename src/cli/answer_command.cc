// `cnplay answer RUN STEP`: what a person says at a human step of a run that is parked there.
#include <unistd.h>

#include <iostream>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/project.h"
#include "cli/wiring.h"
#include "journal/run_directory.h"
#include "run/dialogue.h"

namespace cnplay::cli {
namespace {

// `STEP` is the path of the node, or the end of it.
bool is_called(const plan::Node& node, const std::string& name) {
  return node.path == name || node.path.ends_with("/" + name);
}

// What the run waits for, if it is this step and there is still time.
Result<run::Asked> what_is_asked(const std::string& id, const journal::Record& record,
                                 const std::string& step) {
  auto asked = run::asked_in(record.plan, record.events);
  if (!asked) {
    return fail(id + " does not wait for an answer", "`cnplay show " + id + "` says where it is");
  }
  if (!is_called(*asked->node, step)) {
    return fail(id + " does not wait at `" + step + "`, but at `" + asked->node->path + "`",
                "`cnplay show " + id + "` shows what is asked there");
  }
  const plan::Human& human = *asked->node->human;
  const bool refused = !asked->answers.empty() && !asked->answers.back().yes;
  if (refused || run::still_needed(human, asked->answers) == 0) {
    return fail("`" + step + "` has been answered already, by " + asked->answers.back().user,
                "to continue: cnplay resume " + id);
  }
  if (asked->until && SystemClock().now() >= asked->until->at) {
    return fail("the time to answer was over at " + format_time(*asked->until) + "; " +
                    run::what_holds_after(human),
                "to continue: cnplay resume " + id);
  }
  return *std::move(asked);
}

// What the options say, as an answer.
Result<events::HumanAnswered> said(const Options& options, const plan::Human& human) {
  events::HumanAnswered answer;
  const bool approval = human.kind == plan::HumanKind::approve;
  const auto how = "write: cnplay answer RUN " + options.step + " " + run::answer_words(human) +
                   ", or --refuse WHY";
  if (options.refuse) {
    if (options.done || options.approve || !options.answers.empty()) {
      return fail("--refuse allows no other answer", how);
    }
    answer.remark = Untrusted(*options.refuse);
    return answer;
  }
  answer.yes = true;
  if (options.approve != approval || options.done != (human.kind == plan::HumanKind::manual)) {
    return fail("this does not answer `" + options.step + "`", how);
  }
  if (human.kind == plan::HumanKind::ask) {
    if (options.answers.size() != 1) return fail("exactly one answer is needed", how);
    answer.values.emplace_back(human.questions.front().name, Untrusted(options.answers.front()));
    return answer;
  }
  for (const std::string& pair : options.answers) {
    const auto equals = pair.find('=');
    if (equals == std::string::npos) return fail("`" + pair + "` is not NAME=VALUE", how);
    answer.values.emplace_back(pair.substr(0, equals), Untrusted(pair.substr(equals + 1)));
  }
  return answer;
}

// nullopt: later.
std::optional<events::HumanAnswered> converse(const run::Asked& asked) {
  run::Dialogue dialogue(asked);
  while (!dialogue.reply()) {
    std::cerr << dialogue.prompt() << std::flush;
    std::string line;
    if (!std::getline(std::cin, line)) return std::nullopt;
    std::cerr << dialogue.take(line);
  }
  if (dialogue.reply()->later) return std::nullopt;
  return dialogue.reply()->answer;
}

}  // namespace

int answer_command(const Options& options) {
  SystemDisk disk;
  const std::string root = runs_root();
  auto id = find_run(disk, root, options.topic);
  if (!id) return usage_error(id.error());
  const std::string path = root + "/" + *id;
  auto record = journal::read_run(disk, path);
  if (!record) return usage_error(record.error());
  auto asked = what_is_asked(*id, *record, options.step);
  if (!asked) return refused(asked.error());
  const run::Person person{user_name(), machine_name(), group_names()};
  auto right = run::right_to_answer(*asked->node->human, person);
  if (!right) return refused(right.error());

  const bool silent =
      !options.done && !options.approve && !options.refuse && options.answers.empty();
  auto answer = Result<events::HumanAnswered>(events::HumanAnswered{});
  if (silent && ::isatty(0) == 1 && ::isatty(2) == 1) {
    std::cerr << asked->node->title << "\n";
    auto typed = converse(*asked);
    if (!typed) {
      std::cerr << "nothing was answered: the run stays parked\n";
      return kParked;
    }
    answer = *std::move(typed);
  } else {
    answer = said(options, *asked->node->human);
  }
  if (!answer) return usage_error(answer.error());
  answer->node = asked->node->id;
  answer->user = person.user;
  answer->controller = person.machine;
  answer->by = *right;

  // From here on nobody else answers, or goes on with the run.
  auto directory = journal::RunDirectory::reopen(disk, path, person.user + " on " + person.machine);
  if (!directory) return refused(directory.error());
  record = journal::read_run(disk, path);
  if (!record) return usage_error(record.error());
  asked = what_is_asked(*id, *record, options.step);
  if (!asked) return refused(asked.error());
  const plan::Human& human = *asked->node->human;
  if (auto good = run::check_answer(human, *answer, asked->answers); !good) {
    return refused(good.error());
  }
  events::Event event;
  event.seq = record->events.back().seq + 1;
  event.at = SystemClock().now();
  event.what = *answer;
  (*directory)
      ->go_on(record->plan, std::get<events::RunStarted>(record->events.front().what),
              record->events.front().at);
  (*directory)->on(event);
  if (auto durable = (*directory)->commit(); !durable) return usage_error(durable.error());
  asked->answers.push_back(*answer);
  const std::size_t more = answer->yes ? run::still_needed(human, asked->answers) : 0;
  if (more > 0) {
    std::cout << "recorded; " << more << " more must answer, other than " << person.user << "\n";
  } else {
    std::cout << "recorded. To continue: cnplay resume " << *id << "\n";
  }
  return kSuccess;
}

}  // namespace cnplay::cli

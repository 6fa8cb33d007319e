#include "cli/execute.h"

#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "base/clock.h"
#include "cli/ask.h"
#include "cli/local_file.h"
#include "cli/log_file.h"
#include "cli/project.h"
#include "cli/prompter.h"
#include "cli/redaction.h"
#include "cli/signals.h"
#include "cli/step_prompter.h"
#include "cli/trust.h"
#include "cli/wiring.h"
#include "journal/past.h"
#include "journal/run_directory.h"
#include "plan/choice.h"
#include "remote/session.h"
#include "report/notify.h"
#include "run/left.h"
#include "run/local_here.h"
#include "run/run.h"

namespace cnplay::cli {
namespace {

int exit_code(events::Verdict verdict) {
  switch (verdict) {
    case events::Verdict::success:
      return kSuccess;
    case events::Verdict::failed:
      return kFailed;
    case events::Verdict::unreachable:
      return kUnreachable;
    case events::Verdict::unknown:
      return kUnknown;
    case events::Verdict::aborted:
      return kAborted;
    case events::Verdict::refused:
      return kRefused;
    case events::Verdict::parked:
      return kParked;
  }
  return kBug;
}

std::uint16_t random_salt() {
  std::uint16_t salt = 0;
  if (::getrandom(&salt, sizeof salt, 0) != sizeof salt)
    salt = static_cast<std::uint16_t>(::getpid());
  return salt;
}

// Where in a record begins what was told to nobody who watched the run: answers of people, and that
// it is resumed with another plan.
std::size_t first_news(const std::vector<events::Event>& record) {
  const auto is_news = [](const events::Event& event) {
    return std::holds_alternative<events::HumanAnswered>(event.what) ||
           std::holds_alternative<events::PlanTaken>(event.what);
  };
  std::size_t first = record.size();
  while (first > 0 && is_news(record[first - 1])) --first;
  return first;
}

// Whether the preflight found something that a host lacks; a lock that another run holds is none.
class LackSink final : public events::Sink {
 public:
  void on(const events::Event& event) override {
    const auto* problem = std::get_if<events::PreflightProblem>(&event.what);
    if (problem != nullptr && problem->host) {
      found = found || !problem->lock.value_or(false);
    }
  }
  bool found = false;
};

// Whether a dry run found something that a run would, or might, change.
class DriftSink final : public events::Sink {
 public:
  void on(const events::Event& event) override {
    const auto* ended = std::get_if<events::RunEnded>(&event.what);
    if (ended == nullptr) return;
    for (const events::HostSummary& host : ended->hosts) {
      found = found || host.would_change > 0 || host.depends > 0;
    }
  }
  bool found = false;
};

// Generated secrets of a run that succeeded are in force; of one that did not, or was for a part of
// the hosts alone, both values are kept.
void settle_secrets(SecretStore& store, events::Verdict verdict) {
  if (store.uncommitted().empty()) return;
  const bool success = verdict == events::Verdict::success;
  const Status status = success ? store.commit() : Status();
  if (store.uncommitted().empty()) return;
  std::string paths;
  for (const std::string& path : store.uncommitted()) paths += (paths.empty() ? "" : ", ") + path;
  std::cerr
      << "cnplay: new secrets are in the vault, and not committed: " << paths << ": "
      << (!status   ? status.error().what
          : success ? std::string("the run was for a part of the hosts or steps")
                    : std::string("the run did not succeed"))
      << "\nhelp: a host may have the new or the former one: `cnplay vault get PATH` and `cnplay "
         "vault get --former PATH` print them; the next run uses the new ones\n";
}

std::optional<plan::Past> past_of(const plan::Plan& plan, const Disk& disk, const std::string& root,
                                  Instant now) {
  plan::Past past = journal::past_runs(disk, root, plan, now);
  return past.steps.empty() ? std::nullopt : std::optional(std::move(past));
}

std::string way_of(const plan::Notification& n) {
  switch (n.kind) {
    case plan::NotifyKind::command:
      return "the command `" + n.command.at(0) + "`";
    case plan::NotifyKind::webhook:
      return "the webhook";
    case plan::NotifyKind::mail:
      return "the mail to " + n.to.at(0) + (n.to.size() > 1 ? " and others" : "");
  }
  return "";
}

// The run has ended, and nothing of it depends on this: what fails is on record behind its end.
void notify_all(const plan::Plan& plan, const report::Occasion& occasion, SecretStore& store,
                const secrets::Redactor& redactor, const Clock& clock, events::Sink& sink) {
  report::NotifyOptions options;
  options.secret = [&](std::uint32_t index) { return store.get(index); };
  for (const plan::Notification& one : plan.notifications) {
    if (!report::wants(one, occasion)) continue;
    const Status status = report::notify(one, occasion, options);
    if (status) continue;
    const std::string why = Untrusted(redactor.apply(status.error().what)).display(500);
    std::cerr << "cnplay: notification failed by " << way_of(one) << " (" << one.where
              << "): " << why << "\n";
    if (!status.error().help.empty()) std::cerr << "help: " << status.error().help << "\n";
    events::Event event;
    event.at = clock.now();
    event.what = events::NotificationFailed{way_of(one), one.where, why, status.error().help};
    sink.on(event);
  }
  (void)sink.commit();  // what it cannot keep is said by healthy()
}

// Which incident the run is for, if it is for one: as given, or asked for where the play says that
// there is one. A run that changes nothing needs no ticket.
Result<std::optional<std::string>> incident(const plan::Plan& plan, const Options& options,
                                            bool applies) {
  std::optional<std::string> text = options.incident;
  if (!text && plan.incident && applies && somebody_is_there()) {
    text = ask_line("`mode incident`: which incident is it for (its ticket)?").value_or("");
  }
  if (!text) return text;
  auto ticket = read_ticket(*text);
  if (!ticket) return ticket.error();
  return std::optional(*std::move(ticket));
}

}  // namespace

Result<std::vector<plan::HostIndex>> hosts_without(const plan::Plan& plan,
                                                   const std::vector<std::string>& names) {
  std::vector<plan::HostIndex> without;
  for (const std::string& name : names) {
    const auto host = std::find_if(plan.hosts.begin(), plan.hosts.end(),
                                   [&](const auto& h) { return h.name == name; });
    if (host == plan.hosts.end()) return fail("--without " + name + ": the run has no such host");
    without.push_back(static_cast<plan::HostIndex>(host - plan.hosts.begin()));
  }
  return without;
}

int execute(const plan::Plan& plan, const Options& given, VaultAccess& vault,
            const MakeView& make_view, bool say_record, std::optional<CutOff> cut_off,
            const std::optional<TakenBack>& taken_back, std::string* run_id) {
  std::optional<Duration> wait_lock;
  if (!given.wait_lock.empty()) {
    wait_lock = parse_duration(given.wait_lock);
    if (!wait_lock || wait_lock->count() <= 0) {
      return usage_error(fail("`--wait-lock " + given.wait_lock + "` is not a valid duration",
                              "write `--wait-lock 10m`"));
    }
  }
  std::unique_ptr<LogFile> log;
  if (!given.log.empty()) {
    auto opened =
        LogFile::open(given.log, log_level_of(given.log_level).value_or(LogLevel::info), plan);
    if (!opened) return usage_error(opened.error());
    log = *std::move(opened);
  }
  SignalWatch signals;  // before any thread begins
  Options options = given;
  secrets::Redactor redactor;
  secrets::TerminalPrompter prompter;
  SystemClock clock;
  SystemDisk disk;
  run::Options how;
  how.mode = options.dry_run ? events::Mode::check : events::Mode::apply;
  how.now = Time{clock.now(), "UTC"};
  how.run_id = journal::new_run_id(how.now.at, plan.play, random_salt());
  how.user = user_name();
  how.controller = machine_name();
  how.machine = local::machine_id();
  how.groups = group_names();
  how.forks = options.forks;
  how.wait_for_locks = wait_lock.has_value();
  const char* const inside = std::getenv("CNPLAY_INSIDE");
  const remote::Around around = remote::runs_around(inside ? inside : "", ::getpid());
  how.inside = around.runs;
  how.not_inside = around.problem;
  std::uint64_t last_seq = 0;
  if (cut_off) {
    // As it was begun: another order of things would not fit its record.
    const auto& began = std::get<events::RunStarted>(cut_off->record.front().what);
    how.mode = began.mode;
    how.now.at = began.now;
    how.run_id = began.run;
    how.forks = began.forks.value_or(0);
    how.past = began.past;
    how.record = &cut_off->record;
    how.without = cut_off->without;
    how.from = cut_off->from;
    how.changed = cut_off->changed;
    how.end_here = cut_off->end;
    how.incident = began.incident;
    how.reviewed = began.reviewed;
    options.stepwise = began.stepwise.value_or(false);
    last_seq = cut_off->record.back().seq;
  }
  if (!cut_off) how.reviewed = options.reviewed;
  if (run_id != nullptr) *run_id = how.run_id;
  if (taken_back) {
    how.way_back = &taken_back->way;
    // Names and files that hang on `now` are those of the run that is taken back.
    how.now.at = std::get<events::RunStarted>(taken_back->way.record->front().what).now;
    if (!cut_off) how.without = taken_back->without;
  }
  const bool applies = how.mode == events::Mode::apply && options.command != Command::preflight;
  if (!cut_off) {
    auto ticket = incident(plan, options, applies);
    if (!ticket) return refused(ticket.error());
    how.incident = *std::move(ticket);
  }
  how.stepwise = options.stepwise && options.command != Command::preflight;
  if (how.stepwise && !somebody_is_there()) {
    return refused(fail("a run with --step asks before each step, and nobody is at a terminal",
                        "run it on a terminal, or without --step"));
  }
  // Where hosts or steps were left out, some may still have the former secrets.
  const bool part = !options.limit.empty() || !plan::chosen_part(plan).empty() || options.stepwise;
  SecretStore store(plan, prompter, redactor, vault, how.run_id, (part && !cut_off) || taken_back,
                    applies);
  const auto machine = local::make_machine(local::own_settings());  // before files are opened
  auto settings = connections(plan, options, store, machine.get());
  if (!settings) return usage_error(settings.error());
  remote::TaskId last_before = 0;
  const run::Here here{how.machine, how.user};
  const auto local = plan::find_local(plan);
  const bool local_out =
      local && std::find(how.without.begin(), how.without.end(), *local) != how.without.end();
  if (taken_back && !local_out) {
    if (auto status = run::can_undo_local(plan, *taken_back->way.record, here); !status)
      return refused(status.error());
  }
  if (cut_off) {
    const run::Left left = run::left_by(plan, cut_off->record);
    const Status same = run::can_follow_local(plan, cut_off->record, left, here);
    if (!same && !local_out) return refused(same.error());
    const auto& first = cut_off->record.front();
    auto began = std::get<events::RunStarted>(first.what);
    for (const auto& event : cut_off->record) {
      const auto* taken = std::get_if<events::PlanTaken>(&event.what);
      // Of two programs it is a rehearsal of neither.
      if (taken != nullptr && taken->before != taken->after) began.program_hash.clear();
    }
    cut_off->directory->go_on(plan, began, first.at);
    last_before = left.last_task;
    for (std::size_t h = 0; h < settings->hosts.size(); ++h) {
      settings->hosts[h].users_before.assign(left.users[h].begin(), left.users[h].end());
    }
  }
  how.local_sum = checksum_of;
  how.secret = [&](std::uint32_t index) { return store.get(index); };
  const std::string root = runs_root();
  if (auto status = check_runs_root(root); !status) return usage_error(status.error());
  if (!cut_off && options.command == Command::run && !options.dry_run)
    how.past = past_of(plan, disk, root, how.now.at);
  how.requirement = [&](const plan::Requirement& r) {
    return check_requirement(r, plan, disk, root, how.now.at);
  };
  const Clean clean = [&](const std::string& text) { return redactor.apply(text); };
  TerminalPrompter people(0, 2, cut_off || options.json || ::isatty(1) == 0, clean);
  TerminalStepPrompter steps(0, 2, clean);
  if (somebody_is_there()) {
    how.ask = ask_yes_no;
    how.prompter = &people;
    how.stepper = &steps;
  }
  if (options.yes) how.ask = say_yes;
  how.past_window = options.yes;

  auto record = cut_off
                    ? Result<std::unique_ptr<journal::RunDirectory>>(std::move(cut_off->directory))
                    : journal::RunDirectory::create(disk, root, how.run_id, plan,
                                                    how.user + " on " + how.controller,
                                                    journal::RunDirectory::Waits::beside);
  if (!record) return usage_error(record.error());
  const auto view = make_view(plan, options);
  if (cut_off && !options.json) {
    const std::size_t news = first_news(cut_off->record);
    for (std::size_t i = 0; i < cut_off->record.size(); ++i) {
      const events::Event& event = cut_off->record[i];
      i < news ? view->recall(event) : view->on(event);
    }
  }
  report::OccasionSink ending(plan);
  if (cut_off) {
    for (const auto& event : cut_off->record) ending.on(event);
  }
  LackSink lack;
  DriftSink drift;
  std::vector<events::Sink*> sinks{record->get(), view.get(), &ending, &lack, &drift};
  if (log) sinks.push_back(log.get());
  events::Tee tee(std::move(sinks));
  events::RedactingSink sink(tee, redaction(redactor), last_seq);

  ssh::Options ssh_options;
  if (how.forks != 0) ssh_options.max_connecting = how.forks;
  ssh_options.passphrase = [&](const std::string& path) -> std::optional<Secret> {
    const auto known = settings->passphrases.find(path);
    return known == settings->passphrases.end() ? std::nullopt : std::optional(known->second);
  };
  const auto transport = ssh::make_transport(ssh_options);
  remote::Options remote_options;
  remote_options.run_id = how.run_id;
  remote_options.last_before = last_before;
  remote_options.lock_wait = wait_lock.value_or(Duration{0});
  remote_options.take_locks = options.take_lock;
  remote_options.around = around.runs;
  const auto hosts = remote::make_hosts(*transport, std::move(settings->hosts), remote_options);
  signals.on_signal([&] { hosts->wake(); });

  const auto result = options.command == Command::preflight
                          ? run::preflight(plan, *hosts, sink, clock, how, signals.requests())
                          : run::run(plan, *hosts, sink, clock, how, signals.requests());
  signals.on_signal({});
  const Status durable = sink.commit();
  if (!durable) std::cerr << "cnplay: " << durable.error().what << "\n";
  const bool over = result.ended && durable;
  if (!hosts->close(Duration{10'000}, over ? remote::Traces::remove : remote::Traces::keep) &&
      !options.json) {
    std::cerr << "cnplay: some connections could not be closed cleanly\n";
  }
  if (say_record && !options.json) std::cout << "record: " << (*record)->path() << std::endl;
  if (auto healthy = (*record)->settled(); !healthy) {
    std::cerr << "cnplay: " << healthy.error().what << "\nhelp: " << healthy.error().help << "\n";
  }
  if (result.not_resumed) {
    std::cerr << "cnplay: " << how.run_id << " is not resumed: " << clean(result.not_resumed->what)
              << "\nhelp: " << clean(result.not_resumed->help) << "\n";
  }
  for (const std::string& name : store.short_ones()) {
    std::cerr << "cnplay: " << short_secret(name) << "\n";
  }
  settle_secrets(store, result.verdict);
  if (options.command != Command::preflight && !result.not_resumed) {
    ending.occasion().record = (*record)->path();
    // Whoever looks on reads it on stderr, a program as an event.
    std::vector<events::Sink*> readers{record->get()};
    if (options.json) readers.push_back(view.get());
    events::Tee late(readers);
    events::RedactingSink behind_end(late, redaction(redactor), sink.last_seq());
    notify_all(plan, ending.occasion(), store, redactor, clock, behind_end);
  }
  // A refusal for what stands here alone, before any host was asked, has no such problem; a resume
  // is also refused for a host that is not there.
  const bool unready =
      result.verdict == events::Verdict::refused && lack.found && !result.not_resumed;
  if (unready) return kUnready;
  const int code = exit_code(result.verdict);
  return code == kSuccess && options.exit_code && drift.found ? kChanges : code;
}

}  // namespace cnplay::cli

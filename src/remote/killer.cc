#include "remote/killer.h"

#include <utility>

#include "remote/reboot.h"
#include "remote/shell.h"

namespace cnplay::remote {
namespace {

// TERM, after `patience` seconds KILL, until nobody is left in the group. A kill that is not
// permitted means that somebody is (of another user), not that nobody is. Zombies are nobody: where
// process 1 reaps late or never, as in many containers, they would keep the group for good.
constexpr const char* kKillScript = R"SH(
left() {
  if e=$(kill "-$1" "-$group" 2>&1); then :; else
    case $e in *ermitted*) return 0 ;; esac
    return 1
  fi
  [ -r /proc/self/stat ] || return 0
  for p in /proc/[0-9]*/stat; do
    { read -r l <"$p"; } 2>/dev/null || continue
    l=${l##*) }
    case $l in
    [ZX]*) ;;
    ?" "*" $group "*)
      # shellcheck disable=SC2086
      set -- $l
      case $3 in "$group") return 0 ;; esac
      ;;
    esac
  done
  return 1
}
now() { read -r t x </proc/uptime && t=${t%.*}; }
left TERM || exit 0
t=0
i=0
now 2>/dev/null || :
begun=$t
while left 0; do
  sleep 0.05 2>/dev/null || sleep 1
  i=$((i + 1))
  now 2>/dev/null || t=$((i / 10))
  if [ "$t" -ge $((begun + patience)) ]; then left KILL || exit 0; fi
  [ "$t" -lt $((begun + patience + 5)) ] || fail "its process group $group is still there"
done
)SH";

}  // namespace

void Killer::kill_when_known(const JobPtr& job, Ended as, std::string why) {
  const Collector* said = job->collector.get();
  const bool at_it = job->shell && job->shell->job() == job;
  if (at_it && (!job->sent_before || said->started() || said->followed())) {
    return kill(job, as, std::move(why));
  }
  job->timer = std::make_unique<boost::asio::steady_timer>(context_.executor());
  job->timer->expires_after(std::chrono::milliseconds(100));
  job->timer->async_wait([this, alive = context_.session, weak_job = std::weak_ptr<Job>(job), as,
                          why](const boost::system::error_code& error) {
    const auto session = alive.lock();
    const auto late = weak_job.lock();
    if (error || !session || !late || late->over || late->kill) return;
    kill_when_known(late, as, why);
  });
}

void Killer::kill(const JobPtr& job, Ended as, std::string why) {
  job->kill = as;
  job->kill_why = std::move(why);
  if (job->shell->state() != Shell::State::gone) job->shell->doom();
  job->shell->resume();
  const long group = job->collector->followed() ? job->collector->group() : job->shell->pid();
  const std::int64_t patience = (context_.options.kill_patience.count() + 999) / 1000;
  auto killer = std::make_shared<Job>();
  killer->urgent = true;
  killer->task = {.id = 0,
                  .host = context_.index,
                  .become = job->task.become,
                  .mode = Mode::apply,
                  .check = {},
                  .apply = kKillScript,
                  .verify_script = {},
                  .preview = {},
                  .preflight = {},
                  .verify = Verify::none,
                  .variables = {{.name = "group", .value = std::to_string(group)},
                                {.name = "patience", .value = std::to_string(patience)}},
                  .timeout = std::nullopt};
  killer->done = [this, job](const TaskResult& result) { ended(job, result); };
  job->killer = killer;
  job->timer = std::make_unique<boost::asio::steady_timer>(context_.executor());
  job->timer->expires_after(context_.options.kill_timeout);
  job->timer->async_wait([this, alive = context_.session, weak_job = std::weak_ptr<Job>(job)](
                             const boost::system::error_code& error) {
    const auto session = alive.lock();
    const auto late = weak_job.lock();
    if (error || !session || !late || late->over) return;
    const auto slow = late->killer.lock();
    if (slow && !slow->shell) jobs_.forget_waiting(slow);
    TaskResult none;
    none.ended = Ended::lost;
    none.error = "no answer in " + human_duration(context_.options.kill_timeout);
    ended(late, none);
  });
  jobs_.queue_first(std::move(killer));
  jobs_.pump();
}

bool Killer::spare(const JobPtr& job) {
  if (!job->kill) return true;
  const auto killer = job->killer.lock();
  if (!killer || killer->shell) return false;
  jobs_.forget_waiting(killer);
  job->kill.reset();
  job->shell->spare();
  return true;
}

void Killer::ended(const JobPtr& job, const TaskResult& result) {
  if (job->over) return;
  const std::shared_ptr<Shell> shell = job->shell;
  const StageResult* stage = result.stages.empty() ? nullptr : &result.stages.back();
  const bool gone = result.ended == Ended::finished && stage && stage->exit_code == 0 &&
                    stage->verdict == Verdict::none;
  // The end marks came though the kill was under way. If no stage died of a signal it was faster.
  const Collector& said = *job->collector;
  const bool faster = !job->transferring && !(Reboot::reboots(*job) && said.applied()) &&
                      (said.followed() ? said.followed_to_end() : said.ended()) &&
                      !said.died_of_signal();
  if (faster) {
    jobs_.finish(job, Ended::finished, {}, {});
  } else if (gone) {
    jobs_.finish(job, *job->kill, job->kill_why, {});
  } else {
    std::string why = result.error;
    if (why.empty() && stage) why = stage->message.display(300);
    std::string error = job->kill_why + "; what it left running could not be killed: " + why;
    if (*job->kill != Ended::lost) {
      error = context_.name() + ": the task was to be " + job->kill_why + ", but: " + why;
    }
    jobs_.finish(job, Ended::lost, std::move(error),
                 "look for process group " + std::to_string(shell ? shell->pid() : 0) + " on " +
                     context_.name());
  }
  if (shell) {
    jobs_.drop_shell(shell);
    shell->abandon();
  }
  jobs_.advance();
}

}  // namespace cnplay::remote

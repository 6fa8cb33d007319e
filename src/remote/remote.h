// A host as the runner sees it: reach it, run a task on it, be told what came of it. How that
// goes over the wire (bootstrap, frames, sudo) stays inside this room.
//
// The runner is one thread with one loop: it starts work (start() never blocks) and reaps events
// with next(). Tests put a fake here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/text.h"
#include "base/units.h"

namespace cnplay::remote {

using HostIndex = std::uint32_t;
using TaskId = std::uint64_t;  // unique in the run

enum class Stage { check, apply, verify, preview, preflight };
enum class Stream { out, err };

// A parameter as the scripts see it: `$name`. Never part of the script's text; sent quoted, on
// stdin, as an unexported shell variable.
struct Variable {
  std::string name;   // [A-Za-z_][A-Za-z0-9_]*
  std::string value;  // no NUL
  bool secret = false;
  bool path = false;  // a leading `~/` means the home of the user that it runs as
};

enum class Mode {
  apply,      // check; if it says change: apply, then verify
  check,      // check only; then preview, if there is one and check said change
  preflight,  // the preflight script alone
};
enum class Verify { by_check, by_script, none };

// A file of the controller that apply needs on the host. It is sent only if check says change (or
// there is no check), and before the task is claimed, so it may be sent as often as needed: into
// the run's private directory, to which it is added as it comes, and where it gets its name once
// its checksum is right. After a lost connection it goes on where it was.
struct Upload {
  std::string name;  // [A-Za-z_][A-Za-z0-9_]*; the scripts find its path there in $NAME_file
  std::string path;  // on the controller
  std::uint64_t size = 0;
  std::string sha256;  // hex
  // A tree: `path` is a directory, this the list of what is in it (see remote/archive.h), and
  // `sha256` the list's; `size` does not count. What check asks for of it with `wanted` is sent, as
  // one tar archive.
  std::string manifest{};
};

// A file of the host that is brought to the controller when check has said change; the task's apply
// is that. It appears under its name once it is whole and its checksum is right.
struct Download {
  std::string from;  // an absolute path on the host
  std::string to;    // on the controller; missing directories are made
};

// One action on one host. The stages run in one request on the host: nothing of it waits for
// the controller.
//
// The promise, for mode apply: a task is started at most once under its id in the run, whoever
// sends it and how often. The host claims the id first; a claim that is there is never started
// again, but followed to its result. So a controller that takes up the run of another one just
// starts again, under the same ids, what has no result on record.
struct Task {
  TaskId id = 0;
  HostIndex host = 0;
  std::string become;  // user; "" = the login user
  Mode mode = Mode::apply;
  std::string check;  // "" = none: apply runs at once
  std::string apply;  // "" = none: a module that only checks
  std::string verify_script;
  std::string preview;
  std::string preflight;
  Verify verify = Verify::by_check;
  std::vector<Variable> variables;
  // Exported to all stages, before the variables. Sent quoted, as they are. No secrets: every
  // process of the user can read the environment of the others.
  std::vector<std::pair<std::string, std::string>> environment{};
  // Folders that come before the host's own PATH; `~` and `~/...` mean the home of the user that it
  // runs as.
  std::vector<std::string> search_path{};
  std::optional<Upload> upload{};
  std::optional<Download> download{};  // of a task without apply script
  std::optional<Duration> timeout;     // of all stages together; enforced on the host as well
  // Its apply restarts the host, which must be back within so long after the task was sent: with
  // another boot id, or its verify stage fails. It is verified on the new boot. What else is to be
  // started there waits. Whatever happens, the host is restarted at most once for it.
  std::optional<Duration> reboots{};
  // Of a task that an earlier controller may have sent: the boot id of the host at that time. If
  // the host has been restarted since, the task ends as `lost`, for a claim may not have outlived
  // that. "" if it was never sent before.
  std::string sent_under{};
  // Sent ahead: it waits for adopt() or withdraw(). The host begins it by itself when the task
  // `after`, of the same host, has ended well (its shape says what that is: every stage that is due
  // ended by 0, and with the verdict that lets the run go on) and we are still there; else it is
  // not begun before adopt(). Its own id: not before adopt(), if it was not begun in its time
  // (`sent_under`). 0: the run has come to it. No files: an upload or download is never ahead.
  TaskId after = 0;
};

enum class Verdict { none, ok, change, fail, skip };

struct StageResult {
  Stage stage{};
  int exit_code = 0;  // of the script; 0 where it ended by a verdict
  Verdict verdict{};  // what it said
  Untrusted message;  // of the verdict
};

enum class Ended {
  finished,     // the stages ran as far as they go; see `stages`
  timed_out,    // killed, all of its process group is gone
  cancelled,    // killed on request, likewise
  refused,      // cannot be done, and nothing of apply was begun: `error` says why
  not_started,  // never sent: the host was lost or could not become the user before
  lost,         // was sent, and its result could not be read back: unknown
};

struct TaskResult {
  Ended ended{};
  std::vector<StageResult> stages;                       // in the order they ran
  std::vector<std::pair<std::string, Untrusted>> facts;  // of the check, as said by `fact`
  Untrusted diff;  // what `diff_lines` printed, capped at 256 KiB
  Untrusted tail;  // the last 16 KiB of its output, both streams
  std::uint64_t output_bytes = 0;
  std::string preview;  // the directory that holds the preview; "" if none was made
  std::string error;    // why, for timed_out, not_started and lost
  std::string help;
  Duration took{};
  // Whether apply may have begun: what makes `lost` unknown rather than unreachable.
  bool apply_possible = false;
};

// --- events, reaped with next()
struct HostReady {
  HostIndex host{};
  std::string user;
  std::string boot_id;
};
enum class Unreachable { resolve, refused, timeout, host_key, authentication, shell, lost, other };
struct HostFailed {
  HostIndex host{};
  Unreachable kind{};
  std::string message;
  std::string help;
};
// Each task in flight on it gets its own TaskEnded (lost or not_started) right before this.
struct HostLost {
  HostIndex host{};
  std::string message;
};
// The connection is gone, a new one is being tried. Tasks in flight go on meanwhile;
// HostReconnected or HostLost follows.
struct HostReconnecting {
  HostIndex host{};
  std::string message;  // why
};
struct HostReconnected {
  HostIndex host{};
  std::string boot_id;
};
struct TaskOutput {
  TaskId task{};
  HostIndex host{};
  Stage stage{};
  Stream stream{};
  Untrusted bytes;
};
// Of a file that is on its way, now and then.
struct TaskProgress {
  TaskId task{};
  HostIndex host{};
  std::uint64_t done{};  // bytes
  std::uint64_t size{};
};
struct TaskEnded {
  TaskId task{};
  HostIndex host{};
  TaskResult result;
};
struct LockEnded {
  HostIndex host{};
  std::string name;
  bool acquired{};
  Untrusted holder;  // whose it is; of one that was taken over: whose it was
  std::string error;
  std::string help{};       // of the error
  bool no_channel = false;  // the error: the server gives the lock no channel
  // Of the holder, as far as the lock's file says.
  Untrusted step{};
  std::optional<Duration> held_for{};
  std::optional<Duration> silent_for{};  // since the last sign of life of its controller
  // Why it was not taken over though that was asked for: alive, elsewhere (on another machine),
  // unreadable, stays. "" if it was not.
  std::string kept{};
  // Acquired, but held by a run around this one, which shares it; `holder` says who.
  bool shared = false;
  // Acquired, but this very run holds it already: through another name of the host, or on another
  // host with the same home directory.
  bool joined = false;
};
// A lock is not free, and waited for. Told once, before its LockEnded.
struct LockWaiting {
  LockEnded held;
};
struct Woken {};  // wake() was called

using Event = std::variant<HostReady, HostFailed, HostLost, HostReconnecting, HostReconnected,
                           TaskOutput, TaskProgress, TaskEnded, LockEnded, LockWaiting, Woken>;

// What becomes of the claims, the spools and the directory that a run has on a host. Without its
// claim a task would be started once more under its id: `remove` is only for a run whose RunEnded
// is on disk, or that a person forgets. `keep` leaves tasks that have a claim at work.
enum class Traces { keep, remove };

class Hosts {
 public:
  virtual ~Hosts() = default;

  // Begins to connect and log in. HostReady or HostFailed follows.
  void connect(HostIndex host) { connect_within(host, Duration::zero()); }
  // The same, of a host that a task of an earlier controller may be restarting: for so long it is
  // tried again while it cannot be reached.
  virtual void connect_within(HostIndex host, Duration within) = 0;
  // Begins a task on a host that is ready. TaskEnded follows, exactly once. Tasks of the same
  // host and user that overlap run in shells of their own.
  virtual void start(Task task) = 0;
  // The result of this task is on disk: the host may delete the task's output (never its claim).
  virtual void on_record(HostIndex host, TaskId task) { (void)host, (void)task; }
  // The run has come to a task that was sent ahead: from now on it is like any other.
  virtual void adopt(TaskId task) = 0;
  // The run does not come to it: it ends as `not_started`, and then it never will be; unless it has
  // begun, then as it ends.
  virtual void withdraw(TaskId task) = 0;
  // Kills the task's process group. Its TaskEnded still follows (perhaps with its real result,
  // if it was faster).
  virtual void cancel(TaskId task) = 0;
  // Takes the named lock on the host for as long as this connection lives; `owner` is readable to
  // others. LockEnded follows; and a second one, not acquired, should a lock that was held be lost
  // while the connection lives.
  virtual void lock(HostIndex host, std::string name, std::string owner) = 0;
  // The step that a host is at, for those who read its locks. Told to the host now and then.
  virtual void note(HostIndex host, const std::string& step) { (void)host, (void)step; }
  // The next event, waiting at most `wait`. nullopt: nothing came.
  virtual std::optional<Event> next(Duration wait) = 0;
  // Makes next() return Woken. The only call that is allowed from any thread.
  virtual void wake() = 0;
  // Ends all connections in good order. Blocks for at most `within`. True if all ended well.
  virtual bool close(Duration within, Traces traces) = 0;
};

}  // namespace cnplay::remote

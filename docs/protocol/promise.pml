/* The promise of cnplay: no task is started twice under one id.
 *
 * One run on two hosts. Each host has ATTEMPTS tasks: the first, and retries, each after a pause.
 * One controller at a time: it may die anywhere, and another one resumes its run. The network loses
 * requests and repeats them, connections break, hosts reboot, the controller's disk fills, and a
 * resume is refused. README.md says how to run the checker and how to read what it finds.
 *
 * A rule is one atomic step, and names the code that carries it out: `code: FILE FUNCTION`. A test
 * (tests/protocol/) looks for these names. Each switch OLD_..., NO_..., EARLY_... breaks one rule,
 * and the checker must find the fault.
 */
#define HOSTS 2
#ifndef ATTEMPTS
#define ATTEMPTS 2 /* tasks of a host */
#endif
#ifndef DEATHS
#define DEATHS 1 /* of a controller */
#endif
#ifndef REFUSALS
#define REFUSALS 1 /* of a resume */
#endif
#ifndef REBOOTS
#define REBOOTS 1 /* of all hosts together */
#endif
#ifndef FULL
#define FULL 1 /* how often the disk fills */
#endif
#ifndef BREAKS
#define BREAKS 1 /* 0: connections do not break */
#endif

#define TASKS (HOSTS * ATTEMPTS)
#define host_of(t) ((t) % HOSTS)
#define is_retry(t) ((t) >= HOSTS)
#define earlier(t) ((t) - HOSTS) /* the attempt before a retry */

/* ---- The run record: a log of lines on the controller's disk ---- */
#define INTENT(t) (t)           /* ActionStarted, or SentAhead */
#define RESULT(t) (TASKS + (t)) /* ActionEnded, or RanAhead */
#define END (2 * TASKS)         /* RunEnded */
#define ENTRIES (2 * TASKS + 1)
byte line[ENTRIES]; /* where an entry stands in the log: 1, 2, ...; 0: it is not there */
byte written;       /* lines in the log */
byte synced;        /* of these: on disk, whatever happens */
byte under[TASKS];  /* with its intent: the boot of its host, as far as the controller knew */
#define recorded(e) (line[e] != 0)
#define durable(e) (line[e] != 0 && line[e] <= synced)
bool disk_full;

bool over[TASKS]; /* the pause before this retry is over */
#ifdef OLD_CLOCK
bool tie[TASKS];  /* by the times on record the pause of a lower host was over before this intent */
#endif

/* ---- The hosts ---- */
mtype = { idle, running, done, dead };
mtype state[TASKS] = idle;
bool claim[TASKS];  /* t-ID is there */
bool spool[TASKS];  /* its output is there */
bool started[TASKS]; /* the witness */
byte boot[HOSTS] = 1;
bool ended[HOSTS];   /* the tombstone: no task of the run starts here any more */

/* ---- The network ---- */
bool request[TASKS]; /* sent: from now on it may arrive at any time, once, often, or never */
bool removal[HOSTS]; /* sent: remove the directory of the run */

/* ---- The memory of the controller at work ---- */
mtype = { off, preflight, work, closing };
mtype phase = off;
byte seen[HOSTS];                 /* the boot of a host that is connected; 0: it is not */
#define connected(h) (seen[h] != 0)
mtype = { nothing, good, unknown };
mtype heard[TASKS] = nothing;     /* a result that is not on record yet */
bool sick;                        /* an append or a sync has failed: it records nothing more */
byte deaths, refusals, reboots, fills;

#define wanted(t) (phase == work && !recorded(RESULT(t)) && heard[t] == nothing)

/* ---- What the switches break ---- */
#ifdef NO_SYNC
#define may_send(t) recorded(INTENT(t))
#else
#define may_send(t) durable(INTENT(t))
#endif
#ifdef NO_BOOT
#define same_boot(t) true
#else
#define same_boot(t) (under[t] == seen[host_of(t)])
#endif
#ifdef NO_CLAIM
#define may_start(t) true
#else
#define may_start(t) (!claim[t])
#endif
#if defined(NO_TOMBSTONE) || defined(OLD_REFUSED) || defined(OLD_FULL)
#define buried(h) false
#else
#define buried(h) ended[h]
#endif
#ifdef EARLY_SPOOL
#define may_forget(t) (heard[t] != nothing || recorded(RESULT(t)))
#else
#define may_forget(t) durable(RESULT(t))
#endif

/* code: src/journal/run_directory.cc RunDirectory::on */
inline append(e) {
  if
  :: disk_full -> sick = true
  :: else -> written++; line[e] = written
  fi
}

/* A controller is gone. What was not synced may be lost with it: any tail of the log. */
inline leave() {
  do
  :: written > synced -> written--
  :: break
  od;
  d_step {
    for (i : 0 .. ENTRIES - 1) {
      if :: line[i] > written -> line[i] = 0 :: else fi
    }
    for (i : 0 .. TASKS - 1) {
      heard[i] = nothing;
      if :: !recorded(INTENT(i)) -> under[i] = 0 :: else fi;
      if :: is_retry(i) && !recorded(RESULT(earlier(i))) -> over[i] = false :: else fi
    }
    for (i : 0 .. HOSTS - 1) { seen[i] = 0 }
    sick = false;
    phase = off;
    i = 0
  }
}

/* On each host that is connected.
 * code: src/remote/host.cc HostSession::advance_close */
inline remove_directories() {
  for (i : 0 .. HOSTS - 1) {
    if
    :: connected(i) -> removal[i] = true; printf("host %d: is told to remove the directory\n", i)
    :: else
    fi
  }
  i = 0
}

/* The program runs again and receives what the record says. What it does next must be the next
 * line. A pause is over when the record says so; with OLD_CLOCK when the times on record say so.
 * code: src/run/replay.cc Replay::follow
 * code: src/run/step.cc Steps::fire_timers */
inline replay() {
  for (i : 0 .. TASKS - 1) {
    assert(!recorded(RESULT(i)) || (recorded(INTENT(i)) && line[INTENT(i)] < line[RESULT(i)]));
    assert(!is_retry(i) || !recorded(INTENT(i)) ||
           (recorded(RESULT(earlier(i))) && line[RESULT(earlier(i))] < line[INTENT(i)]));
#ifdef OLD_CLOCK
    assert(!(recorded(INTENT(i)) && tie[i])) /* the program takes the other host first */
#endif
  }
  i = 0
}

/* ---- The controller: rules about a run ---- */
proctype Controller() {
  byte i;
  bool settled;
end:
  do
  /* Begin, or resume. A second controller is kept away by a lock.
   * code: src/journal/run_directory.cc RunDirectory::take */
  :: d_step { phase == off && !recorded(END) ->
       phase = preflight; printf("a controller begins or resumes\n") }

  /* A resume is refused: a host is down, a lock is held, a password is wrong, a user aborts. The
   * hosts keep all that they have.
   * code: src/run/runner.cc Runner::not_resumed */
  :: atomic { phase == preflight && refusals < REFUSALS && written > 0 ->
       refusals++; printf("the resume is refused\n");
#ifdef OLD_REFUSED
       remove_directories();
#endif
       leave() }

  /* It is not refused: all hosts are there.
   * code: src/run/runner.cc Runner::look_before */
  :: d_step { phase == preflight && connected(0) && connected(1) ->
       replay(); phase = work; printf("the record is replayed, the run continues\n") }

  /* Sync, or fail to.
   * code: src/journal/run_directory.cc RunDirectory::commit */
  :: d_step { phase == work && !sick && synced < written ->
       if
       :: disk_full -> sick = true
       :: else -> synced = written; printf("the record is synced\n")
       fi }

  /* The run ends, at the end of its plan or before, once nothing is in flight.
   * code: src/run/runner.cc Runner::finish */
  :: d_step { phase == work && !sick && !recorded(END) && written > 0 ->
       settled = true;
       for (i : 0 .. TASKS - 1) {
         settled = settled && (!recorded(INTENT(i)) || recorded(RESULT(i)))
       }
       i = 0;
       if :: settled -> append(END); printf("the run ends\n") :: else fi;
       settled = false }

  /* Directories are removed after a durable end, and never else.
   * code: src/cli/execute.cc execute */
  :: d_step { phase == work && durable(END) ->
#ifdef VISIT /* not a fault: shows that the checker comes here, whatever has happened before */
       assert(!(deaths && refusals && reboots && fills && state[0] == done));
#endif
       remove_directories(); phase = closing }

  /* The run can no longer be recorded: it stops, and the hosts keep all that they have.
   * code: src/run/runner.cc Runner::look_outside */
  :: atomic { phase == work && sick ->
       printf("the run cannot be recorded, the controller leaves\n");
#ifdef OLD_FULL
       remove_directories();
#endif
       leave() }

  :: atomic { phase == closing -> leave() }

  /* Killed, between any two of these. */
  :: atomic { phase != off && deaths < DEATHS ->
       deaths++; printf("the controller is killed\n"); leave() }
  od
}

/* ---- Rules about a task, in the order in which they first apply ---- */
proctype Task(byte t) {
end:
  do
  /* A task is due: its intent goes into the record. A retry waits for its pause.
   * code: src/run/step.cc Steps::start_task */
  :: d_step { phase == work && !sick && !recorded(END) && !recorded(INTENT(t)) &&
       connected(host_of(t)) && (!is_retry(t) || over[t]) ->
       append(INTENT(t));
       if
       :: !sick -> under[t] = seen[host_of(t)]; printf("task %d: intent recorded\n", t);
#ifdef OLD_CLOCK
          tie[t] = host_of(t) > 0 && is_retry(t) && over[t - 1] && !recorded(INTENT(t - 1))
#endif
       :: else
       fi }
  :: d_step { is_retry(t) && recorded(RESULT(earlier(t))) && !over[t] ->
       over[t] = true; printf("task %d: its pause is over\n", t) }

  /* No request before its intent is durable, and none to another boot than that of the intent. A
   * request that may have been lost is sent again: that asks what became of the task.
   * code: src/run/runner.cc Runner::send_intents
   * code: src/run/runner.cc Runner::end_record
   * code: src/remote/host_jobs.cc HostJobs::connection_lost
   * code: src/remote/reboot.cc Reboot::lost_by_reboot */
  :: d_step { wanted(t) && may_send(t) && connected(host_of(t)) && same_boot(t) &&
       !request[t] -> request[t] = true; printf("task %d: sent\n", t) }
  :: d_step { wanted(t) && may_send(t) && connected(host_of(t)) && !same_boot(t) ->
       heard[t] = unknown; printf("task %d: unknown, its host rebooted\n", t) }

  /* A request arrives, perhaps of a dead controller, and after the directory was removed. Who makes
   * the claim starts the task, and nobody else ever does.
   * code: src/remote/prelude.cc _cn_claim
   * code: src/remote/prelude.cc _cn_buried
   * code: src/remote/prelude.cc _cn_once */
  :: d_step { request[t] && may_start(t) && !buried(host_of(t)) ->
       printf("task %d: starts\n", t);
       assert(!started[t]); /* the promise */
       started[t] = true; claim[t] = true; spool[t] = true; state[t] = running }

  /* It ends with its result in the spool, or is killed without one. */
  :: d_step { state[t] == running -> state[t] = done; printf("task %d: is done\n", t) }
  :: d_step { state[t] == running -> state[t] = dead; printf("task %d: dies\n", t) }

  /* Its result is read from the spool.
   * code: src/remote/prelude.cc _cn_follow
   * code: src/remote/host_jobs.cc HostJobs::finish */
  :: d_step { wanted(t) && durable(INTENT(t)) && connected(host_of(t)) && same_boot(t) &&
       claim[t] && state[t] == done ->
       assert(spool[t]); /* nothing is forgotten that the record does not hold */
       heard[t] = good; printf("task %d: its result is read\n", t) }
  :: d_step { wanted(t) && durable(INTENT(t)) && connected(host_of(t)) && same_boot(t) &&
       claim[t] && state[t] == dead ->
       heard[t] = unknown; printf("task %d: unknown, it died\n", t) }

  /* Its host stays away.
   * code: src/remote/host.cc HostSession::give_up */
  :: d_step { wanted(t) && durable(INTENT(t)) && !connected(host_of(t)) ->
       heard[t] = unknown; printf("task %d: unknown, its host stays away\n", t) }

  /* Its result goes into the record.
   * code: src/run/step.cc Steps::finished */
  :: d_step { phase == work && !sick && heard[t] != nothing && !recorded(RESULT(t)) ->
       assert(heard[t] == unknown || state[t] == done); /* what is reported was read */
       append(RESULT(t));
       if :: !sick -> heard[t] = nothing; printf("task %d: result recorded\n", t) :: else fi }

  /* A large spool is removed in the middle of the run, once its results are durable.
   * code: src/remote/host_traces.cc HostTraces::remove_old */
  :: d_step { phase == work && may_forget(t) && connected(host_of(t)) && spool[t] ->
       spool[t] = false; printf("task %d: its spool is removed\n", t) }
  od
}

proctype Host(byte h) {
  byte t;
end:
  do
  /* Connect, and again after a loss.
   * code: src/remote/host.cc HostSession::try_again */
  :: d_step { (phase == preflight || phase == work) && !connected(h) ->
       seen[h] = boot[h]; printf("host %d: connected\n", h) }
  :: d_step { BREAKS && connected(h) -> seen[h] = 0; printf("host %d: the connection breaks\n", h) }

  /* The tombstone first, then the directory. Requests may still be on their way.
   * code: src/remote/prelude.cc _cn_tidy
   * code: src/remote/prelude.cc _cn_bury */
  :: d_step { removal[h] && !ended[h] -> ended[h] = true; printf("host %d: the tombstone is there\n", h) }
  :: d_step { removal[h] && ended[h] ->
       removal[h] = false; printf("host %d: the directory is removed\n", h);
       for (t : 0 .. TASKS - 1) {
         if :: host_of(t) == h -> claim[t] = false; spool[t] = false :: else fi
       }
       t = 0 }

  /* Another boot: nothing runs any more, nothing is on its way, and files that the host had not
   * synced may be gone. */
  :: atomic { reboots < REBOOTS ->
       printf("host %d: reboots\n", h);
       reboots++; boot[h]++; seen[h] = 0; removal[h] = false;
       if :: ended[h] = false :: true fi;
       for (t : 0 .. TASKS - 1) {
         if
         :: host_of(t) == h ->
            request[t] = false;
            if :: state[t] == running -> state[t] = dead :: else fi;
            if :: claim[t] -> claim[t] = false; spool[t] = false :: true fi
         :: else
         fi
       }
       t = 0 }
  od
}

/* The disk fills, and somebody makes room. */
proctype Disk() {
end:
  do
  :: d_step { !disk_full && fills < FULL ->
       disk_full = true; fills++; printf("the disk is full\n") }
  :: d_step { disk_full -> disk_full = false; printf("a user makes room\n") }
  od
}

init {
  byte t;
  atomic {
    run Controller(); run Disk();
    for (t : 0 .. HOSTS - 1) { run Host(t) }
    for (t : 0 .. TASKS - 1) { run Task(t) }
    t = 0
  }
}

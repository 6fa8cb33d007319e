// Every field of every event, named once, for JSON both ways. Inside of events/.
//
// An archive is called with a key and a field; node(), host() and phase() say what a number
// stands for, because JSON names nodes and phases by path and hosts by name.
#pragma once

#include <concepts>
#include <type_traits>

#include "events/event.h"

namespace cnplay::events {

template <class T, class U>
concept Like = std::same_as<std::remove_const_t<T>, U>;

template <class A>
void fields(A& a, Like<plan::PastStep> auto& e) {
  a.node("node", e.node);
  a("runs", e.runs);
  a("median_ms", e.median);
  a("worst_ms", e.worst);
}
template <class A>
void fields(A& a, Like<plan::Past> auto& e) {
  a("inventory", e.inventory);
  a("runs", e.runs);
  a("steps", e.steps);
}
template <class A>
void fields(A& a, Like<RunStarted> auto& e) {
  a("run", e.run);
  a("play", e.play);
  a("title", e.title);
  a("inventory", e.inventory);
  a("user", e.user);
  a("controller", e.controller);
  a("plan_hash", e.plan_hash);
  a("program_hash", e.program_hash);
  a("mode", e.mode);
  a("now", e.now);
  a("hosts", e.hosts);
  a("forks", e.forks);
  a("only_preflight", e.only_preflight);
  a("past", e.past);
  a("rollback", e.rollback);
  a("rollback_of", e.rollback_of);
  a("incident", e.incident);
  a("stepwise", e.stepwise);
  a("inside", e.inside);
  a("reviewed", e.reviewed);
  a("machine", e.machine);
}
template <class A>
void fields(A& a, Like<RunResumed> auto& e) {
  a("user", e.user);
  a("controller", e.controller);
  a.node("from", e.from);
  a("changed", e.changed);
  a("machine", e.machine);
}
template <class A>
void fields(A& a, Like<RunContinued> auto& e) {
  a.host("without", e.without);
}
template <class A>
void fields(A& a, Like<PlanTaken> auto& e) {
  a("user", e.user);
  a("controller", e.controller);
  a("before", e.before);
  a("after", e.after);
  a("file", e.file);
  a("changes", e.changes);
}
template <class A>
void fields(A& a, Like<HostReconnecting> auto& e) {
  a.host("host", e.host);
  a("message", e.message);
}
template <class A>
void fields(A& a, Like<HostReconnected> auto& e) {
  a.host("host", e.host);
  a("boot_id", e.boot_id);
}
template <class A>
void fields(A& a, Like<HostConnecting> auto& e) {
  a.host("host", e.host);
}
template <class A>
void fields(A& a, Like<HostConnected> auto& e) {
  a.host("host", e.host);
  a("remote_user", e.remote_user);
  a("boot_id", e.boot_id);
}
template <class A>
void fields(A& a, Like<HostUnreachable> auto& e) {
  a.host("host", e.host);
  a("message", e.message);
  a("help", e.help);
}
template <class A>
void fields(A& a, Like<HostLost> auto& e) {
  a.host("host", e.host);
  a("message", e.message);
}
template <class A>
void fields(A&, Like<PreflightStarted> auto&) {}
template <class A>
void fields(A& a, Like<PreflightProblem> auto& e) {
  a.host("host", e.host);
  a("message", e.message);
  a("help", e.help);
  a("lock", e.lock);
}
template <class A>
void fields(A& a, Like<PreflightEnded> auto& e) {
  a("ok", e.ok);
  a("took_ms", e.took);
  a("left_out", e.left_out);
}
template <class A>
void fields(A& a, Like<PhaseStarted> auto& e) {
  a.phase("phase", e.phase);
}
template <class A>
void fields(A& a, Like<PhaseEnded> auto& e) {
  a.phase("phase", e.phase);
  a("took_ms", e.took);
  a("complete", e.complete);
}
template <class A>
void fields(A& a, Like<StepStarted> auto& e) {
  a.node("node", e.node);
  a.host("host", e.host);
  a("part", e.part);
  a("attempt", e.attempt);
}
template <class A>
void fields(A& a, Like<ActionStarted> auto& e) {
  a.node("node", e.node);
  a.host("host", e.host);
  a("action", e.action);
  a("part", e.part);
  a("task", e.task);
}
template <class A>
void fields(A& a, Like<SentAhead> auto& e) {
  a.node("node", e.node);
  a.host("host", e.host);
  a("action", e.action);
  a("task", e.task);
}
template <class A>
void fields(A& a, Like<RanAhead> auto& e) {
  a.node("node", e.node);
  a.host("host", e.host);
  a("action", e.action);
  a("task", e.task);
  a("outcome", e.outcome);
  a("message", e.message);
  a("reason", e.reason);
  a("facts", e.facts);
  a("applied", e.applied);
}
template <class A>
void fields(A& a, Like<Output> auto& e) {
  a("task", e.task);
  a.host("host", e.host);
  a("stage", e.stage);
  a("stream", e.stream);
  a("bytes", e.bytes);
}
template <class A>
void fields(A& a, Like<ActionEnded> auto& e) {
  a.node("node", e.node);
  a.host("host", e.host);
  a("action", e.action);
  a("part", e.part);
  a("task", e.task);
  a("outcome", e.outcome);
  a("message", e.message);
  a("reason", e.reason);
  a("diff", e.diff);
  a("facts", e.facts);
  a("exit_code", e.exit_code);
  a("tail", e.tail);
  a("took_ms", e.took);
  a("applied", e.applied);
}
template <class A>
void fields(A& a, Like<RetryScheduled> auto& e) {
  a.node("node", e.node);
  a.host("host", e.host);
  a("attempt", e.attempt);
  a("of", e.of);
  a("in_ms", e.in);
}
template <class A>
void fields(A& a, Like<StepEnded> auto& e) {
  a.node("node", e.node);
  a.host("host", e.host);
  a("part", e.part);
  a("outcome", e.outcome);
  a("reason", e.reason);
  a("took_ms", e.took);
}
template <class A>
void fields(A& a, Like<BarrierPassed> auto& e) {
  a.node("node", e.node);
}
template <class A>
void fields(A& a, Like<WaitStarted> auto& e) {
  a.node("node", e.node);
  a("until", e.until);
}
template <class A>
void fields(A& a, Like<WaitEnded> auto& e) {
  a.node("node", e.node);
  a("late", e.late);
}
template <class A>
void fields(A& a, Like<AssertionChecked> auto& e) {
  a.node("node", e.node);
  a("how", e.how);
  a("message", e.message);
}
template <class A>
void fields(A& a, Like<HumanStarted> auto& e) {
  a.node("node", e.node);
  a("items", e.items);
  a("questions", e.questions);
  a("until", e.until);
}
template <class A>
void fields(A& a, Like<HumanAnswered> auto& e) {
  a.node("node", e.node);
  a("user", e.user);
  a("controller", e.controller);
  a("by", e.by);
  a("yes", e.yes);
  a("values", e.values);
  a("remark", e.remark);
}
template <class A>
void fields(A& a, Like<HumanEnded> auto& e) {
  a.node("node", e.node);
  a("how", e.how);
  a("took_ms", e.took);
}
template <class A>
void fields(A& a, Like<StepChosen> auto& e) {
  a.node("node", e.node);
  a("user", e.user);
  a("choice", e.choice);
}
template <class A>
void fields(A& a, Like<RunParked> auto& e) {
  a.node("node", e.node);
  a("reason", e.reason);
  a("advice", e.advice);
}
template <class A>
void fields(A& a, Like<Pivoted> auto& e) {
  a.node("node", e.node);
  a("title", e.title);
}
template <class A>
void fields(A& a, Like<FailureDeclared> auto& e) {
  a.node("node", e.node);
  a.host("hosts", e.hosts);
  a("after_pivot", e.after_pivot);
}
template <class A>
void fields(A& a, Like<UndoStarted> auto& e) {
  a.node("nodes", e.nodes);
}
template <class A>
void fields(A& a, Like<UndoEnded> auto& e) {
  a("complete", e.complete);
}
template <class A>
void fields(A& a, Like<Held> auto& e) {
  a("message", e.message);
}
template <class A>
void fields(A& a, Like<RollbackOffered> auto& e) {
  a("name", e.name);
}
template <class A>
void fields(A& a, Like<DeadlinePassed> auto& e) {
  a("phase", e.phase);
  a("until", e.until);
  a("rollback", e.rollback);
}
template <class A>
void fields(A& a, Like<WindowClosed> auto& e) {
  a("until", e.until);
  a("past_pivot", e.past_pivot);
  a("clock_set_ms", e.clock_set);
}
template <class A>
void fields(A& a, Like<WindowAnswered> auto& e) {
  a("user", e.user);
  a("controller", e.controller);
  a("choice", e.choice);
}
template <class A>
void fields(A& a, Like<NotificationFailed> auto& e) {
  a("way", e.way);
  a("where", e.where);
  a("message", e.message);
  a("help", e.help);
}
template <class A>
void fields(A& a, Like<RollbackStarted> auto& e) {
  a("name", e.name);
}
template <class A>
void fields(A& a, Like<RollbackEnded> auto& e) {
  a("name", e.name);
  a("complete", e.complete);
}
template <class A>
void fields(A& a, Like<AbortRequested> auto& e) {
  a("times", e.times);
}
template <class A>
void fields(A& a, Like<Notice> auto& e) {
  a("text", e.text);
}
template <class A>
void fields(A& a, Like<HostSummary> auto& s) {
  a.host("host", s.host);
  a("ok", s.ok);
  a("changed", s.changed);
  a("skipped", s.skipped);
  a("failed", s.failed);
  a("unknown", s.unknown);
  a("would_change", s.would_change);
  a("depends", s.depends);
  a("unreachable", s.unreachable);
}
template <class A>
void fields(A& a, Like<StepTiming> auto& s) {
  a.node("node", s.node);
  a("expect_ms", s.expect);
  a("took_ms", s.took);
  a("outcome", s.outcome);
  a("usual_ms", s.usual);
  a("interrupted", s.interrupted);
}
template <class A>
void fields(A& a, Like<RunEnded> auto& e) {
  a("verdict", e.verdict);
  a("took_ms", e.took);
  a("hosts", e.hosts);
  a("steps", e.steps);
  a("outage_ms", e.outage);
  a("outage_expect_ms", e.outage_expect);
  a("outage_open", e.outage_open);
  a("partial", e.partial);
  a("forgotten", e.forgotten);
  a("advice", e.advice);
}

}  // namespace cnplay::events

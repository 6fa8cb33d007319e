// Every field of a plan, named once: what JSON writes and reads and what the hash covers are
// made from this list, so that none of them can forget one. Inside of plan/.
//
// An archive is called with a key and a field, in a fixed order.
#pragma once

#include <concepts>
#include <type_traits>

#include "plan/plan.h"

namespace cnplay::plan {

template <class T, class U>
concept Like = std::same_as<std::remove_const_t<T>, U>;

template <class A>
void fields(A& a, Like<Connection> auto& c) {
  a("address", c.address);
  a("port", c.port);
  a("user", c.user);
  a("identities", c.identities);
  a("known_hosts", c.known_hosts);
  a("jump", c.jump);
  a("password", c.password);
  a("become_password", c.become_password);
}

template <class A>
void fields(A& a, Like<Host> auto& h) {
  a("name", h.name);
  a("groups", h.groups);
  a("connection", h.connection);
  a("local", h.local);
}

template <class A>
void fields(A& a, Like<HostSet> auto& s) {
  a("name", s.name);
  a("hosts", s.hosts);
}

template <class A>
void fields(A& a, Like<SecretSource> auto& s) {
  a("name", s.name);
  a("kind", s.kind);
  a("arguments", s.arguments);
  a("where", s.where);
}

template <class A>
void fields(A& a, Like<Script> auto& s) {
  a("text", s.text);
  a("where", s.where);
}

template <class A>
void fields(A& a, Like<File> auto& f) {
  a("name", f.name);
  a("found_at", f.found_at);
  a("size", f.size);
  a("sha256", f.sha256);
}

template <class A>
void fields(A& a, Like<Tree> auto& t) {
  a("name", t.name);
  a("found_at", t.found_at);
}

template <class A>
void fields(A& a, Like<Param> auto& p) {
  a("name", p.name);
  a("value", p.value);
  a("secret", p.secret);
  a("path", p.path);
}

template <class A>
void fields(A& a, Like<FactDecl> auto& f) {
  a("name", f.name);
  a("type", f.type);
}

template <class A>
void fields(A& a, Like<Dependence> auto& d) {
  a("node", d.node);
  a("action", d.action);
  a("thing", d.thing);
  a("hosts", d.hosts);
}

template <class A>
void fields(A& a, Like<Action> auto& x) {
  a("module", x.module);
  a("name", x.name);
  a("params", x.params);
  a("become", x.become);
  a("when", x.when);
  a("check", x.check);
  a("apply", x.apply);
  a("verify_script", x.verify_script);
  a("preview", x.preview);
  a("preflight", x.preflight);
  a("verify", x.verify);
  a("alone", x.alone);
  a("returns", x.returns);
  a("needs", x.needs);
  a("uses", x.uses);
  a("writes", x.writes);
  a("reads", x.reads);
  a("touches", x.touches);
  a("depends_on", x.depends_on);
  a("sends", x.sends);
  a("sends_tree", x.sends_tree);
  a("renders", x.renders);
  a("fetches", x.fetches);
  a("fetches_to", x.fetches_to);
  a("reboots", x.reboots);
  a("notify", x.notify);
  a("where", x.where);
}

template <class A>
void fields(A& a, Like<Retry> auto& r) {
  a("times", r.times);
  a("every_ms", r.every);
}

template <class A>
void fields(A& a, Like<Edge> auto& e) {
  a("from", e.from);
  a("kind", e.kind);
}

template <class A>
void fields(A& a, Like<Question> auto& q) {
  a("name", q.name);
  a("type", q.type);
  a("choices", q.choices);
  a("text", q.text);
}

template <class A>
void fields(A& a, Like<Human> auto& h) {
  a("kind", h.kind);
  a("items", h.items);
  a("questions", h.questions);
  a("by", h.by);
  a("count", h.count);
  a("fallback", h.fallback);
}

template <class A>
void fields(A& a, Like<EnvironmentVariable> auto& v) {
  a("name", v.name);
  a("value", v.value);
}

template <class A>
void fields(A& a, Like<Node> auto& n) {
  a("id", n.id);
  a("kind", n.kind);
  a("path", n.path);
  a("title", n.title);
  a("where", n.where);
  a("phase", n.phase);
  a("tags", n.tags);
  a("left_out", n.left_out);
  a("hosts", n.hosts);
  a("made_from", n.made_from);
  a("once", n.once);
  a("after", n.after);
  a("actions", n.actions);
  a("undo", n.undo);
  a("environment", n.environment);
  a("search_path", n.search_path);
  a("retry", n.retry);
  a("timeout_ms", n.timeout);
  a("expect_ms", n.expect);
  a("testing", n.testing);
  a("tolerate", n.tolerate);
  a("when", n.when);
  a("until", n.until);
  a("late_by_ms", n.late_by);
  a("human", n.human);
  a("holds", n.holds);
  a("if_not", n.if_not);
}

template <class A>
void fields(A& a, Like<Response> auto& r) {
  a("kind", r.kind);
  a("message", r.message);
  a("rollbacks", r.rollbacks);
  a("section", r.section);
}

template <class A>
void fields(A& a, Like<OnFailure> auto& f) {
  a("side", f.side);
  a("phase", f.phase);
  a("responses", f.responses);
}

template <class A>
void fields(A& a, Like<Phase> auto& p) {
  a("path", p.path);
  a("title", p.title);
  a("parent", p.parent);
  a("expect_ms", p.expect);
  a("budget_ms", p.budget);
  a("outage", p.outage);
  a("when", p.when);
  a("end", p.end);
}

template <class A>
void fields(A& a, Like<Section> auto& s) {
  a("kind", s.kind);
  a("nodes", s.nodes);
  a("report_timings", s.report_timings);
}

template <class A>
void fields(A& a, Like<Rollback> auto& r) {
  a("name", r.name);
  a("title", r.title);
  a("section", r.section);
  a("where", r.where);
}

template <class A>
void fields(A& a, Like<Deadline> auto& d) {
  a("phase", d.phase);
  a("at", d.at);
  a("rollback", d.rollback);
  a("where", d.where);
}

template <class A>
void fields(A& a, Like<Window> auto& w) {
  a("from", w.from);
  a("to", w.to);
  a("where", w.where);
}

template <class A>
void fields(A& a, Like<Requirement> auto& r) {
  a("kind", r.kind);
  a("on", r.on);
  a("within_ms", r.within);
  a("where", r.where);
}

template <class A>
void fields(A& a, Like<Notification> auto& n) {
  a("kind", n.kind);
  a("on_finish", n.on_finish);
  a("on_failure", n.on_failure);
  a("on_parked", n.on_parked);
  a("command", n.command);
  a("url", n.url);
  a("secret_url", n.secret_url);
  a("token", n.token);
  a("server", n.server);
  a("from", n.from);
  a("to", n.to);
  a("user", n.user);
  a("password", n.password);
  a("where", n.where);
}

template <class A>
void fields(A& a, Like<ProgramPart> auto& p) {
  a("name", p.name);
  a("sha256", p.sha256);
}

template <class A>
void fields(A& a, Like<Origin> auto& o) {
  a("directory", o.directory);
  a("file", o.file);
  a("play", o.play);
  a("inventory", o.inventory);
  a("limit", o.limit);
  a("extra", o.extra);
  a("tags", o.tags);
  a("skip_tags", o.skip_tags);
  a("start_at", o.start_at);
}

template <class A>
void fields(A& a, Like<Plan> auto& p) {
  a("play", p.play);
  a("title", p.title);
  a("owner", p.owner);
  a("inventory", p.inventory);
  a("file", p.file);
  a("program_hash", p.program_hash);
  a("program", p.program);
  a("origin", p.origin);
  a("incident", p.incident);
  a("hosts", p.hosts);
  a("sets", p.sets);
  a("params", p.params);
  a("secrets", p.secrets);
  a("vault_file", p.vault_file);
  a("scripts", p.scripts);
  a("files", p.files);
  a("trees", p.trees);
  a("nodes", p.nodes);
  a("phases", p.phases);
  a("sections", p.sections);
  a("on_failure", p.on_failure);
  a("rollbacks", p.rollbacks);
  a("deadlines", p.deadlines);
  a("window", p.window);
  a("requirements", p.requirements);
  a("locks", p.locks);
  a("notifications", p.notifications);
}

constexpr int kJsonVersion = 1;

template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};

}  // namespace cnplay::plan

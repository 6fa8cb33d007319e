// The plan of design/language.md's tour, on two web hosts and a database, put together by hand.
#pragma once

#include "support/plan/builder.h"

namespace cnplay::testing {

struct UpdateCode {
  // Nodes by the names of their steps.
  NodeId announce{}, wait{}, stop{}, page{}, snapshot{}, code{}, packages{}, statics{}, join{},
      pivot{}, migrate{}, unpage{}, start{}, smoke{}, open{}, end{}, restart{};
  std::uint32_t cutover{};
  Plan plan;
};

inline Plan& web_hosts(PlanBuilder& b, std::size_t count) {
  for (std::size_t i = 1; i <= count; ++i) b.host("web" + std::to_string(i), {"web"});
  return b.plan;
}

inline UpdateCode update_code(std::size_t webs = 2) {
  UpdateCode u;
  PlanBuilder b;
  Plan& p = web_hosts(b, webs);
  p.play = "update_code";
  p.title = "Update the server code";
  p.owner = "web team";
  p.inventory = "staging";
  p.file = "playbooks/update_code.play";
  p.program_hash = std::string(64, 'c');
  std::vector<HostIndex> web;
  for (HostIndex i = 0; i < webs; ++i) web.push_back(i);
  const HostIndex db = b.host("db1", {"db"});
  p.sets = {{"web", web}, {"db", {db}}};
  p.params = {{"branch", Value("master")}, {"notice", Value(Duration{1'800'000})}};
  p.secrets = {{"smtp", SecretSource::Kind::env, {"SMTP_PASSWORD"}, "update_code.play:9"}};
  p.locks = {"deploy/staging"};
  p.requirements = {{RequireKind::rehearsed, "staging", Duration{7LL * 86'400'000}, "x.play:17"}};

  // /cnhome everywhere but on the last web host.
  std::vector<std::uint32_t> index(webs, 0);
  index.back() = 1;
  const Column app({Value("/cnhome"), Value("/srv/cnhome")}, index);
  const Column app0(Value("/cnhome"));
  const ExprPtr start = op(Op::add, {now_expr(), constant(Value(Duration{1'800'000}))});

  u.cutover = b.phase("update_code/cutover", "Site down");
  p.phases[0].expect = Duration{360'000};
  p.phases[0].budget = Duration{900'000};
  p.phases[0].outage = true;

  {
    Node& n = b.step("update_code/announce", {0},
                     {b.action("django.maintenance_on",
                               {path_param("dir", app0), param("start", deferred(start)),
                                param("password", Value(SecretRef{0}), true)})},
                     {});
    n.once = true;
    n.undo = {b.action("django.maintenance_off", {path_param("dir", app0)})};
    u.announce = n.id;
  }
  u.wait = b.node(NodeKind::wait, "update_code/wait", all({u.announce}));
  p.nodes[u.wait].until = deferred(start);
  p.nodes[u.wait].late_by = Duration{600'000};
  const Value programs(List{Value("gunicorn"), Value("celeryworker"), Value("celerybeat")});
  {
    Node& n = b.step("update_code/cutover/stop", web,
                     {b.action("supervisor.stop", {param("programs", programs)})}, all({u.wait}),
                     u.cutover);
    n.expect = Duration{20'000};
    n.undo = {b.action("supervisor.start", {param("programs", programs)})};
    n.actions[0].become = "root";
    n.undo[0].become = "root";
    u.stop = n.id;
  }
  {
    Node& n = b.step("update_code/cutover/page", web,
                     {b.action("maintenance.place",
                               {path_param("path", Column(Value("/srv/www/tmp/maintenance.html"))),
                                param("message", Value("CoralNet is under maintenance. We'll be "
                                                       "back as soon as we can!"))})},
                     same({u.stop}), u.cutover);
    n.undo = {b.action("maintenance.remove",
                       {path_param("path", Column(Value("/srv/www/tmp/maintenance.html")))})};
    u.page = n.id;
  }
  {
    Node& n = b.step(
        "update_code/cutover/snapshot", {db},
        {b.action("postgres.dump", {param("database", Value("coralnet")),
                                    path_param("to", Column(Value("/var/backups/before.dump")))})},
        same({u.stop, u.page}), u.cutover);
    n.expect = Duration{60'000};
    n.after = all({u.wait});
    u.snapshot = n.id;
  }
  {
    Action rebase =
        b.action("git.rebase", {path_param("dir", app), param("onto", Value("origin/master"))},
                 {"before", "target"});
    rebase.name = "moved";
    Node& n =
        b.step("update_code/cutover/code", web, {std::move(rebase)}, same({u.page}), u.cutover);
    n.undo = {b.action("git.reset",
                       {path_param("dir", app), param("to", deferred(fact(n.id, 0, "before")))})};
    u.code = n.id;
  }
  {
    Node& n = b.step(
        "update_code/cutover/packages", web,
        {b.action("pip.install",
                  {path_param("venv", Column(Value("/srv/venv"))), param("upgrade", Value(true))},
                  {"freeze"})},
        same({u.code}), u.cutover);
    n.timeout = Duration{600'000};
    n.retry = Retry{2, Duration{10'000}};
    n.expect = Duration{90'000};
    n.undo = {b.action("pip.restore", {path_param("venv", Column(Value("/srv/venv"))),
                                       param("freeze", deferred(fact(n.id, 0, "freeze")))})};
    u.packages = n.id;
  }
  {
    Node& n = b.step("update_code/cutover/static", web,
                     {b.action("django.collectstatic", {path_param("dir", app)})},
                     same({u.packages}), u.cutover);
    n.when = Column(deferred(op(Op::ne, {fact(u.code, 0, "before"), fact(u.code, 0, "target")})));
    u.statics = n.id;
  }
  u.pivot =
      b.node(NodeKind::pivot, "update_code/cutover/pivot", all({u.snapshot, u.statics}), u.cutover);
  p.nodes[u.pivot].title = "the schema may change";
  {
    Node& n =
        b.step("update_code/cutover/migrate", {0},
               {b.action("django.migrate", {path_param("dir", app0)})}, all({u.pivot}), u.cutover);
    n.once = true;
    n.expect = Duration{120'000};
    n.timeout = Duration{1'200'000};
    u.migrate = n.id;
  }
  {
    Node& n =
        b.step("update_code/cutover/unpage", web,
               {b.action("maintenance.remove",
                         {path_param("path", Column(Value("/srv/www/tmp/maintenance.html")))})},
               all({u.migrate}), u.cutover);
    u.unpage = n.id;
  }
  {
    Node& n = b.step("update_code/cutover/start", web,
                     {b.action("supervisor.start", {param("programs", programs)})},
                     same({u.unpage}), u.cutover);
    n.expect = Duration{15'000};
    u.start = n.id;
  }
  {
    Action check = b.action("http.check", {param("url", Value("http://localhost/")),
                                           param("status", Value(std::int64_t{200}))});
    check.apply = kNone;
    Node& n =
        b.step("update_code/cutover/smoke", web, {std::move(check)}, same({u.start}), u.cutover);
    n.retry = Retry{10, Duration{3'000}};
    u.smoke = n.id;
  }
  {
    Node& n = b.step("update_code/cutover/open", {0},
                     {b.action("django.maintenance_off", {path_param("dir", app0)})},
                     all({u.smoke}), u.cutover);
    n.once = true;
    u.open = n.id;
  }
  u.end = b.node(NodeKind::phase_end, "update_code/cutover/end", all({u.open}), u.cutover);
  p.phases[0].end = u.end;
  {
    Node& n = b.step("update_code/restart", web,
                     {b.action("service.restart", {param("name", Value("nginx"))})}, {});
    n.kind = NodeKind::handler;
    p.sections[0].nodes.pop_back();
    u.restart = n.id;
    p.nodes[u.statics].actions[0].notify = {u.restart};
  }
  p.on_failure = {{Side::before_pivot, u.cutover, {{ResponseKind::undo_all, Value(), {}, kNone}}},
                  {Side::after_pivot,
                   u.cutover,
                   {{ResponseKind::hold,
                     Value("The maintenance page stays up. Fix forward, or restore the snapshot."),
                     {},
                     kNone}}}};
  p.sections.push_back(Section{SectionKind::always, {}, true});
  u.plan = std::move(p);
  return u;
}

}  // namespace cnplay::testing

"""Databases and roles that are made, a database that is restored, and the rows of two that are compared; with their
`commands`, as docs prints them."""
import subprocess

import by_hand
import harness
from fleet_checks import FLEET, expect, inside, true


def sql(database, *statements):
    words = [word for statement in statements for word in ("-c", statement)]
    return inside("db1", "psql", "-qXAt", "-d", database, *words, user="postgres").strip()


def database(shell):
    place = harness.Place("db1", "postgres", shell)
    run, plain = place.run, harness.Place("db1", "plain", shell).run
    sql("postgres", "DROP DATABASE IF EXISTS \"o dd'1\"", "DROP ROLE IF EXISTS \"r o'le\"")
    role = {"name": "r o'le", "createdb": True, "member_of": ["coralnet"]}
    expect(plain("postgres.role", **role), "failed", "the server does not answer plain: role \"plain\" does not exist")
    expect(harness.Place("db1", "ubuntu", shell).run("postgres.role", **role), "failed", "ubuntu may not make roles")
    expect(run("postgres.role", "check", **role), "would_change", "make the role r o'le, add to coralnet")
    expect(run("postgres.role", **role), "changed")
    expect(run("postgres.role", **role), "ok")
    expect(run("postgres.role", **{**role, "createdb": False, "superuser": True}), "changed", "the role r o'le: no longer createdb, superuser")
    expect(run("postgres.role", **{**role, "createdb": False, "member_of": []}), "changed", "no longer superuser")
    true(sql("postgres", "SELECT rolsuper, rolcreatedb, rolcanlogin FROM pg_roles WHERE rolname = 'r o''le'") == "f|f|t", "rights")
    expect(run("postgres.role", **{**role, "member_of": ["nope"]}), "failed", "the server has no role 'nope'")
    expect(run("postgres.role", name="pg_x"), "failed", "not the name of a role")
    one = {"name": "o dd'1", "owner": "r o'le", "locale": "C.UTF-8"}
    expect(run("postgres.database", "check", **one), "would_change", "make the database o dd'1")
    true(sql("postgres", "SELECT 1 FROM pg_database WHERE datname = 'o dd''1'") == "", "a dry run made it")
    expect(run("postgres.database", **one), "changed")
    expect(run("postgres.database", **one), "ok")
    expect(run("postgres.database", **{**one, "owner": "postgres"}), "changed", "the owner of o dd'1: r o'le -> postgres")
    expect(run("postgres.database", **{**one, "owner": None}), "ok")
    for values, message in (({"encoding": "LATIN1"}, "has the encoding UTF8, not LATIN1"), ({"locale": "de_DE"}, "has the locale C.UTF-8, not de_DE"),
                            ({"owner": "nope"}, "the server has no role 'nope'"), ({"name": "a=b"}, "not the name of a database"), ({"host": "/nope"}, "the server does not answer")):
        expect(run("postgres.database", **{**one, **values}), "failed", message)
    sql("postgres", "DROP DATABASE \"o dd'1\"", "DROP ROLE \"r o'le\"")
    for values in ({"name": "by hand", "createdb": True, "member_of": ["coralnet"]}, {"name": "no login", "login": False}):
        by_hand.typed(place, "postgres.role", **values)
        expect(run("postgres.role", **values), "ok")
    by_hand.typed(place, "postgres.database", name="by hand", owner="no login", locale="C.UTF-8")
    expect(run("postgres.database", name="by hand", owner="no login", locale="C.UTF-8"), "ok")
    sql("postgres", "DROP DATABASE \"by hand\"", "DROP ROLE \"by hand\"", "DROP ROLE \"no login\"")


def restore(shell):
    place = harness.Place("db1", "postgres", shell)
    run = place.run
    beats = {"except": ["reefs_heartbeat"]}  # the workers write it all the time
    dump = {"database": "coralnet", "to": "/var/lib/postgresql/a dump"}
    inside("db1", "rm", "-f", dump["to"])
    expect(run("postgres.restore", "preflight", **{"from": dump["to"], "database": "coralnet"}), "skip")
    expect(run("postgres.restore", **{"from": dump["to"], "database": "coralnet"}), "failed", "there is no file")
    expect(run("postgres.dump", **dump), "changed")
    reefs = sql("coralnet", "SELECT count(*) FROM reefs_reef")
    counted = expect(run("postgres.compare", "check", database="coralnet", **beats), "ok").facts
    true(f"reefs_reef {reefs}" in counted["tables"].split("\n"), counted)
    sql("coralnet", "DELETE FROM reefs_reef", "CREATE TABLE later (x int)", "INSERT INTO later VALUES (1)")
    back = {"from": dump["to"], "database": "coralnet", "keep": "coralnet_broken"}
    expect(run("postgres.restore", "preflight", **back), "ok")
    # While the site uses it.
    holder = subprocess.Popen([FLEET, "exec", "db1", "-u", "postgres", "psql", "-qX", "-d", "coralnet", "-c", "SELECT pg_sleep(100)"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while sql("postgres", "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(100)' AND datname = 'coralnet'") == "0":
        pass
    expect(run("postgres.restore", **back), "failed", "coralnet: end what uses it first, or say `disconnect: true`")
    expect(run("postgres.restore", "check", disconnect=True, **back), "would_change", "restore coralnet from /var/lib/postgresql/a dump, and keep the former one as coralnet_broken")
    true(sql("coralnet", "SELECT count(*) FROM later") == "1", "a dry run restored")
    expect(run("postgres.restore", disconnect=True, **back), "changed")
    holder.wait()
    true(holder.returncode != 0, "the session was not ended")
    true(sql("coralnet", "SELECT count(*) FROM reefs_reef", "SELECT to_regclass('later') IS NULL") == f"{reefs}\nt", "the content")
    true(sql("coralnet_broken", "SELECT count(*) FROM later") == "1", "the former one was not kept")
    true(sql("postgres", "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'coralnet'") == "coralnet", "the owner")
    true("200" in inside("web1", "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "http://localhost/"), "the site does not work")
    expect(run("postgres.restore", **back), "ok", "restored already")
    expect(run("postgres.compare", "check", database="coralnet", expect=counted["tables"].split("\n"), **beats), "ok", ", the same")
    expect(run("postgres.restore", again=True, disconnect=True, **back), "failed", "there is a database coralnet_broken already")
    # What differs is named.
    result = expect(run("postgres.compare", "check", database="coralnet", other_database="coralnet_broken", **beats), "failed", f"reefs_reef has {reefs} rows, and 0 in coralnet_broken; 1 more table differs")
    true("later is not there, and 1 in coralnet_broken\n" in result.output, result.output)
    expect(run("postgres.compare", "check", database="coralnet", other_database="coralnet_broken", **{"except": ["later", "reefs_reef", "reefs_heartbeat"]}), "ok", ", the same")
    sql("coralnet", "DELETE FROM reefs_reef WHERE id = (SELECT max(id) FROM reefs_reef)")
    expect(run("postgres.compare", "check", database="coralnet", expect=counted["tables"].split("\n"), **beats), "failed", f"reefs_reef has {int(reefs) - 1} ")
    expect(run("postgres.compare", "check", database="coralnet", expect=["x 1"], other_database="y"), "failed", "either a list or another database")
    expect(run("postgres.compare", "check", database="nope"), "failed", "the tables of nope cannot be counted: database \"nope\" does not exist")
    expect(run("postgres.compare", "check", database="coralnet", other_host="/nope"), "failed", "the tables of coralnet on /nope cannot be counted")
    # A dump that cannot be restored leaves the database as it was, and nothing beside it.
    sql("coralnet", "CREATE TABLE refs (x int)")
    inside("db1", "sh", "-c", "head -c -300 /var/lib/postgresql/a\\ dump > /var/lib/postgresql/torn", user="postgres")
    torn = {"from": "/var/lib/postgresql/torn", "database": "coralnet", "disconnect": True}
    expect(run("postgres.restore", **torn), "failed", "pg_restore failed, and coralnet is as it was")
    true(sql("coralnet", "SELECT count(*) FROM refs") == "0", "the former content")
    expect(run("postgres.restore", **{**back, "keep": None}, owner="ubuntu", again=True, disconnect=True), "changed", "and drop the former one")
    true(sql("postgres", "SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database WHERE datname LIKE 'coralnet%'") == "coralnet coralnet_broken", "databases stay")
    true(sql("coralnet", "SELECT tableowner FROM pg_tables WHERE tablename = 'reefs_reef'") == "ubuntu", "the owner of tables")
    sql("postgres", "ALTER DATABASE coralnet SET work_mem = '8MB'")
    expect(run("postgres.restore", **{**back, "keep": None}, again=True), "failed", "has settings or rights of its own")
    sql("postgres", "ALTER DATABASE coralnet RESET ALL", "DROP DATABASE coralnet_broken")
    inside("db1", "sh", "-c", "echo x > /var/lib/postgresql/torn")
    expect(run("postgres.restore", **torn), "failed", "not a dump of pg_dump's own format")
    expect(run("postgres.restore", "preflight", **torn), "failed", "not a dump of pg_dump's own format")
    expect(harness.Place("db1", "plain", shell).run("postgres.restore", **back), "failed", "not readable")
    new = {"from": dump["to"], "database": "by hand", "owner": "coralnet"}
    by_hand.typed(place, "postgres.restore", **new)
    expect(run("postgres.restore", **new), "ok")
    true(f"reefs_reef|{reefs}" in by_hand.typed(place, "postgres.compare", database="by hand"), "the commands of compare")
    by_hand.typed(place, "postgres.restore", keep="kept by hand", disconnect=True, **new)
    expect(run("postgres.restore", **new), "ok")
    sql("postgres", "DROP DATABASE \"by hand\"", "DROP DATABASE \"kept by hand\"")
    inside("db1", "rm", "-f", dump["to"], "/var/lib/postgresql/torn")

"""The database: dumps, passwords, questions."""
import harness
from fleet_checks import expect, fleet, inside, true


def postgres(shell):
    place = harness.Place("db1", "ubuntu", shell)
    run = place.run
    dump = {"database": "coralnet", "to": "/var/backups/before update.dump"}
    expect(run("postgres.dump", "preflight", **dump), "ok", "MiB free")
    expect(run("postgres.dump", "check", **dump), "would_change", "dump coralnet (")
    true(inside("db1", "ls", "/var/backups") == "", "a dry run wrote")
    expect(run("postgres.dump", **dump), "changed")
    expect(run("postgres.dump", max_age=3600, **dump), "ok")
    expect(run("postgres.dump", **dump), "changed", "in place of one")
    true(inside("db1", "stat", "-c", "%a %U", dump["to"]) == "600 ubuntu\n", "mode")
    true(inside("db1", "ls", "-A", "/var/backups") == "before update.dump\n", "temporary files are left")
    expect(run("postgres.dump", database="nope", to=dump["to"]), "failed", "database \"nope\" does not exist")
    expect(run("postgres.dump", "preflight", database="nope", to=dump["to"]), "failed", "cannot connect to database 'nope'")
    expect(run("postgres.dump", database="dbname=coralnet host=x", to=dump["to"]), "failed", "not the name of a database")
    expect(run("postgres.dump", database="coralnet", to="/var/nope/x.dump"), "failed", "no directory /var/nope")
    expect(run("postgres.dump", database="coralnet", to="/etc/x.dump"), "failed", "may not write into /etc")
    inside("db1", "sh", "-c", "mkdir -p /mnt/small && mount -t tmpfs -o size=1m,mode=777 none /mnt/small && head -c 900000 /dev/urandom > /mnt/small/fill")
    expect(run("postgres.dump", "preflight", database="coralnet", to="/mnt/small/x.dump"), "failed", "MiB free")
    inside("db1", "sh", "-c", "head -c 200000 /dev/urandom > /mnt/small/fill2")
    expect(run("postgres.dump", database="coralnet", to="/mnt/small/x.dump"), "failed", "pg_dump of coralnet failed")
    true(inside("db1", "ls", "-A", "/mnt/small") == "fill\nfill2\n", "a torn dump is left")
    inside("db1", "sh", "-c", "umount /mnt/small; rmdir /mnt/small")
    expect(harness.Place("db1", "plain", shell).run("postgres.dump", **dump), "failed", "")


def postgres_password(shell):
    admin = harness.Place("db1", "postgres", shell).run
    web = harness.Place("web1", "ubuntu", shell).run
    former, new = "coralnet-password", "a:b\\c'd\"$(id)`id` -- %s"
    where = {"user": "coralnet", "host": "10.77.0.20", "database": "coralnet"}
    inside("db1", "psql", "-qXc", "ALTER SYSTEM SET log_statement = 'all'", "-c", "SELECT pg_reload_conf()", user="postgres")

    expect(admin("postgres.password", user="coralnet", password=former), "ok")
    expect(web("postgres.refuses", password=former, **where), "failed", "the password of coralnet still works on 10.77.0.20")
    expect(admin("postgres.password", "check", user="coralnet", password=new), "would_change", "another password for coralnet")
    expect(admin("postgres.password", user="coralnet", password=former), "ok")
    result = expect(admin("postgres.password", user="coralnet", password=new, disconnect=True), "changed", "another password")
    true(new not in result.output + result.errors + str(result), "the password is shown")
    expect(admin("postgres.password", user="coralnet", password=new), "ok")
    expect(web("postgres.refuses", password=former, **where), "ok", "refused")
    expect(web("postgres.refuses", password=new, **where), "failed", "still works")
    log = inside("db1", "sh", "-c", "cat /var/log/postgresql/*.log")
    true("pg_authid" in log, f"nothing is logged: {log[-500:]}")
    true(new not in log and "SCRAM-SHA-256$" not in log, "the password or its verifier is in the log")
    true(inside("web1", "sh", "-c", "ls -A /tmp | grep tmp[.] || :", user="ubuntu") == "", "a temporary directory stayed")
    # With the new one in secrets.json the site works, and with no other.
    site = {"path": "/cnhome/secrets.json", "key": "DATABASE_PASSWORD"}
    expect(web("file.json", value=new, **site), "changed", "DATABASE_PASSWORD: another value")
    true(inside("web1", "stat", "-c", "%a %U", site["path"]) == "600 ubuntu\n", "mode and owner")
    expect(web("django.migrate", dir="/cnhome", venv="/srv/venv", settings="staging"), "ok")
    # A session that is logged in stays, unless it is to be ended.
    for disconnect in (False, True):
        inside("web1", "env", "DJANGO_SETTINGS_MODULE=config.settings.staging", "sh", "-c",
               "cd /cnhome && setsid -f /srv/venv/bin/python -c \"$1\" >/dev/null 2>&1; sleep 3", "sh",
               "import time, django\ndjango.setup()\nfrom django.db import connection\n"
               "connection.cursor().execute('SET application_name = stays')\ntime.sleep(30)", user="ubuntu")
        count = {"database": "coralnet", "query": "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'stays'"}
        expect(admin("postgres.query", **count), "ok", facts={"value": "2" if disconnect else "1"})
        expect(web("file.json", value=f"pw-{disconnect}", **site), "changed")
        expect(admin("postgres.password", user="coralnet", password=f"pw-{disconnect}", disconnect=disconnect), "changed")
        expect(admin("postgres.query", **count), "ok", facts={"value": "0" if disconnect else "1"})
    # What is not a refusal.
    expect(web("postgres.refuses", **{**where, "password": former, "database": "postgres"}), "failed", "no pg_hba.conf entry for host")
    expect(web("postgres.refuses", **{**where, "password": former, "host": "10.77.0.20"}, port=1), "failed", "it could not be tried on 10.77.0.20: Connection refused")
    expect(web("postgres.refuses", **{**where, "password": former, "host": "/run"}), "failed", "is not an address")
    inside("db1", "sh", "-c", "cp -p /etc/postgresql/15/main/pg_hba.conf /tmp/hba; echo 'host all all 10.77.0.0/24 trust' | "
           "cat - /tmp/hba > /etc/postgresql/15/main/pg_hba.conf; pg_ctlcluster 15 main reload; sleep 1")
    expect(web("postgres.refuses", password=former, **where), "failed", "asks for no password of coralnet here")
    inside("db1", "sh", "-c", "mv /tmp/hba /etc/postgresql/15/main/pg_hba.conf; pg_ctlcluster 15 main reload")
    # A role without a password, one that is not there, a password that cannot be one; who may not.
    inside("db1", "psql", "-qXc", "CREATE ROLE \"it's\" LOGIN", user="postgres")
    expect(admin("postgres.password", user="it's", password="x"), "changed", "a password for it's, which had none")
    expect(admin("postgres.password", user="it's", password="x"), "ok")
    inside("db1", "psql", "-qXc", "DROP ROLE \"it's\"", user="postgres")
    expect(admin("postgres.password", user="nobody", password="x"), "failed", "the server has no role 'nobody'")
    for bad in ("", "é", "a\nb"):
        expect(admin("postgres.password", user="coralnet", password=bad), "failed", "printable ASCII")
    ubuntu = harness.Place("db1", "ubuntu", shell).run
    expect(ubuntu("postgres.password", user="coralnet", password="x"), "failed", "run as the server's own user (as postgres)")
    inside("db1", "psql", "-qXc", f"ALTER ROLE coralnet PASSWORD '{former}'", "-c", "ALTER SYSTEM RESET log_statement",
           "-c", "SELECT pg_reload_conf()", user="postgres")

    # query
    ask = {"database": "coralnet"}
    expect(ubuntu("postgres.query", query="SELECT count(*) FROM django_migrations", **ask), "ok", "17", {"value": "17"})
    expect(ubuntu("postgres.query", query="SELECT E'a\\nb | c'", **ask), "ok", facts={"value": "a\nb | c"})
    expect(ubuntu("postgres.query", query="SELECT ''", **ask), "ok", facts={"value": ""})
    expect(ubuntu("postgres.query", query="SELECT 3", expect="3", **ask), "ok", "3")
    expect(ubuntu("postgres.query", query="SELECT 3", expect="4", **ask), "failed", "the answer is '3', not '4'")
    expect(ubuntu("postgres.query", query="SELECT 1, 2", **ask), "failed", "several columns")
    expect(ubuntu("postgres.query", query="VALUES (1), (2)", **ask), "failed", "several rows")
    expect(ubuntu("postgres.query", query="SELECT 1 WHERE false", **ask), "failed", "gives no row")
    expect(ubuntu("postgres.query", query="SELECT nope", **ask), "failed", "column \"nope\" does not exist")
    expect(ubuntu("postgres.query", query="DELETE FROM django_migrations", **ask), "failed", "read-only transaction")
    expect(ubuntu("postgres.query", query="\\! touch /tmp/run", **ask), "failed", "is not a statement")
    expect(ubuntu("postgres.query", database="nope", query="SELECT 1"), "failed", "database \"nope\" does not exist")

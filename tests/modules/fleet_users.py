"""Users and groups of the hosts, and owners of files."""
import harness
from fleet_checks import expect, inside, true


def users(shell):
    run = harness.Place("web1", "root", shell).run
    plain = harness.Place("web1", "ubuntu", shell).run
    inside("web1", "sh", "-c", "userdel -rf anna; userdel -rf robot; groupdel crew; groupdel anna; groupdel numbered")
    # group
    expect(plain("group.present", name="crew"), "failed", "write `as root`")
    expect(run("group.present", "check", name="crew"), "would_change", "make the group crew")
    expect(run("group.present", name="crew"), "changed", "make the group crew")
    expect(run("group.present", name="crew"), "ok")
    expect(plain("group.present", name="crew"), "ok")
    expect(run("group.present", name="numbered", gid=4711), "changed")
    expect(run("group.present", name="numbered", gid=4711), "ok")
    expect(run("group.present", name="crew", gid=4712), "failed", "change it by hand")
    expect(run("group.present", name="other", gid=4711), "failed", "4711 is the group numbered")
    expect(run("group.present", name="a:b"), "failed", "not the name of a group")
    # user
    anna = {"name": "anna", "groups": ["crew", "numbered"], "comment": "Anna A.", "shell": "/bin/dash"}
    expect(plain("user.present", **anna), "failed", "write `as root`")
    expect(run("user.present", "check", **anna), "would_change", "make the user anna")
    true(inside("web1", "getent", "passwd", "anna") == "", "a dry run made a user")
    expect(run("user.present", **anna), "changed", "make the user anna")
    expect(run("user.present", **anna), "ok")
    expect(run("user.present", name="anna"), "ok")
    entry = inside("web1", "getent", "passwd", "anna").strip().split(":")
    true(entry[4:] == ["Anna A.", "/home/anna", "/bin/dash"] and "crew numbered" in inside("web1", "id", "-Gn", "anna"), entry)
    true(inside("web1", "stat", "-c", "%U", "/home/anna") == "anna\n", "home")
    expect(run("user.present", name="anna", shell="/bin/bash", comment="Anna B.", group="crew", groups=["www-data"]), "changed",
           "group anna -> crew, shell /bin/dash -> /bin/bash, name 'Anna A.' -> 'Anna B.', add to www-data")
    true(inside("web1", "id", "-Gn", "anna") .split() == ["crew", "www-data", "numbered"], "groups")
    expect(run("user.present", name="anna", uid=1), "failed", "change it by hand")
    expect(run("user.present", name="anna", home="/srv/anna"), "failed", "move it by hand")
    expect(run("user.present", name="anna", groups=["nope"]), "failed", "there is no group nope")
    expect(run("user.present", name="anna", shell="/bin/nope"), "failed", "there is no /bin/nope")
    expect(run("user.present", name="new", uid=1000), "failed", "1000 is the user ubuntu")
    expect(run("user.present", name="robot", system=True, home="/srv/robot"), "changed")
    true(inside("web1", "getent", "passwd", "robot").strip().endswith(":/srv/robot:/usr/sbin/nologin"), "system")
    true(int(inside("web1", "id", "-u", "robot")) < 1000, "not a number of the system's")
    # owners of files
    expect(run("file.directory", path="/srv/t/a", owner="anna", group="crew", mode="2770"), "changed", "make /srv/t/a")
    expect(run("file.directory", path="/srv/t/a", owner="anna", group="crew", mode="2770"), "ok")
    true(inside("web1", "stat", "-c", "%a %U:%G", "/srv/t/a", "/srv/t") == "2770 anna:crew\n755 root:root\n", "owner")
    inside("web1", "sh", "-c", "cd /srv/t/a; echo x > f; chown anna f; mkdir d; ln -s /etc/passwd d/l")
    expect(run("file.mode", path="/srv/t/a", owner="ubuntu", group="ubuntu", recursive=True), "changed", "3 entries")
    expect(run("file.mode", path="/srv/t/a", owner="ubuntu", group="ubuntu", recursive=True), "ok")
    true(inside("web1", "stat", "-c", "%U", "/etc/passwd", "/srv/t/a/f") == "root\nubuntu\n", "a link was followed")
    expect(run("file.line", path="/srv/t/a/f", line="y"), "changed")
    true(inside("web1", "stat", "-c", "%U", "/srv/t/a/f") == "ubuntu\n", "the owner was not kept")
    expect(harness.Place("web1", "anna", shell).run("file.line", path="/srv/t/a/f", line="z"), "failed", "there is no file")
    expect(plain("file.line", path="/etc/hosts", line="z"), "failed", "ubuntu may not write into /etc")
    expect(plain("file.mode", path="/etc/hosts", mode="0666"), "failed", "may not change the mode")
    expect(plain("file.directory", path="/srv/t/b"), "failed", "ubuntu may not write into /srv/t")
    expect(plain("file.absent", path="/srv/t/a", recursive=True), "failed", "ubuntu may not write into /srv/t")
    expect(plain("file.link", path="/etc/l", to="/"), "failed", "ubuntu may not write into /etc")
    expect(run("file.absent", path="/srv/t", recursive=True), "changed")
    # away
    expect(plain("user.absent", name="anna"), "failed", "write `as root`")
    inside("web1", "sh", "-c", "setsid -f runuser -u anna -- sleep 30 >/dev/null 2>&1")
    expect(run("user.absent", name="anna"), "failed", "anna still runs sleep")
    inside("web1", "pkill", "-u", "anna")
    expect(run("user.absent", "check", name="anna"), "would_change", "/home/anna stays")
    expect(run("user.absent", name="anna", home=True), "changed", "remove the user anna, and /home/anna")
    expect(run("user.absent", name="anna"), "ok")
    true("anna" not in inside("web1", "ls", "/home"), "the home is there")
    expect(run("user.absent", name="robot"), "changed", "/srv/robot stays")
    expect(run("user.absent", name="root"), "failed", "root")
    inside("web1", "sh", "-c", "groupdel crew; groupdel numbered")

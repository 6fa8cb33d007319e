"""What the host runs at boot and at times: units, sites of nginx, cron, the kernel's parameters."""
import by_hand
import harness
from fleet_checks import expect, inside, true


def text_of(text, mode="644"):
    """As the engine renders a file."""
    return {"src": "files/x", "given": {"src_text": text, "src_mode": mode}}


def units(shell):
    run = harness.Place("web1", "root", shell).run
    plain = harness.Place("web1", "ubuntu", shell).run
    inside("web1", "sh", "-c", "systemctl stop own; rm -f /etc/systemd/system/own*; systemctl daemon-reload")
    unit = "[Service]\nExecStart=/bin/sleep 300\nEnvironment=\"A=it's %%\"\n[Install]\nWantedBy=multi-user.target\n"
    own = {"name": "own.service", **text_of(unit)}
    expect(plain("systemd.unit", **own), "failed", "write `as root`")
    expect(run("systemd.unit", "check", **own), "would_change", "place /etc/systemd/system/own.service")
    expect(run("systemd.unit", **own), "changed", "place /etc/systemd/system/own.service")
    expect(run("systemd.unit", **own), "ok")
    expect(run("service.start", name="own"), "changed")
    result = expect(run("systemd.unit", name="own.service", **text_of(unit.replace("300", "400"), "600")), "changed", "own.service: content")
    true("+ExecStart=/bin/sleep 400" in result.diff and inside("web1", "stat", "-c", "%a", "/etc/systemd/system/own.service") == "600\n", result.diff)
    true("/bin/sleep 400" in inside("web1", "systemctl", "cat", "own"), "systemd has not read it")
    inside("web1", "sh", "-c", "sleep 1; touch /etc/systemd/system/own.service; echo '# x' >> /etc/systemd/system/own.service")
    expect(run("systemd.unit", name="own.service", **text_of(unit.replace("300", "400") + "# x\n")), "changed", "have systemd read")
    expect(run("systemd.unit", name="own.service", **text_of("[Service]\nType=oneshot\n")), "failed", "systemd cannot load own.service, and the former file was put back")
    true("/bin/sleep 400" in inside("web1", "systemctl", "cat", "own"), "what was there is not back")
    expect(run("systemd.unit", name="own@.service", **text_of("[Service]\nExecStart=/bin/sleep %i\n")), "changed")
    expect(run("systemd.unit", name="own@.service", **text_of("[Service]\nExecStart=/bin/sleep %i\n")), "ok")
    expect(run("systemd.unit", name="own2.service", **text_of("nonsense")), "failed", "cannot load own2.service")
    true("own2" not in inside("web1", "ls", "-A", "/etc/systemd/system") and ".cnplay" not in inside("web1", "ls", "-A", "/etc/systemd/system"), "left behind")
    expect(run("systemd.unit", name="own", **text_of(unit)), "failed", "does not say its kind")
    expect(run("systemd.unit", name="../own.service", **text_of(unit)), "failed", "not the name of a unit")
    # enable
    expect(run("service.enable", "check", name="own"), "would_change", "enable own, which is disabled")
    expect(plain("service.enable", name="own"), "failed", "write `as root`")
    expect(run("service.enable", name="own"), "changed", "enable own")
    expect(run("service.enable", name="own"), "ok", "enabled")
    expect(run("service.enable", name="own", enabled=False), "changed", "disable own")
    expect(run("service.enable", name="own", enabled=False), "ok", "disabled")
    expect(run("service.enable", name="nope"), "failed", "no unit 'nope'")
    expect(run("service.enable", name="nope", enabled=False), "ok")
    expect(run("service.enable", name="systemd-journald", enabled=False), "failed", "is static")
    # reload
    expect(run("service.reload", "check", name="ssh"), "would_change", "reload ssh")
    expect(run("service.reload", name="ssh"), "changed", "reload ssh")
    expect(plain("service.reload", name="ssh"), "failed", "write `as root`")
    expect(run("service.reload", name="own"), "failed", "cannot reload")
    expect(run("service.reload", name="nope"), "failed", "no unit 'nope'")
    inside("web1", "sh", "-c", "systemctl stop own; rm -f /etc/systemd/system/own*; systemctl daemon-reload")


def nginx_site(shell):
    run = harness.Place("web1", "root", shell).run
    plain = harness.Place("web1", "ubuntu", shell).run

    def get(port):
        return inside("web1", "curl", "-s", "-m", "5", f"http://127.0.0.1:{port}/")

    def listing():
        return inside("web1", "sh", "-c", "cd /etc/nginx; ls -A . sites-*")

    before = listing()
    expect(plain("nginx.reload"), "failed", "needs root")
    expect(run("nginx.reload", "check"), "would_change", "reload nginx")
    expect(run("nginx.reload"), "changed", "reload nginx")
    site = "server { listen 8088; location / { return 200 'one $uri'; } }\n"
    expect(plain("nginx.site", name="own", **text_of(site)), "failed", "needs root")
    expect(run("nginx.site", "check", name="own", **text_of(site)), "would_change", "place /etc/nginx/sites-available/own, enable own")
    true(listing() == before, "a dry run wrote")
    expect(run("nginx.site", name="own", **text_of(site)), "changed", "place /etc/nginx/sites-available/own, enable own")
    true(get(8088) == "one /", get(8088))
    expect(run("nginx.site", name="own", **text_of(site)), "ok")
    result = expect(run("nginx.site", name="own", **text_of(site.replace("one", "two"))), "changed", "own: content")
    true("+server" in result.diff, result.diff)
    inside("web1", "sleep", "1")
    true(get(8088) == "two /", get(8088))
    inside("web1", "rm", "/etc/nginx/sites-enabled/own")
    expect(run("nginx.site", name="own", **text_of(site.replace("one", "two"))), "changed", "enable own")
    # refused: what was there is back
    after = listing()
    expect(run("nginx.site", name="own", **text_of("server { nonsense; }\n")), "failed", "the former file was put back: unknown directive \"nonsense\"")
    expect(run("nginx.site", name="other", **text_of("server { nonsense; }\n")), "failed", "the former file was put back: unknown directive \"nonsense\"")
    true(listing() == after and get(8088) == "two /", listing())
    expect(run("nginx.reload"), "changed")
    # a site that is broken already can be replaced, one beside it not
    inside("web1", "sh", "-c", "echo 'bad;' > /etc/nginx/sites-available/own")
    expect(run("nginx.reload"), "failed", "nothing is reloaded: unknown directive \"bad\"")
    expect(run("nginx.site", name="other", **text_of(site)), "failed", "before anything is changed")
    expect(run("nginx.site", name="own", **text_of(site)), "changed", "own: content")
    expect(run("nginx.site", name="../own", **text_of(site)), "failed", "not the name of a site")
    # a port that another holds is found by nginx itself alone, after the test
    inside("web1", "sh", "-c", "echo 'server { listen 22; }' > /etc/nginx/sites-enabled/port")
    expect(run("nginx.reload"), "failed", "nginx runs with its former configuration: bind() to 0.0.0.0:22 failed")
    inside("web1", "rm", "/etc/nginx/sites-enabled/port")
    inside("web1", "systemctl", "stop", "nginx")
    expect(run("nginx.reload"), "failed", "nginx does not run")
    inside("web1", "systemctl", "start", "nginx")


def cron(shell):
    run = harness.Place("web1", "root", shell).run
    plain = harness.Place("web1", "ubuntu", shell).run
    entry = {"name": "own", "schedule": "*/5 4 * * mon-fri", "user": "ubuntu", "command": "date +%F >> \"/tmp/it's\" # $(x) \\n"}
    inside("web1", "sh", "-c", "rm -f /etc/cron.d/own* /usr/local/sbin/cron")
    expect(run("cron.entry", **entry), "failed", "no cron on this host")
    # A stand-in: the hosts have no cron, and the modules only look for it.
    inside("web1", "sh", "-c", "ln -s /bin/true /usr/local/sbin/cron")
    expect(plain("cron.entry", **entry), "failed", "write `as root`")
    expect(run("cron.entry", "check", **entry), "would_change", "place /etc/cron.d/own: */5 4 * * mon-fri")
    true("own" not in inside("web1", "ls", "/etc/cron.d"), "a dry run wrote")
    expect(run("cron.entry", **entry), "changed", "place /etc/cron.d/own")
    expect(run("cron.entry", **entry), "ok")
    text = inside("web1", "cat", "/etc/cron.d/own")
    true(text == "# Written by cnplay (cron.entry).\n*/5 4 * * mon-fri ubuntu date +\\%F >> \"/tmp/it's\" # $(x) \\n\n", text)
    expect(run("cron.entry", **{**entry, "schedule": "@daily"}), "changed", "own: @daily")
    # paused, and changed meanwhile
    expect(plain("cron.pause", name="own"), "failed", "write `as root`")
    expect(run("cron.pause", "check", name="own"), "would_change", "pause own")
    expect(run("cron.pause", name="own"), "changed", "pause own")
    expect(run("cron.pause", name="own"), "ok", "paused already")
    expect(run("cron.entry", **entry), "changed", "own.paused: */5")
    expect(run("cron.entry", **entry), "ok")
    true(inside("web1", "sh", "-c", "ls /etc/cron.d | grep own") == "own.paused\n", "the entry is no longer paused")
    expect(run("cron.resume", "check", name="own"), "would_change", "resume own")
    expect(run("cron.resume", name="own"), "changed", "resume own")
    expect(run("cron.resume", name="own"), "ok", "not paused")
    expect(run("cron.entry", **entry), "ok")
    expect(run("cron.entry", name="own", present=False), "changed", "remove /etc/cron.d/own")
    expect(run("cron.entry", name="own", present=False), "ok")
    expect(run("cron.pause", name="own"), "failed", "there is no entry own")
    expect(run("cron.resume", name="own"), "failed", "there is no entry own")
    for wrong, message in (({"name": "a.b"}, "not the name of an entry"), ({"schedule": "1 2 3 4"}, "has 4 fields"), ({"schedule": "* * * * *;x"}, "not one of cron"),
                           ({"command": ""}, "none is given"), ({"command": "a\nb"}, "several lines"), ({"user": "nobody-here"}, "no user nobody-here")):
        expect(run("cron.entry", **{**entry, **wrong}), "failed", message)
    inside("web1", "rm", "/usr/local/sbin/cron")


def sysctl(shell):
    run = harness.Place("web1", "root", shell).run
    plain = harness.Place("web1", "ubuntu", shell).run
    key = "net.ipv4.ip_local_port_range"
    # The hosts' own /proc/sys can only be read.
    inside("web1", "sh", "-c", "mkdir -p /run/p && mount -t proc proc /run/p && mount --bind /run/p/sys/net /proc/sys/net")
    inside("web1", "sh", "-c", f"rm -f /etc/sysctl.d/60-* /etc/sysctl.d/70-*; sysctl -qw {key}='32768 60999' net.ipv4.ip_forward=0")
    expect(plain("sysctl.set", key=key, value="20000 60999"), "failed", "write `as root`")
    expect(run("sysctl.set", "check", key=key, value="20000  60999"), "would_change", f"{key}: 32768 60999 -> 20000 60999, also at the next boot")
    expect(run("sysctl.set", key=key, value="20000 60999"), "changed")
    expect(run("sysctl.set", key=key, value="20000 60999"), "ok")
    expect(run("sysctl.set", key="net.ipv4.ip_forward", value="1"), "changed")
    expect(run("sysctl.set", key=key, value="30000 60999"), "changed", "20000 60999 -> 30000 60999")
    text = inside("web1", "cat", "/etc/sysctl.d/60-cnplay.conf")
    true(text == f"net.ipv4.ip_forward = 1\n{key} = 30000 60999\n", text)
    inside("web1", "sysctl", "-qw", f"{key}=20000 60999")
    expect(run("sysctl.set", key=key, value="30000 60999"), "changed", "20000 60999 -> 30000 60999")
    # another file: an earlier one does not count, a later one does
    inside("web1", "sh", "-c", f"echo '{key}=1 2' > /etc/sysctl.d/10-x.conf")
    expect(run("sysctl.set", key=key, value="30000 60999"), "ok")
    inside("web1", "sh", "-c", f"echo ' {key.replace('.', '/')} = 1 2' > /etc/sysctl.d/70-x.conf")
    expect(run("sysctl.set", key=key, value="30000 60999"), "failed", "/etc/sysctl.d/70-x.conf sets")
    inside("web1", "sh", "-c", "rm /etc/sysctl.d/70-x.conf /etc/sysctl.d/10-x.conf")
    expect(run("sysctl.set", key="net.nope", value="1"), "failed", "has no parameter net.nope")
    expect(run("sysctl.set", key="net.ipv4.ip_forward", value="many"), "failed", "does not accept many")
    expect(run("sysctl.set", key="-w", value="1"), "failed", "not the name of a parameter")
    expect(run("sysctl.set", key=key, value=""), "failed", "not empty")
    inside("web1", "sh", "-c", f"rm -f /etc/sysctl.d/60-*; sysctl -qw {key}='32768 60999' net.ipv4.ip_forward=0")
    inside("web1", "sh", "-c", "umount /proc/sys/net; umount /run/p")


def units_by_hand(shell):
    """Their `commands`, as docs prints them: after them the module's own check says `ok`."""
    place = harness.Place("web1", "root", shell)

    def both(module, **values):
        by_hand.typed(place, module, **values)
        expect(place.run(module, "check", **values), "ok")

    by_hand.typed(place, "service.reload", name="ssh")
    by_hand.typed(place, "nginx.reload")
    for enabled in (True, False):
        both("service.enable", name="redis-server", enabled=enabled)
    for module, name, text in (("nginx.site", "own", "server { listen 8088; return 200 \"it's\"; }\n"),
                               ("systemd.unit", "own.service", "[Service]\nExecStart=/bin/echo \"it's %%\"\n")):
        by_hand.typed(place, module, beside={"own": text}, name=name, src="own")
        expect(place.run(module, "check", name=name, **text_of(text)), "ok")
    inside("web1", "sh", "-c", "rm -f /etc/systemd/system/own.service /etc/cron.d/own*; systemctl daemon-reload; ln -sf /bin/true /usr/local/sbin/cron")
    entry = {"name": "own", "schedule": "*/5 4 * * mon-fri", "user": "ubuntu", "command": "date +%F >> \"/tmp/it's\""}
    both("cron.entry", **entry)
    both("cron.pause", name="own")
    both("cron.resume", name="own")
    both("cron.entry", name="own", present=False)
    inside("web1", "sh", "-c", "rm /usr/local/sbin/cron; mkdir -p /run/p && mount -t proc proc /run/p && mount --bind /run/p/sys/net /proc/sys/net")
    both("sysctl.set", key="net.core.somaxconn", value="8192")
    inside("web1", "sh", "-c", "sysctl -qw net.core.somaxconn=4096; rm /etc/sysctl.d/60-cnplay.conf; umount /proc/sys/net; umount /run/p")


def sshd_second(shell):
    place = harness.Place("web1", "root", shell)
    run = place.run
    plain = harness.Place("web1", "ubuntu", shell).run
    inside("web1", "systemctl", "stop", "cnplay-sshd-1022")
    expect(plain("sshd.second", running=True), "failed", "write `as root`")
    expect(run("sshd.second", "check", running=True), "would_change", "run an sshd on port 1022")
    expect(run("sshd.second", running=True), "changed", "run an sshd on port 1022")
    expect(run("sshd.second", running=True), "ok")
    true(inside("web1", "sh", "-c", "timeout 2 bash -c 'head -c 8 </dev/tcp/127.0.0.1/1022'").startswith("SSH-2.0"), "no SSH server answers")
    expect(run("sshd.second", running=False), "changed", "stop the sshd on port 1022")
    expect(run("sshd.second", running=False), "ok")
    expect(run("sshd.second", running=True, port=22), "failed", "something else listens on 22")
    expect(run("sshd.second", running=True, port=0), "failed", "not one of")
    for running in (True, False):
        by_hand.typed(place, "sshd.second", running=running)
        inside("web1", "sleep", "1")
        expect(run("sshd.second", "check", running=running), "ok")
    inside("web1", "sh", "-c", "echo Nonsense yes > /etc/ssh/sshd_config.d/bad.conf")
    expect(run("sshd.second", running=True), "failed", "sshd refuses its configuration")
    inside("web1", "rm", "/etc/ssh/sshd_config.d/bad.conf")

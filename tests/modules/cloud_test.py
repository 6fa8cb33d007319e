#!/usr/bin/env python3
"""The modules of the clouds. AWS and Elastic Beanstalk: the vendor's own command-line tool talks to a stand-in of the
services (tests/support/cloud/aws_server.py) under dash; the other shells are given the same answers, and must ask the
same questions (tests/support/cloud/tape.py). Heroku, Zappa and eb: stand-ins of the commands, which check the arguments.
Twilio, Mailgun, Pingdom and Heroku's variables: curl against a stand-in of the HTTP API.

usage: cloud_test.py [--only PART]... [SHELL...]   CNPLAY is the binary, by default build/release/cnplay
"""
import argparse
import base64
import http.server
import json
import os
import sys
import tempfile
import threading
import time
import traceback
import urllib.parse
from pathlib import Path

import by_hand
import checks
import harness
import playfile
from checks import commit, expect, git, true

sys.path.insert(0, str(playfile.ROOT / "tests/support/cloud"))
import aws_server  # noqa: E402  (it is found by the line above)

SHELLS = ["dash", "bash", "busybox sh", "mksh"]
NOW = {"poll": 0}


class Scene:
    """What one shell meets: the services in their first state, and the tools."""

    def __init__(self, top, shell, tape):
        self.top, self.real = top, shell == SHELLS[0]
        self.bin = top / "bin"
        self.bin.mkdir(parents=True)
        support = playfile.ROOT / "tests/support/cloud"
        (self.bin / "aws").symlink_to(support / "tape.py")
        for name in ("eb", "heroku", "zappa"):
            (self.bin / name).symlink_to(support / "tools.py")
        self.state = top / "state.json"
        self.state.write_text(json.dumps({"calls": [], "heroku": {
            "cmr": {"config": {"A": "1"}, "ps": {"web": 2, "clock": 1}, "maintenance": "off"}}, "zappa": {}, "codes": {}}))
        home = top / "home"
        home.mkdir()
        self.cloud = aws_server.Cloud()
        self.server = aws_server.start(self.cloud) if self.real else None
        env = {"HOME": str(home), "PATH": f"{self.bin}:/usr/sbin:/usr/bin:/sbin:/bin", "CLOUD_TAPE": str(tape), "CLOUD_STATE": str(self.state),
               "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1",
               "AWS_EC2_METADATA_DISABLED": "true", "AWS_PAGER": "", "AWS_MAX_ATTEMPTS": "3", "http_proxy": "", "TMPDIR": str(top)}
        if self.real:
            env["CLOUD_URL"] = f"http://127.0.0.1:{self.server.server_port}"
        checks.place = harness.Place(shell=shell, env=env, path=str(self.bin))
        (Path(f"{tape}.at")).unlink(missing_ok=True)

    def held(self, condition, what):
        """Of the services' state, which only the shell with the real tool changes."""
        if self.real:
            true(condition(), what)

    def fault(self, *fault):
        self.cloud.faults.append(fault)

    def change_state(self, change):
        state = json.loads(self.state.read_text())
        change(state)
        self.state.write_text(json.dumps(state))

    def calls(self):
        return json.loads(self.state.read_text())["calls"]


def test_databases(scene):
    run, cloud = checks.place.run, scene.cloud
    cloud.databases["blue"] = {"status": "available", "class": "db.t3.medium", "public": True, "password": "old"}
    expect(run("aws.rds_snapshot", "check", instance="blue", snapshot="s1"), "would_change", "take s1 of blue")
    scene.held(lambda: not cloud.snapshots, "a dry run took a snapshot")
    scene.fault("CreateDBSnapshot", "Throttling", "Rate exceeded", 400)  # the tool itself tries again
    result = expect(run("aws.rds_snapshot", instance="blue", snapshot="s1", **NOW), "changed", "take s1 of blue")
    true("s1: 40 %" in result.output, f"progress: {result.output}")
    expect(run("aws.rds_snapshot", instance="blue", snapshot="s1"), "ok", "s1 is available")
    expect(run("aws.rds_snapshot", "check", instance="blu", snapshot="s2"), "failed", "DBInstance blu not found")
    for _ in range(3):
        scene.fault("DescribeDBSnapshots", "Throttling", "Rate exceeded", 400)
    expect(run("aws.rds_snapshot", "check", instance="blue", snapshot="s1"), "failed", "(Throttling) when calling the DescribeDBSnapshots operation")
    scene.fault("*", "AccessDenied", "User: ann is not authorized", 403)
    expect(run("aws.rds_snapshot", "check", instance="blue", snapshot="s1"), "failed", "(AccessDenied) when calling the DescribeDBSnapshots operation")

    green = {"snapshot": "s1", "instance": "green", "size": "db.t3.small"}
    expect(run("aws.rds_restore", "check", **green), "would_change", "build green (db.t3.small) from s1")
    result = expect(run("aws.rds_restore", **green, **NOW), "changed")
    true("green: creating" in result.output or not scene.real, f"progress: {result.output}")
    expect(run("aws.rds_restore", **green), "ok", "green is available")
    expect(run("aws.rds_restore", "check", **{**green, "size": "db.m5.large"}), "failed", "green exists as a db.t3.small")
    expect(run("aws.rds_restore", **{**green, "snapshot": "none", "instance": "other"}, **NOW), "failed", "AWS refuses to build other from none")
    result = expect(run("aws.rds_instance", instance="green"), "ok", "green.cluster.rds.example")
    true(result.facts == {"endpoint": "green.cluster.rds.example", "size": "db.t3.small", "public": "false"}, f"{result.facts}")
    expect(run("aws.rds_instance", instance="none"), "failed", "DBInstance none not found")

    expect(run("aws.rds_modify", "check", instance="blue", public=False), "would_change", "blue: public address true -> false")
    result = expect(run("aws.rds_modify", instance="blue", public=False, size="db.t3.large", **NOW), "changed", "class db.t3.medium -> db.t3.large, public address")
    true(result.facts == {"was_size": "db.t3.medium", "was_public": "true"}, f"{result.facts}")
    scene.held(lambda: not cloud.databases["blue"]["public"] and cloud.databases["blue"]["class"] == "db.t3.large", "blue is as before")
    expect(run("aws.rds_modify", instance="blue", public=False, size="db.t3.large"), "ok")
    result = expect(run("aws.rds_modify", instance="blue", password='new "one" \\ $x', **NOW), "changed", "blue: the master password")
    scene.held(lambda: cloud.databases["blue"]["password"] == 'new "one" \\ $x', "another password")
    true("new" not in result.output + result.errors + result.message, "the password is in the output")
    expect(run("aws.rds_modify", instance="none", public=True), "failed", "DBInstance none not found")

    expect(run("aws.rds_delete", "check", instance="blue", final_snapshot="blue-final"), "would_change", "delete blue, which is available")
    expect(run("aws.rds_delete", instance="blue", final_snapshot="blue-final", **NOW), "changed")
    scene.held(lambda: "blue" not in cloud.databases and cloud.snapshots["blue-final"] == "blue", "blue is there, or its last snapshot is not")
    expect(run("aws.rds_delete", instance="blue", final_snapshot="blue-final"), "ok", "blue is gone")
    scene.fault("DescribeDBInstances", "AccessDenied", "no", 403)
    expect(run("aws.rds_delete", "check", instance="green", final_snapshot="f"), "failed", "(AccessDenied)")


def test_buckets(scene):
    run, cloud = checks.place.run, scene.cloud
    cloud.buckets["old"] = {"encryption": "", "objects": {"a.pdf": b"1", "sub/b.pdf": b"22"}}
    cloud.buckets["new"] = {"encryption": "", "objects": {"gone.pdf": b"3"}}
    copy = {"from": "s3://old", "to": "s3://new"}
    result = expect(run("aws.s3_sync", "check", **copy), "would_change", "2 files from s3://old to s3://new")
    true("s3://old/a.pdf to s3://new/a.pdf" in result.diff, result.diff)
    scene.held(lambda: set(cloud.buckets["new"]["objects"]) == {"gone.pdf"}, "a dry run copied")
    expect(run("aws.s3_sync", **copy), "changed", "2 files")
    scene.held(lambda: cloud.buckets["new"]["objects"]["sub/b.pdf"] == b"22", "the copy differs")
    expect(run("aws.s3_sync", **copy), "ok", "nothing new")
    expect(run("aws.s3_sync", **copy, delete=True), "changed", "1 file from")
    scene.held(lambda: "gone.pdf" not in cloud.buckets["new"]["objects"], "what is not in `from` is still there")
    expect(run("aws.s3_sync", "check", **{**copy, "from": "s3://none"}), "failed", "(NoSuchBucket)")
    expect(run("aws.s3_sync", "check", **{**copy, "from": "/nowhere"}), "failed", "there is no directory /nowhere")
    expect(run("aws.s3_encryption", "check", bucket="new"), "would_change", "new: encryption none -> AES256")
    expect(run("aws.s3_encryption", bucket="new"), "changed")
    expect(run("aws.s3_encryption", bucket="new"), "ok", "AES256")
    expect(run("aws.s3_encryption", bucket="new", kms=True), "changed", "AES256 -> aws:kms")
    scene.held(lambda: cloud.buckets["new"]["encryption"] == "aws:kms", "not encrypted")
    expect(run("aws.s3_encryption", "check", bucket="none"), "failed", "(NoSuchBucket)")


def test_machines(scene):
    run, cloud = checks.place.run, scene.cloud
    cloud.instances.update({"i-1": {"state": "running", "boots": 0}, "i-2": {"state": "stopped", "boots": 0}})
    cloud.groups["sg-1"] = {("tcp", "22", "0.0.0.0/0"), ("tcp", "443", "0.0.0.0/0")}
    expect(run("aws.ec2_reboot", "check", instance="i-1"), "would_change", "reboot i-1")
    expect(run("aws.ec2_reboot", instance="i-1", **NOW), "changed")
    scene.held(lambda: cloud.instances["i-1"]["boots"] == 1, "rebooted another number of times")
    expect(run("aws.ec2_reboot", "check", instance="i-2"), "failed", "i-2 is stopped: start it first")
    expect(run("aws.ec2_reboot", "check", instance="i-3"), "failed", "(InvalidInstanceID.NotFound)")
    ssh = {"group": "sg-1", "port": 22, "cidr": "0.0.0.0/0"}
    expect(run("aws.security_group", "check", **ssh, open=True), "ok")
    expect(run("aws.security_group", "check", **ssh, open=False), "would_change", "close port 22 (tcp) of sg-1 for 0.0.0.0/0")
    result = expect(run("aws.security_group", **ssh, open=False), "changed")
    true(result.facts == {"was_open": "true"}, f"{result.facts}")
    expect(run("aws.security_group", **ssh, open=False), "ok")
    expect(run("aws.security_group", **{**ssh, "cidr": "198.51.100.0/24"}, open=True), "changed", "open port 22")
    scene.held(lambda: cloud.groups["sg-1"] == {("tcp", "22", "198.51.100.0/24"), ("tcp", "443", "0.0.0.0/0")}, f"{cloud.groups}")
    expect(run("aws.security_group", "check", **{**ssh, "group": "sg-9"}, open=True), "failed", "(InvalidGroup.NotFound)")
    expect(run("aws.security_group", "check", **{**ssh, "cidr": "any'"}, open=True), "failed", "not a range of addresses")


def test_keys(scene):
    run, cloud, file = checks.place.run, scene.cloud, scene.top / "key.json"
    cloud.keys["media"] = {"AKIAOLDOLDOLDOLD": {"status": "Active", "secret": "x"}}
    expect(run("aws.iam_rotate_key", "check", user="media", file=file), "would_change", "a new key of media")
    true(not file.exists(), "a dry run wrote")
    result = expect(run("aws.iam_rotate_key", user="media", file=file), "changed")
    new = json.loads(file.read_text())["AccessKey"]
    true(file.stat().st_mode & 0o777 == 0o600, "others can read the key")
    true(new["SecretAccessKey"] not in result.output + result.errors + str(result.facts), "the secret is in the output")
    expect(run("aws.iam_rotate_key", user="media", file=file), "ok", new["AccessKeyId"])
    expect(run("aws.iam_rotate_key", "check", user="media", file=scene.top / "second"), "failed", "media has two keys already")
    (scene.top / "foreign").write_text("{}")
    expect(run("aws.iam_rotate_key", "check", user="media", file=scene.top / "foreign"), "failed", "holds no active key of media")
    old = {"user": "media", "key": "AKIAOLDOLDOLDOLD"}
    expect(run("aws.iam_disable_key", "check", **old), "would_change", "deactivate AKIAOLDOLDOLDOLD")
    expect(run("aws.iam_disable_key", **old), "changed")
    expect(run("aws.iam_disable_key", **old), "ok", "AKIAOLDOLDOLDOLD is inactive")
    expect(run("aws.iam_disable_key", **old, delete=True), "changed", "delete AKIAOLDOLDOLDOLD of media")
    scene.held(lambda: list(cloud.keys["media"]) == [new["AccessKeyId"]], "the old key is there")
    expect(run("aws.iam_disable_key", **old), "ok", "AKIAOLDOLDOLDOLD is gone")
    expect(run("aws.iam_disable_key", "check", user="nobody", key="AKIAOLDOLDOLDOLD"), "failed", "(NoSuchEntity)")


def test_names(scene):
    run, cloud = checks.place.run, scene.cloud
    cloud.zones["Z1"] = {("www.x.org.", "CNAME"): (60, ["blue.x.org"]), ("x.org.", "A"): (60, ["192.0.2.1", "192.0.2.2"])}
    www = {"zone": "Z1", "name": "www.x.org", "value": "green.x.org"}
    expect(run("aws.route53_record", "check", **www), "would_change", "www.x.org CNAME: blue.x.org -> green.x.org")
    result = expect(run("aws.route53_record", **www, **NOW), "changed")
    true(result.facts == {"was": "blue.x.org"} and "www.x.org: PENDING" in result.output, f"{result.facts} {result.output}")
    scene.held(lambda: cloud.zones["Z1"]["www.x.org.", "CNAME"] == (60, ["green.x.org"]), f"{cloud.zones}")
    expect(run("aws.route53_record", **www), "ok", "green.x.org")
    expect(run("aws.route53_record", **{**www, "value": ""}, **NOW), "changed", "green.x.org -> none")
    scene.held(lambda: ("www.x.org.", "CNAME") not in cloud.zones["Z1"], "the record is there")
    expect(run("aws.route53_record", **{**www, "value": ""}), "ok", "there is none")
    alias = {"zone": "Z1", "name": "y.org", "value": "green.y.org", "alias_zone": "Z2ABC"}
    expect(run("aws.route53_record", **alias, **NOW), "changed", "y.org A: none -> green.y.org")
    scene.held(lambda: cloud.zones["Z1"]["y.org.", "A"] == ("alias of Z2ABC", ["green.y.org."]), f"{cloud.zones}")
    expect(run("aws.route53_record", **alias), "ok", "green.y.org")
    expect(run("aws.route53_record", **{**alias, "value": ""}, **NOW), "changed", "green.y.org. -> none")
    scene.held(lambda: ("y.org.", "A") not in cloud.zones["Z1"], "the alias is there")
    expect(run("aws.route53_record", "check", zone="Z1", name="x.org", type="A", value="192.0.2.3"), "failed", "has several values")
    expect(run("aws.route53_record", "check", **{**www, "zone": "Z9"}), "failed", "(NoSuchHostedZone)")
    expect(run("aws.route53_record", "check", **{**www, "value": 'a"b'}), "failed", "quotes")


def test_environments(scene):
    run, cloud = checks.place.run, scene.cloud
    space, group = "aws:elasticbeanstalk:application:environment", "aws:autoscaling:asg"
    cloud.environments["blue"] = {"status": "Ready", "version": "v1", "options": {
        (space, "MODE"): "OFF", (space, "STRIPE"): "sk_live", (group, "MinSize"): "2", (group, "MaxSize"): "2"}}
    of = {"application": "cobalt", "name": "blue"}
    result = expect(run("eb.environment", name="blue"), "ok", "Green blue.elasticbeanstalk.example")
    true(result.facts["cname"] == "blue.elasticbeanstalk.example", f"{result.facts}")
    expect(run("eb.environment", name="none"), "failed", "there is no environment none")
    expect(run("eb.deploy", "check", name="blue", version="v2"), "would_change", "blue: v1 -> v2")
    expect(run("eb.deploy", name="blue", version="v2", **NOW), "changed")
    scene.held(lambda: cloud.environments["blue"]["version"] == "v2", "another version")
    result = expect(run("eb.deploy", name="blue", version="v2"), "ok", "v2")
    true(result.facts == {"was": "v2"}, f"{result.facts}")
    expect(run("eb.deploy", "check", name="none", version="v2"), "failed", "there is no environment none")
    close = {"values": {"MODE": "ON", "TEXT": 'a "b" c'}, "remove": ["STRIPE", "NEVER"]}
    expect(run("eb.setenv", "check", **of, **close), "would_change", 'blue: MODE=ON, TEXT=a "b" c, without STRIPE')
    result = expect(run("eb.setenv", **of, **close, **NOW), "changed")
    true(result.facts["was"] == "MODE=OFF\nTEXT=", f"{result.facts}")
    scene.held(lambda: {key[1]: value for key, value in cloud.environments["blue"]["options"].items() if key[0] == space}
               == {"MODE": "ON", "TEXT": 'a "b" c'}, f"{cloud.environments}")
    expect(run("eb.setenv", **of, **close), "ok")
    secret = {"secret_name": "STRIPE", "secret_value": 'sk "1"'}
    result = expect(run("eb.setenv", **of, **secret, **NOW), "changed", "blue: STRIPE (secret)")
    true("sk " not in result.output + result.errors + result.message + str(result.facts), "the secret is in the output")
    scene.held(lambda: cloud.environments["blue"]["options"][space, "STRIPE"] == 'sk "1"', "another secret")
    expect(run("eb.setenv", **of, **secret), "ok")
    expect(run("eb.setenv", **of, restore=["MODE=OFF", "TEXT="], **NOW), "changed", "blue: MODE=OFF, without TEXT")
    scene.held(lambda: (space, "TEXT") not in cloud.environments["blue"]["options"], "TEXT is there")
    expect(run("eb.setenv", "check", **of, values={"a b": "1"}), "failed", "'a b' is not the name of a variable")
    expect(run("eb.setenv", "check", application="cobalt", name="none", values={"A": "1"}), "failed", "No Environment found")

    result = expect(run("eb.scale", **of, instances=1, **NOW), "changed", "blue: 2 -> 1 instances")
    true(result.facts == {"was": "2"}, f"{result.facts}")
    expect(run("eb.scale", **of, instances=1), "ok", "1")
    expect(run("eb.scale", "check", **of, instances=0), "failed", "1 or more")
    expect(run("eb.terminate", "check", name="blue"), "would_change", "terminate blue, which is Ready")
    expect(run("eb.terminate", name="blue", **NOW), "changed")
    scene.held(lambda: cloud.environments["blue"]["status"] == "Terminated", "it is there")
    expect(run("eb.terminate", name="blue"), "ok", "blue is gone")


def test_eb_run(scene):
    run = checks.place.run
    expect(run("eb.run", name="green", command=["python", "manage.py", "migrate", "it's $HOME"], values={"RDS": "a b"}), "changed")
    line = "cd '/var/app/current' && . /var/app/venv/*/bin/activate && RDS='a b' 'python' 'manage.py' 'migrate' 'it'\\''s $HOME'"
    true(scene.calls()[-1] == ["eb", "ssh", "green", "--command", line], f"{scene.calls()[-1]}")
    scene.change_state(lambda state: state["codes"].update(eb=3))
    expect(run("eb.run", name="green", command=["false"], venv=""), "failed", "false failed in green: exit code 3")
    expect(run("eb.run", name="green", command=["x"], venv="$(id)"), "failed", "holds what a path has not")


def test_heroku(scene, api):
    run = checks.place.run
    # What the API is told, the command knows afterwards.
    api.told = lambda path, body: scene.change_state(lambda state: state["heroku"]["cmr"]["config"].update(json.loads(body)))
    value = 'postgres://u:p "x" \\@h/d'
    config = {"app": "cmr", "name": "DATABASE_URL", "value": value, "api": api.url}
    expect(run("heroku.config", "check", **config), "would_change", "cmr: DATABASE_URL")
    result = expect(run("heroku.config", **config), "changed")
    true(value not in result.output + result.errors + result.message, "the value is in the output")
    true(all(value not in " ".join(call) for call in scene.calls()), "the value is in the arguments of a process")
    true(api.seen[-1][:2] == ("PATCH", "/apps/cmr/config-vars") and api.seen[-1][3] == "Bearer token-of-heroku", f"{api.seen[-1]}")
    expect(run("heroku.config", **config), "ok")
    expect(run("heroku.config", "check", **{**config, "app": "none"}), "failed", "")
    api.answer = 403, '{"id": "forbidden"}'
    expect(run("heroku.config", **{**config, "name": "B"}), "failed", "HTTP 403")
    api.answer = None
    expect(run("heroku.scale", "check", app="cmr", process="clock", count=0), "would_change", "cmr: clock 1 -> 0")
    result = expect(run("heroku.scale", app="cmr", process="clock", count=0), "changed")
    true(result.facts == {"was": "1"}, f"{result.facts}")
    expect(run("heroku.scale", app="cmr", process="clock", count=0), "ok")
    expect(run("heroku.scale", "check", app="cmr", process="clok", count=0), "failed", "no process type clok")
    expect(run("heroku.maintenance", "check", app="cmr", on=True), "would_change", "maintenance off -> on")
    expect(run("heroku.maintenance", app="cmr", on=True), "changed")
    expect(run("heroku.maintenance", app="cmr", on=True), "ok")
    expect(run("heroku.maintenance", app="cmr", on=False), "changed", "maintenance on -> off")


def test_zappa(scene):
    run, checkout = checks.place.run, scene.top / "check out"
    checkout.mkdir()
    git(checkout, "init", "-q")
    commit(checkout, "first", zappa_settings__json="{}")
    deploy = {"dir": checkout, "stage": "production"}
    expect(run("zappa.deploy", "check", **deploy), "would_change", "to production, which is new")
    expect(run("zappa.deploy", **deploy), "changed", "deploy ")
    true([call for call in scene.calls() if call[1] == "deploy"] == [["zappa", "deploy", "production"]], f"{scene.calls()}")
    expect(run("zappa.deploy", **deploy), "ok")
    commit(checkout, "second", other="x")
    expect(run("zappa.deploy", **deploy), "changed", "update production: ")
    (checkout / "other").write_text("y")
    expect(run("zappa.deploy", "check", **deploy), "failed", "changes that are not committed")
    expect(run("zappa.deploy", "check", dir=scene.top, stage="x"), "failed", "no zappa_settings.json")
    expect(run("zappa.manage", dir=checkout, stage="production", command="migrate --noinput"), "changed")
    true(scene.calls()[-1] == ["zappa", "manage", "production", "migrate --noinput"], f"{scene.calls()[-1]}")
    expect(run("zappa.manage", dir=checkout, stage="production", command="--x"), "failed", "not a command of Django")


class Api:
    """A stand-in of an HTTP API: keeps what it is asked, answers from `pages`, or with `answer`."""

    def __init__(self):
        self.seen, self.pages, self.answer, self.told = [], {}, None, None
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def serve(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                api.seen.append((self.command, self.path, body, self.headers.get("Authorization", "")))
                if self.command != "GET" and api.told and not api.answer:
                    api.told(self.path, body)
                status, text = api.answer or api.pages.get(self.path, (200, "{}"))
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            do_GET = do_POST = do_PUT = do_PATCH = serve

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"


def secret_hidden(result, secret):
    true(secret not in result.output + result.errors + result.message + str(result.facts), "the secret is in the output")


def test_webhooks(scene, api):
    run = checks.place.run
    # Twilio
    page = "/2010-04-01/Accounts/AC1/IncomingPhoneNumbers/PN1.json"
    api.pages[page] = 200, json.dumps({"sms_url": "https://old.example/sms", "voice_url": ""})

    def twilio(path, body):
        form = {key: values[0] for key, values in urllib.parse.parse_qs(body).items()}
        api.pages[path] = 200, json.dumps({"sms_url": form.get("SmsUrl", ""), "voice_url": form.get("VoiceUrl", "")})

    api.told = twilio
    sms = {"account": "AC1", "number": "PN1", "kind": "sms", "url": "https://new.example/sms?a=1&b=2", "token": "t0ken", "api": api.url}
    expect(run("twilio.webhook", "check", **sms), "would_change", "PN1 sms: https://old.example/sms -> https://new.example/sms")
    result = expect(run("twilio.webhook", **sms), "changed")
    true(result.facts == {"was": "https://old.example/sms"}, f"{result.facts}")
    true(api.seen[-1][3] == "Basic " + base64.b64encode(b"AC1:t0ken").decode(), f"{api.seen[-1]}")
    secret_hidden(result, "t0ken")
    expect(run("twilio.webhook", **sms), "ok")
    api.answer = 401, '{"message": "Authenticate"}'
    expect(run("twilio.webhook", "check", **sms), "failed", "Twilio refuses: HTTP 401: Authenticate")
    api.answer = 200, "<html>"
    expect(run("twilio.webhook", "check", **sms), "failed", "the answer of Twilio cannot be read")
    api.answer = None
    expect(run("twilio.webhook", "check", **{**sms, "api": "http://127.0.0.1:1"}), "failed", "Twilio does not answer: Failed to connect")
    expect(run("twilio.webhook", "check", **{**sms, "url": "http://x"}), "failed", "not an https:// address")

    # Mailgun
    page = "/v3/domains/mg.example/webhooks/permanent_fail"
    api.pages[page] = 404, '{"message": "Webhook not found"}'

    def mailgun(_, body):
        url = body.split('name="url"\r\n\r\n')[1].split("\r\n")[0]
        api.pages[page] = 200, json.dumps({"webhook": {"urls": [url]}})

    api.told = mailgun
    bounce = {"domain": "mg.example", "event": "permanent_fail", "url": "https://new.example/bounce", "key": "k3y", "api": api.url}
    expect(run("mailgun.webhook", "check", **bounce), "would_change", "none -> https://new.example/bounce")
    result = expect(run("mailgun.webhook", **bounce), "changed")
    secret_hidden(result, "k3y")
    true([one[0] for one in api.seen if "webhooks" in one[1] and one[0] != "GET"] == ["POST"], "made otherwise than by POST")
    expect(run("mailgun.webhook", **bounce), "ok")
    expect(run("mailgun.webhook", **{**bounce, "url": "https://other.example"}), "changed", "https://new.example/bounce -> https://other.example")
    true(api.seen[-2][0] == "PUT" and api.seen[-2][1] == page, f"{api.seen[-2]}")
    api.answer = 401, "Invalid private key"
    expect(run("mailgun.webhook", "check", **bounce), "failed", "Mailgun refuses: HTTP 401: Invalid private key")
    api.answer = None

    # Pingdom
    page = "/api/3.1/checks/7"
    api.pages[page] = 200, json.dumps({"check": {"id": 7, "name": "CoralNet", "status": "up"}})

    def pingdom(path, body):
        status = "paused" if body == "paused=true" else "up"
        api.pages[path] = 200, json.dumps({"check": {"id": 7, "name": "CoralNet", "status": status}})

    api.told = pingdom
    pause = {"id": 7, "paused": True, "token": "p1ng", "api": api.url}
    expect(run("pingdom.check", "check", **pause), "would_change", "CoralNet: paused")
    result = expect(run("pingdom.check", **pause), "changed")
    true(result.facts == {"was_paused": "false"} and api.seen[-1][3] == "Bearer p1ng", f"{result.facts} {api.seen[-1]}")
    secret_hidden(result, "p1ng")
    expect(run("pingdom.check", **pause), "ok")
    expect(run("pingdom.check", **{**pause, "paused": False}), "changed", "CoralNet: runs again")
    api.answer = 403, '{"error": {"errormessage": "Invalid check identifier"}}'
    expect(run("pingdom.check", "check", **pause), "failed", "Pingdom refuses: HTTP 403: Invalid check identifier")
    api.answer = None


def test_by_hand(scene):
    """What `cnplay docs` prints, pasted into the shell; then the module's own check must say ok."""
    place, run, cloud = checks.place, checks.place.run, scene.cloud
    cloud.delay = 0  # `aws rds wait` asks every 30 s
    cloud.databases["red"] = {"status": "available", "class": "db.t3.medium", "public": False, "password": "old"}
    cloud.buckets.update({"from": {"encryption": "", "objects": {"a": b"1"}}, "to": {"encryption": "", "objects": {}}})
    cloud.groups["sg-2"] = set()
    cloud.keys["deploy"] = {"AKIAONEONEONEONE": {"status": "Active", "secret": "x"}}
    cloud.zones["Z2"] = {}
    for module, values in (
            ("aws.rds_snapshot", {"instance": "red", "snapshot": "s9"}),
            ("aws.rds_restore", {"snapshot": "s9", "instance": "pink", "size": "db.t3.small"}),
            ("aws.rds_modify", {"instance": "pink", "size": "db.t3.large"}),
            ("aws.rds_delete", {"instance": "red", "final_snapshot": "red-final"}),
            ("aws.s3_sync", {"from": "s3://from", "to": "s3://to"}),
            ("aws.s3_encryption", {"bucket": "to"}),
            ("aws.security_group", {"group": "sg-2", "port": 443, "cidr": "0.0.0.0/0", "open": True}),
            ("aws.iam_rotate_key", {"user": "deploy", "file": scene.top / "by hand.json"}),
            ("aws.iam_disable_key", {"user": "deploy", "key": "AKIAONEONEONEONE"}),
            ("aws.route53_record", {"zone": "Z2", "name": "www.y.org", "value": "green.y.org"})):
        by_hand.typed(place, module, set_=None, **values)
        expect(run(module, "check", **values), "ok", what=f"{module} by hand")


PARTS = {"databases": test_databases, "buckets": test_buckets, "machines": test_machines, "keys": test_keys, "names": test_names,
         "environments": test_environments, "eb_run": test_eb_run, "heroku": test_heroku, "zappa": test_zappa,
         "webhooks": test_webhooks, "by_hand": test_by_hand}


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--only", action="append", choices=PARTS)
    parser.add_argument("shells", nargs="*")
    options = parser.parse_args()
    api = Api()
    with tempfile.TemporaryDirectory(prefix="cnplay cloud ") as temp:
        os.chdir(temp)
        for shell in options.shells or SHELLS:
            begun = time.monotonic()
            for name in options.only or PARTS:
                api.pages.clear()
                api.seen.clear()
                scene = Scene(Path(temp) / shell.split()[0] / name, shell, Path(temp) / f"{name}.tape")
                try:
                    PARTS[name](scene, *[api] if name in ("heroku", "webhooks") else [])
                except (LookupError, OSError, RuntimeError):
                    checks.problems.append(f"{shell}: {name}: {traceback.format_exc()}")
                if scene.server:
                    scene.server.shutdown()
                    scene.server.server_close()
            print(f"{shell}: {time.monotonic() - begun:.1f} s")
    return checks.report()


if __name__ == "__main__":
    sys.exit(main())

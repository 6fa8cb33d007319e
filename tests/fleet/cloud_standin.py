#!/usr/bin/env python3
"""A stand-in for `aws`, `heroku` and `zappa`, by whichever name it is called: it keeps their state in /var/tmp/cloud and
writes each call that changes something into `calls`. What it is not prepared for fails."""
import json
import os
import re
import sys

HOME = "/var/tmp/cloud"
STATE = HOME + "/state.json"
FRESH = {
    "snapshots": {}, "encrypted": [], "copied": False, "public": True, "ports": ["5432"], "instances": [],
    "names": {}, "processes": {"web": 2, "clock": 1}, "maintenance": "off", "deployed": False,
}


def main():
    tool, words = os.path.basename(sys.argv[0]), sys.argv[1:]
    os.makedirs(HOME, exist_ok=True)
    state = json.load(open(STATE)) if os.path.exists(STATE) else dict(FRESH)

    def option(name):
        return words[words.index(name) + 1]

    def called():
        with open(HOME + "/calls", "a", encoding="utf-8") as file:
            print(tool, *words, file=file)

    def fail(text):
        sys.exit(f"{tool}: {text}")

    def instance():
        return option("--db-instance-identifier")

    what = " ".join(words[:2]) if tool == "aws" else words[0]
    if os.path.exists(f"{HOME}/fails") and open(f"{HOME}/fails", encoding="utf-8").read().strip() == what:
        fail("An error occurred (InternalFailure)")
    match tool, what:
        case "aws", "rds create-db-snapshot":
            state["snapshots"][option("--db-snapshot-identifier")] = instance()
        case "aws", "rds describe-db-snapshots":
            if option("--db-snapshot-identifier") not in state["snapshots"]:
                fail("An error occurred (DBSnapshotNotFound)")
            return print("available")
        case "aws", "rds wait":
            return None
        case "aws", "rds modify-db-instance":
            state["public"] = "--publicly-accessible" in words
        case "aws", "rds describe-db-instances":
            if "PubliclyAccessible" in option("--query"):
                return print(state["public"])
            if instance() not in state["instances"]:
                fail("An error occurred (DBInstanceNotFound)")
            return print("available")
        case "aws", "rds restore-db-instance-from-db-snapshot":
            if option("--db-snapshot-identifier") not in state["snapshots"]:
                fail("An error occurred (DBSnapshotNotFound)")
            state["instances"].append(instance())
        case "aws", "s3 sync":
            if "--dryrun" in words:
                return None if state["copied"] else print("(dryrun) copy: a.pdf")
            state["copied"] = True
        case "aws", "s3api get-bucket-encryption":
            if option("--bucket") not in state["encrypted"]:
                fail("An error occurred (ServerSideEncryptionConfigurationNotFoundError)")
            return print("{}")
        case "aws", "s3api put-bucket-encryption":
            json.loads(option("--server-side-encryption-configuration"))
            state["encrypted"].append(option("--bucket"))
        case "aws", "ec2 describe-security-groups":
            return print("0.0.0.0/0" if state["ports"] else "10.0.0.0/8")
        case "aws", "ec2 authorize-security-group-ingress":
            state["ports"].append(option("--port"))
        case "aws", "ec2 revoke-security-group-ingress":
            state["ports"].remove(option("--port"))
        case "aws", "route53 change-resource-record-sets":
            found = re.fullmatch(r"Changes=\[\{Action=UPSERT,ResourceRecordSet=\{Name=([^,]+),Type=CNAME,TTL=60,ResourceRecords=\[\{Value=([^}]+)\}\]\}\}\]",
                                 option("--change-batch"))
            state["names"][found[1]] = found[2]
            print("/change/C1")
        case "aws", "route53 wait":
            return None
        case "aws", "route53 list-resource-record-sets":
            name = option("--start-record-name")
            return print(f"{name}.\t{state['names'].get(name)}")
        case "heroku", "ps:scale":
            sizes = [word.split("=") for word in words[1:] if "=" in word]
            if not sizes:
                return print(" ".join(f"{name}={count}:Standard-1X" for name, count in state["processes"].items()))
            state["processes"].update((name, int(count)) for name, count in sizes)
        case "heroku", "maintenance":
            return print(state["maintenance"])
        case "heroku", ("maintenance:on" | "maintenance:off"):
            state["maintenance"] = what.split(":")[1]
        case "zappa", ("deploy" | "update"):
            if what == "update" and not state["deployed"]:
                fail("no Lambda of that name")
            state["deployed"] = True
        case "zappa", "certify":
            state["names"]["www.staging.clearmyrecord.org"] = "staging.lambda.example.org"
        case "zappa", "manage":
            print("done")
        case _:
            fail(f"not prepared for {words}")
    called()
    with open(STATE + ".new", "w", encoding="utf-8") as file:
        json.dump(state, file)
    os.replace(STATE + ".new", STATE)
    return None


if __name__ == "__main__":
    main()

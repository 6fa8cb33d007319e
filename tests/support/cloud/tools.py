#!/usr/bin/python3
"""Stand-ins of `eb`, `heroku` and `zappa`, by the name they are called by: each records its arguments, and answers from a
state in one file. What they answer is as the tools print it; what they refuse, as the tools refuse it.

CLOUD_STATE is the file (JSON): {"calls": [...], "heroku": {APP: {...}}, "zappa": {STAGE: true}, "codes": {"eb": 0},
"prints": what `eb` prints}.
"""
import json
import os
import sys


def option(words, name):
    return words[words.index(name) + 1] if name in words else ""


def heroku(state, words):
    if words[0] == "auth:token":
        print("token-of-heroku")
        return 0
    app = option(words, "--app")
    if app not in state["heroku"]:
        sys.stderr.write(" ›   Error: Couldn't find that app.\n ›\n ›   Error ID: not_found\n")
        return 1
    one = state["heroku"][app]
    if words[0] == "config:get":
        print(one["config"].get(words[1], ""))
    elif words[0] == "ps:scale":
        for pair in words[1:]:
            process, _, count = pair.partition("=")
            if count:
                one["ps"][process] = int(count)
        print(" ".join(f"{process}={count}:Standard-1X" for process, count in one["ps"].items()))
    elif words[0] == "maintenance":
        print(one["maintenance"])
    elif words[0].startswith("maintenance:"):
        one["maintenance"] = words[0].partition(":")[2]
    return 0


def zappa(state, words):
    verb, stage = words[0], words[1]
    if verb == "status":
        if not state["zappa"].get(stage):
            print("Error: No Lambda function found")
            return 1
        print("{}")
    elif verb in ("deploy", "update"):
        state["zappa"][stage] = True
    return 0


def eb(state, words):
    print(state.get("prints", f"eb {words[0]}"))
    return state["codes"].get("eb", 0)


def main():
    path = os.environ["CLOUD_STATE"]
    with open(path, encoding="utf-8") as file:
        state = json.load(file)
    tool, words = os.path.basename(sys.argv[0]), sys.argv[1:]
    state["calls"].append([tool, *words])
    code = {"heroku": heroku, "zappa": zappa, "eb": eb}[tool](state, words)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(state, file)
    return code


if __name__ == "__main__":
    sys.exit(main())

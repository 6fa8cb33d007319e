"""The record of a run, as tests look into it."""
import json


def waiting(events):
    """The human steps that are asked, in the order of their asking. EVENTS: as dicts."""
    open_ = {}
    for event in events:
        if event["type"] == "HumanStarted":
            open_[event["node"]] = True
        elif event["type"] == "HumanEnded":
            open_.pop(event["node"], None)
    return [node.rsplit("/", 1)[-1] for node in open_]


def step_that_waits(directory):
    """The human step that was asked last, of the run in DIRECTORY (a path)."""
    lines = (directory / "events.jsonl").read_text(encoding="utf-8").splitlines()
    return waiting(map(json.loads, lines))[-1]

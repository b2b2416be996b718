"""Overlaps of real agents are detected while they arise, and handled as configured."""

import json

import pytest

from tests.e2e.conftest import Shell
from tests.waiting import PATIENCE_SECONDS


def conflicts(shell: Shell, run: str) -> list[dict[str, object]]:
    told = shell.pex("report", run, "--format", "json")
    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)["conflicts"]
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize("policy", ["warn", "serialise"])
def test_two_that_change_the_same_line_are_told_of_each_other_at_once(
    shell: Shell, policy: str
) -> None:
    flag = shell.top.parent / "flag"  # both end once they were seen
    body = "sed -i s/one/{name}/ src/a.txt; until [ -e {flag} ]; do sleep 0.05; done"
    tasks = [
        {"id": name, "command": body.format(name=name, flag=flag), "estimate": estimate}
        for name, estimate in (("first", "10m"), ("second", "1m"))
    ]
    plan = shell.write("plan.json", json.dumps({"version": 1, "tasks": tasks}))
    engine = shell.start(
        *("run", str(plan), "--headless", "--name", "two"),
        *("--set", f"conflict_resolution.radar={policy}"),
    )
    told = ""
    assert engine.stderr is not None
    for line in engine.stderr:
        told += line
        if "both change src/a.txt:1" in line:
            flag.touch()
            break
    assert flag.exists(), told
    engine.communicate(timeout=PATIENCE_SECONDS)
    assert engine.returncode == 3, (
        told
    )  # rerun, it finds nothing to do: its work waits for a person
    assert shell.git("rev-list", "--count", "main..pex/two") in {"1", "2"}
    story = conflicts(shell, "two")
    assert story
    assert story[0]["kind"] == "write"
    assert story[0]["seen_at"] is not None


def test_a_write_that_was_not_declared_is_told_and_keeps_others_away(shell: Shell) -> None:
    tasks = [
        {"id": "wide", "command": "echo w >> src/a.txt; sleep 5", "writes": ["docs/**"]},
        {"id": "reader", "command": "sleep 2.5", "writes": []},
        {
            "id": "narrow",
            "command": "grep -q w src/a.txt",  # it starts from a commit with the other's line
            "needs": ["reader"],
            "writes": ["src/a.txt"],
        },
    ]
    plan = shell.write("plan.json", json.dumps({"version": 1, "tasks": tasks}))
    ended = shell.pex("run", str(plan), "--headless", "--name", "drift")
    assert ended.returncode == 0, ended.stderr
    assert "wide also writes src/a.txt, which it did not declare" in ended.stderr

"""The gate of a whole run: tested together, separated on failure, retried if flaky."""

import json
from pathlib import Path
from typing import Any

from tests.e2e.conftest import Shell

CHECK = """#!/bin/sh
echo run >> "GATES"
sleep 0.3
! ls *.broken >/dev/null 2>&1
"""


def write_plan(shell: Shell, names: str, broken: str = "") -> Path:
    """Write a plan of tasks that each add a file; a broken task's file fails the gate."""
    check = CHECK.replace("GATES", str(shell.top.parent / "gates"))
    shell.write("check.sh", check).chmod(0o755)
    shell.git("add", "-A")
    shell.git("commit", "-qm", "check")
    tasks = [
        {
            "id": name,
            "command": f"touch {name}.{'broken' if name in broken else 'txt'}",
            "retries": 0,
        }
        for name in names
    ]
    plan = {"version": 1, "verify": [["./check.sh"]], "slots": 8, "tasks": tasks}
    return shell.write("plan.json", json.dumps(plan))


def metrics(stdout: str) -> dict[str, Any]:
    last = json.loads(stdout.splitlines()[-1])
    assert isinstance(last, dict)
    return last


def test_many_tasks_land_with_few_gates_and_each_as_a_commit_of_its_own(shell: Shell) -> None:
    plan = write_plan(shell, "abcdefgh")
    ended = shell.pex("run", str(plan), "--headless", "--json", "--name", "many")
    assert ended.returncode == 0, ended.stderr
    gates = (shell.top.parent / "gates").read_text().split()
    assert len(gates) < 8
    assert shell.git("rev-list", "--count", "main..pex/many") == "8"
    assert metrics(ended.stdout)["outcome"] == "ok"


def test_the_task_that_breaks_the_build_is_found_and_the_others_land(shell: Shell) -> None:
    plan = write_plan(shell, "abcdef", broken="c")
    ended = shell.pex("run", str(plan), "--headless", "--name", "part")
    assert ended.returncode == 4, ended.stderr
    assert shell.git("rev-list", "--count", "main..pex/part") == "5"
    names = shell.git("ls-tree", "--name-only", "pex/part").split()
    assert "c.broken" not in names
    assert {f"{name}.txt" for name in "abdef"} <= set(names)
    assert "c: the gate failed: ./check.sh" in ended.stderr


def test_a_flaky_gate_is_asked_again_and_named(shell: Shell) -> None:
    plan = write_plan(shell, "a")
    shell.write("check.sh", f"#!/bin/sh\nmkdir {shell.top.parent}/once 2>/dev/null && exit 1\n:\n")
    shell.git("commit", "-qam", "flaky")
    ended = shell.pex("run", str(plan), "--headless", "--name", "flaky")
    assert ended.returncode == 0, ended.stderr
    told = "The gate is flaky: gate failed: ./check.sh, and passed"
    assert f"! {told}" in ended.stderr
    for kind in ("json", "md", "html"):
        assert told.partition(":")[0] in shell.pex("report", "flaky", "--format", kind).stdout
    report = json.loads(shell.pex("report", "flaky", "--format", "json").stdout)
    assert report["flaky_gates"] == ["a"]

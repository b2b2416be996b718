"""Runs in a sandbox, from the command line."""

import json

import pytest

from pex_tui.core.model.sandbox import Tier
from tests.adapters.sandbox.house import BOTH
from tests.e2e.conftest import Shell

PLAN = {
    "tasks": [
        {"id": "good", "command": "echo new > new.txt; cat ~/.ssh/id > stolen.txt; echo done"},
        {"id": "bad", "command": "echo x >> $TOP/src/a.txt", "retries": 0},
    ],
    "verify": ["! echo x >> $TOP/src/a.txt && ! test -s stolen.txt"],
}


@pytest.mark.parametrize("tier", BOTH)
def test_a_run_is_confined_and_says_so(tier: Tier, shell: Shell) -> None:
    shell.env["PEX_SAFETY__SANDBOX"] = tier
    shell.env["PEX_SAFETY__WRITABLE"] = "[]"
    secret = shell.top.parent / "home" / ".ssh" / "id"
    secret.parent.mkdir()
    secret.write_text("KEY")
    plan = json.dumps(PLAN).replace("$TOP", str(shell.top))
    (shell.top.parent / "plan.json").write_text(plan)

    ended = shell.pex("run", str(shell.top.parent / "plan.json"), "--headless", "--name", "r")
    report = json.loads(shell.pex("report", "r", "--format", "json").stdout)

    assert ended.returncode == 1, ended.stderr
    assert shell.git("show", "pex/r:new.txt") == "new"
    assert shell.git("show", "pex/r:stolen.txt") == ""
    assert (shell.top / "src" / "a.txt").read_text() == "one\n"
    assert report["sandbox"] == tier
    (bad,) = (task for task in report["tasks"] if task["id"] == "bad")
    assert f"its sandbox does not let it write {shell.top}/src/a.txt" in bad["reason"]
    assert "tasks ran in a sandbox of" in ended.stdout


def test_a_run_without_a_sandbox_says_so(shell: Shell) -> None:
    shell.env["PEX_SAFETY__SANDBOX"] = "none"
    shell.write("plan.yaml", "tasks: [{id: a, command: 'true'}]")

    assert "in no sandbox" in shell.pex("check", "plan.yaml").stdout
    assert "in no sandbox" in shell.pex("run", "plan.yaml", "--headless").stdout
    assert "in no sandbox" in shell.pex("doctor").stdout

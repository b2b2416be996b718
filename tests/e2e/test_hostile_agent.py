"""An agent that changes what decides about its run: all that counts as it was at the start."""

import json
import stat
from pathlib import Path

from tests.e2e.conftest import Shell

PLANTED = ("git", "bwrap", "python3")
"""Programs that pex-tui starts."""


def test_programs_plan_and_settings_count_as_they_were_at_the_start(
    shell: Shell, tmp_path: Path
) -> None:
    marks, tools = tmp_path / "marks", tmp_path / "tools"
    tools.mkdir()
    shell.env["PATH"] = f"{tools}:{shell.env['PATH']}"
    fake = tmp_path / "fake"
    fake.write_text(f'#!/bin/sh\necho "$0" >> {marks}\nexit 1\n')
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    plan, red = shell.top / "plan.json", {"verify": [["false"]]}
    evil = [f"cp {fake} {tools}/{name}" for name in PLANTED]
    evil += [f"mkdir -p {shell.top}/.pex", f"echo '{json.dumps(red)}' > {shell.top}/.pex/pex.yaml"]
    evil += [f"echo '{json.dumps({'version': 1, 'tasks': [], **red})}' > {plan}", "echo 1 > a.txt"]
    tasks = [
        {"id": "a", "command": "; ".join(evil), "writes": ["a.txt"]},
        {"id": "b", "command": "echo 2 > b.txt", "writes": ["b.txt"], "needs": ["a"]},
    ]
    plan.write_text(json.dumps({"version": 1, "verify": [["test", "-e", "a.txt"]], "tasks": tasks}))
    run = ("run", "plan.json", "--headless", "--name", "r", "--set", "safety.sandbox=none")

    done = shell.pex(*run)

    assert (done.returncode, marks.exists()) == (0, False), done.stdout + done.stderr
    assert sorted(path.name for path in tools.iterdir()) == sorted(PLANTED)
    (tools / "git").unlink()  # the test's own git is found by the same PATH
    assert shell.git("show", "pex/r:b.txt") == "2"

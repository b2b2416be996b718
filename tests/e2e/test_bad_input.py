"""Each mistake gets one clear message and exit code 2; nothing is started or changed."""

import os
from pathlib import Path

import pytest

from tests.e2e.conftest import Shell

GOOD = "version: 1\ntasks:\n  - {id: a, command: ['true']}\n"
PLANS = {  # one of each part that finds them; the others are in the plan file's tests
    "unreadable YAML": ("tasks: [\n", "plan.yaml:"),
    "unknown key": ("version: 1\nspeed: 9\ntasks:\n  - {id: a, command: 'true'}\n", "speed"),
    "unknown agent": ("tasks:\n  - {id: a, agent: nobody, command: 'true'}\n", "nobody"),
    "cycle": (
        "tasks:\n  - {id: a, command: x, needs: [b]}\n  - {id: b, command: x, needs: [a]}\n",
        "cycle",
    ),
    "glob outside": ("tasks:\n  - {id: a, command: x, writes: ['../x']}\n", "../x"),
    "command not found": ("tasks:\n  - {id: a, command: ['no-such-program']}\n", "no-such-program"),
    "gate not found": (
        "verify: [['no-such-gate', '-q']]\ntasks:\n  - {id: a, command: x}\n",
        "no-such-gate",
    ),
}


@pytest.mark.parametrize("name", PLANS)
def test_a_bad_plan_is_refused_in_words(shell: Shell, name: str) -> None:
    text, words = PLANS[name]
    shell.write("plan.yaml", text)

    ended = shell.pex("run", "plan.yaml", "--headless")

    assert ended.returncode == 2, ended.stderr
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""
    assert shell.traces() == ""


def test_every_problem_is_told_at_once_with_its_line(shell: Shell) -> None:
    shell.write("plan.yaml", "speed: 9\nslots: 99\ntasks:\n  - {id: A!, command: x}\n")

    ended = shell.pex("check", "plan.yaml")

    assert ended.returncode == 2
    assert [line for line in ("plan.yaml:1", "plan.yaml:2", "plan.yaml:4") if line in ended.stderr]
    assert ended.stderr.count("plan.yaml:") == 3


def test_a_missing_plan_is_named(shell: Shell) -> None:
    ended = shell.pex("run", "nope.yaml", "--headless")

    assert ended.returncode == 2
    assert "nope.yaml" in ended.stderr


def test_outside_a_repository(shell: Shell, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "plan.yaml").write_text(GOOD)

    ended = shell.pex("run", "plan.yaml", "--headless", cwd=elsewhere)

    assert ended.returncode == 2
    assert "git init" in ended.stderr


def test_without_a_commit(shell: Shell, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    shell.git("init", "--quiet", cwd=empty)
    (empty / "plan.yaml").write_text(GOOD)

    ended = shell.pex("run", "plan.yaml", "--headless", cwd=empty)

    assert ended.returncode == 2
    assert "no commit" in ended.stderr


def test_in_a_bare_repository(shell: Shell, tmp_path: Path) -> None:
    bare = tmp_path / "bare.git"
    shell.git("clone", "--quiet", "--bare", str(shell.top), str(bare))

    ended = shell.pex("run", "plan.yaml", "--headless", cwd=bare)

    assert ended.returncode == 2
    assert "bare" in ended.stderr


def test_without_git(shell: Shell, tmp_path: Path) -> None:
    shell.write("plan.yaml", GOOD)
    nothing = Shell(shell.top, {**shell.env, "PATH": str(tmp_path)})

    ended = nothing.pex("run", "plan.yaml", "--headless")

    assert ended.returncode == 2
    assert "git was not found" in ended.stderr


def test_with_an_old_git(shell: Shell, tmp_path: Path) -> None:
    shell.write("plan.yaml", GOOD)
    old = tmp_path / "bin" / "git"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho git version 2.30.1\n")
    old.chmod(0o755)
    path = f"{old.parent}{os.pathsep}{shell.env['PATH']}"

    ended = Shell(shell.top, {**shell.env, "PATH": path}).pex("run", "plan.yaml", "--headless")

    assert ended.returncode == 2
    assert "2.39" in ended.stderr


def test_without_a_name_for_commits(shell: Shell) -> None:
    shell.write("plan.yaml", GOOD)
    Path(shell.env["HOME"], ".gitconfig").write_text("")

    ended = shell.pex("run", "plan.yaml", "--headless")

    assert ended.returncode == 2
    assert "user.name" in ended.stderr
    assert shell.traces() == ""


def test_landing_onto_uncommitted_work_is_refused_before_the_start(shell: Shell) -> None:
    shell.write("plan.yaml", GOOD)
    shell.write("src/a.txt", "mine\n")

    ended = shell.pex("run", "plan.yaml", "--headless", "--land")

    assert ended.returncode == 2
    assert "uncommitted" in ended.stderr
    assert (shell.top / "src/a.txt").read_text() == "mine\n"
    assert shell.pex("run", "plan.yaml", "--headless").returncode == 0


def test_landing_from_a_detached_head_is_refused_before_the_start(shell: Shell) -> None:
    shell.write("plan.yaml", GOOD)
    shell.git("checkout", "--quiet", "--detach")

    ended = shell.pex("run", "plan.yaml", "--headless", "--land")

    assert ended.returncode == 2
    assert "detached" in ended.stderr
    assert shell.pex("run", "plan.yaml", "--headless").returncode == 0


def test_a_state_directory_that_cannot_be_made(shell: Shell, tmp_path: Path) -> None:
    shell.write("plan.yaml", GOOD)
    blocking_holdings = tmp_path / "file"
    blocking_holdings.write_text("")

    ended = Shell(shell.top, {**shell.env, "XDG_STATE_HOME": str(blocking_holdings)}).pex(
        "run", "plan.yaml", "--headless"
    )

    assert ended.returncode == 2
    assert "XDG_STATE_HOME" in ended.stderr


def test_a_bad_setting_is_named(shell: Shell) -> None:
    shell.write("plan.yaml", GOOD)
    shell.write(".pex/pex.yaml", "thread_pool:\n  max_concurent: 3\n")

    ended = shell.pex("run", "plan.yaml", "--headless")

    assert ended.returncode == 2
    assert "max_concurrent" in ended.stderr


def test_check_and_doctor_refuse_a_keymap_that_run_refuses(shell: Shell) -> None:
    shell.write(".pex/pex.yaml", "keymap: {agent.retry: p}\n")
    shell.write("plan.yaml", "goal: x\ntasks: [{id: a, command: 'true'}]\n")

    checked, looked = shell.pex("check", "plan.yaml"), shell.pex("doctor")

    assert checked.returncode == 2
    assert looked.returncode == 1
    for told in (checked.stderr, looked.stdout):
        assert "is for agent.pause" in " ".join(told.split())


def test_a_branch_in_the_way_is_told_before_anything_is_there(shell: Shell) -> None:
    shell.git("branch", "pex")
    shell.write("plan.yaml", GOOD)

    ended = shell.pex("run", "plan.yaml", "--headless", "--include-uncommitted")

    assert ended.returncode == 2
    assert "git branch -m pex" in ended.stderr
    assert "No run in this repository" in shell.pex("runs").stdout
    shell.git("branch", "-d", "pex")
    assert shell.traces() == ""

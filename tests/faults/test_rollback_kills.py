"""`pex-tui rollback` and `recover`, killed at their git commands: the next command finishes them.

Some commands by default; `PEX_CRASH_STRIDE=1` kills at each of them.
"""

import asyncio
import io
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from pex_tui.adapters.git.plumbing.git_runner import Git, GitResult
from pex_tui.cli.main import main
from tests.pex_process import run_pex

pytestmark = pytest.mark.faults

STRIDE = int(os.environ.get("PEX_CRASH_STRIDE", "67"))
MOST_COMMANDS = 400
HEAD_START_SECONDS = 0.002
PLAN = {
    "version": 1,
    "goal": "Write two files",
    "tasks": [
        {"id": "one", "command": "echo 1 > one.txt", "writes": ["one.txt"]},
        {"id": "two", "command": "echo 2 > two.txt", "writes": ["two.txt"]},
    ],
}


class Shop:
    """A repository with a landed run, put back to that state for each kill."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        self.top = scratch / "work" / "repo"

    def git(self, *args: str) -> str:
        done = subprocess.run(
            ["git", *args], cwd=self.top, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def save(self, name: str) -> None:
        shutil.copytree(self.scratch / "work", self.scratch / name, symlinks=True)

    def restore(self, name: str) -> None:
        shutil.rmtree(self.scratch / "work")
        shutil.copytree(self.scratch / name, self.scratch / "work", symlinks=True)

    def count(self, trailer: str) -> int:
        return self.git("log", "--format=%B", "main").count(f"\n{trailer}: ")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    made = Shop(tmp_path_factory.mktemp("rollback"))
    config = "[user]\nname = Ada\nemail = ada@example.org\n[init]\ndefaultBranch = main\n"
    (made.scratch / "config").write_text(config)
    (made.scratch / "run").mkdir(mode=0o700)
    (made.scratch / "plan.json").write_text(json.dumps(PLAN))
    made.top.mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_CONFIG_GLOBAL", str(made.scratch / "config"))
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        patch.setenv("XDG_STATE_HOME", str(made.scratch / "work" / "state"))
        patch.setenv("XDG_RUNTIME_DIR", str(made.scratch / "run"))
        made.git("init", "-q")
        made.git("commit", "-q", "--allow-empty", "-m", "begin")
        plan = str(made.scratch / "plan.json")
        ran = run_pex("run", plan, "--headless", "--land", "--name", "r", cwd=made.top)
        assert ran.returncode == 0, ran.stderr
        made.save("landed")
        yield made


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def dying(moment: str, command: int) -> None:
    """Have git's caller killed at its n-th command: before it, while it runs, or after it."""
    left = command
    plain = Git.run

    async def run(self: Git, *args: str, **options: Any) -> GitResult:
        nonlocal left
        left -= 1
        if left == 0 and moment == "before":
            die()
        if left == 0 and moment == "during":
            asyncio.get_running_loop().call_later(HEAD_START_SECONDS, die)
        answer = await plain(self, *args, **options)
        if left == 0:
            die()
        return answer

    Git.run = run  # type: ignore[method-assign]


def pex(shop: Shop, *words: str, moment: str = "", command: int = 0) -> tuple[int | None, str]:
    """Run a command in a fork; return its exit code, None if it was killed, and its output."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            os.chdir(shop.top)
            if moment:
                dying(moment, command)
            told = io.StringIO()
            with redirect_stdout(told), redirect_stderr(told):
                code = main(words)
            os.write(writing, told.getvalue().encode()[:60_000])
            os._exit(code)
        finally:
            sys.stderr.write("the command did not end\n")
            os._exit(99)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        text = stream.read().decode()
    _, status = os.waitpid(child, 0)
    return (None if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)), text


@pytest.mark.parametrize("moment", ["before", "during", "after"])
def test_a_killed_rollback_happens_once(shop: Shop, moment: str) -> None:
    shop.restore("landed")
    base, landed = shop.git("rev-parse", "main~2"), shop.git("rev-parse", "main")
    for command in range(STRIDE // 2 + 1, MOST_COMMANDS, STRIDE):
        shop.restore("landed")
        code, _ = pex(shop, "rollback", "r", "--yes", moment=moment, command=command)
        if code is not None:
            assert code == 0
            break

        again, told = pex(shop, "rollback", "r", "--yes")

        assert again == 0 or "rolled back already" in told, (command, told)
        assert shop.git("diff", base, "main") == "", command
        assert shop.count("Pex-Rollback") == 2, command
        assert shop.git("rev-parse", "pex/r", "main~2").split() == [base, landed]
        assert shop.git("status", "--porcelain") == ""
        _, runs = pex(shop, "runs", "--json")
        assert (json.loads(runs)[0]["outcome"], json.loads(runs)[0]["landed"]) == ("rolled_back", 0)
        assert len(json.loads(pex(shop, "recover", "--json")[1])) == 1
        shop.git("fsck", "--strict")
    else:
        pytest.fail("a rollback has fewer commands")


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_killed_recovery_happens_once(shop: Shop, moment: str) -> None:
    shop.restore("landed")
    landed = shop.git("rev-parse", "main")
    assert pex(shop, "rollback", "r", "--yes")[0] == 0
    (entry,) = json.loads(pex(shop, "recover", "--json")[1])
    shutil.rmtree(shop.scratch / "undone", ignore_errors=True)
    shop.save("undone")
    for command in range(STRIDE // 2 + 1, MOST_COMMANDS, STRIDE):
        shop.restore("undone")
        code, _ = pex(shop, "recover", entry["id"], moment=moment, command=command)
        if code is not None:
            assert code == 0
            break

        again, told = pex(shop, "recover", entry["id"])

        assert again == 0 or "There is no entry" in told, (command, told)
        assert shop.git("diff", landed, "main") == "", command
        assert shop.count("Pex-Task") == 4, command
        assert shop.git("rev-parse", "pex/r") == landed
        _, runs = pex(shop, "runs", "--json")
        assert (json.loads(runs)[0]["outcome"], json.loads(runs)[0]["landed"]) == ("ok", 2)
        shop.git("fsck", "--strict")
    else:
        pytest.fail("a recovery has fewer commands")

"""Output and effects of `pex-tui clean`."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pex_tui.adapters.storage.engine_lock import EngineLock
from pex_tui.cli.output.clean import render_clean, render_cleaned
from pex_tui.core.model.ids import RunId
from pex_tui.engine.cleaning import NOT_LANDED, CleanPlan, LeftoverKind, Removal
from tests.e2e.terminal import Terminal
from tests.first_commits import Repositories
from tests.pex_process import run_pex

WRITE = [sys.executable, "-c", "import sys; open(sys.argv[1], 'w').write('made\\n')"]
READ = [sys.executable, "-c", "open('README.md').read()"]


@dataclass(frozen=True)
class Shop:
    """A small repository, and pex-tui in it."""

    path: Path
    environ: dict[str, str]

    def git(self, *args: str) -> str:
        ended = subprocess.run(
            ["git", *args],
            cwd=self.path,
            env=self.environ,
            check=True,
            capture_output=True,
            text=True,
        )
        return ended.stdout.strip()

    def pex(self, *args: str, ends: int = 0, **options: Any) -> subprocess.CompletedProcess[str]:
        ended = run_pex(*args, cwd=self.path, env=self.environ, **options)
        assert ended.returncode == ends, ended.stderr
        return ended

    def run(self, name: str, tasks: Sequence[dict[str, Any]], *args: str, ends: int = 0) -> None:
        plan = self.path.parent / f"{name}.json"
        plan.write_text(json.dumps({"version": 1, "verify": [READ], "tasks": tasks}))
        self.pex("run", str(plan), "--headless", "--name", name, *args, ends=ends)

    @property
    def state(self) -> Path:
        (found,) = (self.path.parent / "state" / "pex-tui").iterdir()
        return found

    def left(self) -> list[str]:
        """Return what is in the state directory besides journal, engine lock and owner."""
        kept = {"journal.db", "journal.db-wal", "journal.db-shm", "ballast", "engine.lock"}
        kept |= {"repository.json", "undo"}
        return sorted(path.name for path in self.state.iterdir() if path.name not in kept)

    def runs(self) -> list[str]:
        return [run["run"] for run in json.loads(self.pex("runs", "--json").stdout)]

    def is_as_before(self) -> None:
        """Assert that nothing of ours is in the repository or in the state directory."""
        assert self.git("worktree", "list", "--porcelain").count("worktree ") == 1
        refs = self.git("for-each-ref", "--format=%(refname)", "refs/pex", "refs/heads/pex")
        assert not [ref for ref in refs.split() if not ref.startswith("refs/pex/_undo/")]
        assert not (self.path / ".git" / "worktrees").exists()
        assert not list(self.path.glob(".git/**/*.lock"))
        assert self.left() == []
        assert self.runs() == []
        self.git("fsck", "--strict")


@pytest.fixture
def shop(tmp_path: Path, repositories: Repositories) -> Shop:
    """A repository with one commit, isolated from the user's own configuration."""
    path, home = tmp_path / "shop", tmp_path / "home"
    home.mkdir()
    repositories.make(path, (("begin", {"README.md": "# Shop\n"}),))
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "LANG": "C.UTF-8",
    }
    made = Shop(path, environ)
    made.git("config", "user.name", "Ada Lovelace")
    made.git("config", "user.email", "ada@example.org")
    return made


def write(task: str) -> dict[str, Any]:
    return {"id": task, "command": [*WRITE, task]}


def test_a_landed_run_leaves_nothing(shop: Shop) -> None:
    tasks = [write("one"), write("two"), {"id": "look", "command": READ, "writes": []}]
    shop.run("first", tasks, "--land")
    assert shop.left() != []
    shown = shop.pex("clean")
    assert "first" in shown.stdout
    assert "no terminal" in shown.stderr
    assert shop.runs() == ["first"]
    cleaned = shop.pex("clean", "--yes")
    assert "Removed " in cleaned.stdout
    shop.is_as_before()
    assert (shop.path / "two").read_text() == "made\n"
    assert "Nothing to clean" in shop.pex("clean", "--yes").stdout


def test_unlanded_work_is_kept_until_forced(shop: Shop) -> None:
    shop.run("kept", [write("one")])
    cleaned = shop.pex("clean", "--yes")
    told = "run kept: work of 1 task is on none of your branches (`pex-tui land kept`)"
    assert told in cleaned.stdout
    assert shop.git("show", "pex/kept:one") == "made"
    assert shop.git("show", "refs/pex/kept/one/1:one") == "made"
    assert shop.runs() == ["kept"]
    assert "one" in shop.pex("report").stdout
    shop.pex("clean", "--yes", "--force")
    shop.is_as_before()


def test_what_was_cleaned_is_recovered_with_its_history(shop: Shop) -> None:
    shop.run("kept", [write("one")])
    report = shop.pex("report", "kept").stdout
    cleaned = shop.pex("clean", "--yes", "--force").stdout
    assert "pex-tui recover" in cleaned
    listed = json.loads(shop.pex("recover", "--json").stdout)
    assert [(one["command"], one["run"]) for one in listed] == [("clean --force", "kept")]
    assert listed[0]["id"] in shop.pex("recover").stdout

    shop.pex("recover", listed[0]["id"][:2])

    assert shop.git("show", "pex/kept:one") == "made"
    assert shop.git("show", "refs/pex/kept/one/1:one") == "made"
    assert shop.pex("report", "kept").stdout == report
    assert json.loads(shop.pex("recover", "--json").stdout) == []
    assert "no entry" in shop.pex("recover", "abc", ends=2).stderr

    shop.pex("clean", "--yes", "--force", "--purge")
    assert shop.git("for-each-ref", "refs/pex") == ""
    assert not (shop.state / "undo").exists()


def test_purge_drops_what_could_be_recovered(shop: Shop) -> None:
    shop.run("kept", [write("one")])
    shop.pex("clean", "--yes", "--force")
    assert "--purge also drops" in shop.pex("clean", "--purge").stdout
    assert json.loads(shop.pex("recover", "--json").stdout) != []
    shop.pex("clean", "--purge", "--yes")
    assert json.loads(shop.pex("recover", "--json").stdout) == []


def test_runs_that_the_journal_lost_are_cleaned_without_being_named(shop: Shop) -> None:
    shop.run("first", [write("one")], "--land")
    shop.run("second", [write("two")])
    for file in shop.state.glob("journal.db*"):
        file.unlink()
    assert "first" not in shop.pex("clean", "--older-than", "1d").stdout
    shown = shop.pex("clean", "--yes").stdout
    assert "run second: work of 1 task is on none of your branches" in shown
    assert shop.git("for-each-ref", "--format=%(refname)", "refs/heads/pex") == (
        "refs/heads/pex/second"
    )


def test_a_run_that_only_its_refs_and_files_know_is_told_of_and_can_be_cleaned(shop: Shop) -> None:
    shop.run("first", [write("one")])
    for file in shop.state.glob("journal.db*"):
        file.unlink()

    assert "branch and refs only" in shop.pex("resolve", "first", ends=2).stderr
    plan = shop.path.parent / "first.json"
    again = shop.pex("run", str(plan), "--headless", "--name", "first", ends=2)
    assert "pex-tui clean first" in again.stderr
    assert "on none of your branches" in shop.pex("clean", "firs", "--yes").stdout
    shop.git("update-ref", "-d", "refs/heads/pex/first")
    for ref in shop.git("for-each-ref", "--format=%(refname)", "refs/pex/first").splitlines():
        shop.git("update-ref", "-d", ref)

    assert "nothing of it has landed" in shop.pex("resolve", "first", ends=2).stderr
    again = shop.pex("run", str(plan), "--headless", "--name", "first", ends=2)
    assert "pex-tui clean first" in again.stderr  # its attempts' folders exist
    shop.pex("clean", "first", "--yes", "--force")
    shop.pex("run", str(plan), "--headless", "--name", "first")


def test_only_the_named_run_goes_and_only_when_it_is_old_enough(shop: Shop) -> None:
    for name in ("first", "second"):
        shop.run(name, [{"id": "look", "command": READ, "writes": []}])
    assert "Nothing to clean" in shop.pex("clean", "--older-than", "7d", "first").stdout
    shop.pex("clean", "first", "--older-than", "0s", "--yes")
    assert shop.runs() == ["second"]
    assert (shop.state / "runs" / "second").is_dir()
    assert not (shop.state / "runs" / "first").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--older-than", "soon"), '--older-than: "soon" is not a valid duration'),
        (("missing",), "There is no run missing"),
    ],
)
def test_what_makes_no_sense_is_refused(shop: Shop, arguments: tuple[str, ...], words: str) -> None:
    assert words in shop.pex("clean", *arguments, ends=2).stderr


def test_while_an_engine_is_at_work_nothing_is_removed(shop: Shop) -> None:
    shop.run("first", [write("one")], "--land")
    lock = EngineLock(shop.state / "engine.lock")
    lock.acquire()
    lock.describe(RunId("other"), control=None, is_background=False)
    try:
        busy = shop.pex("clean", "--yes", ends=5)
    finally:
        lock.release()
    assert "drives run other" in busy.stderr
    assert shop.runs() == ["first"]
    assert "runs" in shop.left()


@pytest.mark.parametrize(("answer", "left"), [("y\n", []), ("\4", ["first"])])
def test_on_a_terminal_it_asks(shop: Shop, answer: str, left: list[str]) -> None:
    shop.run("first", [{"id": "look", "command": READ, "writes": []}])
    with Terminal(("clean",), shop.path, shop.environ, 120, 36) as terminal:
        terminal.press(answer)
        assert terminal.ended() == 0
        assert "Remove this? [y/N]" in terminal.text
    assert shop.runs() == left


def test_the_plan_is_shown_one_line_a_run() -> None:
    run, other = RunId("7f3a"), RunId("9c01")
    plan = CleanPlan(
        (
            Removal(LeftoverKind.REF, "refs/pex/7f3a/a/1", run),
            Removal(LeftoverKind.REF, "refs/pex/7f3a/b/1", run),
            Removal(LeftoverKind.BRANCH, "refs/heads/pex/7f3a", run),
            Removal(LeftoverKind.WORKTREE, "/state/pool/1", None, 3 * 1024 * 1024),
            Removal(LeftoverKind.FOLDER, "/state/runs/7f3a", run, 20 * 1024),
        ),
        (Removal(LeftoverKind.REF, "refs/pex/9c01/\x1b[31mx/1", other, 0, NOT_LANDED),),
    )
    text = render_clean(plan, [run], [RunId("1111"), RunId("2222")], RunId("2222"))
    assert text == (
        "RUN          SIZE  REMOVES\n"
        "7f3a          20K  its history, its logs, branch pex/7f3a, 2 refs\n"
        "in no run      3M  1 worktree\n"
        "\n"
        "Kept:\n"
        "  run 1111: it has not ended (`pex-tui resume 1111`)\n"
        "  run 2222: it is live\n"
        "  run 9c01: work of 1 task is on none of your branches\n"
        "`pex-tui land RUN` lands a run's work; --force gives it up.\n"
    )


def test_long_lists_of_what_is_kept_are_cut() -> None:
    kept = tuple(
        Removal(LeftoverKind.REF, f"refs/pex/{number}/t/1", RunId(f"{number}"), 0, NOT_LANDED)
        for number in range(25)
    )
    assert "  and 5 more\n" in render_clean(CleanPlan((), kept), [], [], None)


def test_rescued_work_is_named() -> None:
    text = render_cleaned(CleanPlan(), ("refs/pex/a/b/1-rescued",))
    assert "! Uncommitted work was left in a worktree; it is in refs/pex/a/b/1-rescued now." in text
